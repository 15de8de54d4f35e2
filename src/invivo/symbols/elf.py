"""ELF files: sections, segments, build ID, functions; file offsets to addresses and back.

    with ElfFile.open("/usr/lib/x86_64-linux-gnu/libc.so.6") as elf:
        elf.build_id                       "58254ca972fe678a763dcab49e3d9b4aa8e8ccbc"
        elf.functions()                    [Function("malloc", 0x9a8f0, 523, False), ...] of .symtab, or else .dynsym
        elf.to_offset(0x9a8f0)             the file offset of that address, None where the file has no byte for it
        elf.read(0x9a8f0, 16)              bytes at an address

A file is hostile until shown otherwise: every number in it is checked against the file's size, and what does not hold
is an `ElfError` that names the file and the part. Little-endian 64-bit files only. Source: elf(5), the ELF-64 Object
File Format, and for notes the Linux Standard Base.
"""

from __future__ import annotations

import bisect
import errno
import mmap
import os
import struct

from invivo import dependencies
from invivo.symbols.elf_format import (
    HEADER,
    NOTE,
    NT_GNU_BUILD_ID,
    PF_X,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
    SECTION,
    SEGMENT,
    SHN_UNDEF,
    SHN_XINDEX,
    SHT_NOBITS,
    SHT_NOTE,
    STT_FUNC,
    STT_IFUNC,
    SYMBOL,
    ElfError,
    Function,
    Note,
    Section,
    Segment,
    Strings,
    Symbol,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

__all__ = ["ElfFile"]

_LARGEST_TABLE = 1 << 16  # sections and segments; real files have some dozens


class ElfFile:
    """One ELF file, mapped into memory; a context manager. `path` is what messages call it."""

    def __init__(self, data: mmap.mmap | bytes, path: str) -> None:
        """Raises ElfError if the header or a table is damaged."""
        self.path = path
        self.data = data
        self.size = len(data)
        if self.size < 4 or data[:4] != b"\x7fELF":
            raise ElfError(f"'{path}' is not an ELF file")
        if self.size < HEADER.size:
            raise ElfError(f"'{path}' is a damaged ELF file: it ends within its header")
        (
            ident, self.type, self.machine, _, self.entry, segments, sections, _, _, segment_size, segment_count,
            section_size, section_count, name_section,
        ) = HEADER.unpack_from(data, 0)  # fmt: skip
        if ident[4] != 2 or ident[5] != 1:
            bits = {1: "32-bit", 2: "64-bit"}.get(ident[4], "unknown")
            raise ElfError(f"'{path}' is a {bits} ELF file; invivo reads little-endian 64-bit ones")
        self._segment_place = segments, segment_size, segment_count
        self._section_place = sections, section_size, section_count, name_section
        self.segments = self._read_segments()
        self._sections: tuple[Section, ...] | None = None
        self._by_name: dict[str, Section] = {}
        self._loads = sorted((s for s in self.segments if s.type == PT_LOAD), key=lambda s: s.address)
        self._load_addresses = [s.address for s in self._loads]

    @classmethod
    def open(cls, path: str, name: str = "") -> Self:
        """Map a file; `name` is what messages call it, where that is not `path`.

        Raises:
            ElfError: It is no (readable, undamaged) ELF file.
        """
        shown = name or path
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                status = os.fstat(fd)
                dependencies.read_file(path, status)
                size = status.st_size
                if size == 0:
                    raise ElfError(f"'{shown}' is not an ELF file: it is empty")
                data = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
            finally:
                os.close(fd)
        except OSError as error:
            dependencies.never(f"'{path}' cannot be read")
            if error.errno == errno.ENODEV:  # a directory cannot be mapped
                raise ElfError(f"cannot read '{shown}': it is no regular file") from None
            hint = "run as root, or as the file's owner" if error.errno in (errno.EACCES, errno.EPERM) else ""
            raise ElfError(f"cannot read '{shown}': {error.strerror}", hint) from None
        except ValueError:  # a device, or a file too large
            raise ElfError(f"cannot read '{shown}': it is no regular file") from None
        try:
            return cls(data, shown)
        except BaseException:
            data.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmap the file; may be called twice."""
        if isinstance(self.data, mmap.mmap):
            self.data.close()

    # --- tables -------------------------------------------------------------------------------------------------

    def _damaged(self, part: str) -> ElfError:
        return ElfError(f"'{self.path}' is a damaged ELF file: {part}")

    def _read_segments(self) -> tuple[Segment, ...]:
        start, size, count = self._segment_place
        if not count or not start:
            return ()
        if size != SEGMENT.size or start + size * count > self.size:
            raise self._damaged("its program headers lie outside of the file")
        rows = SEGMENT.iter_unpack(self.data[start : start + size * count])
        return tuple(Segment(kind, flags, offset, va, fs, ms) for kind, flags, offset, va, _, fs, ms, _ in rows)

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections, in order; empty if the file has no section table (which may be stripped).

        Raises:
            ElfError: The table is damaged.
        """
        if self._sections is None:
            self._sections = self._read_sections()
            self._by_name = {}
            for section in self._sections:
                self._by_name.setdefault(section.name, section)
        return self._sections

    def _read_sections(self) -> tuple[Section, ...]:
        start, size, count, names = self._section_place
        if not start:
            return ()
        if size != SECTION.size or start + size > self.size:
            raise self._damaged("its section headers lie outside of the file")
        first = SECTION.unpack_from(self.data, start)
        if count == 0:  # more than 65279: the count is in the first entry
            count = first[5]
        if names == SHN_XINDEX:
            names = first[6]
        if count > _LARGEST_TABLE or start + size * count > self.size:
            raise self._damaged("its section headers lie outside of the file")
        rows = list(SECTION.iter_unpack(self.data[start : start + size * count]))
        table = b""
        if 0 < names < len(rows):
            table = self._slice(rows[names][4], rows[names][5], "the names of its sections")
        return tuple(
            Section(_text(table, row[0]), row[1], row[2], row[3], row[4], row[5], row[6], row[9]) for row in rows
        )

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return self._by_name.get(name) if self.sections else None

    def _slice(self, offset: int, size: int, what: str) -> bytes:
        if offset + size > self.size:
            raise self._damaged(f"{what} lie outside of the file")
        return bytes(self.data[offset : offset + size])

    def contents(self, section: Section) -> bytes:
        """A section's bytes (empty where the file holds none).

        Raises:
            ElfError: They lie outside of the file.
        """
        if section.type == SHT_NOBITS:
            return b""
        return self._slice(section.offset, section.size, f"the contents of section '{section.name}'")

    # --- addresses ----------------------------------------------------------------------------------------------

    def segment_at(self, address: int) -> Segment | None:
        """The loaded segment that an address lies in."""
        index = bisect.bisect_right(self._load_addresses, address) - 1
        if index < 0:
            return None
        segment = self._loads[index]
        return segment if address - segment.address < segment.memory_size else None

    def to_offset(self, address: int) -> int | None:
        """The file offset of an address, or None if no byte of the file is loaded there."""
        segment = self.segment_at(address)
        if segment is None or address - segment.address >= segment.file_size:
            return None
        offset = address - segment.address + segment.offset
        return offset if offset < self.size else None

    def to_address(self, offset: int) -> int | None:
        """The address of a byte of the file, or None if it is not loaded."""
        for segment in self._loads:
            if segment.offset <= offset < segment.offset + segment.file_size:
                return offset - segment.offset + segment.address
        return None

    def is_code(self, address: int) -> bool:
        """Whether an address lies in a segment that may be executed."""
        segment = self.segment_at(address)
        return segment is not None and bool(segment.flags & PF_X)

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes at an address, as the file has them; fewer at the end of a segment or the file."""
        segment = self.segment_at(address)
        if segment is None:
            return b""
        start = address - segment.address
        length = min(size, segment.file_size - start)
        return bytes(self.data[segment.offset + start : segment.offset + start + length]) if length > 0 else b""

    # --- notes --------------------------------------------------------------------------------------------------

    def notes(self, section: str = "") -> Iterator[Note]:
        """The notes of a section, or without one those of all note segments (or sections, in a file that has none).

        Raises:
            ElfError: The notes are damaged.
        """
        if section:
            found = self.section(section)
            places = [(found.offset, found.size)] if found is not None and found.type != SHT_NOBITS else []
        else:
            places = [(s.offset, s.file_size) for s in self.segments if s.type == PT_NOTE]
            places = places or [(s.offset, s.size) for s in self.sections if s.type == SHT_NOTE]
        for offset, size in places:
            yield from self._notes_in(self._slice(offset, size, "its notes"))

    def _notes_in(self, data: bytes) -> Iterator[Note]:
        at = 0
        while at + NOTE.size <= len(data):
            name_size, size, kind = NOTE.unpack_from(data, at)
            name_at = at + NOTE.size
            start = name_at + (name_size + 3 & ~3)
            if start + size > len(data):
                raise self._damaged("a note lies outside of its section")
            name = data[name_at : name_at + name_size].rstrip(b"\0").decode("utf-8", "replace")
            yield Note(name, kind, data[start : start + size])
            at = start + (size + 3 & ~3)

    @property
    def build_id(self) -> str:
        """The build ID in hexadecimal, or "" if there is none."""
        for note in self.notes():
            if note.name == "GNU" and note.type == NT_GNU_BUILD_ID:
                return note.description.hex()
        return ""

    @property
    def debuglink(self) -> tuple[str, int] | None:
        """Name and CRC-32 of the separate file with debug information, or None."""
        section = self.section(".gnu_debuglink")
        if section is None:
            return None
        data = self.contents(section)
        end = data.find(b"\0")
        at = (end + 4) & ~3
        if end <= 0 or at + 4 > len(data):
            return None
        return data[:end].decode("utf-8", "surrogateescape"), struct.unpack_from("<I", data, at)[0]

    # --- symbols ------------------------------------------------------------------------------------------------

    def symbols(self, table: str = ".symtab") -> Iterator[Symbol]:
        """All defined symbols of a table, `.symtab` or `.dynsym`, in the file's order; none if it is not there.

        Raises:
            ElfError: The table is damaged.
        """
        for name, info, section, address, size in self._rows(table):
            yield Symbol(name, info & 15, info >> 4, section, address, size)

    def names(self, table: str) -> Iterator[tuple[int, str]]:
        """(index, name) of all symbols of a table that have one, those that other files define included.

        Raises:
            ElfError: The table is damaged.
        """
        data, strings = self._table(table) or (b"", Strings(b"", 0, 0, ""))
        for index, row in enumerate(SYMBOL.iter_unpack(data)):
            if row[0]:
                yield index, strings.name(row[0])

    def has_symbols(self, table: str) -> bool:
        """Whether there is a symbol table with something in it."""
        section = self.section(table)
        return section is not None and section.type != SHT_NOBITS and section.size > SYMBOL.size

    def _table(self, table: str) -> tuple[bytes, Strings] | None:
        """A symbol table's bytes, and where its names are."""
        section = self.section(table)
        if section is None or section.type == SHT_NOBITS:
            return None
        if section.entry_size not in (0, SYMBOL.size):
            raise self._damaged(f"the entries of section '{table}' have {section.entry_size} bytes")
        if not 0 < section.link < len(self.sections):
            raise self._damaged(f"section '{table}' names no section with its strings")
        data = self.contents(section)
        names = self.sections[section.link]
        if names.type == SHT_NOBITS or names.offset + names.size > self.size:
            raise self._damaged(f"the strings of section '{table}' lie outside of the file")
        strings = Strings(self.data, names.offset, names.size, f"a name in section '{table}' of '{self.path}'")
        return data[: len(data) // SYMBOL.size * SYMBOL.size], strings

    def _rows(self, table: str) -> Iterator[tuple[str, int, int, int, int]]:
        found = self._table(table)
        if found is None:
            return
        data, strings = found
        for name, info, _, index, value, size in SYMBOL.iter_unpack(data):
            if index != SHN_UNDEF and name:
                yield strings.name(name), info, index, value, size

    def function_rows(self, table: str) -> tuple[list[tuple[int, int, int]], Strings]:
        """(address, size, place of the name in the strings) of a table's functions, whose names are not read yet.

        Raises:
            ElfError: The table is damaged.
        """
        found = self._table(table)
        if found is None:
            return [], Strings(b"", 0, 0, "")
        data, strings = found
        kinds = (STT_FUNC, STT_IFUNC)
        rows = [
            (value, size, name)
            for name, info, _, index, value, size in SYMBOL.iter_unpack(data)
            if info & 15 in kinds and index != SHN_UNDEF and 0 < name < strings.limit
        ]
        return rows, strings

    def functions(self, table: str = "") -> list[Function]:
        """Functions by their symbols, in the file's order: of `.symtab`, or where that is stripped of `.dynsym`.

        Raises:
            ElfError: A table is damaged.
        """
        tables = (table,) if table else (".symtab", ".dynsym")
        for name in tables:
            found = [
                Function(text, address, size, info & 15 == STT_IFUNC)
                for text, info, _, address, size in self._rows(name)
                if info & 15 in (STT_FUNC, STT_IFUNC)
            ]
            if found:
                return found
        return []

    def symbol_address(self, name: str) -> int | None:
        """The address of a dynamic symbol, whatever its kind."""
        return next((symbol.address for symbol in self.symbols(".dynsym") if symbol.name == name), None)

    @property
    def interpreter(self) -> str:
        """The dynamic loader that the file asks for, or ""."""
        for segment in self.segments:
            if segment.type == PT_INTERP:
                data = self._slice(segment.offset, segment.file_size, "the name of its interpreter")
                return data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        return ""


def _text(table: bytes, at: int) -> str:
    end = table.find(b"\0", at)
    return table[at:end].decode("utf-8", "replace") if 0 <= at <= end else ""
