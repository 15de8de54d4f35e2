"""Where a unit's code keeps what does not fit into registers: the BPF stack, and behind it a scratch area in a map.

    storage.slot(16)                      16 bytes of stack, given back at the end of the statement
    storage.slot(256)                     %temp + 0 in the scratch area, likewise
    storage.reserve(48, Lifetime.CLAUSE)  a Place until the clause's end: a record
    storage.reserve(256, Lifetime.UNIT)   a Place never given back: a variable
    storage.at(place)                     its address, wherever code is written now

All is decided while code is written, so what is given back is used again by code farther down, never at run time.
The scratch area is one value: unit slots, then clause slots, then temporary ones. Where the last two begin is known
when all is written; until then these places have names.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from invivo.codegen.ir import Function, Value
from invivo.program.layout import round_up

__all__ = ["STACK_BUDGET", "Lifetime", "Mark", "Place", "Storage"]

STACK_BUDGET = 256  # bytes of the 512 that slots may take; LLVM spills into the rest
_STACK_SLOT = 72  # greater slots lie in the scratch area


class Lifetime(enum.IntEnum):
    UNIT = 0
    CLAUSE = 1
    STATEMENT = 2


class Place(NamedTuple):
    """Memory by the name of where it lies, and a distance in bytes."""

    base: Value
    offset: int


Mark = tuple[int, int]  # nesting depth, bytes of temporary scratch in use


class _StackSlot:
    __slots__ = ("depth", "size", "value")

    def __init__(self, value: Value, size: int, depth: int) -> None:
        self.value = value
        self.size = size
        self.depth = depth  # of the nesting it belongs to, -1 while it is free


class Storage:
    """The slots of one unit."""

    def __init__(self, out: Function, stack_budget: int) -> None:
        self.is_used = False  # whether the scratch area is
        self._out = out
        self._budget = stack_budget
        self._stack: list[_StackSlot] = []
        self._depth = int(Lifetime.STATEMENT)
        self._unit_size = 0
        self._clause_used = self._clause_size = 0
        self._temp_used = self._temp_size = 0

    def slot(self, size: int) -> Value:
        """`size` bytes (rounded up to 8), with no particular content, until the statement's end."""
        return self.at(self.reserve(size))

    def scratch(self, size: int) -> Value:
        """The same, always in the scratch area."""
        return self.at(self.reserve_scratch(size))

    def at(self, place: Place) -> Value:
        """The address of a place, computed anew: it may not have been on the way to here."""
        return self._out.offset(place.base, place.offset)

    def reserve(self, size: int, lifetime: Lifetime = Lifetime.STATEMENT) -> Place:
        """`size` bytes (rounded up to 8) with no particular content."""
        size = round_up(size, 8)
        if size <= _STACK_SLOT:
            depth = self._depth if lifetime is Lifetime.STATEMENT else int(lifetime)
            # What outlives a clause is zero at first: code after a fault may come from where it was not set yet.
            is_zero = lifetime is Lifetime.UNIT
            for free in self._stack if not is_zero else ():
                if free.depth < 0 and free.size == size:
                    free.depth = depth
                    return Place(free.value, 0)
            if size <= self._budget:
                self._budget -= size
                self._stack.append(_StackSlot(self._out.alloca(size, is_zero=is_zero), size, depth))
                return Place(self._stack[-1].value, 0)
        return self.reserve_scratch(size, lifetime)

    def reserve_scratch(self, size: int, lifetime: Lifetime = Lifetime.STATEMENT) -> Place:
        """The same, always in the scratch area."""
        self.is_used = True
        size = round_up(size, 8)
        match lifetime:
            case Lifetime.UNIT:
                base, offset = "%scratch", self._unit_size
                self._unit_size += size
            case Lifetime.CLAUSE:
                base, offset = "%frame", self._clause_used
                self._clause_used += size
                self._clause_size = max(self._clause_size, self._clause_used)
            case Lifetime.STATEMENT:
                base, offset = "%temp", self._temp_used
                self._temp_used += size
                self._temp_size = max(self._temp_size, self._temp_used)
        return Place(Value("ptr", base), offset)

    def mark(self) -> Mark:
        """What is in use now; slots from here on are given back by `release`."""
        self._depth += 1
        return self._depth, self._temp_used

    def release(self, mark: Mark) -> None:
        """Give back all temporary slots made since the mark."""
        depth, self._temp_used = mark
        self._free(depth)
        self._depth = depth - 1

    def end_clause(self) -> None:
        """Give back what belongs to the clause."""
        self._clause_used = 0
        self._free(int(Lifetime.CLAUSE), int(Lifetime.CLAUSE))

    def _free(self, lowest: int, highest: int = 1 << 30) -> None:
        for slot in self._stack:
            if lowest <= slot.depth <= highest:
                slot.depth = -1

    @property
    def bases(self) -> tuple[tuple[str, int], ...]:
        """The names of places in the scratch area, and their offsets."""
        return ("%frame", self._unit_size), ("%temp", self._unit_size + self._clause_size)

    @property
    def size(self) -> int:
        """Bytes of the scratch area."""
        return self._unit_size + self._clause_size + self._temp_size
