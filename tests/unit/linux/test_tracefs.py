"""tracefs: format files in every shape the kernel writes, and what is said where it cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invivo.errors import KernelError, RightsError, UnsupportedError
from invivo.linux import syscalls, tracefs
from invivo.linux.tracefs import FormatField

FORMAT = """\
name: example
ID: 77
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;
\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;
\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;
\tfield:struct page *page;\toffset:40;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:48;\tsize:4;\tsigned:0;
\tfield:__data_loc cpumask_t mask;\toffset:52;\tsize:4;\tsigned:0;
\tfield:__rel_loc unsigned int[] list;\toffset:56;\tsize:4;\tsigned:0;
\tfield:void (*function)(void *, int);\toffset:64;\tsize:8;\tsigned:0;
\tfield:u8 address[MAX_LEN];\toffset:72;\tsize:6;\tsigned:0;
\tfield:unsigned long args[];\toffset:80;\tsize:0;\tsigned:0;

print fmt: "field: %s;\toffset", REC->comm
"""

FIELDS = (
    FormatField("comm", "char", 8, 16, False, count=16),
    FormatField("pid", "pid_t", 24, 4, True),
    FormatField("filename", "const char *", 32, 8, False),
    FormatField("page", "struct page *", 40, 8, False),
    FormatField("name", "char", 48, 4, False, is_data_loc=True),
    FormatField("mask", "cpumask_t", 52, 4, False, is_data_loc=True),
    FormatField("list", "unsigned int", 56, 4, False, is_rel_loc=True),
    FormatField("function", "void *", 64, 8, False),
    FormatField("address", "u8", 72, 6, False, count=6),
    FormatField("args", "unsigned long", 80, 0, False),
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tracefs of two events, in the place where it would be."""
    event = tmp_path / "events" / "things" / "example"
    event.mkdir(parents=True)
    (event / "format").write_text(FORMAT)
    (event / "id").write_text("77\n")
    (tmp_path / "events" / "things" / "enable").write_text("0\n")
    (tmp_path / "events" / "also" / "other").mkdir(parents=True)
    monkeypatch.setattr(tracefs, "PLACES", (str(tmp_path / "none"), str(tmp_path)))
    monkeypatch.setattr(tracefs, "_found", None)
    return tmp_path


@pytest.fixture
def unmounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tracefs, "PLACES", (str(tmp_path), str(tmp_path / "debug")))
    monkeypatch.setattr(tracefs, "_found", None)
    return tmp_path


def test_fields_of_every_shape() -> None:
    fields = tracefs.parse_format(FORMAT)
    assert fields[0] == FormatField("common_type", "unsigned short", 0, 2, False)
    assert tuple(fields[2:]) == FIELDS


def test_an_events_own_fields_come_without_the_common_ones(tree: Path) -> None:
    assert tracefs.event_format("things", "example") == FIELDS
    assert tracefs.event_format("things", "example", root=str(tree)) == FIELDS


def test_events_and_ids(tree: Path) -> None:
    assert tracefs.root() == str(tree)
    assert list(tracefs.events()) == [("also", "other"), ("things", "example")]
    assert tracefs.event_id("things", "example") == 77


def test_an_unknown_event_is_named(tree: Path) -> None:
    with pytest.raises(UnsupportedError, match="no event 'things:exampel'"):
        tracefs.event_id("things", "exampel")
    with pytest.raises(UnsupportedError, match="no event 'thing:example'"):
        tracefs.event_format("thing", "example")


def test_it_is_mounted_where_it_is_not(unmounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(syscalls, "mount", lambda *arguments: calls.append(arguments))
    assert tracefs.root() == str(unmounted)
    assert tracefs.root() == str(unmounted)
    assert calls == [("tracefs", str(unmounted), "tracefs")]


def test_without_the_right_to_mount_the_command_is_told(unmounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise KernelError(1, "mount(tracefs)", "'x'")

    monkeypatch.setattr(syscalls, "mount", refuse)
    with pytest.raises(RightsError) as caught:
        tracefs.root()
    assert "mount -t tracefs tracefs /sys/kernel/tracing" in caught.value.hint


def test_where_it_is_mounted_but_closed_to_the_user_that_is_said(
    unmounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(tracefs, "is_mounted", lambda place: True)
    with pytest.raises(RightsError, match=r"\(tracefs\) may not be read by this user"):
        tracefs.root()


def test_a_kernel_without_tracefs_is_told(unmounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise KernelError(19, "mount(tracefs)", "'x'")

    monkeypatch.setattr(syscalls, "mount", refuse)
    with pytest.raises(UnsupportedError, match="CONFIG_TRACING"):
        tracefs.root()
    monkeypatch.setattr(tracefs, "PLACES", (str(unmounted / "missing"),))
    with pytest.raises(UnsupportedError, match="cannot be mounted"):
        tracefs.root()


@pytest.mark.kernel
def test_every_format_of_this_kernel_is_understood() -> None:
    """Fields lie one after the other, none within another, each with a name; there are as many as `field:` lines."""
    root = tracefs.root()
    before = dynamic_events(root)
    there = all_events(root)
    listed = set(tracefs.events())
    passing = before | dynamic_events(root)  # of other tools, which may come and go while this looks
    assert there - passing == listed - passing
    assert len(there - passing) > 100
    for category, name in sorted(listed - passing):
        text = (Path(root) / "events" / category / name / "format").read_text()
        fields = tracefs.parse_format(text)
        assert len(fields) == text.count("\n\tfield:"), (category, name)
        end = 0
        for field in fields:
            assert field.name.isidentifier(), (category, name, field)
            assert field.offset >= end, (category, name, field)
            assert field.c_type, (category, name, field)
            end = field.offset + field.size


def all_events(root: str) -> set[tuple[str, str]]:
    """What has a format, by a walk of its own through the tree."""
    return {(path.parent.parent.name, path.parent.name) for path in Path(root, "events").glob("*/*/format")}


def dynamic_events(root: str) -> set[tuple[str, str]]:
    """The events that some tool has made (kprobe, uprobe, synthetic ...): `p:GROUP/NAME ...`."""
    try:
        lines = Path(root, "dynamic_events").read_text().splitlines()
    except FileNotFoundError:
        return set()
    names = (line.split()[0].partition(":")[2].partition("/") for line in lines if line.strip())
    return {(group or "synthetic", name) for group, _, name in names}
