"""Source lines of code, and the functions that were inlined there: what addr2line -i tells, from debug information.

    lines = SourceLines()
    lines.find(file, 0x1190)     (Line("leaf", "inl.cc", 5), Line("mid", "inl.cc", 7), Line("outer", "inl.cc", 10))
    lines.find(file, 0x9999)     ()      no line is known, or the file has no debug information

Innermost first; the last one is the function that has the code. A file's debug information is opened when the first of
its addresses is asked for. Nothing is looked up any more when `BUDGET_S` are spent, which `is_spent` tells.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import NamedTuple

from invivo.errors import TargetError
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.functions import separate_file
from invivo.symbols.objects import MappedObject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from invivo.symbols.files import MappedFile

__all__ = ["BUDGET_S", "Line", "SourceLines"]

BUDGET_S = 10.0  # in all
_LARGEST = 1 << 30  # bytes of .debug_info, as the file has them: drgn's index of more takes minutes
_KEPT = 65536


class Line(NamedTuple):
    """A function, without arguments, and the place in it: the last part of a source file's path, and a line from 1 (0:
    code that no line stands for)."""

    function: str
    file: str
    line: int


class SourceLines:
    """Looks lines up, and remembers them."""

    __slots__ = ("_known", "_programs", "_spent_s")

    def __init__(self) -> None:
        self._programs: dict[MappedFile, Any] = {}
        self._known: dict[tuple[MappedFile, int], tuple[Line, ...]] = {}
        self._spent_s = 0.0

    @property
    def is_spent(self) -> bool:
        """Whether the time for looking up is over."""
        return self._spent_s >= BUDGET_S

    def find(self, file: MappedFile, address: int) -> tuple[Line, ...]:
        """The lines of an address, given as the file's own; never fails."""
        key = file, address
        found = self._known.get(key)
        if found is None:
            if self.is_spent:
                return ()
            start = time.monotonic()
            found = self._look_up(file, address)
            self._spent_s += time.monotonic() - start
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = found
        return found

    def _look_up(self, file: MappedFile, address: int) -> tuple[Line, ...]:
        from invivo.symbols.debug_info import reading

        if file not in self._programs:
            self._programs[file] = _open(file)
        program = self._programs[file]
        if program is None:
            return ()
        try:
            with reading(file.path):
                try:
                    found = program.source_location(address)
                except LookupError:
                    return ()
                return tuple(Line(item.name() or "", item.filename.rpartition("/")[2], item.line) for item in found)
        except TargetError:  # damaged: nothing is asked of it any more
            self._programs[file] = None
            return ()


def _open(file: MappedFile) -> Any:
    """drgn's program for a file, or None."""
    from invivo.symbols.debug_info import open_program, reading

    path = file.open_path
    if path is None:
        return None
    with suppress(ElfError, TargetError), reading(file.path):
        with ElfFile.open(path, file.path) as elf:
            debug = separate_file(elf, MappedObject(file.name, (), file.path, path, False)) or ""
            if not debug and elf.section(".debug_info") is None:
                return None
            with ElfFile.open(debug or path) as holder:
                section = holder.section(".debug_info")
                if section is not None and section.size > _LARGEST:
                    return None
        return open_program(path, debug)
    return None
