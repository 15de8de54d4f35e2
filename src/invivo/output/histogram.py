"""The pictures of quantize(), lquantize() and llquantize().

               value  ------------- Distribution ------------- count
                   2 |                                         0
                   4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@              2
                   8 |@@@@@@@@@@@@@                            1
                  16 |                                         0

One row from the bucket below the first that holds something to the one above the last. Negative counts grow to the
left; where both signs occur, each has half the width.
"""

from __future__ import annotations

from invivo.consumer.answers import counts, marks, quotient
from invivo.program import aggregates
from invivo.program.plan import AggFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.program.plan import AggregationPlan

__all__ = ["picture"]

_WIDTH = 40
_HEADER = f"\n{'value':>16} {'------------- Distribution -------------':>41} {'count':<9}\n"


def picture(plan: AggregationPlan, words: Sequence[int], factor: int) -> bytes:
    """The distribution as text: a newline, the heading and the rows. Counts are divided by normalize()'s factor."""
    values = counts(words)
    first, last = _rows(plan, values)
    shown = range(first, last + 1)
    total = sum(abs(values[index]) for index in shown)
    has_positive = any(values[index] > 0 for index in shown)
    has_negative = any(values[index] < 0 for index in shown)
    parts = [_HEADER]
    for index in shown:
        count = values[index]
        bar = _bar(count, total, has_positive, has_negative)
        parts.append(f"{_label(plan, index, values):>16} {bar} {quotient(count, factor):<9}\n")
    return "".join(parts).encode()


def _rows(plan: AggregationPlan, values: list[int]) -> tuple[int, int]:
    """First and last bucket to show."""
    end = len(values) - 1
    held = [index for index, count in enumerate(values) if count]
    middle = end // 2
    if not held:  # after clear()
        if plan.function is AggFunction.LQUANTIZE:
            return 0, min(2, end)
        return (middle - 1, middle + 1) if plan.function is AggFunction.QUANTIZE else (middle, middle + 1)
    first, last = max(held[0] - 1, 0), min(held[-1] + 1, end)
    if plan.function is AggFunction.LLQUANTIZE and held[0] >= middle:
        first = max(first, middle)  # no rows for negative values where there are none
    return first, last


def _label(plan: AggregationPlan, index: int, values: list[int]) -> str:
    last = len(values) - 1
    if plan.function is AggFunction.LQUANTIZE:
        base, _, step = plan.parameters
        if index == 0:
            return f"< {base}"
        if index == last:
            return f">= {base + aggregates.levels(plan.parameters) * step}"
        return str(base + (index - 1) * step)
    mark = marks(plan)[index]
    if plan.function is AggFunction.LLQUANTIZE:
        if index == last // 2:
            start = aggregates.magnitudes(plan.parameters)[0][0]
            return f"abs() < {start}" if any(values[: last // 2]) else f"< {start}"
        if index == 0:
            return f"<= {mark}"
        if index == last:
            return f">= {mark}"
    return str(mark)


def _bar(count: int, total: int, has_positive: bool, has_negative: bool) -> str:
    """The bar of a row, with the axis."""
    width = _WIDTH // 2 if has_positive and has_negative else _WIDTH
    # Rounded half up: 2 * |count| * width / total + 1, halved.
    depth = (2 * abs(count) * width // total + 1) // 2 if total else 0
    bar = "@" * depth
    if not has_negative:
        return f"|{bar:<{_WIDTH}}"
    if not has_positive:
        return f"{bar:>{_WIDTH}}|"
    return f"{bar if count <= 0 else '':>{width}}|{bar if count > 0 else '':<{width}}"
