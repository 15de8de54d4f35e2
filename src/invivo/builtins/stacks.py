"""Stacks and symbols: stack(), ustack(), stackdepth, func(), usym() ...

stack()          as a key: Call("kstack", Stack(127)); as a statement: a field, and PrintStack
func(arg0)       an address that is printed as a name
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.program.actions import PrintStack, PrintSymbol
from invivo.program.nodes import Call, Convert, Expr, IntLit
from invivo.program.types import UINT32, ULONG, Stack, Symbol, a_type, is_scalar

__all__: list[str] = []

_MAX_DEPTH = 127  # sysctl kernel.perf_event_max_stack's default


def _depth(b: Builder, args: Sequence[Expr], option: str) -> int:
    if not args:
        return max(1, min(b.option(option), b.option("maxframes"), _MAX_DEPTH))
    depth = args[0]
    while isinstance(depth, Convert):
        depth = depth.operand
    if not isinstance(depth, IntLit) or not 0 < depth.value <= _MAX_DEPTH:
        code = "D_USTACK_FRAMES" if option == "ustackframes" else "D_STACK_SIZE"
        b.error(code, args[0].span, f"the number of frames must be a constant from 1 to {_MAX_DEPTH}")
    return depth.value


def _check_strsize(b: Builder, size: Expr) -> None:
    """DTrace's room for names in the record. None is needed: names are found later, by whoever reads it."""
    while isinstance(size, Convert):
        size = size.operand
    if not isinstance(size, IntLit) or size.value < 0:
        b.error("D_USTACK_STRSIZE", size.span, "the size of a stack's names must be a constant that is not negative")


def _stack(is_user: bool) -> Callable[[Builder, list[Expr]], Expr]:
    def rewrite(b: Builder, args: list[Expr]) -> Expr:
        if len(args) > 1:
            _check_strsize(b, args[1])
            args = args[:1]
        depth = _depth(b, args, "ustackframes" if is_user else "stackframes")
        return Call("ustack" if is_user else "kstack", (), Stack(is_user, depth), b.span)

    return rewrite


def _print_stack(is_user: bool) -> Callable[[Builder, Sequence[Operand]], None]:
    def act(b: Builder, operands: Sequence[Operand]) -> None:
        value = _stack(is_user)(b, [b.integer(operand) for operand in operands])
        b.act(PrintStack(b.field(value)))

    return act


def _symbol(form: str) -> Callable[[Builder, list[Expr]], Expr]:
    return lambda b, args: Convert(args[0], Symbol(form), b.span)


def _print_symbol(form: str) -> Callable[[Builder, Sequence[Operand]], None]:
    def act(b: Builder, operands: Sequence[Operand]) -> None:
        value = b.raw(operands[0])
        if not is_scalar(value.type):
            b.error("D_PROTO_ARG", operands[0].span, f"{form}() takes an address, this is {a_type(value.type)}")
        address = Convert(value, ULONG, value.span)
        b.act(PrintSymbol(b.field(_symbol(form)(b, [address]))))

    return act


def _symbol_row(form: str, doc: str) -> Builtin:
    result = "_usymaddr" if form.startswith("u") else "_symaddr"
    return Builtin(
        form,
        Kind.ACTION,
        f"{result} {form}(uintptr_t address)",
        doc,
        subroutine=_symbol(form),
        action=_print_symbol(form),
    )


def _stack_row(name: str, is_user: bool, doc: str) -> Builtin:
    return Builtin(
        name,
        Kind.ACTION,
        f"stack {name}([int frames{', int strsize' if is_user else ''}])",
        doc,
        subroutine=_stack(is_user),
        action=_print_stack(is_user),
    )


def _count(primitive: str) -> Callable[[Builder], Expr]:
    return lambda b: Call(primitive, (), UINT32, b.span)


register(
    _stack_row("stack", False, "the kernel's stack, as a key, for %k, or printed"),
    _stack_row("ustack", True, "the running thread's stack in user space, as a key, for %k, or printed"),
    _symbol_row("sym", "a kernel address as module`symbol"),
    _symbol_row("func", "a kernel address as module`function"),
    _symbol_row("mod", "a kernel address as the module that it lies in"),
    _symbol_row("usym", "a process's address as object`symbol"),
    _symbol_row("ufunc", "a process's address as object`function"),
    _symbol_row("umod", "a process's address as the program or library that it lies in"),
    _symbol_row("uaddr", "a process's address as object`symbol+0xoffset"),
    Builtin("stackdepth", Kind.VARIABLE, "uint32_t stackdepth", "frames of the kernel's stack", _count("kstack_depth")),
    Builtin(
        "ustackdepth",
        Kind.VARIABLE,
        "uint32_t ustackdepth",
        "frames of the running thread's stack in user space",
        _count("ustack_depth"),
    ),
)
