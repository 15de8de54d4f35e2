"""Expressions of the syntax tree to typed expressions: the dispatch, and literals.

Number(1)                    IntLit(1, int)
BinaryOp("+", pid, 1)        operators.binary
MemberOp(curthread, "pid")   memory.member
"""

from __future__ import annotations

from typing import assert_never

from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.constants import literal_type, wrap
from invivo.program.nodes import Comma, Expr, IntLit, Memory, StrLit
from invivo.program.types import String
from invivo.value import replaced

__all__ = ["lower", "lower_any", "lower_key"]


def lower(c: ClauseState, expression: syntax.Expression) -> Expr:
    """The typed expression; a translated structure as a whole is none, and reported.

    Raises:
        Abandoned: It is wrong, and that has been reported.
    """
    result = lower_any(c, expression)
    if isinstance(result, Translated):
        name = result.translator.output.span.text
        c.program.error(
            "D_XLATE_INCOMPAT",
            expression.span,
            f"a translated {name} has no value as a whole",
            _take_a_member(result, expression),
        )
    return result


def lower_key(c: ClauseState, expression: syntax.Expression) -> Expr:
    """A key of an aggregation or array: what has no value of its own cannot be one."""
    if isinstance(expression, syntax.AggRef):
        c.program.error("D_KEY_TYPE", expression.span, f"the aggregation @{expression.name} cannot be a key")
    value = lower_any(c, expression)
    if isinstance(value, Translated):
        name = value.translator.output.span.text
        message = f"a translated {name} cannot be a key"
        c.program.error("D_KEY_TYPE", expression.span, message, _take_a_member(value, expression))
    return coerce.data(c, value, "a key", "D_KEY_TYPE")


def _take_a_member(value: Translated, expression: syntax.Expression) -> str:
    members = value.translator.members
    return f"take a member: {expression.span.text}->{members[0][0]}" if members else ""


def lower_any(c: ClauseState, expression: syntax.Expression) -> Expr | Translated:
    """The same, translated structures included."""
    from invivo.lang.d.lower import calls, casts, memory, names, operators, translators

    match expression:
        case syntax.Number():
            return _number(c, expression)
        case syntax.StringLiteral(value, span):
            text = value.partition(b"\0")[0]
            return StrLit(text, String(len(text) + 1), span)
        case syntax.Name():
            return names.name(c, expression)
        case syntax.MacroArg():
            return names.macro(c, expression)
        case syntax.AggRef(name, keys, span):
            c.program.error(
                "D_AGG_NULL" if keys or name in c.program.aggregations else "D_IDENT_UNDEF",
                span,
                f"the aggregation @{name} is no value that an expression can use",
                "it is assigned: @a = count(); and printed: printa(@a); a variable that expressions read has no @",
            )
        case syntax.UnaryOp() | syntax.PrefixOp() | syntax.PostfixOp():
            return operators.unary(c, expression)
        case syntax.BinaryOp():
            return operators.binary(c, expression)
        case syntax.AssignOp():
            return operators.assign(c, expression)
        case syntax.ConditionalOp():
            return operators.conditional(c, expression)
        case syntax.CommaOp(first, second, span):
            operators.no_aggregations(c, ",", first, second)
            before = lower(c, first)
            after = lower(c, second)
            if isinstance(after, Memory):
                return replaced(after, address=Comma(before, after.address, after.address.type, span))
            return Comma(before, after, after.type, span)
        case syntax.CallOp():
            return calls.call(c, expression)
        case syntax.IndexOp():
            return memory.index(c, expression)
        case syntax.MemberOp():
            return memory.member(c, expression)
        case syntax.Deref():
            return memory.dereference(c, expression)
        case syntax.AddressOf():
            return memory.address_of(c, expression)
        case syntax.CastOp():
            return casts.cast(c, expression)
        case syntax.SizeOfType() | syntax.SizeOfExpr() | syntax.OffsetOf():
            return casts.size(c, expression)
        case syntax.StringOf():
            return casts.string_of(c, expression)
        case syntax.XlateOp():
            return translators.xlate(c, expression)
    assert_never(expression)


def _number(c: ClauseState, number: syntax.Number) -> Expr:
    type_ = literal_type(number)
    if type_ is None:
        c.program.error("D_INT_OFLOW", number.span, f"{number.value} does not fit in 64 bits")
    return IntLit(wrap(number.value, type_), type_, number.span)
