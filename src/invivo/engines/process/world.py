"""What a firing sees of a traced thread: /proc, its memory, its registers, and the words of the event.

    world = ThreadWorld(thread, facts)
    world.registers, world.words = registers, (facts.REGISTERS, 257)      set by the engine before each firing
    world.read(Space.USER, 0x7ffc..., 64)                                 by process_vm_readv(2)
    world.read(Space.KERNEL, facts.REGISTERS + 112, 8)                    struct pt_regs, from the registers

Ids that a thread may change (its name, its users) are read anew for each firing that asks.
"""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable, Sequence

from invivo.engines.process.native.record_ir import RECIPE_COMM, RECIPE_STRING
from invivo.engines.process.native.records import Record
from invivo.engines.process.objects import KernelObjects
from invivo.engines.reference.world import World
from invivo.linux import clock, procfs, ptrace
from invivo.linux import cpu as machine
from invivo.program.shared import Globals
from invivo.program.types import Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.tracer import Thread

__all__ = ["Facts", "OwnWorld", "RecordWorld", "ThreadWorld"]


class Facts:
    """What all worlds of a run share. `unwind(thread, registers, frames)` gives addresses, innermost first;
    `conceal(pid, address, data)` puts back the bytes that breakpoints stand on."""

    __slots__ = ("conceal", "constants", "cpu", "objects", "unwind")

    # Where the registers, as struct pt_regs, seem to lie in the kernel's memory.
    REGISTERS = 0xFFFF_C8FF_0000_0000

    def __init__(self, objects: KernelObjects) -> None:
        self.objects = objects
        self.constants = {
            Globals.TARGET: 0,
            Globals.TRACER_PID: os.getpid(),
            Globals.WALL_OFFSET_NS: clock.wall_offset_ns(),
        }
        self.cpu = -1  # which one the traced threads are pinned to, or -1
        self.unwind: Callable[[Thread, bytes, int], Sequence[int]] = lambda thread, registers, frames: ()
        self.conceal: Callable[[int, int, bytes], bytes] | None = None


class _Common(World):
    """What does not depend on the thread."""

    facts: Facts
    registers = b""
    words: tuple[int, ...] = ()

    @property
    def timestamp(self) -> int:
        return time.monotonic_ns()

    @property
    def kernel_pc(self) -> int:
        return 0

    def random(self) -> int:
        return random.getrandbits(32)

    @property
    def user_registers(self) -> int:
        return Facts.REGISTERS if self.registers else 0

    def cpu_chip(self, cpu: int) -> int:
        chips = machine.packages()
        return chips[cpu] if 0 <= cpu < len(chips) else 0

    def cpu_lgrp(self, cpu: int) -> int:
        nodes = machine.memory_nodes()
        return nodes[cpu] if 0 <= cpu < len(nodes) else 0

    def write(self, address: int, data: bytes) -> bool:
        return ptrace.ProcessMemory(self.pid_tgid >> 32).write(address, data)

    def send_signal(self, signal: int) -> int:
        try:
            os.kill(self.pid_tgid >> 32, signal)
        except OSError as error:
            return error.errno or errno.EPERM
        return 0

    def pass_time(self, nanoseconds: int) -> None:
        time.sleep(nanoseconds / 1e9)

    def constant(self, offset: int) -> int:
        return self.facts.constants.get(offset, 0)

    def context_word(self, index: int) -> int:
        words = self.words
        return words[index] if index < len(words) else 0

    def context_address(self) -> int:
        return Facts.REGISTERS

    def kernel(self, address: int, size: int) -> bytes | None:
        """Made-up kernel memory: the registers, and the structures that /proc can fill."""
        start = address - Facts.REGISTERS
        if start >= 0 and start + size <= len(self.registers):
            return self.registers[start : start + size]
        return self.facts.objects.read(address, size)


class ThreadWorld(_Common):
    """A thread that is stopped, and what it stopped for."""

    __slots__ = ("_comm_fd", "_cpu_fd", "_ids", "facts", "memory", "registers", "thread", "words")

    def __init__(self, thread: Thread, facts: Facts) -> None:
        self.thread = thread
        self.facts = facts
        self._ids = thread.process.pid << 32 | thread.tid
        self.memory = thread.process.memory
        self._comm_fd = -1
        self._cpu_fd = -1

    def close(self) -> None:
        """Close what was opened."""
        for fd in (self._comm_fd, self._cpu_fd):
            if fd >= 0:
                os.close(fd)
        self._comm_fd = self._cpu_fd = -1

    @property
    def pid_tgid(self) -> int:
        return self._ids

    @property
    def comm(self) -> bytes:
        try:
            if self._comm_fd < 0:
                self._comm_fd = os.open(f"/proc/{self.thread.tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._comm_fd, 17, 0)[:-1]
        except OSError:
            return b""

    @property
    def uid_gid(self) -> int:
        status = procfs.status(self.thread.tid)
        uid, gid = (int((status.get(name, "0").split() or ["0"])[0]) for name in ("Uid", "Gid"))
        return gid << 32 | uid

    @property
    def cpu(self) -> int:
        if self.facts.cpu >= 0:
            return self.facts.cpu
        try:
            if self._cpu_fd < 0:
                self._cpu_fd = os.open(f"/proc/{self.thread.tid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._cpu_fd, 1024, 0)
            return int(data[data.rfind(b")") + 1 :].split()[36])
        except (OSError, IndexError):
            return 0

    @property
    def current_task(self) -> int:
        return self.facts.objects.task(self.thread.tid)

    @property
    def current_cgroup(self) -> int:
        return procfs.cgroup_id(self.thread.tid)

    @property
    def user_pc(self) -> int:
        return int.from_bytes(self.registers[128:136], "little")

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        if space is not Space.USER:
            return self.kernel(address, size)
        data = self.memory.read(address, size)
        if len(data) != size:
            return None
        conceal = self.facts.conceal
        return data if conceal is None else conceal(self.thread.process.pid, address, data)

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        if space is not Space.USER:
            return _string_of(self.kernel, address, limit)
        return self.memory.read_string(address, limit)

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        if not is_user:
            return ()
        return self.facts.unwind(self.thread, self.registers, frames)


class RecordWorld(_Common):
    """A thread as it was at a stop that was written down."""

    __slots__ = ("_registers", "facts", "record", "words")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.show(Record(0, 0, 0, 0, 0, b"", ()))
        self.words = ()

    def show(self, record: Record) -> None:
        """Be the world of this record."""
        self.record = record
        self._registers = b""

    @property
    def registers(self) -> bytes:  # type: ignore[override]
        """As read_registers() gives them, made when first asked for."""
        if not self._registers:
            self._registers = self.record.registers
        return self._registers

    @property
    def pid_tgid(self) -> int:
        return self.record.pid << 32 | self.record.tid

    @property
    def timestamp(self) -> int:
        return self.record.time_ns

    @property
    def comm(self) -> bytes:
        for piece in self.record.pieces:
            if piece.kind == RECIPE_COMM:
                return (piece.data or b"").rstrip(b"\n")
        return b""

    @property
    def uid_gid(self) -> int:
        raise AssertionError("it takes the stopped thread")

    @property
    def current_task(self) -> int:
        raise AssertionError("it takes the stopped thread")

    @property
    def current_cgroup(self) -> int:
        raise AssertionError("it takes the stopped thread")

    @property
    def cpu(self) -> int:
        return self.facts.cpu

    @property
    def user_pc(self) -> int:
        return int.from_bytes(self.registers[128:136], "little")

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        if space is not Space.USER:
            return self.kernel(address, size)
        for piece in self.record.pieces:
            data = piece.data if piece.kind != RECIPE_COMM else None
            if data is not None and piece.address <= address and address + size <= piece.address + len(data):
                return self._concealed(address, data[address - piece.address : address - piece.address + size])
        return None

    def _concealed(self, address: int, data: bytes) -> bytes:
        conceal = self.facts.conceal
        return data if conceal is None else conceal(self.record.pid, address, data)

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        if space is not Space.USER:
            return _string_of(self.kernel, address, limit)
        for piece in self.record.pieces:
            if piece.address == address and piece.kind == RECIPE_STRING and piece.limit >= limit:
                return None if piece.data is None else piece.data[:limit]
        return None

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        return ()


class OwnWorld(_Common):
    """This process, in which BEGIN, END and ticks run."""

    __slots__ = ("_memory", "facts", "registers", "words")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._memory = ptrace.ProcessMemory(os.getpid())
        self.registers = b""
        self.words = ()

    @property
    def pid_tgid(self) -> int:
        import threading

        return os.getpid() << 32 | threading.get_native_id()

    @property
    def uid_gid(self) -> int:
        return os.getgid() << 32 | os.getuid()

    @property
    def comm(self) -> bytes:
        return (procfs.comm(os.getpid()) or "").encode("utf-8", "surrogateescape")

    @property
    def cpu(self) -> int:
        return int(ptrace.cpu_of_caller())

    @property
    def current_task(self) -> int:
        return self.facts.objects.task(self.pid_tgid & 0xFFFFFFFF)

    @property
    def current_cgroup(self) -> int:
        return procfs.cgroup_id(os.getpid())

    @property
    def user_pc(self) -> int:
        return 0

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        if space is not Space.USER:
            return self.kernel(address, size)
        data = self._memory.read(address, size)
        return data if len(data) == size else None

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        if space is not Space.USER:
            return _string_of(self.kernel, address, limit)
        return self._memory.read_string(address, limit)

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        return ()


def _string_of(read: Callable[[int, int], bytes | None], address: int, limit: int) -> bytes | None:
    """A string in made-up memory, byte by byte."""
    text = b""
    while len(text) < limit:
        byte = read(address + len(text), 1)
        if byte is None:
            return None
        if byte == b"\0":
            break
        text += byte
    return text
