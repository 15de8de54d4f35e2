"""Short names for the expressions that providers build: each helper gives a function Span -> Expr.

    word(1, LONG)                                  the second argument of a raw tracepoint
    member(word(0, ptr), task, "signal.live")      a chain of members, by BTF offsets
    equals(word(1, LONG), LONG, 59)                a guard
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.errors import UnsupportedError
from invivo.program.nodes import (
    Binary,
    Compare,
    Conditional,
    ContextAddress,
    ContextBytes,
    ContextWord,
    Convert,
    Expr,
    IntLit,
    Load,
    Logical,
    Memory,
)
from invivo.program.types import INT, ULONG, Array, Pointer, Space, Struct, Type
from invivo.source import Span

__all__ = [
    "Maker", "address", "binary", "both", "chain", "choose", "compare", "compare_two", "context_field", "convert",
    "either", "equals", "literal", "load", "member", "word",
]  # fmt: skip

Maker = Callable[[Span], Expr]


def word(index: int, type_: Type) -> Maker:
    """Word `index` of a raw tracepoint's arguments."""
    return lambda span: ContextWord(index, type_, span)


def context_field(offset: int, type_: Type) -> Maker:
    """The scalar at `offset` of a perf tracepoint's record."""
    return lambda span: ContextBytes(offset, type_, span)


def address(offset: int, type_: Pointer) -> Maker:
    """The address of byte `offset` of a perf tracepoint's record."""
    return lambda span: ContextAddress(offset, type_, span)


def literal(value: int, type_: Type = INT) -> Maker:
    return lambda span: IntLit(value, type_, span)


def convert(value: Maker, type_: Type) -> Maker:
    return lambda span: Convert(value(span), type_, span)


def binary(op: str, left: Maker, right: Maker, type_: Type) -> Maker:
    """Both sides already have `type_`."""
    return lambda span: Binary(op, left(span), right(span), type_, span)


def compare(op: str, left: Maker, type_: Type, value: int) -> Maker:
    """`left op value`, where left has `type_`."""
    return lambda span: Compare(op, left(span), IntLit(value, type_, span), INT, span)


def compare_two(op: str, left: Maker, right: Maker) -> Maker:
    """`left op right`, both of one type."""
    return lambda span: Compare(op, left(span), right(span), INT, span)


def equals(left: Maker, type_: Type, value: int) -> Maker:
    return compare("==", left, type_, value)


def both(left: Maker, right: Maker) -> Maker:
    return lambda span: Logical("&&", left(span), right(span), INT, span)


def either(left: Maker, right: Maker) -> Maker:
    return lambda span: Logical("||", left(span), right(span), INT, span)


def choose(condition: Maker, then: Maker, other: Maker, type_: Type) -> Maker:
    return lambda span: Conditional(condition(span), then(span), other(span), type_, span)


def load(base: Maker, offset: int, type_: Type, space: Space) -> Maker:
    """The scalar `offset` bytes behind `base` (a pointer or 64-bit integer)."""

    def make(span: Span) -> Expr:
        return Load(_plus(base(span), offset, span), space, type_, span)

    return make


def member(base: Maker, struct: Struct, path: str, space: Space = Space.KERNEL) -> tuple[Maker, Type]:
    """`base->a.b` or `base->a->b`: the path's dots go through structures and pointers alike; with the value's type.

    Raises:
        UnsupportedError: This kernel's structure has no such member.
    """
    here: Maker = base
    offset = 0
    at: Type = struct
    names = path.split(".")
    for name in names:
        if isinstance(at, Pointer):
            here, offset, at, space = load(here, offset, at, space), 0, at.target, Space.KERNEL
        found = at.find(name) if isinstance(at, Struct) else None
        if found is None:
            raise UnsupportedError(f"this kernel's '{struct.keyword} {struct.name}' has no member '{path}'")
        if found.bit_size or found.bit_offset % 8:
            raise UnsupportedError(f"'{path}' of '{struct.keyword} {struct.name}' is a bit-field in this kernel")
        offset += found.bit_offset // 8
        at = found.type
    if isinstance(at, Struct | Array):
        final, final_offset, final_space = here, offset, space
        return (lambda span: Memory(_plus(final(span), final_offset, span), final_space, at, span)), at
    return load(here, offset, at, space), at


def chain(first: Maker, *rest: Maker) -> Maker:
    """All conditions, tested in this order."""
    result = first
    for maker in rest:
        result = both(result, maker)
    return result


def _plus(base: Expr, offset: int, span: Span) -> Expr:
    number = base if base.type == ULONG else Convert(base, ULONG, span)
    return Binary("+", number, IntLit(offset, ULONG, span), ULONG, span) if offset else base
