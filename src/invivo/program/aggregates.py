"""The arithmetic of aggregating functions, said once: words, buckets, bounds, combination, results.

The code generator makes BPF that agrees with this page, the consumer adds up and prints by it, and the reference
engine runs it. A value of an aggregation is an array of 64-bit words, all zero at first; values are signed.

    words(AggFunction.QUANTIZE, ())                  127
    bucket(AggFunction.QUANTIZE, (), 5)              66, which holds 4 <= v < 8
    bounds(AggFunction.LQUANTIZE, (0, 100, 10))[1]   (0, 10)
"""

from __future__ import annotations

from itertools import pairwise

from invivo.program.records import AggFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bounds", "bucket", "combine", "is_distribution", "levels", "magnitudes", "result", "update", "words"]

INT64_MIN = -(1 << 63)
INT64_END = 1 << 63  # one above the greatest
_MASK = (1 << 64) - 1
_SIGN = 1 << 63
_ZERO_BUCKET = 63  # of quantize()

_WORDS = {
    AggFunction.COUNT: 1, AggFunction.SUM: 1, AggFunction.MIN: 1, AggFunction.MAX: 1, AggFunction.AVG: 2,
    AggFunction.STDDEV: 4, AggFunction.QUANTIZE: 127,
}  # fmt: skip


def is_distribution(function: AggFunction) -> bool:
    """Whether the words are buckets."""
    return function in (AggFunction.QUANTIZE, AggFunction.LQUANTIZE, AggFunction.LLQUANTIZE)


def words(function: AggFunction, parameters: Sequence[int]) -> int:
    """Number of 64-bit words of a value."""
    if function is AggFunction.LQUANTIZE:
        return levels(parameters) + 2
    if function is AggFunction.LLQUANTIZE:
        return 2 * sum(count for _, _, _, count, _ in magnitudes(parameters)) + 3
    return _WORDS[function]


def levels(parameters: Sequence[int]) -> int:
    """Number of whole steps of lquantize(base, limit, step); what is left of a last, partial step is above them all."""
    base, limit, step = parameters
    return max((limit - base) // step, 0)


def magnitudes(parameters: Sequence[int]) -> list[tuple[int, int, int, int, int]]:
    """The orders of magnitude of llquantize(factor, low, high, steps): (start, end, width, buckets, first bucket).

    A magnitude holds start <= |v| < end in buckets `width` wide (the first may be narrower). Buckets are counted from
    the one next to the middle (1) upwards; those of negative values lie the same way below the middle.
    """
    factor, low, high, steps = parameters
    found = []
    first = 1
    for order in range(low, high + 1):
        start, end = factor**order, factor ** (order + 1)
        width = max(end // steps, 1)
        count = (end - 1) // width - start // width + 1
        found.append((start, end, width, count, first))
        first += count
    return found


def bucket(function: AggFunction, parameters: Sequence[int], value: int) -> int:
    """Index of the word that counts `value` (a signed 64-bit integer) in a distribution."""
    if function is AggFunction.QUANTIZE:
        length = min(abs(value).bit_length(), 63)
        return _ZERO_BUCKET + length if value >= 0 else _ZERO_BUCKET - length
    if function is AggFunction.LQUANTIZE:
        base, _, step = parameters
        if value < base:
            return 0
        return min((value - base) // step, levels(parameters)) + 1
    table = magnitudes(parameters)
    middle = sum(count for _, _, _, count, _ in table) + 1
    index = _magnitude_index(table, abs(value), middle)
    return middle + index if value >= 0 else middle - index


def _magnitude_index(table: Sequence[tuple[int, int, int, int, int]], size: int, beyond: int) -> int:
    if size < table[0][0]:
        return 0
    for start, end, width, _, first in table:
        if size < end:
            return first + size // width - start // width
    return beyond


def bounds(function: AggFunction, parameters: Sequence[int]) -> list[tuple[int, int]]:
    """For each bucket the values it counts, as (low, high): low <= v < high.

    llquantize()'s middle bucket holds -low < v < low (DTrace's `abs() <`), its first and last all that is farther out.
    """
    if function is AggFunction.QUANTIZE:
        above = [(1 << (k - 1), 1 << k) for k in range(1, 64)]
        middle = (0, 1)
    elif function is AggFunction.LQUANTIZE:
        base, _, step = parameters
        edges = [INT64_MIN, *(base + step * i for i in range(levels(parameters) + 1)), INT64_END]
        return list(pairwise(edges))
    else:
        table = magnitudes(parameters)
        above = []
        for start, end, width, count, _ in table:
            index = start // width
            above += [(max(start, (index + i) * width), min(end, (index + i + 1) * width)) for i in range(count)]
        above.append((table[-1][1], INT64_END))
        middle = (1 - table[0][0], table[0][0])
    below = [(1 - high, 1 - low) for low, high in reversed(above)]
    below[0] = (INT64_MIN, below[0][1])  # -2^63 has no positive counterpart
    return [*below, middle, *above]


def combine(function: AggFunction, a: Sequence[int], b: Sequence[int]) -> list[int]:
    """The words of two CPUs (or two snapshots) as one; words are unsigned 64-bit integers."""
    if function in (AggFunction.MIN, AggFunction.MAX):
        return [max(a[0], b[0])]
    if function is AggFunction.STDDEV:
        squares = a[2] + (a[3] << 64) + b[2] + (b[3] << 64)
        return [(a[0] + b[0]) & _MASK, (a[1] + b[1]) & _MASK, squares & _MASK, squares >> 64 & _MASK]
    return [(x + y) & _MASK for x, y in zip(a, b, strict=True)]


def update(
    function: AggFunction, parameters: Sequence[int], value: Sequence[int], sample: int, increment: int
) -> list[int]:
    """The words `value` after one more `sample` (0 for count()), counted `increment` times in a distribution."""
    new = list(value)
    match function:
        case AggFunction.COUNT:
            new[0] = (new[0] + 1) & _MASK
        case AggFunction.SUM:
            new[0] = (new[0] + sample) & _MASK
        case AggFunction.MAX:
            new[0] = max(new[0], (sample & _MASK) ^ _SIGN)
        case AggFunction.MIN:
            new[0] = max(new[0], ~((sample & _MASK) ^ _SIGN) & _MASK)
        case AggFunction.AVG:
            new = [(new[0] + 1) & _MASK, (new[1] + sample) & _MASK]
        case AggFunction.STDDEV:
            square = sample * sample
            new = combine(function, new, [1, sample & _MASK, square & _MASK, square >> 64])
        case _:
            index = bucket(function, parameters, sample)
            new[index] = (new[index] + increment) & _MASK
    return new


def result(function: AggFunction, value: Sequence[int]) -> int:
    """What the words say, as a signed integer, for all but distributions.

    avg() is the quotient rounded towards zero; stddev() is the integer square root of avg(x^2) - avg(x)^2.

    Raises:
        ValueError: The function is a distribution, which has buckets and no one value.
    """
    match function:
        case AggFunction.COUNT | AggFunction.SUM:
            return signed(value[0])
        case AggFunction.MAX:
            return signed(value[0] ^ _SIGN)
        case AggFunction.MIN:
            return signed(~value[0] & _MASK ^ _SIGN)
        case AggFunction.AVG:
            return _quotient(signed(value[1]), value[0])
        case AggFunction.STDDEV:
            from math import isqrt

            mean = _quotient(signed(value[1]), value[0])
            return isqrt(max(_quotient(value[2] + (value[3] << 64), value[0]) - mean * mean, 0))
        case _:
            raise ValueError(f"{function.value}() has buckets, not a value")


def _quotient(numerator: int, denominator: int) -> int:
    if denominator == 0:
        return 0
    return abs(numerator) // denominator * (-1 if numerator < 0 else 1)


def signed(word: int) -> int:
    """A 64-bit word as the signed number that it holds."""
    return word - (1 << 64) if word & _SIGN else word
