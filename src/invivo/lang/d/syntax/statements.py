"""Statements as written.

    if (x) exit(1);     IfStmt(Name("x"), ExpressionStmt(CallOp("exit", (Number(1),))), None)
"""

from __future__ import annotations

from invivo.lang.d.syntax.expressions import Expression
from invivo.lang.d.syntax.types import Declaration
from invivo.source import Span
from invivo.value import node

__all__ = [
    "BlockStmt",
    "BreakStmt",
    "ContinueStmt",
    "DeclStmt",
    "ExpressionStmt",
    "ForStmt",
    "IfStmt",
    "ReturnStmt",
    "Statement",
    "WhileStmt",
]


@node
class ExpressionStmt:
    expression: Expression
    span: Span


@node
class DeclStmt:
    """A declaration inside a body (invivo allows it): `int i = 0;` or `this int x;`."""

    declaration: Declaration
    span: Span


@node
class BlockStmt:
    statements: tuple[Statement, ...]
    span: Span


@node
class IfStmt:
    condition: Expression
    then: Statement
    other: Statement | None
    span: Span


@node
class WhileStmt:
    condition: Expression
    body: Statement
    span: Span


@node
class ForStmt:
    init: Expression | Declaration | None
    condition: Expression | None
    step: Expression | None
    body: Statement
    span: Span


@node
class BreakStmt:
    span: Span


@node
class ContinueStmt:
    span: Span


@node
class ReturnStmt:
    value: Expression | None
    span: Span


Statement = (
    ExpressionStmt | DeclStmt | BlockStmt | IfStmt | WhileStmt | ForStmt | BreakStmt | ContinueStmt | ReturnStmt
)  # fmt: skip
