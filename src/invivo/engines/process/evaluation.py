"""From stops to firings, in the order of the stops: those that Python sees at once, and those that were written down.

    evaluation = Evaluation(reference, facts, stop)
    evaluation.set_capture(capture, calls.repeated)     what the loop writes down is carried out by a thread of its own
    evaluation.start(cpus)
    evaluation.fire(point, None, world)                 first everything that was written down before

Records that are alike in all that their clauses read are carried out once, and counted from then on: most programs ask
the same few things again and again. The thread runs on other CPUs than the traced program where there are others: a
stop costs the program no more than the writing. Whoever else wants the reference engine's state takes `lock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from invivo.engines.process.native.loop_ir import KIND_ENTRY
from invivo.engines.process.native.records import Record
from invivo.engines.process.native.worker import Worker
from invivo.engines.process.recording import needs_of
from invivo.engines.process.world import Facts, RecordWorld, ThreadWorld
from invivo.engines.reference import ReferenceEngine, World
from invivo.engines.reference.firing import Effect
from invivo.program.attach import AttachPoint, RawTracepoint, Uprobe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.native.capture import Capture

__all__ = ["ENTER", "EXIT", "Evaluation"]

ENTER, EXIT = RawTracepoint("sys_enter"), RawTracepoint("sys_exit")

_MOST_KNOWN = 4096  # kinds of records whose effects are remembered


class Evaluation:
    """See the module's text. `stop` is called, from any thread, when nothing more is to be carried out: exit() was
    called, or a firing raised what no clause may, which is in `failure`."""

    def __init__(self, reference: ReferenceEngine, facts: Facts, stop: Callable[[], None]) -> None:
        self._reference = reference
        self._stop = stop
        self._world = RecordWorld(facts)
        self._failure: Exception | None = None
        self._worker = Worker("invivo-records", self._carry_out_all, stop)
        self._repeated: Mapping[tuple[int, int], slice] = {}
        self._known: dict[tuple[object, ...], list[Effect]] = {}
        self._constant: dict[tuple[int, int], tuple[Uprobe, list[Effect]]] = {}
        self._may_repeat: dict[Uprobe, bool] = {}
        self.lock = self._worker.lock
        self.start = self._worker.start
        self.drain = self._worker.drain
        self.close = self._worker.close

    def set_capture(self, capture: Capture | None, repeated: Mapping[tuple[int, int], slice]) -> None:
        """What is written down; and for stops whose effects depend on their record alone, by (kind, number), which part
        of its registers they depend on."""
        self._worker.capture = capture
        self._repeated = repeated

    @property
    def failure(self) -> Exception | None:
        """What went wrong."""
        return self._failure or self._worker.failure

    # --- firing -------------------------------------------------------------------------------------------------

    def _carry_out_all(self, records: list[Record]) -> None:
        reference, repeated, known = self._reference, self._repeated, self._known
        repeat, carry_out = reference.repeat, self._carry_out
        for record in records:
            kind, number, tid, pid, _, raw, pieces = record
            part = repeated.get((kind, number))
            if part is None:
                carry_out(record)
                continue
            key = (kind, number, tid, pid, raw[part], pieces)
            effects = known.get(key)
            if effects is not None:
                repeat(effects)
                continue
            effects = []
            if carry_out(record, effects):
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[key] = effects

    def _carry_out(self, record: Record, effects: list[Effect] | None = None) -> bool:
        """Whether all went well; then `effects` is what was changed."""
        world, reference = self._world, self._reference
        world.show(record)
        is_well = False
        try:
            if record.kind == KIND_ENTRY:
                world.words = (Facts.REGISTERS, record.number)
                is_well = reference.fire_selected(ENTER, record.number, world, effects)
            else:
                world.words = (Facts.REGISTERS, record.result)
                is_well = reference.fire_selected(EXIT, record.number, world, effects)
        except Exception as error:
            self._fail(error)
        if reference.exit_code is not None:
            self._stop()
        return is_well

    def fire(self, point: AttachPoint, number: int | None, world: World) -> None:
        """Carry out what happens at an attach point; with `number`, what its selectors choose by that."""
        self.drain()
        reference = self._reference
        with self.lock:
            try:
                if number is None:
                    reference.fire(point, world)
                else:
                    reference.fire_selected(point, number, world)
            except Exception as error:
                self._fail(error)
            if reference.exit_code is not None:
                self._stop()

    def hit(self, point: Uprobe, world: ThreadWorld) -> None:
        """As `fire`, at a breakpoint. What does the same at each hit by a thread is carried out once, and repeated."""
        key = id(point), world.pid_tgid
        known = self._constant.get(key)
        if known is None:
            may_repeat = self._may_repeat.get(point)
            if may_repeat is None:
                parts = self._reference.parts_of(point)
                needs = needs_of(parts) if parts is not None else None
                may_repeat = self._may_repeat[point] = needs is not None and needs.is_constant
            if may_repeat:
                self._first_hit(key, point, world)
            else:
                self.fire(point, None, world)
            return
        self.drain()
        with self.lock:
            self._reference.repeat(known[1])

    def _first_hit(self, key: tuple[int, int], point: Uprobe, world: World) -> None:
        self.drain()
        effects: list[Effect] = []
        with self.lock:
            try:
                is_well = self._reference.fire(point, world, effects)
            except Exception as error:
                self._fail(error)
                return
        if is_well:
            if len(self._constant) >= _MOST_KNOWN:
                self._constant.clear()
            self._constant[key] = point, effects  # the point, so that no other gets its address

    def _fail(self, error: Exception) -> None:
        """Keep what went wrong for the thread that waits for stops, which must go on meanwhile."""
        self._failure = self._failure or error
        self._reference.disable()
        self._stop()
