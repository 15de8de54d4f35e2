"""Actions that put data into the record: trace, tracemem, printf, printa.

printf("%s %d\n", execname, pid)      two fields, and Printf with the format and their indexes
printa("%s %@d\n", @a)                no field: the consumer knows the aggregation
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.builtins.registry import AggregationName, Builder, Builtin, Kind, Operand, register
from invivo.program.format import CONVERSIONS, Conversion, FormatError, conversions, parse_format
from invivo.program.nodes import Convert, Expr, Memory
from invivo.program.plan import Printa, Printf, PrintStack, PrintSymbol, Trace, Tracemem
from invivo.program.types import (
    INT,
    UCHAR,
    ULONG,
    Array,
    Float,
    Pointer,
    Space,
    Stack,
    String,
    Symbol,
    Type,
    a_type,
    is_integral,
    is_scalar,
)
from invivo.source import Span

__all__: list[str] = []

_MAX_BYTES = 16384  # of one tracemem()


def _trace(b: Builder, operands: Sequence[Operand]) -> None:
    value = b.value(operands[0])
    match value.type:
        case Stack():
            b.act(PrintStack(b.field(value)))
        case Symbol():
            b.act(PrintSymbol(b.field(value)))
        case Float():
            b.act(Printf(" %g" if not b.option("quiet") else "%g", (b.field(value),)))
        case _ if isinstance(value, Memory):
            b.act(Tracemem(b.field(value)))
        case _:
            b.act(Trace(b.field(value)))


def _tracemem(b: Builder, operands: Sequence[Operand]) -> None:
    address = b.raw(operands[0])
    size = b.constant(operands[1], "D_TRACEMEM_SIZE", "tracemem()'s size")
    if not 0 < size <= _MAX_BYTES:
        b.error("D_TRACEMEM_SIZE", operands[1].span, f"tracemem() takes from 1 to {_MAX_BYTES} bytes, not {size}")
    if not is_scalar(address.type):
        b.error("D_TRACEMEM_ADDR", address.span, f"tracemem() takes an address, not {a_type(address.type)}")
    space = address.type.space if isinstance(address.type, Pointer) else Space.KERNEL
    where = Convert(address, ULONG, address.span)
    b.act(Tracemem(b.field(Memory(where, space, Array(UCHAR, size), b.span))))


# --- printf -----------------------------------------------------------------------------------------------------------


def _format(b: Builder, operand: Operand, action: str) -> tuple[str, tuple[Conversion, ...]]:
    text = b.literal(operand)
    if text is None:
        b.error("D_PRINTF_ARG_FMT", operand.span, f"{action}()'s format must be a string literal")
    try:
        return text, conversions(parse_format(text))
    except FormatError as error:
        b.error("D_PRINTF_ARG_FMT", operand.span, error.message)


def _printf(b: Builder, operands: Sequence[Operand]) -> None:
    text, wanted = _format(b, operands[0], "printf")
    rest = list(operands[1:])
    needed = sum(1 + (c.width == "*") + (c.precision == "*") for c in wanted)
    if needed > len(rest):
        b.error(
            "D_PRINTF_ARG_PROTO",
            b.span,
            f"printf()'s format takes {_arguments(needed)}, {len(rest)} given",
            "write %% for a percent sign" if not rest else "",
        )
    if needed < len(rest):
        b.error(
            "D_PRINTF_ARG_EXTRA", rest[needed].span, f"printf()'s format takes {_arguments(needed)}, this is one more"
        )
    fields = []
    for conversion in wanted:
        if conversion.is_aggregation:
            b.error("D_PRINTF_AGG_CONV", operands[0].span, "%@ is printa()'s: printf() has no aggregation")
        for _ in range((conversion.width == "*") + (conversion.precision == "*")):
            width = b.raw(rest.pop(0))
            if not is_integral(width.type):
                b.error("D_PRINTF_DYN_TYPE", width.span, f"a width for * is an integer, not {a_type(width.type)}")
            fields.append(b.field(Convert(width, INT, width.span)))
        fields.append(b.field(_argument(b, conversion, rest.pop(0))))
    b.act(Printf(text, tuple(fields)))


def _arguments(number: int) -> str:
    return f"{number} argument{'s' if number != 1 else ''}"


def _argument(b: Builder, conversion: Conversion, operand: Operand) -> Expr:
    value = b.value(operand) if conversion.conv in "sS" else b.raw(operand)
    if not _fits(conversion.conv, value.type):
        _mismatch(b, conversion.conv, value.type, value.span)
    if conversion.conv == "A" and not isinstance(value.type, Symbol):
        return Convert(Convert(value, ULONG, value.span), Symbol("uaddr"), value.span)  # with its process
    return value


def _fits(conv: str, type_: Type) -> bool:
    if conv in "sS":
        return isinstance(type_, String | Symbol)
    if conv == "k":
        return isinstance(type_, Stack)
    if conv in "efg":
        return isinstance(type_, Float)
    if conv in "aAp":
        return is_scalar(type_) or isinstance(type_, Symbol)
    if conv in "diouxX":
        return is_scalar(type_)
    return is_integral(type_)


_INSTEAD = ((String, "use %s"), (Stack, "use %k"), (Float, "use %f, or cast it: (int)"))
_HINTS: dict[str, Callable[[Type], str]] = {
    "s": lambda type_: "use %d" if is_integral(type_) else "use %p, or stringof() for the string behind it",
    "d": lambda type_: next((hint for kind, hint in _INSTEAD if isinstance(type_, kind)), ""),
}


def _mismatch(b: Builder, conv: str, type_: Type, span: Span) -> None:
    hint = _HINTS["s" if conv in "sS" else "d"](type_)
    message = f"%{conv} prints {CONVERSIONS[conv]}, and this is {a_type(type_)}"
    b.error("D_PRINTF_ARG_TYPE", span, message, hint)


# --- printa -----------------------------------------------------------------------------------------------------------


def _printa(b: Builder, operands: Sequence[Operand]) -> None:
    text: str | None = None
    wanted: tuple[Conversion, ...] = ()
    rest = list(operands)
    if b.aggregation(rest[0]) is None and b.literal(rest[0]) is not None:
        text, wanted = _format(b, rest.pop(0), "printa")
    if not rest:
        b.error("D_PRINTA_PROTO", b.span, 'printa() takes an aggregation: printa(@name) or printa("format", @name)')
    found: list[AggregationName] = []
    for operand in rest:
        aggregation = b.aggregation(operand)
        if aggregation is None:
            b.error("D_PRINTA_AGGARG", operand.span, "printa() takes aggregations", "an aggregation is written @name")
        found.append(aggregation)
    b.later(lambda: _check_printa(b, wanted, found, operands[0].span, [operand.span for operand in rest]))
    b.act(Printa(tuple(aggregation.id for aggregation in found), text))


def _check_printa(
    b: Builder, wanted: Sequence[Conversion], found: Sequence[AggregationName], format_span: Span, spans: Sequence[Span]
) -> None:
    first = found[0].key_types
    for aggregation, span in zip(found, spans, strict=True):
        if aggregation.function is None:
            return  # reported where it is named
        if [isinstance(t, String) for t in aggregation.key_types] != [isinstance(t, String) for t in first]:
            b.error("D_PRINTA_AGGKEY", span, f"@{aggregation.name} and @{found[0].name} do not have the same keys")
    keys = list(first)
    values = 0
    for conversion in wanted:
        if conversion.is_aggregation:
            values += 1
            continue
        if not keys:
            message = f"the format prints more keys than the {len(first)} of @{found[0].name}"
            b.error("D_PRINTF_ARG_PROTO", format_span, message, "%@d prints the value")
        type_ = keys.pop(0)
        is_text = isinstance(type_, Array) and conversion.conv in "sS"
        if not is_text and not _fits(conversion.conv, type_):
            _mismatch(b, conversion.conv, type_, format_span)
    if values > len(found) > 1:  # one alone may be printed in several ways
        b.error(
            "D_PRINTF_ARG_PROTO",
            format_span,
            f"the format prints {values} values, and there are {len(found)} aggregations",
        )


register(
    Builtin("trace", Kind.ACTION, "void trace(expression)", "prints a value in its type's own format", action=_trace),
    Builtin(
        "tracemem",
        Kind.ACTION,
        "void tracemem(void *address, size_t size)",
        "prints memory as a hexadecimal dump; the size is a constant",
        action=_tracemem,
    ),
    Builtin(
        "printf",
        Kind.ACTION,
        "void printf(string format, ...)",
        "prints formatted values: see the conversions in invivo help formats",
        action=_printf,
    ),
    Builtin(
        "printa",
        Kind.ACTION,
        "void printa(format, ...)",
        'prints aggregations: printa(@a), or with a format, whose %@d is the value: printa("%s %@d\\n", @a)',
        action=_printa,
    ),
)
