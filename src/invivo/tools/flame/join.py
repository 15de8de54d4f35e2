"""A kind whose two halves meet here, record by record: a blocked thread and its waker.

    ("wake", 4321, "redis", ustack, stack)  ("back", 4321, ...)    ->  blocked stack; the waker's stack, outwards
"""

from __future__ import annotations

from invivo.flame.profile import Kind, Profile, Thread
from invivo.tools.flame.stacks import Stacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from invivo.consumer.records import Record

__all__ = ["Wakers"]


class Wakers:
    """The last that woke a thread is who ended its wait."""

    def __init__(self, profile: Profile, start: int) -> None:
        self._profile = profile
        self._start = start
        self._stacks = Stacks(profile)
        self._wakers: dict[int, tuple[Any, ...]] = {}

    def take(self, record: Record | None) -> None:
        if record is None:
            return
        values: tuple[Any, ...] = record.values
        if values[0] == "wake":
            self._wakers[values[1]] = values[2:]
            return
        _, tid, at, pid, name, ns, user, kernel = values
        node = self._stacks.of(pid, user, kernel)
        waker = self._wakers.pop(tid, None)
        if waker is not None:
            waker_name, waker_user, waker_kernel = waker
            names = ("-- woken by --", *waker_kernel.names, *waker_user.names, waker_name)
            node = self._stacks.under(node, names, Kind.WAKER)
        thread = self._profile.thread(Thread(pid, tid, name))
        self._profile.add(node, ns, thread, max(0, at - self._start))
