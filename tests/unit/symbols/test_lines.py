"""Source lines and inlined functions, against addr2line(1) of binutils and eu-addr2line(1) of elfutils."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.symbols import lines
from invivo.symbols.elf import ElfFile
from invivo.symbols.files import MappedFile
from invivo.symbols.lines import Line, SourceLines
from tests.support import TESTS


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = str(tmp_path_factory.mktemp("inlined") / "inlined")
    subprocess.run(["cc", "-O2", "-g", "-o", path, str(TESTS / "triggers" / "inlined.c")], check=True)
    return path


def opened(path: str) -> MappedFile:
    status = os.stat(path)
    return MappedFile(path, status.st_ino, os.open(path, os.O_RDONLY | os.O_CLOEXEC), "")


def addresses(path: str) -> list[int]:
    """Each fourth byte of the program's own functions."""
    with ElfFile.open(path) as elf:
        found = {f.name: f for f in elf.functions() if f.name in ("main", "outermost")}
        return [a for f in found.values() for a in range(f.address, f.address + f.size, 4)]


def other(tool: str, path: str, address: int) -> tuple[Line, ...]:
    """What another tool says: lines of a function and of a place, in turn."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not there")
    run = subprocess.run([tool, "-ifse", path, f"{address:#x}"], capture_output=True, text=True, check=True)
    words = run.stdout.splitlines()
    found = []
    for name, place in zip(words[::2], words[1::2], strict=True):
        file, _, line = place.split(" (")[0].partition(":")
        number = line.split(":")[0]
        found.append(Line(name.removesuffix(" inlined").split()[0], file, int(number) if number.isdigit() else 0))
    return tuple(found)


@pytest.mark.parametrize("tool", ["addr2line", "eu-addr2line"])
def test_lines_are_those_of_another_tool(program: str, tool: str) -> None:
    source = SourceLines()
    file = opened(program)
    places = addresses(program)
    assert len(places) > 30
    depths = set()
    for address in places:
        found = source.find(file, address)
        theirs = other(tool, program, address)
        assert [(line.file, line.line) for line in found] == [(line.file, line.line) for line in theirs], hex(address)
        assert [line.function for line in found] == [line.function for line in theirs], hex(address)
        depths.add(len(found))
    assert 3 in depths


def test_a_file_without_debug_information_has_none(program: str, tmp_path: Path) -> None:
    bare = str(tmp_path / "bare")
    subprocess.run(["strip", "-g", "-R", ".note.gnu.build-id", "-o", bare, program], check=True)
    assert SourceLines().find(opened(bare), addresses(program)[0]) == ()


def test_a_separate_file_is_found(program: str, tmp_path: Path) -> None:
    """By .gnu_debuglink, beside the program."""
    bare, debug = tmp_path / "bare", tmp_path / "bare.debug"
    subprocess.run(["objcopy", "--only-keep-debug", program, str(debug)], check=True)
    subprocess.run(["strip", "-s", "-o", str(bare), program], check=True)
    subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", str(bare)], cwd=tmp_path, check=True)
    address = addresses(program)[0]
    found = SourceLines().find(opened(str(bare)), address)
    assert found == SourceLines().find(opened(program), address) != ()


def test_damaged_debug_information_has_no_lines(program: str, tmp_path: Path) -> None:
    with ElfFile.open(program) as elf:
        section = elf.section(".debug_info")
        assert section is not None
    data = bytearray(Path(program).read_bytes())
    data[section.offset : section.offset + section.size] = bytes(range(251)) * (section.size // 251) + bytes(
        section.size % 251
    )
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    assert SourceLines().find(opened(str(damaged)), addresses(program)[0]) == ()


def test_the_time_for_looking_up_is_bounded(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SourceLines()
    file = opened(program)
    first, second, *_ = addresses(program)
    known = source.find(file, first)
    assert known != ()
    monkeypatch.setattr(lines, "BUDGET_S", 0.0)
    assert source.is_spent
    assert source.find(file, second) == ()
    assert source.find(file, first) == known  # what is known stays
