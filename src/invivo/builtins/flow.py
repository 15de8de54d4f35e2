"""Actions on the tracing itself, and what has no other place: exit, setopt, rand.

exit(0)      a record that ends the line, then Exit(0): no clause but END's runs any more
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.errors import OptionError
from invivo.program.actions import ExitAction, SetOpt
from invivo.program.nodes import Call, Convert
from invivo.program.options import parse_dynamic
from invivo.program.statements import Exit
from invivo.program.types import INT

__all__: list[str] = []


def _exit(b: Builder, operands: Sequence[Operand]) -> None:
    code = b.integer(operands[0])
    b.act(ExitAction())
    b.flush()
    b.add(Exit(Convert(code, INT, code.span), b.span))


def _setopt(b: Builder, operands: Sequence[Operand]) -> None:
    """What is written out in the program is looked at now; what is computed, when it happens."""
    name = b.literal(operands[0])
    value = b.literal(operands[1]) if len(operands) > 1 else None
    if name is not None and (len(operands) == 1 or value is not None):
        try:
            parse_dynamic(name, value)
        except OptionError as error:
            b.error("D_PRAGMA_OPTSET", b.span, f"setopt(): {error.message}", error.hint)
    name_field = b.field(b.string(operands[0]))
    b.act(SetOpt(name_field, b.field(b.string(operands[1])) if len(operands) > 1 else None))


register(
    Builtin("exit", Kind.ACTION, "void exit(int status)", "ends tracing; invivo exits with the status", action=_exit),
    Builtin(
        "setopt",
        Kind.ACTION,
        "void setopt(string option [, string value])",
        "sets an option that may change while tracing, such as quiet or aggsortkey",
        action=_setopt,
    ),
    Builtin(
        "rand",
        Kind.SUBROUTINE,
        "int rand()",
        "a random number",
        subroutine=lambda b, args: Call("random", (), INT, b.span),
    ),
)
