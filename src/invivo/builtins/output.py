"""Actions that put data into the record: trace, tracemem, printf, printa.

printf("%s %d\n", execname, pid)      two fields, and Printf with the format and their indexes
printa("%s %@d\n", @a)                no field: the consumer knows the aggregation
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.formats import check_fits, format_of, formatted
from invivo.builtins.registry import AggregationName, Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Printa, Printf, PrintStack, PrintSymbol, Trace, Tracemem
from invivo.program.format import Conversion
from invivo.program.nodes import Convert, Memory
from invivo.program.types import (
    UCHAR,
    ULONG,
    Array,
    Float,
    Pointer,
    Space,
    Stack,
    String,
    Symbol,
    a_type,
    is_integral,
    is_scalar,
)
from invivo.source import Span

__all__: list[str] = []

_MAX_BYTES = 16384  # of one tracemem()


def _trace(b: Builder, operands: Sequence[Operand]) -> None:
    if b.is_action(operands[0]):
        b.error("D_TRACE_VOID", operands[0].span, "trace() takes a value, an action has none")
    if what := b.dynamic(operands[0]):
        b.error("D_TRACE_DYN", operands[0].span, f"trace() does not take {what}",
                "printa() prints aggregations; of what a translator makes take a member")  # fmt: skip
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
    data = b.field(Memory(where, space, Array(UCHAR, size), b.span))
    b.act(Tracemem(data, b.field(b.integer(operands[2])) if len(operands) > 2 else None))


def _printf(b: Builder, operands: Sequence[Operand]) -> None:
    b.act(Printf(*formatted(b, operands, "printf")))


# --- printa -----------------------------------------------------------------------------------------------------------


def _printa(b: Builder, operands: Sequence[Operand]) -> None:
    text: str | None = None
    wanted: tuple[Conversion, ...] = ()
    rest = list(operands)
    if b.aggregation(rest[0], "D_PRINTA_AGGBAD") is None and b.literal(rest[0]) is not None:
        text, wanted = format_of(b, rest.pop(0), "printa")
    if not rest:
        b.error("D_PRINTA_PROTO", b.span, 'printa() takes an aggregation: printa(@name) or printa("format", @name)')
    found: list[AggregationName] = []
    for operand in rest:
        aggregation = b.aggregation(operand, "D_PRINTA_AGGBAD")
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
        if len(aggregation.key_types) != len(first):
            message = f"@{aggregation.name} and @{found[0].name} do not have the same number of keys"
            b.error("D_PRINTA_AGGKEY", span, message)
        if [isinstance(t, String) for t in aggregation.key_types] != [isinstance(t, String) for t in first]:
            b.error("D_PRINTA_AGGPROTO", span, f"@{aggregation.name} and @{found[0].name} have keys of other types")
    keys = list(first)
    values = 0
    for conversion in wanted:
        for _ in range((conversion.width == "*") + (conversion.precision == "*")):
            if not keys:
                b.error("D_PRINTF_DYN_PROTO", format_span, f"@{found[0].name} has no key for each * of the format")
            if not is_integral(width := keys.pop(0)):
                b.error("D_PRINTF_DYN_TYPE", format_span, f"a key for * is an integer, not {a_type(width)}")
        if conversion.is_aggregation:
            values += 1
            continue
        if not keys:
            message = f"the format prints more keys than the {len(first)} of @{found[0].name}"
            b.error("D_PRINTF_ARG_PROTO", format_span, message, "%@d prints the value")
        type_ = keys.pop(0)
        if not (isinstance(type_, Array) and conversion.conv in "sS"):
            check_fits(b, conversion, type_, format_span)
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
        "void tracemem(void *address, size_t size [, size_t limit])",
        "prints memory as a hexadecimal dump; the size is a constant, the limit need not be",
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
