"""From an aggregation's words to what is shown: numbers normalised, distributions with their buckets.

    AVG [4, 10], factor 1          ->  2
    QUANTIZE [0 ... 3 at 66 ...]   ->  Histogram((Bucket(4, 7, 3),), 3)

The arithmetic of words is in program.aggregates; this adds normalize(), and the values that order a printout.
"""

from __future__ import annotations

from invivo.consumer.records import Bucket, Histogram
from invivo.program import aggregates
from invivo.program.records import AggFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.program.records import AggregationPlan

__all__ = ["Answer", "answer", "counts", "marks", "weight"]

Answer = int | Histogram

_marks: dict[tuple[AggFunction, tuple[int, ...]], list[int]] = {}


def answer(plan: AggregationPlan, words: Sequence[int], factor: int) -> Answer:
    """The aggregating function's answer for a key, divided by normalize()'s factor as DTrace does."""
    function = plan.function
    if aggregates.is_distribution(function):
        return _histogram(plan, words, factor)
    if factor == 1:
        return aggregates.result(function, words)
    if function is AggFunction.AVG:
        return quotient(quotient(aggregates.signed(words[1]), factor), words[0])
    if function is AggFunction.STDDEV:
        if not words[0]:
            return 0
        from math import isqrt

        mean = quotient(quotient(aggregates.signed(words[1]), factor), words[0])
        squares = (words[2] + (words[3] << 64)) // factor // factor // words[0]
        return isqrt(max(squares - mean * mean, 0))
    return quotient(aggregates.result(function, words), factor)


def counts(words: Sequence[int]) -> list[int]:
    """A distribution's buckets as signed counts (an increment may be negative)."""
    return [aggregates.signed(word) for word in words]


def marks(plan: AggregationPlan) -> list[int]:
    """For each bucket the value that stands for it in pictures and sums: its bound next to zero, and for lquantize()
    its lower bound; the outermost of lquantize() by one value beyond the base."""
    key = (plan.function, plan.parameters)
    found = _marks.get(key)
    if found is None:
        bounds = aggregates.bounds(plan.function, plan.parameters)
        if plan.function is AggFunction.LQUANTIZE:
            found = [bounds[0][1] - 1, *(low for low, _ in bounds[1:])]
        else:
            found = [high - 1 if high <= 0 else max(low, 0) for low, high in bounds]
        _marks[key] = found
    return found


def weight(plan: AggregationPlan, words: Sequence[int]) -> int | tuple[int, int]:
    """What keys are ordered by: the answer, or for a distribution the sum of all values as far as it knows them."""
    if not aggregates.is_distribution(plan.function):
        return aggregates.result(plan.function, words)
    values = marks(plan)
    total = seen = 0
    for index, word in enumerate(words):
        if word:
            count = aggregates.signed(word)
            total += count * values[index]
            seen += count
    return total, seen


def quotient(numerator: int, denominator: int) -> int:
    """C's integer division, rounded towards zero; 0 for a division by 0."""
    if denominator == 0:
        return 0
    return abs(numerator) // abs(denominator) * (-1 if (numerator < 0) != (denominator < 0) else 1)


def _histogram(plan: AggregationPlan, words: Sequence[int], factor: int) -> Histogram:
    bounds = aggregates.bounds(plan.function, plan.parameters)
    is_open = plan.function is not AggFunction.QUANTIZE
    last = len(bounds) - 1
    buckets = []
    for index, count in enumerate(counts(words)):
        if count:
            low: int | None = bounds[index][0]
            high: int | None = bounds[index][1] - 1
            if is_open and index == 0:
                low = None
            elif is_open and index == last:
                high = None
            buckets.append(Bucket(low, high, quotient(count, factor)))
    return Histogram(tuple(buckets), sum(bucket.count for bucket in buckets))
