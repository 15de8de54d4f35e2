"""How stable the names are that a program's clauses use, the least of all, which option amin bounds; and from which
version of D on they are there, which option version bounds.

    trace(curthread->pid)       Stable/Private/Common: the name stays, what is behind it may not
    trace(`max_pfn)             Private/Private/Unknown: a name of the kernel's own

In: a clause as written, its descriptions, and what is declared. Out: ClauseStability; D_ATTR_MIN where names are less
than asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.lang.d import syntax
from invivo.lang.d.lower.reads import walk
from invivo.lang.d.lower.state import ProgramState
from invivo.program.stability import (
    UNSTABLE,
    Attributes,
    ClauseStability,
    attributes_of_builtin,
    description_attributes,
    least,
    parse,
    provider_attributes,
)

__all__ = ["clause_stability"]


def clause_stability(
    state: ProgramState, clause: syntax.ClauseDecl, providers: Sequence[str]
) -> ClauseStability:
    """Of the clause that was lowered last, to probes of `providers`."""
    own = least(description_attributes(fields, count) for fields, count in state.descriptions)
    described = tuple((":".join(fields), count) for fields, count in state.descriptions)
    asked = str(state.options["amin"])
    bound = parse(asked) if asked else None
    found: list[Attributes] = []
    for node in walk((clause.predicate, clause.body)):
        if not isinstance(node, syntax.Name | syntax.CallOp):
            continue
        attributes = _of(state, node, providers)
        found.append(attributes)
        if bound is not None and any(mine < its for mine, its in zip(attributes, bound, strict=True)):
            message = f"{node.name} is {attributes}, which is less than the {bound} that amin asks for"
            state.report("D_ATTR_MIN", node.span, message)
    return ClauseStability(own, least(found), described)


def _of(state: ProgramState, node: syntax.Name | syntax.CallOp, providers: Sequence[str]) -> Attributes:
    if node.name in state.attributes:
        return state.attributes[node.name]
    if isinstance(node, syntax.Name):
        if node.module is not None:
            return UNSTABLE
        if node.name == "args":
            return least(provider_attributes(provider).arguments for provider in providers)
        if node.name in _FIELDS:
            return least(getattr(provider_attributes(provider), _FIELDS[node.name]) for provider in providers)
    return attributes_of_builtin(node.name)


_FIELDS = {"probeprov": "provider", "probemod": "module", "probefunc": "function", "probename": "name"}
