"""What is known of a program while it is lowered: its names, and what is found out about them on the way.

Variables and aggregations get their types where they are first assigned, in the order of the text; the rest (sizes of
string keys, interned keys) is only known at the end, when `seal` completes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from invivo.diagnostics import Diagnostics
from invivo.lang.d import syntax
from invivo.lang.d.macros import MacroValues
from invivo.program.clauses import Context
from invivo.program.layout import field_type
from invivo.program.nodes import Aggregation, Expr, ProbeName, Scope, StrLit, Variable
from invivo.program.records import AggFunction, FieldKind, FieldType, RecordLayout
from invivo.program.sources import ProbeCatalog, TypeSource
from invivo.program.stability import Attributes
from invivo.program.types import Array, Int, Pointer, Space, String, Type, is_scalar, size_of, type_name
from invivo.source import Span
from invivo.value import fresh, mutable

T = TypeVar("T")

__all__ = ["Abandoned", "AggregationState", "ProgramState", "VariableState"]


class Abandoned(Exception):
    """This expression or statement cannot be lowered, and that has been reported."""


class LeadsElsewhere(Exception):
    """A pointer of the firing was taken to lead into the kernel, and leads into alloca()'s memory: lower again.

    `pointer` is its name and the clause that declares it, -1 for `this->`.
    """

    def __init__(self, pointer: tuple[str, int]) -> None:
        super().__init__(pointer)
        self.pointer = pointer


@mutable
class AggregationState:
    """`@name`: `node` is made at the first assignment and completed at the end."""

    id: int
    name: str
    mentioned: Span  # where it was first named
    function: AggFunction | None = None
    parameters: tuple[int, ...] = ()
    assigned: Span | None = None  # where the function was first given
    node: Aggregation | None = None
    key_spans: Span | None = None  # where the keys were first given
    key_types: list[Type] = fresh(factory=list)
    is_interned: list[bool] = fresh(factory=list)
    is_bad: bool = False  # reported already
    unassigned: str = "D_AGG_NULL"  # what to report if it never gets a function

    def use_keys(self, keys: tuple[Expr, ...]) -> None:
        """Note the keys of one more use; the shape has been checked."""
        if not self.key_types:
            self.key_types = [key.type for key in keys]
            self.is_interned = [isinstance(key, ProbeName | StrLit) for key in keys]
            return
        for i, key in enumerate(keys):
            self.is_interned[i] = self.is_interned[i] and isinstance(key, ProbeName | StrLit)
            if (size_of(key.type) or 0) > (size_of(self.key_types[i]) or 0):
                self.key_types[i] = key.type

    def fields(self) -> tuple[FieldType, ...]:
        interned = FieldType(FieldKind.INTERNED, 4, False, "string")
        pairs = zip(self.key_types, self.is_interned, strict=True)
        return tuple(interned if is_interned else field_type(type_) for type_, is_interned in pairs)


@mutable
class VariableState:
    """A variable as declared or first assigned. `node` is None where its type could not be found out."""

    node: Variable | None
    where: Span
    is_declared: bool = False
    key_sizes: list[int] = fresh(factory=list)  # of string keys


@mutable
class ProgramState:
    """One program under construction."""

    diagnostics: Diagnostics
    types: TypeSource
    catalog: ProbeCatalog
    macros: MacroValues
    options: dict[str, int | str | bool]
    # Declared by the script or the library; the script's come first.
    functions: dict[str, syntax.FunctionDecl] = fresh(factory=dict)
    inlines: dict[str, syntax.InlineDecl] = fresh(factory=dict)
    translators: dict[str, list[syntax.TranslatorDecl]] = fresh(factory=dict)
    tagged: dict[str, Type] = fresh(factory=dict)  # "struct x" and "enum x" of the script
    typedefs: dict[str, Type] = fresh(factory=dict)
    constants: dict[str, tuple[int, Type]] = fresh(factory=dict)  # enumerators
    externs: dict[str, Type] = fresh(factory=dict)  # types of the kernel's symbols, as declared
    variables: dict[tuple[Scope, str], VariableState] = fresh(factory=dict)
    aggregations: dict[str, AggregationState] = fresh(factory=dict)
    records: list[RecordLayout] = fresh(factory=list)
    strings: dict[bytes, int] = fresh(factory=dict)
    attributes: dict[str, Attributes] = fresh(factory=dict)  # of what the program declares, by pragma
    bindings: dict[str, tuple[int, ...]] = fresh(factory=dict)  # from which version of D on names are there
    descriptions: list[tuple[tuple[str, ...], int]] = fresh(factory=list)  # of a clause: four fields, probes matched
    undefined: set[str] = fresh(factory=set)  # macro arguments of probe descriptions that were not given, as reported
    destructive: list[tuple[str, Span]] = fresh(factory=list)  # what may change the system, and where
    checks: list[Callable[[], None]] = fresh(factory=list)  # at the end
    library: Callable[[str], bool] = lambda name: False  # declares a name of the library, if it has it
    programs: TypeSource | None = None  # types of the target and of --types; `types` are the kernel's
    own_pointers: frozenset[tuple[str, int]] = frozenset()  # as LeadsElsewhere tells them
    looks_inside: bool = False  # a dump: names mean the target's own things everywhere
    context: Context | None = None  # that of the clause which is being lowered

    @property
    def strsize(self) -> int:
        return int(self.options["strsize"])

    def look_up(self, ask: Callable[[TypeSource], T | None], span: Span) -> tuple[T, Space] | None:
        """What the first source that knows a name says, and where pointers to such things lead.

        At a probe in a program its types come first, elsewhere and for the library's own text the kernel's. A dump
        takes nothing from the kernel while the program's own types are not to be had: a name means another thing there.
        """
        is_inside = self.looks_inside and not is_of_library(span)
        mine = None if self.context is None or is_of_library(span) else self.context.types
        sources: tuple[TypeSource | None, ...] = (mine, self.types, self.programs)
        if is_inside:
            sources = (mine, self.programs, None if self.untyped else self.types)
        for source in sources:
            if source is not None and (found := ask(source)) is not None:
                return found, Space.KERNEL if source is self.types else Space.USER
        return None

    @property
    def untyped(self) -> str:
        """Why the program that a dump looks into has no types, and what to do; or ""."""
        missing = str(getattr(self.programs, "missing", "")) if self.looks_inside else ""
        return f"{missing}: compile it with -g, install its -dbgsym package, or give --types FILE" if missing else ""

    def pointer_space(self, span: Span) -> Space:
        """Where a number leads that is cast to a pointer to something of D's own."""
        return Space.KERNEL if self.context is None or is_of_library(span) else self.context.space

    def error(self, code: str, span: Span, message: str, hint: str = "") -> NoReturn:
        """Report, and give up on what is being lowered."""
        self.report(code, span, message, hint)
        raise Abandoned

    def report(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Report once: a clause is lowered for each of its contexts, its errors are the same."""
        for known in self.diagnostics.found:
            if known.span == span and known.code == code:
                return
        self.diagnostics.error(code, span, message, hint)

    def aggregation(self, name: str, span: Span, code: str = "D_AGG_NULL") -> AggregationState:
        """`@name`, made at its first mention; `code` is reported there if it never gets a function."""
        found = self.aggregations.get(name)
        if found is None:
            found = self.aggregations[name] = AggregationState(len(self.aggregations) + 1, name, span)
            found.unassigned = code
        return found

    def intern(self, value: bytes) -> None:
        self.strings.setdefault(value, len(self.strings))

    def seal(self) -> None:
        """Run the checks that waited for the whole program, and complete aggregations and arrays."""
        for check in self.checks:
            try:
                check()
            except Abandoned:
                continue
        for aggregation in self.aggregations.values():
            if aggregation.node is None:
                if not aggregation.is_bad:
                    self.report(
                        aggregation.unassigned,
                        aggregation.mentioned,
                        f"@{aggregation.name} is never assigned an aggregating function",
                        f"for instance @{aggregation.name}[execname] = count();",
                    )
                continue
            # The node is part of the program already: this is the one place that completes it.
            object.__setattr__(aggregation.node, "keys", aggregation.fields())
        for variable in self.variables.values():
            node = variable.node
            if node is None or node.keys is None:
                continue
            sizes = iter(variable.key_sizes)
            keys = tuple(String(next(sizes)) if isinstance(key, String) else key for key in node.keys)
            object.__setattr__(node, "keys", keys)


def is_of_library(span: Span) -> bool:
    """Whether this text is the library's, whose names mean the kernel's types everywhere."""
    return span.file.name.startswith("<library>")


def shape(types: list[Type] | tuple[Type, ...]) -> str:
    """Key types in words, for messages: "(string, integer)"."""
    return f"[{', '.join(map(_kind, types))}]"


def same_shape(left: Type, right: Type) -> bool:
    """Whether two types may stand at one place of a key."""
    if is_scalar(left) and is_scalar(right):
        return True
    if isinstance(left, String | Array) or isinstance(right, String | Array):
        return isinstance(left, String) and isinstance(right, String)
    return type(left) is type(right) and size_of(left) == size_of(right)


def _kind(type_: Type) -> str:
    match type_:
        case Int() | Pointer():
            return type_name(type_)
        case String():
            return "string"
        case _:
            return type_name(type_)
