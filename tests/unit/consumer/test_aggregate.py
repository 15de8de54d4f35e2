"""Totals: merged from CPUs and snapshots, ordered, cleared, truncated, normalised."""

from __future__ import annotations

import statistics
import struct
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo.consumer.aggregate import Aggregations
from invivo.consumer.records import Bucket, Histogram
from invivo.consumer.resolve import Resolver
from invivo.program.actions import Clear, Denormalize, Normalize, Printa, Trunc
from invivo.program.aggregates import bucket, update
from invivo.program.records import AggFunction, AggregationPlan
from tests.unit.consumer.frames import (
    INT64,
    INTERNED,
    KSTACK,
    STRING,
    UINT64,
    USYM,
    FakeServices,
    Run,
    aggregation,
    key,
    layout_of,
    plan_of,
    record,
)

SIGNED = st.integers(-(1 << 31), (1 << 31) - 1)


def made(plan: AggregationPlan, strings: tuple[bytes, ...] = ()) -> Aggregations:
    return Aggregations(plan_of([], [plan], strings=strings), Resolver(FakeServices()))


def of_samples(function: AggFunction, samples: list[int], cpus: int = 3) -> int | Histogram:
    """The answer for samples spread over CPUs, each CPU's words made on its own."""
    plan = aggregation(1, function)
    totals = made(plan)
    for cpu in range(cpus):
        words = [0] * plan.words
        for sample in samples[cpu::cpus]:
            words = update(function, (), words, sample, 1)
        totals.merge(1, key(plan, [], generation=cpu), words)
    return totals.views()[""][()]


@given(st.lists(SIGNED, min_size=1))
def test_answers_are_those_of_plain_arithmetic(samples: list[int]) -> None:
    assert of_samples(AggFunction.COUNT, samples) == len(samples)
    assert of_samples(AggFunction.SUM, samples) == sum(samples)
    assert of_samples(AggFunction.MIN, samples) == min(samples)
    assert of_samples(AggFunction.MAX, samples) == max(samples)
    assert of_samples(AggFunction.AVG, samples) == int(sum(samples) / len(samples))
    mean = int(sum(samples) / len(samples))
    squares = sum(sample * sample for sample in samples) // len(samples)
    assert of_samples(AggFunction.STDDEV, samples) == isqrt(max(squares - mean * mean, 0))


def test_stddev_is_near_the_textbook_s() -> None:
    samples = [2, 4, 4, 4, 5, 5, 7, 900, 1200, 40000]
    answer = of_samples(AggFunction.STDDEV, samples)
    assert isinstance(answer, int)
    assert abs(answer - statistics.pstdev(samples)) < 1


@given(st.lists(SIGNED))
def test_buckets_hold_their_values_and_add_up(samples: list[int]) -> None:
    if not samples:
        return
    histogram = of_samples(AggFunction.QUANTIZE, samples)
    assert isinstance(histogram, Histogram)
    assert histogram.total == len(samples)
    for low, high, count in histogram:
        assert low is not None
        assert high is not None
        assert sum(low <= sample <= high for sample in samples) == count


def test_outermost_buckets_of_lquantize_are_open() -> None:
    plan = aggregation(1, AggFunction.LQUANTIZE, parameters=(0, 20, 10))
    totals = made(plan)
    totals.merge(1, key(plan, []), [1, 2, 0, 3])
    assert totals.views()[""][()] == Histogram((Bucket(None, -1, 1), Bucket(0, 9, 2), Bucket(20, None, 3)), 6)


def test_words_of_several_cpus_in_a_row_are_merged() -> None:
    plan = aggregation(1, AggFunction.AVG, [INT64])
    totals = made(plan)
    totals.merge(1, key(plan, [1]), (2, 10, 3, 20))
    totals.merge(1, key(plan, [1], generation=9), (1, 6))
    assert totals.views()[""][(1,)] == 6  # 36 / 6


def test_keys_come_back_as_values() -> None:
    """Signed, unsigned, strings that are not UTF-8, interned strings, stacks."""
    plan = aggregation(1, AggFunction.COUNT, [INT64, UINT64, STRING, INTERNED, KSTACK])
    services = FakeServices()
    services.stacks[5] = (0x10,)
    services.symbols[0x10] = "vmlinux`f"
    totals = Aggregations(plan_of([], [plan], strings=(b"x", b"y")), Resolver(services))
    totals.merge(1, key(plan, [-1, -1, b"\xff", 1, 5]), (1,))
    ((number, unsigned, text, interned, stack),) = totals.views()[""]
    assert (number, unsigned, text, interned) == (-1, (1 << 64) - 1, "\udcff", "y")
    assert str(stack) == "vmlinux`f"


def test_addresses_in_one_function_are_one_key() -> None:
    """Three addresses in two functions, met by two processes: 10 + 20 + 40 in f."""
    plan = aggregation(1, AggFunction.COUNT, [USYM])
    services = FakeServices()
    services.user_symbols = {(7, 1, 0x14): "a`f+0x4", (7, 1, 0x18): "a`f+0x8", (7, 1, 0x20): "a`g"}
    services.user_symbols[8, 2, 0x14] = "a`f+0x4"
    totals = Aggregations(plan_of([], [plan]), Resolver(services))
    for pid, generation, address, count in ((7, 1, 0x14, 10), (7, 1, 0x18, 20), (7, 1, 0x20, 5), (8, 2, 0x14, 40)):
        totals.merge(1, key(plan, [struct.pack("<QII", address, pid, generation)]), (count,))
    assert dict(totals.views()[""]) == {("a`g",): 5, ("a`f",): 70}


def test_string_numbers_that_mean_the_same_string_are_one_key() -> None:
    """Probe names are numbered by probe: `read` of entry and of return are the same key."""
    plan = aggregation(1, AggFunction.COUNT, [INTERNED])
    totals = made(plan, strings=(b"read", b"write", b"read"))
    for number in (0, 1, 2):
        totals.merge(1, key(plan, [number]), (10,))
    assert dict(totals.views()[""]) == {("write",): 10, ("read",): 20}


def test_distributions_are_ordered_by_the_sum_of_their_values() -> None:
    plan = aggregation(1, AggFunction.QUANTIZE, [STRING])
    totals = made(plan)
    for name, value, count in ((b"many small", 2, 100), (b"one large", 1024, 1), (b"negative", -64, 1)):
        words = [0] * plan.words
        words[bucket(plan.function, (), value)] = count
        totals.merge(1, key(plan, [name]), words)
    assert [name for (name,) in totals.views()[""]] == ["negative", "many small", "one large"]


def test_ties_are_ordered_by_key() -> None:
    plan = aggregation(1, AggFunction.COUNT, [INT64])
    totals = made(plan)
    for number in (3, -1, 2):
        totals.merge(1, key(plan, [number]), (1,))
    assert [number for (number,) in totals.views()[""]] == [-1, 2, 3]


@pytest.mark.parametrize(
    ("count", "left"), [(2, [30, 40]), (-1, [10]), (9, [10, 20, 30, 40]), (None, []), (0, []), (-9, [10, 20, 30, 40])]
)
def test_trunc_keeps_the_highest_or_with_a_minus_the_lowest(count: int | None, left: list[int]) -> None:
    plan = aggregation(1, AggFunction.SUM, [INT64])
    totals = made(plan)
    for number in (30, 10, 40, 20):
        totals.merge(1, key(plan, [number]), (number,))
    totals[1].trunc(count)
    assert list(totals.views()[""].values()) == left


def test_clear_keeps_keys_and_what_comes_later_counts_from_nothing() -> None:
    plan = aggregation(1, AggFunction.COUNT, [STRING])
    totals = made(plan)
    totals.merge(1, key(plan, [b"a"]), (5,))
    totals.merge(1, key(plan, [b"b"]), (6,))
    totals[1].clear()
    totals.merge(1, key(plan, [b"a"]), (2,))
    assert dict(totals.views()[""]) == {("b",): 0, ("a",): 2}


@pytest.mark.parametrize(
    ("function", "words", "answer"),
    [
        (AggFunction.SUM, [(1 << 64) - 7], -3),  # -7 / 2, towards zero as in C
        (AggFunction.COUNT, [9], 4),
        (AggFunction.AVG, [3, 30], 5),
        (AggFunction.STDDEV, [2, 40, 1000, 0], 5),  # 10 and 30, halved: 5 and 15
        (AggFunction.MAX, [10 ^ 1 << 63], 5),
    ],
)
def test_normalize_divides(function: AggFunction, words: list[int], answer: int) -> None:
    plan = aggregation(1, function)
    totals = made(plan)
    totals.merge(1, key(plan, []), words)
    totals[1].factor = 2
    assert totals.views()[""][()] == answer


def test_actions_on_aggregations_run_in_the_record_s_order() -> None:
    """normalize, printa, denormalize, printa, trunc, printa: in one record."""
    plan = aggregation(1, AggFunction.SUM, [INT64])
    show = Printa((1,), "%d=%@d ")
    layout = layout_of(
        0, [INT64, INT64], [Normalize(1, 0), show, Denormalize(1), show, Trunc(1, 1), show, Clear(1), show]
    )
    run = Run(plan_of([layout], [plan], quiet=True))
    run.consumer.aggregations.merge(1, key(plan, [1]), (10,))
    run.consumer.aggregations.merge(1, key(plan, [2]), (20,))
    run.feed(record(layout, [10, 1]))
    assert run.out == "1=1 2=2 1=10 2=20 2=20 2=0 "
    assert run.services.refreshed == 1


def test_normalize_by_zero_is_an_error_and_changes_nothing() -> None:
    plan = aggregation(1, AggFunction.COUNT)
    layout = layout_of(0, [INT64], [Normalize(1, 0), Printa((1,), "%@d")])
    run = Run(plan_of([layout], [plan], quiet=True))
    run.consumer.aggregations.merge(1, key(plan, []), (10,))
    run.feed(record(layout, [0]))
    assert run.out == "10"
    assert run.err == "invivo: error for probe ID 2 (syscall:vmlinux:read:entry): divide-by-zero\n"
