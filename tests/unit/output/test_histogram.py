"""Pictures of distributions, drawn by hand."""

from __future__ import annotations

from invivo.output.histogram import picture
from invivo.program.aggregates import bucket
from invivo.program.records import AggFunction
from tests.unit.consumer.frames import aggregation

HEAD = "\n           value  ------------- Distribution ------------- count    \n"


def drawn(function: AggFunction, parameters: tuple[int, ...], values: dict[int, int], factor: int = 1) -> str:
    """The picture of values, each counted so many times."""
    plan = aggregation(1, function, parameters=parameters)
    words = [0] * plan.words
    for value, count in values.items():
        index = bucket(function, parameters, value)
        words[index] = (words[index] + count) % (1 << 64)
    return picture(plan, words, factor).decode()


def row(label: str, bar: str, count: int) -> str:
    return f"{label:>16} {bar} {count:<9}\n"


def test_quantize() -> None:
    """3 of 4 values fill 30 of 40 columns; a row of nothing above and below."""
    assert drawn(AggFunction.QUANTIZE, (), {5: 3, 8: 1}) == (
        HEAD
        + "               2 |                                         0        \n"
        + "               4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@           3        \n"
        + "               8 |@@@@@@@@@@                               1        \n"
        + "              16 |                                         0        \n"
    )


def test_quantize_of_negative_values_and_zero() -> None:
    """-5 lies in the bucket -4 (-8 < v <= -4), 0 in its own; bars are rounded half up: 40/3 is 13, 80/3 is 27."""
    assert drawn(AggFunction.QUANTIZE, (), {-5: 1, 0: 2}) == (
        HEAD
        + row("-8", "|" + " " * 40, 0)
        + row("-4", "|" + "@" * 13 + " " * 27, 1)
        + row("-2", "|" + " " * 40, 0)
        + row("-1", "|" + " " * 40, 0)
        + row("0", "|" + "@" * 27 + " " * 13, 2)
        + row("1", "|" + " " * 40, 0)
    )


def test_negative_counts_grow_to_the_left() -> None:
    assert drawn(AggFunction.QUANTIZE, (), {1: -2}) == (
        HEAD + row("0", " " * 40 + "|", 0) + row("1", "@" * 40 + "|", -2) + row("2", " " * 40 + "|", 0)
    )


def test_counts_of_both_signs_have_half_the_width_each() -> None:
    assert drawn(AggFunction.QUANTIZE, (), {1: -1, 2: 3}) == (
        HEAD
        + row("0", " " * 20 + "|" + " " * 20, 0)
        + row("1", " " * 15 + "@" * 5 + "|" + " " * 20, -1)
        + row("2", " " * 20 + "|" + "@" * 15 + " " * 5, 3)
        + row("4", " " * 20 + "|" + " " * 20, 0)
    )


def test_lquantize_names_what_lies_outside() -> None:
    assert drawn(AggFunction.LQUANTIZE, (0, 30, 10), {-1: 1, 5: 2, 30: 1}) == (
        HEAD
        + row("< 0", "|" + "@" * 10 + " " * 30, 1)
        + row("0", "|" + "@" * 20 + " " * 20, 2)
        + row("10", "|" + " " * 40, 0)
        + row("20", "|" + " " * 40, 0)
        + row(">= 30", "|" + "@" * 10 + " " * 30, 1)
    )


def test_lquantize_shows_the_buckets_around() -> None:
    text = drawn(AggFunction.LQUANTIZE, (0, 100, 10), {55: 4})
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["40", "50", "60"]


def test_llquantize() -> None:
    """Factor 10, magnitudes 0 to 1, 10 steps: 1 to 9 by one, then 10 to 90 by ten."""
    text = drawn(AggFunction.LLQUANTIZE, (10, 0, 1, 10), {0: 1, 3: 1, 25: 1, 100: 1})
    labels = [line[:16].strip() for line in text.splitlines()[2:]]
    assert labels == ["-1", "0", *map(str, range(1, 10)), *map(str, range(10, 100, 10)), ">= 100"]
    assert [line.split()[-1] for line in text.splitlines()[2:]].count("1") == 4


def test_llquantize_of_negative_values() -> None:
    text = drawn(AggFunction.LLQUANTIZE, (10, 1, 1, 10), {-25: 1, 3: 1})
    labels = [line[:16].strip() for line in text.splitlines()[2:]]
    assert labels == ["-30", "-20", "-10", "abs() < 10", "10"]


def test_normalize_divides_the_counts_and_not_the_bars() -> None:
    assert row("4", "|" + "@" * 40, 10) in drawn(AggFunction.QUANTIZE, (), {5: 100}, factor=10)


def test_after_clear_there_are_rows_of_nothing() -> None:
    empty = "|" + " " * 40
    assert drawn(AggFunction.QUANTIZE, (), {}) == HEAD + row("-1", empty, 0) + row("0", empty, 0) + row("1", empty, 0)
