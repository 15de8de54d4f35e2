"""Formats and their arguments, as printf(), system() and freopen() take them.

formatted(b, ("%s %d", execname, pid), "printf")      ("%s %d", (0, 1)): the format, and the fields of its arguments
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.builtins.registry import Builder, Operand
from invivo.program.format import CONVERSIONS, FLOATS, Conversion, FormatError, conversions, parse_format
from invivo.program.nodes import (
    Call,
    Compare,
    Conditional,
    Convert,
    Expr,
    InlineCall,
    IntLit,
    Scope,
    StrLit,
    Variable,
    VarRef,
)
from invivo.program.statements import Block, Return
from invivo.program.types import (
    INT,
    INT64,
    ULONG,
    Enum,
    Float,
    Int,
    Stack,
    String,
    Symbol,
    Type,
    a_type,
    is_integral,
    is_scalar,
)
from invivo.source import Span

__all__ = ["check_fits", "conversion_of", "format_of", "formatted"]

_MAX_NAMES = 64  # of an enumeration that %s prints by name
_DECIMAL_BYTES = 24  # of a 64-bit number with its sign, and the NUL


def format_of(b: Builder, operand: Operand, action: str) -> tuple[str, tuple[Conversion, ...]]:
    """An action's format, a literal, and its conversions."""
    text = b.literal(operand)
    if text is None:
        b.string(operand)
        b.error("D_PRINTF_ARG_FMT", operand.span, f"{action}()'s format must be a string literal")
    if not text and action in ("printf", "printa"):
        b.error("D_PRINTF_FMT_EMPTY", operand.span, f"{action}()'s format is empty")
    try:
        return text, conversions(parse_format(text))
    except FormatError as error:
        b.error("D_SYNTAX", operand.span, error.message)


def _is_dynamic(wanted: Sequence[Conversion], position: int) -> bool:
    """Whether the argument at a position is the width or precision that a `*` stands for."""
    kinds = [kind for c in wanted for kind in [*[True] * ((c.width == "*") + (c.precision == "*")), False]]
    return kinds[position]


def formatted(
    b: Builder, operands: Sequence[Operand], action: str, *, has_own_words: bool = False
) -> tuple[str, tuple[int, ...]]:
    """The format, the first operand, and the fields of the arguments that follow.

    With `has_own_words`, literals for %s become part of the format: they are words of the program, not traced text.
    """
    text, wanted = format_of(b, operands[0], action)
    rest = list(operands[1:])
    needed = sum(1 + (c.width == "*") + (c.precision == "*") for c in wanted)
    if needed > len(rest):
        b.error(
            "D_PRINTF_DYN_PROTO" if _is_dynamic(wanted, len(rest)) else "D_PRINTF_ARG_PROTO",
            b.span,
            f"{action}()'s format takes {_arguments(needed)}, {len(rest)} given",
            "write %% for a percent sign" if not rest else "",
        )
    if needed < len(rest):
        message = f"{action}()'s format takes {_arguments(needed)}, this is one more"
        b.error("D_PRINTF_ARG_EXTRA", rest[needed].span, message)
    fields = []
    pieces, position = [], 0
    for conversion in wanted:
        if conversion.is_aggregation:
            b.error("D_PRINTF_AGG_CONV", operands[0].span, f"%@ is printa()'s: {action}() has no aggregation")
        if has_own_words and _is_plain_string(conversion) and (word := b.literal(rest[0])) is not None:
            pieces += [text[position : conversion.offset], word.replace("%", "%%")]
            position = conversion.offset + conversion.length
            rest.pop(0)
            continue
        for _ in range((conversion.width == "*") + (conversion.precision == "*")):
            width = b.raw(rest.pop(0))
            if not is_integral(width.type):
                b.error("D_PRINTF_DYN_TYPE", width.span, f"a width for * is an integer, not {a_type(width.type)}")
            fields.append(b.field(Convert(width, INT, width.span)))
        fields.append(b.field(_argument(b, conversion, rest.pop(0))))
    return "".join([*pieces, text[position:]]), tuple(fields)


def _is_plain_string(conversion: Conversion) -> bool:
    return conversion.conv == "s" and conversion[:4] == ("", None, None, "")


def _arguments(number: int) -> str:
    return f"{number} argument{'s' if number != 1 else ''}"


def _argument(b: Builder, conversion: Conversion, operand: Operand) -> Expr:
    what = "what an action does" if b.is_action(operand) else b.dynamic(operand)
    if what:
        message = f"%{conversion.conv} prints {CONVERSIONS[conversion.conv]}, not {what}"
        b.error("D_PRINTF_ARG_TYPE", operand.span, message)
    value = b.value(operand) if conversion.conv in "sS" else b.raw(operand)
    if conversion.conv in "sS" and isinstance(value.type, Enum) and 0 < len(value.type.members) <= _MAX_NAMES:
        return _name_of(value, value.type)
    check_fits(b, conversion, value.type, value.span)
    if conversion.conv == "A" and not isinstance(value.type, Symbol):
        return Convert(Convert(value, ULONG, value.span), Symbol("uaddr"), value.span)  # with its process
    return value


def conversion_of(value: Expr) -> tuple[str, Expr]:
    """The conversion that shows a scalar as its type has it, and what to give to it."""
    match value.type:
        case Enum(members=members) if 0 < len(members) <= _MAX_NAMES:
            return "%s", _name_of(value, value.type)
        case Float():
            return "%g", value
        case Int(signed=False):
            return "%u", value
        case Int() | Enum():
            return "%d", value
    return "0x%x", Convert(value, ULONG, value.span)


def _name_of(value: Expr, type_: Enum) -> Expr:
    """The name of an enumeration's constant, or the number where it has none."""
    span = value.span
    number = Variable("number", Scope.LOCAL, INT64)
    given = VarRef(number, INT64, span)
    size = max(_DECIMAL_BYTES, *(len(name) + 1 for name, _ in type_.members))
    result: Expr = Call("lltostr", (given,), String(_DECIMAL_BYTES), span)
    for name, constant in reversed(type_.members):
        text = StrLit(name.encode(), String(len(name) + 1), span)
        is_it = Compare("==", given, IntLit(constant, INT64, span), INT, span)
        result = Conditional(is_it, text, result, String(size), span)
    body = Block((Return(result, span),))
    return InlineCall(((number, Convert(value, INT64, span)),), body, String(size), span)


def check_fits(b: Builder, conversion: Conversion, type_: Type, span: Span) -> None:
    """Report a value of a type that the conversion does not print."""
    conv = conversion.conv
    if not _fits(conv, type_):
        hint = _HINTS["s" if conv in "sS" else "d"](type_)
        message = f"%{conv} prints {CONVERSIONS[conv]}, and this is {a_type(type_)}"
        b.error("D_PRINTF_ARG_TYPE", span, message, hint)


def _fits(conv: str, type_: Type) -> bool:
    if conv in "sS":
        return isinstance(type_, String | Symbol)
    if conv == "k":
        return isinstance(type_, Stack)
    if conv in "aAp":
        return is_scalar(type_) or isinstance(type_, Symbol)
    if conv in "diouxX":
        return is_scalar(type_)
    if conv in FLOATS:
        return isinstance(type_, Float)
    return is_integral(type_)


_INSTEAD = ((String, "use %s"), (Stack, "use %k"), (Float, "use %f, or cast it: (int)"))
_HINTS: dict[str, Callable[[Type], str]] = {
    "s": lambda type_: "use %d" if is_integral(type_) else "use %p, or stringof() for the string behind it",
    "d": lambda type_: next((hint for kind, hint in _INSTEAD if isinstance(type_, kind)), ""),
}
