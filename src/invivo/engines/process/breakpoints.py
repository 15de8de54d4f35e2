"""Breakpoints in traced processes: where Uprobes are, what happens at a hit, and that every byte comes back.

    breakpoints = Breakpoints(points, table, fire)
    breakpoints.insert(process)            int3 at every place of a file that the process has mapped
    breakpoints.hit(thread, tracer)        True if it was one: fired, and the instruction behind it carried out
    breakpoints.remove_all()

A return is caught at the address that the function will return to, and only there where the stack pointer says that it
is that call's return: the stack itself is not touched, so exceptions, longjmp(3) and backtraces work. Instructions that
the tracer cannot carry out are stepped in place, while the process's other threads stand still.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable

from invivo.engines.process import emulate
from invivo.engines.process.emulate import RIP, RSP, Emulator, Registers
from invivo.engines.process.loader import Loader, find_loader
from invivo.engines.process.tracer import Process, Thread, Tracer
from invivo.linux import procfs, ptrace
from invivo.linux.guardian import BREAKPOINT, PatchTable
from invivo.linux.maps import Mapping, read_maps
from invivo.program.attach import Uprobe

__all__ = ["Breakpoints"]

_RIP_AT = 8 * RIP
_Words = ctypes.c_uint64 * (ptrace.REGISTERS_SIZE // 8)
_Fire = Callable[[Uprobe, Thread, bytes], None]
_More = Callable[[int], Iterable[Uprobe]]


class _Breakpoint:
    """One patched byte. `entries` fire at a hit, `returns` arm a return; `is_return` addresses are returned to."""

    __slots__ = ("address", "carry_out", "entries", "is_loader", "is_return", "original", "returns")

    def __init__(self, address: int, original: bytes, carry_out: Emulator | None) -> None:
        self.address = address
        self.original = original
        self.carry_out = carry_out
        self.entries: list[Uprobe] = []
        self.returns: list[Uprobe] = []
        self.is_return = False
        self.is_loader = False


class _Space:
    """An address space with its breakpoints; `pending` are returns awaited, by thread: (stack pointer, probe)."""

    __slots__ = ("breakpoints", "fd", "loader", "pending", "pid", "removed", "semaphores")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        self.breakpoints: dict[int, _Breakpoint] = {}
        self.pending: dict[int, list[tuple[int, int, Uprobe]]] = {}
        self.removed: dict[int, bytes] = {}  # what stood there before
        self.loader: Loader | None = None
        self.semaphores: dict[int, int] = {}

    def read(self, address: int, size: int) -> bytes:
        try:
            return os.pread(self.fd, size, address)
        except (OSError, OverflowError):
            return b""

    def write(self, address: int, data: bytes) -> bool:
        try:
            return os.pwrite(self.fd, data, address) == len(data)
        except (OSError, OverflowError):
            return False


class Breakpoints:
    """See the module's text. `fire` is called with the registers as they are at the instruction."""

    def __init__(
        self, points: Iterable[Uprobe], table: PatchTable, fire: _Fire, more: _More | None = None
    ) -> None:
        """`more` gives further places, in what a process has mapped that was not there before."""
        self._more = more
        self._table = table
        self._fire = fire
        self._files: dict[str, list[Uprobe]] = {}
        for point in points:
            self._files.setdefault(point.path, []).append(point)
        self._spaces: dict[int, _Space] = {}
        self.missed: set[tuple[int, int]] = set()  # (pid, address) where none could be put

    def __bool__(self) -> bool:
        return bool(self._files) or self._more is not None

    # --- insert and remove --------------------------------------------------------------------------------------

    def insert(self, process: Process) -> None:
        """Plant in everything that a process has mapped now."""
        if not self:
            return
        for point in self._more(process.pid) if self._more is not None else ():
            self._files.setdefault(point.path, []).append(point)
        maps = read_maps(process.pid) or []
        try:
            space = self._spaces.get(process.pid) or _Space(process.pid)
        except OSError:
            return
        self._spaces[process.pid] = space
        if maps:
            self._forget_unmapped(space, maps)
        self._watch_loader(space)
        for path, points in self._files.items():
            for mapping in _mappings_of(path, maps):
                for point in points:
                    address = point.offset - mapping.offset + mapping.start
                    is_here = point.pid in (0, process.pid) and mapping.start <= address < mapping.end
                    if is_here and self._add(space, address, point):
                        self._raise_semaphore(space, path, point)

    def _forget_unmapped(self, space: _Space, maps: Iterable[Mapping]) -> None:
        """What lay in a library that is gone."""
        code = [(mapping.start, mapping.end) for mapping in maps]
        for address in [at for at in space.breakpoints if not any(start <= at < end for start, end in code)]:
            del space.breakpoints[address]
            self._table.remove(space.pid, address)

    def _watch_loader(self, space: _Space) -> None:
        """Have the loader tell when it has mapped more: what it maps may be probed too."""
        if space.loader is None and (loader := find_loader(space.pid)) is not None:
            planted = self._plant(space, loader.stop)
            if planted is not None:
                planted.is_loader = True
                space.loader = loader

    def _add(self, space: _Space, address: int, point: Uprobe) -> bool:
        """Plant a probe; False if it could not be, or was there."""
        breakpoint_ = self._plant(space, address)
        if breakpoint_ is None:
            return False
        wanted = breakpoint_.returns if point.is_return else breakpoint_.entries
        if point in wanted:
            return False
        wanted.append(point)
        return True

    def _plant(self, space: _Space, address: int) -> _Breakpoint | None:
        found = space.breakpoints.get(address)
        if found is not None:
            return found
        code = self._original(space, address, 16)
        if not code or not self._table.add(space.pid, address, code[:1]):
            self._miss(space, address)
            return None
        if not space.write(address, BREAKPOINT):
            self._table.remove(space.pid, address)
            self._miss(space, address)
            return None
        found = space.breakpoints[address] = _Breakpoint(address, code[:1], emulate.emulator(code, address))
        space.removed.pop(address, None)
        return found

    def _miss(self, space: _Space, address: int) -> None:
        if procfs.exists(space.pid):  # in one that has ended nothing can fire
            self.missed.add((space.pid, address))

    def _original(self, space: _Space, address: int, size: int) -> bytes:
        return _concealed(space, address, space.read(address, size))

    def _raise_semaphore(self, space: _Space, path: str, point: Uprobe) -> None:
        if not point.semaphore:
            return
        for mapping in _all_mappings(space.pid, path):
            address = point.semaphore - mapping.offset + mapping.start
            if mapping.start <= address < mapping.end:
                self._count(space, address, 1)
                space.semaphores[address] = space.semaphores.get(address, 0) + 1
                return

    @staticmethod
    def _count(space: _Space, address: int, step: int) -> None:
        data = space.read(address, 2)
        if len(data) == 2:
            space.write(address, (int.from_bytes(data, "little") + step & 0xFFFF).to_bytes(2, "little"))

    def remove_all(self) -> None:
        """Put every byte back, in every process that lives. Threads that are at a breakpoint already are put right at
        their hit."""
        for space in set(self._spaces.values()):
            for address, breakpoint_ in list(space.breakpoints.items()):
                if space.read(address, 1) == BREAKPOINT:
                    space.write(address, breakpoint_.original)
                self._table.remove(space.pid, address)
                space.removed[address] = breakpoint_.original
            space.breakpoints.clear()
            for address, count in space.semaphores.items():
                self._count(space, address, -count)
            space.semaphores.clear()

    def forget(self, pid: int) -> None:
        """The address space of a process is gone: it has ended, or called execve(2)."""
        space = self._spaces.pop(pid, None)
        if space is not None and space.pid == pid and space not in self._spaces.values():
            for address in space.breakpoints:
                self._table.remove(pid, address)
            os.close(space.fd)

    def forked(self, parent: Process, child: Process, shares_memory: bool) -> None:
        """A new process has its parent's memory, or a copy of it with all breakpoints."""
        space = self._spaces.get(parent.pid)
        if space is None:
            return
        if shares_memory:
            self._spaces[child.pid] = space
            return
        try:
            copy = self._spaces[child.pid] = _Space(child.pid)
        except OSError:
            return
        copy.loader = space.loader
        copy.semaphores = dict(space.semaphores)
        for address, breakpoint_ in space.breakpoints.items():
            entries = [point for point in breakpoint_.entries if point.pid == 0]
            returns = [point for point in breakpoint_.returns if point.pid == 0]
            if entries or returns or breakpoint_.is_return or breakpoint_.is_loader:
                mine = copy.breakpoints[address] = _Breakpoint(address, breakpoint_.original, breakpoint_.carry_out)
                mine.entries, mine.returns, mine.is_return = entries, returns, breakpoint_.is_return
                mine.is_loader = breakpoint_.is_loader
                self._table.add(child.pid, address, breakpoint_.original)
            else:
                copy.write(address, breakpoint_.original)
        for address, original in space.removed.items():  # copied while they were taken back
            if copy.read(address, 1) == BREAKPOINT:
                copy.write(address, original)
        copy.removed = dict(space.removed)

    # --- reading past them --------------------------------------------------------------------------------------

    def conceal(self, pid: int, address: int, data: bytes) -> bytes:
        """Memory as it is without breakpoints."""
        space = self._spaces.get(pid)
        return data if space is None else _concealed(space, address, data)

    # --- hits ---------------------------------------------------------------------------------------------------

    def hit(self, thread: Thread, tracer: Tracer) -> bool:
        """A thread stopped by SIGTRAP: whether one of these was the reason. If so, it may go on."""
        space = self._spaces.get(thread.process.pid)
        data = ptrace.read_registers(thread.tid) if space is not None else None
        if space is None or data is None:
            return False
        address = int.from_bytes(data[_RIP_AT : _RIP_AT + 8], "little") - 1
        breakpoint_ = space.breakpoints.get(address)
        if breakpoint_ is None:
            if address not in space.removed or space.read(address, 1) == BREAKPOINT:
                return False
            thread.trapped = data
            ptrace.write_registers(thread.tid, _moved(data, address))
            return True
        thread.trapped = data
        data = _moved(data, address)
        registers = _Words.from_buffer_copy(data)
        if breakpoint_.is_loader and space.loader is not None and space.read(space.loader.state, 4) == bytes(4):
            self.insert(thread.process)
        if breakpoint_.is_return:
            self._returned(space, thread, registers, data)
        for point in breakpoint_.entries:
            self._fire(point, thread, data)
        for point in breakpoint_.returns:
            self._await_return(space, thread, registers, point)
        memory = thread.process.memory  # by process_vm_writev(2), which minds the protection of pages
        if breakpoint_.carry_out is not None and breakpoint_.carry_out(registers, memory.write, memory.read):
            ptrace.write_registers(thread.tid, bytes(registers))
        else:
            ptrace.write_registers(thread.tid, data)
            self._step(space, thread, breakpoint_, tracer)
        return True

    def _await_return(self, space: _Space, thread: Thread, registers: Registers, point: Uprobe) -> None:
        word = space.read(registers[RSP], 8)
        target = int.from_bytes(word, "little")
        planted = self._plant(space, target) if len(word) == 8 else None
        if planted is None:
            return
        planted.is_return = True
        space.pending.setdefault(thread.tid, []).append((registers[RSP] + 8, target, point))

    def _returned(self, space: _Space, thread: Thread, registers: Registers, data: bytes) -> None:
        """Fire what waits for a return to here with this stack; forget calls that were left by longjmp(3)."""
        waiting = space.pending.get(thread.tid)
        if not waiting:
            return
        stack = registers[RSP]
        due = [point for at, target, point in waiting if at == stack and target == registers[RIP]]
        waiting[:] = [entry for entry in waiting if entry[0] > stack]
        for point in due:
            self._fire(point, thread, data)

    def _step(self, space: _Space, thread: Thread, breakpoint_: _Breakpoint, tracer: Tracer) -> None:
        """Step over the instruction in place: the original byte is there while only this thread runs."""
        sharing = [process for process in tracer.processes.values() if self._spaces.get(process.pid) is space]
        with tracer.stepper.others_stopped(thread, sharing):
            space.write(breakpoint_.address, breakpoint_.original)
            tracer.stepper.step(thread)
            if thread.tid in tracer.threads and breakpoint_.address in space.breakpoints:
                space.write(breakpoint_.address, BREAKPOINT)


def _moved(registers: bytes, address: int) -> bytes:
    """Registers whose instruction pointer is at an address."""
    return registers[:_RIP_AT] + address.to_bytes(8, "little") + registers[_RIP_AT + 8 :]


def _concealed(space: _Space, address: int, data: bytes) -> bytes:
    found = space.breakpoints
    if not found:
        return data
    if len(found) < len(data):
        inside = [at for at in found if address <= at < address + len(data)]
    else:
        inside = [at for at in range(address, address + len(data)) if at in found]
    if not inside:
        return data
    patched = bytearray(data)
    for at in inside:
        patched[at - address : at - address + 1] = found[at].original
    return bytes(patched)


def _mappings_of(path: str, maps: Iterable[Mapping]) -> list[Mapping]:
    """The executable mappings of a file, by its inode: the device numbers of some file systems differ."""
    try:
        inode = os.stat(path).st_ino
    except OSError:
        return []
    name = os.path.basename(path)
    return [m for m in maps if m.inode == inode and os.path.basename(m.path).startswith(name.split(" ")[0])]


def _all_mappings(pid: int, path: str) -> list[Mapping]:
    """All mappings of a file, data too, where semaphores lie."""
    found = []
    try:
        inode = os.stat(path).st_ino
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as stream:
            for line in stream:
                words = line.split(None, 5)
                if len(words) > 5 and int(words[4]) == inode and "w" in words[1]:
                    start, _, end = words[0].partition("-")
                    found.append(Mapping(int(start, 16), int(end, 16), int(words[2], 16), (0, 0), inode, words[5]))
    except OSError:
        return []
    return found
