"""Source lines and variables' places, from DWARF: what drgn does not offer of a program that is not running.

In: a file with debug information. Out: link-time addresses, and where each variable in scope of one is kept.

    with DwarfFile("/usr/bin/demo") as dwarf:
        dwarf.addresses_of("demo.c", 40)    [0x1179]
        dwarf.variables_at(0x1179)          {"r": Place("register", "di"), "sum": Place("memory", "sp", 24), ...}

The places are found by symbols/locations.
Source: DWARF Debugging Information Format, version 5: 3.3 (functions), 4.1 (variables), 6.2 (lines).
A file is not trusted: what is damaged in it is a TargetError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from invivo.errors import InvivoError, TargetError
from invivo.symbols.locations import Locations, Place

__all__ = ["DwarfFile"]

_SCOPES = ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine", "DW_TAG_lexical_block")
_VARIABLES = ("DW_TAG_variable", "DW_TAG_formal_parameter")
_U64 = (1 << 64) - 1


class DwarfFile:
    """The DWARF of one file; a context manager.

    Raises:
        TargetError: From every method, where the file is damaged.
    """

    def __init__(self, path: str) -> None:
        from elftools.elf.elffile import ELFFile

        self.path = path
        with self.reading():
            self._stream = open(path, "rb")  # noqa: SIM115
            try:
                elf = ELFFile(self._stream)
                if not elf.has_dwarf_info(strict=True):
                    raise TargetError(f"'{path}' has no debug information", "compile it with -g")
                self._dwarf = elf.get_dwarf_info(follow_links=False)
            except BaseException:
                self._stream.close()
                raise
        self._locations = Locations(self._dwarf)
        self._functions: dict[int, dict[int, Any]] = {}  # by their addresses, of units by their offsets

    def __enter__(self) -> DwarfFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """To be around all that pyelftools is asked: it tells of damage by many classes, its own, construct's, and
        those of struct and of lists."""
        try:
            yield
        except InvivoError:
            raise
        except OSError as error:
            raise TargetError(f"cannot read '{self.path}': {error.strerror or error}") from error
        except Exception as error:
            text = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            raise TargetError(
                f"the debug information of '{self.path}' cannot be read: {text}", "it may be damaged: build it anew"
            ) from error

    # --- lines --------------------------------------------------------------------------------------------------

    def addresses_of(self, file: str, line: int) -> list[int]:
        """The addresses where a statement of a source line begins: one for each copy of it (inlined, cloned).

        `file` is a path or the end of one. Empty if no code belongs to the line.
        """
        with self.reading():
            found: list[int] = []
            for rows in self._rows_of(file):
                found += _starts(rows, line)
            return sorted(set(found))

    def lines_with_code(self, file: str) -> list[int]:
        """All lines of a source file that have code; empty if no such file was compiled into this one."""
        with self.reading():
            return sorted({row[1] for rows in self._rows_of(file) for row in rows if row[2]})

    def source_files(self) -> list[str]:
        """The names of the files that were compiled."""
        with self.reading():
            names = [_text(unit.get_top_DIE().attributes.get("DW_AT_name")) for unit in self._dwarf.iter_CUs()]
            return sorted({name for name in names if name})

    def _rows_of(self, file: str) -> Iterator[list[tuple[int, int, bool]]]:
        """(address, line, begins a statement) of the rows that belong to a file, by unit; line 0 ends a sequence."""
        for unit in self._dwarf.iter_CUs():
            program = self._dwarf.line_program_for_CU(unit)
            if program is None:
                continue
            wanted = _numbers_of(program, file)
            if not wanted:
                continue
            rows = []
            for entry in program.get_entries():
                state = entry.state
                if state is None:
                    continue
                mine = state.file in wanted and not state.end_sequence
                rows.append((state.address, state.line if mine else 0, bool(mine and state.is_stmt)))
            yield rows

    # --- variables ----------------------------------------------------------------------------------------------

    def variables_at(self, address: int) -> dict[str, Place]:
        """The places of all variables and parameters in scope at an address, the innermost of each name."""
        with self.reading():
            found = self._in_scope(address).items()
            return {name: self._locations.place(die, unit, address, base) for name, (die, unit, base) in found}

    def entries_at(self, address: int) -> dict[str, Any]:
        """Their entries (pyelftools' DIEs), for who wants their types."""
        with self.reading():
            return {name: die for name, (die, _, _) in self._in_scope(address).items()}

    def _in_scope(self, address: int) -> dict[str, tuple[Any, Any, Any]]:
        """Of each variable its entry, its unit, and the function whose frame base its place is told by."""
        for unit in self.units_at(address):
            found: dict[str, tuple[Any, Any, Any]] = {}
            self._collect(unit.get_top_DIE(), unit, address, None, found)
            if found:
                return found
        return {}

    def units_at(self, address: int) -> Iterator[Any]:
        """The compilation units that an address lies in: mostly one, by .debug_aranges where that is there."""
        ranges: Any = self._dwarf.get_aranges()
        offset = None if ranges is None else ranges.cu_offset_at_addr(address)
        if offset is not None:
            yield self._dwarf.get_CU_at(offset)
            return
        for unit in self._dwarf.iter_CUs():
            if self._holds(unit.get_top_DIE(), address, unit):
                yield unit

    def units(self) -> Iterator[Any]:
        """All compilation units."""
        with self.reading():
            yield from self._dwarf.iter_CUs()

    def function_at(self, address: int) -> Any:
        """The entry of the function that begins at an address, or None."""
        with self.reading():
            for unit in self.units_at(address):
                if unit.cu_offset not in self._functions:
                    self._functions[unit.cu_offset] = dict(_functions(unit.get_top_DIE()))
                if (found := self._functions[unit.cu_offset].get(address)) is not None:
                    return found
            return None

    def attribute(self, die: Any, name: str) -> Any:
        """An attribute, of the entry itself or of what it is a copy of; None if there is none."""
        with self.reading():
            return self._attribute(die, name)

    def _collect(self, die: Any, unit: Any, address: int, base: Any, found: dict[str, tuple[Any, Any, Any]]) -> None:
        """Depth first: what is found further inside overwrites what is outside."""
        for child in die.iter_children():
            if child.tag in _VARIABLES and die.tag in _SCOPES:
                name = _text(self._attribute(child, "DW_AT_name"))
                if name:
                    found[name] = child, unit, base
            elif child.tag in _SCOPES and self._holds(child, address, unit):
                self._collect(child, unit, address, child if child.tag == "DW_TAG_subprogram" else base, found)
            elif child.tag in ("DW_TAG_namespace", "DW_TAG_structure_type", "DW_TAG_class_type"):
                self._collect(child, unit, address, base, found)

    def _attribute(self, die: Any, name: str) -> Any:
        """An attribute, of the DIE itself or of what it is a copy of."""
        for _ in range(8):
            if name in die.attributes:
                return die.attributes[name]
            for link in ("DW_AT_abstract_origin", "DW_AT_specification"):
                if link in die.attributes:
                    die = die.get_DIE_from_attribute(link)
                    break
            else:
                return None
        return None

    def _holds(self, die: Any, address: int, unit: Any) -> bool:
        attributes = die.attributes
        if "DW_AT_ranges" in attributes:
            ranges: Any = self._dwarf.range_lists()
            top = unit.get_top_DIE().attributes
            base = top["DW_AT_low_pc"].value if "DW_AT_low_pc" in top else 0
            entries: list[Any] = ranges.get_range_list_at_offset(attributes["DW_AT_ranges"].value, cu=unit)
            for entry in entries:
                if hasattr(entry, "base_address"):
                    base = entry.base_address
                    continue
                start, end = entry.begin_offset, entry.end_offset
                if not getattr(entry, "is_absolute", False):
                    start, end = start + base, end + base
                if start <= address < end:
                    return True
            return False
        if "DW_AT_low_pc" not in attributes or "DW_AT_high_pc" not in attributes:
            return False
        start, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
        end = high.value if high.form == "DW_FORM_addr" else start + high.value
        return bool(start <= address < end)


def _functions(die: Any) -> Iterator[tuple[int, Any]]:
    """(address, entry) of the functions that have code, in a unit or a namespace."""
    for child in die.iter_children():
        if child.tag == "DW_TAG_namespace":
            yield from _functions(child)
        elif child.tag == "DW_TAG_subprogram" and "DW_AT_low_pc" in child.attributes:
            yield child.attributes["DW_AT_low_pc"].value, child


def _numbers_of(program: Any, file: str) -> set[int]:
    """The numbers by which a unit's line program calls a source file: a path, or the last parts of one."""
    header = program.header
    first = 0 if header["version"] >= 5 else 1
    directories = header.get("include_directory", ())
    found = set()
    for number, entry in enumerate(header["file_entry"], first):
        name = _bytes(entry.name)
        index = entry.dir_index if header["version"] >= 5 else entry.dir_index - 1
        folder = _bytes(directories[index]) if 0 <= index < len(directories) else ""
        path = name if name.startswith("/") or not folder else f"{folder}/{name}"
        if path == file or path.endswith("/" + file.lstrip("/")) or name == file:
            found.add(number)
    return found


def _starts(rows: list[tuple[int, int, bool]], line: int) -> list[int]:
    """The first address of each run of rows of a line: a breakpoint at each is met once for each time it is run."""
    found = []
    before = 0
    for address, number, is_statement in rows:
        if number == line and before != line and is_statement:
            found.append(address)
        before = number
    return found


def _bytes(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _text(attribute: Any) -> str:
    return "" if attribute is None else _bytes(attribute.value)
