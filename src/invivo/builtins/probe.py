"""Variables about the probe that fired: its name, number and arguments.

arg0        word 0 of the probe's context, as int64_t
errno       the system call's error at its return, else 0
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import (
    Compare,
    Component,
    Conditional,
    Convert,
    Expr,
    FaultInfo,
    IntLit,
    Logical,
    ProbeId,
    ProbeName,
    Unary,
)
from invivo.program.types import INT, INT64, UINT, String

__all__: list[str] = []

_MAX_ERRNO = 4095  # include/linux/err.h


def _word(index: int) -> Callable[[Builder], Expr]:
    def rewrite(b: Builder) -> Expr:
        context = b.context
        if context.is_error:
            if 1 <= index <= 5:
                return FaultInfo(index, INT64, b.span)
        elif index < len(context.words):
            value = context.words[index](b.span)
            return value if value.type == INT64 else Convert(value, INT64, b.span)
        return IntLit(0, INT64, b.span)

    return rewrite


def _name(component: Component) -> Callable[[Builder], Expr]:
    return lambda b: ProbeName(component, String(b.strsize), b.span)


def _errno(b: Builder) -> Expr:
    if not b.context.has_errno:
        return IntLit(0, INT, b.span)
    span = b.span
    value = _word(0)(b)
    is_error = Logical(
        "&&",
        Compare("<", value, IntLit(0, INT64, span), INT, span),
        Compare(">=", value, IntLit(-_MAX_ERRNO, INT64, span), INT, span),
        INT,
        span,
    )
    code = Convert(Unary("-", value, INT64, span), INT, span)
    return Conditional(is_error, code, IntLit(0, INT, span), INT, span)


register(
    *(
        Builtin(
            f"arg{i}",
            Kind.VARIABLE,
            f"int64_t arg{i}",
            f"argument {i} of the probe, as a number",
            _word(i),
            is_context=True,
        )
        for i in range(10)
    ),
    Builtin("probeprov", Kind.VARIABLE, "string probeprov", "the probe's provider", _name(Component.PROVIDER)),
    Builtin("probemod", Kind.VARIABLE, "string probemod", "the probe's module", _name(Component.MODULE)),
    Builtin("probefunc", Kind.VARIABLE, "string probefunc", "the probe's function", _name(Component.FUNCTION)),
    Builtin("probename", Kind.VARIABLE, "string probename", "the probe's name", _name(Component.NAME)),
    Builtin("id", Kind.VARIABLE, "uint_t id", "the number of the probe in lists", lambda b: ProbeId(UINT, b.span)),
    Builtin(
        "epid",
        Kind.VARIABLE,
        "uint_t epid",
        "the number of the clause, from 1",
        lambda b: IntLit(b.clause_index + 1, UINT, b.span),
    ),
    Builtin(
        "errno", Kind.VARIABLE, "int errno", "at a system call's return its error, else 0", _errno, is_context=True
    ),
)
