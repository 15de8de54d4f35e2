"""The ELF format: the layouts and numbers of its tables, and a record for each kind of entry.

    HEADER.unpack_from(data)                        the fields of the file's header
    Section(".text", 1, 6, 0x1000, 0x1000, ...)     a section header, its name looked up
    Strings(data, start, limit, "a name").name(17)  a name by its place; ElfError if it lies outside

In: numbers and bytes that symbols/elf has read. Out: records. Little-endian 64-bit files only. Source: elf(5).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from invivo.errors import TargetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SEGMENT = struct.Struct("<IIQQQQQQ")
SYMBOL = struct.Struct("<IBBHQQ")
NOTE = struct.Struct("<III")

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
SHT_NOBITS, SHT_NOTE = 8, 7
PF_X, PF_W = 1, 2
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
STT_OBJECT, STT_FUNC, STT_IFUNC = 1, 2, 10
SHN_UNDEF, SHN_LORESERVE, SHN_XINDEX = 0, 0xFF00, 0xFFFF
NT_GNU_BUILD_ID = 3


class ElfError(TargetError):
    """A file is no ELF file, or a damaged one."""


class Section(NamedTuple):
    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    entry_size: int


class Segment(NamedTuple):
    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int


class Symbol(NamedTuple):
    """`kind` is STT_*, `binding` STB_*, `section` the section's index; `address` is the value."""

    name: str
    kind: int
    binding: int
    section: int
    address: int
    size: int


class Function(NamedTuple):
    """A function's symbol. `is_resolver`: an IFUNC, whose code only chooses the function that is run."""

    name: str
    address: int
    size: int
    is_resolver: bool


class Note(NamedTuple):
    name: str
    type: int
    description: bytes


class Strings:
    """The names that a symbol table refers to by their places, from 0 up to `limit`."""

    __slots__ = ("_data", "_start", "_what", "limit")

    def __init__(self, data: mmap.mmap | bytes, start: int, limit: int, what: str) -> None:
        self._data = data
        self._start = start
        self._what = what
        self.limit = limit

    def name(self, place: int) -> str:
        """The name at a place.

        Raises:
            ElfError: It does not end there.
        """
        start, last = self._start + place, self._start + self.limit
        end = self._data.find(b"\0", start, last) if place < self.limit else -1
        if end < 0:
            raise ElfError(f"{self._what} lies outside of its strings")
        return self._data[start:end].decode("utf-8", "surrogateescape")
