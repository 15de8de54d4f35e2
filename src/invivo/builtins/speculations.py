"""Speculations: data that is held back until it is known whether it is wanted.

self->s = speculation();             a number, or 0 if all are in use
speculate(self->s); trace(arg0);     records that begin with the number and its state; the consumer keeps them
commit(self->s);                     a record that shows them, then the number is free again
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Action, Commit, Discard
from invivo.program.nodes import Call, Convert, Expr, IntLit
from invivo.program.statements import ExprStmt
from invivo.program.types import INT, INT64

__all__: list[str] = []


def _speculation(b: Builder, args: list[Expr]) -> Expr:
    count = IntLit(b.option("nspec"), INT64, b.span)
    return Convert(Call("speculation", (count,), INT64, b.span), INT, b.span)


def _speculate(b: Builder, operands: Sequence[Operand]) -> None:
    b.speculate(b.integer(operands[0]))


def _ending(make: Callable[[int, int], Action]) -> Callable[[Builder, Sequence[Operand]], None]:
    def act(b: Builder, operands: Sequence[Operand]) -> None:
        number = b.integer(operands[0])
        b.flush()
        fields = b.field(number), b.field(Call("speculation_state", (number,), INT64, b.span))
        b.act(make(*fields))
        b.flush()
        # Only now may another clause take the number: its records come after this one.
        b.add(ExprStmt(Call("speculation_end", (number,), INT64, b.span)))

    return act


register(
    Builtin(
        "speculation",
        Kind.SUBROUTINE,
        "int speculation()",
        "the number of a free speculation, or 0 (option nspec says how many there are)",
        subroutine=_speculation,
    ),
    Builtin(
        "speculate",
        Kind.ACTION,
        "void speculate(int speculation)",
        "what the clause prints from here on is held back in the speculation",
        action=_speculate,
    ),
    Builtin(
        "commit",
        Kind.ACTION,
        "void commit(int speculation)",
        "shows what a speculation holds back, and frees it",
        action=_ending(Commit),
    ),
    Builtin(
        "discard",
        Kind.ACTION,
        "void discard(int speculation)",
        "forgets what a speculation holds back, and frees it",
        action=_ending(Discard),
    ),
)
