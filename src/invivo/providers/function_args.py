"""args[] of functions: their parameters at the entry, their result at the return, with the types of debug information.

    int visit(struct record *r, double weight, int round)
    entry   args[0] r: di as struct record *   args[1] weight: refused, it is in xmm0   args[2] round: si as int
    return  args[0] 0   args[1]: ax as int

Which register or place of the stack a parameter takes is reckoned as compilers do. Source: System V ABI, AMD64
supplement, 3.2.3 "Parameter Passing". Registers of vectors are in no probe's context: what is there is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.errors import UnsupportedError
from invivo.linux.arch import Registers
from invivo.program.clauses import ProbeArg
from invivo.program.nodes import Binary, ContextAddress, ContextBytes, Expr, IntLit, Load, Memory
from invivo.program.types import (
    INT64,
    LONG,
    ULONG,
    Array,
    Enum,
    Float,
    Int,
    Pointer,
    Space,
    Struct,
    Type,
    Void,
    size_of,
    type_name,
)
from invivo.providers.expressions import Maker, convert, literal
from invivo.providers.program_types import Function
from invivo.source import Span

__all__ = ["parameters", "refused", "result"]

_WORD = 8
_LARGEST_IN_REGISTERS = 16
_VECTOR_REGISTERS = 8


class _Slots:
    """What is still free for parameters: integer registers, vector registers, and the stack from `stack` on."""

    def __init__(self, registers: Registers) -> None:
        self.registers = registers
        self.free = list(registers.arguments)
        self.vectors = _VECTOR_REGISTERS
        self.stack = registers.stack_arguments

    def on_stack(self, size: int, align: int) -> int:
        """The distance from the stack pointer of the next parameter there."""
        start = -(-(self.stack - self.registers.stack_arguments) // align) * align + self.registers.stack_arguments
        self.stack = start + -(-size // _WORD) * _WORD
        return start


def parameters(function: Function, registers: Registers, *, is_go: bool = False) -> list[ProbeArg]:
    """The arguments of a call at the function's entry; `is_go`: by Go's convention."""
    if is_go:
        slots = _Slots(registers._replace(arguments=registers.go_arguments))
        return [ProbeArg(name, type_, _go_parameter(name, type_, slots)) for name, type_ in function.parameters]
    slots = _Slots(registers)
    if _is_in_memory(function.result):
        slots.free.pop(0)  # where the caller wants the result
    return [
        ProbeArg(name or f"arg{index}", type_, _parameter(f"args[{index}] ({name})" if name else f"args[{index}]",
                                                          function.name, type_, slots))
        for index, (name, type_) in enumerate(function.parameters)
    ]  # fmt: skip


def _parameter(shown: str, function: str, type_: Type, slots: _Slots) -> Maker:
    registers = slots.registers
    match type_:
        case Int() | Enum() | Pointer():
            if slots.free:
                offset = registers.offsets[slots.free.pop(0)]
                return convert(lambda span: ContextBytes(offset, LONG, span), type_)
            return _stack_scalar(registers, slots.on_stack(_WORD, _WORD), type_)
        case Float(_, size) if size <= _WORD:
            if slots.vectors:
                slots.vectors -= 1
                return refused(f"{shown} of {function}() is a {type_name(type_)}, which is passed in a vector register")
            return _stack_memory(registers, slots.on_stack(_WORD, _WORD), type_)
        case Struct():
            size = type_.size or 0
            classes = _classes(type_)
            if not _is_in_memory(type_) and classes is not None:
                whole = sum(not is_vector for is_vector in classes)
                vectors = len(classes) - whole
                if whole <= len(slots.free) and vectors <= slots.vectors:
                    taken = [slots.free.pop(0) for _ in range(whole)]
                    slots.vectors -= vectors
                    if len(taken) == 1 and not vectors:
                        return _in_register(registers.offsets[taken[0]], type_)
                    return refused(f"{shown} of {function}() is a {type_name(type_)}, passed in several registers")
            return _stack_memory(registers, slots.on_stack(size, 8), type_)
        case Float() | Array():
            return _stack_memory(registers, slots.on_stack(size_of(type_) or _WORD, 16), type_)
        case _:
            # A type that could not be read: most of them (references) are addresses.
            if slots.free:
                offset = registers.offsets[slots.free.pop(0)]
                return lambda span: ContextBytes(offset, LONG, span)
            return _stack_scalar(registers, slots.on_stack(_WORD, _WORD), LONG)


def _go_parameter(name: str, type_: Type, slots: _Slots) -> Maker:
    """Go spreads strings, slices and structures over registers, one for each part. Source: abi-internal.md."""
    leaves = _leaves(type_, 0)
    registers = slots.registers
    if any(isinstance(leaf, Float) for _, leaf in leaves):
        slots.vectors -= sum(isinstance(leaf, Float) for _, leaf in leaves)
        whole = sum(not isinstance(leaf, Float) for _, leaf in leaves)
        del slots.free[:whole]
        return refused(f"{name} is a {type_name(type_)}, which is passed in vector registers")
    if len(leaves) > len(slots.free):
        size = size_of(type_) or _WORD
        return _stack_memory(registers, slots.on_stack(size, _WORD), type_)
    first = len(registers.arguments) - len(slots.free)
    taken = [slots.free.pop(0) for _ in leaves]
    if len(taken) == 1 and isinstance(type_, Int | Enum | Pointer):
        offset = registers.offsets[taken[0]]
        return convert(lambda span: ContextBytes(offset, LONG, span), type_)
    parts = ", ".join(f"arg{number}" for number in range(first, first + len(taken)))
    hint = f"they are {parts}; of a string, stringof((char *)arg{first}, arg{first + 1})"
    return refused(f"{name} is a {type_name(type_)}, passed in its parts", hint)


def result(function: Function, registers: Registers) -> list[ProbeArg]:
    """args[0] and args[1] when the function returns: as in DTrace, where it returned (not known), and the value."""
    first = ProbeArg("", INT64, literal(0, INT64))
    type_ = function.result
    offset = registers.offsets[registers.result]
    raw: Maker = lambda span: ContextBytes(offset, LONG, span)  # noqa: E731
    match type_:
        case Void():
            return [first]
        case Int() | Enum() | Pointer():
            return [first, ProbeArg("", type_, convert(raw, type_))]
        case Struct() if _is_in_memory(type_):  # the caller gave the memory, its address comes back
            address = convert(raw, ULONG)
            return [first, ProbeArg("", type_, lambda span: Memory(address(span), Space.USER, type_, span))]
        case Struct() if _classes(type_) == [False]:
            return [first, ProbeArg("", type_, _in_register(offset, type_))]
    where = "several registers" if isinstance(type_, Struct) else "a vector register"
    return [first, ProbeArg("", type_, refused(f"{function.name}() returns a {type_name(type_)}, in {where}"))]


def refused(why: str, hint: str = "the kernel hands only the general registers to probes") -> Maker:
    """A value that cannot be had; the message says why."""

    def refuse(span: Span) -> Expr:
        raise UnsupportedError(why, hint)

    return refuse


def _is_in_memory(type_: Type) -> bool:
    return isinstance(type_, Struct) and (
        (type_.size or 0) > _LARGEST_IN_REGISTERS or not type_.size or _classes(type_) is None
    )


def _classes(type_: Struct) -> list[bool] | None:
    """For each eight bytes of a small structure, whether they go in a vector register; None: it goes in memory."""
    words: list[bool | None] = [None] * -(-(type_.size or 0) // _WORD)
    for offset, leaf in _leaves(type_, 0):
        size = size_of(leaf) or 1
        if offset % min(size, _WORD) or (isinstance(leaf, Float) and size > _WORD):
            return None
        is_vector = isinstance(leaf, Float)
        index = offset // _WORD
        words[index] = is_vector if words[index] is None else bool(words[index]) and is_vector
    return [bool(word) for word in words]


def _leaves(type_: Type, offset: int) -> list[tuple[int, Type]]:
    """(byte offset, type) of everything that is no structure or array."""
    if isinstance(type_, Struct):
        return [leaf for m in type_.members for leaf in _leaves(m.type, offset + m.bit_offset // 8)]
    if isinstance(type_, Array):
        step = size_of(type_.element) or 1
        return [leaf for i in range(min(type_.count, 16)) for leaf in _leaves(type_.element, offset + i * step)]
    return [(offset, type_)]


def _in_register(offset: int, type_: Type) -> Maker:
    """A structure that lies in one register, that is: in pt_regs."""
    pointer = Pointer(type_, Space.KERNEL)
    return lambda span: Memory(ContextAddress(offset, pointer, span), Space.KERNEL, type_, span)


def _stack_address(registers: Registers, distance: int, span: Span) -> Expr:
    pointer = ContextBytes(registers.offsets[registers.stack], ULONG, span)
    return Binary("+", pointer, IntLit(distance, ULONG, span), ULONG, span)


def _stack_scalar(registers: Registers, distance: int, type_: Type) -> Maker:
    return lambda span: Load(_stack_address(registers, distance, span), Space.USER, type_, span)


def _stack_memory(registers: Registers, distance: int, type_: Type) -> Maker:
    return lambda span: Memory(_stack_address(registers, distance, span), Space.USER, type_, span)


def words_of(args: Sequence[ProbeArg]) -> Sequence[Maker]:
    """argN of arguments that are no registers of a call: their numbers, or where they lie."""
    return [convert(lambda span, a=a: _number(a.value(span)), INT64) for a in args]  # type: ignore[misc]


def _number(value: Expr) -> Expr:
    return value.address if isinstance(value, Memory) else value
