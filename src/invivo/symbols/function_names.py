"""The functions of one file by address, under the names that people know.

    names = FunctionNames.of_file("/proc/self/fd/7", "/usr/lib/x86_64-linux-gnu/libc.so.6")
    names.address_of(0x28a10)      file offset -> the address that the file gives itself
    names.find(0xfe2a0)            -> ("read", 16)
    names.reason                   -> "" or why an address may have no name

Where several names stand for one place, the one with the fewest underscores before it is taken: read, not __read. A
program's entry point is `_start`, and the loader's, also where its symbols are stripped.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from invivo.symbols.demangle import demangle
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError, Function, Strings
from invivo.symbols.functions import functions_of
from invivo.symbols.objects import MappedObject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FunctionNames"]

_NO_STRINGS = Strings(b"", 0, 0, "")
_ENTRY_BYTES = 64  # of an entry point's code: enough for what every C library has there


def _is_program(elf: ElfFile) -> bool:
    """Whether processes begin at the file's entry point: a program, or the loader, which all begin in."""
    return bool(elf.entry) and (bool(elf.interpreter) or elf.path.rpartition("/")[2].startswith("ld-"))


class FunctionNames:
    """Functions in order of address. Names are cut from the file when they are asked for: few of many are."""

    __slots__ = ("_addresses", "_elf", "_names", "_places", "_sizes", "_strings", "reason")

    def __init__(self, elf: ElfFile | None, functions: Iterable[Function] = (), reason: str = "") -> None:
        """From functions by name; see `of_table` for a whole symbol table."""
        self._elf = elf
        self._strings = _NO_STRINGS
        self._names: list[str] = []  # which places from behind the strings stand for
        self.reason = reason
        rows = []
        for function in functions:
            rows.append((function.address, function.size, self._strings.limit + len(self._names)))
            self._names.append(function.name)
        self._set(rows)

    @classmethod
    def of_file(cls, place: str, path: str) -> FunctionNames:
        """Those of the file that this process opens as `place`, and that is called `path`; never fails."""
        try:
            elf = ElfFile.open(place, path)
            if elf.has_symbols(".symtab"):
                return cls.of_table(elf)
            elf.close()
            table = functions_of(MappedObject(path, (path,), path, place, False))
        except ElfError as error:
            return cls(None, reason=error.message)
        functions = [function for same in table.by_name.values() for function in same]
        reason = "" if not table.missing else "no symbol there: stripped" if functions else "no symbols: stripped"
        return cls(table.elf, functions, reason)

    @classmethod
    def of_bytes(cls, data: bytes, path: str) -> FunctionNames:
        """Those of a file in memory."""
        try:
            elf = ElfFile(data, path)
            return cls(elf, elf.functions())
        except ElfError as error:
            return cls(None, reason=error.message)

    @classmethod
    def of_table(cls, elf: ElfFile) -> FunctionNames:
        """Those of a file's .symtab.

        Raises:
            ElfError: The table is damaged.
        """
        found = cls(elf)
        rows, found._strings = elf.function_rows(".symtab")
        found._set(rows)
        return found

    def _set(self, rows: list[tuple[int, int, int]]) -> None:
        """(address, size, place of the name) of all functions."""
        elf = self._elf
        if elf is not None and _is_program(elf) and all(row[0] != elf.entry for row in rows):
            rows.append((elf.entry, _ENTRY_BYTES, self._strings.limit + len(self._names)))
            self._names.append("_start")
        rows.sort()
        self._addresses = array("Q", [row[0] for row in rows])
        self._sizes = array("Q", [row[1] for row in rows])
        self._places = array("Q", [row[2] for row in rows])

    def _name(self, index: int) -> str:
        place = self._places[index]
        if place >= self._strings.limit:
            return self._names[place - self._strings.limit].partition("@")[0]
        try:
            return self._strings.name(place).partition("@")[0]
        except ElfError:
            return "[damaged name]"

    def address_of(self, offset: int) -> int | None:
        """The address of a place in the file; None if no segment loads it."""
        return self._elf.to_address(offset) if self._elf is not None else None

    def find(self, address: int) -> tuple[str, int] | None:
        """(function, distance from its start) of an address; None if it is in none."""
        last = bisect_right(self._addresses, address) - 1
        if last < 0:
            return None
        start = self._addresses[last]
        distance = address - start
        best: tuple[bool, int, int, str] | None = None
        size = 0
        for index in range(last, -1, -1):
            if self._addresses[index] != start:
                break
            name = self._name(index)
            size = max(size, self._sizes[index])
            rank = (not self._sizes[index], len(name) - len(name.lstrip("_")), len(name), name)
            best = min(best, rank) if best is not None else rank
        assert best is not None
        if size and distance >= size:
            return None
        return demangle(best[3]), distance
