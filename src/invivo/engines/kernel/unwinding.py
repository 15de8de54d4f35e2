"""Unwind rules put where programs find them: each file's once, each process's mappings in order of address.

    tables = UnwindTables(map, limit_bytes)
    place = tables.place(space, files)      rules of all that the process has mapped; Placed(list, is_whole)
    tables.take()                           whether more rules have come since; readable: tables.fd
    tables.release(place.list)

See shared.Unwind for the layout. What is once written stays as it is, so programs may read at any time; the room of a
list of mappings is used again a while after it was let go. Processes with the same mappings share a list. Rules that
are not in the cache are read by another process; a list written before they have come says so.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.map import Map, MapSpec
from invivo.program.shared import Unwind
from invivo.symbols import rule_cache
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import PT_LOAD, ElfError
from invivo.symbols.rule_reader import RuleReader
from invivo.symbols.rules import EMPTY, RuleTable
from invivo.symbols.vdso import own_vdso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.files import MappedFile, MappedFiles
    from invivo.symbols.normalize import AddressSpace

__all__ = ["CHUNK_SPEC", "Placed", "UnwindTables"]

CHUNK_SPEC = MapSpec("unwind_rules", uapi.BPF_MAP_TYPE_ARRAY, 4, Unwind.VALUE, 1, uapi.BPF_F_MMAPABLE)
_MAPPING = struct.Struct(Unwind.MAPPING)
_WAIT_S = 1.0  # before room is used again: no program runs that long


_Key = tuple[tuple[int, int], int, str]


class List(NamedTuple):
    """Where a process's mappings stand, as shared.Process has it."""

    count: int  # type: ignore[assignment]
    chunk: int
    offset: int


class Placed(NamedTuple):
    """A list (None if there is nothing to write, or no room), and whether all rules were there."""

    list: List | None
    is_whole: bool


class _Part(NamedTuple):
    """Some rules of a file in a chunk: for addresses `start` up to `end` of the file."""

    start: int
    end: int
    base: int
    first: int
    rows: int
    chunk: int


class _File:
    """A file's loaded segments as (offset, size, address); its rules, or None while they are read."""

    __slots__ = ("name", "parts", "segments")

    def __init__(self, name: str, segments: tuple[tuple[int, int, int], ...], parts: tuple[_Part, ...] | None) -> None:
        self.name = name
        self.segments = segments
        self.parts = parts

    def address_of(self, offset: int) -> int | None:
        """The address of a byte of the file."""
        for start, size, address in self.segments:
            if start <= offset < start + size:
                return offset - start + address
        return None


_NO_FILE = _File("", (), ())


class UnwindTables:
    """Fills the array of chunks. `limit_bytes` bounds them; what does not fit is told in `refused`, by file name."""

    def __init__(self, outer: Map, limit_bytes: int) -> None:
        self._outer = outer
        self._limit = max(1, limit_bytes // Unwind.CHUNK)
        self._chunks: list[Map] = []
        self._used = Unwind.CHUNK  # of the last chunk
        # By what they are, as one that was closed meanwhile is opened again as another MappedFile.
        self._files: dict[_Key | None, _File] = {}  # None: the vDSO
        self._reader = RuleReader()
        self._reading: dict[int, _File] = {}
        self._lists: dict[bytes, List] = {}
        self._owners: dict[List, tuple[int, bytes]] = {}  # how many refer to a list, and what it holds
        self._free: dict[int, list[tuple[int, int]]] = {}  # room for lists, by number of rows: (chunk, offset)
        self._waiting: deque[tuple[float, List]] = deque()
        self.refused: set[str] = set()
        self.bytes_used = 0

    @property
    def fd(self) -> int:
        """Becomes readable when rules have come; -1 while none are awaited."""
        return self._reader.fd if self._reading else -1

    def close(self) -> None:
        """Let the chunks go; may be called twice."""
        self._reader.close()
        for chunk in self._chunks:
            chunk.close()
        self._chunks.clear()

    # --- files ------------------------------------------------------------------------------------------------------

    def take(self, timeout_s: float = 0.0) -> bool:
        """Write the rules that have come; waits for some, at most so long. Whether there were any."""
        found = self._reader.take(timeout_s)
        for number, table in found:
            if (file := self._reading.pop(number, None)) is not None:
                file.parts = tuple(self._write_rules(table, file.name))
        return bool(found)

    def _file(self, file: MappedFile) -> _File:
        key = file.device, file.inode, file.path
        known = self._files.get(key)
        if known is None:
            known = _NO_FILE  # of a damaged one too: it has no rules, and its stacks are counted as they break
            with suppress(ElfError):
                known = self._open(file)
            self._files[key] = known
        return known

    def _open(self, file: MappedFile) -> _File:
        path = file.open_path
        assert path is not None
        with ElfFile.open(path, file.name) as elf:
            loaded = [segment for segment in elf.segments if segment.type == PT_LOAD]
            segments = tuple((segment.offset, segment.file_size, segment.address) for segment in loaded)
            table = rule_cache.kept(elf)
        if table is not None:
            return _File(file.name, segments, tuple(self._write_rules(table, file.name)))
        found = _File(file.name, segments, None)
        number = len(self._files)
        self._reading[number] = found
        self._reader.ask(number, path)
        return found

    def _write_rules(self, table: RuleTable, name: str) -> list[_Part]:
        parts = []
        for start in range(0, len(table.pcs), Unwind.ROWS):
            pcs, rules = table.pcs[start : start + Unwind.ROWS], table.rules[start : start + Unwind.ROWS]
            place = self._room(8 * len(pcs))
            if place is None:
                self.refused.add(name)
                break
            chunk, first = place
            self._write(chunk, first, pcs.tobytes() + rules.tobytes())
            following = start + Unwind.ROWS
            end = table.base + table.pcs[following] if following < len(table.pcs) else 1 << 63
            parts.append(_Part(table.base + pcs[0], end, table.base, first, len(pcs), chunk))
        return parts

    # --- processes --------------------------------------------------------------------------------------------------

    def place(self, space: AddressSpace, files: MappedFiles) -> Placed:
        """Write what a process has mapped, with its files' rules as far as they are there."""
        rows: list[bytes] = []
        is_whole = True
        for mapping in space.mappings:
            parts: tuple[_Part, ...] | None = ()
            bias = 0
            file = files.of(space.pid, mapping)
            if file is not None and file.open_path is not None:
                known = self._file(file)
                address = known.address_of(mapping.offset)
                if address is not None:
                    parts, bias = known.parts, mapping.start - address
            elif mapping.path == "[vdso]":
                parts, bias = self._vdso(), mapping.start
            is_whole = is_whole and parts is not None
            rows += _rows(mapping.start, mapping.end, parts, bias)
        rows = rows[: Unwind.MAPPINGS]
        return Placed(self._list(b"".join(rows), len(rows)) if rows else None, is_whole)

    def _vdso(self) -> tuple[_Part, ...] | None:
        if None not in self._files:
            data = own_vdso()
            table = EMPTY
            with suppress(ElfError):
                table = rule_cache.rules_in(ElfFile(data, "[vdso]")) if data else EMPTY
            self._files[None] = _File("[vdso]", (), tuple(self._write_rules(table, "[vdso]")))
        return self._files[None].parts

    def _list(self, data: bytes, count: int) -> List | None:
        found = self._lists.get(data)
        if found is not None:
            self._owners[found] = self._owners[found][0] + 1, data
            return found
        place = self._room_for_list(count)
        if place is None:
            return None
        self._write(*place, data)
        found = self._lists[data] = List(count, *place)
        self._owners[found] = 1, data
        return found

    def release(self, placed: List) -> None:
        """One process's element does not refer to a list any more."""
        count, data = self._owners[placed]
        if count > 1:
            self._owners[placed] = count - 1, data
            return
        del self._owners[placed], self._lists[data]
        self._waiting.append((time.monotonic() + _WAIT_S, placed))

    def _room_for_list(self, count: int) -> tuple[int, int] | None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, (size, chunk, offset) = self._waiting.popleft()
            self._free.setdefault(size, []).append((chunk, offset))
        free = self._free.get(count)
        return free.pop() if free else self._room(count * _MAPPING.size)

    # --- chunks -----------------------------------------------------------------------------------------------------

    def _room(self, size: int) -> tuple[int, int] | None:
        """Room of so many bytes: (chunk, offset)."""
        if self._used + size > Unwind.CHUNK:
            if len(self._chunks) >= min(self._limit, Unwind.CHUNKS):
                return None
            chunk = Map.create(CHUNK_SPEC)
            self._chunks.append(chunk)
            self._outer.update(struct.pack("<I", len(self._chunks) - 1), struct.pack("<I", chunk.fd))
            self._used = 0
        offset = self._used
        self._used += size + 7 & ~7
        self.bytes_used += size
        return len(self._chunks) - 1, offset

    def _write(self, chunk: int, offset: int, data: bytes) -> None:
        with self._chunks[chunk].mmap() as memory:  # not kept: mapped pages would count as this process's
            memory[offset : offset + len(data)] = data


def _rows(start: int, end: int, parts: tuple[_Part, ...] | None, bias: int) -> list[bytes]:
    """The rows of a mapping: one for each part of its file that shows in it, or one without rules."""
    rows = []
    for part in parts or ():
        low, high = max(start, part.start + bias), min(end, part.end + bias)
        if low < high:
            base = part.base + bias & 0xFFFF_FFFF_FFFF_FFFF
            rows.append(_MAPPING.pack(low, high, base, part.first, part.rows, part.chunk, 0))
    return rows or [_MAPPING.pack(start, end, 0, 0, 0, 0, Unwind.AWAITED if parts is None else 0)]
