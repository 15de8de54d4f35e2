"""Names of processes' addresses.

symbolizer = Symbolizer(spaces)
symbolizer.name(4711, 1, 0x7f3a1c0fe2a0)    -> "libc.so.6`read+0x10"
symbolizer.name(4711, 1, 0x55d0c0de2c01)    -> "nginx`0x12c01 [no symbols: stripped]", by the file's own addresses
symbolizer.name(4711, 1, 0x10)              -> "0x10 [nothing was mapped there]"
symbolizer.frames(4711, 1, 0x55d0c0de1190)  -> (("a`leaf", "a.c:5", True), ("a`outer+0x10", "a.c:10", False))
"""

from __future__ import annotations

import time

from invivo.symbols.function_names import FunctionNames
from invivo.symbols.lines import BUDGET_S, Line, SourceLines
from invivo.symbols.normalize import AddressSpaces, Place
from invivo.symbols.perf_map import PerfMap
from invivo.symbols.vdso import own_vdso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.files import MappedFile

__all__ = ["Symbolizer"]

_SPENT = f"no line: {BUDGET_S:g} s were spent on lines already"
_MAP_AGE_S = 1.0  # a JIT's map is read again, at most so often, for an address that it does not name


class Symbolizer:
    """Names what `spaces` has normalised; each file's symbols are read when first asked for, and kept."""

    __slots__ = ("_lines", "_maps", "_spaces", "_tables", "_vdso")

    def __init__(self, spaces: AddressSpaces) -> None:
        self._spaces = spaces
        self._tables: dict[MappedFile, FunctionNames] = {}
        self._vdso: FunctionNames | None = None
        self._maps: dict[int, tuple[float, PerfMap]] = {}
        self._lines: SourceLines | None = None

    def name(self, pid: int, generation: int, address: int, *, is_return: bool = False) -> str:
        """The address as text; never fails: what has no name says why in brackets.

        Args:
            is_return: It is a return address: the call before it tells the function, of which it may be the end.
        """
        place = self._spaces.find(pid, generation, address - is_return)
        if isinstance(place, str):
            return f"{address:#x} [{place}]"
        if place.file is None:
            return self._without_file(pid, place, address)
        return _in_file(place.file.name, self._table(place.file), place.offset, int(is_return))

    def frames(
        self, pid: int, generation: int, address: int, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        """Functions that were inlined at an address, innermost first, then the one that has the code: of each the name
        as above, ``file:line`` (empty where that is not known), and whether it is inlined."""
        name = self.name(pid, generation, address, is_return=is_return)
        place = self._spaces.find(pid, generation, address - is_return)
        if isinstance(place, str) or place.file is None:
            return ((name, "", False),)
        table = self._table(place.file)
        own = table.address_of(place.offset) if isinstance(table, FunctionNames) else None
        if own is None:
            return ((name, "", False),)
        if self._lines is None:
            self._lines = SourceLines()
        found = self._lines.find(place.file, own)
        if not found:
            return ((name, _SPENT if self._lines.is_spent else "", False),)
        inlined = [
            (f"{place.file.name}`{line.function or '[inlined function]'}", _source(line), True) for line in found[:-1]
        ]
        return (*inlined, (name, _source(found[-1]), False))

    def _without_file(self, pid: int, place: Place, address: int) -> str:
        if place.mapping.path == "[vdso]":
            if self._vdso is None:
                self._vdso = FunctionNames.of_bytes(own_vdso(), "[vdso]")
            return _in_file("[vdso]", self._vdso, place.offset)
        if place.mapping.path.startswith("[") and place.mapping.path != "[heap]":
            return f"{address:#x} [{place.mapping.path.strip('[]')}]"
        read_at, found = self._maps.get(pid, (0.0, None))
        name = found.find(address) if found is not None else None
        if name is None and time.monotonic() - read_at > _MAP_AGE_S:
            found = PerfMap.of(pid)
            self._maps[pid] = (time.monotonic(), found)
            name = found.find(address)
        if name is not None:
            return f"jit`{name[0]}+{name[1]:#x}" if name[1] else f"jit`{name[0]}"
        there = found is not None and found.is_there
        why = f"not in /tmp/perf-{pid}.map" if there else f"made at run time, and there is no /tmp/perf-{pid}.map"
        return f"{address:#x} [{why}]"

    def _table(self, file: MappedFile) -> FunctionNames | str:
        if file.reason:
            return file.reason
        table = self._tables.get(file)
        if table is None:
            path = file.open_path
            assert path is not None
            table = self._tables[file] = FunctionNames.of_file(path, file.path)
        return table


def _source(line: Line) -> str:
    return f"{line.file}:{line.line}" if line.file else ""


def _in_file(name: str, table: FunctionNames | str, offset: int, behind: int = 0) -> str:
    """`behind`: bytes that the address lies behind `offset`."""
    if isinstance(table, str):
        return f"{name}`+{offset + behind:#x} [{table}]"
    address = table.address_of(offset)
    if address is None:
        return f"{name}`+{offset + behind:#x} [{table.reason or 'in no segment of the file'}]"
    found = table.find(address)
    if found is None:
        return f"{name}`{address + behind:#x} [{table.reason or 'no function there'}]"
    symbol, distance = found[0], found[1] + behind
    return f"{name}`{symbol}+{distance:#x}" if distance else f"{name}`{symbol}"
