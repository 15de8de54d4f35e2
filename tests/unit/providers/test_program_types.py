"""Types of a C program from DWARF: what the source of tests/triggers/fields.c says, and the ABI by hand count."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.errors import TargetError
from invivo.program.types import BOOL, CHAR, INT, Array, Enum, Float, Func, Int, Pointer, Space, Struct
from invivo.providers.program_types import ProgramTypes
from tests.support import trigger


@pytest.fixture(scope="module")
def types() -> ProgramTypes:
    return ProgramTypes(trigger("fields", "-g"))


def record(types: ProgramTypes) -> Struct:
    found = types.struct("struct", "record")
    assert found is not None
    return found


def test_members_lie_where_the_abi_puts_them(types: ProgramTypes) -> None:
    """Counted by hand from the declaration, with the alignment rules of the System V ABI."""
    places = {name: record(types).find(name) for name in ("i8", "u16", "i32", "i64", "flag", "single", "twice")}
    assert {name: member and member.bit_offset // 8 for name, member in places.items()} == {
        "i8": 0, "u16": 4, "i32": 8, "i64": 16, "flag": 32, "single": 36, "twice": 40,
    }  # fmt: skip


def test_bit_fields_have_width_and_place(types: ProgramTypes) -> None:
    """After the long double at 48: 3 bits, 7 bits, 17 bits of one 4-byte unit; 45 and 19 bits fill the next 8 bytes."""
    found = [record(types).find(name) for name in ("low", "middle", "high", "wide", "top")]
    assert [(m.bit_offset - 64 * 8, m.bit_size) for m in found if m] == [(0, 3), (3, 7), (10, 17), (64, 45), (109, 19)]


def test_kinds_of_types(types: ProgramTypes) -> None:
    def member(name: str) -> object:
        found = record(types).find(name)
        return found and found.type

    assert member("flag") == BOOL
    assert member("i8") == Int("int8_t", 1, True)
    assert member("single") == Float("float", 4)
    assert member("extended") == Float("long double", 16)
    assert member("color") == Enum("color", 4, True, (("RED", 0), ("GREEN", 5), ("BLUE", -3)))
    assert member("magnitude") == Enum("magnitude_t", 4, False, (("SMALL", 1), ("LARGE", 1000)))
    assert member("name") == Pointer(CHAR, Space.USER)
    assert member("flexible") == Array(INT, 0)
    assert member("octets") == Array(Int("uint8_t", 1, False), 4)
    callback = member("callback")
    assert isinstance(callback, Pointer)
    assert isinstance(callback.target, Func)
    assert callback.target.result == INT
    inner = member("inner")
    assert isinstance(inner, Struct)
    grid = inner.find("grid")
    assert grid is not None
    assert grid.type == Array(Array(Int("short", 2, True), 3), 2)


def test_functions_have_parameters_and_results(types: ProgramTypes) -> None:
    visit = types.function("visit")
    assert visit is not None
    assert [name for name, _ in visit.parameters] == ["r", "round"]
    assert visit.parameters[0][1] == Pointer(record(types), Space.USER)
    assert visit.result == INT
    assert not visit.is_variadic
    mixed = types.function("mixed")
    assert mixed is not None
    assert mixed.result == Float("double", 8)
    assert mixed.parameters[3] == ("d", Float("float", 4))


def test_addresses_are_the_symbol_table_s(types: ProgramTypes) -> None:
    listing = subprocess.run(["nm", types.path], capture_output=True, text=True, check=True).stdout
    symbols = {name: int(address, 16) for address, _, name in (line.split() for line in listing.splitlines()
                                                               if len(line.split()) == 3)}  # fmt: skip
    for name in ("the_record", "hidden_count", "greeting"):
        found = types.variable(name)
        assert found is not None
        assert found[0] == symbols[name]
    visit = types.function("visit")
    assert visit is not None
    assert visit.address == symbols["visit"]


def test_names_that_are_not_there(types: ProgramTypes) -> None:
    assert types.struct("struct", "nothing") is None
    assert types.struct("union", "record") is None
    assert types.typedef("struct record") is None
    assert types.typedef("int x; drop") is None
    assert types.function("main2") is None
    assert types.variable("visit") is None
    assert types.enumerator("GREEN") == (5, types.enum("color"))
    assert types.enumerator("PURPLE") is None


def test_a_separate_debug_file_is_found_by_its_link(tmp_path: Path) -> None:
    program, debug = tmp_path / "program", tmp_path / "program.debug"
    shutil.copy(trigger("fields", "-g"), program)
    subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
    subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", program], check=True)
    types = ProgramTypes(str(program))
    assert types.debug_path == str(debug)
    assert types.struct("struct", "node") is not None


@pytest.mark.parametrize("content", [b"", b"no ELF file at all", b"\x7fELF" + bytes(60)])
def test_what_is_no_elf_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(TargetError, match=str(path)):
        ProgramTypes(str(path))


def test_a_stripped_file_says_what_to_do() -> None:
    with pytest.raises(TargetError, match="has no debug information") as caught:
        ProgramTypes(trigger("fields", "-s"))
    assert "--types" in caught.value.hint


def test_a_missing_file_is_named() -> None:
    with pytest.raises(TargetError, match="'/no/such/file': No such file"):
        ProgramTypes("/no/such/file")
