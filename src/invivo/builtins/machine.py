"""Variables about the machine around a firing: who called, the registers of user space, where the CPU sits.

caller                    Call("caller"), the second address of stack()
uregs[R_RIP]              D's library reads __uregs, the address of the thread's struct pt_regs
curcpu->cpu_chip          D's library calls __cpu_chip(cpu)
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Call, Expr
from invivo.program.types import INT, ULONG

__all__: list[str] = []


def _word(primitive: str) -> Callable[[Builder], Expr]:
    return lambda b: Call(primitive, (), ULONG, b.span)


def _of_cpu(primitive: str) -> Callable[[Builder, list[Expr]], Expr]:
    return lambda b, args: Call(primitive, tuple(args), INT, b.span)


register(
    Builtin(
        "caller",
        Kind.VARIABLE,
        "uintptr_t caller",
        "the kernel address from which the probe's function was called",
        _word("caller"),
    ),
    Builtin(
        "ucaller",
        Kind.VARIABLE,
        "uintptr_t ucaller",
        "the address from which the running thread's function in user space was called",
        _word("ucaller"),
    ),
    Builtin(
        "__uregs",
        Kind.VARIABLE,
        "uintptr_t __uregs",
        "where the running thread's registers in user space lie: what uregs[] reads",
        _word("user_registers"),
    ),
    Builtin(
        "__cpu_chip",
        Kind.SUBROUTINE,
        "int __cpu_chip(int cpu)",
        "the package that a CPU is part of",
        subroutine=_of_cpu("cpu_chip"),
    ),
    Builtin(
        "__cpu_lgrp",
        Kind.SUBROUTINE,
        "int __cpu_lgrp(int cpu)",
        "the memory node that a CPU is part of",
        subroutine=_of_cpu("cpu_lgrp"),
    ),
)
