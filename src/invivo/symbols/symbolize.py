"""Names of processes' addresses.

symbolizer = Symbolizer(spaces)
symbolizer.name(4711, 1, 0x7f3a1c0fe2a0)    -> "libc.so.6`read+0x10"
symbolizer.name(4711, 1, 0x55d0c0de2c01)    -> "nginx`0x12c01 [no symbols: stripped]", by the file's own addresses
symbolizer.name(4711, 1, 0x10)              -> "0x10 [nothing was mapped there]"
"""

from __future__ import annotations

import mmap
import os

from invivo.symbols.function_names import FunctionNames
from invivo.symbols.normalize import AddressSpaces, Place
from invivo.symbols.vdso import own_vdso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.files import MappedFile

__all__ = ["Symbolizer"]


class Symbolizer:
    """Names what `spaces` has normalised; each file's symbols are read when first asked for, and kept."""

    __slots__ = ("_spaces", "_tables", "_vdso")

    def __init__(self, spaces: AddressSpaces) -> None:
        self._spaces = spaces
        self._tables: dict[MappedFile, FunctionNames] = {}
        self._vdso: FunctionNames | None = None

    def name(self, pid: int, generation: int, address: int) -> str:
        """The address as text; never fails: what has no name says why in brackets."""
        place = self._spaces.find(pid, generation, address)
        if isinstance(place, str):
            return f"{address:#x} [{place}]"
        if place.file is None:
            return self._without_file(place, address)
        return _in_file(place.file.name, self._table(place.file), place.offset)

    def _without_file(self, place: Place, address: int) -> str:
        if place.mapping.path == "[vdso]":
            if self._vdso is None:
                self._vdso = FunctionNames(own_vdso())
            return _in_file("[vdso]", self._vdso, place.offset)
        what = place.mapping.path if place.mapping.path.startswith("[") else "memory of no file"
        return f"{address:#x} [{what}]"

    def _table(self, file: MappedFile) -> FunctionNames | str:
        if file.reason:
            return file.reason
        table = self._tables.get(file)
        if table is None:
            path = file.open_path
            assert path is not None
            try:
                table = _read(path)
            except OSError as error:
                return f"cannot read the file: {error.strerror}"
            self._tables[file] = table
        return table


def _in_file(name: str, table: FunctionNames | str, offset: int) -> str:
    if isinstance(table, str):
        return f"{name}`+{offset:#x} [{table}]"
    address = table.address_of(offset)
    if address is None:
        return f"{name}`+{offset:#x} [{table.reason or 'in no segment of the file'}]"
    found = table.find(address)
    if found is None:
        return f"{name}`{address:#x} [{table.reason or 'no function there'}]"
    symbol, distance = found
    return f"{name}`{symbol}+{distance:#x}" if distance else f"{name}`{symbol}"


def _read(path: str) -> FunctionNames:
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if not size:
            return FunctionNames(b"")
        with mmap.mmap(stream.fileno(), size, prot=mmap.PROT_READ) as whole, memoryview(whole) as view:
            return FunctionNames(view)
