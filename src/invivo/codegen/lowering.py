"""A whole unit: selections, firings, clauses, and what happens at a fault.

unit -> entry: is the program exiting? scratch area; then for each firing: which probe, guard, clauses in order;
        one piece of code for all faults: a record, ERROR's clauses, and back to the clause after the faulty one
"""

from __future__ import annotations

import struct

from invivo.codegen import expressions, memory, records, statements, strings, variables
from invivo.codegen.emitter import Emitter, Helper, Str, Target
from invivo.codegen.ir import NULL, ZERO, Block, Value, const
from invivo.codegen.module import Module
from invivo.codegen.objects import COOKIE
from invivo.program.attach import AttachPoint, Moment, Once, Tracepoint, Uprobe
from invivo.program.clauses import Clause, Probe
from invivo.program.nodes import ContextWord, Expr
from invivo.program.passes.units import Firing, Selection, Unit
from invivo.program.plan import ProbeInfo
from invivo.program.shared import Globals, Late
from invivo.program.statements import Exit, Stmt
from invivo.program.walk import walk
from invivo.source import SourceFile, Span

__all__ = ["NOWHERE", "lower_unit", "new_emitter"]

NOWHERE = Span(SourceFile("", ""), 0, 0)  # of code that stands in no text: selectors and guards
_AREAS = 4  # scratch areas for each CPU where a program can be preempted
_FEW = 4  # selectors that are compared one by one
_FIRING_SHIFT = 20  # of a table's entry (32 bits): the firing's number above, the probe's id below


class _Lowering(Emitter):
    """The emitter with the dispatch that its modules call back."""

    def scalar(self, expr: Expr) -> Value:
        if self.module.places is not None:
            with self.out.at(expr.span):
                return self._scalar(expr)
        return self._scalar(expr)

    def _scalar(self, expr: Expr) -> Value:
        mark = self.storage.mark()
        value = expressions.scalar(self, expr)
        self.storage.release(mark)
        return value

    def string(self, expr: Expr) -> Str:
        if self.module.places is not None:
            with self.out.at(expr.span):
                return strings.string(self, expr)
        return strings.string(self, expr)

    def statement(self, stmt: Stmt) -> None:
        span = getattr(stmt, "span", None)
        if self.module.places is not None and span is not None:
            with self.out.at(span):
                self._statement(stmt)
        else:
            self._statement(stmt)

    def _statement(self, stmt: Stmt) -> None:
        mark = self.storage.mark()
        statements.statement(self, stmt)
        self.storage.release(mark)


def new_emitter(module: Module, name: str, point: AttachPoint) -> Emitter:
    """For a unit that runs at places of one kind."""
    e = _Lowering(module, name)
    e.point = point
    return e


def lower_unit(module: Module, unit: Unit, late: Probe | None = None) -> str:
    """The LLVM function of a unit; `late` stands for its probes, if they are made later.

    Raises:
        TypeError: The program breaks a rule of program/nodes.py (see program/spec.py).
    """
    e = new_emitter(module, unit.name, late.attach if late is not None else unit.points[0][0])
    e.late_probe = ProbeInfo(late.provider, "", "", late.name) if late is not None else None
    e.is_end = e.point == Once(Moment.END)
    clauses = [clause for firing in unit.firings for clause in firing.clauses]
    e.changed_in_loops = variables.changed_in_loops([*clauses, *module.program.error_clauses])
    prologue = e.out.block
    start = e.out.new_block("start")
    e.out.block.is_closed = True
    e.out.enter(start)
    prologue.is_closed = False
    done = e.out.new_block("done")
    for step in unit.steps:
        if isinstance(step, Selection):
            _selection(e, step)
        else:
            _firing(e, step, unit)
    end = e.out.new_block("end")
    release = e.out.new_block("release")
    e.out.enter(done)
    e.out.branch(release)
    _fault_code(e)
    _prologue(e, prologue, start, end)
    _epilogue(e, release, end)
    return e.out.text()


def _prologue(e: Emitter, prologue: Block, start: Block, done: Block) -> None:
    """Written last, when it is known what the unit needs."""
    e.out.block = prologue
    if not e.is_end:
        ready = e.out.new_block("tracing")
        exiting = e.out.load(e.module.global_address(Globals.EXITING), volatile=True)
        e.out.branch_if(e.out.compare("eq", exiting, ZERO), ready, done, (1, 0))
        e.out.enter(ready)
    if e.storage.is_used and isinstance(e.point, Uprobe):
        _claim_scratch(e, start, done)
    elif e.storage.is_used:
        map_, is_by_cpu = e.module.scratch(e.name, e.storage.size)
        index = e.out.truncate(e.cpu(), "i32") if is_by_cpu else const(0, "i32")
        e.out.store(index, e.word)
        e.out.lookup_scratch(map_, e.word, e.storage.bases)
        e.out.branch_if(e.out.compare("ne", Value("ptr", "%scratch"), NULL), start, done, (1, 0))
    else:
        e.out.branch(start)


def _claim_scratch(e: Emitter, start: Block, done: Block) -> None:
    """A scratch area that nobody uses: this program may be preempted, and run by another thread on the same CPU.

    The word behind an area is 1 while it is in use. Where all are, the firing is counted as missed.
    """
    out, size = e.out, e.storage.size
    map_ = e.module.scratch_areas(e.name, size + 8, _AREAS)
    first = out.binary("mul", e.cpu(), const(_AREAS))
    claimed = out.new_block("claimed")
    found: list[tuple[Value, Block]] = []
    for number in range(_AREAS):
        there, following = out.new_block("there"), out.new_block("busy")
        out.store(out.truncate(out.add(first, const(number)), "i32"), e.word)
        area = out.to_pointer(out.call(Helper.MAP_LOOKUP, map_, e.word))
        out.branch_if(out.compare("ne", area, NULL), there, done, (1, 0))
        out.enter(there)
        was_used = out.compare_exchange(out.offset(area, size), ZERO, const(1))
        found.append((area, out.block))
        out.branch_if(out.compare("eq", was_used, ZERO), claimed, following, (1, 0))
        out.enter(following)
    e.count(Globals.MISSED)
    out.branch(done)
    out.enter(claimed)
    out.name_scratch(out.phi(found), e.storage.bases)
    out.branch(start)


def _epilogue(e: Emitter, release: Block, end: Block) -> None:
    e.out.enter(release)
    if e.storage.is_used and isinstance(e.point, Uprobe):
        e.out.store(ZERO, e.out.offset(Value("ptr", "%scratch"), e.storage.size), volatile=True)
    e.out.enter(end)
    # After a 0, others who have the same trace event open by perf are not told of it: their counters stand still
    # (perf_trace_run_bpf_submit() in kernel/events/core.c).
    e.out.ret(const(1) if isinstance(e.point, Tracepoint) else ZERO)


# --- which probe fired ------------------------------------------------------------------------------------------------


def _selection(e: Emitter, step: Selection) -> None:
    done = e.out.new_block("selected")
    e.resumes.append(done)
    e.resume = len(e.resumes) - 1
    e.firing_init = e.out.block
    are_few = len(step.cases) <= _FEW
    before = after = e.may_have_exited  # at most one of the firings runs
    if step.guard is not None and not are_few:
        _test_guard(e, step.guard(NOWHERE), done)
    key_expr = step.key(NOWHERE)
    key = memory.context_word(e, key_expr, is_number=True) if isinstance(key_expr, ContextWord) else e.scalar(key_expr)
    blocks = [e.out.new_block("firing") for _ in step.firings]
    if are_few:
        probes: list[list[tuple[Value, Block]]] = [[] for _ in step.firings]
        for value, firing, probe in step.cases:
            number = step.firings.index(firing)
            following = e.out.new_block("case")
            probes[number].append((const(probe), e.out.block))
            e.out.branch_if(e.out.compare("eq", key, const(value)), blocks[number], following)
            e.out.enter(following)
        e.out.branch(done)
        for firing, block, incoming in zip(step.firings, blocks, probes, strict=True):
            e.out.enter(block)
            e.may_have_exited = before
            probe_id = incoming[0][0] if len(incoming) == 1 else e.out.phi(incoming)
            if step.guard is not None:  # here, for most events are of other probes
                _test_guard(e, step.guard(NOWHERE), done)
            _selected(e, firing, probe_id, done)
            after = after or e.may_have_exited
    else:
        entry = _table_entry(e, step, key, done)
        probe_id = e.out.binary("and", entry, const((1 << _FIRING_SHIFT) - 1))
        number_ = e.out.binary("lshr", entry, const(_FIRING_SHIFT))
        e.out.switch(number_, done, [(i + 1, block) for i, block in enumerate(blocks)])
        for firing, block in zip(step.firings, blocks, strict=True):
            e.out.enter(block)
            e.may_have_exited = before
            _selected(e, firing, probe_id, done)
            after = after or e.may_have_exited
    e.may_have_exited = after
    e.out.enter(done)


def _selected(e: Emitter, firing: Firing, probe_id: Value, done: Block) -> None:
    if len(firing.probe_ids) == 1:
        probe_id = const(firing.probe_ids[0])
    _clauses(e, firing, probe_id)
    e.out.branch(done)


def _table_entry(e: Emitter, step: Selection, key: Value, done: Block) -> Value:
    """Firing number (from 1) and probe id for a key, from a table; goes to `done` where there is none."""
    lowest = step.cases[0][0]
    numbers = [0] * (step.cases[-1][0] - lowest + 1)
    for value, firing, probe in step.cases:
        numbers[value - lowest] = (step.firings.index(firing) + 1) << _FIRING_SHIFT | probe
    table = e.module.constant(struct.pack(f"<{len(numbers)}I", *numbers))
    index = e.opaque(e.out.sub(key, const(lowest)))
    inside = e.out.new_block("inside")
    e.out.branch_if(e.out.compare("ult", index, const(len(numbers))), inside, done)
    e.out.enter(inside)
    entry = e.out.load(e.out.offset(table, e.out.binary("shl", index, const(2))), "i32")
    return e.out.extend(entry, False)


def _firing(e: Emitter, firing: Firing, unit: Unit) -> None:
    if unit.is_late:
        cookie = e.out.call(COOKIE, e.out.context, pure=True)
        e.late_clauses = e.out.alloca(8)
        e.out.store(e.out.binary("lshr", cookie, const(64 - Late.CLAUSES)), e.late_clauses)
        probe_id = e.out.binary("and", cookie, const((1 << 64 - Late.CLAUSES) - 1))
    elif unit.is_shared:
        probe_id = e.out.call(COOKIE, e.out.context, pure=True)
    else:
        probe_id = const(firing.probe_ids[0])
    _clauses(e, firing, probe_id)


def _test_guard(e: Emitter, guard: Expr, otherwise: Block) -> None:
    passed = e.out.new_block("passed")
    e.out.branch_if(e.is_true(e.scalar(guard)), passed, otherwise)
    e.out.enter(passed)


# --- clauses ----------------------------------------------------------------------------------------------------------


def _clauses(e: Emitter, firing: Firing, probe_id: Value) -> None:
    """One firing: its clauses in order; a fault, or a predicate that is false, goes on to the next."""
    done = e.out.new_block("fired")
    e.set_probe(probe_id)
    e.probe_ids = firing.probe_ids
    e.start_firing()
    if firing.guard is not None:
        e.resumes.append(done)
        e.resume = len(e.resumes) - 1
        _test_guard(e, firing.guard(NOWHERE), done)
    _clause_sequence(e, firing.clauses, done)
    e.out.enter(done)
    e.clause = None


def _clause_sequence(e: Emitter, clauses: tuple[Clause, ...], done: Block) -> None:
    chosen = e.late_clauses if len(clauses) > 1 and e.fault_info is None else None
    for number, clause in enumerate(clauses):
        after = e.out.new_block("clause")
        e.clause = clause
        e.resumes.append(after)
        e.resume = len(e.resumes) - 1
        if e.may_have_exited and not e.is_end:
            tracing = e.out.new_block("tracing")
            exiting = e.out.load(e.module.global_address(Globals.EXITING), volatile=True)
            e.out.branch_if(e.out.compare("eq", exiting, ZERO), tracing, done)
            e.out.enter(tracing)
        e.may_have_exited = e.may_have_exited or any(map(_may_exit, (clause, *e.module.program.error_clauses)))
        if chosen is not None:
            meant = e.out.new_block("meant")
            bit = e.out.binary("and", e.out.load(chosen), const(1 << number))
            e.out.branch_if(e.is_true(bit), meant, after)
            e.out.enter(meant)
        if clause.predicate is not None:
            _test_guard(e, clause.predicate, after)
        e.returns.append(Target(after))
        e.statement(clause.body)
        e.returns.pop()
        e.out.enter(after)
        e.storage.end_clause()
        e.records.clear()
        e.record_sizes.clear()


def _may_exit(clause: Clause) -> bool:
    return any(isinstance(node, Exit) for node in walk(clause.body))


# --- faults -----------------------------------------------------------------------------------------------------------


def _fault_code(e: Emitter) -> None:
    """The one place where all faults of the unit go: with site, kind, value, probe and where to go on."""
    if not e.faults:
        return
    out = e.out
    faults, resumes = e.faults, e.resumes
    raised = out.new_block("faults")
    out.enter(raised)
    for fault in faults:
        fault.source.lines.append(f"  br label %{raised.label}")
    site = out.phi([(const(f.site, "i32"), f.source) for f in faults])
    kind = out.phi([(const(f.kind.value, "i32"), f.source) for f in faults])
    value = out.phi([(f.value, f.source) for f in faults])
    probe = out.phi([(f.probe, f.source) for f in faults])
    resume = out.phi([(const(f.resume), f.source) for f in faults])
    has_error_clauses = bool(e.module.program.error_clauses)
    epid = out.phi([(const(f.clause + 1), f.source) for f in faults]) if has_error_clauses else ZERO
    e.set_probe(probe)
    records.emit_fault(e, site, kind, value)
    if has_error_clauses:
        _error_clauses(e, {1: epid, 2: out.extend(site, False), 4: out.extend(kind, False), 5: value})
    targets = sorted({f.resume for f in faults})
    if len(targets) == 1:
        out.branch(resumes[targets[0]])
    else:
        out.switch(resume, resumes[targets[0]], [(number, resumes[number]) for number in targets[1:]])


def _error_clauses(e: Emitter, info: dict[int, Value]) -> None:
    """ERROR's firing, inline. A fault in it is counted, and nothing more."""
    program, out = e.module.program, e.out
    ids = tuple(program.probe_ids[probe] for probe in program.error_clauses[0].probes)
    e.set_probe(const(ids[0]))
    e.probe_ids = ids
    e.faults, e.resumes = [], []
    # It is a firing of its own, in the midst of another: with its own variables, memory and time.
    e.variables, e.own_memory, e.own_used, e.timestamp = {}, None, None, None
    e.may_have_exited = any(map(_may_exit, (*program.clauses, *program.error_clauses)))
    e.start_firing()
    done = out.new_block("reported")
    e.fault_info = info
    _clause_sequence(e, program.error_clauses, done)
    out.enter(done)
    e.fault_info = None
    if not e.faults:
        return
    after, nested = out.new_block("error"), out.new_block("nested")
    out.branch(after)
    out.enter(nested)
    for fault in e.faults:
        fault.source.lines.append(f"  br label %{nested.label}")
    resume = out.phi([(const(f.resume), f.source) for f in e.faults])
    e.count(Globals.FAULT_DROPS)
    out.switch(resume, done, [(i, block) for i, block in enumerate(e.resumes)])
    out.enter(after)
