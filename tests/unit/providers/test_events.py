"""sdt and rawtp on a tracefs tree of their own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.program.attach import RawTracepoint, Tracepoint
from invivo.program.nodes import ContextAddress, ContextBytes, Load, Memory
from invivo.program.sources import ProbePattern
from invivo.program.types import CHAR, INT, UCHAR, Array, Enum, Int, Pointer, Space
from invivo.providers.base import Matcher
from invivo.providers.events import EventTree
from invivo.providers.rawtp import RawtpProvider
from invivo.providers.sdt import SdtProvider
from tests.unit.providers.fakes import SPAN, FakeTypes, Machine, add_event, add_syscall


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    add_event(
        tmp_path,
        "block",
        "block_rq_issue",
        [
            ("dev_t dev", 8, 4, 0),
            ("sector_t sector", 16, 8, 0),
            ("char rwbs[10]", 24, 10, 0),
            ("enum direction dir", 34, 1, 0),
            ("u16 odd", 35, 2, 0),
            ("u8 id[16]", 40, 16, 0),
            ("__data_loc char[] cmd", 56, 4, 0),
            ("__rel_loc char[] tail", 60, 4, 0),
            ("enum direction way", 64, 4, 0),
            ("struct sockaddr_in6 from", 68, 28, 0),
        ],
    )
    add_event(tmp_path, "block", "block_rq_complete", [("dev_t dev", 8, 4, 0)])
    add_event(tmp_path, "sched", "sched_switch", [("int x", 8, 4, 1)])
    add_event(tmp_path, "sched", "sched_unknown")
    add_event(tmp_path, "ftrace", "print")
    add_syscall(tmp_path, "read", "unsigned int fd", "char * buf", "size_t count")
    (tmp_path / "events" / "enable").write_text("0\n")
    (tmp_path / "events" / "sched" / "enable").write_text("0\n")
    return tmp_path


def matcher(name: str, module: str = "", function: str = "") -> Matcher:
    return Matcher(ProbePattern("", module, function, name))


def sdt(tree: Path) -> SdtProvider:
    return SdtProvider(FakeTypes(), EventTree(str(tree)))


def test_events_that_other_tools_defined_are_no_tracepoints(tree: Path) -> None:
    add_event(tree, "dt_4711_dtrace", "BEGIN", [("unsigned long __probe_ip", 8, 8, 0)])
    (tree / "dynamic_events").write_text("p:dt_4711_dtrace/BEGIN /usr/lib/libdtrace.so.2:0x00000000000ded20\n")
    assert not [probe for probe in sdt(tree).match(matcher("")) if "dt_4711" in str(probe)]
    assert not list(sdt(tree).match(matcher("BEGIN", "dt_4711_dtrace")))


def test_every_event_with_a_tracepoint_is_listed(tree: Path) -> None:
    assert [str(probe) for probe in sdt(tree).match(matcher(""))] == [
        "sdt:block::block_rq_complete",
        "sdt:block::block_rq_issue",
        "sdt:sched::sched_switch",
        "sdt:sched::sched_unknown",
        "sdt:syscalls::sys_enter_read",
        "sdt:syscalls::sys_exit_read",
    ]


@pytest.mark.parametrize(
    ("module", "name", "found"),
    [
        ("sched", "sched_switch", ["sched_switch"]),
        ("", "sched_switch", ["sched_switch"]),
        ("bl*", "", ["block_rq_complete", "block_rq_issue"]),
        ("", "*_issue", ["block_rq_issue"]),
        ("block", "sched_switch", []),
        ("ftrace", "print", []),
        ("..", "events", []),
        ("sched", "enable", []),
    ],
)
def test_patterns(tree: Path, module: str, name: str, found: list[str]) -> None:
    probes = sdt(tree).match(matcher(name, module))
    assert [probe.name for probe in probes] == found
    places = [(probe.attach.category, probe.attach.name) for probe in probes if isinstance(probe.attach, Tracepoint)]
    assert places == [(probe.module, probe.name) for probe in probes]


def test_what_fires_as_a_raw_tracepoint_too(tree: Path) -> None:
    """Those whose probe's prototype the kernel's types have."""
    (probe,) = sdt(tree).match(matcher("sched_switch"))
    assert probe.attach == Tracepoint("sched", "sched_switch", "sched_switch")


def test_fields_become_typed_arguments(tree: Path) -> None:
    args = {arg.name: arg for arg in sdt(tree).match(matcher("block_rq_issue"))[0].context.args}
    assert {name: arg.type for name, arg in args.items()} == {
        "dev": Int("dev_t", 4, False),
        "sector": Int("sector_t", 8, False),  # not in the fake BTF: by size and sign
        "rwbs": Array(CHAR, 10),
        "dir": Int("enum direction", 1, False),  # stored in one byte
        "odd": Int("u16", 2, False),
        "id": Array(Int("u8", 1, False), 16),
        "cmd": Pointer(CHAR, Space.KERNEL),
        "tail": Pointer(CHAR, Space.KERNEL),
        "way": Enum("direction", 4, False, (("IN", 0), ("OUT", 1))),
        "from": Array(UCHAR, 28),
    }
    assert isinstance(args["dev"].value(SPAN), ContextBytes)
    assert isinstance(args["odd"].value(SPAN), Load), "the verifier takes no unaligned read of the context"
    memory = args["rwbs"].value(SPAN)
    assert isinstance(memory, Memory)
    assert isinstance(memory.address, ContextAddress)
    assert memory.address.offset == 24


def test_values_of_a_record(tree: Path) -> None:
    """A record made by hand: cmd's data begins at 100, tail's 8 bytes behind its own end (60 + 4 + 8)."""
    record = bytearray(128)
    record[8:12] = (0x0FE00000).to_bytes(4, "little")
    record[16:24] = (123456789012).to_bytes(8, "little")
    record[35:37] = (0xBEEF).to_bytes(2, "little")
    record[56:60] = (5 << 16 | 100).to_bytes(4, "little")
    record[60:64] = (3 << 16 | 8).to_bytes(4, "little")
    machine = Machine(record=bytes(record))
    context = sdt(tree).match(matcher("block_rq_issue"))[0].context
    args = {arg.name: arg.value for arg in context.args}
    assert machine.run(args["dev"]) == 0x0FE00000
    assert machine.run(args["sector"]) == 123456789012
    assert machine.run(args["odd"]) == 0xBEEF
    assert machine.run(args["cmd"]) == Machine.RECORD + 100
    assert machine.run(args["tail"]) == Machine.RECORD + 72
    assert machine.run(context.words[1]) == 123456789012
    # argN is an int64_t: of an array, its address.
    assert machine.run(context.words[2]) == Machine.RECORD + 24 - 2**64


def test_arguments_of_system_calls_lead_into_user_space(tree: Path) -> None:
    args = sdt(tree).match(matcher("sys_enter_read"))[0].context.args
    assert [arg.name for arg in args] == ["__syscall_nr", "fd", "buf", "count"]
    assert args[0].type == INT
    assert args[2].type == Pointer(CHAR, Space.USER)
    record = bytes(16) + (0xFFFFFFFF_00000003).to_bytes(8, "little") + bytes(16)
    assert Machine(record=record).run(args[1].value) == 3


@pytest.mark.parametrize(
    ("module", "function", "name", "reason"),
    [
        ("", "sched", "sched_switch", "sched::sched_switch"),
        ("", "sched_switch", "", ":::sched_switch"),
        ("ftrace", "", "print", "no tracepoint"),
        ("", "", "nonsense", ""),
    ],
)
def test_reasons(tree: Path, module: str, function: str, name: str, reason: str) -> None:
    explained = sdt(tree).explain(Matcher(ProbePattern("sdt", module, function, name)))
    assert reason in explained
    assert bool(reason) == bool(explained)


# --- rawtp ----------------------------------------------------------------------------------------------------------


def rawtp(tree: Path) -> RawtpProvider:
    add_event(tree, "raw_syscalls", "sys_enter")
    return RawtpProvider(FakeTypes(), EventTree(str(tree)))


def test_raw_tracepoints_are_those_with_a_prototype(tree: Path) -> None:
    names = [str(probe) for probe in rawtp(tree).match(matcher(""))]
    assert names[:2] == ["rawtp:raw_syscalls::sys_enter", "rawtp:sched::sched_switch"]
    # The fake BTF has prototypes of tracepoints that the tree has no event of.
    assert "rawtp:vmlinux::sched_exit_tp" in names[2:]
    assert not any(name.endswith(("sched_unknown", "sys_enter_read", "print")) for name in names)


@pytest.mark.parametrize(
    ("module", "name", "found"),
    [
        ("", "sched_switch", ["rawtp:sched::sched_switch"]),
        ("sched", "sched_switch", ["rawtp:sched::sched_switch"]),
        ("vmlinux", "sched_switch", []),
        ("", "sched_exit_tp", ["rawtp:vmlinux::sched_exit_tp"]),
        ("", "sched_unknown", []),
        ("", "tick-1s", []),
    ],
)
def test_raw_patterns(tree: Path, module: str, name: str, found: list[str]) -> None:
    probes = rawtp(tree).match(matcher(name, module))
    assert [str(probe) for probe in probes] == found
    assert all(probe.attach == RawTracepoint(probe.name) for probe in probes)


def test_raw_arguments_are_the_words(tree: Path) -> None:
    context = rawtp(tree).match(matcher("sched_switch"))[0].context
    assert [arg.name for arg in context.args] == ["preempt", "prev", "next", "prev_state"]
    # The last one is an unsigned int: the kernel hands it over in 64 bits.
    machine = Machine([1, 0xFFFF_8880_0000_0001, 0xFFFF_8880_0000_0002, 0x2])
    assert [machine.run(arg.value) for arg in context.args] == [1, 0xFFFF_8880_0000_0001, 0xFFFF_8880_0000_0002, 2]
    assert len(context.words) == 4, "reading a word that the tracepoint does not pass is refused at attach time"


def test_single_system_calls_have_no_raw_tracepoint(tree: Path) -> None:
    reason = rawtp(tree).explain(Matcher(ProbePattern("rawtp", "", "", "sys_enter_read")))
    assert "syscall::read:entry" in reason
    assert "sdt:sched::sched_unknown" in rawtp2(tree).explain(
        Matcher(ProbePattern("rawtp", "sched", "", "sched_unknown"))
    )


def rawtp2(tree: Path) -> RawtpProvider:
    return RawtpProvider(FakeTypes(), EventTree(str(tree)))
