"""Waits that are open at the end, of threads of which the program could not keep everything."""

from __future__ import annotations

import os
import threading
from typing import Any, cast

from invivo.flame.profile import Profile
from invivo.tools.flame.kinds import Program
from invivo.tools.flame.waits import OpenWaits


class _Session:
    """A run whose map of variables had room for a thread's moment, and not for which call it made."""

    def __init__(self, tid: int, since: int) -> None:
        self._at = {tid: since}

    def thread_values(self, name: str) -> dict[int, int]:
        return self._at if name == "at" else {}

    def probe_function(self, number: int) -> str:
        return {1: "BEGIN"}.get(number, "")

    def stack(self, identity: int, pid: int | None = None) -> tuple[int, int | None]:
        return identity, pid


class _Stacks:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def of(self, *parts: object) -> int:
        self.asked.append(parts)
        return 0

    def under(self, node: int, *_: object) -> int:
        return node  # for the other threads of this process, which are blocked in calls of their own


def test_a_call_that_found_no_room_is_counted_without_its_name() -> None:
    program = Program("", "ns", has_label=True, waits="calls", states="SD")
    waits = OpenWaits(program, os.getpid(), 0)
    profile, stacks = Profile("ns", "test"), _Stacks()
    tid = threading.get_native_id()
    waits.start = 5
    waits.end(cast("Any", _Session(tid, 7)), profile, cast("Any", stacks), 18)
    assert stacks.asked[0] == (os.getpid(), (0, os.getpid()))
    assert profile.weights[0] == 11  # from 7 to 18; what other threads of this process wait for comes behind
