"""The state of a program while it becomes closures, and what every part of the compiler needs.

    c.scalar(Binary("+", x, IntLit(1)))      a function: Firing -> int, wrapped to the node's type
    c.string(StrLit(b"dd"))                  a function: Firing -> bytes, without the NUL
    c.statement(Break())                     a function: Firing -> Signal or None

Variables live where the closures find them without a search: globals in one list, hashes in a dictionary each, locals
in a list of the firing. So a compiled program is one run's: another run compiles again.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable

from invivo.engines.reference.firing import Firing
from invivo.program.aggregates import words
from invivo.program.clauses import Clause, Program
from invivo.program.layout import layout_keys
from invivo.program.nodes import Aggregation, Expr, Variable
from invivo.program.records import AggregationPlan
from invivo.program.statements import Stmt
from invivo.program.tables import Tables
from invivo.program.types import String
from invivo.source import Span

__all__ = ["Compiler", "Scalar", "Signal", "Statement", "Text", "Value"]

Value = int | bytes
Scalar = Callable[[Firing], int]
Text = Callable[[Firing], bytes]


class Signal(enum.Enum):
    """How a statement ended that does not go on with the next one."""

    BREAK = 1
    CONTINUE = 2
    RETURN = 3


Statement = Callable[[Firing], Signal | None]


class Compiler(ABC):
    """One program's closures in the making. `send` takes the payload of a record; `pause`, if there is one, is called
    now and then by loops, which have no limit then."""

    def __init__(
        self,
        program: Program,
        send: Callable[[bytes], None],
        stop: Callable[[int], None],
        pause: Callable[[], None] | None = None,
    ) -> None:
        self.program = program
        self.tables = Tables(program)
        self.send = send
        self.stop = stop  # exit(code)
        self.pause = pause
        self.clause: Clause | None = None
        self.globals: list[Value] = []
        self.locals: list[Value] = []  # what a firing's locals begin as
        self.hashes: dict[Variable, dict[tuple[Value, ...], Value]] = {}
        self.counts: dict[Aggregation, dict[bytes, list[int]]] = {}
        self.entries: dict[Variable, dict[tuple[Value, ...], bytearray]] = {}  # of those that are structures or arrays
        self.shared_memory = bytearray(self.tables.global_end)  # Space.GLOBAL
        self.stacks: dict[int, tuple[int, ...]] = {}
        self._slots: dict[Variable, int] = {}

    # --- dispatched in expressions.py and statements.py -------------------------------------------------------------

    @abstractmethod
    def scalar(self, expr: Expr) -> Scalar:
        """An integer or pointer within its type's range."""

    @abstractmethod
    def string(self, expr: Expr) -> Text:
        """A string, of at most its type's size - 1 bytes."""

    @abstractmethod
    def statement(self, stmt: Stmt) -> Statement:
        """A statement."""

    def value(self, expr: Expr) -> Callable[[Firing], Value]:
        """A scalar or a string."""
        return self.string(expr) if isinstance(expr.type, String) else self.scalar(expr)

    # --- places -----------------------------------------------------------------------------------------------------

    def global_slot(self, variable: Variable) -> int:
        """The variable's place in `globals`."""
        return self._slot(variable, self.globals)

    def local_slot(self, variable: Variable) -> int:
        """The variable's place in a firing's locals."""
        return self._slot(variable, self.locals)

    def _slot(self, variable: Variable, values: list[Value]) -> int:
        if variable not in self._slots:
            self._slots[variable] = len(values)
            values.append(zero(variable))
        return self._slots[variable]

    def hash_of(self, variable: Variable) -> dict[tuple[Value, ...], Value]:
        """The contents of an associative array or thread-local variable."""
        return self.hashes.setdefault(variable, {})

    def entries_of(self, variable: Variable) -> dict[tuple[Value, ...], bytearray]:
        """The same of one whose values are structures or arrays."""
        return self.entries.setdefault(variable, {})

    def counts_of(self, aggregation: Aggregation) -> dict[bytes, list[int]]:
        """An aggregation's words by key (its header, of zeros, included)."""
        return self.counts.setdefault(aggregation, {})

    def site(self, span: Span) -> int:
        """Index of a place where a fault may happen, in the clause being compiled."""
        return self.tables.site(span, self.clause.index if self.clause is not None else 0)


def zero(variable: Variable) -> Value:
    """What a variable is before it is assigned."""
    return b"" if isinstance(variable.type, String) else 0


def plan_of(aggregation: Aggregation) -> AggregationPlan:
    """How the consumer reads an aggregation; the map and counters are the kernel's, and 0 here."""
    fields, key_size = layout_keys(aggregation.keys)
    count = words(aggregation.function, aggregation.parameters)
    who = (aggregation.id, aggregation.name, aggregation.function, aggregation.parameters)
    return AggregationPlan(*who, fields, key_size, count, map=0, inserted=0, drops=0, refused=0)
