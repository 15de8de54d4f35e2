"""The tracer's hooks: which stops become firings of which attach points, and what each sees.

System call stops are `sys_enter` and `sys_exit`; a fork, an exec, an end are `sched_process_*`; a signal is
`signal_generate` and `signal_deliver`; a breakpoint is an Uprobe; an interrupted thread is a sample.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from invivo.engines.process.calls import NATIVE_CS
from invivo.engines.process.evaluation import ENTER, EXIT
from invivo.engines.process.signals import HANDLED, SENT
from invivo.engines.process.threads import Thread
from invivo.engines.process.world import Facts, ThreadWorld
from invivo.linux import ptrace
from invivo.linux.perf_records import Executed
from invivo.program.attach import AttachPoint, RawTracepoint, Uprobe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.breakpoints import Breakpoints
    from invivo.engines.process.evaluation import Evaluation
    from invivo.engines.process.objects import KernelObjects
    from invivo.engines.process.pins import Pins
    from invivo.engines.process.signals import Signals
    from invivo.engines.process.tracer import Tracer
    from invivo.engines.reference import ReferenceEngine
    from invivo.symbols.normalize import AddressSpaces

__all__ = ["KNOWN", "Stops", "is_32_bit"]

_FORK, _EXEC, _END = (RawTracepoint(f"sched_process_{what}") for what in ("fork", "exec", "exit"))
KNOWN = frozenset((ENTER, EXIT, _FORK, _EXEC, _END, SENT, HANDLED))
_CLONE, _CLONE3, _VFORK = 56, 435, 58
_CLONE_VM = 0x100


class Stops:
    """What ProcessEngine is to its tracer; it sets all that is named here."""

    facts: Facts
    spaces: AddressSpaces
    _objects: KernelObjects
    _reference: ReferenceEngine
    _evaluation: Evaluation
    _tracer: Tracer
    _breakpoints: Breakpoints
    _signals: Signals
    _pins: Pins
    _points: frozenset[AttachPoint]
    _entries: frozenset[int]
    _returns: frozenset[int]
    _sampled: dict[int, list[AttachPoint]]
    _is_enabled: bool
    _has_told = False
    tell: Callable[[str], object]

    def _world(self, thread: Thread) -> ThreadWorld:
        world = thread.extra
        if world is None:
            world = thread.extra = ThreadWorld(thread, self.facts)
        assert isinstance(world, ThreadWorld)
        return world

    def _fire(self, point: RawTracepoint, thread: Thread, *words: int, registers: bytes = b"") -> None:
        if point in self._points:
            world = self._world(thread)
            world.words, world.registers = words, registers
            self._evaluation.fire(point, None, world)

    def entered(self, thread: Thread, registers: bytes) -> bool:
        number = thread.number
        if number in self._signals.calls and registers[136] == NATIVE_CS:
            self._signals.entered(thread, registers)
        if number in self._entries and registers[136] == NATIVE_CS:
            world = self._world(thread)
            world.words, world.registers = (Facts.REGISTERS, number), registers
            self._evaluation.fire(ENTER, number, world)
        return self._is_enabled and number in self._returns

    def returned(self, thread: Thread, registers: bytes) -> None:
        number = int.from_bytes(registers[120:128], "little")
        if number in self._pins.calls:
            self._pins.returned(thread.tid, number, registers)
        if number in self._signals.calls:
            self._signals.returned(thread, registers)
        if number in self._returns and registers[136] == NATIVE_CS:
            world = self._world(thread)
            result = int.from_bytes(registers[80:88], "little")
            world.words, world.registers = (Facts.REGISTERS, result), registers
            self._evaluation.fire(EXIT, number, world)

    def forked(self, thread: Thread, child: Thread) -> None:
        if child.process is not thread.process:
            self._breakpoints.forked(thread.process, child.process, _shares_memory(thread, child.call))
        self._fire(_FORK, thread, self._objects.task(thread.tid), self._objects.task(child.tid))

    def born(self, thread: Thread) -> None:
        """In the new thread its fork or clone returns 0, which ptrace does not report."""
        if EXIT in self._points and (registers := ptrace.read_registers(thread.tid)) is not None:
            self.returned(thread, registers)

    def executed(self, thread: Thread, former: int) -> None:
        if isinstance(thread.extra, ThreadWorld):
            thread.extra.close()
        thread.extra = None
        self._breakpoints.forget(thread.process.pid)
        self.spaces.apply(Executed(thread.process.pid, time.monotonic_ns()))
        if self._is_enabled:
            self._breakpoints.insert(thread.process)
        self._check_class(thread.process.pid)
        self._fire(_EXEC, thread, self._objects.task(thread.tid), former, 0)

    def _check_class(self, pid: int) -> None:
        """Tell once that a 32-bit program runs unseen."""
        if not self._has_told and (self._entries or self._returns or self._breakpoints) and is_32_bit(pid):
            self._has_told = True
            self.tell(
                f"invivo: process {pid} runs a 32-bit program: its system calls and functions are not traced "
                "(the kernel engine, as root, sees them); this is said once"
            )

    def exiting(self, thread: Thread, status: int) -> None:
        self._objects.exit_codes[thread.tid] = status
        others = [other for other in thread.process.threads.values() if other is not thread]
        self._fire(_END, thread, self._objects.task(thread.tid), int(not others))
        if not others and thread.process.parent:
            self._signals.child_ended(thread, thread.process.parent)

    def gone(self, thread: Thread) -> None:
        if isinstance(thread.extra, ThreadWorld):
            thread.extra.close()
        self._sampled.pop(thread.tid, None)
        if not thread.process.threads:
            self._breakpoints.forget(thread.process.pid)
        self._reference.thread_ended(thread.tid)

    def signalled(self, thread: Thread, number: int) -> int:
        if number == signal.SIGTRAP and self._breakpoints and self._breakpoints.hit(thread, self._tracer):
            return 0
        return self._signals.delivered(thread, number, self._tracer) if self._signals and self._is_enabled else number

    def _hit(self, point: Uprobe, thread: Thread, registers: bytes) -> None:
        world = self._world(thread)
        world.words, world.registers = (), registers
        self._evaluation.hit(point, world)

    def interrupted(self, thread: Thread) -> None:
        points = self._sampled.pop(thread.tid, ())
        if points and (registers := ptrace.read_registers(thread.tid)) is not None:
            world = self._world(thread)
            world.words, world.registers = (), registers
            for point in points:
                self._evaluation.fire(point, None, world)


def _shares_memory(thread: Thread, call: int) -> bool:
    """Whether the process that a call of this thread makes has its memory (vfork, some clones), not a copy."""
    if call not in (_CLONE, _CLONE3):
        return call == _VFORK
    registers = ptrace.read_registers(thread.tid) or bytes(ptrace.REGISTERS_SIZE)
    flags = int.from_bytes(registers[112:120], "little")
    if call == _CLONE3:
        flags = int.from_bytes(thread.process.memory.read(flags, 8), "little")
    return bool(flags & _CLONE_VM)


def is_32_bit(pid: int) -> bool:
    """Whether the program that a process runs is of the 32-bit class, by its ELF header."""
    try:
        with open(f"/proc/{pid}/exe", "rb") as stream:
            return stream.read(5)[4:] == b"\x01"
    except OSError:
        return False  # attaching will tell why
