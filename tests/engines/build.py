"""Typed programs by hand, without any language, and runs of them in the kernel.

In: nodes made by the short functions here. Out: a Program; or what running it printed, counted and complained about.

    d = Builder()
    d.clause(BEGIN, d.printf("%d\\n", op("+", number(1), number(2), INT)))
    d.run().text                                    "3\\n"

    results(op("/", d.unknown(7, INT), ...))        values of expressions whose operands no compiler can know
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from invivo.codegen import compile_program
from invivo.consumer.aggregate import AggregationView
from invivo.consumer.drops import Drop
from invivo.consumer.faults import Fault
from invivo.consumer.loop import Consumer
from invivo.consumer.records import Record
from invivo.engines.kernel.engine import KernelEngine
from invivo.engines.traits import kernel_traits
from invivo.output.collect import CollectOutput
from invivo.program.actions import Action, Printf, Trace
from invivo.program.attach import Moment, Once, Timer
from invivo.program.clauses import Clause, Context, Probe, Program
from invivo.program.layout import field_type, layout_record
from invivo.program.nodes import (
    Aggregation,
    Assign,
    Binary,
    Call,
    Compare,
    Convert,
    Element,
    Expr,
    IntLit,
    Load,
    ProbeName,
    Scope,
    StrCompare,
    StrLit,
    Update,
    Variable,
    VarRef,
)
from invivo.program.options import defaults
from invivo.program.plan import Plan, Traits
from invivo.program.records import AggFunction, FieldKind, FieldType, RecordLayout
from invivo.program.statements import AggUpdate, Block, Emit, ExprStmt, Stmt, StoreField
from invivo.program.types import INT, INT64, String, Type
from invivo.providers.catalog import Catalog
from invivo.providers.kernel_types import KernelTypes
from invivo.source import SourceFile, Span

__all__ = [
    "BEGIN",
    "END",
    "ERROR",
    "INTERNED",
    "ONCE",
    "SPAN",
    "Builder",
    "Running",
    "assign",
    "call",
    "catalog",
    "compare",
    "convert",
    "kernel_types",
    "number",
    "op",
    "probe_name",
    "ref",
    "results",
    "string_call",
    "text",
    "tick",
    "traits",
    "update",
]

SPAN = Span(SourceFile("test.d", "the text"), 0, 8)
INTERNED = FieldType(FieldKind.INTERNED, 4, name="string")

ONCE = Context("dtrace")
BEGIN = Probe("dtrace", "", "", "BEGIN", Once(Moment.BEGIN), ONCE)
END = Probe("dtrace", "", "", "END", Once(Moment.END), ONCE)
ERROR = Probe("dtrace", "", "", "ERROR", Once(Moment.ERROR), Context("dtrace:::ERROR", is_error=True))


@functools.cache
def kernel_types() -> KernelTypes:
    return KernelTypes()


@functools.cache
def traits() -> Traits:
    return kernel_traits(kernel_types())


@functools.cache
def catalog() -> Catalog:
    return Catalog(kernel_types(), traits())


def tick(interval_ns: int) -> Probe:
    return Probe("profile", "", "", f"tick-{interval_ns}ns", Timer(interval_ns), Context("tick"))


# --- expressions ------------------------------------------------------------------------------------------------------


def number(value: int, type_: Type = INT64) -> IntLit:
    return IntLit(value, type_, SPAN)


def text(value: bytes | str) -> StrLit:
    data = value.encode() if isinstance(value, str) else value
    return StrLit(data, String(len(data) + 1), SPAN)


def op(operator: str, left: Expr, right: Expr, type_: Type | None = None) -> Binary:
    return Binary(operator, left, right, type_ or left.type, SPAN)


def compare(operator: str, left: Expr, right: Expr) -> Compare | StrCompare:
    kind = StrCompare if isinstance(left.type, String) else Compare
    return kind(operator, left, right, INT, SPAN)


def convert(value: Expr, type_: Type) -> Convert:
    return Convert(value, type_, SPAN)


def call(primitive: str, *arguments: Expr, type_: Type = INT64) -> Call:
    return Call(primitive, arguments, type_, SPAN)


def string_call(primitive: str, *arguments: Expr, size: int = 256) -> Call:
    return Call(primitive, arguments, String(size), SPAN)


def ref(variable: Variable, *keys: Expr) -> VarRef | Element:
    if variable.keys is None:
        return VarRef(variable, variable.type, SPAN)
    return Element(variable, keys, variable.type, SPAN)


def assign(target: VarRef | Element | Load, value: Expr) -> ExprStmt:
    return ExprStmt(Assign(target, value, target.type, SPAN))


def update(operator: str, target: VarRef | Element | Load, value: Expr, *, is_postfix: bool = False) -> Update:
    return Update(operator, target, value, is_postfix, target.type, SPAN)


def probe_name(component: object) -> ProbeName:
    return ProbeName(component, String(256), SPAN)  # type: ignore[arg-type]


# --- programs ---------------------------------------------------------------------------------------------------------


class Builder:
    """A program as it grows; `options` are those of program.options."""

    def __init__(self, **options: int | str | bool) -> None:
        self.options: dict[str, object] = {**defaults(), **options}
        self.clauses: list[Clause] = []
        self.error_clauses: list[Clause] = []
        self.records: list[RecordLayout] = []
        self.aggregations: list[Aggregation] = []
        self.variables: list[Variable] = []
        self.strings: list[bytes] = []
        self._unknown: list[Stmt] = []

    # --- declarations ---

    def variable(
        self, name: str, type_: Type, scope: Scope = Scope.GLOBAL, keys: tuple[Type, ...] | None = None
    ) -> Variable:
        made = Variable(name, scope, type_, keys)
        self.variables.append(made)
        return made

    def unknown(self, value: int | bytes, type_: Type) -> VarRef:
        """A global that holds the value, set in another BPF program, so that neither LLVM nor the verifier knows it."""
        made = VarRef(self.variable(f"unknown{len(self._unknown)}", type_), type_, SPAN)
        given = text(value) if isinstance(value, bytes) else number(value, type_)
        self._unknown.append(assign(made, given))
        return made

    def aggregation(
        self, function: AggFunction, keys: Sequence[FieldType] = (), name: str = "", parameters: tuple[int, ...] = ()
    ) -> Aggregation:
        made = Aggregation(len(self.aggregations) + 1, name, function, parameters, tuple(keys))
        self.aggregations.append(made)
        return made

    # --- statements of the clause that comes next ---

    def printf(self, format_: str, *values: Expr) -> Block:
        return self.record(Printf(format_, tuple(range(len(values)))), *values)

    def trace(self, value: Expr) -> Block:
        return self.record(Trace(0), value)

    def record(self, action: Action, *values: Expr) -> Block:
        """Literals and probe names are stored by number, as the front end has it."""
        kinds = [INTERNED if isinstance(v, StrLit | ProbeName) else field_type(v.type) for v in values]
        fields, size = layout_record(kinds)
        layout = RecordLayout(len(self.records), len(self.clauses), size, fields, (action,))
        self.records.append(layout)
        stores = [StoreField(layout, index, value) for index, value in enumerate(values)]
        return Block((*stores, Emit(layout, SPAN)))

    def aggregate(
        self, aggregation: Aggregation, *keys: Expr, value: Expr | None = None, increment: Expr | None = None
    ) -> AggUpdate:
        return AggUpdate(aggregation, keys, value, increment, SPAN)

    # --- clauses ---

    def clause(self, probes: Probe | Sequence[Probe], *statements: Stmt | Expr, when: Expr | None = None) -> Clause:
        given = (probes,) if isinstance(probes, Probe) else tuple(probes)
        body = Block(tuple(s if not hasattr(s, "type") else ExprStmt(s) for s in statements))  # type: ignore[arg-type]
        index = len(self.clauses) + len(self.error_clauses)
        made = Clause(index, given, given[0].context, when, body, SPAN)
        (self.error_clauses if given[0].context.is_error else self.clauses).append(made)
        return made

    def program(self) -> Program:
        clauses = list(self.clauses)
        if self._unknown:
            clauses.insert(0, Clause(1000, (BEGIN,), ONCE, None, Block(tuple(self._unknown)), SPAN))
        probes = dict.fromkeys(p for clause in (*clauses, *self.error_clauses) for p in clause.probes)
        ids = {probe: identity for identity, probe in enumerate(probes, 1)}
        return Program(
            tuple(clauses), tuple(self.error_clauses), ids, tuple(self.variables), tuple(self.aggregations),
            tuple(self.records), tuple(self.strings), self.options,
        )  # fmt: skip

    def plan(self) -> Plan:
        return compile_program(self.program(), traits())

    # --- runs ---

    def start(self) -> Running:
        """Load, run BEGIN and enable, when entered; disable and run END when left."""
        return Running(self.plan())

    def run(self, events: Callable[[], object] = lambda: None) -> Running:
        """A whole run, `events` being made while the probes are enabled."""
        with self.start() as running:
            events()
        return running


class _Keep(CollectOutput):
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.faults: list[Fault] = []
        self.drops: list[Drop] = []

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def drop(self, drop: Drop) -> None:
        self.drops.append(drop)


class _Services:
    def __init__(self, engine: KernelEngine) -> None:
        self.refresh = engine.refresh
        self.stack = engine.stack

    def kernel_symbol(self, address: int) -> str:
        return f"{address:#x}"

    def user_symbol(self, pid: int, address: int, generation: int = 0, *, is_return: bool = False) -> str:
        return f"{address:#x}"

    def user_frames(
        self, pid: int, address: int, generation: int = 0, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        return ((self.user_symbol(pid, address, generation), "", False),)


class Running:
    """A plan while it runs, and what came of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.output = _Keep(plan)
        self.engine = KernelEngine(plan, self._merge)
        self.consumer = Consumer(plan, self.output, _Services(self.engine))
        self.records: list[Record] = []
        self.exit_code: int | None = None
        self.missed_runs = 0

    def _merge(self, aggregation: int, key: bytes, words: Sequence[int]) -> None:
        self.consumer.aggregations.merge(aggregation, key, words)

    def __enter__(self) -> Running:
        try:
            self.engine.load()
            self.engine.begin()
            if self.engine.exit_code is None:
                self.engine.enable()
        except BaseException:
            self.engine.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.engine.disable()
            self.take()
            self.engine.end()
            self.take()
            self.engine.refresh()
            self.exit_code = self.engine.exit_code
            self.missed_runs = self.engine.missed_runs()
            self.consumer.finish(self.engine.losses(), self.missed_runs)
        finally:
            self.engine.close()

    def take(self) -> list[Record]:
        """Records so far."""
        self.engine.read(self.consumer.feed)
        self.records += self.output.take_records()
        return self.records

    @property
    def text(self) -> str:
        return "".join(record.text for record in self.records)

    @property
    def values(self) -> list[tuple[object, ...]]:
        return [record.values for record in self.records]

    @property
    def faults(self) -> list[Fault]:
        return self.output.faults

    @property
    def drops(self) -> list[Drop]:
        return self.output.drops

    @property
    def aggregations(self) -> Mapping[str, AggregationView]:
        return self.consumer.aggregations.views()


def results(d: Builder, *expressions: Expr) -> list[object]:
    """The expressions' values, each recorded in a clause of its own at END; None where a fault ended the clause."""
    for index, expression in enumerate(expressions):
        d.clause(END, d.printf(f"{index}", expression))
    running = d.run()
    found: dict[int, object] = {record.clause: record.values[0] for record in running.records}
    assert not running.drops, running.drops
    return [found.get(index) for index in range(len(expressions))]
