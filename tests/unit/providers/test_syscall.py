"""The syscall provider on a tracefs tree of its own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.program.attach import BtfTracepoint, RawTracepoint
from invivo.program.plan import Traits
from invivo.program.sources import ProbePattern
from invivo.program.types import CHAR, INT, Int, Pointer, Space
from invivo.providers.base import Matcher
from invivo.providers.events import EventTree
from invivo.providers.syscall import Numbers, SyscallProvider
from tests.unit.providers.fakes import FakeTypes, Machine, add_syscall

# Numbers of asm/unistd_64.h.
TABLE = {"read": 0, "write": 1, "stat": 4, "openat": 257, "umount2": 166, "init_module": 175, "uname": 63}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    add_syscall(tmp_path, "read", "unsigned int fd", "char * buf", "size_t count")
    add_syscall(tmp_path, "openat", "int dfd", "const char * filename", "int flags", "umode_t mode")
    add_syscall(tmp_path, "newstat", "const char * filename", "struct stat * statbuf")
    add_syscall(tmp_path, "umount", "char * name", "int flags")
    add_syscall(tmp_path, "brandnew", "int x")
    return tmp_path


def provider(tree: Path, types: FakeTypes | None = None, traits: Traits | None = None) -> SyscallProvider:
    return SyscallProvider(types or FakeTypes(), traits or Traits(), EventTree(str(tree)), Numbers("x86_64", TABLE))


def matcher(function: str, name: str = "", module: str = "") -> Matcher:
    return Matcher(ProbePattern("syscall", module, function, name))


def test_names_come_from_tracefs_and_numbers_from_the_table(tree: Path) -> None:
    probes = provider(tree).match(matcher(""))
    assert [(str(probe), probe.selector.value if probe.selector else None) for probe in probes] == [
        ("syscall:vmlinux:newstat:entry", 4),
        ("syscall:vmlinux:newstat:return", 4),
        ("syscall:vmlinux:openat:entry", 257),
        ("syscall:vmlinux:openat:return", 257),
        ("syscall:vmlinux:read:entry", 0),
        ("syscall:vmlinux:read:return", 0),
        ("syscall:vmlinux:umount:entry", 166),
        ("syscall:vmlinux:umount:return", 166),
    ]


@pytest.mark.parametrize(("alias", "name"), [("stat", "newstat"), ("umount2", "umount"), ("umount", "umount")])
def test_the_headers_names_find_the_kernels(tree: Path, alias: str, name: str) -> None:
    assert [probe.function for probe in provider(tree).match(matcher(alias, "entry"))] == [name]


def test_aliases_are_no_globs(tree: Path) -> None:
    assert [probe.function for probe in provider(tree).match(matcher("st*", "entry"))] == []


def test_all_entries_share_attach_point_key_guard_and_words(tree: Path) -> None:
    probes = provider(tree).match(matcher("", "entry"))
    selectors = [probe.selector for probe in probes if probe.selector]
    assert len(selectors) == len(probes) == 4
    assert {id(selector.key) for selector in selectors} == {id(selectors[0].key)}
    assert {id(selector.guard) for selector in selectors} == {id(selectors[0].guard)}
    assert {probe.attach for probe in probes} == {BtfTracepoint("sys_enter", 1000)}
    assert {id(probe.context.words) for probe in probes} == {id(probes[0].context.words)}
    assert {id(probe.context.family) for probe in probes} == {id(probes[0].context.family)}


def test_returns_share_one_context(tree: Path) -> None:
    probes = provider(tree).match(matcher("", "return"))
    assert len({id(probe.context) for probe in probes}) == 1
    assert probes[0].context.has_errno
    assert [arg.name for arg in probes[0].context.args] == ["ret"]


def test_the_registers_are_read_through_btf(tree: Path) -> None:
    probe = provider(tree).match(matcher("openat", "entry"))[0]
    regs = 0xFFFF_8880_0000_1000
    # Offsets of the fake pt_regs: di 8, si 16, dx 24, r10 32; AT_FDCWD is -100, of which 32 bits count.
    memory = {
        regs + 8: (0xFFFF_FF9C).to_bytes(8, "little"),
        regs + 16: (0x7F00_1234_5678).to_bytes(8, "little"),
        regs + 24: (0o102).to_bytes(8, "little"),
        regs + 32: (0xABCD_0000_0000 + 0o644).to_bytes(8, "little"),
        regs + 64: (0x33).to_bytes(2, "little"),
    }
    machine = Machine([regs, 257], memory)
    assert [machine.run(arg.value) for arg in probe.context.args] == [-100, 0x7F00_1234_5678, 0o102, 0o644]
    assert machine.run(probe.context.words[3]) == 0xABCD_0000_0000 + 0o644
    assert [(arg.name, arg.type) for arg in probe.context.args] == [
        ("dfd", INT),
        ("filename", Pointer(CHAR, Space.USER)),
        ("flags", INT),
        ("mode", Int("umode_t", 2, False)),
    ]


def test_the_return_is_selected_by_orig_ax(tree: Path) -> None:
    probe = provider(tree).match(matcher("read", "return"))[0]
    regs = 0x1000
    machine = Machine([regs, 2**64 - 9], {regs + 56: bytes(8), regs + 64: b"\x33\0"})
    assert probe.selector is not None
    assert probe.selector.guard is not None
    assert machine.run(probe.selector.key) == 0
    assert machine.run(probe.selector.guard) == 1
    assert [machine.run(word) for word in probe.context.words] == [-9, -9]


def test_32_bit_tasks_are_left_out(tree: Path) -> None:
    """They have __USER32_CS, 0x23, in cs, and other numbers."""
    probe = provider(tree).match(matcher("read", "entry"))[0]
    assert probe.selector is not None
    assert probe.selector.guard is not None
    assert Machine([0x1000, 3], {0x1000 + 64: b"\x23\0"}).run(probe.selector.guard) == 0


def test_without_btf_tracepoints_it_is_a_raw_tracepoint(tree: Path) -> None:
    probe = provider(tree, traits=Traits(has_btf_tracepoints=False)).match(matcher("read", "entry"))[0]
    assert probe.attach == RawTracepoint("sys_enter")


def test_arguments_are_read_only_when_asked_for(tree: Path) -> None:
    probes = provider(tree).match(matcher("", "entry"))
    for path in (tree / "events" / "syscalls").glob("*/format"):
        path.unlink()
    assert len(probes) == 4


def test_a_probe_is_the_same_object_each_time(tree: Path) -> None:
    one = provider(tree)
    assert one.match(matcher("read", "entry"))[0] is one.match(matcher("", "entry"))[2]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("init_module", "'init_module' is a system call that this kernel was built without"),
        ("brandnew", "pip install -U system-calls"),
        ("raed", ""),
    ],
)
def test_reasons(tree: Path, function: str, reason: str) -> None:
    one = provider(tree)
    assert one.match(matcher(function, "entry")) == []
    explained = one.explain(matcher(function, "entry"))
    assert reason in explained
    assert bool(reason) == bool(explained)
