"""Conversions that D makes by itself: arrays to pointers, pointers to strings, values to a variable's type.

string(char *)         ReadString from where the pointer leads
assignable(int, long)  Convert(value, long)
data(char [16])        the string in it: what trace(), keys and %s take
"""

from __future__ import annotations

from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.constants import constant, wrap
from invivo.lang.d.lower.state import LeadsElsewhere, ProgramState
from invivo.program.nodes import Convert, Expr, IntLit, Memory, ReadString, Scope, StrLit, VarRef
from invivo.program.types import (
    INT64,
    ULONG,
    Array,
    Enum,
    Func,
    Int,
    Pointer,
    Space,
    Stack,
    String,
    Struct,
    Symbol,
    Type,
    Void,
    a_type,
    is_integral,
    is_scalar,
    type_name,
)
from invivo.source import Span

__all__ = [
    "assignable",
    "bits",
    "convert",
    "data",
    "decayed",
    "decayed_unless_text",
    "int64",
    "integer",
    "is_null",
    "is_textual",
    "kept_type",
    "leading_as_told",
    "leading_like",
    "read_string",
    "scalar",
    "settle",
    "string",
    "string_or_null",
]  # fmt: skip

_CHARS = ("char", "signed char", "unsigned char")


def convert(expr: Expr, type_: Type) -> Expr:
    """To another scalar type; nothing if it has it, and a new literal of a literal."""
    if expr.type == type_:
        return expr
    if isinstance(expr, IntLit) and isinstance(type_, Int | Enum):
        return IntLit(wrap(expr.value, type_), type_, expr.span)
    return Convert(expr, type_, expr.span)


def decayed(expr: Expr) -> Expr:
    """An array as a pointer to its first element, everything else as it is: to entries of hashes no pointer leads."""
    if isinstance(expr, Memory) and isinstance(expr.type, Array) and expr.space is not Space.ENTRY:
        return Convert(bits(expr.address), Pointer(expr.type.element, expr.space), expr.span)
    return expr


def decayed_unless_text(c: ClauseState, expr: Expr) -> Expr:
    """The same, but an array of characters stays one: next to a string it is one."""
    return expr if is_textual(expr.type) else decayed(expr)


def bits(expr: Expr) -> Expr:
    """An address (pointer or integer) as a 64-bit number."""
    return expr if expr.type == ULONG else convert(expr, ULONG)


def scalar(c: ClauseState, expr: Expr, what: str, code: str = "D_OP_SCALAR") -> Expr:
    """An integer or pointer; `what` begins the message otherwise."""
    expr = decayed(expr)
    if not is_scalar(expr.type):
        hint = ""
        if isinstance(expr.type, String):
            hint = 'compare strings: s == "text"'
        elif isinstance(expr.type, Struct):
            hint = "take a member of it"
        c.program.error(code, expr.span, f"{what} must be an integer or a pointer, not {a_type(expr.type)}", hint)
    return expr


def integer(c: ClauseState, expr: Expr, what: str, code: str = "D_OP_INT") -> Expr:
    """An integer of any size."""
    if not is_integral(expr.type):
        hint = "cast it: (uintptr_t)" if isinstance(expr.type, Pointer) else "a number is wanted here"
        if isinstance(expr.type, String):
            hint = "the number that a string has is its length: strlen()"
        c.program.error(code, expr.span, f"{what} must be an integer, not {a_type(expr.type)}", hint)
    return expr


def is_textual(type_: Type) -> bool:
    """Whether a type is a string, or becomes one where one is wanted: char * and char []."""
    match type_:
        case String():
            return True
        case Pointer(target) | Array(target, _):
            return isinstance(target, Int) and target.name in _CHARS
        case _:
            return False


def string(c: ClauseState, expr: Expr, what: str = "this", code: str = "D_OP_INCOMPAT") -> Expr:
    """A string, read from memory if need be."""
    if isinstance(expr.type, String):
        return expr
    if not is_textual(expr.type):
        hint = "stringof() gives the string at an address" if is_scalar(expr.type) else ""
        c.program.error(code, expr.span, f"{what} must be a string, not {a_type(expr.type)}", hint)
    return read_string(c, expr)


def string_or_null(expr: Expr) -> Expr:
    """A constant 0 or NULL where a string is wanted: the empty one, which a variable that was not assigned has, too."""
    is_number = isinstance(expr.type, Int | Enum | Pointer)
    return StrLit(b"", String(1), expr.span) if is_number and is_null(expr) else expr


def read_string(c: ClauseState, expr: Expr) -> Expr:
    """The string at an address, or in an array of characters."""
    strsize = c.program.strsize
    if isinstance(expr, Memory):
        assert isinstance(expr.type, Array)
        size = min(expr.type.count + 1, strsize) if expr.type.count else strsize
        return ReadString(bits(expr.address), _readable(expr.space), String(size), expr.span)
    space = expr.type.space if isinstance(expr.type, Pointer) else Space.KERNEL
    return ReadString(bits(expr), _readable(space), String(strsize), expr.span)


def _readable(space: Space) -> Space:
    return Space.KERNEL if space is Space.TRUSTED else space


def kept_type(type_: Type) -> Type:
    """The type under which a value is kept: what the verifier knows of a pointer is lost."""
    if isinstance(type_, Pointer) and type_.space is Space.TRUSTED:
        return Pointer(type_.target, Space.KERNEL)
    return type_


def leading_like(declared: Type, given: Type) -> Type:
    """The type of a local variable, whose declaration cannot tell where a pointer leads: that is as in `given`."""
    kept = kept_type(given)
    if isinstance(declared, Pointer) and isinstance(kept, Pointer):
        return Pointer(declared.target, kept.space)
    return declared


def leading_as_told(state: ProgramState, type_: Type, pointer: tuple[str, int]) -> Type:
    """The type of a pointer of the firing, which leads into alloca()'s memory if an assignment told so."""
    if isinstance(type_, Pointer) and type_.space is Space.KERNEL and pointer in state.own_pointers:
        return Pointer(type_.target, Space.SCRATCH)
    return type_


def settle(c: ClauseState, target: Expr, value: Expr) -> None:
    """See to it that a pointer which lives no longer than the firing may lead into the firing's own memory.

    Raises:
        LeadsElsewhere: It was taken to lead into the kernel, for its declaration cannot tell.
    """
    if not isinstance(target, VarRef) or target.variable.scope not in (Scope.CLAUSE, Scope.LOCAL):
        return
    if not isinstance(target.type, Pointer) or target.type.space is not Space.KERNEL:
        return
    if isinstance(value.type, Pointer) and value.type.space is Space.SCRATCH:
        variable = target.variable
        known = c.program.variables.get((Scope.CLAUSE, variable.name))
        pointer = (variable.name, -1 if known is not None and known.node is variable else c.index)
        if pointer not in c.program.own_pointers:
            raise LeadsElsewhere(pointer)


def data(c: ClauseState, expr: Expr, what: str, code: str = "D_TRACE_VOID") -> Expr:
    """A value that can be recorded or be a key: strings are read, structures and arrays are Memory."""
    if is_textual(expr.type) and not isinstance(expr.type, String):
        return read_string(c, expr)
    if isinstance(expr.type, Void | Func):
        c.program.error(code, expr.span, f"{what} has no value: its type is {type_name(expr.type)}")
    if isinstance(expr.type, Pointer):
        return convert(expr, kept_type(expr.type))
    return expr


def assignable(
    c: ClauseState, expr: Expr, type_: Type, name: str, span: Span, code: str = "D_OP_INCOMPAT"
) -> Expr:
    """The value as the type of what it is assigned to."""
    if isinstance(type_, String):
        return string(c, string_or_null(expr), f"what is assigned to {name}", code)
    expr = decayed(expr)
    match type_, expr.type:
        case (Int() | Enum(), Int() | Enum()):
            return convert(expr, type_)
        case Pointer(), Pointer() if is_null(expr):
            return convert(expr, type_)
        case Pointer(), Pointer():
            _check_pointers(c, type_, expr.type, name, span)
            return convert(expr, type_)
        case Pointer(), Int() if constant(expr) == 0:
            return convert(expr, type_)
        case Symbol() | Stack() | Struct(), _ if type_ == expr.type:
            return expr
        case Stack(is_user), Stack(like) if is_user == like:
            return expr
        case Stack(), Int() if constant(expr) == 0:  # no stack; an element is deleted by it
            return IntLit(0, type_, expr.span)
    hint = ""
    if isinstance(type_, Pointer) and isinstance(expr.type, Int):
        hint = f"cast it: ({type_name(type_)})"
    elif isinstance(type_, Int) and isinstance(expr.type, Pointer):
        hint = "cast it: (uintptr_t)"
    kind = type_name(type_)
    c.program.error(code, span, f"{name} is of type {kind}, it cannot become {a_type(expr.type)}", hint)


def is_null(expr: Expr) -> bool:
    """Whether it is a constant 0, also if cast to a pointer, which leads nowhere."""
    while isinstance(expr, Convert):
        expr = expr.operand
    return constant(expr) == 0


def _check_pointers(c: ClauseState, target: Pointer, source: Pointer, name: str, span: Span) -> None:
    spaces = {target.space, _readable(source.space)}
    if len(spaces) > 1:
        if Space.SCRATCH in spaces:
            c.program.error(
                "D_ALLOCA_INCOMPAT",
                span,
                f"{name} cannot hold both a pointer from alloca() or copyin() and another one",
                "memory from alloca() lasts no longer than the firing: a pointer to it is a this-> one",
            )
        c.program.error(
            "D_OP_INCOMPAT",
            span,
            f"{name} points into the {target.space.value}, this into the {_readable(source.space).value}",
            "declare the pointer with __user if it leads into the process",
        )
    a, b = target.target, source.target
    if isinstance(a, Struct) and isinstance(b, Struct) and a.name and b.name and a != b:
        message = f"{name} points to {a_type(a)}, this to {a_type(b)}"
        c.program.error("D_OP_INCOMPAT", span, message, f"cast it: ({type_name(target)})")


def int64(c: ClauseState, expr: Expr, what: str, code: str) -> Expr:
    """An integer as int64_t."""
    return convert(integer(c, expr, what, code), INT64)
