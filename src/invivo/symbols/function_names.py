"""The functions of one ELF file by address: what symbolizing needs, and nothing else of the format.

    table = FunctionNames(data)
    table.address_of(0x28a10)      file offset -> the address that the file gives itself (PT_LOAD)
    table.find(0xfe2a0)            -> ("read", 16)
    table.reason                   -> "" or why there are no names

Where several names stand for one place, the one with the fewest underscores before it is taken: read, not __read.
Source: elf(5).
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right

__all__ = ["FunctionNames"]

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_PT_LOAD = 1
_SHT_SYMTAB, _SHT_DYNSYM = 2, 11
_FUNCTIONS = (2, 10)  # STT_FUNC, STT_GNU_IFUNC
_LOCAL = 0


class FunctionNames:
    """Functions in order of address. Corrupt tables give no names, and a reason."""

    __slots__ = ("_addresses", "_names", "_segments", "_sizes", "reason")

    def __init__(self, data: memoryview | bytes) -> None:
        self._segments: list[tuple[int, int, int]] = []  # file offset, address, size
        self._addresses = array("Q")
        self._sizes = array("Q")
        self._names: list[bytes] = []
        self.reason = ""
        try:
            self._read(memoryview(data))
        except (struct.error, ValueError, IndexError) as error:
            self.reason = f"corrupt ELF file: {error}"
        if not self._addresses and not self.reason:
            self.reason = "no symbols: stripped"

    def _read(self, data: memoryview) -> None:
        if bytes(data[:6]) != b"\x7fELF\x02\x01":
            self.reason = "not a 64-bit ELF file"
            return
        program, sections = struct.unpack_from("<QQ", data, 32)
        size, count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
        for index in range(count):
            kind, _, offset, address, _, length, _, _ = _SEGMENT.unpack_from(data, program + index * size)
            if kind == _PT_LOAD:
                self._segments.append((offset, address, length))
        rows = [_SECTION.unpack_from(data, sections + index * section_size) for index in range(section_count)]
        tables = {row[1]: row for row in rows if row[1] in (_SHT_SYMTAB, _SHT_DYNSYM)}
        best: dict[int, tuple[tuple[int, int, int], int, bytes]] = {}
        for table in tables.values():
            strings = rows[table[6]]
            text = bytes(data[strings[4] : strings[4] + strings[5]])
            self._collect(data[table[4] : table[4] + table[5] // 24 * 24], text, best)
        for address in sorted(best):
            _, length, name = best[address]
            self._addresses.append(address)
            self._sizes.append(length)
            self._names.append(name)

    @staticmethod
    def _collect(table: memoryview, text: bytes, best: dict[int, tuple[tuple[int, int, int], int, bytes]]) -> None:
        for name_at, info, _, section, address, size in _SYMBOL.iter_unpack(table):
            if info & 15 not in _FUNCTIONS or not section or not name_at:
                continue
            name = text[name_at : text.find(b"\0", name_at)].partition(b"@")[0]
            if not name:
                continue
            rank = (not size, len(name) - len(name.lstrip(b"_")), info >> 4 == _LOCAL)
            before = best.get(address)
            if before is None or rank < before[0]:
                best[address] = (rank, size, name)

    def address_of(self, offset: int) -> int | None:
        """The address of a place in the file; None if no segment loads it."""
        for start, address, size in self._segments:
            if start <= offset < start + size:
                return offset - start + address
        return None

    def find(self, address: int) -> tuple[str, int] | None:
        """(function, distance from its start) of an address; None if it is in none."""
        index = bisect_right(self._addresses, address) - 1
        if index < 0:
            return None
        distance = address - self._addresses[index]
        if self._sizes[index] and distance >= self._sizes[index]:
            return None
        return self._names[index].decode("utf-8", "surrogateescape"), distance
