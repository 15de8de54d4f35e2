"""Aggregating functions, and the actions on aggregations.

@[execname] = quantize(arg0)     a value, no parameters
@ = lquantize(x, 0, 100, 10)     parameters (0, 100, 10), which must be the same wherever @ is assigned
trunc(@, 10)                     a field with 10, and Trunc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.builtins.registry import Aggregating, AggregationName, Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Action, Clear, Denormalize, Normalize, Trunc
from invivo.program.nodes import Convert
from invivo.program.records import AggFunction
from invivo.program.types import INT64

__all__: list[str] = []

_Split = tuple[tuple[int, ...], Operand | None, Operand | None]

_INT32 = range(-(1 << 31), 1 << 31)
_UINT16_MAX = 65535


def _none(b: Builder, operands: Sequence[Operand]) -> _Split:
    return (), None, None


def _one(b: Builder, operands: Sequence[Operand]) -> _Split:
    return (), operands[0], operands[1] if len(operands) > 1 else None


def _linear(b: Builder, operands: Sequence[Operand]) -> _Split:
    """lquantize(value, base, limit [, step [, increment]])."""
    base = b.constant(operands[1], "D_LQUANT_BASETYPE", "lquantize()'s lower bound")
    limit = b.constant(operands[2], "D_LQUANT_LIMTYPE", "lquantize()'s upper bound")
    step = b.constant(operands[3], "D_LQUANT_STEPTYPE", "lquantize()'s step") if len(operands) > 3 else 1
    if base not in _INT32:
        b.error("D_LQUANT_BASEVAL", operands[1].span, f"lquantize()'s lower bound {base} is not a 32-bit number")
    if limit not in _INT32:
        b.error("D_LQUANT_LIMVAL", operands[2].span, f"lquantize()'s upper bound {limit} is not a 32-bit number")
    if limit < base:
        b.error(
            "D_LQUANT_MISMATCH", operands[2].span, f"lquantize()'s upper bound {limit} is not above the lower, {base}"
        )
    if step < 1:
        b.error("D_LQUANT_STEPTYPE", operands[3].span, f"lquantize()'s step must be at least 1, not {step}")
    if step > limit - base:
        b.error("D_LQUANT_STEPLARGE", operands[min(3, len(operands) - 1)].span,
                f"lquantize()'s step {step} is wider than its range")  # fmt: skip
    if (limit - base) // step > _UINT16_MAX:
        b.error("D_LQUANT_STEPSMALL", (operands[3] if len(operands) > 3 else operands[2]).span,
                f"lquantize() would have {(limit - base) // step} buckets, at most {_UINT16_MAX} are possible",
                "take a greater step")  # fmt: skip
    return (base, limit, step), operands[0], operands[4] if len(operands) > 4 else None


_LOGLINEAR = (("factor", "FACTOR"), ("low magnitude", "LMAG"), ("high magnitude", "HMAG"), ("steps", "STEP"))


def _loglinear(b: Builder, operands: Sequence[Operand]) -> _Split:
    """llquantize(value, factor, low, high, steps [, increment])."""
    numbers = []
    for operand, (what, tag) in zip(operands[1:5], _LOGLINEAR, strict=True):
        number = b.constant(operand, f"D_LLQUANT_{tag}TYPE", f"llquantize()'s {what}")
        least = 2 if tag == "FACTOR" else 1 if tag == "STEP" else 0
        if not least <= number <= _UINT16_MAX:
            b.error(
                f"D_LLQUANT_{tag}{'TYPE' if tag == 'STEP' and number < least else 'VAL'}",
                operand.span,
                f"llquantize()'s {what} is from {least} to {_UINT16_MAX}, not {number}",
            )
        numbers.append(number)
    factor, low, high, steps = numbers
    if high < low:
        b.error(
            "D_LLQUANT_HMAGVAL", operands[3].span, f"llquantize()'s high magnitude {high} is below the low one, {low}"
        )
    if high + 1 > 64 or factor ** (high + 1) >= 1 << 64:
        b.error("D_LLQUANT_HMAGVAL", operands[3].span, f"{factor} to the power of {high + 1} does not fit in 64 bits")
    is_even = factor % steps == 0 if steps < factor else steps % factor == 0
    if not is_even or (steps > factor and low == 0 and (factor * factor) % steps):
        message = f"llquantize()'s steps {steps} do not divide the factor {factor} evenly"
        b.error("D_LLQUANT_STEPVAL", operands[4].span, message,
                "steps are a divisor of the factor, or a multiple of it that divides its square")  # fmt: skip
    return (factor, low, high, steps), operands[0], operands[5] if len(operands) > 5 else None


def _function(
    function: AggFunction, rest: str, doc: str, split: Callable[[Builder, Sequence[Operand]], _Split]
) -> Builtin:
    return Builtin(
        function.value,
        Kind.AGGREGATING,
        f"aggregation {function.value}({rest})",
        doc,
        aggregating=Aggregating(function, split),
    )


# --- actions ----------------------------------------------------------------------------------------------------------


def _named(b: Builder, operand: Operand, action: str, tag: str) -> AggregationName:
    aggregation = b.aggregation(operand, f"D_{tag}_AGGBAD")
    if aggregation is None:
        b.error(f"D_{tag}_AGGARG", operand.span, f"{action}() takes an aggregation without keys", "written @name")
    return aggregation


def _simple(action: str, tag: str, make: Callable[[int], Action]) -> Callable[[Builder, Sequence[Operand]], None]:
    def act(b: Builder, operands: Sequence[Operand]) -> None:
        b.act(make(_named(b, operands[0], action, tag).id))

    return act


def _trunc(b: Builder, operands: Sequence[Operand]) -> None:
    aggregation = _named(b, operands[0], "trunc", "TRUNC")
    field = b.field(Convert(b.integer(operands[1]), INT64, operands[1].span)) if len(operands) > 1 else None
    b.act(Trunc(aggregation.id, field))


def _normalize(b: Builder, operands: Sequence[Operand]) -> None:
    aggregation = _named(b, operands[0], "normalize", "NORMALIZE")
    b.act(Normalize(aggregation.id, b.field(b.integer(operands[1], "D_NORMALIZE_SCALAR"))))


register(
    _function(AggFunction.COUNT, "", "number of times", _none),
    _function(AggFunction.SUM, "int64_t value", "total", _one),
    _function(AggFunction.AVG, "int64_t value", "mean", _one),
    _function(AggFunction.MIN, "int64_t value", "least", _one),
    _function(AggFunction.MAX, "int64_t value", "greatest", _one),
    _function(AggFunction.STDDEV, "int64_t value", "standard deviation", _one),
    _function(AggFunction.QUANTIZE, "int64_t value [, int64_t increment]", "histogram by powers of two", _one),
    _function(
        AggFunction.LQUANTIZE,
        "int64_t value, int base, int limit [, int step, int64_t increment]",
        "histogram with steps of one width",
        _linear,
    ),
    _function(
        AggFunction.LLQUANTIZE,
        "int64_t value, int factor, int low, int high, int steps [, int64_t increment]",
        "histogram with steps of one width within each power of the factor",
        _loglinear,
    ),
    Builtin("clear", Kind.ACTION, "void clear(@aggregation)", "sets values to 0, keeps keys",
            action=_simple("clear", "CLEAR", Clear)),
    Builtin("trunc", Kind.ACTION, "void trunc(@aggregation [, int count])",
            "removes all keys, or all but the `count` greatest (negative: least) values", action=_trunc),
    Builtin("normalize", Kind.ACTION, "void normalize(@aggregation, uint64_t divisor)",
            "divides values when they are printed", action=_normalize),
    Builtin("denormalize", Kind.ACTION, "void denormalize(@aggregation)", "ends normalize()",
            action=_simple("denormalize", "NORMALIZE", Denormalize)),
)  # fmt: skip
