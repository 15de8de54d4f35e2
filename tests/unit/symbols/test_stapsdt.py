"""USDT notes, of a program whose source says what is in them, and operands as the assembler writes them."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from invivo.errors import TargetError
from invivo.symbols.elf import ElfFile
from invivo.symbols.stapsdt import Operand, parse_operands, read_sites
from tests.support import trigger


def test_sites_of_a_program() -> None:
    with ElfFile.open(trigger("usdt")) as elf:
        sites = read_sites(elf)
        assert [(site.provider, site.name) for site in sites] == [
            ("demo", "sites"), ("demo", "sites"), ("demo", "forms"), ("demo", "ratio"), ("demo", "guarded"),
        ]  # fmt: skip
        assert all(elf.data[site.offset] == 0x90 for site in sites), "every site is a nop"


def test_semaphores_are_those_of_the_symbol_table() -> None:
    path = trigger("usdt")
    listing = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[2]: int(line.split()[0], 16) for line in listing.splitlines() if len(line.split()) == 3}
    with ElfFile.open(path) as elf:
        first, second, forms, _, guarded = read_sites(elf)
        assert first.semaphore == guarded.semaphore == elf.to_offset(symbols["demo_guarded_semaphore"])
        assert second.semaphore == elf.to_offset(symbols["other_semaphore"])
        assert forms.semaphore == 0


def test_a_moved_base_moves_what_the_notes_say() -> None:
    """As prelink did: .stapsdt.base at another address than the notes remember moves sites and semaphores with it."""
    data = bytearray(Path(trigger("usdt")).read_bytes())
    with ElfFile(bytes(data), "demo") as elf:
        before = read_sites(elf)
        base, notes = elf.section(".stapsdt.base"), elf.section(".note.stapsdt")
    assert base is not None
    assert notes is not None
    old = base.address.to_bytes(8, "little")
    at = data.find(old, notes.offset)
    while notes.offset <= at < notes.offset + notes.size:
        data[at : at + 8] = (base.address - 1).to_bytes(8, "little")
        at = data.find(old, at)
    with ElfFile(bytes(data), "demo") as elf:
        after = read_sites(elf)
    assert [site.address for site in after] == [site.address + 1 for site in before]
    assert [site.semaphore for site in after] == [site.semaphore and site.semaphore + 1 for site in before]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-4@%edi", Operand(4, True, False, "register", "edi")),
        ("8@%r15", Operand(8, False, False, "register", "r15")),
        ("1@%ah", Operand(1, False, False, "register", "ah")),
        ("%rax", Operand(8, False, False, "register", "rax")),
        ("8f@%rdx", Operand(8, False, True, "register", "rdx")),
        ("-4@$-7", Operand(4, True, False, "constant", displacement=-7)),
        ("2@$0x10", Operand(2, False, False, "constant", displacement=16)),
        ("4@(%rdi)", Operand(4, False, False, "memory", "rdi")),
        ("-8@-80(%rbx)", Operand(8, True, False, "memory", "rbx", displacement=-80)),
        ("4@8(%rax,%rcx,4)", Operand(4, False, False, "memory", "rax", "rcx", 4, 8)),
        ("4@(%rax,%rcx)", Operand(4, False, False, "memory", "rax", "rcx")),
        ("4@16(,%rcx,8)", Operand(4, False, False, "memory", "", "rcx", 8, 16)),
        ("8@8+4-2(%rsp)", Operand(8, False, False, "memory", "rsp", displacement=10)),
        ("8@counter(%rip)", Operand(8, False, False, "memory", symbol="counter")),
        ("8@16+counter(%rip)", Operand(8, False, False, "memory", symbol="counter", displacement=16)),
        ("8@counter+16(%rip)", Operand(8, False, False, "memory", symbol="counter", displacement=16)),
        ("8@_ZN1a1bE@GOT-8(%rip)", Operand(8, False, False, "memory", symbol="_ZN1a1bE@GOT", displacement=-8)),
    ],
)
def test_operands(text: str, expected: Operand) -> None:
    assert parse_operands(text.encode()) == [expected]


@pytest.mark.parametrize(
    "text",
    ["8f@%xmm0", "8@%fs:0", "8@%fs:x@tpoff", "4@(%rip)", "4@]", "4@$sym", "3@%eax", "8@1((%rax)", "4@$", "@", "4@"],
)
def test_what_cannot_be_read_says_why(text: str) -> None:
    (operand,) = parse_operands(text.encode())
    assert operand.kind == "unreadable"
    assert len(operand.symbol) > 10


def test_several_operands_and_none() -> None:
    assert [o.size for o in parse_operands(b"8@%rax -4@(%rdx, %rcx, 2) 1@%cl")] == [8, 4, 1]
    assert parse_operands(b"") == []
    assert parse_operands(b"   ") == []


@pytest.mark.parametrize("seed", range(5))
def test_damaged_notes_give_sites_or_an_error(seed: int) -> None:
    """40 files a seed, each with up to 20 bytes of its notes and headers changed."""
    chance = random.Random(seed)
    original = Path(trigger("usdt")).read_bytes()
    with ElfFile(original, "demo") as elf:
        notes = elf.section(".note.stapsdt")
    assert notes is not None
    outcomes = set()
    for _ in range(40):
        data = bytearray(original)
        for _ in range(chance.randint(1, 20)):
            start, size = chance.choice([(notes.offset, notes.size), (0, 64), (len(data) - 2048, 2048)])
            data[start + chance.randrange(size)] = chance.randrange(256)
        try:
            with ElfFile(bytes(data), "demo") as elf:
                for site in read_sites(elf):
                    parse_operands(site.arguments)
            outcomes.add("read")
        except TargetError as error:
            outcomes.add("refused" if "'demo'" in error.message else error.message)
    assert outcomes == {"read", "refused"}
