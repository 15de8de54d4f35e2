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
from collections.abc import Callable, Iterable, Iterator, Sequence

from invivo.errors import InvivoError, UnsupportedError
from invivo.linux.arch import Registers, registers
from invivo.program.attach import AttachPoint, Uprobe
from invivo.program.clauses import Context, Probe, ProbeArg, Reads
from invivo.program.types import INT64, LONG, ULONG, Space
from invivo.providers.base import Description, Lazy, Matcher
from invivo.providers.expressions import Maker, context_field, literal, load
from invivo.providers.function_args import parameters, result
from invivo.providers.lines import NAME as LINE
from invivo.providers.lines import is_line, line_probes
from invivo.providers.mangled import unmangled
from invivo.providers.returns import ReturnNotes, return_places
from invivo.providers.user_types import UserTypes
from invivo.symbols import instructions
from invivo.symbols.elf_format import ElfError, Function
from invivo.symbols.functions import FunctionTable, functions_of
from invivo.symbols.objects import MappedObject
from invivo.value import replaced

__all__ = ["WORDS", "FunctionProbes"]

WORDS = 10  # arg0 ... arg9
_OFFSET = re.compile(r"(?:0x)?([0-9a-fA-F]{1,16})")
_ABSOLUTE = "-"  # what stands for the function where the name is an address of the file


class FunctionProbes:
    """Probes of the functions of some files, for one process or (`pid` 0) for all that run them."""

    def __init__(self, provider: str, pid: int, programs: UserTypes) -> None:
        self._provider = provider
        self._pid = self._attach_pid = pid
        self._guard: Maker | None = None
        self._programs = programs
        self._registers = registers()
        self._lines: dict[tuple[str, str], list[Probe]] = {}
        self._tables: dict[str, FunctionTable | ElfError] = {}
        self._probes: dict[tuple[str, str, int, str], Probe] = {}
        self._impossible: dict[str, set[str]] = {}  # functions that cannot be probed, by file
        self._returns = ReturnNotes()
        self._words = entry_words(self._registers)
        self._go_words = entry_words(self._registers._replace(arguments=self._registers.go_arguments))
        self._families: dict[tuple[str, str], object] = {}
        value = context_field(self._registers.offsets[self._registers.result], LONG)
        # Where in the function it returned is not known: the kernel's return probes run after that.
        self._result = (literal(0, INT64), value)

    def confine(self, pid: int, guard: Maker | None) -> None:
        """Attach probes to process `pid` (0: all that run the file), and let them fire where `guard` is not 0."""
        self._attach_pid, self._guard = pid, guard

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
            if is_line(matcher.function.literal):
                if matcher.name(LINE):
                    found += self._at_line(table, matcher.function.text)
            else:
                found += self._in_table(table, matcher)
        return found

    def _in_table(self, table: FunctionTable, matcher: Matcher) -> Iterator[Probe]:
        wanted, name = matcher.function.literal, matcher.name.literal
        if wanted == _ABSOLUTE:
            if name is not None and (offset := _number(name)) is not None:
                yield self._absolute(table, offset, name)
            return
        if any(map(matcher.function, table.resolvers)):
            table.choose(self._pid)
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

    def _at_line(self, table: FunctionTable, function: str) -> list[Probe]:
        key = table.object.place, function
        if key not in self._lines:
            types = self._programs.of(table.object, self._pid)
            self._lines[key] = line_probes(self._provider, self._pid, table.object, types, function)
        return self._lines[key]

    # --- one probe ----------------------------------------------------------------------------------------------

    def _probe(self, table: FunctionTable, function: Function, kind: str) -> Probe | None:
        key = table.object.place, function.name, function.address, kind
        probe = self._probes.get(key)
        if probe is None:
            code = table.code(function)
            if not code:
                return None
            room = table.room(function.address)
            if table.is_go:
                placement = instructions.place_in_go(code)
            else:
                placement = instructions.place(code, room if room < len(code) else 0)
            if not placement.is_possible:
                self._impossible.setdefault(table.object.name, set()).add(function.name)
                return None
            if kind == "entry":
                point = self._point(table, function.address + placement.offset)
                probe = self._made(table, function.name, kind, point, self._at_entry(table, function))
                if not placement.is_emulated and not table.is_go:
                    probe = replaced(probe, placed=self._placed(table, function.address, code, probe.attach))
            elif (places := return_places(table, function, code, self._returns)) is not None:
                if not places:
                    return None
                first, *others = (self._point(table, address) for address in places)
                probe = self._made(table, function.name, kind, first, self._at_return(table, function), tuple(others))
            else:
                point = self._point(table, function.address + placement.offset, is_return=True)
                probe = self._made(table, function.name, kind, point, self._at_return(table, function))
            self._probes[key] = probe
        return probe

    def _placed(
        self, table: FunctionTable, address: int, code: bytes, plain: AttachPoint
    ) -> Callable[[Reads], AttachPoint]:
        """Where the probe of an entry lies for clauses that do not read all arguments: where the kernel is faster."""
        room = table.room(address)
        names = {offset: name for name, offset in self._registers.offsets.items() if name in instructions.GENERAL}

        def placed(reads: Reads) -> AttachPoint:
            if not reads.offsets <= names.keys():
                return plain
            kept = frozenset(names[offset] for offset in reads.offsets)
            first_other = room if room < len(code) else 0
            placement = instructions.place(code, first_other, kept=kept, has_memory=reads.has_memory)
            return self._point(table, address + placement.offset) if placement.is_emulated else plain

        return placed

    def _at(self, table: FunctionTable, function: Function, offset: int, name: str) -> Probe:
        key = table.object.place, function.name, function.address, name
        probe = self._probes.get(key)
        if probe is None:
            code = table.code(function)
            where = f"function '{function.name}' of '{table.object.path}'"
            if offset >= len(code):
                raise UnsupportedError(f"{where} has only {len(code)} bytes: there is no offset {offset:#x}")
            self._check(code, offset, where)
            point = self._point(table, function.address + offset)
            probe = self._probes[key] = self._made(table, function.name, name, point, self._inside(table))
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
            self._check(code, distance, where, start)
            point = self._point(table, address)
            probe = self._probes[key] = self._made(table, _ABSOLUTE, name, point, self._inside(table))
        return probe

    def _check(self, code: bytes, offset: int, where: str, base: int = 0) -> None:
        starts = instructions.boundaries(code, offset)
        if offset in starts:
            if instructions.is_misread(code[offset : offset + 15]):
                raise UnsupportedError(f"{where}: the kernel would misread the instruction at {base + offset:#x}")
            return
        near = [base + max((s for s in starts if s < offset), default=0)]
        near += [base + s for s in starts if s > offset][:1]
        hint = f"instructions begin at {' and '.join(f'{at:#x}' for at in near)}"
        raise UnsupportedError(f"no instruction begins at {base + offset:#x} of {where}", hint)

    # --- what a clause sees -------------------------------------------------------------------------------------

    def _family(self, table: FunctionTable, kind: str) -> object:
        """Probes of one file and kind differ in args[] alone; names of types mean those of the file."""
        return self._families.setdefault((table.object.place, kind), (table.object.place, kind))

    def _at_entry(self, table: FunctionTable, function: Function) -> Context:
        types = self._programs.of(table.object, self._pid)

        def arguments() -> list[ProbeArg]:
            found = types.function(function.name, function.address)
            return [] if found is None else parameters(found, self._registers, is_go=table.is_go)

        words = self._go_words if table.is_go else self._words
        return Context(
            f"the entry of {function.name}()", words, Lazy(arguments), family=self._family(table, "entry"),
            types=types, space=Space.USER,
        )  # fmt: skip

    def _at_return(self, table: FunctionTable, function: Function) -> Context:
        types = self._programs.of(table.object, self._pid)

        def arguments() -> list[ProbeArg]:
            found = types.function(function.name, function.address)
            return [] if found is None else result(found, self._registers)

        return Context(
            f"the return of {function.name}()", self._result, Lazy(arguments), family=self._family(table, "return"),
            types=types, space=Space.USER,
        )  # fmt: skip

    def _inside(self, table: FunctionTable) -> Context:
        """At an instruction: argN are the registers of arguments, whatever they hold there."""
        types = self._programs.of(table.object, self._pid)
        family = self._family(table, "inside")
        return Context("an instruction", self._words, family=family, types=types, space=Space.USER)

    def _point(self, table: FunctionTable, address: int, *, is_return: bool = False) -> Uprobe:
        offset = table.elf.to_offset(address)
        assert offset is not None, "functions outside of the file are left out"
        return Uprobe(table.object.place, offset, is_return, 0, self._attach_pid)

    def _made(
        self, table: FunctionTable, function: str, name: str, point: Uprobe, context: Context,
        others: tuple[Uprobe, ...] = (),
    ) -> Probe:  # fmt: skip
        names = self._provider, table.object.name, function, name
        return Probe(*names, point, context, guard=self._guard, others=others)

    def places(self, probe: Probe) -> list[str]:
        """Where a probe of this kind lies in its file, and how, for people."""
        found = []
        for point in (probe.attach, *probe.others):
            assert isinstance(point, Uprobe)
            table = self._tables[point.path]
            assert isinstance(table, FunctionTable), "the probe was made from it"
            address = table.elf.to_address(point.offset)
            assert address is not None, "the offset was made from it"
            start = table.before(address)
            code = table.elf.read(address, 16)
            how = "emulated" if code and instructions.is_emulated_at(code, 0) else "single-stepped"
            into = f", {address - start:#x} bytes into the function" if start is not None and address > start else ""
            found.append(f"at {point.offset:#x} of {table.object.path}{into}; the instruction there is {how}")
        return found

    def notes(self) -> list[str]:
        """What was left out of the answers so far, a sentence for each file."""
        found = []
        for name, functions in self._impossible.items():
            shown = ", ".join(sorted(functions)[:8]) + (" ..." if len(functions) > 8 else "")
            what = "1 function" if len(functions) == 1 else f"{len(functions)} functions"
            found.append(f"{what} of {name} left out, for the kernel probes no instruction of that kind: {shown}")
        return [*found, *self._returns]

    # --- when nothing matches -----------------------------------------------------------------------------------

    def explain(self, objects: Sequence[MappedObject], matcher: Matcher) -> str:
        """Why no function of `objects`, which are those meant, matches."""
        import difflib

        wanted, name = matcher.function.literal, matcher.name.literal
        if wanted is None:
            if name not in (None, "entry", "return"):
                return "only entry and return can be had of many functions at once"
            hint = unmangled(matcher.function.text, (function for _, function, _ in self.descriptions(objects)))
            return hint or "; ".join(self._missing(objects)[:2])
        if name is not None and name not in ("entry", "return") and _number(name) is None:
            return f"a function has 'entry', 'return', and a probe at each instruction by its offset (1c), not '{name}'"
        names: set[str] = set()
        missing = self._missing(objects)
        for object_ in objects:
            try:
                table = self.table(object_)
            except InvivoError:
                continue
            if wanted in self._impossible.get(object_.name, ()):
                return f"the kernel probes no instruction of the kind with which '{wanted}' of {object_.name} begins"
            if wanted in table.resolvers:
                return (
                    f"'{wanted}' of {object_.name} only chooses the function that is run (IFUNC), and nothing here has "
                    "called it yet; those to choose from have names of their own"
                )
            names |= table.by_name.keys()
        close = difflib.get_close_matches(wanted, names, 3, 0.7)
        parts = [f"did you mean {' or '.join(close)}?"] if close else []
        if hint := unmangled(wanted, names):
            return hint
        if len(objects) == 1 or not close:
            parts += missing[:2]
        return "; ".join(parts)

    def _missing(self, objects: Sequence[MappedObject]) -> list[str]:
        """Which files cannot be read, and what stripped ones lack."""
        found = []
        for object_ in objects:
            try:
                found.append(self.table(object_).missing)
            except InvivoError as error:
                found.append(error.message)
        return [text for text in found if text]

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
