"""Every node below a node, in the order of the text.

    list(walk(Binary("+", x, IntLit(1))))     the Binary, x, the IntLit
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from invivo.program.clauses import Clause
from invivo.program.nodes import Expr
from invivo.program.statements import Stmt

__all__ = ["walk"]

_NODES = (*get_args(Expr), *get_args(Stmt))
# The slots in which each kind of node may keep other nodes.
_CHILDREN: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in kind.__slots__ if name not in ("span", "type", "variable", "aggregation", "layout"))
    for kind in _NODES
}


def walk(root: Expr | Stmt | Clause | None) -> Iterator[Expr | Stmt]:
    """`root` and all expressions and statements in it; nothing for None."""
    if root is None:
        return
    if isinstance(root, Clause):
        yield from walk(root.predicate)
        yield from walk(root.body)
        return
    stack: list[object] = [root]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
            continue
        names = _CHILDREN.get(type(current))
        if names is not None:
            yield current  # type: ignore[misc]
            stack.extend(getattr(current, name) for name in reversed(names))
