"""Probes at source lines: pid$target:a.out:FILE.c@LINE: with the variables in scope as args, by name.

    pid$target:a.out:demo.c@40:line { printf("%d %s\\n", args.count, stringof(args.text)); }

A line is probed where its statements begin, at each copy of it that the compiler has made (inlined functions). In: the
file's line tables and location expressions. Out: one Probe for each address.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import partial

from invivo.errors import UnsupportedError
from invivo.linux.arch import Registers, registers
from invivo.program.attach import Uprobe
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.nodes import Binary, ContextBytes, Convert, Expr, IntLit, Load, Memory
from invivo.program.types import ULONG, Array, Enum, Float, Int, Pointer, Space, Struct, Type
from invivo.providers.base import Lazy
from invivo.providers.expressions import Maker
from invivo.providers.function_args import refused, words_of
from invivo.providers.user_types import FileTypes
from invivo.source import Span
from invivo.symbols.dwarf import DwarfFile
from invivo.symbols.elf import ElfFile
from invivo.symbols.locations import Place
from invivo.symbols.objects import MappedObject

__all__ = ["is_line", "line_probes"]

NAME = "line"
_LINE = re.compile(r"(.+)@([0-9]{1,9})")
_MASK = (1 << 64) - 1


def is_line(function: str | None) -> bool:
    """Whether a description's function field is a source line."""
    return function is not None and _LINE.fullmatch(function) is not None


def line_probes(provider: str, pid: int, object_: MappedObject, types: FileTypes, function: str) -> list[Probe]:
    """The probes at a line, `FILE@LINE`; none if the file was not compiled into this object.

    Raises:
        TargetError: There is no debug information.
        UnsupportedError: The line has no code; the message names the nearest ones that have.
    """
    match = _LINE.fullmatch(function)
    assert match is not None
    file, line = match[1], int(match[2])
    own = types.own
    if own is None:
        raise UnsupportedError(f"lines need debug information: {types.missing}")
    with DwarfFile(own.debug_path) as dwarf, ElfFile.open(object_.place, object_.path) as elf:
        addresses = dwarf.addresses_of(file, line)
        if not addresses:
            _explain(dwarf, file, line, object_)
            return []
        probes = []
        for address in addresses:
            offset = elf.to_offset(address)
            if offset is None:
                continue
            args = Lazy(partial(_variables, own.debug_path, types, address))
            words = Lazy(lambda args=args: words_of(args))  # type: ignore[misc]
            context = Context(f"{file}@{line}", words, args, types=types, space=Space.USER)
            probes.append(
                Probe(provider, object_.name, function, NAME, Uprobe(object_.place, offset, False, 0, pid), context)
            )
        return probes


def _explain(dwarf: DwarfFile, file: str, line: int, object_: MappedObject) -> None:
    lines = dwarf.lines_with_code(file)
    if lines:
        after = next((number for number in lines if number > line), None)
        before = max((number for number in lines if number < line), default=None)
        near = " and ".join(str(number) for number in (before, after) if number is not None)
        message = f"no code of '{object_.path}' belongs to line {line} of {file}"
        raise UnsupportedError(message, f"the nearest lines with code are {near}")
    names = {path.rsplit("/", 1)[-1] for path in dwarf.source_files()}
    close = difflib.get_close_matches(file, names, 3, 0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else f"it was compiled from {', '.join(sorted(names)[:8])}"
    raise UnsupportedError(f"no source file of '{object_.path}' is called '{file}'", hint)


# --- variables --------------------------------------------------------------------------------------------------------


def _variables(path: str, types: FileTypes, address: int) -> Sequence[ProbeArg]:
    own = types.own
    assert own is not None
    with DwarfFile(path) as dwarf:
        places = dwarf.variables_at(address)
    found = own.variables_at(address)
    return [ProbeArg(name, found[name], _value(name, found[name], place, registers(), address))
            for name, place in places.items() if name in found]  # fmt: skip


def _value(name: str, type_: Type, place: Place, table: Registers, address: int) -> Maker:
    """The variable's value from where it is kept."""
    if place.kind == "none":
        return refused(f"the variable '{name}' cannot be read here: {place.reason}")
    is_scalar = isinstance(type_, Int | Enum | Pointer)
    if place.kind == "constant" and is_scalar:
        return lambda span: Convert(IntLit(place.offset & _MASK, ULONG, span), type_, span)
    if place.kind in ("register", "value"):
        if not is_scalar:
            return refused(f"the variable '{name}' is in a register, where a {type_} cannot be read")
        return lambda span: Convert(_sum(place, table, address, span), type_, span)
    if isinstance(type_, Struct | Array | Float):
        return lambda span: Memory(_sum(place, table, address, span), Space.USER, type_, span)
    return lambda span: Load(_sum(place, table, address, span), Space.USER, type_, span)


def _sum(place: Place, table: Registers, address: int, span: Span) -> Expr:
    """register + offset; a link-time address is reckoned from the program counter, which is at `address`."""
    offset = place.offset
    if place.register:
        base: Expr = ContextBytes(table.offsets[place.register], ULONG, span)
    else:
        base = ContextBytes(table.offsets["ip"], ULONG, span)
        offset -= address
    return Binary("+", base, IntLit(offset & _MASK, ULONG, span), ULONG, span) if offset else base
