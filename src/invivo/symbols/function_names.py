"""The functions of one file by address, under the names that people know.

    names = FunctionNames.of_file("/proc/self/fd/7", "/usr/lib/x86_64-linux-gnu/libc.so.6")
    names.address_of(0x28a10)      file offset -> the address that the file gives itself
    names.find(0xfe2a0)            -> ("read", 16)
    names.reason                   -> "" or why an address may have no name

Where several names stand for one place, the one with the fewest underscores before it is taken: read, not __read. A
program's entry point is `_start`, also where its symbols are stripped.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from invivo.symbols.demangle import demangle
from invivo.symbols.elf import ElfError, ElfFile, Function
from invivo.symbols.functions import functions_of
from invivo.symbols.objects import MappedObject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FunctionNames"]

_ENTRY_BYTES = 64  # of an entry point's code: enough for what every C library has there


class FunctionNames:
    """Functions in order of address."""

    __slots__ = ("_addresses", "_elf", "_names", "_sizes", "reason")

    def __init__(self, elf: ElfFile | None, functions: Iterable[Function] = (), reason: str = "") -> None:
        self._elf = elf
        self._addresses = array("Q")
        self._sizes = array("Q")
        self._names: list[str] = []
        best: dict[int, tuple[tuple[bool, int, int], Function]] = {}
        for function in functions:
            rank = (not function.size, len(function.name) - len(function.name.lstrip("_")), len(function.name))
            before = best.get(function.address)
            if before is None or rank < before[0]:
                best[function.address] = (rank, function)
        if elf is not None and elf.interpreter and elf.entry not in best:
            best[elf.entry] = ((False, 0, 0), Function("_start", elf.entry, _ENTRY_BYTES, False))
        for address in sorted(best):
            function = best[address][1]
            self._addresses.append(address)
            self._sizes.append(function.size)
            self._names.append(function.name.partition("@")[0])
        self.reason = reason

    @classmethod
    def of_file(cls, place: str, path: str) -> FunctionNames:
        """Those of the file that this process opens as `place`, and that is called `path`; never fails."""
        try:
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

    def address_of(self, offset: int) -> int | None:
        """The address of a place in the file; None if no segment loads it."""
        return self._elf.to_address(offset) if self._elf is not None else None

    def find(self, address: int) -> tuple[str, int] | None:
        """(function, distance from its start) of an address; None if it is in none."""
        index = bisect_right(self._addresses, address) - 1
        if index < 0:
            return None
        distance = address - self._addresses[index]
        if self._sizes[index] and distance >= self._sizes[index]:
            return None
        return demangle(self._names[index]), distance
