"""Structures and arrays that are variables: where they lie, and how parts of them are read and written.

g.count            a load at a constant offset of the globals map's value
this->s.name       the same in the firing's own memory
self->s.bytes += 1 the entry of the hash is looked up, made of zeros if it is missing, and added to where it is
a[k].x = ...       the same; where the map is full it is a counted drop
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import gcd
from typing import NamedTuple

from invivo.codegen import expressions, memory, variables
from invivo.codegen.emitter import Emitter, Helper, Str
from invivo.codegen.ir import NULL, ZERO, Value, const
from invivo.program.layout import variable_size
from invivo.program.nodes import (
    Assign,
    Binary,
    Comma,
    Convert,
    EntryAddress,
    Expr,
    IntLit,
    Load,
    Memory,
    ReadString,
    Scope,
    Update,
    VariableAddress,
)
from invivo.program.plan import FaultKind
from invivo.program.shared import Globals
from invivo.program.tables import FIRST_ADDRESS
from invivo.program.types import BOOL, Enum, Int, Space, String, Type, size_of
from invivo.source import Span

__all__ = ["OWN_SPACES", "address", "assign", "assign_string", "evaluate", "load", "pointer", "read_bytes", "update"]

OWN_SPACES = (Space.SCRATCH, Space.GLOBAL, Space.ENTRY)
_ANY_ALIGNMENT = 1

Place = Load | Memory | ReadString


class Pointer(NamedTuple):
    """An address that the verifier knows, and what is known of its alignment in bytes."""

    value: Value
    align: int


class _Sum(NamedTuple):
    """An address taken apart: a variable, a constant distance, distances known at run time, effects that come first."""

    root: VariableAddress | EntryAddress | None
    distance: int
    others: tuple[Expr, ...]
    effects: tuple[Expr, ...]


def _taken_apart(expr: Expr) -> _Sum:
    match expr:
        case VariableAddress() | EntryAddress():
            return _Sum(expr, 0, (), ())
        case Convert(operand, type_) if size_of(type_) == 8 and size_of(operand.type) == 8:
            return _taken_apart(operand)
        case Binary("+", left, IntLit(number)):
            inner = _taken_apart(left)
            return inner._replace(distance=inner.distance + number)
        case Binary("+", left, right):
            inner = _taken_apart(left)
            return inner._replace(others=(*inner.others, right))
        case Comma(first, second):
            inner = _taken_apart(second)
            return inner._replace(effects=(first, *inner.effects))
    return _Sum(None, 0, (), ())


# --- where it is ------------------------------------------------------------------------------------------------------


def address(e: Emitter, expr: VariableAddress) -> Value:
    """The address of a variable in its space, a number; one of the firing's own is zero from the firing's start."""
    variable = expr.variable
    if variable.scope is Scope.GLOBAL:
        return const(e.module.global_places[variable])
    start = e.module.own_places[variable]
    if variable.scope is Scope.CLAUSE and variable not in e.firing_zeroed:
        e.firing_zeroed.add(variable)
        with e.in_block(e.firing_init):
            place = memory.own_place(e, start)
            e.clear(place, const(variable_size(variable.type)))
    return const(start)


def pointer(e: Emitter, place: Place, size: int) -> Pointer:
    """Where `size` bytes of the program's own memory may be read: zeros where an entry is missing."""
    sum_ = _taken_apart(place.address)
    if place.space is Space.ENTRY:
        assert isinstance(sum_.root, EntryAddress)
        offset = _entry_offset(e, sum_, size, place.span)
        whole = size_of(sum_.root.reference.type) or 0
        _, entry = variables.find(e, sum_.root.reference)
        found, done = e.out.new_block("found"), e.out.new_block("read")
        source = e.out.block
        e.out.branch_if(e.out.compare("ne", entry, NULL), found, done)
        e.out.enter(found)
        e.out.enter(done)
        start = e.out.phi([(e.module.zeros(whole), source), (entry, found)])
        return Pointer(_moved(e, start, sum_, offset), _alignment(sum_))
    return _in_region(e, place, sum_, size)


@contextmanager
def _written(e: Emitter, place: Place, size: int) -> Iterator[Pointer]:
    """Code that writes `size` bytes there; it does not run where the entry could not be made."""
    sum_ = _taken_apart(place.address)
    if place.space is not Space.ENTRY:
        yield _in_region(e, place, sum_, size)
        return
    assert isinstance(sum_.root, EntryAddress)
    offset = _entry_offset(e, sum_, size, place.span)
    variable = sum_.root.reference.variable
    map_ = e.module.map_address(e.module.variable_map(variable))
    key, entry = variables.find(e, sum_.root.reference)
    missing, done = e.out.new_block("missing"), e.out.new_block("made")
    source = e.out.block
    e.out.branch_if(e.out.compare("eq", entry, NULL), missing, done)
    e.out.enter(missing)
    # Another CPU may be first, hence BPF_NOEXIST: what counts is whether there is an entry afterwards.
    status = e.out.call(Helper.MAP_UPDATE, map_, key, e.module.zeros(variable_size(variable.type)), const(1))
    again = e.out.to_pointer(e.out.call(Helper.MAP_LOOKUP, map_, key))
    is_lost = e.out.compare("eq", again, NULL)
    with e.when(is_lost, (0, 1)):
        e.count_lost(status, Globals.VARIABLE_DROPS, Globals.VARIABLES_REFUSED)
    last = e.out.block
    e.out.enter(done)
    start = e.out.phi([(entry, source), (again, last)])
    with e.when(e.out.compare("ne", start, NULL)):
        yield Pointer(_moved(e, start, sum_, offset), _alignment(sum_))


def _in_region(e: Emitter, place: Place, sum_: _Sum, size: int) -> Pointer:
    root = sum_.root
    if isinstance(root, VariableAddress) and not sum_.others and not sum_.effects:
        whole = size_of(root.variable.type) or 0
        if sum_.distance >= 0 and sum_.distance + size <= whole:
            start = int(address(e, root).text) + sum_.distance
            if place.space is Space.GLOBAL:
                return Pointer(e.module.structures_address(start), _alignment(sum_))
            return Pointer(memory.own_place(e, start), _alignment(sum_))
    number = e.scalar(place.address)
    align = _alignment(sum_)
    if place.space is Space.SCRATCH:
        return Pointer(memory.scratch_address(e, number, size, place.span), align)
    last = e.module.global_end - size
    is_outside = e.out.binary(
        "or", e.out.compare("ult", number, const(FIRST_ADDRESS)), e.out.compare("ugt", number, const(max(last, 0)))
    )
    e.fault_if(is_outside, FaultKind.BADADDR, number, place.span)
    return Pointer(e.out.offset(e.module.structures_address(0), e.at_most(number, max(last, 0))), align)


def _entry_offset(e: Emitter, sum_: _Sum, size: int, span: Span) -> Value | None:
    """The part of the offset that is known at run time only, checked; effects come before it."""
    for effect in sum_.effects:
        expressions.evaluate(e, effect)
    if not sum_.others:  # the front end has checked it
        return None
    assert isinstance(sum_.root, EntryAddress)
    room = max((size_of(sum_.root.reference.type) or 0) - size - sum_.distance, 0)
    offset = e.scalar(sum_.others[0])
    for other in sum_.others[1:]:
        offset = e.out.add(offset, e.scalar(other))
    e.fault_if(e.out.compare("ugt", offset, const(room)), FaultKind.BADADDR, offset, span)
    return e.at_most(offset, room)


def _moved(e: Emitter, start: Value, sum_: _Sum, offset: Value | None) -> Value:
    return e.out.offset(start if offset is None else e.out.offset(start, offset), sum_.distance)


def _alignment(sum_: _Sum) -> int:
    """Bytes that the address is surely a multiple of: variables begin at multiples of 8."""
    if sum_.root is None:
        return _ANY_ALIGNMENT
    align = gcd(8, sum_.distance)
    for other in sum_.others:
        match other:
            case Binary("*", _, IntLit(size)):
                align = gcd(align, size)
            case _:
                return _ANY_ALIGNMENT
    return align


# --- reading ----------------------------------------------------------------------------------------------------------


def load(e: Emitter, expr: Load) -> Value:
    """A scalar or bit-field of the program's own memory."""
    if expr.bits is not None:
        return _field(e, pointer(e, expr, _bits_bytes(expr)).value, expr)
    size = _scalar_size(expr.type)
    place = pointer(e, expr, size)
    return _loaded(e, place, expr.type)


def _loaded(e: Emitter, place: Pointer, type_: Type) -> Value:
    size = _scalar_size(type_)
    value = e.out.load(place.value, f"i{size * 8}", gcd(size, place.align))
    return e.out.extend(value, isinstance(type_, Int | Enum) and type_.signed)


def read_bytes(e: Emitter, target: Value, size: int, expr: Memory) -> None:
    """Copy a structure or array of any space; a fault where it cannot be read."""
    if expr.space in OWN_SPACES:
        e.out.call(Helper.READ_KERNEL, target, const(size), pointer(e, expr, size).value)
    else:
        memory.read_into(e, target, const(size), e.scalar(expr.address), expr.space, expr.span)


def evaluate(e: Emitter, expr: Memory) -> None:
    """Evaluate the address for its effects."""
    if expr.space is Space.ENTRY:
        pointer(e, expr, 1)
    else:
        e.scalar(expr.address)


# --- writing ----------------------------------------------------------------------------------------------------------


def assign(e: Emitter, expr: Assign) -> Value:
    """Store a scalar, bit-field or structure; yields the scalar."""
    target = expr.target
    if isinstance(target, Memory):
        _assign_whole(e, target, expr.value)
        return ZERO
    assert isinstance(target, Load)
    value = e.scalar(expr.value)
    if target.bits is not None:
        with _written(e, target, _bits_bytes(target)) as place:
            _store_bits(e, place.value, target, value)
        return _bits_value(e, target, value)
    with _written(e, target, _scalar_size(target.type)) as place:
        _store(e, place, target.type, value)
    return value


def _store(e: Emitter, place: Pointer, type_: Type, value: Value) -> None:
    size = _scalar_size(type_)
    e.out.store(e.out.truncate(value, f"i{size * 8}"), place.value, gcd(size, place.align))


def _assign_whole(e: Emitter, target: Memory, value: Expr) -> None:
    size = size_of(target.type) or 0
    if not isinstance(value, Memory):  # zeros
        with _written(e, target, size) as place:
            e.clear(place.value, const(size))
        return
    # By way of a buffer: a read that fails must not leave half of a value.
    buffer = e.slot(size)
    read_bytes(e, buffer, size, value)
    with _written(e, target, size) as place:
        e.out.call(Helper.READ_KERNEL, place.value, const(size), buffer)


def assign_string(e: Emitter, expr: Assign) -> Str:
    """Store a string into a member or element; yields it."""
    from invivo.codegen import strings

    target = expr.target
    assert isinstance(target, ReadString)
    assert isinstance(target.type, String)
    size = target.type.size
    value = e.string(expr.value)
    buffer = e.slot(size)
    strings.copy(e, value, buffer, size)
    with _written(e, target, size) as place:
        strings.copy(e, Str(buffer, size), place.value, size)
    return Str(buffer, size)


def update(e: Emitter, expr: Update) -> Value:
    """`target op= value` in memory; yields the new value, or the old one of a postfix operator."""
    target = expr.target
    assert isinstance(target, Load)
    type_, common = target.type, expr.value.type
    amount = e.scalar(expr.value)
    size = _scalar_size(type_) if target.bits is None else _bits_bytes(target)
    result = e.out.alloca(8)
    e.out.store(ZERO, result)
    with _written(e, target, size) as place:
        if _is_atomic(expr, target, place):
            step = e.out.sub(ZERO, amount) if expr.op == "-" else amount
            before = e.out.fetch_add(place.value, e.out.truncate(step, f"i{size * 8}"))
            old = e.out.extend(before, expressions.is_signed(type_))
            e.out.store(old if expr.is_postfix else e.canonical(e.out.add(old, step), type_), result)
        else:
            old = _loaded(e, place, type_) if target.bits is None else _field(e, place.value, target)
            left = expressions.convert(e, old, type_, common)
            changed = expressions.arithmetic(e, expr.op, left, amount, common, expr)
            new = expressions.convert(e, changed, common, type_)
            if target.bits is None:
                _store(e, place, type_, new)
            else:
                _store_bits(e, place.value, target, new)
                new = _bits_value(e, target, new)
            e.out.store(old if expr.is_postfix else new, result)
    return e.out.load(result)


def _is_atomic(expr: Update, target: Load, place: Pointer) -> bool:
    """Whether adding is one atomic addition, as it is with scalars: what others see too, of 4 or 8 aligned bytes."""
    size, wide = _scalar_size(target.type), size_of(expr.value.type) or 0
    is_shared = target.space in (Space.GLOBAL, Space.ENTRY)
    is_whole = target.bits is None and target.type != BOOL and wide >= size >= 4 and place.align >= size
    return expr.op in "+-" and is_shared and is_whole


# --- bit-fields -------------------------------------------------------------------------------------------------------


def _bits_bytes(target: Load) -> int:
    assert target.bits is not None
    offset, width = target.bits
    return (offset % 8 + width + 7) // 8


def _field(e: Emitter, place: Value, target: Load) -> Value:
    assert target.bits is not None
    offset, width = target.bits
    e.out.store(ZERO, e.word)
    memory.copy_bytes(e, e.word, place, _bits_bytes(target), 1)
    value = e.out.binary("shl", e.out.load(e.word), const(64 - offset % 8 - width))
    return e.out.binary("ashr" if expressions.is_signed(target.type) else "lshr", value, const(64 - width))


def _store_bits(e: Emitter, place: Value, target: Load, value: Value) -> None:
    assert target.bits is not None
    offset, width = target.bits
    mask = (1 << width) - 1 << offset % 8
    e.out.store(ZERO, e.word)
    memory.copy_bytes(e, e.word, place, _bits_bytes(target), 1)
    kept = e.out.binary("and", e.out.load(e.word), const(~mask))
    moved = e.out.binary("and", e.out.binary("shl", value, const(offset % 8)), const(mask))
    e.out.store(e.out.binary("or", kept, moved), e.word)
    memory.copy_bytes(e, place, e.word, _bits_bytes(target), 1)


def _bits_value(e: Emitter, target: Load, value: Value) -> Value:
    """What a bit-field holds of a value."""
    assert target.bits is not None
    shift = const(64 - target.bits[1])
    moved = e.out.binary("shl", value, shift)
    return e.out.binary("ashr" if expressions.is_signed(target.type) else "lshr", moved, shift)


def _scalar_size(type_: Type) -> int:
    return type_.size if isinstance(type_, Int | Enum) else 8
