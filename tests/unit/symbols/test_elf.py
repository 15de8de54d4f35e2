"""The reader of ELF files, against readelf, and against a thousand damaged files."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from invivo.errors import InvivoError
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.functions import functions_of
from invivo.symbols.objects import file_object, object_names
from tests.support import trigger

needs_binutils = pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf (apt-get install binutils)")


def readelf(*arguments: str) -> str:
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def libc() -> str:
    for line in Path("/proc/self/maps").read_text().splitlines():
        if re.search(r"/libc[.-][^/]*$", line):
            return line.split()[-1]
    pytest.skip("this Python maps no libc.so")


@needs_binutils
@pytest.mark.parametrize("path", [libc(), sys.executable, trigger("calls")], ids=["libc", "python", "calls"])
def test_functions_are_those_of_readelf(path: str) -> None:
    """Names, addresses and sizes of all defined functions of the dynamic table."""
    expected = set()
    for line in readelf("--dyn-syms", path).splitlines():
        words = line.split()
        if len(words) >= 8 and words[3] in ("FUNC", "IFUNC") and words[6] != "UND":
            size = int(words[2], 0)
            expected.add((words[7].partition("@")[0], int(words[1], 16), size, words[3] == "IFUNC"))
    with ElfFile.open(path) as elf:
        assert set(map(tuple, elf.functions(".dynsym"))) == expected


@needs_binutils
def test_build_id_interpreter_and_sections_are_those_of_readelf() -> None:
    path = trigger("calls")
    with ElfFile.open(path) as elf:
        assert f"Build ID: {elf.build_id}" in readelf("-n", path)
        assert f"interpreter: {elf.interpreter}]" in readelf("-l", path)
        names = re.findall(r"^ +\[ *\d+\] (\.\S+)", readelf("-S", path), re.M)
        assert [section.name for section in elf.sections if section.name] == names


def test_bytes_at_an_address_are_those_of_the_file_at_its_offset() -> None:
    path = trigger("calls")
    with ElfFile.open(path) as elf:
        functions = elf.functions()
        assert {"main", "work", "ten", "nested"} <= {function.name for function in functions}
        for function in functions:
            offset = elf.to_offset(function.address)
            if offset is not None:
                assert elf.read(function.address, 8) == Path(path).read_bytes()[offset : offset + 8]
                assert elf.to_address(offset) == function.address


def test_a_directory_is_no_file_to_read(tmp_path: Path) -> None:
    with pytest.raises(ElfError, match="it is no regular file"):
        ElfFile.open(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"#!/bin/sh\n", "is not an ELF file"),
        (b"\x7fELF", "it ends within its header"),
        (b"\x7fELF\x01\x01" + bytes(100), "32-bit"),
    ],
)
def test_what_is_no_elf_file_is_said_so(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ElfError, match=reason):
        ElfFile.open(str(path))
    with pytest.raises(ElfError, match="cannot read"):
        ElfFile.open(str(tmp_path))


def damaged(original: bytes, seed: int) -> bytes:
    """The file with some numbers of its tables overwritten, or cut."""
    chance = random.Random(seed)
    data = bytearray(original)
    tables = [(0, 64), (64, 64 + 56 * 12), (len(data) - 64 * 34, len(data))]
    for _ in range(chance.randint(1, 8)):
        first, last = chance.choice([*tables, (0, len(data))])
        at = chance.randrange(max(first, 0), last)
        size = chance.choice((1, 2, 4, 8))
        value = chance.choice((0, 1, 0xFF, 2 ** (8 * size) - 1, chance.getrandbits(8 * size)))
        data[at : at + size] = (value & (2 ** (8 * size) - 1)).to_bytes(size, "little")
    return bytes(data[: chance.randrange(len(data))]) if chance.random() < 0.2 else bytes(data)


@pytest.mark.parametrize("block", range(10))
def test_damaged_files_end_in_clear_errors(block: int, tmp_path: Path) -> None:
    """100 each: the file is read as far as it makes sense, or the error names it. Nothing else is ever raised."""
    original = Path(trigger("calls")).read_bytes()
    path = tmp_path / "damaged"
    refused = []
    for seed in range(block * 100, block * 100 + 100):
        path.write_bytes(damaged(original, seed))
        try:
            table = functions_of(file_object(str(path)))
            for functions in table.by_name.values():
                for function in functions:
                    table.code(function)
            _ = table.elf.build_id, list(table.elf.notes()), table.elf.interpreter, table.is_go, table.elf.debuglink
        except InvivoError as error:
            refused.append(error.message)
    assert refused
    assert [message for message in refused if str(path) not in message] == []


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/usr/lib/libc.so.6", ("libc.so.6", "libc")),
        ("/lib/libm-2.31.so", ("libm-2.31.so", "libm-2.31", "libm")),
        ("/usr/lib/libpython3.11.so.1.0", ("libpython3.11.so.1.0", "libpython3.11")),
        ("/usr/sbin/nginx", ("nginx",)),
    ],
)
def test_names_of_files_in_descriptions(path: str, names: tuple[str, ...]) -> None:
    assert object_names(path) == names


@pytest.fixture
def stripped(tmp_path: Path) -> Path:
    """A copy of the trigger without symbols, and the file with them (not linked to it)."""
    if shutil.which("objcopy") is None:
        pytest.skip("no objcopy (apt-get install binutils)")
    shutil.copy(trigger("calls"), tmp_path / "calls")
    subprocess.run(["objcopy", "--only-keep-debug", tmp_path / "calls", tmp_path / "calls.debug"], check=True)
    subprocess.run(["objcopy", "--strip-all", tmp_path / "calls"], check=True)
    return tmp_path / "calls"


def test_a_stripped_file_says_what_is_missing(stripped: Path) -> None:
    (stripped.parent / "calls.debug").unlink()
    table = functions_of(file_object(str(stripped)))
    assert "work" not in table.by_name
    assert "stripped" in table.missing
    assert table.elf.build_id in table.missing


def test_functions_by_debuglink(stripped: Path) -> None:
    subprocess.run(["objcopy", "--add-gnu-debuglink=calls.debug", stripped], check=True, cwd=stripped.parent)
    table = functions_of(file_object(str(stripped)))
    with ElfFile.open(trigger("calls")) as whole:
        expected = {f.name: f.address for f in whole.functions() if f.name in ("work", "ten", "main")}
    assert {name: table.by_name[name][0].address for name in expected} == expected
    assert table.missing == ""


def test_a_debuglink_with_another_checksum_is_not_taken(stripped: Path) -> None:
    subprocess.run(["objcopy", "--add-gnu-debuglink=calls.debug", stripped], check=True, cwd=stripped.parent)
    with (stripped.parent / "calls.debug").open("ab") as stream:
        stream.write(b"\0")
    assert "work" not in functions_of(file_object(str(stripped))).by_name


def test_functions_of_mini_debuginfo(stripped: Path) -> None:
    """.gnu_debugdata is an xz-packed ELF file with the symbols that .dynsym lacks."""
    import lzma

    packed = stripped.parent / "packed.xz"
    packed.write_bytes(lzma.compress((stripped.parent / "calls.debug").read_bytes(), format=lzma.FORMAT_XZ))
    subprocess.run(["objcopy", f"--add-section=.gnu_debugdata={packed}", stripped], check=True)
    table = functions_of(file_object(str(stripped)))
    assert {"work", "ten", "nested"} <= table.by_name.keys()
    packed.write_bytes(b"no xz at all")
    subprocess.run(["objcopy", f"--update-section=.gnu_debugdata={packed}", stripped], check=True)
    with pytest.raises(ElfError, match="damaged mini-debuginfo"):
        functions_of(file_object(str(stripped)))
