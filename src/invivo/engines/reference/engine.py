"""A typed program, running in this process on a World.

    engine = ReferenceEngine(program, SyntheticWorld(pid=7), merge)
    engine.begin(); engine.enable()                 BEGIN's clauses; now other probes may fire
    engine.fire(RawTracepoint("sys_enter"))         everything that the program planted there, as the kernel would
    engine.end(); engine.read(consumer.feed)        END's clauses; records as ring-buffer frames
    engine.refresh()                                aggregations to `merge`, as words

Nothing is ever lost here but faults in ERROR's clauses: the ring, the aggregations and the variables have no limit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from invivo.engines.base import Engine, Losses
from invivo.engines.reference import expressions, statements
from invivo.engines.reference.compiler import Compiler, Scalar, Statement, Text, Value, plan_of
from invivo.engines.reference.firing import Effect, Firing, Raised, Speculations
from invivo.engines.reference.places import NOWHERE, MadeClause, MadeFiring, MadeSelection, Place, parts_of
from invivo.engines.reference.values import MASK
from invivo.engines.reference.world import World
from invivo.program import clauses
from invivo.program.attach import AttachPoint, Moment, Once
from invivo.program.clauses import Clause, Probe, Program
from invivo.program.nodes import Expr, Scope, Variable
from invivo.program.passes import units
from invivo.program.passes.units import Selection, Unit, group_units
from invivo.program.plan import Plan, ProbeInfo
from invivo.program.records import LAYOUT_FAULT
from invivo.program.statements import Stmt
from invivo.source import Span
from invivo.value import replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.base import Merge

__all__ = ["ReferenceEngine"]

_FRAME = struct.Struct("<II")
_FAULT = struct.Struct("<IIQ")


class _Closures(Compiler):
    """The compiler with the dispatch that its modules call back."""

    def scalar(self, expr: Expr) -> Scalar:
        return expressions.scalar(self, expr)

    def string(self, expr: Expr) -> Text:
        return expressions.string(self, expr)

    def statement(self, stmt: Stmt) -> Statement:
        return statements.statement(self, stmt)


class ReferenceEngine(Engine):
    """A program's closures and state. See the module's text for the order of calls; `merge` receives aggregations.

    With `pause`, loops have no limit: it is called every 256 rounds, and may raise what ends them.
    """

    def __init__(
        self, program: Program, world: World, merge: Merge, pause: Callable[[], None] | None = None
    ) -> None:
        self.world = world
        self._merge = merge
        self._frames = bytearray()
        self._losses = Losses()
        self._speculations = Speculations()
        self._exit_code: int | None = None
        self._is_enabled = False
        self._is_ending = False
        c = self._compiler = _Closures(program, self._send, self._stop, pause)
        self._clauses: dict[clauses.Clause, MadeClause] = {}
        self._places: dict[AttachPoint, Place] = {}
        self._by_id: dict[int, MadeFiring] = {}
        self._known: dict[tuple[AttachPoint, int], list[tuple[MadeFiring, int]]] = {}
        for unit in group_units(program):
            self._add_unit(unit)
        self._error_clauses = tuple(self._clause(clause) for clause in program.error_clauses)
        self._error_id = program.probe_ids[program.error_clauses[0].probes[0]] if program.error_clauses else 0
        self.plan = Plan(
            text="",
            units=(),
            maps=(),
            globals_size=0,
            rodata=b"",
            probes=c.tables.probes,
            records=program.records,
            aggregations=tuple(plan_of(aggregation) for aggregation in program.aggregations),
            faults=tuple(c.tables.faults),
            strings=c.tables.strings,
            options=c.tables.options,
        )

    # --- compiling --------------------------------------------------------------------------------------------------

    def _add_unit(self, unit: Unit) -> None:
        steps = tuple(
            self._selection(step) if isinstance(step, Selection) else self._firing(step)
            for step in unit.steps
        )
        for point, probe in unit.points:
            self._places[point] = Place(steps, probe)

    def add_probe(self, info: ProbeInfo, firing: units.Firing, points: Iterable[AttachPoint]) -> None:
        """A probe that is made while the program runs, with the next id; `firing` has none."""
        self._compiler.tables.probes.append(info)
        identity = len(self._compiler.tables.probes)
        made = self._firing(replaced(firing, probe_ids=(identity,)))
        for point in points:
            self._places[point] = Place((made,), identity)

    def _selection(self, step: Selection) -> MadeSelection:
        firings = {id(firing): self._firing(firing) for firing in step.firings}
        cases = {value: (firings[id(firing)], probe) for value, firing, probe in step.cases}
        key = self._compiler.scalar(step.key(NOWHERE))
        return MadeSelection(key, self._guard(step.guard), cases)

    def _firing(self, firing: units.Firing) -> MadeFiring:
        clauses = tuple(self._clause(clause) for clause in firing.clauses)
        made = MadeFiring(firing.probe_ids, self._guard(firing.guard), clauses, firing)
        self._by_id.update(dict.fromkeys(firing.probe_ids, made))
        return made

    def _guard(self, guard: Callable[[Span], Expr] | None) -> Scalar | None:
        return self._compiler.scalar(guard(NOWHERE)) if guard is not None else None

    def _clause(self, clause: clauses.Clause) -> MadeClause:
        """A clause compiled, once for all its probes."""
        made = self._clauses.get(clause)
        if made is None:
            c = self._compiler
            c.clause = clause
            predicate = c.scalar(clause.predicate) if clause.predicate is not None else None
            made = self._clauses[clause] = MadeClause(clause.index, predicate, c.statement(clause.body))
            c.clause = None
        return made

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Run BEGIN's clauses."""
        self._fire(Once(Moment.BEGIN), self.world)

    def enable(self) -> None:
        """Let all other probes fire."""
        self._is_enabled = True

    def disable(self) -> None:
        """No probe but END fires after this."""
        self._is_enabled = False

    def end(self) -> None:
        """Run END's clauses, whether exit() was called or not."""
        self._is_ending = True
        self._fire(Once(Moment.END), self.world)
        self._is_ending = False

    def close(self) -> None:
        """Forget records that were not read."""
        self._frames.clear()

    @property
    def points(self) -> tuple[AttachPoint, ...]:
        """All places where the program wants to be called."""
        return tuple(self._places)

    @property
    def exit_code(self) -> int | None:
        """What exit() was given, or None if none was called."""
        if self._exit_code is None:
            return None
        code = self._exit_code & 0xFFFFFFFF
        return code - (1 << 32) if code >> 31 else code

    # --- firing -----------------------------------------------------------------------------------------------------

    def fire(self, point: AttachPoint, world: World | None = None, effects: list[Effect] | None = None) -> bool:
        """Carry out what happens at an attach point; nothing where the program has no probe, or before enable(). True
        if there was no fault; what is done to aggregations is added to `effects`, if parts_of() knows all that is."""
        return self._is_enabled and self._fire(point, world or self.world, effects)

    def _fire(self, point: AttachPoint, world: World, effects: list[Effect] | None = None) -> bool:
        place = self._places.get(point)
        if place is None:
            return True
        is_well = True
        for step in place.steps:
            if isinstance(step, MadeSelection):
                self._select(step, world)
            else:
                is_well &= self._run(step, place.probe or step.probe_ids[0], world, effects)
        return is_well

    def fire_selected(self, point: AttachPoint, value: int, world: World, effects: list[Effect] | None = None) -> bool:
        """As `fire`, for who knows already what the selectors' keys say, and that their guards hold; True if there was
        no fault. What is done to aggregations is added to `effects`."""
        if not self._is_enabled:
            return False
        is_well = True
        for firing, identity in self._selected(point, value):
            is_well &= self._run(firing, identity, world, effects)
        return is_well

    def repeat(self, effects: list[Effect]) -> None:
        """Do to aggregations again what was done before."""
        if self._is_enabled and not self._is_stopped():
            for counts, key, update in effects:
                counts[key] = update(counts.get(key))

    def _selected(self, point: AttachPoint, value: int) -> list[tuple[MadeFiring, int]]:
        known = self._known.get((point, value))
        if known is None:
            place = self._places.get(point, Place((), 0))
            known = self._known[point, value] = []
            for step in place.steps:
                if not isinstance(step, MadeSelection):
                    known.append((step, place.probe or step.probe_ids[0]))
                elif value in step.cases:
                    known.append(step.cases[value])
        return known

    def parts_of(self, point: AttachPoint) -> list[Clause | Expr] | None:
        """The clauses and guards that `fire` carries out; None where it has to select."""
        parts: list[Clause | Expr] = []
        for step in self._places.get(point, Place((), 0)).steps:
            if isinstance(step, MadeSelection):
                return None
            parts += parts_of(step)
        return parts

    def parts_at(self, point: AttachPoint, value: int) -> Iterator[Clause | Expr]:
        """The clauses and guards that `fire_selected` would carry out."""
        for firing, _ in self._selected(point, value):
            yield from parts_of(firing)

    @property
    def error_clauses(self) -> tuple[Clause, ...]:
        """The clauses of ERROR."""
        return self._compiler.program.error_clauses

    def may_fire(self, point: AttachPoint, world: World) -> bool:
        """Whether something would be carried out at an attach point, as far as selectors and guards tell."""
        place = self._places.get(point)
        if place is None:
            return False
        f = self._new_firing(world, 0)
        for step in place.steps:
            guard = step.guard
            try:
                if (guard is None or guard(f)) and (not isinstance(step, MadeSelection) or step.key(f) in step.cases):
                    return True
            except Raised:
                return True
        return False

    def fire_probe(self, probe: Probe, world: World | None = None) -> None:
        """Carry out one probe's clauses, whatever its selector would say."""
        identity = self._compiler.program.probe_ids.get(probe, 0)
        if self._is_enabled and identity in self._by_id:
            self._run(self._by_id[identity], identity, world or self.world)

    def thread_ended(self, thread: int) -> None:
        """Forget the variables of a thread that is gone, by its id."""
        c = self._compiler
        hashes: tuple[tuple[Variable, dict[tuple[Value, ...], Any]], ...] = (*c.hashes.items(), *c.entries.items())
        for variable, entries in hashes:
            if variable.scope is Scope.THREAD:
                for key in [key for key in entries if key[0] == thread]:
                    del entries[key]

    def _select(self, step: MadeSelection, world: World) -> None:
        if self._is_stopped():
            return
        f = self._new_firing(world, 0)
        try:
            if step.guard is not None and not step.guard(f):
                return
            chosen = step.cases.get(step.key(f))
        except Raised as fault:
            self._report(f, fault, 0)
            return
        if chosen is not None:
            self._run(chosen[0], chosen[1], world)

    def _run(self, firing: MadeFiring, probe_id: int, world: World, effects: list[Effect] | None = None) -> bool:
        """One firing: its clauses in order. A fault, or a predicate that is false, goes on to the next. True: no fault.
        """
        if self._exit_code is not None and self._is_stopped():
            return False
        f = self._new_firing(world, probe_id)
        f.effects = effects
        if firing.guard is not None:
            try:
                if not firing.guard(f):
                    return True
            except Raised as fault:
                self._report(f, fault, 0)
                return False
        is_well = True
        for clause in firing.clauses:
            if self._exit_code is not None and self._is_stopped():
                return False
            try:
                if clause.predicate is None or clause.predicate(f):
                    clause.body(f)
            except Raised as fault:
                self._report(f, fault, clause.number)
                is_well = False
        return is_well

    def _report(self, f: Firing, fault: Raised, clause: int) -> None:
        """A fault's record, and ERROR's firing. A fault in that is counted, and nothing more."""
        self._send(
            statements.header(f, LAYOUT_FAULT) + _FAULT.pack(max(fault.site, 0), fault.kind.value, fault.value & MASK)
        )
        if not self._error_clauses:
            return
        error = self._new_firing(f.world, self._error_id)
        error.fault_info = {1: clause + 1, 2: max(fault.site, 0), 4: fault.kind.value, 5: fault.value}
        for each in self._error_clauses:
            if self._is_stopped():
                return
            try:
                if each.predicate is None or each.predicate(error):
                    each.body(error)
            except Raised:
                self._losses.faults += 1

    def _new_firing(self, world: World, probe_id: int) -> Firing:
        c = self._compiler
        return Firing(world, probe_id, c.locals.copy(), c.tables.scratch_bytes, self._speculations, c.tables.own_end)

    def _is_stopped(self) -> bool:
        return self._exit_code is not None and not self._is_ending

    def _stop(self, code: int) -> None:
        # The first exit() says the code; END, which runs after it, may say another.
        if not self._is_stopped():
            self._exit_code = code

    # --- what came of it --------------------------------------------------------------------------------------------

    def _send(self, payload: bytes) -> None:
        self._frames += _FRAME.pack(len(payload), 0) + payload + bytes(-len(payload) % 8)

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand all records so far to `sink`, as one run of ring-buffer frames; returns the bytes read."""
        frames, self._frames = bytes(self._frames), bytearray()
        if frames:
            sink(memoryview(frames))
        return len(frames)

    def refresh(self) -> None:
        """Merge all aggregations as they stand, and count from zero again."""
        for aggregation, counts in self._compiler.counts.items():
            for key, words in counts.items():
                self._merge(aggregation.id, key, words)
            counts.clear()

    def stack(self, identity: int) -> tuple[int, ...]:
        """Addresses of a stack, innermost first."""
        return self._compiler.stacks.get(identity, ())

    def losses(self) -> Losses:
        """All losses so far."""
        self._losses.speculations = self._speculations.failed
        return self._losses
