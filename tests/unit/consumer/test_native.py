"""The compiled formatter prints what Python prints, byte by byte, and leaves alone what is not as it should be."""

from __future__ import annotations

import mmap
import os
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invivo.codegen.formatter import compile_formatter
from invivo.consumer import native
from invivo.consumer.loop import Consumer
from invivo.consumer.output import NativeSink
from invivo.output.text import TextOutput
from invivo.program.actions import ExitAction, Printa, Printf, Trace
from invivo.program.plan import Plan, ProbeInfo
from invivo.program.records import LAYOUT_EXIT, AggFunction, Field, FieldKind, FieldType, RecordLayout
from tests.unit.consumer.frames import (
    INT16,
    INT32,
    INT64,
    INTERNED,
    STRING,
    UINT8,
    UINT32,
    UINT64,
    FakeServices,
    aggregation,
    frame,
    layout_of,
    plan_of,
    record,
)

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the formatter is made for x86-64")

TYPES = (INT64, UINT64, INT32, UINT32, INT16, UINT8, FieldType(FieldKind.POINTER, 8))
STRINGS = (b"read", b"", b"a name that is rather longer than others, and goes on", b"\x1b[31m", b"caf\xc3\xa9")
EDGES = (0, 1 << 63, (1 << 64) - 1, -(1 << 63))
NUMBERS = st.one_of(st.integers(-(1 << 63), (1 << 64) - 1), st.integers(-10, 10), st.sampled_from(EDGES))
TEXTS = st.one_of(st.binary(max_size=31), st.text(max_size=7).map(str.encode)).map(lambda text: text.split(b"\0")[0])


@st.composite
def conversions(draw: st.DrawFn, kind: FieldKind) -> str:
    width = draw(st.sampled_from(["", "1", "5", "17", "40"]))
    if kind in (FieldKind.STRING, FieldKind.INTERNED):
        precision = draw(st.sampled_from(["", "", ".0", ".3", ".20"]))
        return f"%{draw(st.sampled_from(['', '-', '0']))}{width}{precision}s"
    conv = draw(st.sampled_from("diuxXopc"))
    flags = draw(st.sampled_from(["", "-", "0", "-0", "+", " ", "+0", "?"]))
    return f"%{flags}{width}{draw(st.sampled_from(['', 'l', 'h']))}{conv}"


@st.composite
def layouts(draw: st.DrawFn, identity: int = 0) -> RecordLayout:
    types = draw(st.lists(st.sampled_from((*TYPES, STRING, INTERNED)), max_size=5))
    actions: list[Printf | Trace | ExitAction] = []
    for index, type_ in enumerate(types):
        literal = draw(st.sampled_from(["", " ", "%%", "12345678", "a longer literal text\n", "\u00e9"]))
        actions.append(
            draw(st.sampled_from([Trace(index), Printf(literal + draw(conversions(type_.kind)) + literal, (index,))]))
        )
    if draw(st.booleans()):
        actions.append(ExitAction())
    return layout_of(identity, types, actions)


@st.composite
def payloads(draw: st.DrawFn, layout: RecordLayout) -> bytes:
    values: list[int | bytes] = []
    for field in layout.fields:
        match field.type.kind:
            case FieldKind.STRING:
                values.append(draw(TEXTS))
            case FieldKind.INTERNED:
                values.append(draw(st.integers(0, len(STRINGS) - 1)))
            case _:
                values.append(draw(NUMBERS))
    probe, cpu = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from([0, 7, 63, 1000, 65535]))
    return record(layout, values, probe, cpu, draw(st.booleans()))


def printed(plan: Plan, frames: bytes, *, is_terminal: bool) -> tuple[bytes, bytes]:
    """Output and errors of a plan's consumer."""
    out, err = os.memfd_create("out"), os.memfd_create("err")
    try:
        output = TextOutput(plan, out, err)
        output._is_terminal = is_terminal
        consumer = Consumer(plan, output, FakeServices())
        assert (consumer._native is None) == (plan.formatter is None)
        consumer.feed(memoryview(frames))
        consumer.finish()
        return os.pread(out, 1 << 24, 0), os.pread(err, 1 << 20, 0)
    finally:
        os.close(out)
        os.close(err)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_prints_what_python_prints(data: st.DataObject, is_quiet: bool, is_terminal: bool) -> None:
    """Random layouts, formats and records; probe 3 does not exist."""
    made = [data.draw(layouts(identity)) for identity in range(data.draw(st.integers(1, 3)))]
    plan = plan_of(made, strings=STRINGS, quiet=is_quiet)
    code = compile_formatter(plan)
    if code is None:
        assert all(layout.actions and not layout.fields for layout in made)
        return
    frames = b"".join(
        frame(data.draw(payloads(data.draw(st.sampled_from(made)))), data.draw(st.sampled_from([0, 0, 0, 1 << 30])))
        for _ in range(data.draw(st.integers(0, 12)))
    )
    expected = printed(plan, frames, is_terminal=is_terminal)
    assert printed(plan._replace(formatter=code), frames, is_terminal=is_terminal) == expected


def test_records_that_need_python_keep_their_place() -> None:
    """printa(), exit's record, a malformed record and one without a probe stand between compiled ones."""
    simple = layout_of(0, [INT32, STRING], [Printf("%d:%s ", (0, 1))])
    shown = layout_of(1, [], [Printa((1,), "x")])
    plan = plan_of([simple, shown], [aggregation(1, AggFunction.COUNT)])
    code = compile_formatter(plan)
    assert code is not None
    good = record(simple, [1, b"one"])
    exit_record = struct.pack("<HHI", LAYOUT_EXIT, 0, 1)
    lost = record(simple, [2, b"two"], probe=99)
    frames = b"".join(map(frame, (good, record(shown, []), good, good[:10], good, exit_record, good, lost, good)))
    expected = printed(plan, frames, is_terminal=False)
    assert expected[0].count(b"1:one") == 5
    assert printed(plan._replace(formatter=code), frames, is_terminal=False) == expected


def test_more_text_than_its_buffer_holds() -> None:
    """10,000 records of 1,000 columns each: 40 buffers."""
    layout = layout_of(0, [INT32], [Printf("%1000d", (0,))])
    plan = plan_of([layout], quiet=True)
    frames = b"".join(frame(record(layout, [number])) for number in range(10_000))
    out, _ = printed(plan._replace(formatter=compile_formatter(plan)), frames, is_terminal=False)
    assert out == b"".join(b"%1000d" % number for number in range(10_000)) + b"\n"


def compiled(plan: Plan, sink: NativeSink) -> native.NativeFormatter:
    code = compile_formatter(plan)
    assert code is not None
    formatter = native.load_formatter(code, sink)
    assert formatter is not None
    return formatter


def test_reads_nothing_beyond_the_frames() -> None:
    """The frames end where a page ends behind which nothing is mapped: a read beyond would end this process."""
    layout = layout_of(0, [INT64, STRING], [Printf("%d %s", (0, 1))])
    page = mmap.PAGESIZE
    texts: list[bytes] = []
    formatter = compiled(
        plan_of([layout], quiet=True), NativeSink(lambda text: texts.append(bytes(text)), is_escaped=False)
    )
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    room = mmap.mmap(-1, 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    payload = record(layout, [7, b"x"])[:16] + b"y" * 32  # no NUL: the field's end and the record's end it
    data = frame(payload)
    room[page - len(data) : page] = data
    assert libc.mprotect(ctypes.c_void_p(address + page), page, 0) == 0
    view = memoryview(room)[page - len(data) : page]
    assert formatter.run(view, 0) == len(data)
    assert texts == [b"7 " + b"y" * 32]
    for cut in range(1, len(data)):  # a frame that says more than there is
        assert formatter.run(view[:cut], 0) == 0
    assert libc.mprotect(ctypes.c_void_p(address + page), page, mmap.PROT_READ | mmap.PROT_WRITE) == 0


def test_survives_any_bytes() -> None:
    """Random garbage: it stops or goes on, always inside, and its text is never longer than its buffer."""
    layout = layout_of(0, [INT64, INTERNED, STRING], [Printf("%d %s %s", (0, 1, 2)), Trace(0)])
    plan = plan_of([layout], strings=STRINGS)
    formatter = compiled(plan, NativeSink(lambda text: None, is_escaped=True))
    source = random.Random(1)
    for _ in range(3000):
        length = source.choice([0, 8, 16, 24, 40, 56, 64, source.randrange(1 << 32)])
        layout_id, probe = source.choice([0, 0, 0, 9]), source.choice([1, 2, 5])
        garbage = struct.pack("<IIHHI", length, 0, layout_id, 1, probe)
        garbage += source.randbytes(source.randrange(0, 96))
        assert 0 <= formatter.run(memoryview(garbage), 0) <= len(garbage)


def test_what_it_does_not_do_is_left_to_python() -> None:
    """Nothing to print, other actions, other conversions, records that might become huge: no code."""
    huge = FieldType(FieldKind.STRING, 1 << 20)
    block = FieldType(FieldKind.BYTES, 8)
    for layout in (
        layout_of(0, [], [ExitAction()]),
        layout_of(0, [], [Printa((1,), None)]),
        layout_of(0, [block], [Trace(0)]),
        layout_of(0, [INT64], [Printf("%Y", (0,))]),
        layout_of(0, [INT64], [Printf("%.3d", (0,))]),
        layout_of(0, [INT32, INT64], [Printf("%*d", (0, 1))]),
        RecordLayout(0, 0, 8 + (1 << 20), (Field(8, huge),), (Printf("%s", (0,)),)),
    ):
        assert compile_formatter(plan_of([layout], [aggregation(1, AggFunction.COUNT)])) is None


def test_code_that_is_not_its_own_is_not_run() -> None:
    plan = plan_of([layout_of(0, [INT64], [Trace(0)])])
    code = compile_formatter(plan)
    assert code is not None
    sink = NativeSink(lambda text: None, is_escaped=False)
    for broken in (b"", code[:20], b"x" + code[1:], code + b"x"):
        assert native.load_formatter(broken, sink) is None


def test_where_code_may_not_be_mapped_python_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = layout_of(0, [INT64], [Trace(0)])
    plan = plan_of([layout], quiet=True)
    plan = plan._replace(formatter=compile_formatter(plan))

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    out = os.memfd_create("out")
    monkeypatch.setattr(os, "memfd_create", refuse)
    consumer = Consumer(plan, TextOutput(plan, out), FakeServices())
    consumer.feed(memoryview(frame(record(layout, [5]))))
    assert os.pread(out, 100, 0) == b"5"


def test_long_probe_names_widen_their_column() -> None:
    plan = plan_of([layout_of(0, [], [])])._replace(probes=(ProbeInfo("sdt", "m", "f" * 300, "name"),))
    frames = frame(record(plan.records[0], [], probe=1)) * 3
    expected = printed(plan, frames, is_terminal=False)
    assert expected[0].count(b"f" * 300 + b":name") == 3
    assert printed(plan._replace(formatter=compile_formatter(plan)), frames, is_terminal=False) == expected
