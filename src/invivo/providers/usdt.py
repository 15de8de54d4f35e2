"""The usdt provider: the probes that programs and libraries carry (USDT, sys/sdt.h).

    usdt:/usr/bin/python3.11:python:gc-start       in all processes that run the file
    usdt$target:libstdc++:libstdcxx:throw          in one process, in any file that it has mapped
    python$target:::function-entry                 the same as DTrace writes it: module and function are where it is

A name's `__` is written `-`; both are understood. arg0 ... are the probe's arguments, args[0] ... the same with the
types that its notes tell: size and sign. In: files. Out: probes at `Uprobe`s, one for all sites whose arguments are
found alike.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from invivo.errors import InvivoError, TargetError
from invivo.program.attach import Uprobe
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.nodes import Expr, Memory
from invivo.program.types import INT64, Space
from invivo.providers.base import Description, Glob, Lazy, Matcher
from invivo.providers.expressions import Maker, convert
from invivo.providers.operands import argument
from invivo.providers.user_types import FileTypes, UserTypes
from invivo.source import Span
from invivo.symbols.elf_format import ElfError
from invivo.symbols.functions import FunctionTable, functions_of
from invivo.symbols.libraries import find_file
from invivo.symbols.objects import MappedObject, file_object, mapped_objects
from invivo.symbols.stapsdt import Site, parse_operands, read_sites

__all__ = ["UsdtProvider", "provider"]

_OF_A_PROCESS = re.compile(r"(.*?)([0-9]+)")


class UsdtProvider:
    """Probes of one process (`pid`), or of all that run the file that a description names (`pid` 0).

    `name` is `usdt`, `usdt4711`, or (`python4711`) that of a provider in the notes, whose probes alone it has then.
    """

    def __init__(self, name: str, pid: int, programs: UserTypes) -> None:
        self.name = name
        self.pid = pid
        base = name.removesuffix(str(pid)) if pid else name
        self._of: Glob | None = None if base == "usdt" else Glob(base)
        self._programs = programs
        self._objects: list[MappedObject] | None = None
        self._files: dict[str, _File] = {}
        self._damaged: dict[str, InvivoError] = {}

    # --- files --------------------------------------------------------------------------------------------------

    def _meant(self, matcher: Matcher) -> list[_File]:
        """The files that a description's module names.

        Raises:
            TargetError: The only file meant cannot be read.
        """
        if self.pid:
            if self._objects is None:
                self._objects = mapped_objects(self.pid)
                if not self._objects:
                    raise TargetError(f"process {self.pid} has ended, or maps no file", "see: ps -e")
            objects = [item for item in self._objects if any(map(matcher.module, item.names))]
        else:
            wanted = matcher.module.literal
            path = None if wanted is None else find_file(wanted)
            objects = [] if path is None else [file_object(path)]
        found = []
        for object_ in objects:
            file = self._file(object_)
            if file is not None:
                found.append(file)
            elif len(objects) == 1:
                raise self._damaged[object_.place]
        return found

    def _file(self, object_: MappedObject) -> _File | None:
        found = self._files.get(object_.place)
        if found is None and object_.place not in self._damaged:
            try:
                found = self._files[object_.place] = _File(object_, self._programs.of(object_, self.pid))
            except TargetError as error:
                self._damaged[object_.place] = error
        return found

    # --- probes -------------------------------------------------------------------------------------------------

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        wanted = Glob(_dashed(matcher.name.text))
        found = []
        for file in self._meant(matcher):
            for group in file.groups:
                if self._of is None:
                    is_meant = matcher.function(group.provider)
                else:
                    is_meant = self._of(group.provider) and matcher.function(group.function)
                if is_meant and wanted(group.name):
                    found.append(self._probe(file, group))
        return found

    def _probe(self, file: _File, group: _Group) -> Probe:
        if group.probe is None:
            function = group.provider if self._of is None else group.function
            points = [Uprobe(file.object.place, s.offset, False, s.semaphore, self.pid) for s in group.sites]
            name = file.object.path if not self.pid else file.object.name
            group.probe = Probe(
                self.name, name, function, group.name, points[0], file.context(group), others=tuple(points[1:])
            )
        return group.probe

    # --- when nothing matches -----------------------------------------------------------------------------------

    def explain(self, matcher: Matcher) -> str:
        import difflib

        wanted = matcher.module.literal
        if not self.pid and wanted is None:
            return "usdt needs a file, usdt:/usr/bin/NAME:PROVIDER:NAME, or a process: usdt$target:::NAME"
        if not self.pid and wanted is not None and find_file(wanted) is None:
            return f"'{wanted}': " + ("no such file" if "/" in wanted else "neither a command in PATH nor a library")
        files = self._meant(matcher)
        if not files:
            return f"process {self.pid} has no '{wanted or matcher.module.text}' mapped"
        groups = [group for file in files for group in file.groups if self._of is None or self._of(group.provider)]
        if not groups:
            where = f"'{files[0].object.path}'" if len(files) == 1 else f"no file of process {self.pid}"
            has = "has no" if len(files) == 1 else "has"
            return f"{where} {has} USDT probes" + (f" of provider '{self._of.text}'" if self._of else "")
        name = matcher.name.literal
        names = list(dict.fromkeys(group.name for group in groups))
        if name is not None and _dashed(name) not in names:
            close = difflib.get_close_matches(_dashed(name), names, 3, 0.6)
            return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names[:12])}"
        if self._of is None:
            return f"the function of 'usdt' probes is their provider: {', '.join(sorted({g.provider for g in groups}))}"
        return ""

    def descriptions(self) -> Iterable[Description]:
        """Names of all probes of the process."""
        for object_ in (self._objects or ()) if self.pid else ():
            file = self._file(object_)
            for group in file.groups if file is not None else ():
                yield object_.name, group.provider if self._of is None else group.function, group.name


class _Group:
    """Sites of one probe in one function whose arguments are found alike."""

    __slots__ = ("function", "name", "probe", "provider", "sites")

    def __init__(self, provider: str, name: str, function: str) -> None:
        self.provider = provider
        self.name = name
        self.function = function
        self.sites: list[Site] = []
        self.probe: Probe | None = None


class _File:
    """The probes of one file. Raises TargetError if it cannot be read or is damaged."""

    def __init__(self, object_: MappedObject, types: FileTypes) -> None:
        self.object = object_
        self.types = types
        self._table: FunctionTable | None = None
        self._starts: list[tuple[int, str]] | None = None
        self._symbols: dict[str, int] | None = None
        self._contexts: dict[tuple[object, ...], Context] = {}
        groups: dict[tuple[str, str, str, object], _Group] = {}
        from invivo.symbols.elf import ElfFile

        with ElfFile.open(object_.place, object_.path) as elf:
            sites = read_sites(elf)
        for site in sites:
            function = self._function_at(site.address)
            name = _dashed(site.name)
            key = (site.provider, name, function, _likeness(site))
            groups.setdefault(key, _Group(site.provider, name, function)).sites.append(site)
        self.groups = list(groups.values())

    def context(self, group: _Group) -> Context:
        """What a clause sees at these sites."""
        site = group.sites[0]
        shown = f"{group.provider}:{group.name}"
        key = (group.provider, group.name, _likeness(site))
        found = self._contexts.get(key)
        if found is None:
            operands = parse_operands(site.arguments)
            args = Lazy(lambda: [argument(i, o, shown, self._address, site.address) for i, o in enumerate(operands)])
            words = Lazy(partial(_words, args))
            shown = f"USDT probe {shown}"
            found = self._contexts[key] = Context(shown, words, args, types=self.types, space=Space.USER)
        return found

    @property
    def _functions(self) -> FunctionTable:
        if self._table is None:
            self._table = functions_of(self.object)
        return self._table

    def _function_at(self, address: int) -> str:
        """The name of the function around an address, or "" where no symbol tells."""
        if self._starts is None:
            try:
                by_name = self._functions.by_name
            except ElfError:
                by_name = {}
            self._starts = sorted((f.address, name) for name, same in by_name.items() for f in same)
            self._sizes = {f.address: f.size for same in by_name.values() for f in same}
        index = bisect.bisect_right(self._starts, (address, "\U0010ffff")) - 1
        if index < 0:
            return ""
        start, name = self._starts[index]
        size = self._sizes.get(start, 0)
        return name if not size or address < start + size else ""

    def _address(self, symbol: str) -> int | None:
        """The link-time address of a data symbol."""
        if self._symbols is None:
            elf = self._functions.elf
            self._symbols = {}
            for table in (".dynsym", ".symtab"):
                for row in elf.symbols(table):
                    if row.kind != 6:  # STT_TLS: those have no address
                        self._symbols[row.name] = row.address
        return self._symbols.get(symbol)


def _likeness(site: Site) -> object:
    """Sites with the same are lowered together: an argument at a symbol is reckoned from the site's own address."""
    is_relative = any(o.kind == "memory" and o.symbol for o in parse_operands(site.arguments))
    return site.arguments, site.address if is_relative else 0


def _words(args: Sequence[ProbeArg]) -> list[Maker]:
    """argN: the value as int64_t; of a floating-point number its bits cannot be had so."""

    def word(value: Callable[[Span], Expr]) -> Maker:
        def make(span: Span) -> Expr:
            made = value(span)
            if isinstance(made, Memory):
                from invivo.program.nodes import Load
                from invivo.program.types import ULONG, Int, size_of

                size = size_of(made.type) or 8
                bits = ULONG if size == 8 else Int("uint32_t", 4, False)
                made = Load(made.address, made.space, bits, span)
            return made

        return convert(make, INT64)

    return [word(arg.value) for arg in args]


def _dashed(name: str) -> str:
    """DTrace's form of a name: `gc__start` is `gc-start`."""
    return name.replace("__", "-")


def provider(name: str, pid: int, programs: UserTypes) -> UsdtProvider:
    return UsdtProvider(name, pid, programs)
