"""How stable the names are that the statements of a program use: the least of all, which option amin bounds.

    trace(curthread->pid)       Stable/Private/Common: the name stays, what is behind it may not
    trace(`max_pfn)             Private/Private/Unknown: a name of the kernel's own

In: the clauses as written, and what is declared. Out: Attributes, and D_ATTR_MIN where they are less than asked for.
and D_ATTR_MIN where they are less than asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.lang.d import syntax
from invivo.lang.d.lower.reads import walk
from invivo.lang.d.lower.state import ProgramState
from invivo.program.stability import UNSTABLE, Attributes, attributes_of_builtin, least, parse, provider_attributes

__all__ = ["statement_attributes"]


def statement_attributes(
    state: ProgramState, clauses: Sequence[syntax.ClauseDecl], providers: Sequence[Sequence[str]]
) -> Attributes:
    """The least attributes of the names in all clauses; `providers` are those of each clause's probes."""
    asked = str(state.options["amin"])
    bound = parse(asked) if asked else None
    found: list[Attributes] = []
    for clause, names in zip(clauses, providers, strict=True):
        for node in walk((clause.predicate, clause.body)):
            if not isinstance(node, syntax.Name | syntax.CallOp):
                continue
            attributes = _of(state, node, names)
            found.append(attributes)
            if bound is not None and any(mine < its for mine, its in zip(attributes, bound, strict=True)):
                message = f"{node.name} is {attributes}, which is less than the {bound} that amin asks for"
                state.report("D_ATTR_MIN", node.span, message)
    return least(found)


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
