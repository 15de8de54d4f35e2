"""Probes on the functions of programs and libraries, for the providers `pid` and `uprobe`.

    module:function:entry     at the function's beginning, or where the kernel is faster and nobody can tell (see
                              symbols.instructions); arg0 ... arg9 are its integer arguments
    module:function:return    when it returns; arg1 is its value
    module:function:1c        at the instruction 0x1c bytes into the function
    module:-:4f3a0            at the instruction with that address in the file

In: files (`MappedObject`), a compiled description. Out: `Probe`s with `Uprobe` attach points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from invivo.errors import InvivoError, UnsupportedError
from invivo.linux.arch import Registers, registers
from invivo.program.nodes import Context, Probe
from invivo.program.plan import Uprobe
from invivo.program.types import INT64, LONG, ULONG, Space
from invivo.providers.base import Description, Matcher
from invivo.providers.expressions import Maker, context_field, literal, load
from invivo.symbols import instructions
from invivo.symbols.elf import ElfError, Function
from invivo.symbols.functions import FunctionTable, functions_of
from invivo.symbols.objects import MappedObject

__all__ = ["WORDS", "FunctionProbes"]

WORDS = 10  # arg0 ... arg9
_OFFSET = re.compile(r"(?:0x)?([0-9a-fA-F]{1,16})")
_ABSOLUTE = "-"  # what stands for the function where the name is an address of the file


class FunctionProbes:
    """Probes of the functions of some files, for one process or (`pid` 0) for all that run them."""

    def __init__(self, provider: str, pid: int) -> None:
        self._provider = provider
        self._pid = pid
        self._registers = registers()
        self._tables: dict[str, FunctionTable | ElfError] = {}
        self._probes: dict[tuple[str, str, int, str], Probe] = {}
        self._entry = Context("function entry", entry_words(self._registers), family=("function entry", provider))
        result = context_field(self._registers.offsets[self._registers.result], LONG)
        # Where in the function it returned is not known: the kernel's return probes run after that.
        self._return = Context("function return", (literal(0, INT64), result), family=("function return", provider))

    def table(self, object_: MappedObject) -> FunctionTable:
        """The functions of a file, read when first asked for.

        Raises:
            ElfError: It cannot be read, or is damaged.
        """
        found = self._tables.get(object_.place)
        if found is None:
            try:
                found = functions_of(object_)
            except ElfError as error:
                found = error
            self._tables[object_.place] = found
        if isinstance(found, ElfError):
            raise found
        return found

    def match(self, objects: Sequence[MappedObject], matcher: Matcher) -> list[Probe]:
        """The probes on functions of `objects` (all of which are meant) that match.

        Raises:
            InvivoError: What the description names exactly is there, but cannot be probed; the message says why.
        """
        found: list[Probe] = []
        for object_ in objects:
            try:
                table = self.table(object_)
            except ElfError:
                if len(objects) == 1:
                    raise
                continue  # one of many files
            found += self._in_table(table, matcher)
        return found

    def _in_table(self, table: FunctionTable, matcher: Matcher) -> Iterator[Probe]:
        wanted, name = matcher.function.literal, matcher.name.literal
        if wanted == _ABSOLUTE:
            if name is not None and (offset := _number(name)) is not None:
                yield self._absolute(table, offset, name)
            return
        if wanted is not None:
            functions: Iterable[Function] = table.by_name.get(wanted, ())
        elif name is not None and name not in ("entry", "return"):
            return  # one offset of all functions would be in the middle of instructions of most
        else:
            functions = _one_name_each(table, matcher)
        for function in functions:
            for kind in ("entry", "return"):
                if matcher.name(kind) and (probe := self._probe(table, function, kind)) is not None:
                    yield probe
            if wanted is None:
                continue
            if name is not None:
                if (offset := _number(name)) is not None and name not in ("entry", "return"):
                    yield self._at(table, function, offset, name)
            else:
                for at in sorted(instructions.boundaries(table.code(function))):
                    if matcher.name(f"{at:x}"):
                        yield self._at(table, function, at, f"{at:x}")

    # --- one probe ----------------------------------------------------------------------------------------------

    def _probe(self, table: FunctionTable, function: Function, kind: str) -> Probe | None:
        key = table.object.place, function.name, function.address, kind
        probe = self._probes.get(key)
        if probe is None:
            code = table.code(function)
            if not code:
                return None
            room = table.room(function.address)
            placement = instructions.place(code, room if room < len(code) else 0)
            if kind == "entry":
                point = self._point(table, function.address + placement.offset)
                probe = self._made(table, function.name, kind, point, self._entry)
            elif table.is_go:
                returns = [self._point(table, function.address + at) for at in instructions.returns(code)]
                if not returns:
                    return None
                probe = self._made(table, function.name, kind, returns[0], self._return, tuple(returns[1:]))
            else:
                point = self._point(table, function.address + placement.offset, is_return=True)
                probe = self._made(table, function.name, kind, point, self._return)
            self._probes[key] = probe
        return probe

    def _at(self, table: FunctionTable, function: Function, offset: int, name: str) -> Probe:
        key = table.object.place, function.name, function.address, name
        probe = self._probes.get(key)
        if probe is None:
            code = table.code(function)
            where = f"function '{function.name}' of '{table.object.path}'"
            if offset >= len(code):
                raise UnsupportedError(f"{where} has only {len(code)} bytes: there is no offset {offset:#x}")
            self._check(instructions.boundaries(code, offset), offset, where)
            point = self._point(table, function.address + offset)
            probe = self._probes[key] = self._made(table, function.name, name, point, self._entry)
        return probe

    def _absolute(self, table: FunctionTable, address: int, name: str) -> Probe:
        key = table.object.place, _ABSOLUTE, address, name
        probe = self._probes.get(key)
        if probe is None:
            where = f"'{table.object.path}'"
            if not table.elf.is_code(address) or table.elf.to_offset(address) is None:
                raise UnsupportedError(f"address {address:#x} of {where} holds no code", "objdump -d shows what does")
            start = table.before(address)
            if start is None:
                raise UnsupportedError(
                    f"no symbol comes before {address:#x} of {where}, so where instructions begin cannot be told",
                    "invivo puts no probe into the middle of an instruction",
                )
            distance = address - start
            code = table.elf.read(start, distance + 16)
            self._check(instructions.boundaries(code, distance), distance, where, start)
            point = self._point(table, address)
            probe = self._probes[key] = self._made(table, _ABSOLUTE, name, point, self._entry)
        return probe

    def _check(self, starts: set[int], offset: int, where: str, base: int = 0) -> None:
        if offset in starts:
            return
        near = [base + max((s for s in starts if s < offset), default=0)]
        near += [base + s for s in starts if s > offset][:1]
        hint = f"instructions begin at {' and '.join(f'{at:#x}' for at in near)}"
        raise UnsupportedError(f"no instruction begins at {base + offset:#x} of {where}", hint)

    def _point(self, table: FunctionTable, address: int, *, is_return: bool = False) -> Uprobe:
        offset = table.elf.to_offset(address)
        assert offset is not None, "functions outside of the file are left out"
        return Uprobe(table.object.place, offset, is_return, 0, self._pid)

    def _made(
        self, table: FunctionTable, function: str, name: str, point: Uprobe, context: Context,
        others: tuple[Uprobe, ...] = (),
    ) -> Probe:  # fmt: skip
        return Probe(self._provider, table.object.name, function, name, point, context, others=others)

    # --- when nothing matches -----------------------------------------------------------------------------------

    def explain(self, objects: Sequence[MappedObject], matcher: Matcher) -> str:
        """Why no function of `objects`, which are those meant, matches."""
        import difflib

        wanted, name = matcher.function.literal, matcher.name.literal
        if wanted is None:
            is_offset = name not in (None, "entry", "return")
            return "only entry and return can be had of many functions at once" if is_offset else ""
        if name is not None and name not in ("entry", "return") and _number(name) is None:
            return f"a function has 'entry', 'return', and a probe at each instruction by its offset (1c), not '{name}'"
        names: set[str] = set()
        missing = []
        for object_ in objects:
            try:
                table = self.table(object_)
            except InvivoError as error:
                missing.append(error.message)
                continue
            if wanted in table.resolvers:
                return (
                    f"'{wanted}' of {object_.name} only chooses the function that is run (IFUNC), when the program "
                    "starts; those to choose from have names of their own"
                )
            names |= table.by_name.keys()
            if table.missing:
                missing.append(table.missing)
        close = difflib.get_close_matches(wanted, names, 3, 0.7)
        parts = [f"did you mean {' or '.join(close)}?"] if close else []
        if len(objects) == 1 or not close:
            parts += missing[:2]
        return "; ".join(parts)

    def descriptions(self, objects: Sequence[MappedObject]) -> Iterable[Description]:
        """Names of all functions of `objects`."""
        for object_ in objects:
            try:
                table = self.table(object_)
            except ElfError:
                continue
            for function in table.by_name:
                yield object_.name, function, "entry"
                yield object_.name, function, "return"


def entry_words(registers: Registers) -> tuple[Maker, ...]:
    """arg0 ... arg9 at a function's first instructions: registers, then the stack."""
    words: list[Maker] = [context_field(registers.offsets[name], LONG) for name in registers.arguments]
    stack = context_field(registers.offsets[registers.stack], ULONG)
    for index in range(WORDS - len(words)):
        words.append(load(stack, registers.stack_arguments + 8 * index, LONG, Space.USER))
    return tuple(words)


def _number(name: str) -> int | None:
    match = _OFFSET.fullmatch(name)
    return int(match[1], 16) if match else None


def _one_name_each(table: FunctionTable, matcher: Matcher) -> Iterable[Function]:
    """The functions whose names match, in the order of addresses; of several names of one the plainest."""
    chosen: dict[int, Function] = {}
    for name, functions in table.by_name.items():
        if not matcher.function(name):
            continue
        for function in functions:
            other = chosen.get(function.address)
            if other is None or _plainness(name) < _plainness(other.name):
                chosen[function.address] = function
    return (chosen[address] for address in sorted(chosen))


def _plainness(name: str) -> tuple[int, int, str]:
    return len(name) - len(name.lstrip("_")), len(name), name
