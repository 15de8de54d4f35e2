"""How a session starts: the engine is chosen, the program compiled and loaded, the command held, the probes armed.

    request, command or pid  ->  dump engine:     typed program, one look
                                 process engine:  typed program, the target held, traced by ptrace(2)
                                 kernel engine:   plan, maps and programs, the command held at its exec, probes

Session is this and what comes after: see session.py.
"""

from __future__ import annotations

import contextlib
import os
import time

from invivo.compiler import Request, plan_for, store
from invivo.consumer.loop import Consumer
from invivo.consumer.policies import Buffering, Every
from invivo.engines.choice import is_process_engine
from invivo.engines.kernel.engine import KernelEngine
from invivo.errors import InvivoError, OptionError, RightsError, TargetError, UnsupportedError, VerifierError
from invivo.linux import descriptors, spawn
from invivo.linux.pid_namespace import require_own_proc
from invivo.linux.targets import Targets
from invivo.progress import progress
from invivo.services import Services

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from invivo.bpf.link.keeper import Keeper
    from invivo.consumer.output import Output
    from invivo.engines.dump import DumpEngine
    from invivo.engines.kernel.loader_watch import LoaderWatch
    from invivo.engines.process.engine import ProcessEngine
    from invivo.linux.guardian import PatchTable
    from invivo.program.plan import Plan

__all__ = ["Starting"]


class Starting:
    """A session up to the moment at which it traces."""

    def __init__(
        self,
        request: Request,
        *,
        command: Sequence[str] | str | None = None,
        pid: int | None = None,
        duration: float | None = None,
        output: Callable[[Plan], Output] | None = None,
        isolate: bool = False,
        use_cache: bool = True,
        engine: str = "",
        tell: Callable[[str], None] | None = None,
        has_filter: bool = False,
        further: Sequence[Sequence[str] | int] = (),
        is_pinned: bool = True,
        patches: PatchTable | None = None,
        is_consistent: bool = False,
    ) -> None:
        """`further` are commands (as words) and pids to be traced besides; tracing ends when all have ended. `$target`
        is the first. `is_consistent`: a dump stops the process while it looks."""
        if command is not None and pid is not None:
            raise TargetError("a command and a pid cannot both be traced", "give -c or -p, not both")
        self._request = request
        self._command = command
        self._pid = pid
        self._duration = duration
        self._make_output = output
        self._isolate = isolate
        self._use_cache = use_cache
        self._engine_name = engine
        self._tell = tell or (lambda message: None)
        self._further = tuple(further)
        self._targets = Targets()
        self._has_filter = has_filter  # who sets it calls mind() at the end
        self._is_pinned = is_pinned
        self._patches = patches
        self._is_consistent = is_consistent
        self.goes_on: Callable[[], bool] = lambda: False  # tracing goes on when its targets have ended
        self.contents: Mapping[str, bytes] = {}  # kernel engine: what global arrays hold at BEGIN, by name
        self._interrupt: Callable[[], None] | None = None  # ends what runs by itself in this process
        self._stop_reader = self._stop_writer = -1
        self._is_stopping = False
        self._has_descriptors = False
        self._is_done = False
        self._exit_code = 0
        self._consumer: Consumer | None = None
        self._engine: KernelEngine | ProcessEngine | DumpEngine | None = None
        self._keeper: Keeper | None = None  # made before there is an engine
        self._failure: InvivoError | None = None  # what ended tracing
        self._deadline: float | None = None
        self._is_deferred = False
        self._met: Callable[[int], object] = lambda pid: None
        self._buffering = Buffering({})
        self._aggregates = Every(0)

    def _start(self) -> None:
        require_own_proc()
        descriptors.allow()
        self._has_descriptors = True
        if self._pid is not None:
            self._targets.first = spawn.attach_pid(self._pid)
            self._request.target_pid = self._pid
        if self._request.may_dump and self._start_dump():
            pass
        elif self._is_consistent:
            raise OptionError("--consistent is for programs with 'dump'", "see: invivo help probes")
        elif is_process_engine(self._engine_name):
            self._start_process()
        else:
            self._start_kernel()
        if self._duration is not None:
            self._deadline = time.monotonic() + self._duration
        assert self._consumer is not None
        self._consumer.started()

    def _start_dump(self) -> bool:
        """Look into a process once, if the program is a dump; else False."""
        from invivo.compiler import typed_program
        from invivo.engines.dump import DumpEngine, is_dump

        if self._pid is None:
            raise TargetError(
                "a dump looks into a process that runs, and none is given", "give its number: -p PID; see: ps -e"
            )
        typed = typed_program(self._request, looks_inside=True)
        if not is_dump(typed.program):
            return False
        engine = self._engine = DumpEngine(
            typed.program, typed.types, self._merge, pid=self._pid, is_consistent=self._is_consistent,
            duration=self._duration, tell=self._tell,
        )  # fmt: skip
        engine.describe(typed.text, typed.warnings, typed.clauses)
        self._consumer = Consumer(engine.plan, self._output(engine.plan), Services(engine))
        engine.sink = self._consumer.feed
        self._interrupt = engine.stop
        engine.begin()
        if engine.exit_code is None:
            engine.enable()
        return True

    def _start_process(self) -> None:
        """Trace by ptrace(2): the target is held first, for the engine needs nothing else."""
        from invivo.compiler import typed_program
        from invivo.engines.process.engine import ProcessEngine

        if self._further:
            raise UnsupportedError("the process engine traces one command or process", "give one -c or -p")
        held: spawn.Target | None = None
        if self._command is not None and self._request.needs_target:
            from invivo.engines.process.hold import hold

            held = self._targets.first = hold(self._command)
            self._request.target_pid = held.pid
        typed = typed_program(self._request)
        engine = self._engine = ProcessEngine(
            typed.program, typed.types, self._merge, self._patches, typed.known_files, typed.globs
        )
        engine.describe(typed.text, typed.warnings, typed.clauses)
        engine.tell = self._tell
        if engine.needs_target and self._command is None and self._pid is None and self._engine_name:
            raise UnsupportedError(
                "the process engine traces a command or a process, and this program asks about the whole system",
                "give -c COMMAND or -p PID, or leave the engine to invivo",
            )
        if engine.needs_target and self._command is None and self._pid is None:
            raise RightsError(
                "this program asks about the whole system, and this user may not load BPF programs "
                "(no CAP_BPF and CAP_PERFMON)",
                "ask about a command (-c) or a process (-p) of your own, or run it as root; see: invivo doctor",
            )
        self._consumer = Consumer(engine.plan, self._output(engine.plan), Services(engine))
        self._stop_reader, self._stop_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if held is not None:
            engine.take(held, is_pinned=self._is_pinned)
        elif self._command is not None:
            self._targets.first = engine.spawn(self._command, has_filter=self._has_filter, is_pinned=self._is_pinned)
        elif self._pid is not None:
            engine.attach(self._pid, is_pinned=self._is_pinned)
        self._tell(engine.choice(is_asked=bool(self._engine_name)))
        engine.begin()
        if engine.exit_code is None:
            engine.enable()

    def _start_kernel(self) -> None:
        if self._command is not None and self._request.needs_target:
            from invivo.bpf.link.keeper import Keeper

            keeper = self._keeper = Keeper()
            self._targets.first = spawn.spawn(
                self._command, self._prepare_for, until=lambda pid: _loader_watch(pid, keeper)
            )
            return
        self._prepare()
        assert isinstance(self._engine, KernelEngine)
        if self._command is None:
            self._arm()
        elif self._engine.unwinds:
            # Armed at its exec as ever, and held once more when its libraries are mapped, to load their unwind rules.
            self._targets.first = spawn.spawn(self._command, self._load_rules, until=self._arm_and_watch)
        else:
            self._targets.first = spawn.spawn(self._command, self._arm_for)

    def _arm_and_watch(self, pid: int) -> LoaderWatch:
        self._arm_for(pid)
        assert isinstance(self._engine, KernelEngine)
        return _loader_watch(pid, self._engine.start_keeper())

    def _load_rules(self, pid: int) -> None:
        assert isinstance(self._engine, KernelEngine)
        self._engine.set_target(pid)

    def _prepare_for(self, pid: int) -> None:
        """Compile for a command that is held with its libraries mapped, and arm."""
        self._request.target_pid = pid
        self._prepare()
        self._arm_for(pid)

    def _prepare(self) -> None:
        """Compile and load."""
        plan = plan_for(self._request, isolate=self._isolate, use_cache=self._use_cache)
        try:
            engine = self._load(plan)
        except VerifierError as error:
            engine = self._load_otherwise(error, plan)
        plan = engine.plan
        self._consumer = Consumer(plan, self._output(plan), Services(engine))
        self._buffering = Buffering(plan.options, is_deferred=self._is_deferred)
        if engine.watch is not None:
            engine.watch.met = self._met
        self._aggregates = Every(int(plan.options.get("aggrate", 0)))
        self._stop_reader, self._stop_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if (size := engine.halved_buffer()) and not plan.options.get("quietresize"):
            self._consumer.output.tell(f"the buffer was made smaller, for there was no memory: {size} bytes")

    def _load(self, plan: Plan) -> KernelEngine:
        engine = self._engine = KernelEngine(plan, self._merge, self._pid or 0, self._keeper)
        if self._command is not None and engine.unwinds:
            engine.start_keeper()  # for the loader's watch
        engine.load()
        return engine

    def _load_otherwise(self, error: VerifierError, plan: Plan) -> KernelEngine:
        """What was refused, in a form that the verifier can follow."""
        from invivo import rejection

        for other in rejection.with_shorter_loops(self._request, plan, isolate=self._isolate):
            assert self._engine is not None
            self._engine.close()
            with contextlib.suppress(VerifierError):
                engine = self._load(other)
                if self._use_cache:
                    store(self._request, other)
                return engine
        raise rejection.explained(error, self._request, plan) from None

    def _arm_for(self, pid: int) -> None:
        assert isinstance(self._engine, KernelEngine)
        self._engine.set_target(pid)
        self._arm()

    def _arm(self) -> None:
        """Arm with all further targets there; the commands among them are held until then."""
        self._targets.hold(self._further, self._enable)

    def _enable(self) -> None:
        engine = self._engine
        assert engine is not None
        if isinstance(engine, KernelEngine):
            engine.fill(self.contents)
        engine.begin()
        if engine.exit_code is None:
            with progress("attaching probes", is_wanted=self._isolate):
                engine.enable()
        if isinstance(engine, KernelEngine):
            for message in engine.refusals():
                self._tell(message)

    def _output(self, plan: Plan) -> Output:
        if self._make_output is not None:
            return self._make_output(plan)
        from invivo.output.collect import CollectOutput

        return CollectOutput(plan)

    def _merge(self, aggregation: int, key: bytes, words: Sequence[int]) -> None:
        assert self._consumer is not None
        self._consumer.aggregations.merge(aggregation, key, words)


def _loader_watch(pid: int, keeper: Keeper) -> LoaderWatch:
    from invivo.engines.kernel.loader_watch import LoaderWatch

    return LoaderWatch(pid, keeper)
