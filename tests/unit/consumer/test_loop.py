"""Frames and records: what is whole is shown, what is not is counted."""

from __future__ import annotations

import os
import re
import struct

import pytest

from invivo.consumer.drops import Drop, Drops
from invivo.consumer.records import UserAddress
from invivo.consumer.resolve import Resolver
from invivo.program.actions import Printf
from invivo.program.records import LAYOUT_EXIT, LAYOUT_FAULT, FieldKind, FieldType
from tests.unit.consumer.frames import (
    INT32,
    INT64,
    INTERNED,
    KSTACK,
    STRING,
    UINT8,
    FakeServices,
    Run,
    frame,
    layout_of,
    plan_of,
    record,
)

BUSY, DISCARDED = 1 << 31, 1 << 30
LAYOUT = layout_of(0, [INT32], [Printf("%d ", (0,))])


def fed(data: bytes, **options: bool) -> Run:
    run = Run(plan_of([LAYOUT], quiet=True, **options))
    run.consumer.feed(memoryview(data))
    run.consumer.finish()
    return run


def test_discarded_frames_are_passed_over_and_a_busy_one_ends_the_run() -> None:
    one, two, three = (record(LAYOUT, [number]) for number in (1, 2, 3))
    data = frame(one) + frame(b"\xff" * 24, DISCARDED) + frame(two) + frame(three, BUSY) + frame(three)
    run = fed(data)
    assert run.out == "1 2 \n"
    assert run.err == ""


def test_fields_are_taken_from_anywhere_in_the_record() -> None:
    """Fields in another order than their offsets, a string among them, cut records and whole ones."""
    layout = layout_of(0, [UINT8, STRING, INT64, INTERNED], [Printf("%d %s %d %s;", (0, 1, 2, 3))])
    run = Run(plan_of([layout], strings=[b"zero", b"one"], quiet=True))
    values: list[int | bytes] = [200, b"text", -(1 << 62), 1]
    run.feed(record(layout, values), record(layout, values, cut=False))
    assert run.out == f"200 text {-(1 << 62)} one;" * 2


def test_a_string_ends_at_its_nul_its_field_or_the_record() -> None:
    layout = layout_of(0, [STRING], [Printf("%s|", (0,))])
    run = Run(plan_of([layout], quiet=True))
    header = record(layout, [b""])[:8]
    run.feed(header + b"ab\0cd", header + b"ef", header + b"x" * 40, header)
    assert run.out == "ab|ef|" + "x" * 32 + "||"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0" * 7,
        record(LAYOUT, [1])[:11],
        struct.pack("<HHI", 77, 0, 1) + bytes(8),  # no such layout
        struct.pack("<HHI", LAYOUT_FAULT, 0, 1) + bytes(15),
    ],
)
def test_what_is_too_short_or_unknown_is_counted(payload: bytes) -> None:
    run = fed(frame(payload) + frame(record(LAYOUT, [5])))
    assert run.out == "5 \n"
    assert run.err == "invivo: 1 malformed record (shorter than its layout, and not shown)\n"


def test_a_stack_or_structure_that_is_cut_is_malformed() -> None:
    for type_ in (KSTACK, FieldType(FieldKind.USTACK, 16), FieldType(FieldKind.BYTES, 12)):
        layout = layout_of(0, [type_], [])
        run = Run(plan_of([layout], quiet=True))
        run.feed(record(layout, [0], cut=False)[:12])
        run.consumer.finish()
        assert run.err.startswith("invivo: 1 malformed record")


def test_exit_s_record_only_wakes() -> None:
    assert fed(frame(struct.pack("<HHI", LAYOUT_EXIT, 0, 1))).out == "\n"


def test_a_frame_that_says_it_is_longer_than_the_run_is_not_read() -> None:
    """The ring's reader gives the rest of it next time."""
    run = Run(plan_of([LAYOUT], quiet=True))
    first = frame(record(LAYOUT, [1]))
    data = first + struct.pack("<II", 1000, 0) + record(LAYOUT, [1])
    assert run.consumer.feed(memoryview(data)) == len(first)
    run.consumer.finish()
    assert run.err == ""


def test_output_goes_out_with_each_feed() -> None:
    run = Run(plan_of([LAYOUT], quiet=True))
    run.feed(record(LAYOUT, [1]))
    assert run.out == "1 "
    run.feed(record(LAYOUT, [2]))
    assert run.out == "1 2 "


def test_large_output_is_whole() -> None:
    """More than is held back at once."""
    run = Run(plan_of([LAYOUT], quiet=True))
    run.feed(*(record(LAYOUT, [number]) for number in range(50_000)))
    assert run.out.split() == [str(number) for number in range(50_000)]


def test_a_reader_that_has_gone_is_told_to_the_caller() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    from invivo.consumer.loop import Consumer
    from invivo.output.text import TextOutput

    plan = plan_of([LAYOUT], quiet=True)
    consumer = Consumer(plan, TextOutput(plan, writer), FakeServices())
    with pytest.raises(BrokenPipeError):
        consumer.feed(memoryview(frame(record(LAYOUT, [1]))))
    os.close(writer)


# --- losses -----------------------------------------------------------------------------------------------------------


class Counted:
    def __init__(self) -> None:
        self.records_by_cpu: dict[int, int] = {}
        self.aggregations: dict[int, int] = {}
        self.aggregations_refused: dict[int, int] = {}
        self.variables = self.variables_refused = 0
        self.stacks = self.stacks_refused = 0
        self.mappings = 0
        self.files_without_rules = 0
        self.stack_ends: dict[str, int] = {}
        self.returns = 0
        self.faults = 0
        self.speculations = 0


def test_all_that_is_counted_is_told_and_nothing_twice() -> None:
    """Whatever the counters do in between, the numbers told add up to the numbers counted."""
    counted = Counted()
    drops = Drops({1: "calls"})
    told: dict[tuple[str, str], int] = {}
    for step in range(20):
        counted.records_by_cpu[step % 3] = counted.records_by_cpu.get(step % 3, 0) + step
        counted.aggregations[1] = step * 2
        counted.variables = step // 5
        for drop in drops.news(counted, missed=step // 10):
            told[drop.kind, drop.place] = told.get((drop.kind, drop.place), 0) + drop.count
    assert told == {
        ("principal", "on CPU 0"): sum(range(0, 20, 3)),
        ("principal", "on CPU 1"): sum(range(1, 20, 3)),
        ("principal", "on CPU 2"): sum(range(2, 20, 3)),
        ("aggregation", "of @calls"): 38,
        ("dynamic", ""): 3,
        ("missed", ""): 1,
    }


def test_messages_of_losses() -> None:
    counted = Counted()
    counted.records_by_cpu = {1: 1, 0: 23}
    drops = Drops({})
    hint = "the ring buffer was full; -x bufsize=SIZE makes it larger"
    assert [str(drop) for drop in drops.news(counted)] == [f"23 drops on CPU 0 ({hint})", "1 drop on CPU 1"]
    assert str(Drop("dynamic", 2, "", "")) == "2 dynamic variable drops"


def test_what_was_full_and_what_was_refused_are_told_apart() -> None:
    """What helps differs: more room in one case, fewer new entries at once in the other."""
    counted = Counted()
    counted.aggregations, counted.aggregations_refused = {1: 5}, {1: 7}
    counted.variables, counted.variables_refused = 11, 13
    counted.stacks, counted.stacks_refused = 17, 19
    drops = list(Drops({1: "calls"}).news(counted))
    assert [str(drop._replace(hint="")) for drop in drops] == [
        "5 aggregation drops of @calls", "7 refused aggregation keys of @calls", "11 dynamic variable drops",
        "13 refused dynamic variables", "17 stack drops", "19 refused stacks",
    ]  # fmt: skip
    assert [re.findall("full|too many|at that moment", drop.hint) for drop in drops] == [
        ["full"], ["at that moment"], ["full"], ["at that moment"], ["too many"], ["at that moment"],
    ]  # fmt: skip
    assert ["-x " in drop.hint for drop in drops] == [True, False] * 3


def test_losses_are_told_at_most_once_a_second_and_wholly_at_the_end() -> None:
    run = Run(plan_of([], quiet=True))
    counted = Counted()
    counted.records_by_cpu = {0: 5}
    asked = []
    run.consumer.started()
    for _ in range(100):
        run.consumer.report(lambda: asked.append(1) or counted)  # type: ignore[func-returns-value, return-value]
    assert asked == []
    run.consumer.finish(counted, 2)
    assert "invivo: 5 drops on CPU 0" in run.err
    assert "invivo: 2 missed firings" in run.err


# --- names ------------------------------------------------------------------------------------------------------------


def test_symbols_by_form() -> None:
    services = FakeServices()
    services.symbols = {0x14: "ext4`read+0x4", 0x18: "vmlinux`f"}
    resolver = Resolver(services)
    assert resolver.symbol("sym", 0x14) == resolver.symbol("func", 0x14) == "ext4`read"
    assert resolver.symbol("mod", 0x14) == "ext4"
    assert resolver.symbol("sym", 0x18) == "vmlinux`f"
    assert resolver.symbol("sym", 0x99) == resolver.symbol("mod", 0x99) == "0x99"


def test_symbols_of_processes_by_form() -> None:
    """The same address is another function in another process, or after an exec."""
    services = FakeServices()
    services.user_symbols = {(7, 1, 0x14): "a`f+0x4", (7, 2, 0x14): "b`g"}
    services.user_symbols[8, 3, 0x14] = "c`0x14 [no symbols: stripped]"
    resolver = Resolver(services)
    first, second, third = UserAddress(0x14, 7, 1), UserAddress(0x14, 7, 2), UserAddress(0x14, 8, 3)
    assert resolver.user_symbol("usym", first) == resolver.user_symbol("ufunc", first) == "a`f"
    assert resolver.user_symbol("uaddr", first) == "a`f+0x4"
    assert resolver.user_symbol("umod", first) == "a"
    assert resolver.user_symbol("usym", second) == "b`g"
    assert resolver.user_symbol("usym", third) == "c`0x14 [no symbols: stripped]"
    assert resolver.user_symbol("umod", third) == "c"
    assert resolver.user_symbol("umod", UserAddress(0x14, 9, 4)) == "0x14 [unknown]"
