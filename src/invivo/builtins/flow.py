"""Actions on the tracing itself, and what has no other place: exit, rand.

exit(0)      a record that ends the line, then Exit(0): no clause but END's runs any more
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.program.nodes import Call, Convert, Exit
from invivo.program.plan import ExitAction
from invivo.program.types import INT

__all__: list[str] = []


def _exit(b: Builder, operands: Sequence[Operand]) -> None:
    code = b.integer(operands[0])
    b.act(ExitAction())
    b.flush()
    b.add(Exit(Convert(code, INT, code.span), b.span))


register(
    Builtin("exit", Kind.ACTION, "void exit(int status)", "ends tracing; invivo exits with the status", action=_exit),
    Builtin(
        "rand",
        Kind.SUBROUTINE,
        "int rand()",
        "a random number",
        subroutine=lambda b, args: Call("random", (), INT, b.span),
    ),
)
