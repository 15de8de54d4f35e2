"""The catalog: who is asked, in what order, and what is said where nothing matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.errors import RightsError
from invivo.linux import tracefs
from invivo.program.plan import Traits
from invivo.program.sources import ProbePattern
from invivo.providers import suggestions
from invivo.providers.catalog import PROVIDERS, Catalog
from invivo.providers.listing import ListedArg, ListingRow, listing
from tests.unit.providers.fakes import FakeTypes, add_event, add_syscall


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    add_syscall(tmp_path, "read", "unsigned int fd", "char * buf", "size_t count")
    add_syscall(tmp_path, "write", "unsigned int fd", "const char * buf", "size_t count")
    add_event(tmp_path, "sched", "sched_switch", [("int prio", 8, 4, 1)])
    add_event(tmp_path, "sched", "sched_waking")
    add_event(tmp_path, "block", "block_bio_queue")
    monkeypatch.setattr(tracefs, "root", lambda: str(tmp_path))
    return Catalog(FakeTypes(), Traits())


def pattern(text: str) -> ProbePattern:
    """Four fields, right-aligned as D has them."""
    fields = text.split(":")
    return ProbePattern(*([""] * (4 - len(fields)) + fields))


def found(catalog: Catalog, text: str) -> list[str]:
    return [str(probe) for probe in catalog.match(pattern(text))]


@pytest.mark.parametrize(
    ("text", "probes"),
    [
        ("BEGIN", ["dtrace:::BEGIN"]),
        ("dtrace:::", ["dtrace:::BEGIN", "dtrace:::END", "dtrace:::ERROR"]),
        ("tick-5s", ["profile:::tick-5s"]),
        ("syscall::read:", ["syscall:vmlinux:read:entry", "syscall:vmlinux:read:return"]),
        ("read:entry", ["syscall:vmlinux:read:entry"]),
        ("sys*::write:entry", ["syscall:vmlinux:write:entry"]),
        ("sched_switch", ["sdt:sched::sched_switch", "rawtp:sched::sched_switch"]),
        ("{dtrace,profile}:::BEGIN", []),
        ("io:vmlinux::start", ["io:vmlinux::start"]),
        ("nothing:::", []),
    ],
)
def test_patterns(catalog: Catalog, text: str, probes: list[str]) -> None:
    assert found(catalog, text) == probes


def test_only_the_named_provider_is_made(catalog: Catalog) -> None:
    catalog.match(pattern("syscall:::entry"))
    assert list(catalog._providers) == ["syscall"]


def test_probes_are_the_same_objects_each_time(catalog: Catalog) -> None:
    first, second = list(catalog.all()), list(catalog.all())
    assert len(first) > 40
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert len({str(probe) for probe in first}) == len(first)


def test_listing_order_is_that_of_the_providers(catalog: Catalog) -> None:
    order = [PROVIDERS.index(probe.provider) for probe in catalog.all()]
    assert order == sorted(order)


def test_ids_count_all_listed_probes(catalog: Catalog) -> None:
    rows = listing(catalog, pattern("dtrace:::"))
    assert rows == [
        ListingRow(1, "dtrace", "", "", "BEGIN", ()),
        ListingRow(2, "dtrace", "", "", "END", ()),
        ListingRow(3, "dtrace", "", "", "ERROR", ()),
    ]
    # 3 of dtrace, 13 of profile, then read:entry.
    assert [row.id for row in listing(catalog, pattern("syscall::read:"))] == [17, 18]
    assert all(catalog.numbered(number) is probe for number, probe in enumerate(catalog.all(), 1))
    assert [catalog.number(probe) for probe in catalog.all()] == list(range(1, len(list(catalog.all())) + 1))
    assert catalog.numbered(0) is catalog.numbered(len(list(catalog.all())) + 1) is None
    unlisted = [listing(catalog, pattern(name))[0].id for name in ("tick-7s", "tick-9s", "tick-7s")]
    assert unlisted == [100_001, 100_002, 100_001]


def test_arguments_are_shown_as_d_writes_them(catalog: Catalog) -> None:
    (read,) = listing(catalog, pattern("syscall::read:entry"), has_arguments=True)
    assert read.arguments == (
        ListedArg("fd", "unsigned int"),
        ListedArg("buf", "char *"),
        ListedArg("count", "size_t"),
    )
    (start,) = listing(catalog, pattern("io:::start"), has_arguments=True)
    assert [arg.type_name for arg in start.arguments] == ["bufinfo_t *", "devinfo_t *", "fileinfo_t *"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("syscall::raed:entry", "did you mean syscall::read:entry?"),
        ("syscall::read:exit", "did you mean syscall::read:entry or syscall::read:return?"),
        ("syscall::raed:retrun", "did you mean syscall::read:return?"),
        ("proc:::exec-sucess", "did you mean proc:::exec-success?"),
        ("sdt:block::sched_switch", "did you mean sdt:sched::sched_switch?"),
        ("read", "'read' is a function: did you mean read:entry or read:return?"),
        ("syscall:::read", "'read' is a function: did you mean syscall::read:entry or syscall::read:return?"),
        ("sched_swich", "did you mean sched_switch?"),
        ("dtrace:::begin", "did you mean dtrace:::BEGIN?"),
        ("sycall:::entry", "no provider 'sycall'; did you mean syscall?"),
        ("profile-0", "profile-0: a rate of 0 never fires"),
        ("tick-1lightyear", "tick-1lightyear: unknown unit 'lightyear'"),
        ("pid::main:entry", "pid needs a process"),
        ("stapsdt123::main:entry", "invivo has no provider 'stapsdt' yet"),
        ("tracepoint:::x", "no provider 'tracepoint'; in D it is sdt"),
        ("zzz:::", "no provider 'zzz'; providers are dtrace, profile, syscall"),
        ("tcp:::send", "invivo has no provider 'tcp'; see: invivo list 'sdt:tcp::'"),
        ("tracepoint:syscalls:sys_enter_openat", "in D it is syscall::openat:entry"),
        ("t:syscalls:sys_exit_read", "in D it is syscall::read:return"),
        ("tracepoint:block:block_rq_issue", "in D it is sdt:block::block_rq_issue"),
        ("rawtracepoint:sched:sched_switch", "in D it is rawtp:::sched_switch"),
        ("uprobe:libc:malloc", "in D it is uprobe:libc:malloc:entry"),
        ("ur:/usr/lib/libz.so.1:inflate", "in D it is uprobe:/usr/lib/libz.so.1:inflate:return"),
        ("usdt:/usr/bin/python3:function__entry", "in D it is usdt:/usr/bin/python3::function__entry"),
        ("profile:hz:99", "in D it is profile-99"),
        ("interval:ms:100", "in D it is tick-100ms"),
        ("software:page-faults:1", "D has no provider 'software'"),
        ("hardware:cycles:1000", "D has no provider 'hardware'"),
        ("zzz*:::", "no provider matches 'zzz*'; providers are"),
        ("sched:::enqueue", "sched:::enqueue cannot be had on this kernel"),
        ("syscall::qqqqqqqq:entry", ""),
        ("syscall::qqqqqqqq:", ""),
    ],
)
def test_suggestions(catalog: Catalog, text: str, expected: str) -> None:
    assert found(catalog, text) == []
    suggestion = catalog.suggest(pattern(text))
    assert suggestion.startswith(expected)
    assert bool(expected) == bool(suggestion)


@pytest.mark.parametrize(
    ("has_kprobes", "expected"), [(False, "this kernel has no kprobes"), (True, "no provider 'fbt' yet")]
)
def test_function_probes_depend_on_kprobes(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_kprobes: bool, expected: str
) -> None:
    monkeypatch.setattr(suggestions, "_KPROBE_PMU", str(tmp_path if has_kprobes else tmp_path / "none"))
    assert expected in catalog.suggest(pattern("fbt::vfs_read:entry"))


def test_without_tracefs_other_providers_still_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise RightsError("tracefs is not mounted", "mount it")

    monkeypatch.setattr(tracefs, "root", refuse)
    catalog = Catalog(FakeTypes(), Traits())
    assert found(catalog, "BEGIN") == ["dtrace:::BEGIN"]
    assert found(catalog, "sched:::on-cpu") == ["sched:vmlinux::on-cpu"]
    # System calls are found in the kernel's BTF then: those that the table of parameters has.
    assert found(catalog, "syscall:::entry") == ["syscall:vmlinux:getpid:entry", "syscall:vmlinux:openat:entry"]
    with pytest.raises(RightsError, match="not mounted"):
        catalog.match(pattern("sdt:::"))
    assert [probe.provider for probe in catalog.all()][:3] == ["dtrace"] * 3
