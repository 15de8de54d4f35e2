"""The functions of a program that the Go compiler made, from a table that stripping leaves, for its runtime needs it.

    functions(elf)      [Function("main.deep", 0x401000, 32, False), Function("main.main", 0x47b2c0, 211, False), ...]

`.gopclntab` has every function's address and name, for the stacks that a panic prints. Its header says by a magic
number which of four forms it has.
Source: Go's src/debug/gosym/pclntab.go, src/runtime/symtab.go, src/cmd/link/internal/ld/pcln.go.
"""

from __future__ import annotations

import struct

from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError, Function, Section

__all__ = ["SECTIONS", "functions", "stack_switches", "table_section"]

SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")  # the second in position-independent programs
_HEADER = 8  # bytes: the magic number, two zeros, the instructions' alignment, the bytes of a pointer
_1_2, _1_16, _1_18, _1_20 = 0xFFFFFFFB, 0xFFFFFFFA, 0xFFFFFFF0, 0xFFFFFFF1
_R_RELATIVE = 8  # R_X86_64_RELATIVE
_RELA = struct.Struct("<QQq")
_MOST = 1 << 22  # functions


def table_section(elf: ElfFile) -> Section | None:
    """The section with the table, if the file has one."""
    return next(filter(None, map(elf.section, SECTIONS)), None)


def stack_switches(elf: ElfFile) -> frozenset[int]:
    """Addresses of the functions that go on with another stack: their unwind rules end with that stack, while the frame
    pointer still leads to the caller's (src/runtime/asm_amd64.s)."""
    try:
        found = functions(elf)
    except ElfError:
        return frozenset()
    return frozenset(function.address for function in found if function.name.startswith("runtime.systemstack"))


def functions(elf: ElfFile) -> list[Function]:
    """All functions of the table in order of address; none if there is no table.

    Raises:
        ElfError: The table is damaged, or of a form that is not known.
    """
    section = table_section(elf)
    if section is None:
        return []
    try:
        return _read(elf, section, elf.contents(section))
    except (struct.error, IndexError, ValueError):
        raise ElfError(f"'{elf.path}' has a damaged table of Go functions ({section.name})") from None


def _read(elf: ElfFile, section: Section, data: bytes) -> list[Function]:
    magic, zero, _, pointer = struct.unpack_from("<IHBB", data)
    if magic not in (_1_2, _1_16, _1_18, _1_20) or zero or pointer != 8:
        raise ElfError(f"'{elf.path}' has a table of Go functions ({section.name}) of a form that is not known")
    words = struct.unpack_from("<8Q", data, _HEADER)
    count, text = words[0], 0
    if magic == _1_2:
        names, rows = 0, _HEADER + 8
    elif magic == _1_16:
        names, rows = words[2], words[6]
    else:
        text = words[2] or _relocated(elf, section.address + _HEADER + 16)
        names, rows = words[3], words[7]
    has_offsets = magic in (_1_18, _1_20)
    row = struct.Struct("<II" if has_offsets else "<QQ")
    if count > _MOST or rows + count * row.size > len(data):
        raise ValueError
    # Each row is (address, place of the function's description); the address of the end comes last.
    entries = list(row.iter_unpack(data[rows : rows + count * row.size]))
    (end,) = struct.unpack_from("<I" if has_offsets else "<Q", data, rows + count * row.size)
    starts = [*(address for address, _ in entries), end]
    base = 0 if magic == _1_2 else rows  # of places of descriptions
    name_at = 4 if has_offsets else 8  # in a description, behind the function's address
    found = []
    for index, (address, place) in enumerate(entries):
        (name,) = struct.unpack_from("<i", data, base + place + name_at)
        start = names + name
        if name < 0:
            raise ValueError
        text_of_name = data[start : data.index(0, start)].decode("utf-8", "surrogateescape")
        if text_of_name:
            found.append(Function(text_of_name, text + address, max(starts[index + 1] - address, 0), False))
    return found


def _relocated(elf: ElfFile, place: int) -> int:
    """The address that the loader writes at `place`; where none is, that of the section with the code."""
    table = elf.section(".rela.dyn")
    data = elf.contents(table) if table is not None else b""
    for offset, kind, addend in _RELA.iter_unpack(data[: len(data) // _RELA.size * _RELA.size]):
        if offset == place and kind == _R_RELATIVE:
            return int(addend)
    code = elf.section(".text")
    if code is None:
        raise ValueError
    return code.address
