"""A typed program as text, for people who want to see what the front end made of theirs: `invivo dtrace -xtree`.

    program_text(program)

    clause 1 (x.d:3:1)
      probe dtrace:::BEGIN
      Assign
        target: VariableRef
          ...

In: any node. Out: an indented line for each node and field; spans are left out, types are as D writes them.
"""

from __future__ import annotations

import enum

from invivo.program.clauses import Program
from invivo.program.types import Type, type_name
from invivo.source import Span
from invivo.value import fields_of

__all__ = ["node_text", "program_text"]

_TYPES = Type.__args__ if hasattr(Type, "__args__") else (Type,)
_PLAIN = ("spelling", "span")
_SHORT = 72


def program_text(program: Program) -> str:
    """All variables, aggregations and clauses."""
    parts = []
    for title, nodes in (("variable", program.variables), ("aggregation", program.aggregations)):
        parts += [f"{title} {node_text(node, 0)}" for node in nodes]
    for clause in (*program.clauses, *program.error_clauses):
        lines = [f"clause {clause.index + 1} ({clause.span})"]
        lines += [f"  probe {p.provider}:{p.module}:{p.function}:{p.name}" for p in clause.probes[:8]]
        if len(clause.probes) > 8:
            lines.append(f"  and {len(clause.probes) - 8} more probes")
        if clause.predicate is not None:
            lines.append(f"  predicate: {node_text(clause.predicate, 1)}")
        lines.append(f"  {node_text(clause.body, 1)}")
        parts.append("\n".join(lines))
    return "\n".join(parts)


def node_text(node: object, depth: int) -> str:
    """A node and what is below it; `depth` is its indentation in steps of two columns."""
    if isinstance(node, _TYPES):
        return type_name(node)
    if isinstance(node, enum.Enum):
        return node.name.lower()
    if isinstance(node, tuple | list):
        return _items([node_text(item, depth + 1) for item in node], depth)
    names = fields_of(node)
    if names is None:
        return repr(node)
    fields = [(name, getattr(node, name)) for name in names if name not in _PLAIN]
    shown = [f"{name}: {node_text(value, depth + 1)}" for name, value in fields if not _is_left_out(value)]
    return f"{type(node).__name__}{_items(shown, depth, ('(', ')'))}"


def _is_left_out(value: object) -> bool:
    return isinstance(value, Span) or value is None or value == () or callable(value)


def _items(shown: list[str], depth: int, brackets: tuple[str, str] = ("[", "]")) -> str:
    """Items on one line where they fit, else each on its own."""
    line = ", ".join(shown)
    if len(line) <= _SHORT and "\n" not in line:
        return brackets[0] + line + brackets[1] if shown or brackets[0] == "[" else ""
    pad = "  " * (depth + 1)
    return "".join(f"\n{pad}{item}" for item in shown)
