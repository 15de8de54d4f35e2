"""Tracer and traced threads on one CPU, where a stop and its answer cost a fifth of what they cost across CPUs.

    pins = Pins(table)
    pins.pin([4711])            this thread and 4711 share the CPU that this thread runs on; children inherit that
    pins.unpin(threads)         all run where they ran before

A program that asks on which CPUs it may run (nproc does, and what starts a thread for each) is told what it would be
told otherwise: the return of sched_getaffinity(2) is mended. One that calls sched_setaffinity(2) gets what it wants.
"""

from __future__ import annotations

import contextlib
import os
import threading

from invivo.linux import ptrace
from invivo.linux.guardian import PatchTable, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Pins"]

_SETAFFINITY, _GETAFFINITY = 203, 204  # x86-64


class Pins:
    """`cpu` is the one that is shared, or None. `calls` are the system calls whose returns returned() wants to see."""

    __slots__ = ("_before", "_chosen", "_patches", "calls", "cpu")

    def __init__(self, patches: PatchTable) -> None:
        self._patches = patches
        self._before: frozenset[int] = frozenset()
        self._chosen: set[int] = set()  # threads that have set their own CPUs since
        self.calls: frozenset[int] = frozenset()
        self.cpu: int | None = None

    def pin(self, threads: Iterable[int]) -> None:
        """Share a CPU with these threads and with all children; does nothing where there is only one to run on."""
        self._before = frozenset(os.sched_getaffinity(0))
        cpu = int(ptrace.cpu_of_caller())
        if len(self._before) < 2 or cpu not in self._before:
            return
        threads = list(threads)
        for tid in threads:
            with contextlib.suppress(OSError):
                before = frozenset(os.sched_getaffinity(tid))
                if cpu not in before:
                    return  # it may not run here
                self._patches.pin(tid, before)
                os.sched_setaffinity(tid, {cpu})
        os.sched_setaffinity(0, {cpu})
        self._patches.pin(threading.get_native_id(), self._before)
        self.cpu = cpu
        self.calls = frozenset((_SETAFFINITY, _GETAFFINITY))

    @property
    def others(self) -> frozenset[int]:
        """The CPUs that are not shared, where there are any: for whoever works beside."""
        if self.cpu is None:
            return frozenset(os.sched_getaffinity(0))
        return self._before - {self.cpu} or self._before

    def unpin(self, threads: Iterable[int]) -> None:
        """Let these threads, and this one, run on all their CPUs again."""
        if self.cpu is None:
            return
        for tid in [*threads, 0]:
            if tid not in self._chosen:
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(tid, self._before)
            self._patches.unpin(tid or threading.get_native_id())
        self.cpu = None
        self.calls = frozenset()

    def returned(self, tid: int, number: int, registers: bytes) -> None:
        """The return of one of `calls` in a thread."""
        result = int.from_bytes(registers[80:88], "little", signed=True)
        about = int.from_bytes(registers[112:116], "little") or tid  # di
        if number == _SETAFFINITY:
            if result == 0:
                self._chosen.add(about)
        elif result > 0 and about not in self._chosen:
            size, place = (int.from_bytes(registers[at : at + 8], "little") for at in (104, 96))  # si, dx
            mask = sum(1 << cpu for cpu in self._before).to_bytes(128, "little")
            write_text(tid, place, mask[: min(size, result, 128)])
