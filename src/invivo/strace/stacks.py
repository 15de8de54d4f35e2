"""The stack of a thread in a system call, as lines below it (-k).

    Stacks().lines(thread, registers)      [" > /usr/lib/x86_64-linux-gnu/libc.so.6(read+0x10) [0xfe2a0]", ...]

In: a stopped thread. Each line has the file, the function with the distance into it, and the place in the file.
"""

from __future__ import annotations

import os
import time

from invivo.engines.process.threads import Thread
from invivo.engines.process.unwind import Unwinder
from invivo.linux.perf_records import Executed
from invivo.strace.structures import quoted
from invivo.symbols.normalize import AddressSpaces
from invivo.symbols.symbolize import Symbolizer

__all__ = ["Stacks"]

_MOST = 256


class Stacks:
    """Of all processes that are followed."""

    def __init__(self) -> None:
        self._spaces = AddressSpaces()
        self._unwinder = Unwinder(self._spaces)
        self._symbolizer = Symbolizer(self._spaces)

    def executed(self, pid: int) -> None:
        """The process runs another program now."""
        self._spaces.apply(Executed(pid, time.monotonic_ns()))

    def lines(self, thread: Thread, registers: bytes) -> list[str]:
        """See the module's text."""
        pid = thread.process.pid
        return [self._line(pid, address) for address in self._unwinder.stack(thread, registers, _MOST)]

    def _line(self, pid: int, address: int) -> str:
        place = self._spaces.find(pid, 0, address)
        if isinstance(place, str):
            return f" > {place} [{address:#x}]"
        name = self._symbolizer.name(pid, 0, address).partition("`")[2]
        function = name if "+0x" in name or name.isidentifier() else ""
        path = place.file.path if place.file is not None else place.mapping.path
        return f" > {quoted(os.fsencode(path), 4096)[1:-1]}({function}) [{place.offset:#x}]"
