"""Whole outputs as dtrace(1) prints them, written by hand from its documented formats."""

from __future__ import annotations

import json
import logging
import os

import pytest

from invivo.consumer.loop import Consumer
from invivo.consumer.records import Bucket, Histogram, Record
from invivo.output.collect import CollectOutput
from invivo.output.json import JsonOutput
from invivo.program.actions import ExitAction, Printa, Printf, PrintStack, PrintSymbol, Trace, Tracemem
from invivo.program.plan import FaultKind, FaultSite, Plan
from invivo.program.records import LAYOUT_FAULT, AggFunction, FieldKind, FieldType
from tests.unit.consumer.frames import (
    INT16,
    INT32,
    INT64,
    INTERNED,
    KSTACK,
    PROBES,
    STRING,
    SYM,
    UINT8,
    UINT32,
    UINT64,
    USTACK,
    FakeServices,
    Run,
    aggregation,
    frame,
    key,
    layout_of,
    plan_of,
    record,
)

HEAD = "CPU     ID                    FUNCTION:NAME\n"
LINE = "  0      2                       read:entry "


def test_heading_once_then_a_line_for_each_firing() -> None:
    layout = layout_of(0, [INT32], [Printf("n=%d", (0,))])
    run = Run(plan_of([layout])).feed(record(layout, [1]), record(layout, [-2], probe=1, cpu=13))
    assert run.out == HEAD + LINE + "n=1\n" + " 13      1                           :BEGIN n=-2\n"


def test_a_clause_without_actions_prints_its_line() -> None:
    layout = layout_of(0, [], [])
    assert Run(plan_of([layout])).feed(record(layout, [])).out == HEAD + LINE + "\n"
    assert Run(plan_of([layout], quiet=True)).feed(record(layout, [])).out == ""


def test_trace_has_the_width_of_its_type() -> None:
    types = [INT64, UINT64, INT32, UINT32, INT16, UINT8, STRING, INTERNED]
    values: list[int | bytes] = [-1, 1, -2, 2, -3, 3, b"abc", 0]
    layout = layout_of(0, types, [Trace(index) for index in range(len(types))])
    run = Run(plan_of([layout], strings=[b"read"])).feed(record(layout, values))
    assert run.out == HEAD + LINE + (
        "                  -1"  # " %19d": 20 columns
        "                    1"  # " %20d"
        "         -2"  # " %10d"
        "          2"
        "    -3"  # " %5d"
        "   3"  # " %3d"
        "  abc                              "  # "  %-33s"
        "  read                             "
        "\n"
    )
    run = Run(plan_of([layout], strings=[b"read"], quiet=True)).feed(record(layout, values))
    assert run.out == "-11-22-33abcread"


def test_quiet_prints_what_the_program_prints_and_a_last_newline() -> None:
    layout = layout_of(0, [STRING], [Printf("hello %s\n", (0,)), ExitAction()])
    run = Run(plan_of([layout], quiet=True)).feed(record(layout, [b"world"]))
    run.consumer.finish()
    assert run.out == "hello world\n\n"


def test_dtrace_testing_leaves_out_cpu_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DTRACE_TESTING", "1")
    layout = layout_of(0, [INT32], [Trace(0)])
    run = Run(plan_of([layout])).feed(record(layout, [7]))
    assert run.out == "                   FUNCTION:NAME\n                      read:entry           7\n"


def test_tracemem_and_structures_are_dumped() -> None:
    block = FieldType(FieldKind.BYTES, 20)
    layout = layout_of(0, [block], [Tracemem(0)])
    run = Run(plan_of([layout], quiet=True)).feed(record(layout, [b"dtrace" + bytes(10) + b"\x7f\xffAB"]))
    assert run.out == (
        "\n             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n"
        "         0: 64 74 72 61 63 65 00 00 00 00 00 00 00 00 00 00  dtrace..........\n"
        "        10: 7f ff 41 42                                      ..AB\n"
    )


def test_stacks_and_symbols() -> None:
    services = FakeServices()
    services.stacks = {77: (0x10, 0x20, 0x30), 78: (0x7F001000,)}
    services.symbols = {0x10: "vmlinux`a+0x4", 0x20: "vmlinux`b"}
    services.user_symbols = {(4242, 3, 0x7F001000): "libc.so.6`read+0x10"}
    layout = layout_of(0, [KSTACK._replace(depth=2), USTACK, SYM], [PrintStack(0), PrintStack(1), PrintSymbol(2)])
    user = (78).to_bytes(8, "little") + (4242).to_bytes(4, "little") + (3).to_bytes(4, "little")
    run = Run(plan_of([layout], quiet=True), services).feed(record(layout, [77, user, 0x10]))
    assert run.out == (
        "\n              vmlinux`a+0x4\n              vmlinux`b\n"
        "\n              libc.so.6`read+0x10\n"
        f"  {'vmlinux`a':<50}"
    )


def test_aggregations_that_were_not_printed_come_at_the_end_in_order_of_value() -> None:
    counts = aggregation(1, AggFunction.COUNT, [STRING, INT32], "calls")
    total = aggregation(2, AggFunction.SUM, [], "total")
    run = Run(plan_of([], [counts, total]))
    for name, number, count in ((b"cat", 5, 7), (b"bash", -1, 3), (b"ls", 1, 3)):
        run.consumer.aggregations.merge(1, key(counts, [name, number]), (count,))
    run.consumer.aggregations.merge(2, key(total, []), ((1 << 64) - 12,))
    run.consumer.finish()
    assert run.out == (
        "\n"
        f"  {'bash':<50}       -1                3\n"
        f"  {'ls':<50}        1                3\n"
        f"  {'cat':<50}        5                7\n"
        "              -12\n"
    )


def test_a_keyed_picture_follows_its_key_and_ends_with_an_empty_line() -> None:
    plan = aggregation(1, AggFunction.QUANTIZE, [STRING], "q")
    run = Run(plan_of([], [plan], quiet=True))
    words = [0] * 127
    words[64] = 4  # 1 <= v < 2
    run.consumer.aggregations.merge(1, key(plan, [b"read"]), words)
    run.consumer.finish()
    assert run.out == (
        "\n"
        f"  {'read':<50}\n"
        "           value  ------------- Distribution ------------- count    \n"
        "               0 |                                         0        \n"
        "               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 4        \n"
        "               2 |                                         0        \n"
        "\n"
    )


def test_printa_in_default_format_and_by_a_format() -> None:
    counts = aggregation(1, AggFunction.COUNT, [STRING], "calls")
    plain = layout_of(0, [], [Printa((1,), None)])
    formatted = layout_of(1, [], [Printa((1,), "%-5s|%@5d|%@x\n")])
    run = Run(plan_of([plain, formatted], [counts], quiet=True))
    run.consumer.aggregations.merge(1, key(counts, [b"cat"]), (255,))
    run.consumer.aggregations.merge(1, key(counts, [b"ls"]), (2,))
    run.feed(record(plain, []), record(formatted, []))
    run.consumer.finish()  # it was printed: not again
    assert run.out == (
        f"\n  {'ls':<50}                2\n  {'cat':<50}              255\n"
        "ls   |    2|2\ncat  |  255|ff\n"
        "\n"
    )
    assert run.services.refreshed == 2


def test_printa_of_several_joins_on_keys_and_orders_by_the_first() -> None:
    """A key that one lacks counts 0 there."""
    first = aggregation(1, AggFunction.COUNT, [STRING], "a")
    second = aggregation(2, AggFunction.MAX, [STRING], "b")
    layout = layout_of(0, [], [Printa((1, 2), "%s %@d %@d\n")])
    run = Run(plan_of([layout], [first, second], quiet=True))
    run.consumer.aggregations.merge(1, key(first, [b"x"]), (5,))
    run.consumer.aggregations.merge(1, key(first, [b"y"]), (2,))
    run.consumer.aggregations.merge(2, key(second, [b"x"]), (9 ^ 1 << 63,))
    run.consumer.aggregations.merge(2, key(second, [b"z"]), (8 ^ 1 << 63,))
    run.feed(record(layout, []))
    assert run.out == "z 0 8\ny 2 0\nx 5 9\n"


@pytest.mark.parametrize(
    ("options", "order"), [({"aggsortkey": True}, "abc"), ({"aggsortrev": True}, "abc"), ({}, "cba")]
)
def test_sort_options(options: dict[str, bool], order: str) -> None:
    counts = aggregation(1, AggFunction.COUNT, [STRING])
    layout = layout_of(0, [], [Printa((1,), "%s")])
    run = Run(plan_of([layout], [counts], quiet=True, **options))
    for name, count in ((b"b", 2), (b"a", 3), (b"c", 1)):
        run.consumer.aggregations.merge(1, key(counts, [name]), (count,))
    assert run.feed(record(layout, [])).out == order


def fault_record(site: int, kind: int, value: int) -> bytes:
    return (
        LAYOUT_FAULT.to_bytes(2, "little") + bytes(2) + (2).to_bytes(4, "little")
        + site.to_bytes(4, "little") + kind.to_bytes(4, "little") + value.to_bytes(8, "little")
    )  # fmt: skip


def test_errors_at_run_time_are_told_with_their_place() -> None:
    """In full the first time at each place, in one line after that."""
    plan = plan_of(faults=[FaultSite("x.d", 3, 9, "1 / y", 0), FaultSite("x.d", 4, 1, "*p", 1)])
    run = Run(plan)
    run.feed(fault_record(0, 4, 0), fault_record(0, 4, 0), fault_record(1, 1, 0x10), fault_record(9, 77, 0))
    assert run.err == (
        "invivo: x.d:3:9: error in clause 1 for probe ID 2 (syscall:vmlinux:read:entry): divide-by-zero\n"
        "1 / y\n~~~~~\n"
        "hint: test the divisor in the clause's predicate\n"
        "invivo: x.d:3:9: error in clause 1 for probe ID 2 (syscall:vmlinux:read:entry): divide-by-zero in '1 / y'\n"
        "invivo: x.d:4:1: error in clause 2 for probe ID 2 (syscall:vmlinux:read:entry): invalid address (0x10)\n"
        "*p\n~~\n"
        "hint: a pointer is NULL, or near it: test it first, in the predicate or with if\n"
        "invivo: error for probe ID 2 (syscall:vmlinux:read:entry): unknown error 77\n"
    )
    assert run.out == ""


def test_every_fault_has_its_words() -> None:
    run = Run(plan_of(faults=[FaultSite("x.d", 1, 1, "e", 0)]))
    run.feed(*(fault_record(0, kind.value, 1) for kind in FaultKind))
    assert run.err.count("error in clause 1") == len(FaultKind)


# --- json -------------------------------------------------------------------------------------------------------------


def json_lines(plan: Plan, *payloads: bytes, merges: list[tuple[int, bytes, list[int]]] | None = None) -> list[object]:
    fd = os.memfd_create("out")
    consumer = Consumer(plan, JsonOutput(plan, fd), FakeServices())
    for merge in merges or []:
        consumer.aggregations.merge(*merge)
    consumer.feed(memoryview(b"".join(map(frame, payloads))))
    consumer.finish()
    text = os.pread(fd, 1 << 20, 0).decode("ascii")
    os.close(fd)
    return [json.loads(line) for line in text.splitlines()]


def test_json_records_carry_values_and_text() -> None:
    layout = layout_of(0, [INT32, STRING, FieldType(FieldKind.BYTES, 2)], [Printf("%d %s\n", (0, 1))], clause=3)
    (line,) = json_lines(plan_of([layout]), record(layout, [-1, b"caf\xc3\xa9 \xff\x1b", b"\x01\xfe"], cpu=1))
    assert line == {
        "type": "record", "probe": "syscall:vmlinux:read:entry", "cpu": 1, "clause": 3,
        "values": [-1, "café \udcff\x1b", "01fe"], "text": "-1 café \udcff\x1b\n",
    }  # fmt: skip
    assert line["values"][1].encode("utf-8", "surrogateescape") == b"caf\xc3\xa9 \xff\x1b"


def test_json_aggregations_drops_and_errors() -> None:
    counts = aggregation(1, AggFunction.COUNT, [STRING, INT32], "calls")
    sizes = aggregation(2, AggFunction.LQUANTIZE, [], "sizes", (0, 20, 10))
    layout = layout_of(0, [], [Printa((1,), None)])
    plan = plan_of([layout], [counts, sizes], faults=[FaultSite("x.d", 1, 2, "1/x", 0)])
    merges = [(1, key(counts, [b"cat", 3]), [7]), (2, key(sizes, []), [1, 0, 2, 4])]
    assert json_lines(plan, record(layout, []), fault_record(0, 4, 0), merges=merges) == [
        {"type": "aggregation", "name": "calls", "function": "count", "entries": [{"key": ["cat", 3], "value": 7}]},
        {
            "type": "error", "probe": "syscall:vmlinux:read:entry", "cpu": 0, "file": "x.d", "line": 1, "column": 2,
            "clause": 0, "expression": "1/x", "reason": "divide-by-zero",
            "hint": "test the divisor in the clause's predicate",
        },
        {
            "type": "aggregation", "name": "sizes", "function": "lquantize",
            "entries": [{
                "key": [], "total": 7,
                "buckets": [
                    {"low": None, "high": -1, "count": 1},
                    {"low": 10, "high": 19, "count": 2},
                    {"low": 20, "high": None, "count": 4},
                ],
            }],
        },
    ]  # fmt: skip


# --- for the Python API -----------------------------------------------------------------------------------------------


def test_collected_records(caplog: pytest.LogCaptureFixture) -> None:
    layout = layout_of(0, [INT32, INTERNED], [Printf("%d", (0,)), Trace(1)], clause=1)
    plan = plan_of([layout], strings=[b"a", b"b"], faults=[FaultSite("x.d", 1, 2, "1/x", 0)])
    consumer = Consumer(plan, CollectOutput(plan), FakeServices())
    with caplog.at_level(logging.WARNING, "invivo"):
        consumer.feed(memoryview(frame(record(layout, [5, 1], cpu=1)) + frame(fault_record(0, 4, 0))))
    assert consumer.take_records() == [Record(PROBES[1], 1, 1, (5, "b"), "5b")]
    assert consumer.take_records() == []
    assert [message.split(": ")[-1] for message in caplog.messages] == ["divide-by-zero in '1/x'"]


def test_histograms_are_values() -> None:
    plan = aggregation(1, AggFunction.QUANTIZE, [], "q")
    run = Run(plan_of([], [plan]))
    words = [0] * 127
    words[66], words[62] = 2, 1
    run.consumer.aggregations.merge(1, key(plan, []), words)
    view = run.consumer.aggregations.views()["q"]
    assert view[()] == Histogram((Bucket(-1, -1, 1), Bucket(4, 7, 2)), 3)
    assert (len(view), list(view), view.function) == (1, [()], "quantize")
