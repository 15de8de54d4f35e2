"""Expressions as written: operators, names and literals.

    pid == 1    BinaryOp("==", Name("pid"), Number(1))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invivo.source import Span
from invivo.value import node

if TYPE_CHECKING:
    from invivo.lang.d.syntax.types import TypeName

__all__ = [
    "AddressOf",
    "AggRef",
    "AssignOp",
    "BinaryOp",
    "CallOp",
    "CastOp",
    "CommaOp",
    "ConditionalOp",
    "Deref",
    "Expression",
    "IndexOp",
    "MacroArg",
    "MemberOp",
    "Name",
    "Number",
    "OffsetOf",
    "PostfixOp",
    "PrefixOp",
    "SizeOfExpr",
    "SizeOfType",
    "StringLiteral",
    "StringOf",
    "UnaryOp",
    "XlateOp",
]


@node
class Number:
    """`suffix` is the lower-case suffix without digits: "", "u", "l", "ul", "ll", "ull". `is_char`: 'a'."""

    value: int
    suffix: str
    span: Span
    is_decimal: bool = True
    is_char: bool = False


@node
class StringLiteral:
    value: bytes
    span: Span


@node
class Name:
    """An identifier; `scope`: "" "self" "this"; `module` is set for ``module`symbol`` ("" for a bare backquote)."""

    name: str
    span: Span
    scope: str = ""
    module: str | None = None


@node
class MacroArg:
    """`$1`, `$target`, `$pid` ... by `name` without the dollar; `is_string` for `$$1`."""

    name: str
    is_string: bool
    span: Span


@node
class AggRef:
    """`@name[keys]`; keys is None without brackets; name is "" for `@`."""

    name: str
    keys: tuple[Expression, ...] | None
    span: Span


@node
class UnaryOp:
    op: str  # + - ! ~
    operand: Expression
    span: Span


@node
class PrefixOp:
    op: str  # ++ --
    operand: Expression
    span: Span


@node
class PostfixOp:
    op: str  # ++ --
    operand: Expression
    span: Span


@node
class BinaryOp:
    """All of C's, and `^^`. `&& || ^^` too."""

    op: str
    left: Expression
    right: Expression
    span: Span


@node
class AssignOp:
    op: str  # = += -= *= /= %= &= ^= |= <<= >>=
    target: Expression
    value: Expression
    span: Span


@node
class ConditionalOp:
    condition: Expression
    then: Expression
    other: Expression
    span: Span


@node
class CommaOp:
    first: Expression
    second: Expression
    span: Span


@node
class CallOp:
    """`name(arguments)`; only names can be called in D. `name_span` is the name's own."""

    name: str
    arguments: tuple[Expression, ...]
    span: Span
    name_span: Span


@node
class IndexOp:
    """`operand[indexes]`; more than one index only for associative arrays (and args has one)."""

    operand: Expression
    indexes: tuple[Expression, ...]
    span: Span


@node
class MemberOp:
    """`operand.name` or `operand->name` (is_arrow)."""

    operand: Expression
    name: str
    is_arrow: bool
    span: Span


@node
class Deref:
    operand: Expression
    span: Span


@node
class AddressOf:
    operand: Expression
    span: Span


@node
class CastOp:
    type: TypeName
    operand: Expression
    span: Span


@node
class SizeOfType:
    type: TypeName
    span: Span


@node
class SizeOfExpr:
    operand: Expression
    span: Span


@node
class OffsetOf:
    type: TypeName
    member: str
    span: Span


@node
class StringOf:
    operand: Expression
    span: Span


@node
class XlateOp:
    type: TypeName
    operand: Expression
    span: Span


Expression = (
    Number | StringLiteral | Name | MacroArg | AggRef | UnaryOp | PrefixOp | PostfixOp | BinaryOp | AssignOp
    | ConditionalOp | CommaOp | CallOp | IndexOp | MemberOp | Deref | AddressOf | CastOp | SizeOfType | SizeOfExpr
    | OffsetOf | StringOf | XlateOp
)  # fmt: skip
