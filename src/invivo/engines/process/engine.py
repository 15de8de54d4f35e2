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

import signal
import time
from collections.abc import Callable, Sequence

from invivo.engines.base import Losses
from invivo.engines.process.breakpoints import Breakpoints
from invivo.engines.process.calls import Calls
from invivo.engines.process.clocks import LONGEST_NS, Clocks
from invivo.engines.process.evaluation import Evaluation
from invivo.engines.process.hold import spawn_filtered
from invivo.engines.process.late import LateBreakpoints
from invivo.engines.process.objects import KernelObjects, needs_kernel
from invivo.engines.process.pins import Pins
from invivo.engines.process.recording import has_kernel_stacks, has_stacks
from invivo.engines.process.signals import Signals
from invivo.engines.process.stops import KNOWN, Stops, is_32_bit
from invivo.engines.process.threads import Process
from invivo.engines.process.tracer import Tracer
from invivo.engines.process.unwind import Unwinder
from invivo.engines.process.world import Facts, OwnWorld
from invivo.engines.reference import ReferenceEngine
from invivo.errors import TargetError
from invivo.linux import procfs, ptrace, spawn
from invivo.linux.alarm import Alarm
from invivo.linux.guardian import Guardian, PatchTable
from invivo.linux.ptrace import PTRACE_CONT, PTRACE_SYSCALL
from invivo.linux.quiet_stops import QuietStops
from invivo.linux.spawn import Target
from invivo.program.attach import AttachPoint, BtfTracepoint, Once, RawTracepoint, Timer, Tracepoint, Uprobe
from invivo.program.passes.units import Firing
from invivo.program.plan import ClauseInfo, Plan, ProbeInfo
from invivo.program.shared import Globals
from invivo.symbols.normalize import AddressSpaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.base import Merge
    from invivo.engines.process.native.capture import Capture
    from invivo.program.clauses import Program
    from invivo.program.sources import TypeSource

__all__ = ["ProcessEngine"]

_PATIENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

def _why_not(point: AttachPoint) -> tuple[str, str] | None:
    """(what, why) of a place that only the kernel engine reaches; None for the others."""
    match point:
        case Tracepoint(category, name, _):
            return f"the tracepoint {category}:{name}", "it lies inside the kernel, which a process cannot look into"
        case (RawTracepoint(name) | BtfTracepoint(name, _)) if point not in KNOWN:
            return f"the tracepoint {name}", "it lies inside the kernel, which a process cannot look into"
    return None


class ProcessEngine(Stops):
    """See the module's text. `merge` receives aggregations, as ReferenceEngine's; `tell` what the user should know."""

    def __init__(
        self, program: Program, types: TypeSource, merge: Merge, patches: PatchTable | None = None,
        known_files: Sequence[str] = (), globs: Sequence[str] = (),
    ) -> None:
        """`known_files` have been looked at for probes; `globs` are descriptions of others that cannot have any."""
        self._objects = KernelObjects(types)
        self.facts = Facts(self._objects)
        self._own = OwnWorld(self.facts)
        self._reference = ReferenceEngine(program, self._own, merge)
        self._points = frozenset(self._reference.points)
        for point in self._reference.points:
            if (reason := _why_not(point)) is not None:
                raise needs_kernel(*reason)
        self._evaluation = Evaluation(self._reference, self.facts, self._stop)
        self._clocks = Clocks(self._points)
        self._alarm: Alarm | None = None
        self._quiet: QuietStops | None = None
        self._calls = Calls(self._reference, self.facts)
        self._entries, self._returns = self._calls.entries, self._calls.returns
        self._signals = Signals(self._points, self._objects, self._fire)
        self._entries |= self._signals.calls
        self._returns |= self._signals.calls
        self._has_filter = False
        self._has_guardian = patches is not None
        self._guardian: Guardian | None = None
        self._patches = patches or PatchTable()
        self._pins = Pins(self._patches)
        self._target: Target | None = None
        self._late = None
        if program.late or globs:
            self._late = LateBreakpoints(program, known_files, self._add_probe, globs)
        self._breakpoints = Breakpoints(
            [point for point in self._points if isinstance(point, Uprobe)], self._patches, self._hit, self._late
        )
        if self._breakpoints:
            self.facts.conceal = self._breakpoints.conceal
        self._sampled: dict[int, list[AttachPoint]] = {}
        self.spaces = AddressSpaces()  # for names of addresses, when their processes have ended
        self._unwinder = Unwinder(self.spaces)
        self.facts.unwind = self._unwinder.stack
        self._has_stacks = has_stacks(program)
        self._has_kernel_stacks = has_kernel_stacks(program)
        self._is_enabled = False
        self.tell: Callable[[str], object] = lambda message: None
        self._capture: Capture | None = None
        self._tracer = Tracer(self)

    # --- what is wanted -----------------------------------------------------------------------------------------

    @property
    def needs_target(self) -> bool:
        """Whether something can only fire in a traced process."""
        return self._late is not None or any(not isinstance(point, Once | Timer) for point in self._points)

    def _add_probe(self, info: ProbeInfo, firing: Firing, points: tuple[Uprobe, ...]) -> None:
        """One more probe, in a file that was not there when the program was compiled."""
        self._evaluation.drain()
        with self._evaluation.lock:
            self._reference.add_probe(info, firing, points)

    def messages(self) -> list[str]:
        """What was left out, a sentence each: of files that were mapped later, and for want of breakpoints."""
        found = [f"invivo: {text}" for text in self._late.told] if self._late is not None else []
        if missed := len(self._breakpoints.missed):
            found.append(
                f"invivo: {missed} places got no breakpoint, and what was to fire there did not: "
                f"at most {self._patches.ROOM:,} are kept at a time; name fewer functions"
            )
        return found

    @property
    def plan(self) -> Plan:
        """How records and aggregations look; no code is in it."""
        return self._reference.plan

    def describe(self, text: str, warnings: tuple[str, ...], clauses: tuple[ClauseInfo, ...]) -> None:
        """Set what the plan says of the program's text."""
        self._reference.plan = self._reference.plan._replace(text=text, warnings=warnings, clauses=clauses)

    def choice(self, is_asked: bool) -> str:
        """One line that says how this is traced, why, and what is not seen."""
        why = "asked for" if is_asked else "this user may not load BPF programs"
        line = f"invivo: process engine ({why}): traced by ptrace(2), one's own processes only"
        if self._has_kernel_stacks:
            line += "; stack() and caller are empty: the kernel's frames need the kernel engine"
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
        if is_32_bit(pid):
            raise TargetError(
                f"process {pid} runs a 32-bit program; its system calls and registers the process engine does not know",
                "trace it by the kernel engine, as root",
            )
        self.set_target(pid)
        if is_pinned and len(procfs.threads(pid)) == 1:
            self._pins.pin([pid])
        self._make_tracer()
        if not self._has_guardian and (self._breakpoints or self._pins.cpu is not None):
            self._guardian = Guardian(self._patches)
        self._tracer.attach(pid)

    def spawn(self, command: Sequence[str] | str, *, has_filter: bool, is_pinned: bool) -> Target:
        """Start a command and hold it before its first instruction, until enable(). It is killed if this process is.

        Args:
            command: As spawn.spawn takes it.
            has_filter: Put it under a seccomp filter, so that only the system calls that matter stop: see `mind`.
            is_pinned: Let it, and all that it starts, share a CPU with this thread.
        """
        if is_pinned:
            self._pins.pin([])
        self._make_tracer()
        numbers = self._entries | self._returns
        options = ptrace.OPTIONS | ptrace.OPTION_EXITKILL
        self._has_filter = bool(has_filter and numbers)
        if self._has_filter:
            target = spawn_filtered(command, numbers, self.set_target)
        else:
            target = spawn.spawn(command, self.set_target, options=options, is_kept=True)
        self._target = target
        self._tracer.adopt(target.pid, options)
        self._check_class(target.pid)
        return target

    def take(self, target: Target, *, is_pinned: bool) -> None:
        """Take over a command that hold.hold() holds."""
        self.set_target(target.pid)
        self._target = target
        if is_pinned:
            self._pins.pin([target.pid])
        self._make_tracer()
        self._tracer.adopt(target.pid, ptrace.OPTIONS | ptrace.OPTION_EXITKILL)
        self._check_class(target.pid)

    def _make_tracer(self) -> None:
        """The tracer, with what it may write down. What a pinned thread asks about its CPUs is answered as if it were
        not pinned."""
        is_pinned = self._pins.cpu is not None
        if is_pinned:
            self.facts.cpu = self._pins.cpu or 0
            self._returns |= self._pins.calls
        self._capture = self._calls.capture(
            self._signals.calls, self._signals.calls | self._pins.calls, is_pinned
        )
        self._evaluation.set_capture(self._capture, self._calls.repeated)
        self._tracer = Tracer(self, self._capture, self._evaluation.drain)
        self._tracer.wants = lambda number: number in self._entries or number in self._returns

    def _stop(self) -> None:
        """Let run() come back soon; called by the thread that carries out records, too."""
        self._tracer.should_stop = True
        if self._capture is not None:
            self._capture.interrupt()

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
        self._clocks.start()
        for process in self.processes():
            self._breakpoints.insert(process)
            if self._has_stacks:
                self._unwinder.prepare(process.pid)
        self._evaluation.start(self._pins.others)
        switch_ns = int(self.plan.options.get("switchrate", LONGEST_NS))
        self._alarm = self._alarm or Alarm(self._clocks.interval_ns(switch_ns))
        self._quiet = self._quiet or QuietStops()
        self._tracer.start(self._mode())

    def _mode(self) -> int:
        return PTRACE_SYSCALL if (self._entries or self._returns) and not self._has_filter else PTRACE_CONT

    def run(self) -> None:
        """Handle what happens, until the next alarm, signal or exit()."""
        if self._tracer.threads:
            self._tracer.run()
            self._take_status()
            if self._evaluation.failure is not None:
                raise self._evaluation.failure
        else:
            time.sleep(self._clocks.until_due_s())
        self._tick()

    def _tick(self) -> None:
        for point in self._clocks.due_timers():
            self._evaluation.fire(point, None, self._own)
        if self._is_enabled:
            for point in self._clocks.due_samples():
                self._sample(point)

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
        if self._capture is not None:
            self._capture.silence()
        self._evaluation.drain()
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
        if self._quiet is not None:
            self._quiet.close()
            self._quiet = None
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _PATIENT)  # a second Ctrl-C must not come between
        try:
            stops = self._tracer.settle()
            self._breakpoints.remove_all()
            self._pins.unpin(self._tracer.threads)
            if self._has_filter:
                self._tracer.proceed(stops)
            else:
                self._tracer.detach(stops)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if self._guardian is not None:
            self._guardian.close()
        self._take_status()
        self._evaluation.close()
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
        with self._evaluation.lock:
            return self._reference.read(sink)

    def refresh(self) -> None:
        """Merge all aggregations as they stand."""
        with self._evaluation.lock:
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

    def processes(self) -> list[Process]:
        """The processes that are traced now."""
        return list(self._tracer.processes.values())
