"""Unwind rules put where programs find them: each file's once, each process's mappings in order of address.

    tables = UnwindTables(map)
    place = tables.place(space, files)      rules of all that the process has mapped; Placed(count, chunk, offset)
    tables.release(place)

See shared.Unwind for the layout. What is once written stays as it is, so programs may read at any time; the room of a
list of mappings is used again a while after it was let go.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.map import Map, MapSpec
from invivo.program.shared import Unwind
from invivo.symbols.elf import ElfError, ElfFile
from invivo.symbols.unwind import EMPTY, RuleTable, read_rules
from invivo.symbols.vdso import own_vdso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.files import MappedFile, MappedFiles
    from invivo.symbols.normalize import AddressSpace

__all__ = ["CHUNK_SPEC", "Placed", "UnwindTables"]

CHUNK_SPEC = MapSpec("unwind_rules", uapi.BPF_MAP_TYPE_ARRAY, 4, Unwind.VALUE, 1, uapi.BPF_F_MMAPABLE)
_MAPPING = struct.Struct(Unwind.MAPPING)
_WAIT_S = 1.0  # before room is used again: no program runs that long


class Placed(NamedTuple):
    """Where a process's mappings stand, as shared.Process has it."""

    count: int  # type: ignore[assignment]
    chunk: int
    offset: int


class _Part(NamedTuple):
    """Some rules of a file in a chunk: for addresses `start` up to `end` of the file."""

    start: int
    end: int
    base: int
    first: int
    rows: int
    chunk: int


class UnwindTables:
    """Fills the array of chunks. `limit_bytes` bounds them; what does not fit is told in `refused`, by file name."""

    def __init__(self, outer: Map, limit_bytes: int) -> None:
        self._outer = outer
        self._limit = max(1, limit_bytes // Unwind.CHUNK)
        self._chunks: list[Map] = []
        self._used = Unwind.CHUNK  # of the last chunk
        self._files: dict[MappedFile | None, tuple[_Part, ...]] = {}
        self._free: dict[int, list[tuple[int, int]]] = {}  # room for lists, by number of rows: (chunk, offset)
        self._waiting: deque[tuple[float, int, int, int]] = deque()
        self.refused: set[str] = set()
        self.bytes_used = 0

    def close(self) -> None:
        """Let the chunks go; may be called twice."""
        for chunk in self._chunks:
            chunk.close()
        self._chunks.clear()

    # --- files ------------------------------------------------------------------------------------------------------

    def _parts(self, file: MappedFile | None, elf: ElfFile | None, name: str) -> tuple[_Part, ...]:
        """A file's rules, put into chunks when first asked for; None is the vDSO."""
        found = self._files.get(file)
        if found is None:
            table = EMPTY
            try:
                if elf is not None:
                    table = read_rules(elf)
            except ElfError:
                pass  # a damaged file has no rules; its stacks are counted as they break
            found = self._files[file] = tuple(self._write_rules(table, name))
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

    def place(self, space: AddressSpace, files: MappedFiles) -> Placed | None:
        """Write what a process has mapped, with its files' rules; None if there is nothing, or no room."""
        rows: list[bytes] = []
        for mapping in space.mappings:
            parts: tuple[_Part, ...] = ()
            bias = 0
            file = files.of(space.pid, mapping)
            if file is not None and file.open_path is not None:
                try:
                    with ElfFile.open(file.open_path, file.name) as elf:
                        parts = self._parts(file, elf, file.name)
                        address = elf.to_address(mapping.offset)
                        bias = mapping.start - address if address is not None else 0
                        parts = parts if address is not None else ()
                except ElfError:
                    parts = ()
            elif mapping.path == "[vdso]":
                parts, bias = self._vdso(), mapping.start
            rows += _rows(mapping.start, mapping.end, parts, bias)
        rows = rows[: Unwind.MAPPINGS]
        if not rows:
            return None
        place = self._room_for_list(len(rows))
        if place is None:
            return None
        self._write(*place, b"".join(rows))
        return Placed(len(rows), *place)

    def _vdso(self) -> tuple[_Part, ...]:
        if None not in self._files:
            data = own_vdso()
            try:
                self._parts(None, ElfFile(data, "[vdso]") if data else None, "[vdso]")
            except ElfError:
                self._files[None] = ()
        return self._files[None]

    def release(self, placed: Placed) -> None:
        """A process's list is not referred to any more."""
        self._waiting.append((time.monotonic() + _WAIT_S, *placed))

    def _room_for_list(self, count: int) -> tuple[int, int] | None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, size, chunk, offset = self._waiting.popleft()
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


def _rows(start: int, end: int, parts: tuple[_Part, ...], bias: int) -> list[bytes]:
    """The rows of a mapping: one for each part of its file that shows in it, or one without rules."""
    rows = []
    for part in parts:
        low, high = max(start, part.start + bias), min(end, part.end + bias)
        if low < high:
            base = part.base + bias & 0xFFFF_FFFF_FFFF_FFFF
            rows.append(_MAPPING.pack(low, high, base, part.first, part.rows, part.chunk, 0))
    return rows or [_MAPPING.pack(start, end, 0, 0, 0, 0, 0)]
