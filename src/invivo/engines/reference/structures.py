"""Structures and arrays that are variables: where their bytes are, and how parts of them are read and written.

g.count           four bytes of what all firings share
this->s.name      the same of the firing's own memory
self->s.bytes     bytes of the thread's entry; zeros where there is none, which a write makes
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.engines.reference import memory
from invivo.engines.reference.compiler import Compiler, Scalar, Text
from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.values import MASK, wrapper
from invivo.program.layout import variable_size
from invivo.program.nodes import (
    Assign,
    Binary,
    Comma,
    Convert,
    Element,
    EntryAddress,
    Expr,
    Load,
    Memory,
    ReadString,
    Scope,
    Update,
    VariableAddress,
    VarRef,
)
from invivo.program.plan import FaultKind
from invivo.program.tables import FIRST_ADDRESS
from invivo.program.types import Enum, Int, Space, Type, size_of

__all__ = [
    "OWN_SPACES", "address", "assign_part", "assign_string", "assign_whole", "reader", "reader_to_end",
    "update_part",
]  # fmt: skip

OWN_SPACES = (Space.SCRATCH, Space.GLOBAL, Space.ENTRY)

Place = Load | Memory | ReadString
Bytes = Callable[[Firing], bytes]
# What finds a place, and yields the bytes that it lies in and its index there. For a write the bytes are changed.
_Found = Callable[[Firing, bool], tuple[bytearray, int]]


def address(c: Compiler, expr: VariableAddress) -> Scalar:
    """The address of a variable in its space."""
    places = c.tables.global_places if expr.variable.scope is Scope.GLOBAL else c.tables.own_places
    start = places[expr.variable]
    return lambda f: start


def _place(c: Compiler, expr: Place, size: int) -> _Found:
    """Where `size` bytes lie.

    Raises:
        Raised: BADADDR, with the address, where they do not all lie in the program's own memory.
    """
    site, space = c.site(expr.span), expr.space
    if space is Space.ENTRY:
        return _in_entry(c, expr, size, site)
    where = c.scalar(expr.address)
    if space is Space.GLOBAL:
        shared, end = c.shared_memory, c.tables.global_end

        def find_shared(f: Firing, is_write: bool) -> tuple[bytearray, int]:
            at = where(f) & MASK
            if not FIRST_ADDRESS <= at <= end - size:
                raise Raised(FaultKind.BADADDR, at, site)
            return shared, at

        return find_shared

    def find_own(f: Firing, is_write: bool) -> tuple[bytearray, int]:
        at = where(f)
        try:
            f.own(at, size)
        except Raised as fault:
            fault.site = fault.site if fault.site >= 0 else site
            raise
        return f.memory, at

    return find_own


def _in_entry(c: Compiler, expr: Place, size: int, site: int) -> _Found:
    from invivo.engines.reference.variables import entry_key

    root, distance = _taken_apart(c, expr.address)
    entries, key = c.entries_of(root.variable), entry_key(c, root)
    whole = size_of(root.type) or 0
    stored = variable_size(root.type)

    def find(f: Firing, is_write: bool) -> tuple[bytearray, int]:
        at = distance(f) & MASK
        if at > whole - size:
            raise Raised(FaultKind.BADADDR, at, site)
        place = key(f)
        found = entries.get(place)
        if found is None:
            found = bytearray(stored)
            if is_write:
                entries[place] = found
        return found, at

    return find


def _taken_apart(c: Compiler, expr: Expr) -> tuple[VarRef | Element, Scalar]:
    match expr:
        case EntryAddress(reference):
            return reference, lambda f: 0
        case Convert(operand):
            return _taken_apart(c, operand)
        case Binary("+", left, right):
            reference, start = _taken_apart(c, left)
            more = c.scalar(right)
            return reference, lambda f: start(f) + more(f)
        case Comma(first, second):
            reference, start = _taken_apart(c, second)
            effect = c.value(first)
            return reference, lambda f: (effect(f), start(f))[1]
    raise TypeError(f"{type(expr).__name__} is no address of an entry")


# --- reading ----------------------------------------------------------------------------------------------------------


def reader(c: Compiler, expr: Place, size: int) -> Bytes:
    """`size` bytes there."""
    place = _place(c, expr, size)

    def read(f: Firing) -> bytes:
        data, at = place(f, False)
        return bytes(data[at : at + size])

    return read


def reader_to_end(c: Compiler, expr: ReadString) -> Bytes:
    """All bytes from there to the end of the memory: what a string may take."""
    place = _place(c, expr, 1)

    def read(f: Firing) -> bytes:
        data, at = place(f, False)
        return bytes(data[at:])

    return read


# --- writing ----------------------------------------------------------------------------------------------------------


def assign_part(c: Compiler, expr: Assign, value: Scalar) -> Scalar:
    """Store a scalar or bit-field; yields what it then is. The value is evaluated before the address."""
    assert isinstance(expr.target, Load)
    part = _Part(c, expr.target)
    place = _place(c, expr.target, part.size)

    def assign(f: Firing) -> int:
        new = part.fitting(value(f))
        part.store(*place(f, True), new)
        return new

    return assign


def update_part(c: Compiler, expr: Update, new_of: Callable[[int, int], int]) -> Scalar:
    """`target op= value` in memory."""
    assert isinstance(expr.target, Load)
    part, amount, is_postfix = _Part(c, expr.target), c.scalar(expr.value), expr.is_postfix
    place = _place(c, expr.target, part.size)

    def update(f: Firing) -> int:
        by = amount(f)
        data, at = place(f, True)
        old = part.load(data, at)
        new = part.fitting(new_of(old, by))
        part.store(data, at, new)
        return old if is_postfix else new

    return update


def assign_whole(c: Compiler, expr: Assign) -> Scalar:
    """Copy a structure, or fill it with zeros."""
    target, size = expr.target, size_of(expr.target.type) or 0
    assert isinstance(target, Memory)
    value: Bytes = memory.read_bytes(c, expr.value, size) if isinstance(expr.value, Memory) else lambda f: bytes(size)
    place = _place(c, target, size)

    def assign(f: Firing) -> int:
        new = value(f)
        data, at = place(f, True)
        data[at : at + size] = new
        return 0

    return assign


def assign_string(c: Compiler, expr: Assign) -> Text:
    """Store a string into a member or element, cut to fit; yields what was stored."""
    target, size = expr.target, size_of(expr.target.type) or 0
    assert isinstance(target, ReadString)
    value, place = c.string(expr.value), _place(c, target, size)

    def assign(f: Firing) -> bytes:
        new = value(f)[: size - 1]
        data, at = place(f, True)
        data[at : at + len(new) + 1] = new + b"\0"
        return new

    return assign


class _Part:
    """How a scalar or bit-field lies in memory."""

    __slots__ = ("_mask", "_shift", "_sign", "_wrap", "size")

    def __init__(self, c: Compiler, target: Load) -> None:
        self._wrap, self._shift = wrapper(target.type), 0
        self.size = _scalar_size(target.type)
        self._mask, self._sign = (1 << 8 * self.size) - 1, 0
        if target.bits is not None:
            self._shift, width = target.bits
            self.size = (self._shift + width + 7) // 8
            self._mask = (1 << width) - 1
            self._sign = 1 << width - 1 if isinstance(target.type, Int | Enum) and target.type.signed else 0
            self._wrap = self._of_width

    def _of_width(self, value: int) -> int:
        kept = value & self._mask
        return (kept ^ self._sign) - self._sign if self._sign else kept

    def fitting(self, value: int) -> int:
        """What is there after `value` is stored."""
        return self._wrap(value)

    def load(self, data: bytearray, at: int) -> int:
        word = int.from_bytes(data[at : at + self.size], "little")
        return self._wrap(word >> self._shift & self._mask)

    def store(self, data: bytearray, at: int, value: int) -> None:
        word = int.from_bytes(data[at : at + self.size], "little")
        word = word & ~(self._mask << self._shift) | (value & self._mask) << self._shift
        data[at : at + self.size] = word.to_bytes(self.size, "little")


def _scalar_size(type_: Type) -> int:
    return type_.size if isinstance(type_, Int | Enum) else 8
