"""print(): the type behind a pointer, as the consumer needs it to show the bytes.

print(args)              a Printf for each argument, a Print for those that are structures
print(&curthread->se)    two fields, the address and the bytes; Print(0, 1, Shape("struct", "struct sched_entity", ...))
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.formats import conversion_of
from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.errors import InvivoError
from invivo.program.actions import Print, Printf, Shape
from invivo.program.clauses import ProbeArg
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
from invivo.source import Span

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


def _print_arguments(b: Builder, arguments: Sequence[ProbeArg]) -> None:
    """A line for each argument, or variable in scope: `name = value`, a structure over several lines; or why it has no
    value here."""
    for index, argument in enumerate(arguments):
        name = (argument.name or f"args[{index}]").replace("%", "%%")
        try:
            value = argument.value(b.span)
        except InvivoError as error:
            b.act(Printf(f"{name} = ? ({error.message.replace('%', '%%')})\n", ()))
            continue
        if isinstance(value, Memory) and isinstance(value.type, Struct | Array):
            if size_of(value.type):
                _print_memory(b, value, name)
            else:
                b.act(Printf(f"{name} = ? (it has no size)\n", ()))
        else:
            conversion, shown = conversion_of(value)
            b.act(Printf(f"{name} = {conversion}\n", (b.field(shown),)))


def _print_memory(b: Builder, value: Memory, name: str) -> None:
    data = b.field(Memory(value.address, value.space, Array(UCHAR, _kept(b, value.type, value.span)), value.span))
    b.act(Print(None, data, shape_of(value.type), f"{name} ="))


def _print(b: Builder, operands: Sequence[Operand]) -> None:
    if (arguments := b.arguments(operands[0])) is not None:
        _print_arguments(b, arguments)
        return
    value = b.raw(operands[0])
    text = " ".join(operands[0].span.text.split())
    if isinstance(value.type, String):
        b.act(Printf(f'{text.replace("%", "%%")} = (string)"%S"\n', (b.field(value),)))
        return
    if isinstance(value, Memory):
        _print_memory(b, value, text)
        return
    if not isinstance(value.type, Pointer):
        hint = "trace() prints numbers"
        b.error("D_PROTO_ARG", value.span, f"print() takes a pointer or a structure, not {a_type(value.type)}", hint)
    target = value.type.target
    kept = _kept(b, target, value.span)
    where = Convert(value, ULONG, value.span)
    pointer = b.field(value)
    data = b.field(Memory(where, value.type.space, Array(UCHAR, kept), b.span))
    b.act(Print(pointer, data, shape_of(target)))


def _kept(b: Builder, type_: Type, span: Span) -> int:
    """The bytes that are recorded of a value: at most as many as option printsize says."""
    size = size_of(type_)
    if not size:
        b.error("D_PRINT_SIZE", span, f"print() must know what it prints: {a_type(type_)} has no size",
                "cast the pointer: print((struct NAME *)p)")  # fmt: skip
    return max(min(size, b.option("printsize")), 1)


register(
    Builtin(
        "print",
        Kind.ACTION,
        "void print(expression)",
        "prints a structure, or what a pointer leads to, by its type and members, but for those that are 0; "
        "`print(args)` all arguments of the probe by name, at a source line all variables in scope",
        action=_print,
    ),
)
