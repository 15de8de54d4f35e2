"""The process engine: firings of a typed program from the stops of traced processes.

    engine = ProcessEngine(program, types, merge)
    engine.spawn("ls /")                held before its first instruction; or engine.attach(4711)
    engine.begin(); engine.enable()
    engine.run()                        until the next alarm or signal; engine.target_ended tells the end
    engine.disable(); engine.end(); engine.close()

It carries out what concerns the traced processes: system calls, processes and threads, signals, samples, breakpoints.
The rest is refused when the engine is made, each with its reason.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence

from invivo.engines.base import Losses
from invivo.engines.process.breakpoints import Breakpoints
from invivo.engines.process.objects import KernelObjects, needs_kernel
from invivo.engines.process.pins import Pins
from invivo.engines.process.tracer import Process, Thread, Tracer
from invivo.engines.process.unwind import unwind
from invivo.engines.process.world import Facts, OwnWorld, ThreadWorld
from invivo.engines.reference import ReferenceEngine, World
from invivo.errors import TargetError
from invivo.linux import procfs, ptrace, seccomp, spawn
from invivo.linux.alarm import Alarm
from invivo.linux.guardian import PatchTable
from invivo.linux.perf_records import Executed
from invivo.linux.ptrace import PTRACE_CONT, PTRACE_SYSCALL
from invivo.linux.spawn import Target
from invivo.program.attach import AttachPoint, BtfTracepoint, Once, PerfClock, RawTracepoint, Timer, Tracepoint, Uprobe
from invivo.program.plan import ClauseInfo, Plan
from invivo.program.shared import Globals
from invivo.symbols.normalize import AddressSpaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.base import Merge
    from invivo.program.clauses import Program
    from invivo.program.sources import TypeSource

__all__ = ["ProcessEngine"]

_ENTER, _EXIT = RawTracepoint("sys_enter"), RawTracepoint("sys_exit")
_FORK, _EXEC, _END = (RawTracepoint(f"sched_process_{what}") for what in ("fork", "exec", "exit"))
_KNOWN = frozenset((_ENTER, _EXIT, _FORK, _EXEC, _END))

_MOST_CALLS = 1024  # system calls have smaller numbers
_NATIVE_CS = 0x33
_SWITCH_NS = 100_000_000


def _why_not(point: AttachPoint) -> tuple[str, str] | None:
    """(what, why) of a place that only the kernel engine reaches; None for the others."""
    match point:
        case Tracepoint(category, name, _):
            return f"the tracepoint {category}:{name}", "it lies inside the kernel, which a process cannot look into"
        case (RawTracepoint(name) | BtfTracepoint(name, _)) if point not in _KNOWN:
            return f"the tracepoint {name}", "it lies inside the kernel, which a process cannot look into"
    return None


class _Due:
    """When a timer or a sample is due."""

    __slots__ = ("at_ns", "interval_ns", "point")

    def __init__(self, point: AttachPoint, interval_ns: int) -> None:
        self.point = point
        self.interval_ns = interval_ns
        self.at_ns = 0


class ProcessEngine:
    """See the module's text. `merge` receives aggregations, as ReferenceEngine's."""

    def __init__(
        self, program: Program, types: TypeSource, merge: Merge, patches: PatchTable | None = None
    ) -> None:
        self._objects = KernelObjects(types)
        self.facts = Facts(self._objects)
        self._own = OwnWorld(self.facts)
        self._reference = ReferenceEngine(program, self._own, merge)
        self._tracer = Tracer(self)
        self._points = frozenset(self._reference.points)
        for point in self._reference.points:
            if (reason := _why_not(point)) is not None:
                raise needs_kernel(*reason)
        self._timers = [_Due(point, point.interval_ns) for point in self._points if isinstance(point, Timer)]
        self._clocks = [_Due(point, point.period_ns) for point in self._points if isinstance(point, PerfClock)]
        self._alarm: Alarm | None = None
        self._entries = self._wanted(_ENTER)
        self._returns = self._wanted(_EXIT)
        self._has_filter = False
        self._patches = patches or PatchTable()
        self._pins = Pins(self._patches)
        self._target: Target | None = None
        self._breakpoints = Breakpoints(
            [point for point in self._points if isinstance(point, Uprobe)], self._patches, self._hit
        )
        if self._breakpoints:
            self.facts.conceal = self._breakpoints.conceal
        self._sampled: dict[int, list[AttachPoint]] = {}
        self.spaces = AddressSpaces()  # for names of addresses, when their processes have ended
        self.facts.unwind = self._unwind
        self._is_enabled = False
        self._failure: Exception | None = None
        self._tracer.wants = lambda number: number in self._entries or number in self._returns

    # --- what is wanted -----------------------------------------------------------------------------------------

    def _wanted(self, point: RawTracepoint) -> frozenset[int]:
        """The numbers of the system calls at which something may fire. What a guard tests is not known, so it is tried
        with all numbers and the results that such guards tell apart."""
        if point not in self._points:
            return frozenset()
        world = _Trial(self.facts)
        found = set()
        for number in range(_MOST_CALLS):
            for result in (0, -1, 1) if point is _EXIT else (number,):
                world.set(number, result)
                if self._reference.may_fire(point, world):
                    found.add(number)
                    break
        return frozenset(found)

    @property
    def needs_target(self) -> bool:
        """Whether something can only fire in a traced process."""
        return any(not isinstance(point, Once | Timer) for point in self._points)

    @property
    def plan(self) -> Plan:
        """How records and aggregations look; no code is in it."""
        return self._reference.plan

    def describe(self, text: str, warnings: tuple[str, ...], clauses: tuple[ClauseInfo, ...]) -> None:
        """Set what the plan says of the program's text."""
        self._reference.plan = self._reference.plan._replace(text=text, warnings=warnings, clauses=clauses)

    def choice(self, is_asked: bool) -> str:
        """One line that says how this is traced, and why."""
        why = "asked for" if is_asked else "this user may not load BPF programs"
        line = f"invivo: process engine ({why}): traced by ptrace(2), one's own processes only"
        if self._pins.cpu is None:
            return line
        return f"{line}; on CPU {self._pins.cpu} together with invivo, which is faster (--no-pin)"

    # --- targets ------------------------------------------------------------------------------------------------

    def attach(self, pid: int, *, is_pinned: bool) -> None:
        """Trace a process that runs, with all its threads; they stop until enable().

        Args:
            pid: The process.
            is_pinned: Let it share a CPU with this thread, if it has one thread only.

        Raises:
            InvivoError: It cannot be traced; the message says what to do.
        """
        if _is_32_bit(pid):
            raise TargetError(
                f"process {pid} runs a 32-bit program; its system calls and registers the process engine does not know",
                "trace it by the kernel engine, as root",
            )
        self.set_target(pid)
        self._tracer.attach(pid)
        if is_pinned and len(self._tracer.threads) == 1:
            self._pins.pin([pid])
            self._use_pins()

    def spawn(self, command: Sequence[str] | str, *, has_filter: bool, is_pinned: bool) -> Target:
        """Start a command and hold it before its first instruction, until enable(). It is killed if this process is.

        Args:
            command: As spawn.spawn takes it.
            has_filter: Put it under a seccomp filter, so that only the system calls that matter stop: see `mind`.
            is_pinned: Let it, and all that it starts, share a CPU with this thread.
        """
        if is_pinned:
            self._pins.pin([])
            self._use_pins()
        numbers = self._entries | self._returns
        prepare: Callable[[], object] | None = None
        options = ptrace.OPTIONS | ptrace.OPTION_EXITKILL
        if has_filter and numbers:
            code = seccomp.trace_filter(numbers)
            prepare = lambda: seccomp.install(code) or os._exit(126)  # noqa: E731
            self._has_filter = True
        target = spawn.spawn(command, self.set_target, prepare=prepare, options=options, is_kept=True)
        self._target = target
        self._tracer.adopt(target.pid, options)
        return target

    def take(self, target: Target, *, is_pinned: bool) -> None:
        """Take over a command that hold.hold() holds."""
        self.set_target(target.pid)
        self._target = target
        self._tracer.adopt(target.pid, ptrace.OPTIONS | ptrace.OPTION_EXITKILL)
        if is_pinned:
            self._pins.pin([target.pid])
            self._use_pins()

    def _use_pins(self) -> None:
        """What a pinned thread asks about its CPUs is answered as if it were not."""
        self.facts.is_pinned = self._pins.cpu is not None
        if self.facts.is_pinned:
            self._returns |= self._pins.calls

    def set_target(self, pid: int) -> None:
        """Set `$target`."""
        self.facts.constants[Globals.TARGET] = pid

    @property
    def target_ended(self) -> bool:
        """Whether the process asked about has ended; its wait status is kept in the spawn's Target."""
        pid = self.facts.constants[Globals.TARGET]
        return bool(pid) and (pid in self._tracer.statuses or pid not in self._tracer.processes)

    # --- life ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run BEGIN's clauses."""
        self._reference.begin()

    def enable(self) -> None:
        """Let all other probes fire, and the traced processes go on."""
        self._reference.enable()
        self._is_enabled = True
        now = time.monotonic_ns()
        for due in (*self._timers, *self._clocks):
            due.at_ns = now + due.interval_ns
        for process in self.processes():
            self._breakpoints.insert(process)
        self._alarm = self._alarm or Alarm(self._interval())
        self._tracer.start(self._mode())

    def _mode(self) -> int:
        return PTRACE_SYSCALL if (self._entries or self._returns) and not self._has_filter else PTRACE_CONT

    def _interval(self) -> int:
        """How often run() has to look at the clock."""
        shortest = min((due.interval_ns for due in (*self._timers, *self._clocks)), default=_SWITCH_NS)
        switch = int(self.plan.options.get("switchrate", _SWITCH_NS))
        return max(min(shortest, switch, _SWITCH_NS), 1_000_000)

    def run(self) -> None:
        """Handle what happens, until the next alarm, signal or exit()."""
        if self._tracer.threads:
            self._tracer.run()
            self._take_status()
            if self._failure is not None:
                raise self._failure
        else:
            time.sleep(self._until_due_s())
        self._tick()

    def _until_due_s(self) -> float:
        now = time.monotonic_ns()
        first = min((due.at_ns for due in self._timers), default=now + _SWITCH_NS)
        return min(max(first - now, 0), _SWITCH_NS) / 1e9

    def _tick(self) -> None:
        now = time.monotonic_ns()
        for due in self._timers:
            while due.at_ns <= now:
                self._reference.fire(due.point, self._own)
                due.at_ns += due.interval_ns
        for due in self._clocks:
            if due.at_ns <= now and self._is_enabled:
                # A sample that was missed while the last was taken is not made up for: it would be the same stack.
                due.at_ns += ((now - due.at_ns) // due.interval_ns + 1) * due.interval_ns
                self._sample(due.point)

    def _sample(self, point: AttachPoint) -> None:
        """Stop each thread that runs, or would if this one did not, for as long as its firing takes."""
        for thread in list(self._tracer.threads.values()):
            if procfs.state(thread.tid) == "R":
                self._sampled.setdefault(thread.tid, []).append(point)
                ptrace.interrupt(thread.tid)

    def _take_status(self) -> None:
        if self._target is not None and (status := self._tracer.statuses.get(self._target.pid)) is not None:
            self._target.ended(status)

    def disable(self) -> None:
        """No probe but END fires any more."""
        self._is_enabled = False
        self._reference.disable()

    def end(self) -> None:
        """Run END's clauses."""
        self._reference.end()

    def close(self) -> None:
        """Let everything go: processes run on by themselves. Those under a filter wait for mind(). May be called
        twice."""
        self.disable()
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
        self._breakpoints.remove_all()
        self._pins.unpin(self._tracer.threads)
        if not self._has_filter:
            self._tracer.detach()
        self._take_status()
        self._reference.close()

    def mind(self) -> None:
        """Stay with processes that are under a filter until the last has ended: without a tracer, the system calls that
        stop would fail."""
        self._tracer.start(PTRACE_CONT)
        while self._tracer.threads and self._tracer.run():
            pass
        self._take_status()

    # --- results ------------------------------------------------------------------------------------------------

    @property
    def exit_code(self) -> int | None:
        """What exit() was given, or None if none was called."""
        return self._reference.exit_code

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand all records so far to `sink`; returns the bytes read."""
        return self._reference.read(sink)

    def refresh(self) -> None:
        """Merge all aggregations as they stand."""
        self._reference.refresh()

    def stack(self, identity: int) -> Sequence[int]:
        """Addresses of a stack, innermost first."""
        return self._reference.stack(identity)

    def losses(self) -> Losses:
        """What could not be kept."""
        return self._reference.losses()

    def missed_runs(self) -> int:
        """None: a stop waits until it is handled."""
        return 0

    # --- hooks of the tracer ------------------------------------------------------------------------------------

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
            self._carry_out(point, None, world)

    def _carry_out(self, point: AttachPoint, number: int | None, world: World) -> None:
        """Fire; whatever goes wrong is raised by run(), when the thread goes on."""
        reference = self._reference
        try:
            if number is None:
                reference.fire(point, world)
            else:
                reference.fire_selected(point, number, world)
        except Exception as error:
            self._failure = self._failure or error
            reference.disable()
            self._tracer.should_stop = True
        if reference.exit_code is not None:
            self._tracer.should_stop = True

    def entered(self, thread: Thread, registers: bytes) -> bool:
        number = thread.number
        if number in self._entries and registers[136] == _NATIVE_CS:
            world = self._world(thread)
            world.words, world.registers = (Facts.REGISTERS, number), registers
            self._carry_out(_ENTER, number, world)
        return self._is_enabled and number in self._returns

    def returned(self, thread: Thread, registers: bytes) -> None:
        number = int.from_bytes(registers[120:128], "little")
        if number in self._pins.calls:
            self._pins.returned(thread.tid, number, registers)
        if number in self._returns and registers[136] == _NATIVE_CS:
            world = self._world(thread)
            result = int.from_bytes(registers[80:88], "little")
            world.words, world.registers = (Facts.REGISTERS, result), registers
            self._carry_out(_EXIT, number, world)

    def forked(self, thread: Thread, child: Thread) -> None:
        if child.process is not thread.process:
            self._breakpoints.forked(thread.process, child.process, _shares_memory(thread, child.call))
        self._fire(_FORK, thread, self._objects.task(thread.tid), self._objects.task(child.tid))

    def born(self, thread: Thread) -> None:
        """In the new thread its fork or clone returns 0, which ptrace does not report."""
        if _EXIT in self._points and (registers := ptrace.read_registers(thread.tid)) is not None:
            self.returned(thread, registers)

    def executed(self, thread: Thread, former: int) -> None:
        if isinstance(thread.extra, ThreadWorld):
            thread.extra.close()
        thread.extra = None
        self._breakpoints.forget(thread.process.pid)
        self.spaces.apply(Executed(thread.process.pid, time.monotonic_ns()))
        if self._is_enabled:
            self._breakpoints.insert(thread.process)
        self._fire(_EXEC, thread, self._objects.task(thread.tid), former, 0)

    def exiting(self, thread: Thread, status: int) -> None:
        self._objects.exit_codes[thread.tid] = status
        others = [other for other in thread.process.threads.values() if other is not thread]
        self._fire(_END, thread, self._objects.task(thread.tid), int(not others))

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
        return number

    def _hit(self, point: Uprobe, thread: Thread, registers: bytes) -> None:
        world = self._world(thread)
        world.words, world.registers = (), registers
        self._carry_out(point, None, world)

    def _unwind(self, thread: Thread, registers: bytes, frames: int) -> Sequence[int]:
        found = unwind(thread, registers, frames)
        space = self.spaces.watch(thread.process.pid)
        if any(space.find(address) is None for address in found):
            space.read()
        return found

    def interrupted(self, thread: Thread) -> None:
        points = self._sampled.pop(thread.tid, ())
        if points and (registers := ptrace.read_registers(thread.tid)) is not None:
            world = self._world(thread)
            world.words, world.registers = (), registers
            for point in points:
                self._carry_out(point, None, world)

    def processes(self) -> list[Process]:
        """The processes that are traced now."""
        return list(self._tracer.processes.values())


_CLONE_VM = 0x100


def _is_32_bit(pid: int) -> bool:
    """Whether the program that a process runs is of the 32-bit class, by its ELF header."""
    try:
        with open(f"/proc/{pid}/exe", "rb") as stream:
            return stream.read(5)[4:] == b"\x01"
    except OSError:
        return False  # attaching will tell why


def _shares_memory(thread: Thread, call: int) -> bool:
    """Whether the process that a call of this thread makes has its memory (vfork, some clones), not a copy."""
    if call not in (56, 435):  # clone, clone3
        return call == 58  # vfork
    registers = ptrace.read_registers(thread.tid) or bytes(ptrace.REGISTERS_SIZE)
    flags = int.from_bytes(registers[112:120], "little")
    if call == 435:
        flags = int.from_bytes(thread.process.memory.read(flags, 8), "little")
    return bool(flags & _CLONE_VM)


class _Trial(OwnWorld):
    """A system call that nobody makes, to ask guards about."""

    __slots__ = ()

    def set(self, number: int, result: int) -> None:
        registers = bytearray(ptrace.REGISTERS_SIZE)
        registers[120:128] = number.to_bytes(8, "little")
        registers[136] = _NATIVE_CS
        self.registers, self.words = bytes(registers), (Facts.REGISTERS, result & (1 << 64) - 1)
