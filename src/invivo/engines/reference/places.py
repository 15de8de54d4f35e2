"""What the reference engine does at a place: a typed program's steps, compiled to closures. Values only.

    Place(steps=(MadeFiring(probe_ids=(7,), guard=None, clauses=(MadeClause(...),), source=...),), probe=0)
    list(parts_of(firing))              the clauses and the guard that it was made of
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from invivo.engines.reference.compiler import Scalar, Statement
from invivo.program.clauses import Clause
from invivo.program.nodes import Expr
from invivo.program.passes import units
from invivo.source import SourceFile, Span

__all__ = ["NOWHERE", "MadeClause", "MadeFiring", "MadeSelection", "Place", "parts_of"]

NOWHERE = Span(SourceFile("", ""), 0, 0)  # of selectors and guards, which stand in no text


class MadeClause(NamedTuple):
    number: int  # its place in the text, from 0
    predicate: Scalar | None
    body: Statement


class MadeFiring(NamedTuple):
    """Probes that run the same clauses."""

    probe_ids: tuple[int, ...]
    guard: Scalar | None
    clauses: tuple[MadeClause, ...]
    source: units.Firing


class MadeSelection(NamedTuple):
    """At most one of several firings, by the value of `key`."""

    key: Scalar
    guard: Scalar | None
    cases: dict[int, tuple[MadeFiring, int]]


class Place(NamedTuple):
    """What happens at an attach point; `probe` is what the kernel's cookie would say, or 0."""

    steps: tuple[MadeFiring | MadeSelection, ...]
    probe: int


def parts_of(firing: MadeFiring) -> Iterator[Clause | Expr]:
    """What a firing was made of."""
    yield from firing.source.clauses
    if firing.source.guard is not None:
        yield firing.source.guard(NOWHERE)
