"""Aggregations in the kernel engine: all nine functions, keyed and not, and exact while two threads are busy.

The expected words are those of program/aggregates.py, whose own tests were worked out by hand; simple functions are
checked against Python's arithmetic.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time

import pytest

from invivo.consumer.records import Histogram
from invivo.program.aggregates import bounds, bucket
from invivo.program.clauses import Probe
from invivo.program.layout import field_type
from invivo.program.nodes import Aggregation, Component, Expr
from invivo.program.records import AggFunction
from invivo.program.sources import ProbePattern
from invivo.program.types import INT, INT8, INT64, UINT16, UINT64, String
from tests.engines.build import (
    BEGIN,
    END,
    INTERNED,
    Builder,
    assign,
    call,
    catalog,
    compare,
    number,
    op,
    probe_name,
    ref,
    string_call,
    text,
)

pytestmark = pytest.mark.kernel

SAMPLES = [0, 1, -1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 99, 100, 101, 1000, 12345, -5, -8, -1000,
           (1 << 62) + 1, (1 << 63) - 1, -(1 << 63), -(1 << 62)]  # fmt: skip

DISTRIBUTIONS: list[tuple[AggFunction, tuple[int, ...]]] = [
    (AggFunction.QUANTIZE, ()),
    (AggFunction.LQUANTIZE, (0, 100, 10)),
    (AggFunction.LQUANTIZE, (-50, 1000, 7)),
    (AggFunction.LLQUANTIZE, (10, 0, 4, 20)),
    (AggFunction.LLQUANTIZE, (2, 3, 9, 4)),
]


def syscall(name: str, side: str = "entry") -> Probe:
    (probe,) = catalog().match(ProbePattern("syscall", "", name, side))
    return probe


def mine() -> Expr:
    """A predicate: the event is of this process."""
    return compare("==", op(">>", call("pid_tgid"), number(32)), number(os.getpid()))


@pytest.mark.parametrize("is_keyed", [False, True], ids=["unkeyed", "keyed"])
def test_simple_functions(is_keyed: bool) -> None:
    samples = [3, -10, 4, 250, 0, -1]
    d = Builder()
    keys = [field_type(INT)] if is_keyed else []
    given = [number(5, INT)] if is_keyed else []
    made = [
        (function, d.aggregation(function, keys, function.value))
        for function in (
            AggFunction.COUNT, AggFunction.SUM, AggFunction.MIN, AggFunction.MAX, AggFunction.AVG, AggFunction.STDDEV,
        )
    ]  # fmt: skip
    for sample in samples:
        value = d.unknown(sample, INT64)
        statements = [
            d.aggregate(a, *given, value=None if function is AggFunction.COUNT else value) for function, a in made
        ]
        d.clause(END, *statements)
    found = d.run().aggregations
    key = (5,) if is_keyed else ()
    # mean of squares: (9 + 100 + 16 + 62500 + 0 + 1) / 6 = 10437; mean: 41; 10437 - 1681 = 8756; its root: 93
    assert {name: view[key] for name, view in found.items()} == {
        "count": 6, "sum": 246, "min": -10, "max": 250, "avg": 41, "stddev": 93,
    }  # fmt: skip


@pytest.mark.parametrize(("function", "parameters"), DISTRIBUTIONS)
@pytest.mark.parametrize("is_keyed", [False, True], ids=["unkeyed", "keyed"])
def test_distributions(function: AggFunction, parameters: tuple[int, ...], is_keyed: bool) -> None:
    d = Builder()
    keys = [field_type(INT)] if is_keyed else []
    given = [number(-1, INT)] if is_keyed else []
    a = d.aggregation(function, keys, "d", parameters)
    d.clause(END, *(d.aggregate(a, *given, value=d.unknown(sample, INT64)) for sample in SAMPLES))
    answer = d.run().aggregations["d"][(-1,) if is_keyed else ()]
    assert isinstance(answer, Histogram)
    expected: dict[int, int] = {}
    for sample in SAMPLES:
        index = bucket(function, parameters, sample)
        low, high = bounds(function, parameters)[index]
        assert low <= sample < high
        expected[index] = expected.get(index, 0) + 1
    assert [b.count for b in answer.buckets] == [expected[i] for i in sorted(expected)]


def test_increments() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.QUANTIZE, (), "q")
    d.clause(END, d.aggregate(a, value=number(4), increment=number(10)),
             d.aggregate(a, value=number(4), increment=d.unknown(-3, INT64)))  # fmt: skip
    answer = d.run().aggregations["q"][()]
    assert isinstance(answer, Histogram)
    assert [b.count for b in answer.buckets] == [7]


def test_the_sum_of_squares_has_128_bits() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.STDDEV, (), "s")
    big = (1 << 62) - 1
    for sample in (big, -big, big, -big):
        d.clause(END, d.aggregate(a, value=d.unknown(sample, INT64)))
    assert d.run().aggregations["s"][()] == big


def test_mixed_keys() -> None:
    d = Builder()
    kinds = (INT8, String(64), UINT16, UINT64)
    a = d.aggregation(AggFunction.COUNT, [*map(field_type, kinds), INTERNED])
    v = ref(d.variable("v", String(64)))
    d.clause(BEGIN, assign(v, text("longer than the key that follows")))
    d.clause(BEGIN, assign(v, text("k")))
    for name in ("x", "y", "x"):
        keys = number(-1, INT8), v, number(65535, UINT16), number((1 << 64) - 1, UINT64), text(name)
        d.clause(END, d.aggregate(a, *keys))
    made = string_call("strjoin", text(""), v, size=64)
    keys = number(-1, INT8), made, number(65535, UINT16), number(2**64 - 1, UINT64)
    d.clause(END, d.aggregate(a, *keys, probe_name(Component.NAME)))
    assert dict(d.run().aggregations[""]) == {
        (-1, "k", 65535, 2**64 - 1, "x"): 2,
        (-1, "k", 65535, 2**64 - 1, "y"): 1,
        (-1, "k", 65535, 2**64 - 1, "END"): 1,
    }


def test_the_current_name_as_a_key() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.COUNT, [field_type(String(16))])
    d.clause(END, d.aggregate(a, string_call("comm", size=16)), d.aggregate(a, string_call("comm", size=16)))
    with open("/proc/self/comm") as stream:
        name = stream.read().rstrip("\n")
    assert dict(d.run().aggregations[""]) == {(name,): 2}


def storm(count: int, threads: int = 2) -> None:
    """`threads` threads make `count` system calls each."""
    libc = ctypes.CDLL(None)

    def work() -> None:
        call = libc.getppid
        for _ in range(count):
            call()

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def counters(d: Builder, probe: Probe) -> list[Aggregation]:
    made = [
        d.aggregation(AggFunction.COUNT, [], "plain"),
        d.aggregation(AggFunction.COUNT, [INTERNED, field_type(UINT64)], "keyed"),
        d.aggregation(AggFunction.SUM, [], "sum"),
        d.aggregation(AggFunction.QUANTIZE, [field_type(UINT64)], "quantize"),
    ]
    tid = call("pid_tgid", type_=UINT64)
    d.clause(
        probe,
        d.aggregate(made[0]),
        d.aggregate(made[1], probe_name(Component.FUNCTION), tid),
        d.aggregate(made[2], value=number(3)),
        d.aggregate(made[3], tid, value=number(100)),
        when=mine(),
    )
    return made


def test_counts_are_exact_while_they_are_read() -> None:
    d = Builder()
    counters(d, syscall("getppid"))
    with d.start() as running:
        reader_ends = threading.Event()

        def read() -> None:
            while not reader_ends.is_set():
                running.engine.refresh()
                time.sleep(0.001)

        reader = threading.Thread(target=read)
        reader.start()
        storm(30000)
        reader_ends.set()
        reader.join()
    found = running.aggregations
    assert found["plain"][()] == 60000
    assert sorted(found["keyed"].values()) == [30000, 30000]
    assert {key[0] for key in found["keyed"]} == {"getppid"}
    assert found["sum"][()] == 180000
    assert sorted(h.total for h in found["quantize"].values() if isinstance(h, Histogram)) == [30000, 30000]
    assert running.missed_runs == 0
    assert not running.drops


def test_an_aggregation_of_two_programs_is_exact() -> None:
    """Entry and return are two programs, so additions are atomic."""
    d = Builder()
    a = d.aggregation(AggFunction.COUNT, [field_type(INT)], "n")
    high = d.aggregation(AggFunction.MAX, [], "high")
    low = d.aggregation(AggFunction.MIN, [], "low")
    spread = d.aggregation(AggFunction.STDDEV, [], "spread")
    for side, probe in enumerate((syscall("getppid"), syscall("getppid", "return"))):
        d.clause(probe, d.aggregate(a, number(side, INT)), d.aggregate(high, value=number(side)),
                 d.aggregate(low, value=number(-side)), d.aggregate(spread, value=number(5)), when=mine())  # fmt: skip
    found = d.run(lambda: storm(20000)).aggregations
    assert dict(found["n"]) == {(0,): 40000, (1,): 40000}
    assert (found["high"][()], found["low"][()], found["spread"][()]) == (1, -1, 0)


def test_a_full_aggregation_counts_its_drops() -> None:
    d = Builder(aggsize=1024)  # 64 keys at least
    a = d.aggregation(AggFunction.COUNT, [field_type(INT)], "n")
    for start in range(0, 200, 50):
        d.clause(END, *(d.aggregate(a, number(i, INT)) for i in range(start, start + 50)))
    running = d.run()
    kept = len(running.aggregations["n"])
    assert kept >= 64
    assert [drop.count for drop in running.drops] == [200 - kept]


def test_the_sign_of_a_sample_is_that_of_its_type() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.SUM, [], "s")
    d.clause(END, d.aggregate(a, value=d.unknown(-1, INT8)), d.aggregate(a, value=d.unknown(65535, UINT16)))
    assert d.run().aggregations["s"][()] == 65534
