"""What a clause asks of its context, found in its syntax before it is lowered.

A clause that reads neither args[] nor argN means the same at every probe: it is lowered once for all of them, and
2,000 tracepoints share one program.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from invivo.builtins import BUILTINS
from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.source import Span
from invivo.value import fields_of

__all__ = ["Reads", "reads_of", "walk"]


class Reads(enum.IntEnum):
    """How much of the context a clause reads."""

    NOTHING = 0
    WORDS = 1  # arg0 ... arg9, errno
    ARGS = 2  # args[]


def walk(node: object) -> Iterator[object]:
    """A node of the syntax tree and all below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(current)
        elif (names := fields_of(current)) is not None and not isinstance(current, Span):
            yield current
            stack.extend(getattr(current, name) for name in names)


def reads_of(state: ProgramState, clause: syntax.ClauseDecl) -> Reads:
    """See the module; functions and inlines that the clause uses count."""
    found = Reads.NOTHING
    seen: set[str] = set()
    waiting: list[object] = [(clause.predicate, clause.body)]
    while waiting:
        for node in walk(waiting.pop()):
            if isinstance(node, syntax.Name) and not node.scope:
                if node.name == "args":
                    return Reads.ARGS
                builtin = BUILTINS.get(node.name)
                if builtin is not None and builtin.is_context:
                    found = Reads.WORDS
                used: object = state.inlines.get(node.name)
            elif isinstance(node, syntax.CallOp):
                used = state.functions.get(node.name)
            else:
                continue
            name = node.name
            if used is not None and name not in seen:
                seen.add(name)
                waiting.append(used)
    return found
