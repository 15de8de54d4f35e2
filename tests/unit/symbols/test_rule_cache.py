"""Unwind rules that were read before, and by another process: the same as those read here and now."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from invivo.symbols import rule_cache, rule_reader
from invivo.symbols.elf import ElfFile
from invivo.symbols.rule_reader import RuleReader
from invivo.symbols.rules import EMPTY, RuleTable
from invivo.symbols.unwind import read_rules


def program() -> str:
    """A file with some hundred rules or more: the dynamic loader, which every process has."""
    maps = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "r-xp" in line]
    return next(path for path in maps if "/ld-linux" in path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "invivo"


def expected() -> RuleTable:
    with ElfFile.open(program()) as elf:
        return read_rules(elf)


def answers(reader: RuleReader) -> dict[int, RuleTable]:
    found: dict[int, RuleTable] = {}
    end = time.monotonic() + 30
    while reader.waiting and time.monotonic() < end:
        found.update(reader.take(1.0))
    return found


def test_rules_are_kept_and_found_again(cache: Path) -> None:
    with ElfFile.open(program()) as elf:
        assert rule_cache.kept(elf) is None
        table = rule_cache.rules_in(elf)
        assert table == expected()
        assert len(table.pcs) > 100
        assert rule_cache.kept(elf) == table
    (path,) = cache.glob("*.rules")
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", [0, 17, 24, 30, 1000, -1])
def test_a_damaged_file_of_the_cache_counts_as_absent(cache: Path, place: int) -> None:
    with ElfFile.open(program()) as elf:
        rule_cache.rules_in(elf)
        (path,) = cache.glob("*.rules")
        data = bytearray(path.read_bytes())
        data[place] ^= 0x55
        path.write_bytes(data)
        assert rule_cache.kept(elf) is None
        assert rule_cache.rules_in(elf) == expected()


def test_the_oldest_go_when_there_is_too_much(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(0o700)
    for age in (300, 200, 100):
        old = cache / f"{age}.rules"
        old.write_bytes(bytes(1000))
        os.utime(old, (time.time() - age, time.time() - age))
    with ElfFile.open(program()) as elf:
        size = len(rule_cache.packed(expected()))
        monkeypatch.setattr(rule_cache, "KEPT_BYTES", size + 1500)
        rule_cache.rules_in(elf)
        assert rule_cache.kept(elf) is not None
    assert not (cache / "300.rules").exists()
    assert not (cache / "200.rules").exists()
    assert (cache / "100.rules").exists()


def test_another_process_reads_the_same(cache: Path, tmp_path: Path) -> None:
    """Also of a file that is deleted, and one that is no ELF file."""
    copy, other = tmp_path / "copy", tmp_path / "text"
    copy.write_bytes(Path(program()).read_bytes())
    other.write_text("no ELF file")
    with open(copy, "rb") as deleted, open(other, "rb") as text:
        copy.unlink()
        reader = RuleReader()
        assert reader.fd == -1
        reader.ask(1, f"/proc/self/fd/{deleted.fileno()}")
        reader.ask(2, f"/proc/self/fd/{text.fileno()}")
        reader.ask(3, program())
        found = answers(reader)
        reader.close()
    assert found == {1: expected(), 2: EMPTY, 3: expected()}
    assert reader.fd == -1


def test_a_reader_that_is_killed_is_begun_again(cache: Path) -> None:
    reader = RuleReader()
    reader.ask(1, program())
    os.kill(reader._pid, signal.SIGKILL)
    found = answers(reader)
    assert found[1] in (EMPTY, expected())  # killed before, or after, it answered
    reader.ask(2, program())
    assert answers(reader) == {2: expected()}
    reader.close()


def test_it_ends_when_nothing_is_asked_of_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = RuleReader()
    reader.ask(1, program())
    assert answers(reader) == {1: expected()}
    pid = reader._pid
    assert _runs(pid)
    monkeypatch.setattr(rule_reader, "_IDLE_S", 0.0)
    assert reader.take() == []
    assert reader.fd == -1
    assert not _runs(pid)
    reader.ask(2, program())
    assert answers(reader) == {2: expected()}
    reader.close()


def test_it_ends_with_the_tracer(cache: Path) -> None:
    """Whose death by SIGKILL nobody but the kernel notices."""
    code = (
        "import os, sys; from invivo.symbols.rule_reader import RuleReader; r = RuleReader(); "
        f"r.ask(1, {program()!r}); r.take(20); print(r._pid, flush=True); os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGKILL
    pid = int(run.stdout)
    end = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return b"rule_reader" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
