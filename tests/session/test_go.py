"""Functions of programs that the Go compiler made: their stacks grow, and move, while they run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.gopclntab import functions, table_section
from tests.support import TESTS, invivo

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("go") is None, reason="no Go (apt-get install golang-go)"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GOCACHE": str(place / "cache"), "GO111MODULE": "off", "HOME": str(place)}
    source = TESTS / "triggers/stacks.go"
    subprocess.run(["go", "build", "-o", place / "stacks", source], check=True, env=environment, timeout=300)
    return str(place / "stacks")


def run(text: str, command: str) -> list[list[str]]:
    result = invivo("run", "-q", "-e", text, "-c", command)
    assert result.returncode == 0, result.stderr
    assert "sum 91" in result.stdout, "the program was disturbed"
    return [line.split() for line in result.stdout.splitlines() if line.strip() and "sum" not in line]


def test_a_call_counts_once_although_its_stack_had_to_grow(program: str) -> None:
    text = "pid$target:a.out:main.deep:entry { @e = count(); } pid$target:a.out:main.deep:return { @r = count(); }"
    assert run(text, program) == [["7007"], ["7007"]]


def test_arguments_and_results(program: str) -> None:
    text = """pid$target:a.out:main.add:entry { @a[arg0, arg1] = count(); }
        pid$target:a.out:main.add:return { @r[arg1] = count(); }"""
    expected = [[str(i), "10", "1"] for i in range(7)] + [[str(i + 10), "1"] for i in range(7)]
    assert run(text, program) == expected


def test_every_function_of_the_program_and_its_runtime(program: str) -> None:
    text = 'pid$target:a.out::entry { @[probefunc == "main.deep"] = count(); }'
    result = invivo("run", "-q", "-e", text, "-c", program)
    assert result.returncode == 0, result.stderr
    assert "sum 91" in result.stdout
    assert ["1", "7007"] in [line.split() for line in result.stdout.splitlines()]


# --- stripped programs: the names are those of .gopclntab ---


def built(tmp_path: Path, *flags: str) -> str:
    environment = {**os.environ, "GO111MODULE": "off", "HOME": str(tmp_path)}
    command = ["go", "build", *flags, "-o", tmp_path / "program", TESTS / "triggers/stacks.go"]
    subprocess.run(command, check=True, env=environment, timeout=300)
    return str(tmp_path / "program")


@pytest.mark.parametrize(
    "flags", [("-ldflags=-s -w",), pytest.param(("-ldflags=-s -w", "-buildmode=pie"), marks=pytest.mark.slow)]
)
def test_a_stripped_program(flags: tuple[str, ...], tmp_path: Path) -> None:
    text = """pid$target:a.out:main.deep:entry { @e = count(); } pid$target:a.out:main.deep:return { @r = count(); }
        pid$target:a.out:main.add:entry { @s = sum(arg0 * arg1); }"""
    assert run(text, built(tmp_path, *flags)) == [["7007"], ["7007"], [str(10 * sum(range(7)))]]


def test_stacks_of_a_stripped_program(tmp_path: Path) -> None:
    """-w takes the unwind rules away too: by frame pointers, the caller of a function is missed at its entry."""
    text = "pid$target:a.out:main.add:entry { @[ustack()] = count(); }"
    words = [word for line in run(text, built(tmp_path, "-ldflags=-s -w")) for word in line]
    assert words[0].startswith("program`main.add")
    assert all(word.startswith(("program`main.", "program`runtime.")) for word in words[1:-1])
    assert words[-1] == "7"


def test_the_table_has_what_the_symbols_had(program: str) -> None:
    """Names, addresses and sizes; the linker adds `.abi0` to names, and a symbol for the end of the code."""
    with ElfFile.open(program) as elf:
        named = {(function.name.removesuffix(".abi0"), function.address) for function in elf.functions(".symtab")}
        table = functions(elf)
        assert len(named) > 1000
        assert {address for _, address in named} >= {function.address for function in table}
        missing = named - {(function.name, function.address) for function in table}
        assert {name for name, _ in missing if not name.startswith("type..")} <= {"runtime.etext", "runtime.text"}
        sizes = {function.address: function.size for function in table}
        for function in elf.functions(".symtab"):
            assert sizes.get(function.address, function.size) >= function.size, "what fills the gap to the next counts"


def test_damaged_tables_end_in_clear_errors(program: str) -> None:
    data = bytearray(Path(program).read_bytes())
    with ElfFile(bytes(data), program) as elf:
        section = table_section(elf)
        assert section is not None
        chance = random.Random(4)
        told = set()
        for _ in range(300):
            changed = [chance.randrange(72 if chance.random() < 0.7 else section.size) for _ in range(3)]
            before = [data[section.offset + at] for at in changed]
            for at in changed:
                data[section.offset + at] = chance.randrange(256)
            try:
                functions(ElfFile(bytes(data), program))
            except ElfError as error:
                told.add(error.message.partition("' ")[2])
            for at, byte in zip(reversed(changed), reversed(before), strict=True):
                data[section.offset + at] = byte
        damaged, unknown = sorted(told)
        assert damaged == "has a damaged table of Go functions (.gopclntab)"
        assert unknown == "has a table of Go functions (.gopclntab) of a form that is not known"
