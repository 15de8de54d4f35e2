"""print(): the type behind a pointer, as the consumer needs it to show the bytes.

print(&curthread->se)    two fields, the address and the bytes; Print(0, 1, Shape("struct", "struct sched_entity", ...))
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Print, Shape
from invivo.program.nodes import Convert, Memory
from invivo.program.types import (
    UCHAR,
    ULONG,
    Array,
    Enum,
    Float,
    Func,
    Int,
    Pointer,
    String,
    Struct,
    Type,
    a_type,
    size_of,
    type_name,
)

__all__ = ["shape_of"]

_CHARS = ("char", "signed char")
_DEEPEST = 32


def shape_of(type_: Type, depth: int = 0) -> Shape:
    """What print() must know of a type; what has no size is a structure without members."""
    name, size = type_name(type_), size_of(type_) or 0
    match type_:
        case Int(base, signed=signed):
            return Shape("char" if base in _CHARS else "int", name, size, signed)
        case Enum(signed=signed, members=enumerators):
            return Shape("enum", name, size, signed, names=tuple((value, member) for member, value in enumerators))
        case Pointer() | Func():
            return Shape("pointer", name, size)
        case Float():
            return Shape("float", name, size)
        case Array(element) if depth < _DEEPEST:
            return Shape("array", name, size, element=shape_of(element, depth + 1))
        case Struct() if depth < _DEEPEST and type_.size is not None:
            members = tuple((m.name, m.bit_offset, m.bit_size, shape_of(m.type, depth + 1)) for m in type_.members)
            return Shape("struct", name if type_.name else type_.keyword, size, members=members)
    return Shape("struct", name, size)


def _print(b: Builder, operands: Sequence[Operand]) -> None:
    address = b.raw(operands[0])
    if not isinstance(address.type, Pointer):
        hint = "print(&x) shows the structure x" if not isinstance(address.type, String) else "trace() prints strings"
        b.error("D_PROTO_ARG", address.span, f"print() takes a pointer, not {a_type(address.type)}", hint)
    target = address.type.target
    size = size_of(target)
    if not size:
        b.error("D_PRINT_SIZE", address.span, f"print() must know what it prints: {a_type(target)} has no size",
                "cast the pointer: print((struct NAME *)p)")  # fmt: skip
    kept = min(size, b.option("printsize"))
    where = Convert(address, ULONG, address.span)
    pointer = b.field(address)
    data = b.field(Memory(where, address.type.space, Array(UCHAR, max(kept, 1)), b.span))
    b.act(Print(pointer, data, shape_of(target)))


register(
    Builtin(
        "print",
        Kind.ACTION,
        "void print(void *pointer)",
        "prints what a pointer leads to by its type: structures with their members, but for those that are 0",
        action=_print,
    ),
)
