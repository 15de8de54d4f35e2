"""Casts, stringof, sizeof and offsetof.

(struct x *)arg0           Convert(arg0, struct x *)
stringof(p, n)             ReadString from where p leads, at most n bytes
sizeof(struct x)           IntLit(24)
"""

from __future__ import annotations

from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, variables
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.ctypes import resolve
from invivo.lang.d.lower.expressions import lower, lower_any
from invivo.program.nodes import Comma, Expr, IntLit, Load, Memory, ReadString
from invivo.program.types import (
    INT,
    ULONG,
    VOID,
    Enum,
    Float,
    Int,
    Pointer,
    Space,
    Stack,
    String,
    Struct,
    Void,
    a_type,
    is_scalar,
    size_of,
    type_name,
)
from invivo.source import Span
from invivo.value import replaced

__all__ = ["cast", "size", "string_of"]


def cast(c: ClauseState, expression: syntax.CastOp) -> Expr | Translated:
    """`(type)value`."""
    type_ = resolve(c.program, expression.type)
    value = lower_any(c, expression.operand)
    span = expression.span
    if isinstance(value, Translated):
        return value
    if isinstance(type_, String):
        return _stringify(c, value, span)
    value = coerce.decayed(value)
    if isinstance(type_, Void):
        return Comma(value, IntLit(0, INT, span), VOID, span)
    if isinstance(value, Memory) and isinstance(value.type, Float) and isinstance(type_, Int | Enum):
        from invivo.lang.d.lower.floats import to_integer

        return to_integer(c, value, type_, span)
    if not isinstance(type_, Int | Enum | Pointer):
        hint = f"cast a pointer: *({type_name(type_)} *)address" if isinstance(type_, Struct) else ""
        c.program.error("D_CAST_INVAL", span, f"a value cannot be cast to {type_name(type_)}", hint)
    if isinstance(value.type, Stack) and isinstance(type_, Int):
        return coerce.convert(value, type_)  # its identity
    if not is_scalar(value.type):
        hint = "only numbers and pointers can be cast"
        if isinstance(value.type, String):
            hint = "the number that a string has is its length: strlen()"
        c.program.error("D_CAST_INVAL", span, f"{a_type(value.type)} cannot be cast to {type_name(type_)}", hint)
    is_own = isinstance(value.type, Pointer) and value.type.space in variables.OWN_SPACES  # at a program's probes too
    if isinstance(type_, Pointer) and isinstance(value.type, Pointer) and (type_.space is Space.KERNEL or is_own):
        type_ = Pointer(type_.target, value.type.space)  # a cast says what lies there, not where
    elif isinstance(type_, Pointer) and isinstance(value.type, Pointer):
        value = coerce.bits(value)
    return coerce.convert(value, type_)


def string_of(c: ClauseState, expression: syntax.StringOf) -> Expr:
    """`stringof(value)`, and `stringof(address, length)` of bytes that no NUL ends."""
    operand = expression.operand
    if not isinstance(operand, syntax.CommaOp):
        return _stringify(c, lower(c, operand), expression.span)
    value = _stringify(c, lower(c, operand.first), expression.span)
    length = coerce.integer(c, lower(c, operand.second), "the length of stringof()")
    if not isinstance(value, ReadString):
        c.program.error("D_STRINGOF_TYPE", expression.span, "a length goes with an address", "substr(s, 0, length)")
    return replaced(value, limit=coerce.convert(length, ULONG))


def _stringify(c: ClauseState, value: Expr, span: Span) -> Expr:
    if isinstance(value.type, String):
        return value
    if isinstance(value, Memory) and not coerce.is_textual(value.type):
        c.program.error("D_STRINGOF_TYPE", span, f"{a_type(value.type)} cannot become a string")
    if not isinstance(value, Memory) and not is_scalar(value.type):
        c.program.error("D_STRINGOF_TYPE", span, f"{a_type(value.type)} cannot become a string")
    return coerce.read_string(c, value)


def size(c: ClauseState, expression: syntax.SizeOfType | syntax.SizeOfExpr | syntax.OffsetOf) -> Expr:
    """sizeof and offsetof."""
    from invivo.lang.d.lower.ctypes import size_type

    span = expression.span
    if isinstance(expression, syntax.OffsetOf):
        type_ = resolve(c.program, expression.type)
        found = type_.find(expression.member) if isinstance(type_, Struct) else None
        if not isinstance(type_, Struct):
            c.program.error("D_OFFSETOF_TYPE", span, f"offsetof takes a structure, not {a_type(type_)}")
        if found is None:
            c.program.error("D_TYPE_MEMBER", span, f"{type_name(type_)} has no member '{expression.member}'")
        if found.bit_size:
            c.program.error("D_OFFSETOF_BITFIELD", span, "a bit-field has no offset in bytes")
        return IntLit(found.bit_offset // 8, size_type(), span)
    if isinstance(expression, syntax.SizeOfType):
        measured = resolve(c.program, expression.type)
    else:
        value = lower_any(c, expression.operand)
        if isinstance(value, Load) and value.bits is not None:
            c.program.error("D_SIZEOF_BITFIELD", span, "a bit-field has no size in bytes")
        measured = value.input.type if isinstance(value, Translated) else value.type
    bytes_ = size_of(measured)
    if bytes_ is None:
        c.program.error("D_SIZEOF_TYPE", span, f"{a_type(measured)} has no size")
    return IntLit(bytes_, size_type(), span)
