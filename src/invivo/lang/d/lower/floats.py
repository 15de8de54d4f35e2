"""Floating-point values: BPF cannot compute with them, so they are read as bytes, printed, and made integers by hand.

printf("%f", p->weight)    a Memory of type double, copied into the record; the consumer makes it text
(int)p->weight             InlineCall: the bits are loaded, and the mantissa is shifted as the exponent says
"""

from __future__ import annotations

from invivo.lang.d.lower import coerce
from invivo.lang.d.lower.clause import ClauseState
from invivo.program.nodes import (
    Binary,
    Compare,
    Conditional,
    Expr,
    InlineCall,
    IntLit,
    Load,
    Memory,
    Scope,
    Unary,
    Variable,
    VarRef,
)
from invivo.program.statements import Block, Return
from invivo.program.types import INT, INT64, ULONG, Enum, Float, Int, type_name
from invivo.source import Span

__all__ = ["to_integer"]

# By size in bytes: bits of the fraction, mask of the exponent, its bias (IEEE 754-2019, table 3.5).
_FORMATS = {4: (23, 0xFF, 127), 8: (52, 0x7FF, 1023)}


def to_integer(c: ClauseState, value: Memory, type_: Int | Enum, span: Span) -> Expr:
    """The value without its fraction, as C has it; what does not fit in 64 bits becomes INT64_MIN, as on x86-64."""
    assert isinstance(value.type, Float)
    form = _FORMATS.get(value.type.size)
    if form is None:
        c.program.error("D_CAST_INVAL", span, f"a {type_name(value.type)} cannot be cast to {type_name(type_)}",
                        'print it: printf("%f", ...)')  # fmt: skip
    fraction_bits, exponent_mask, bias = form
    width = 8 * value.type.size
    raw_type = Int("uint32_t", 4, False) if width == 32 else ULONG
    raw = Variable("bits", Scope.LOCAL, ULONG)
    load = coerce.convert(Load(coerce.bits(value.address), value.space, raw_type, span), ULONG)
    bits = VarRef(raw, ULONG, span)

    def number(constant: int) -> IntLit:
        return IntLit(constant & (1 << 64) - 1, ULONG, span)

    def calculate(op: str, left: Expr, right: Expr) -> Expr:
        return Binary(op, left, right, ULONG, span)

    def choose(op: str, left: Expr, limit: int, then: Expr, other: Expr) -> Expr:
        return Conditional(Compare(op, left, number(limit), INT, span), then, other, ULONG, span)

    exponent = calculate("&", calculate(">>", bits, number(fraction_bits)), number(exponent_mask))
    fraction = calculate("&", bits, number((1 << fraction_bits) - 1))
    mantissa = calculate("|", fraction, number(1 << fraction_bits))
    point = bias + fraction_bits  # the exponent at which the mantissa is the number itself
    left = calculate("<<", mantissa, calculate("-", exponent, number(point)))
    right = calculate(">>", mantissa, calculate("-", number(point), exponent))
    magnitude = choose(
        "<", exponent, bias, number(0),
        choose(">=", exponent, bias + 63, number(1 << 63), choose(">=", exponent, point, left, right)),
    )  # fmt: skip
    is_negative = calculate("&", calculate(">>", bits, number(width - 1)), number(1))
    # Negating 1 << 63 gives itself, so both signs of what is too large become INT64_MIN.
    signed = choose("!=", is_negative, 0, Unary("-", magnitude, ULONG, span), magnitude)
    result = coerce.convert(signed, INT64)
    call = InlineCall(((raw, load),), Block((Return(result, span),)), INT64, span)
    return coerce.convert(call, type_)
