"""What stands at the top level of a script: clauses, functions, inlines, translators, declarations, pragmas.

    syscall::read:entry /pid == 1/ { }      ClauseDecl((ProbeSpec("syscall::read:entry"),), BinaryOp("==", ...), ())
"""

from __future__ import annotations

from invivo.lang.d.syntax.expressions import Expression
from invivo.lang.d.syntax.statements import Statement
from invivo.lang.d.syntax.types import Declaration, Declarator, Parameter, TypeName
from invivo.source import Span
from invivo.value import node

__all__ = ["ClauseDecl", "FunctionDecl", "InlineDecl", "Pragma", "ProbeSpec", "Script", "TopLevel", "TranslatorDecl"]


@node
class ProbeSpec:
    """A probe description as written, macros included: `pid$target::malloc:entry`."""

    text: str
    span: Span


@node
class ClauseDecl:
    """`body` is None if there were no braces (the default action)."""

    probes: tuple[ProbeSpec, ...]
    predicate: Expression | None
    body: tuple[Statement, ...] | None
    span: Span


@node
class FunctionDecl:
    """invivo's `function TYPE NAME(PARAMETERS) { ... }`."""

    name: str
    result: TypeName
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span


@node
class InlineDecl:
    """`inline TYPE NAME = EXPR;` and `inline TYPE NAME[TYPE KEY, ...] = EXPR;`."""

    declarator: Declarator
    type: TypeName
    parameters: tuple[Parameter, ...]
    value: Expression
    span: Span


@node
class TranslatorDecl:
    """`translator OUTPUT < INPUT NAME > { member = expr; ... };`."""

    output: TypeName
    input: TypeName
    name: str
    members: tuple[tuple[str, Expression], ...]
    span: Span


@node
class Pragma:
    """`#pragma D WORDS...` as its words, quotes kept."""

    words: tuple[str, ...]
    span: Span


TopLevel = ClauseDecl | FunctionDecl | InlineDecl | TranslatorDecl | Declaration | Pragma


@node
class Script:
    declarations: tuple[TopLevel, ...]
