"""Unwind rules of real libraries, against what readelf(1) makes of the same .eh_frame."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo.program.shared import Unwind
from invivo.symbols.elf import ElfFile
from invivo.symbols.rules import Kind, Rule, RuleTable, pack, unpack
from invivo.symbols.unwind import read_rules, rules_of
from tests.support import TESTS

_CFA = {"rsp": Kind.SP, "rbp": Kind.BP}


def libraries() -> list[str]:
    """The C library, the loader, and where the interpreter that runs this has its code."""
    maps = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "r-xp" in line}
    found = [path for path in maps if re.search(r"/(libc\.so|ld-linux|python3|libpython3)[^/]*$", path)]
    return sorted(path for path in found if Path(path).stat().st_size > 100_000)  # not a stub that calls a library


def table_of(path: str) -> RuleTable:
    with ElfFile.open(path) as elf:
        return read_rules(elf)


def readelf_rows(path: str) -> list[tuple[int, str, dict[str, str]]]:
    """(address, CFA, the other registers' rules by name) of each row of readelf's tables."""
    run = subprocess.run(["readelf", "--debug-dump=frames-interp", path], capture_output=True, text=True, check=False)
    rows: list[tuple[int, str, dict[str, str]]] = []
    names: list[str] = []
    is_fde = False
    for line in run.stdout.splitlines():
        if " FDE " in line or " CIE " in line:
            is_fde = " FDE " in line
            names = []
        elif line.strip().startswith("LOC "):
            names = line.split()[2:]
        elif is_fde and names and re.match(r"[0-9a-f]{16} ", line):
            words = line.split()
            rows.append((int(words[0], 16), words[1], dict(zip(names, words[2:], strict=False))))
    return rows


@pytest.mark.parametrize("path", libraries())
def test_rules_are_those_of_readelf(path: str) -> None:
    assert compare(path) > 500


def mapped(name: str) -> str:
    """The path of a library that this process can have."""
    ctypes.CDLL(name)
    return next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if f"/{name}" in line)


def test_rules_where_libgcc_jumps_to_a_handler() -> None:
    """It has left its frame then: the return address is in rcx, before that the CFA."""
    if shutil.which("readelf") is None:
        pytest.skip("readelf is not there (apt-get install binutils)")
    path = mapped("libgcc_s.so.1")
    table = table_of(path)
    rows = readelf_rows(path)
    popped = [address for address, cfa, others in rows if others.get("ra") == "r2" and cfa == "rsp+0"]
    by_rcx = [address for address, cfa, others in rows if others.get("ra") == "c-8" and cfa == "rcx+8"]
    assert popped
    assert by_rcx
    assert {table.find(address) for address in popped} == {Rule(Kind.POPPED, 0, 0, 2)}
    assert {table.find(address) for address in by_rcx} == {Rule(Kind.REGISTER, 8, 0, 2)}


def test_rules_behind_calls_of_functions_that_keep_the_frames_base() -> None:
    """The loader's function for lazy binding: its CFA is by rbx, which the function that it calls keeps."""
    if shutil.which("readelf") is None or shutil.which("objdump") is None:
        pytest.skip("binutils are not there (apt-get install binutils)")
    path = mapped("ld-linux-x86-64.so.2")
    rows = readelf_rows(path)
    table = table_of(path)
    run = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
    calls = re.findall(r"^ +([0-9a-f]+):\tcall +([0-9a-f]+) .*\n +([0-9a-f]+):", run.stdout, re.M)
    compared = 0
    for address, target, after in ((int(word, 16) for word in call) for call in calls):
        rule = table.find(address)
        if rule.kind is not Kind.REGISTER:
            continue
        first = next(index for index, row in enumerate(rows) if row[0] == target)
        slot = next(row[2]["rbx"] for row in rows[first:] if row[2].get("rbx", "u") != "u")
        assert table.find(after - 1) == Rule(Kind.KEPT, int(slot.removeprefix("c")), rule.bp, rule.offset // 8)
        assert table.find(after - 2) == rule
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("flags", [["-gz=none"], ["-gz=zlib"], ["-gz=none", "-gdwarf-3"]])
def test_rules_of_a_program_without_unwind_tables(flags: list[str], tmp_path: Path) -> None:
    """Only its debug information has them: .debug_frame, compressed or not; its start files' are in .eh_frame."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = str(tmp_path / "framed")
    without = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fomit-frame-pointer"]
    source = str(TESTS / "triggers" / "framed.c")
    subprocess.run(["cc", "-O2", "-g", *flags, *without, "-o", path, source], check=True)
    assert compare(path) > 15
    with ElfFile.open(path) as elf:
        (function,) = (function for function in elf.functions() if function.name == "innermost")
        assert read_rules(elf).find(function.address + function.size // 2).offset > 104


def compare(path: str) -> int:
    """Number of rows that were compared, nearly all of those that there are."""
    if shutil.which("readelf") is None:
        pytest.skip("readelf is not there (apt-get install binutils)")
    table = table_of(path)
    rows = readelf_rows(path)
    compared = 0
    for address, cfa, others in rows:
        register, sign, offset = re.match(r"([a-z0-9]+)([+-]|$)(\d*)", cfa).groups()  # type: ignore[union-attr]
        if register not in _CFA or others.get("ra") != "c-8":
            continue
        bp = others.get("rbp", "u")
        if bp not in ("u", "s") and not bp.startswith("c-"):
            continue
        rule = table.find(address)
        expected = Rule(_CFA[register], int(sign + offset), int(bp[2:]) // 8 if bp.startswith("c-") else 0)
        assert rule == expected, hex(address)
        compared += 1
    assert compared > 0.9 * len(rows)
    return compared


def test_the_kinds_have_the_numbers_that_programs_know() -> None:
    assert tuple(kind.name.lower() for kind in Kind) == Unwind.KINDS


@given(st.sampled_from(Kind), st.integers(-(1 << 15), (1 << 15) - 1), st.integers(0, 255), st.integers(0, 15))
def test_a_rule_survives_its_32_bits(kind: Kind, eights: int, bp: int, flags: int) -> None:
    rule = Rule(kind, eights * 8, bp, flags)
    assert unpack(pack(rule)) == rule


@given(st.binary(max_size=200))
def test_damaged_sections_have_the_rules_before_the_damage(data: bytes) -> None:
    """No exception, whatever comes: the traced file is not ours."""
    rules_of(data, 0x1000)


def test_cutting_or_changing_real_rules_is_survived() -> None:
    with ElfFile.open(libraries()[-1]) as elf:
        section = elf.section(".eh_frame")
        assert section is not None
        data = elf.contents(section)[:4000]
    whole = len(rules_of(data, section.address).pcs)
    for end in range(0, len(data), 37):
        assert len(rules_of(data[:end], section.address).pcs) <= whole + 1
        rules_of(data[:end] + b"\xff" * 8 + data[end:], section.address)
