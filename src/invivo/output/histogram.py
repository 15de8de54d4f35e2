"""The pictures of quantize(), lquantize() and llquantize().

               value  ------------- Distribution ------------- count
                   2 |                                         0
                   4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@              2
                   8 |@@@@@@@@@@@@@                            1
                  16 |                                         0

One row from the bucket below the first that holds something to the one above the last. Negative counts grow to the
left; where both signs occur, each has half the width. `Bars` says against what bars are measured, and their characters.
"""

from __future__ import annotations

from typing import NamedTuple

from invivo.consumer.answers import counts, marks, quotient
from invivo.program import aggregates
from invivo.program.records import AggFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from invivo.program.records import AggregationPlan

__all__ = ["HEADING", "Bars", "bars_of", "first_and_last", "picture"]

_WIDTH = 40
HEADING = "------------- Distribution -------------"
_HEADER = f"\n{'value':>16} {HEADING:>41} {'count':<9}\n"
# The highest bar of a picture that is zoomed fills 19 of 20 parts of the width.
_ZOOM = (20, 19)
_FULL, _EIGHTHS = "\u2588", "\u258f\u258e\u258d\u258c\u258b\u258a\u2589"


class Bars(NamedTuple):
    """How counts become bars: against `total` (a numerator and a denominator), with one sign or both.

    `is_blocks`: in eighths of a character (UTF-8's blocks), where no count is negative.
    """

    total: tuple[int, int]
    has_positive: bool
    has_negative: bool
    is_blocks: bool = False

    def bar(self, count: int) -> str:
        """The bar of a count, with the axis."""
        if self.is_blocks and not self.has_negative:
            return self._blocks(count)
        width = _WIDTH // 2 if self.has_positive and self.has_negative else _WIDTH
        over, under = self.total
        # Rounded half up: 2 * |count| * width / total + 1, halved.
        depth = (2 * abs(count) * width * under // over + 1) // 2 if over else 0
        bar = "@" * depth
        if not self.has_negative:
            return f"|{bar:<{_WIDTH}}"
        if not self.has_positive:
            return f"{bar:>{_WIDTH}}|"
        return f"{bar if count <= 0 else '':>{width}}|{bar if count > 0 else '':<{width}}"

    def _blocks(self, count: int) -> str:
        over, under = self.total
        whole, rest = divmod(count * _WIDTH * under, over) if over else (0, 0)
        part = rest * 8 // over if over else 0
        return f"|{_FULL * whole + (_EIGHTHS[part - 1] if part else ''):<{_WIDTH}}"


def bars_of(values: Iterable[int], *, is_zoomed: bool = False, is_blocks: bool = False) -> Bars:
    """The bars of counts: against their sum, or if zoomed against little more than the largest."""
    sizes, has_positive, has_negative = [0], False, False
    for value in values:
        sizes.append(abs(value))
        has_positive |= value > 0
        has_negative |= value < 0
    over, under = _ZOOM if is_zoomed else (1, 1)
    return Bars(((max(sizes) if is_zoomed else sum(sizes)) * over, under), has_positive, has_negative, is_blocks)


def picture(
    plan: AggregationPlan, words: Sequence[int], factor: int, *, is_zoomed: bool = False, is_blocks: bool = False
) -> bytes:
    """The distribution as text: a newline, the heading and the rows. Counts are divided by normalize()'s factor."""
    values = counts(words)
    first, last = first_and_last(plan, values)
    bars = bars_of(values[first : last + 1], is_zoomed=is_zoomed, is_blocks=is_blocks)
    parts = [_HEADER]
    for index in range(first, last + 1):
        count = values[index]
        parts.append(f"{_label(plan, index, first):>16} {bars.bar(count)} {quotient(count, factor):<9}\n")
    return "".join(parts).encode()


def first_and_last(plan: AggregationPlan, values: list[int]) -> tuple[int, int]:
    """First and last bucket to show."""
    end = len(values) - 1
    held = [index for index, count in enumerate(values) if count]
    middle = end // 2
    if not held:  # after clear()
        if plan.function is AggFunction.LQUANTIZE:
            return 0, min(2, end)
        return (middle - 1, middle + 1) if plan.function is AggFunction.QUANTIZE else (middle, min(middle + 2, end))
    return max(held[0] - 1, 0), min(held[-1] + 1, end)


def _label(plan: AggregationPlan, index: int, first: int) -> str:
    """How a row is called; `first` is the first row that is shown."""
    last = plan.words - 1
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
            if start == 1:
                return "0"
            return f"< {start}" if index == first else f"abs() < {start}"
        if index == 0:
            return f"<= {mark}"
        if index == last:
            return f">= {mark}"
    return str(mark)
