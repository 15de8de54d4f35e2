"""Subroutines that bring memory in: copyin, copyinstr, alloca, bcopy.

copyinstr(arg1)        ReadString(arg1, USER)
bcopy(p, q, 16)        Call("bcopy") from kernel memory, Call("scopy") from the firing's own
"""

from __future__ import annotations

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Call, Convert, Expr, IntLit, ReadString
from invivo.program.types import INT64, ULONG, VOID, Pointer, Space, String

__all__: list[str] = []

_OWN = Pointer(VOID, Space.SCRATCH)


def _alloca(b: Builder, args: list[Expr]) -> Expr:
    _check_room(b, args[0], "alloca")
    return Call("alloca", tuple(args), _OWN, b.span)


def _copyin(b: Builder, args: list[Expr]) -> Expr:
    _check_room(b, args[1], "copyin")
    return Call("copyin", tuple(args), _OWN, b.span)


def _check_room(b: Builder, wanted: Expr, name: str) -> None:
    """Report a size that no firing has room for, if it is known."""
    size, most = wanted.value if isinstance(wanted, IntLit) else 0, b.option("scratchsize")
    if size > most:
        b.error("D_ALLOCA_SIZE", wanted.span, f"{name}() of {size} bytes: a firing has {most} of them",
                "-x scratchsize=SIZE gives it more")  # fmt: skip


def _copyinstr(b: Builder, args: list[Expr]) -> Expr:
    limit = args[1] if len(args) > 1 else None
    return ReadString(args[0], Space.USER, String(b.strsize), b.span, limit)


def _copyinto(b: Builder, args: list[Expr]) -> Expr:
    target = args[2]
    if not isinstance(target.type, Pointer) or target.type.space is not Space.SCRATCH:
        b.error("D_PROTO_ARG", target.span, "copyinto() writes only to memory of the program's own",
                "the third argument is a pointer from alloca()")  # fmt: skip
    return Call("copyinto", tuple(args), INT64, b.span)


def _bcopy(b: Builder, args: list[Expr]) -> Expr:
    source, target, size = args
    if not isinstance(target.type, Pointer) or target.type.space is not Space.SCRATCH:
        b.error(
            "D_PROTO_ARG",
            target.span,
            "bcopy() writes only to memory of the program's own",
            "the second argument is a pointer from alloca() or copyin()",
        )
    space = source.type.space if isinstance(source.type, Pointer) else Space.KERNEL
    if space is Space.USER:
        b.error("D_PROTO_ARG", source.span, "bcopy() reads kernel memory, this is an address of a process",
                "use copyin() to bring in memory of the process")  # fmt: skip
    if space is Space.SCRATCH:
        return Call("scopy", (source, target, size), INT64, b.span)
    return Call("bcopy", (Convert(source, ULONG, source.span), target, size), INT64, b.span)


register(
    Builtin(
        "copyin",
        Kind.SUBROUTINE,
        "void * copyin(uintptr_t address, size_t size)",
        "copies memory of the running process; the copy lives until the probe's clauses are done",
        subroutine=_copyin,
    ),
    Builtin(
        "copyinto",
        Kind.SUBROUTINE,
        "void copyinto(uintptr_t address, size_t size, void *target)",
        "copies memory of the running process into memory from alloca()",
        subroutine=_copyinto,
    ),
    Builtin(
        "copyinstr",
        Kind.SUBROUTINE,
        "string copyinstr(uintptr_t address [, size_t limit])",
        "the string at an address of the running process",
        subroutine=_copyinstr,
    ),
    Builtin(
        "__copy_string",
        Kind.SUBROUTINE,
        "void __copy_string(string text, void *target)",
        "copies a string with its NUL into memory from alloca(): for the library, to look at its characters",
        subroutine=lambda b, args: Call("kcopy_string", tuple(args), INT64, b.span),
    ),
    Builtin(
        "alloca",
        Kind.SUBROUTINE,
        "void * alloca(size_t size)",
        "zeroed memory that lives until the probe's clauses are done",
        subroutine=_alloca,
    ),
    Builtin(
        "bcopy",
        Kind.SUBROUTINE,
        "void bcopy(void *source, void *target, size_t size)",
        "copies kernel memory, or memory of the program's own, into memory from alloca()",
        subroutine=_bcopy,
    ),
)
