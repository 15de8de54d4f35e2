"""The table of D's builtin names: variables, subroutines, actions, aggregating functions.

One row each, in the file of its topic: name, prototype as D writes it, one sentence, and a rewrite into nodes of the
typed program. Checker, code generator, help, completion and manual all read these rows.

    BUILTINS["pid"]        Builtin("pid", Kind.VARIABLE, "pid_t pid", "the process id of the running thread", ...)
    BUILTINS["strjoin"].signature.minimum    2
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn, Protocol

from invivo.program.actions import Action
from invivo.program.clauses import Context, ProbeArg
from invivo.program.nodes import Expr
from invivo.program.records import AggFunction
from invivo.program.statements import Stmt
from invivo.program.types import Struct, Type
from invivo.source import Span
from invivo.value import node, value

__all__ = [
    "BUILTINS",
    "Aggregating",
    "AggregationName",
    "Builder",
    "Builtin",
    "Kind",
    "Operand",
    "Parameter",
    "Signature",
    "register",
]


class Kind(enum.Enum):
    VARIABLE = "variable"
    SUBROUTINE = "subroutine"
    ACTION = "action"
    AGGREGATING = "aggregating function"


class Operand(Protocol):
    """An argument as the front end read it, not looked into here."""

    @property
    def span(self) -> Span: ...


class AggregationName(Protocol):
    """An aggregation as far as it is known; its function and keys may still come, further down in the text."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def function(self) -> AggFunction | None: ...

    @property
    def key_types(self) -> Sequence[Type]: ...


class Builder(Protocol):
    """What the front end offers to a rewrite. Whatever is wrong is reported at its own span by `error`."""

    @property
    def span(self) -> Span:
        """Of the whole call or name."""
        ...

    @property
    def context(self) -> Context: ...

    @property
    def clause_index(self) -> int: ...

    @property
    def is_namespaced(self) -> bool:
        """Whether tasks are numbered by another pid namespace than the initial one."""
        ...

    @property
    def strsize(self) -> int:
        """Bytes of a string, its NUL included."""
        ...

    def option(self, name: str) -> int: ...

    def error(self, code: str, span: Span, message: str, hint: str = "") -> NoReturn: ...

    def value(self, operand: Operand) -> Expr:
        """The operand as data: a `char *` becomes the string behind it, an array or structure a Memory."""
        ...

    def dynamic(self, operand: Operand) -> str:
        """What the operand is if it is no value at all ("the aggregation @a"), else ""."""
        ...

    def is_action(self, operand: Operand) -> bool:
        """Whether the operand is a call of an action, which has no value."""
        ...

    def raw(self, operand: Operand) -> Expr:
        """The operand as it is: a `char *` stays a pointer."""
        ...

    def integer(self, operand: Operand, code: str = "D_PROTO_ARG") -> Expr:
        """The operand as int64_t.

        Reports `code` where it is no integer.
        """
        ...

    def integer_or_pointer(self, operand: Operand) -> Expr:
        """An address, pointer or integer, as 64 bits; reports D_PROTO_ARG where it is neither."""
        ...

    def string(self, operand: Operand) -> Expr:
        """The operand as a string."""
        ...

    def constant(self, operand: Operand, code: str, what: str) -> int:
        """The operand's value, an integer constant; reports `code` where it is none."""
        ...

    def literal(self, operand: Operand) -> str | None:
        """The text of a string literal (lone surrogates for bytes that are not UTF-8), or None."""
        ...

    def arguments(self, operand: Operand) -> Sequence[ProbeArg] | None:
        """The probe's arguments, if the operand is `args` itself; reports D_ARGS_NONE if it has none."""
        ...

    def aggregation(self, operand: Operand, code: str = "D_AGG_NULL") -> AggregationName | None:
        """The aggregation that `@name` names (without keys), or None if the operand is something else; `code` is
        reported if nothing ever assigns it."""
        ...

    def later(self, check: Callable[[], None]) -> None:
        """Run a check when the whole program is known, and with it every aggregation's keys."""
        ...

    def field(self, value: Expr) -> int:
        """Put a value into the clause's record; yields the field's index."""
        ...

    def act(self, action: Action) -> None:
        """Tell the consumer to do something with the record."""
        ...

    def speculate(self, number: Expr) -> None:
        """Hold back what the clause records from here on."""
        ...

    def flush(self) -> None:
        """End the record under construction: what follows goes to another."""
        ...

    def add(self, statement: Stmt) -> None: ...

    def buffer(self, size: int) -> Expr:
        """A pointer to so many zeroed bytes of the firing's own memory."""
        ...

    def library(self, name: str, arguments: list[Expr]) -> Expr:
        """A call of a function of D's library."""
        ...

    def struct(self, name: str) -> Struct:
        """The kernel's `struct NAME`; reports D_TYPE_ERR where it has none."""
        ...

    def task(self) -> Expr:
        """The thread that the probe is about, as `struct task_struct *`."""
        ...

    def member(self, base: Expr, path: str) -> Expr:
        """`base->a.b->c` as a value, from a pointer."""
        ...


class Parameter(NamedTuple):
    """One parameter of a prototype."""

    type: str  # "string" "int64_t" "uintptr_t" "void *" ...
    name: str


@value
class Signature:
    """A prototype taken apart: `string substr(string s, int64_t index [, int64_t length])`."""

    result: str
    parameters: tuple[Parameter, ...]
    minimum: int
    is_open: bool  # ends in `...`


class Aggregating(NamedTuple):
    """How an aggregating function takes its arguments: `split` gives (parameters, value, increment)."""

    function: AggFunction
    split: Callable[[Builder, Sequence[Operand]], tuple[tuple[int, ...], Operand | None, Operand | None]]


@node
class Builtin:
    """One name. `variable`, `subroutine` and `action` are rewrites; `stack()` is both a value and an action."""

    name: str
    kind: Kind
    prototype: str
    doc: str
    variable: Callable[[Builder], Expr] | None = None
    subroutine: Callable[[Builder, list[Expr]], Expr] | None = None
    action: Callable[[Builder, Sequence[Operand]], None] | None = None
    aggregating: Aggregating | None = None
    is_context: bool = False  # its value depends on the probe's arguments
    is_destructive: bool = False  # it may change what is traced, or the system: only with the option destructive

    @property
    def signature(self) -> Signature:
        """The prototype taken apart."""
        return _parse(self.prototype)


BUILTINS: dict[str, Builtin] = {}


def register(*rows: Builtin) -> None:
    """Add rows; each name once."""
    for row in rows:
        if row.name in BUILTINS:
            raise ValueError(f"builtin {row.name} is registered twice")
        BUILTINS[row.name] = row


@functools.cache
def _parse(prototype: str) -> Signature:
    head, _, rest = prototype.partition("(")
    words = head.split()
    if not rest:
        return Signature(" ".join(words[:-1]), (), 0, False)
    inside = rest.rpartition(")")[0]
    mandatory, bracket, _ = inside.partition("[")
    parameters = []
    is_open = False
    for text in inside.replace("[", "").replace("]", "").split(","):
        text = text.strip()
        if text == "...":
            is_open = True
        elif text:
            cut = max(text.rfind(" "), text.rfind("*")) + 1
            parameters.append(Parameter(text[:cut].strip(), text[cut:]))
    minimum = len([p for p in mandatory.split(",") if p.strip() not in ("", "...")]) if bracket else len(parameters)
    return Signature(" ".join(words[:-1]), tuple(parameters), minimum, is_open)
