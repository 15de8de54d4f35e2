"""What one clause sees while it is lowered: its context, the names in scope, the statements and the record so far.

A clause is lowered once for each kind of context that its probes have; all share one `ProgramState`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.program.actions import Action, Speculate
from invivo.program.clauses import Context
from invivo.program.layout import field_type, layout_record
from invivo.program.nodes import Call, Expr, ProbeName, StrLit, Variable, VarRef
from invivo.program.records import FieldKind, FieldType, RecordLayout
from invivo.program.statements import Block, Emit, Stmt, StoreField
from invivo.program.types import INT64, Type
from invivo.source import SourceFile, Span
from invivo.value import fresh, mutable, node

__all__ = ["ClauseState", "Function", "Translated", "outside"]


_NOWHERE = Span(SourceFile("", ""), 0, 0)


@node
class Translated:
    """A value of a translated type, which has no memory: its members are expressions over the translator's input."""

    translator: syntax.TranslatorDecl
    input: Expr
    is_pointer: bool
    span: Span


Binding = Variable | Expr | Translated


@mutable
class Function:
    """A local function whose body is being lowered."""

    name: str
    result: Type


@mutable
class _Record:
    """A record under construction. Its layout is known when it ends; until then its StoreFields are gaps in `sink`."""

    sink: list[Stmt | None]
    types: list[FieldType] = fresh(factory=list)
    gaps: list[tuple[int, Expr]] = fresh(factory=list)  # (position in sink, value), by field
    actions: list[Action] = fresh(factory=list)


@mutable
class ClauseState:
    """See the module."""

    program: ProgramState
    context: Context
    index: int
    scopes: list[dict[str, Binding]] = fresh(factory=lambda: [{}])
    sinks: list[list[Stmt | None]] = fresh(factory=list)
    functions: list[Function] = fresh(factory=list)
    inlines: list[str] = fresh(factory=list)
    loops: int = 0
    may_act: bool = False  # a call is a statement of its own, where functions may print
    record: _Record | None = None
    speculation: Variable | None = None  # holds the number of the speculation that records go to
    has_data: bool = False
    has_commit: bool = False
    locals: list[Variable] = fresh(factory=list)

    # --- names --------------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Binding | None:
        """What a name means here and nowhere else: a local variable or a parameter."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    @contextmanager
    def scope(self, bindings: dict[str, Binding] | None = None) -> Iterator[None]:
        """A block with names of its own."""
        self.scopes.append(bindings or {})
        try:
            yield
        finally:
            self.scopes.pop()

    @contextmanager
    def apart(self, bindings: dict[str, Binding]) -> Iterator[None]:
        """A text from elsewhere (a function, an inline, a translator): it sees its parameters and no locals of ours."""
        scopes, loops = self.scopes, self.loops
        self.scopes, self.loops = [bindings], 0
        try:
            yield
        finally:
            self.scopes, self.loops = scopes, loops

    # --- statements ---------------------------------------------------------------------------------------------------

    def add(self, statement: Stmt) -> None:
        self.sinks[-1].append(statement)

    @contextmanager
    def block(self) -> Iterator[list[Block]]:
        """Collects the statements added within; afterwards the list holds the one Block."""
        result: list[Block] = []
        outer, self.record = self.record, None
        before = self.speculation, self.has_data, self.has_commit
        self.sinks.append([])
        try:
            yield result
            self.flush()
        finally:
            statements = self.sinks.pop()
            self.record = outer
            self.speculation, self.has_data, self.has_commit = before
        result.append(Block(tuple(s for s in statements if s is not None)))

    # --- the record ---------------------------------------------------------------------------------------------------

    def put(self, value: Expr) -> int:
        """Store a value in the record; yields its field's index."""
        record = self._open()
        if isinstance(value, ProbeName | StrLit):
            type_ = FieldType(FieldKind.INTERNED, 4, False, "string")
            if isinstance(value, StrLit):
                self.program.intern(value.value)
        else:
            type_ = field_type(value.type)
        record.gaps.append((len(record.sink), value))
        record.sink.append(None)
        record.types.append(type_)
        return len(record.types) - 1

    def act(self, action: Action) -> None:
        self._open().actions.append(action)

    def open_record(self) -> None:
        """Begin a record, even if nothing is put into it."""
        self._open()

    def emit_default(self, span: Span) -> None:
        """The record of a clause without statements: it has no data, and makes a line of output."""
        self._open()
        self.flush(span)

    def _open(self) -> _Record:
        if self.record is None:
            self.record = _Record(self.sinks[-1])
        return self.record

    def flush(self, span: Span | None = None) -> None:
        """End the record under construction, if there is one."""
        if self.record is not None and self.speculation is not None:
            number = VarRef(self.speculation, INT64, span or _NOWHERE)
            state = Call("speculation_state", (number,), INT64, number.span)
            # Last, so that the fields before them are those of a record that is not held back.
            self.record.actions.insert(0, Speculate(self.put(number), self.put(state)))
        record, self.record = self.record, None
        if record is None:
            return
        fields, size = layout_record(record.types)
        layout = RecordLayout(len(self.program.records), self.index, size, fields, tuple(record.actions))
        self.program.records.append(layout)
        for i, (position, value) in enumerate(record.gaps):
            record.sink[position] = StoreField(layout, i, value)
        where = record.gaps[0][1].span if record.gaps else span or _NOWHERE
        self.add(Emit(layout, where))


def outside(program: ProgramState, span: Span) -> ClauseState:
    """For expressions outside of clauses: constants only."""
    return ClauseState(program, Context("constant"), 0)
