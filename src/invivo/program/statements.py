"""Statements of the typed program, whose expressions are in `nodes`.

    printf("%d", x)  Block((StoreField(layout, 0, VarRef(x)), Emit(layout)))
    if (x) exit(1)    If(VarRef(x), Block((Exit(IntLit(1)),)), None)
    @[pid] = count()  AggUpdate(agg, (pid_expr,), None, None)
"""

from __future__ import annotations

from invivo.program.nodes import Aggregation, Expr
from invivo.program.records import RecordLayout
from invivo.source import Span
from invivo.value import node


@node
class Block:
    statements: tuple[Stmt, ...]


@node
class ExprStmt:
    expr: Expr


@node
class If:
    condition: Expr
    then: Block
    other: Block | None


@node
class Loop:
    """While `condition` (None: for ever) is not 0: body, then `step`. `continue` goes to the step.

    A loop that does not end is stopped by the engine and is a fault (FaultKind.LOOP).
    """

    condition: Expr | None
    body: Block
    step: Expr | None
    span: Span


@node
class Break:
    span: Span


@node
class Continue:
    span: Span


@node
class Return:
    """Leaves the enclosing InlineCall, or outside of one the clause (with value None)."""

    value: Expr | None
    span: Span


@node
class StoreField:
    """Field `index` of record `layout` becomes the value; several of these come before the layout's `Emit`."""

    layout: RecordLayout
    index: int
    value: Expr


@node
class Emit:
    """Send the record built by the StoreFields before it. If the ring buffer is full the record is counted as dropped,
    and the clause goes on."""

    layout: RecordLayout
    span: Span


@node
class AggUpdate:
    """`@a[keys] = function(value, increment)`; `value` is None for count(), `increment` is None for 1.

    Keys are stored as the aggregation's FieldTypes say.
    """

    aggregation: Aggregation
    keys: tuple[Expr, ...]
    value: Expr | None
    increment: Expr | None
    span: Span


@node
class Exit:
    """exit(code): no clause of any probe but END runs after this one; the consumer is woken."""

    code: Expr
    span: Span


Stmt = ExprStmt | If | Loop | Break | Continue | Return | StoreField | Emit | AggUpdate | Exit | Block
