"""Carries out a dump: its clauses once for the process, then once for each thread.

    engine = DumpEngine(program, types, merge, pid=4711)
    engine.sink = consumer.feed         records are handed on while the program runs
    engine.begin(); engine.enable(); engine.run(); engine.disable(); engine.end(); engine.close()

Loops have no limit; `stop` (a signal's handler may call it) ends them within 256 rounds, and so does exit().
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from invivo.engines.base import Losses
from invivo.engines.dump.hold import Hold
from invivo.engines.dump.world import DumpWorld, PageCache, ProcessGone
from invivo.engines.process.objects import KernelObjects
from invivo.engines.process.tracer import Process, Thread
from invivo.engines.process.unwind import Unwinder
from invivo.engines.process.world import Facts, OwnWorld
from invivo.engines.reference import ReferenceEngine
from invivo.errors import KernelError, TargetError, UnsupportedError
from invivo.linux import procfs, ptrace
from invivo.linux.maps import read_maps
from invivo.program.actions import Clear, Denormalize, Normalize, Printa, Trunc
from invivo.program.attach import Moment, Once
from invivo.program.plan import ClauseInfo, Plan
from invivo.program.shared import Globals
from invivo.symbols.normalize import AddressSpaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.base import Merge
    from invivo.program.clauses import Program
    from invivo.program.sources import TypeSource

__all__ = ["DumpEngine", "is_dump"]

_DUMP, _THREAD = Once(Moment.DUMP), Once(Moment.THREAD)
_OWN = frozenset((_DUMP, _THREAD, Once(Moment.BEGIN), Once(Moment.END), Once(Moment.ERROR)))
_MUCH = 1 << 18  # bytes of records that are worth handing on
_WHILE_S = 0.1
# Actions on aggregations as they are at that point of the program.
_AT_ONCE = (Printa, Clear, Trunc, Normalize, Denormalize)


def is_dump(program: Program) -> bool:
    """Whether a program has clauses of `dump`.

    Raises:
        UnsupportedError: It has probes of other kinds besides.
    """
    points = {probe.attach for clause in program.clauses for probe in clause.probes}
    if not points & {_DUMP, _THREAD}:
        return False
    if points - _OWN:
        other = next(str(p) for clause in program.clauses for p in clause.probes if p.attach not in _OWN)
        raise UnsupportedError(
            f"a program with 'dump' looks once and traces nothing: it cannot have the probe {other} too",
            "make two programs of it",
        )
    return True


class _Stopped(Exception):
    """stop() or exit() was called."""


class _Reference(ReferenceEngine):
    """Hands records on in time: at once where they are about aggregations, whose totals are those of that moment."""

    def __init__(self, program: Program, world: OwnWorld, merge: Merge, pause: Callable[[], None]) -> None:
        self.sink: Callable[[memoryview], int] | None = None
        self._due = 0.0
        self._urgent = {
            record.id for record in program.records if any(isinstance(action, _AT_ONCE) for action in record.actions)
        }
        super().__init__(program, world, merge, pause)

    def _send(self, payload: bytes) -> None:
        super()._send(payload)
        if self.sink is not None and (int.from_bytes(payload[:2], "little") in self._urgent):
            self.read(self.sink)

    def hand_on(self, now: float) -> None:
        """Give the records so far to the sink, if they are many or have waited for a while."""
        if self.sink is not None and self._frames and (len(self._frames) > _MUCH or now > self._due):
            self._due = now + _WHILE_S
            self.read(self.sink)


class DumpEngine:
    """See the module's text. `merge` receives aggregations, as ReferenceEngine's; `tell` a line about the target."""

    def __init__(
        self,
        program: Program,
        types: TypeSource,
        merge: Merge,
        *,
        pid: int,
        is_consistent: bool = False,
        duration: float | None = None,
        tell: Callable[[str], None] = lambda message: None,
    ) -> None:
        """`duration`, in seconds, ends loops like stop().

        Raises:
            InvivoError: The process's memory may not be read, or it runs a 32-bit program.
        """
        self._pid = pid
        self._deadline = float("inf") if duration is None else time.monotonic() + duration
        self._is_consistent = is_consistent
        self._tell = tell
        self._is_stopping = False
        self._is_gone = False
        self._is_done = False
        self.spaces = AddressSpaces()
        self._facts = Facts(KernelObjects(types))
        self._facts.constants[Globals.TARGET] = pid
        self._facts.unwind = Unwinder(self.spaces).stack
        self._reference = _Reference(program, OwnWorld(self._facts), merge, self._pause)
        self._points = frozenset(self._reference.points)
        _check_readable(pid)

    # --- what every engine says ---------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """How records and aggregations look."""
        return self._reference.plan

    def describe(self, text: str, warnings: tuple[str, ...], clauses: tuple[ClauseInfo, ...]) -> None:
        """Set what the plan says of the program's text."""
        self._reference.plan = self._reference.plan._replace(text=text, warnings=warnings, clauses=clauses)

    @property
    def sink(self) -> Callable[[memoryview], int] | None:
        """Takes records while the dump runs, for it may be long."""
        return self._reference.sink

    @sink.setter
    def sink(self, sink: Callable[[memoryview], int]) -> None:
        self._reference.sink = sink

    @property
    def exit_code(self) -> int | None:
        """What exit() was given; 1 if the process ended meanwhile; None else."""
        code = self._reference.exit_code
        return 1 if code is None and self._is_gone else code

    @property
    def target_ended(self) -> bool:
        """Whether there is no more to be seen: the dump is done."""
        return self._is_done

    # --- life ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run BEGIN's clauses."""
        self._reference.begin()

    def enable(self) -> None:
        """Let the dump's clauses run."""
        self._reference.enable()

    def run(self) -> None:
        """Carry out the dump, to its end.

        Raises:
            InvivoError: --consistent: the process may not be stopped.
        """
        self._is_done = True
        hold: Hold | None = None
        try:
            if self._is_consistent:
                hold = Hold(self._pid).__enter__()
            self._carry_out(hold)
        except ProcessGone:
            self._is_gone = True
            self._tell(f"invivo: process {self._pid} has ended; what it was asked until then follows")
        except _Stopped:
            pass
        finally:
            if hold is not None:
                hold.release()
        if hold is not None:
            self._tell(
                f"invivo: process {self._pid} was stopped for {hold.stopped_ns / 1e6:.3f} ms "
                f"({hold.threads} thread{'s' * (hold.threads != 1)})"
            )

    def _carry_out(self, hold: Hold | None) -> None:
        process = Process(self._pid, 0)
        cache = None if hold is None else PageCache(process.memory)
        if _DUMP in self._points:
            self._fire(_DUMP, Thread(self._pid, process), hold, cache)
        if _THREAD in self._points:
            for tid in procfs.threads(self._pid):
                self._fire(_THREAD, Thread(tid, process), hold, cache)

    def _fire(self, point: Once, thread: Thread, hold: Hold | None, cache: PageCache | None) -> None:
        world = DumpWorld(thread, self._facts, hold, cache)
        try:
            self._reference.fire(point, world)
        finally:
            world.close()

    def _pause(self) -> None:
        now = time.monotonic()
        if self._is_stopping or self._reference.exit_code is not None or now > self._deadline:
            raise _Stopped
        self._reference.hand_on(now)

    def stop(self) -> None:
        """End loops soon; may be called by a signal's handler, or another thread."""
        self._is_stopping = True

    def disable(self) -> None:
        """No clause but END's runs any more."""
        self._reference.disable()

    def end(self) -> None:
        """Run END's clauses."""
        self._reference.end()

    def close(self) -> None:
        """Forget records that were not read."""
        self._reference.close()

    def mind(self) -> None:
        """Nothing goes on that would have to be looked after."""

    # --- results ------------------------------------------------------------------------------------------------

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand all records so far to `sink`; returns the bytes read."""
        return self._reference.read(sink)

    def refresh(self) -> None:
        """Merge all aggregations as they stand."""
        self._reference.refresh()

    def stack(self, identity: int) -> Sequence[int]:
        """Addresses of a stack, innermost first."""
        return self._reference.stack(identity)

    def messages(self) -> list[str]:
        """None: nothing comes later."""
        return []

    def losses(self) -> Losses:
        """What could not be kept."""
        return self._reference.losses()

    def missed_runs(self) -> int:
        """None: nothing is asked at a time of its own."""
        return 0


def _check_readable(pid: int) -> None:
    """Raises:
    InvivoError: What to do about it.
    """
    try:
        with open(f"/proc/{pid}/exe", "rb") as stream:
            if stream.read(5)[4:] == b"\x01":
                raise TargetError(f"process {pid} runs a 32-bit program, of which a dump knows no pointers")
    except OSError:
        pass  # reading its memory will tell why
    mappings = read_maps(pid)
    first = next((item.start for item in mappings or () if item.path.startswith("/")), 0)
    if not first or not ptrace.ProcessMemory(pid).read(first, 1):
        ptrace.raise_for_seize(KernelError(1, "process_vm_readv", f"process {pid}"), pid)
