"""A clause lowered once more, for probes in files that are mapped while tracing goes on.

pid$target:lib*:foo*:entry { @[probefunc] = count(); }      one Clause, whose probes are the description as a pattern

What only the file's own debug information could tell (args[], its structures) is not known when the program is
compiled. Such a clause has no late probes; that is no error, and is told when a file comes that it would have meant.
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.diagnostics import Severity
from invivo.lang.d import syntax
from invivo.lang.d.lower import probes
from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.reads import Reads, reads_of
from invivo.lang.d.lower.state import ProgramState
from invivo.program.clauses import Clause, Context, Probe
from invivo.program.nodes import Variable
from invivo.program.shared import Late
from invivo.program.sources import TypeSource
from invivo.program.types import Type
from invivo.value import replaced

__all__ = ["Lowered"]

_Lower = Callable[[ClauseState, syntax.ClauseDecl, list[Probe]], Clause | None]


class Lowered:
    """The clauses of a program for late probes, as they are found; `refused` are descriptions, as MODULE:FUNCTION, that
    some clause has and cannot have such probes by."""

    def __init__(self) -> None:
        self.clauses: list[Clause] = []
        self.refused: dict[str, None] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(
        self, state: ProgramState, clause: syntax.ClauseDecl, index: int, locals_: list[Variable], lower: _Lower
    ) -> None:
        """One clause, for each context of late probes that its descriptions mean."""
        if state.diagnostics.errors or not any(":" in spec.text for spec in clause.probes):
            return
        patterns = probes.late(state, clause.probes)
        groups: dict[int, tuple[Context, list[Probe]]] = {}
        for probe in patterns:
            groups.setdefault(id(probe.context), (probe.context, []))[1].append(probe)
        has_args = bool(patterns) and reads_of(state, clause) is Reads.ARGS
        for context, members in groups.values():
            kind = members[0].provider, members[0].name
            count = self._counts.get(kind, 0)
            made = None
            if not has_args and count < Late.CLAUSES:
                made = _tried(state, ClauseState(state, context, index), clause, members, lower)
            if made is None:
                self.refused.update(dict.fromkeys(f"{probe.module}:{probe.function}" for probe in members))
            else:
                self._counts[kind] = count + 1
                self.clauses.append(made[0])
                locals_ += made[1].locals


def _tried(
    state: ProgramState, c: ClauseState, clause: syntax.ClauseDecl, members: list[Probe], lower: _Lower
) -> tuple[Clause, ClauseState] | None:
    """The clause; None where it names what is not known here. It then leaves no error, but that of its other probes."""
    before, checks = len(state.diagnostics.found), len(state.checks)
    types = _KnownTypes(c.context.types)
    state.context = c.context = replaced(c.context, types=types)
    try:
        made = lower(c, clause, members)
    finally:
        state.context = None
    has_failed = types.is_lacking or any(d.severity is Severity.ERROR for d in state.diagnostics.found[before:])
    del state.diagnostics.found[before:]  # the warnings are those of its other probes
    if made is not None and not has_failed:
        return made, c
    del state.checks[checks:]
    return None


class _KnownTypes:
    """A TypeSource: what the traced program knows of types. `is_lacking`: more was asked for."""

    def __init__(self, programs: TypeSource | None) -> None:
        self._programs = programs
        self.is_lacking = False

    def struct(self, keyword: str, name: str) -> Type | None:
        return self._noted(self._programs.struct(keyword, name) if self._programs is not None else None)

    def enum(self, name: str) -> Type | None:
        return self._noted(self._programs.enum(name) if self._programs is not None else None)

    def typedef(self, name: str) -> Type | None:
        return self._programs.typedef(name) if self._programs is not None else None

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        return self._programs.enumerator(name) if self._programs is not None else None

    def address(self, module: str, name: str) -> int | None:
        return None

    def symbol(self, module: str, name: str) -> tuple[int, Type] | None:
        self.is_lacking = True  # a variable of the file's own, or one that lies elsewhere in another process
        return None

    def _noted(self, found: Type | None) -> Type | None:
        self.is_lacking |= found is None
        return found
