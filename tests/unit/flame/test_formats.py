"""Formats of others: read from samples written by hand after their tools' output, written and decoded independently."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from invivo.errors import InvivoError, OptionError
from invivo.flame.files import FORMATS, format_of_name, read_profile, read_stream, write_profile
from invivo.flame.profile import Frame, Kind, Profile, Thread

Counts = dict[tuple[str, ...], int]


def read(data: bytes, format_name: str = "") -> Profile:
    return read_stream(io.BufferedReader(io.BytesIO(data)), "input", format_name)


def stacks(profile: Profile) -> Counts:
    found: Counts = {}
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        key = tuple(frame.name for frame in profile.stack(node))
        found[key] = found.get(key, 0) + weight
    return found


# --- text of tools --------------------------------------------------------------------------------------------------

_PERF = b"""\
# ========
redis-server  1234/1235 [001]   100.000000:   10101010 cpu-clock:pppH:
\tffffffff8120001c vfs_read+0x1c ([kernel.kallsyms])
\t          7f3a10 read+0x10 (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          55d0c1 inner (inlined)
\t          55d0c1 std::pair<int, long> outer(char (*)[4])+0x21 (/usr/bin/redis server)

redis-server  1234/1235 [000]   100.010101:   10101010 cpu-clock:pppH:
\t          55d0c1 [unknown] (/usr/bin/redis server)

bio worker 1  1234/1236 [000]   100.020000:   10101010 cpu-clock:pppH:
\t    7f0000001000 Loop:/app.js:1 (/tmp/perf-1234.map)

"""


def test_perf_script() -> None:
    profile = read(_PERF)
    assert profile.unit == "ns"
    assert stacks(profile) == {
        ("std::pair<int, long> outer(char (*)[4])", "inner", "read", "vfs_read"): 10101010,
        ("[unknown in redis server]",): 10101010,
        ("Loop:/app.js:1",): 10101010,
    }
    assert [(frame.kind, frame.module) for frame in profile.stack(profile.nodes[0])] == [
        (Kind.USER, "redis server"), (Kind.INLINED, ""), (Kind.USER, "libc.so.6"), (Kind.KERNEL, "vmlinux")
    ]  # fmt: skip
    assert profile.threads == [Thread(1234, 1235, "redis-server"), Thread(1234, 1236, "bio worker 1")]
    assert list(profile.times) == [0, 10_101_000, 20_000_000]
    assert profile.stack(profile.nodes[2])[0].kind is Kind.JIT


def test_perf_script_without_stacks_says_what_to_do() -> None:
    profile = read(b"swapper 0 [000] 1.5: 1 cycles: \n\nswapper 0 [000] 1.6: 1 cycles: \n\n", "perf")
    assert profile.notes == ["input: 2 of 2 samples have no stack: was perf record run with -g?"]


_BPFTRACE = b"""\
Attaching 1 probe...

@[
    vfs_read+28
    do_syscall_64+113
    entry_SYSCALL_64_after_hwframe+118
,
    read+16
    main+42
, redis]: 17
@[
    idle_loop+1
]: 3
"""


def test_bpftrace() -> None:
    profile = read(_BPFTRACE)
    assert stacks(profile) == {
        ("redis", "main", "read", "entry_SYSCALL_64_after_hwframe", "do_syscall_64", "vfs_read"): 17,
        ("idle_loop",): 3,
    }
    assert [frame.kind for frame in profile.stack(profile.nodes[0])] == [Kind.USER] * 3 + [Kind.KERNEL] * 3


def test_bpftrace_that_ends_inside_a_stack_keeps_the_rest() -> None:
    profile = read(_BPFTRACE + b"@[\n    cut+1\n")
    assert profile.total == 20
    assert profile.notes == ["input: the text ends inside a stack, which is left out"]


_DTRACE = b"""\

              vmlinux`vfs_read+0x1c
              vmlinux`entry_SYSCALL_64_after_hwframe+0x76

              libc.so.6`read+0x10
              redis`main+0x2a
               17

              redis`main+0x30
                4
"""


def test_dtrace() -> None:
    profile = read(_DTRACE)
    assert stacks(profile) == {("main", "read", "entry_SYSCALL_64_after_hwframe", "vfs_read"): 17, ("main",): 4}


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_speedscope_events() -> None:
    events = [("O", 0, 0), ("O", 1, 2), ("C", 1, 5), ("O", 2, 5), ("C", 2, 6), ("C", 0, 10)]
    data = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": [{"name": "main"}, {"name": "read"}, {"name": "write", "file": "a.c", "line": 3}]},
        "profiles": [{"type": "evented", "name": "t", "unit": "milliseconds", "startValue": 0, "endValue": 10,
                      "events": [{"type": kind, "frame": frame, "at": at} for kind, frame, at in events]}],
    }  # fmt: skip
    profile = read(json.dumps(data).encode())
    ms = 1_000_000
    assert profile.unit == "ns"
    assert stacks(profile) == {("main",): 6 * ms, ("main", "read"): 3 * ms, ("main", "write"): ms}


def test_chrome_events() -> None:
    events = [
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "Main"}},
        {"ph": "X", "name": "main", "pid": 1, "tid": 2, "ts": 100, "dur": 100},
        {"ph": "B", "name": "read", "pid": 1, "tid": 2, "ts": 110},
        {"ph": "E", "pid": 1, "tid": 2, "ts": 140},
        {"ph": "X", "name": "later", "pid": 1, "tid": 2, "ts": 300, "dur": 7},
        {"ph": "B", "name": "unended", "pid": 1, "tid": 2, "ts": 400},
    ]
    profile = read(json.dumps({"traceEvents": events}).encode())
    assert stacks(profile) == {("main",): 70_000, ("main", "read"): 30_000, ("later",): 7_000}
    assert profile.threads == [Thread(1, 2, "Main")]
    assert profile.notes == ["input: 1 slices have no end and are left out"]


def test_a_cpuprofile() -> None:
    def node(number: int, name: str, children: list[int]) -> dict[str, Any]:
        return {"id": number, "callFrame": {"functionName": name, "url": "x.js", "lineNumber": 4}, "children": children}

    nodes = [node(1, "(root)", [2]), node(2, "main", [3]), node(3, "", [])]
    profile = read(json.dumps({"nodes": nodes, "samples": [2, 3, 3], "timeDeltas": [0, 100, 50]}).encode())
    assert stacks(profile) == {("main",): 0, ("main", "(anonymous)"): 150_000}
    assert profile.stack(profile.nodes[0])[0].line == 5


# --- written, and read by others ------------------------------------------------------------------------------------


def example() -> Profile:
    profile = Profile("ns", "an example")
    main = Frame("main", "prog", Kind.USER, "prog.c", 12)
    read_ = [main, Frame("inner", "prog", Kind.INLINED), Frame("read", "libc.so.6"),
             Frame("vfs_read", "vmlinux", Kind.KERNEL)]  # fmt: skip
    first, second = profile.thread(Thread(10, 10, "prog")), profile.thread(Thread(10, 11, "<worker>"))
    profile.add(profile.node(read_), 3_000_000, first, 0)
    profile.add(profile.node([main]), 1_000_000, first, 3_000_000)
    profile.add(profile.node([main, Frame("\u05d0\\x01\"'", "", Kind.JIT)]), 2_000_000, second, 0)
    profile.add(profile.node(read_), 4_000_000, second, 2_000_000)
    return profile


EXPECTED = {("main", "inner", "read", "vfs_read"): 7_000_000, ("main",): 1_000_000,
            ("main", "\u05d0\\x01\"'"): 2_000_000}  # fmt: skip


@pytest.mark.parametrize("name", ["html", "speedscope", "pprof", "firefox", "chrome"])
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "out")
    write_profile(example(), path, name)
    profile = read_profile(path)
    assert stacks(profile) == EXPECTED
    assert profile.unit == "ns"
    assert sorted(str(thread) for thread in profile.threads)[-1].startswith("prog")
    kinds = {frame.name: frame.kind for frame in profile.frames}
    assert name == "chrome" or kinds["vfs_read"] is Kind.KERNEL


def coarse(unit: str) -> Profile:
    """As a long run's: at each moment several stacks of a thread, 100 ms apart, and one wait of 250 ms at the third."""
    profile = Profile(unit)
    thread = profile.thread(Thread(3, 4, "t"))
    main, idle = Frame("main"), Frame("idle")
    for moment in (50, 150, 250, 350):
        for stack, weight in (([main, Frame("read")], 30), ([main, Frame("write")], 10), ([main], 5)):
            profile.add(profile.node(stack), weight * 1_000_000, thread, moment * 1_000_000)
        if moment == 250:
            profile.add(profile.node([idle]), 250_000_000, thread, moment * 1_000_000)
    return profile


@pytest.mark.parametrize("name", ["speedscope", "pprof", "firefox", "chrome", "folded"])
def test_samples_that_share_a_moment_keep_their_weights(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "out")
    write_profile(coarse("ns"), path, name)
    ms = 1_000_000
    assert {stack[-1]: weight for stack, weight in stacks(read_profile(path)).items()} == {
        "read": 120 * ms, "write": 40 * ms, "main": 20 * ms, "idle": 250 * ms
    }  # fmt: skip


def test_samples_that_share_a_moment_share_the_time_until_the_next(tmp_path: Path) -> None:
    """30, 10 and 5 of 45 parts of 100 ms, at three moments; of 295 at the one with the wait."""
    path = str(tmp_path / "out")
    write_profile(coarse("samples"), path, "chrome")
    parts = {"read": 30, "write": 10, "main": 5}
    found = {stack[-1]: weight / 1e6 for stack, weight in stacks(read_profile(path)).items()}
    assert found.pop("idle") == pytest.approx(100 * 250 / 295, abs=0.01)
    assert found == {name: pytest.approx(300 * part / 45 + 100 * part / 295, abs=0.01) for name, part in parts.items()}


_ENDINGS = ("folded", "speedscope.json", "pb.gz", "firefox.json", "trace.json", "html")


@pytest.mark.parametrize("second", _ENDINGS)
@pytest.mark.parametrize("first", _ENDINGS)
def test_every_format_becomes_every_other(first: str, second: str, tmp_path: Path) -> None:
    """All stacks come through both (folded with the thread's name as outermost frame), and the sum too."""
    write_profile(example(), str(tmp_path / f"a.{first}"))
    write_profile(read_profile(str(tmp_path / f"a.{first}")), str(tmp_path / f"b.{second}"))
    profile = read_profile(str(tmp_path / f"b.{second}"))
    paths = [[frame.name for frame in profile.stack(node)] for node in profile.nodes]
    assert {tuple(path[path.index("main") :]) for path in paths} == set(EXPECTED)
    factor = 1000 if (first, second) == ("folded", "trace.json") else 1  # folded has no unit; a sample is a microsecond
    assert profile.total == factor * example().total


def test_a_chrome_trace_is_as_its_schema_says(tmp_path: Path) -> None:
    """And what begins ends in order: replayed here, the time of each stack is what its samples say, 1 ms each."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema: pip install invivo[dev]")
    schema = json.loads(Path(__file__).with_name("trace_event.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    profile = Profile("samples", "schema \u05e2 \"<b>")
    thread = profile.thread(Thread(7, 8, "worker"))
    main, hostile = Frame("main", "prog"), Frame("</script>\x01\"\\", "a;b", Kind.KERNEL)
    for place, stack in enumerate([[main]] * 3 + [[main, hostile]] * 5 + [[main]] * 2):
        profile.add(profile.node(stack), 1, thread, place * 1_000_000)
    write_profile(profile, str(tmp_path / "out"), "chrome")
    data = json.loads((tmp_path / "out").read_text())
    jsonschema.validate(data, schema)

    times: Counts = {}
    opened: list[str] = []
    last = 0
    for event in data["traceEvents"]:
        assert (event["pid"], event["tid"]) == (7, 8)
        if event["ph"] == "M":
            assert event["args"] == {"name": "worker"}
            continue
        times[tuple(opened)] = times.get(tuple(opened), 0) + event["ts"] - last
        last = event["ts"]
        if event["ph"] == "B":
            opened.append(event["name"])
        else:
            assert event.get("name", opened[-1]) == opened.pop()
    assert opened == []
    assert {path: time for path, time in times.items() if time} == {("main",): 5000, ("main", hostile.name): 5000}

    begin = next(event for event in data["traceEvents"] if event["ph"] == "B")
    for damage in ({"ph": "Q"}, {"ts": "soon"}, {"ts": -1}, {"name": None}, {"tid": 1.5}, {"dur": 3}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"traceEvents": [{**begin, **damage}]}, schema)


@pytest.mark.parametrize("unit", ["samples", "ns", "bytes"])
def test_a_chrome_trace_of_sums_is_as_its_schema_says(unit: str, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema: pip install invivo[dev]")
    profile = example()
    profile.unit = unit
    write_profile(profile, str(tmp_path / "out"), "chrome")
    data = json.loads((tmp_path / "out").read_text())
    jsonschema.validate(data, json.loads(Path(__file__).with_name("trace_event.schema.json").read_text()))
    assert {event["ph"] for event in data["traceEvents"]} == {"M", "B", "E"}


def pprof_schema() -> Any:
    """pprof's message Profile, laid out by hand after its published schema, for Google's own decoder."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="p", syntax="proto3")
    layout = {
        "ValueType": [("type", 1, "i"), ("unit", 2, "i")],
        "Label": [("key", 1, "i"), ("str", 2, "i"), ("num", 3, "i"), ("num_unit", 4, "i")],
        "Sample": [("location_id", 1, "u*"), ("value", 2, "i*"), ("label", 3, "Label*")],
        "Mapping": [("id", 1, "u"), ("filename", 5, "i"), ("has_functions", 7, "b")],
        "Line": [("function_id", 1, "u"), ("line", 2, "i")],
        "Location": [("id", 1, "u"), ("mapping_id", 2, "u"), ("address", 3, "u"), ("line", 4, "Line*")],
        "Function": [("id", 1, "u"), ("name", 2, "i"), ("system_name", 3, "i"), ("filename", 4, "i")],
        "Profile": [("sample_type", 1, "ValueType*"), ("sample", 2, "Sample*"), ("mapping", 3, "Mapping*"),
                    ("location", 4, "Location*"), ("function", 5, "Function*"), ("string_table", 6, "s*"),
                    ("time_nanos", 9, "i"), ("duration_nanos", 10, "i"), ("comment", 13, "i*")],
    }  # fmt: skip
    letters = {"i": kinds.TYPE_INT64, "u": kinds.TYPE_UINT64, "b": kinds.TYPE_BOOL, "s": kinds.TYPE_STRING}
    for name, rows in layout.items():
        message = file.message_type.add(name=name)
        for field, number, kind in rows:
            base = kind.rstrip("*")
            row = message.field.add(name=field, number=number)
            row.label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            row.type = letters.get(base, kinds.TYPE_MESSAGE)
            if base not in letters:
                row.type_name = f".p.{base}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))


def test_pprof_is_decoded_by_protobuf(tmp_path: Path) -> None:
    write_profile(example(), str(tmp_path / "out.pb.gz"))
    profile = pprof_schema()()
    profile.ParseFromString(gzip.decompress((tmp_path / "out.pb.gz").read_bytes()))
    strings = profile.string_table
    assert strings[0] == ""
    assert [(strings[row.type], strings[row.unit]) for row in profile.sample_type] == [("time", "nanoseconds")]
    functions = {row.id: strings[row.name] for row in profile.function}
    lines = {row.id: functions[row.line[0].function_id] for row in profile.location}
    found: Counts = {}
    for sample in profile.sample:
        key = tuple(lines[location] for location in reversed(sample.location_id))
        found[key] = found.get(key, 0) + sample.value[0]
    assert found == EXPECTED
    assert {strings[row.filename] for row in profile.mapping} == {"prog", "libc.so.6", "vmlinux", ""}
    threads = {strings[label.str] for sample in profile.sample for label in sample.label if label.str}
    assert threads == {"prog", "<worker>"}
    assert profile.duration_nanos == 3_000_000


def test_a_pprof_that_protobuf_wrote_is_read() -> None:
    made = pprof_schema()()
    made.string_table.extend(["", "samples", "count", "cpu", "nanoseconds", "main", "inlined", "/usr/bin/prog", "a.c"])
    made.sample_type.add(type=1, unit=2)
    made.sample_type.add(type=3, unit=4)
    made.mapping.add(id=1, filename=7)
    made.function.add(id=1, name=5, filename=8)
    made.function.add(id=2, name=6)
    location = made.location.add(id=9, mapping_id=1, address=0x1000)
    location.line.add(function_id=2, line=7)  # innermost first
    location.line.add(function_id=1, line=3)
    made.location.add(id=10, mapping_id=1, address=0xABC)
    made.sample.add(location_id=[9], value=[1, 100])
    made.sample.add(location_id=[10, 9], value=[2, 50])
    profile = read(made.SerializeToString())
    assert (profile.unit, stacks(profile)) == ("ns", {("main", "inlined"): 100, ("main", "inlined", "0xabc"): 50})
    assert profile.stack(profile.nodes[0]) == [
        Frame("main", "prog", Kind.USER, "a.c", 3), Frame("inlined", "prog", Kind.INLINED, "", 7)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["speedscope", "pprof", "firefox", "chrome"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.99])
def test_a_cut_file_is_refused_in_words(name: str, part: float, tmp_path: Path) -> None:
    write_profile(example(), str(tmp_path / "out"), name)
    data = (tmp_path / "out").read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InvivoError) as caught:
        read_profile(str(tmp_path / "cut"), name)
    assert caught.value.hint or "cannot read" in caught.value.message


@pytest.mark.parametrize("name", [row.name for row in FORMATS.values() if row.reader])
@pytest.mark.parametrize("data", [b"\x00" * 100, b"{}", b"[]", b'{"threads": [1]}', b"@[", b"\x0a\xff", b'[{"ph": 7}]'])
def test_nonsense_is_an_error_or_empty_and_never_a_crash(name: str, data: bytes) -> None:
    total = -1
    with contextlib.suppress(InvivoError):
        total = read(data, name).total
    assert total <= 0


def test_an_unknown_format_and_ending_are_told() -> None:
    with pytest.raises(InvivoError, match="its format is not known"):
        read(b"hello there\n")
    with pytest.raises(InvivoError, match="input is empty"):
        read(b"")
    with pytest.raises(OptionError, match="does not say which format"):
        format_of_name("picture.png")
    with pytest.raises(OptionError, match="the format 'svg' cannot be read"):
        read(b"<svg>", "svg")


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.svg").write_text("old")
    with pytest.raises(InvivoError, match="cannot write to '/dev/full': No space left on device"):
        write_profile(example(), "/dev/full", "svg")

    def broken(_: Profile) -> Any:
        yield b"new"
        raise OSError(28, "No space left on device")

    from invivo.flame.files import write_pieces

    with pytest.raises(InvivoError, match="No space left"):
        write_pieces(broken(example()), str(tmp_path / "out.svg"))
    assert (tmp_path / "out.svg").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.svg"]
