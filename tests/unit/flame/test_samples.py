"""Samples of a long run are added up by slots of time: no weight is lost or moved, and times stay within their slot."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from invivo.flame.samples import Bounded, Samples

Row = tuple[int, int, int, int]  # node, thread, weight, time

_ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 1 << 55), st.integers(0, 10**4)))


def filled(rows: list[Row], *, has_threads: bool = True) -> Samples:
    samples = Samples()
    for node, thread, weight, time in rows:
        samples.add(node, weight, thread if has_threads else -1, time)
    return samples


def rows_of(samples: Samples) -> list[Row]:
    threads = samples.sample_threads or [-1] * len(samples.nodes)
    return list(zip(samples.nodes, threads, samples.weights, samples.times, strict=True))


def sums(rows: list[Row], slot: int) -> Counter[tuple[int, int, int]]:
    """Weight by node, thread and slot of time, added up one by one."""
    found: Counter[tuple[int, int, int]] = Counter()
    for node, thread, weight, time in rows:
        found[node, thread, time // slot] += weight
    return +found


@given(_ROWS, st.integers(1, 3000), st.booleans())
def test_merging_moves_no_weight_to_another_stack_thread_or_slot(rows: list[Row], slot: int, has_threads: bool) -> None:
    if not has_threads:
        rows = [(node, -1, weight, time) for node, _, weight, time in rows]
    samples = filled(rows, has_threads=has_threads)
    samples.merge(slot)
    assert sums(rows_of(samples), slot) == sums(rows, slot)
    assert len(samples.sample_threads) == (len(samples.nodes) if has_threads else 0)
    assert all(time % slot == slot // 2 for time in samples.times)


@given(_ROWS, st.integers(1, 3000))
def test_in_order_of_time_each_stack_and_thread_is_there_once_in_a_slot(rows: list[Row], slot: int) -> None:
    samples = filled(sorted(rows, key=lambda row: row[3]))
    samples.merge(slot)
    places = [(node, thread, time) for node, thread, _, time in rows_of(samples)]
    assert len(places) == len(set(places))


@given(_ROWS, st.integers(0, 20), st.integers(1, 500))
def test_samples_before_the_first_place_stay(rows: list[Row], first: int, slot: int) -> None:
    samples = filled(rows)
    samples.merge(slot, first)
    assert rows_of(samples)[:first] == rows[:first]
    assert sums(rows_of(samples)[first:], slot) == sums(rows[first:], slot)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(1, 100), st.integers(0, 90)), max_size=600),
    st.integers(4, 60),
)
def test_a_bounded_run_has_the_sums_of_a_free_one(steps: list[Row], most: int) -> None:
    """Steps of time from sample to sample; each sample is in the slot of its own moment, however often all merged."""
    samples, notes, rows, at = Samples(), ["another"], [], 0
    bounded = Bounded(samples, notes, most=most, least_slots=8)
    for node, thread, weight, step in steps:
        at += step
        rows.append((node, thread, weight, at))
        samples.add(node, weight, thread, bounded.moment(at))
        bounded.check()
    assert sums(rows_of(samples), bounded.slot_ns or 1) == sums(rows, bounded.slot_ns or 1)
    if bounded.slot_ns:
        assert len(notes) == 2
        assert "times are in steps of" in notes[1]
    else:
        assert rows_of(samples) == rows
        assert notes == ["another"]


def test_a_long_run_stays_small_and_keeps_its_time_strip() -> None:
    """20 stacks in each of 20,000 readings, 0.2 s apart: 400,000 rows, of an hour."""
    samples, notes = Samples(), list[str]()
    bounded = Bounded(samples, notes, most=50_000, least_slots=500)
    most = 0
    for reading in range(20_000):
        bounded.check()
        at = bounded.moment(reading * 200_000_000 + 100_000_000)
        for node in range(20):
            samples.add(node, 3, 0, at)
        most = max(most, len(samples.nodes))
    assert most <= 50_000 + 20
    assert Counter(samples.nodes).keys() == set(range(20))
    for node, group in groupby(sorted(zip(samples.nodes, samples.weights, strict=True)), lambda row: row[0]):
        assert sum(weight for _, weight in group) == 3 * 20_000, node
    assert 500 <= len(set(samples.times)) <= 8_000
    assert max(samples.times) - min(samples.times) > 0.99 * 20_000 * 200_000_000
    slot = bounded.slot_ns / 1e9
    assert notes == [f"a long run: times are in steps of {slot:.3g} s, so that it fits into memory; weights are exact"]


def test_more_stacks_than_the_bound_keep_the_least_of_slots() -> None:
    """18 stacks in each of 1000 moments: 50 to 100 slots are 900 to 1,800 samples, less than 4 times the bound."""
    samples, notes = Samples(), list[str]()
    bounded = Bounded(samples, notes, most=1000, least_slots=50)
    for moment in range(1000):
        for node in range(18):
            samples.add(node, 1, 0, bounded.moment(moment * 1000))
        bounded.check()
    assert len(set(samples.times)) >= 50
    assert len(samples.nodes) <= 4 * 1_000
    assert sum(samples.weights) == 18_000


def test_far_more_stacks_than_the_bound_keep_a_fifth_of_the_slots() -> None:
    """1,000 stacks in each of 1000 moments: 50 slots would need 50,000 samples. 10 to 20 slots need 20,000 at most, and
    those are not merged again before they are twice as many."""
    samples, notes = Samples(), list[str]()
    bounded = Bounded(samples, notes, most=1000, least_slots=50)
    most = 0
    for moment in range(1000):
        for node in range(1000):
            samples.add(node, 1, 0, bounded.moment(moment * 1000))
        bounded.check()
        most = max(most, len(samples.nodes))
    assert len(set(samples.times)) >= 10
    assert most <= 40_000
    assert sum(samples.weights) == 1_000_000
