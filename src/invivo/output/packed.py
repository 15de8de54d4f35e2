"""Aggregations with one line for each key: what the options agghist and aggpack print.

                  key  ------------- Distribution ------------- count
                 bash |@@@@@@@@@@@@@                            4          agghist: count() and sum()
                  cat |@@@@@@@@@@@@@@@@@@@@@@@@@@@              8

                  key min .----------. max  | count
                 bash   2 : _  x  _  : 1024 | 12                           aggpack: quantize() and lquantize()

With agghist, the bars of all keys are measured against one total. With aggpack,
a bucket is a character whose height is the
bucket's share; all keys have the same buckets, from the first to the last that any of them uses,
and one more on each side.
Source: illumos's dtrace(8), -x agghist, aggpack, aggzoom and encoding.
"""

from __future__ import annotations

import os

from invivo.consumer.answers import counts, marks, quotient
from invivo.output.aggregation import key_text
from invivo.output.histogram import HEADING, bars_of
from invivo.program import aggregates
from invivo.program.records import AggFunction, FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.output.aggregation import Order, Row
    from invivo.output.printf import Style
    from invivo.program.records import AggregationPlan, FieldType

__all__ = ["is_packable", "packed_text"]

_BARS = (AggFunction.COUNT, AggFunction.SUM)
_LINES = (AggFunction.QUANTIZE, AggFunction.LQUANTIZE)
_BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII = "__xxxxXX"
_NEGATIVE = "vvvvVV"
_PLAIN_TERMINALS = ("sun", "sun-color", "dumb")
_ZERO = 63  # quantize()'s bucket of 0


def is_packable(function: AggFunction, order: Order) -> bool:
    """Whether the options have a form of their own for this function."""
    return (order.is_histogram and function in _BARS) or (order.is_packed and function in _LINES)


def packed_text(totals: Totals, rows: Sequence[Row], order: Order, style: Style) -> bytes:
    """A heading, and a line for each key; empty without keys."""
    if not rows:
        return b""
    types = [field.type for field in totals.plan.keys]
    width = sum(map(_width, types))
    heads = [
        b"".join(key_text(value, type_, style, is_packed=True) for value, type_ in zip(key, types, strict=True))
        for key, _ in rows
    ]
    words = [all_words[0] or [0] * totals.plan.words for _, all_words in rows]
    draw = _histogram if totals.plan.function in _BARS else _lines
    heading, lines = draw(totals, words, width, order)
    body = b"".join(head + line.encode() + b"\n" for head, line in zip(heads, lines, strict=True))
    return heading.encode() + b"\n" + body


def _width(type_: FieldType) -> int:
    widths = {8: 16, 4: 8, 2: 5, 1: 3}
    is_number = type_.kind in (FieldKind.INT, FieldKind.POINTER)
    return 1 + (widths[type_.size] if is_number else 16)


def _histogram(totals: Totals, words: Sequence[list[int]], width: int, order: Order) -> tuple[str, list[str]]:
    values = [aggregates.result(totals.plan.function, each) for each in words]
    bars = bars_of(values, is_zoomed=order.is_zoomed, is_blocks=order.encoding == "utf8")
    name, columns = ("key", width) if width else ("value", 16)
    heading = f"\n{name:>{columns}} {HEADING:>41} {'count':<9}"
    return heading, [f" {bars.bar(value)} {quotient(value, totals.factor):<9}" for value in values]


def _lines(totals: Totals, words: Sequence[list[int]], width: int, order: Order) -> tuple[str, list[str]]:
    plan = totals.plan
    first, last = _range(plan, words)
    low, high, low_width, high_width = _ends(plan, first, last)
    dashes = "-" * (last - first + 1)
    heading = f"\n{'key' if width else '':>{width}} {'min':>{low_width}} .{dashes}. {'max':<{high_width}} | count"
    lines = []
    for each in words:
        values = counts(each)[first : last + 1]
        picture = _characters(values, order)
        lines.append(f" {low:>{low_width}} :{picture}: {high:<{high_width}} | {sum(values)}")
    return heading, lines


def _range(plan: AggregationPlan, words: Iterable[list[int]]) -> tuple[int, int]:
    """First and last bucket of all lines."""
    if plan.function is AggFunction.LQUANTIZE:
        return 0, plan.words - 1
    used = {index for each in words for index, word in enumerate(each) if word} or {_ZERO}
    first, last = min(used), max(used)
    return first - (first not in (0, _ZERO)), min(last + 1, plan.words - 1)


def _ends(plan: AggregationPlan, first: int, last: int) -> tuple[str, str, int, int]:
    """The labels of the two ends, and the width of their columns."""
    if plan.function is AggFunction.LQUANTIZE:
        base, _, step = plan.parameters
        return f"< {base}", f">= {base + aggregates.levels(plan.parameters) * step}", 7, 8
    low, high = str(marks(plan)[first]), str(marks(plan)[last])
    return low, high, max(len(low), 0), len(high)


def _characters(values: Sequence[int], order: Order) -> str:
    over, under = bars_of(values, is_zoomed=order.is_zoomed).total
    blocks = _BLOCKS if _has_blocks(order) else _ASCII

    def character(value: int) -> str:
        if value == 0:
            return " "
        levels = blocks if value > 0 else _NEGATIVE
        return levels[(2 * abs(value) * (len(levels) - 1) * under // over + 1) // 2]

    return "".join(map(character, values))


def _has_blocks(order: Order) -> bool:
    return order.encoding == "utf8" or (not order.encoding and os.environ.get("TERM") not in _PLAIN_TERMINALS)
