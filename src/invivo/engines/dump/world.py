"""What a dump sees: one thread of the process, its memory, and on request its stack.

    world = DumpWorld(thread, facts, memory, hold=None)
    world.read(Space.USER, 0x55d0c8e2a0c8, 8)       by process_vm_readv(2)
    world.stack(True, 20)                           the thread stands still for as long as that takes

Raises ProcessGone, from any read, when the process has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.engines.dump.hold import Hold, stand_still
from invivo.engines.process.tracer import Thread
from invivo.engines.process.world import Facts, ThreadWorld
from invivo.linux import procfs, ptrace
from invivo.program.types import Space

__all__ = ["DumpWorld", "PageCache", "ProcessGone"]

_PAGE = 4096


class ProcessGone(Exception):
    """The process has ended, or runs another program."""


class PageCache:
    """Memory that does not change, because all its threads stand still: each page is read once."""

    __slots__ = ("_memory", "_pages")

    def __init__(self, memory: ptrace.ProcessMemory) -> None:
        self._memory = memory
        self._pages: dict[int, bytes] = {}

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes; fewer where the memory ends."""
        start = address & -_PAGE
        page = self._pages.get(start)
        if page is None:
            page = self._pages[start] = self._memory.read(start, _PAGE)
        first = address - start
        if first + size <= _PAGE:
            return page[first : first + size]
        return self._memory.read(address, size)


class DumpWorld(ThreadWorld):
    """See the module's text. `hold` is set while the process is stopped."""

    __slots__ = ("_cache", "_hold")

    def __init__(self, thread: Thread, facts: Facts, hold: Hold | None, cache: PageCache | None) -> None:
        super().__init__(thread, facts)
        self._hold = hold
        self._cache = cache

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        if space is not Space.USER:
            return self.kernel(address, size)
        data = self.memory.read(address, size) if self._cache is None else self._cache.read(address, size)
        if len(data) != size:
            self._check()
            return None
        return data

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        text = super().read_string(space, address, limit)
        if text is None and space is Space.USER:
            self._check()
        return text

    def _check(self) -> None:
        """It is a bad address, unless the process has ended."""
        if not procfs.has_memory(self.thread.process.pid):
            raise ProcessGone

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        if not is_user:
            return ()
        if self._hold is not None:
            return self._unwound(ptrace.read_registers(self.thread.tid) or b"", frames)
        with stand_still(self.thread.tid) as registers:
            return self._unwound(registers, frames)

    def _unwound(self, registers: bytes, frames: int) -> Sequence[int]:
        return self.facts.unwind(self.thread, registers, frames) if registers else ()
