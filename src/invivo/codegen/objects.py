"""LLVM's BPF object file, read: each function's instructions and what has to be patched in them.

    section unit.BEGIN, 0x1d0 bytes, relocation at 0x18 against map_2    ->    code, (Relocation(3, "map", 2),)

The format is ELF64, little endian; see elf(5). Calls to made-up helpers (MAY_GOTO, COOKIE) become relocations too:
llvmlite's BPF target has no assembler, so they stand for instructions that LLVM IR cannot name.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from invivo.program.plan import Relocation

__all__ = ["COOKIE", "MAY_GOTO", "Code", "read_lines", "read_object", "stack_depth"]

MAY_GOTO = 65521  # yields 0 where a loop has run long enough; a conditional jump on the result follows
COOKIE = 65522  # yields what the attachment was given

_CALL = 0x85
_FRAME = 10  # the register that points to the stack's end
_JUMP_ON_ZERO = (0x15, 0x16, 0x55, 0x56)  # jeq, jeq32, jne, jne32 with an immediate


class Code(NamedTuple):
    """A function: 8-byte instructions and their patches, in order of position."""

    code: bytes
    relocations: tuple[Relocation, ...]


class _Section(NamedTuple):
    name: str
    type: int
    offset: int
    size: int
    link: int
    info: int


def read_object(data: bytes, data_maps: frozenset[int]) -> dict[str, Code]:
    """The functions in sections `unit.*`, by name. `data_maps` are the maps whose contents are addressed directly.

    Raises:
        ValueError: The object holds something that the loader could not patch: a bug of the generator.
    """
    sections = _sections(data)
    symbols = _symbols(data, sections)
    relocations = {section.info: section for section in sections if section.type == 9}
    found = {}
    for index, section in enumerate(sections):
        if section.name.startswith("unit."):
            code = bytearray(data[section.offset : section.offset + section.size])
            patches = _calls(code)
            if index in relocations:
                patches += _references(code, data, relocations[index], symbols, data_maps)
            found[section.name[5:]] = Code(bytes(code), tuple(sorted(patches)))
    return found


def read_lines(data: bytes) -> dict[str, list[tuple[int, int]]]:
    """BPF's line information (.BTF.ext, Documentation/bpf/btf.rst): for each section `unit.*` (instruction, line)."""
    sections = {section.name: section for section in _sections(data)}
    if ".BTF.ext" not in sections or ".BTF" not in sections:
        return {}
    types, extra = sections[".BTF"].offset, sections[".BTF.ext"].offset
    (header,) = struct.unpack_from("<I", data, types + 4)
    (strings,) = struct.unpack_from("<I", data, types + 16)
    names = types + header + strings
    (own_header,) = struct.unpack_from("<I", data, extra + 4)
    start, size = struct.unpack_from("<II", data, extra + 16)
    at = extra + own_header + start
    end = at + size
    (row,) = struct.unpack_from("<I", data, at)
    at += 4
    found: dict[str, list[tuple[int, int]]] = {}
    while at < end:
        name, count = struct.unpack_from("<II", data, at)
        rows = [struct.unpack_from("<IIII", data, at + 8 + index * row) for index in range(count)]
        found[_name(data, names + name).removeprefix("unit.")] = [(place // 8, line >> 10) for place, _, _,
              line in rows]
        at += 8 + count * row
    return found


def _sections(data: bytes) -> list[_Section]:
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("LLVM wrote no little-endian ELF64 object")
    (start,) = struct.unpack_from("<Q", data, 40)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * entry) for i in range(count)]
    strings = rows[names][4]
    return [_Section(_name(data, strings + row[0]), row[1], row[4], row[5], row[6], row[7]) for row in rows]


def _name(data: bytes, at: int) -> str:
    return data[at : data.index(0, at)].decode()


def _symbols(data: bytes, sections: list[_Section]) -> list[str]:
    table = next(section for section in sections if section.type == 2)
    strings = sections[table.link].offset
    count = table.size // 24
    return [_name(data, strings + struct.unpack_from("<I", data, table.offset + i * 24)[0]) for i in range(count)]


def _references(
    code: bytearray, data: bytes, section: _Section, symbols: list[str], data_maps: frozenset[int]
) -> list[Relocation]:
    found = []
    for position in range(section.offset, section.offset + section.size, 16):
        at, info = struct.unpack_from("<QQ", data, position)
        name = symbols[info >> 32]
        if info & 0xFFFFFFFF != 1 or not name.startswith("map_"):  # R_BPF_64_64
            raise ValueError(f"unexpected relocation of type {info & 0xFFFFFFFF} against '{name}'")
        number = int(name[4:])
        (low, high) = struct.unpack_from("<I4xI", code, at + 4)
        addend = low | high << 32
        struct.pack_into("<I", code, at + 4, 0)
        struct.pack_into("<I", code, at + 12, 0)
        if number in data_maps:
            found.append(Relocation(at // 8, "map_value", number, addend))
        elif addend:
            raise ValueError(f"map {number} is addressed at offset {addend}, but its contents are not")
        else:
            found.append(Relocation(at // 8, "map", number))
    return found


def _calls(code: bytearray) -> list[Relocation]:
    """Calls of made-up helpers."""
    found = []
    skip = False
    for at in range(0, len(code), 8):
        if skip:  # the second half of ld_imm64
            skip = False
            continue
        opcode, registers, _, immediate = struct.unpack_from("<BBhi", code, at)
        skip = opcode == 0x18
        if opcode != _CALL or registers >> 4:
            continue
        if immediate == COOKIE:
            found.append(Relocation(at // 8, "cookie"))
        elif immediate == MAY_GOTO:
            _expect_jump(code, at)
            found.append(Relocation(at // 8, "may_goto"))
    return found


def _expect_jump(code: bytearray, call: int) -> None:
    """A jump on the call's result must follow; LLVM may put a few instructions between that do neither."""
    for at in range(call + 8, len(code), 8):
        opcode, registers, _, immediate = struct.unpack_from("<BBhi", code, at)
        if opcode in _JUMP_ON_ZERO and not registers & 15 and not immediate:
            return
        if opcode & 7 in (5, 6):  # another jump
            break
    raise ValueError(f"no jump follows the loop's condition at instruction {call // 8}")


def stack_depth(code: bytes) -> int:
    """Bytes of stack that the instructions reach."""
    deepest = 0
    for at in range(0, len(code), 8):
        opcode, registers, offset = struct.unpack_from("<BBh", code, at)
        kind, is_of_frame = opcode & 7, (registers >> 4 if opcode & 7 == 1 else registers & 15) == _FRAME
        if is_of_frame and kind in (1, 2, 3):  # load, store of a constant, store
            deepest = min(deepest, offset)
        elif opcode == 0xBF and registers >> 4 == _FRAME:  # rX = r10, then rX += distance
            following, target, _, distance = struct.unpack_from("<BBhi", code, at + 8)
            if following == 0x07 and target & 15 == registers & 15:
                deepest = min(deepest, distance)
    return -deepest
