"""What is written down at a system call's stop, and what comes out: values only.

    Recipe.string("si", 4096)                the path that openat(2) is given, when it is called
    Recipe.bytes("si", 32, length="ax")      what read(2) has read, at its return: at most 32 bytes, at most its result
    Record(kind=Kind.ENTRY, number=257, tid=4711, pid=4711, time_ns=..., raw=..., pieces=(Piece(...),))
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from invivo.engines.process.native.layout import ARGUMENTS, BRIEF, REGISTER
from invivo.engines.process.native.loop_ir import KIND_ENTRY, KIND_RETURN
from invivo.engines.process.native.record_ir import RECIPE_BYTES, RECIPE_COMM, RECIPE_STRING

__all__ = ["Kind", "Piece", "Recipe", "Record"]

_NO_REGISTER = 255
_ALL, _BRIEF, _ARGUMENTS = (struct.Struct(f"<{count}Q") for count in (len(REGISTER), len(BRIEF), len(ARGUMENTS)))
_CS, _SS = 0x33, 0x2B  # of every 64-bit thread


class Kind(enum.IntEnum):
    """Which stop a record is of."""

    ENTRY = KIND_ENTRY
    RETURN = KIND_RETURN


class Recipe(NamedTuple):
    """A piece of memory to be read at a stop; `register` holds its address, and `displacement` is added to it.

    The registers of arguments are di, si, dx, r10, r8, r9 at an entry and at its return; ax is the result.
    """

    kind: int
    register: int = 0
    limit: int = 0
    length_register: int = _NO_REGISTER
    displacement: int = 0

    @classmethod
    def string(cls, register: str, limit: int, displacement: int = 0) -> Recipe:
        """The bytes before the first NUL, at most `limit`; unreadable if there is none in what can be read."""
        return cls(RECIPE_STRING, REGISTER[register], limit, displacement=displacement)

    @classmethod
    def bytes(cls, register: str, limit: int, *, length: str = "", displacement: int = 0) -> Recipe:
        """So many bytes, or as many as another register says if those are fewer; a part, where memory ends."""
        return cls(RECIPE_BYTES, REGISTER[register], limit, REGISTER[length] if length else _NO_REGISTER, displacement)

    @classmethod
    def comm(cls) -> Recipe:
        """The thread's name, as /proc/TID/comm has it at that moment."""
        return cls(RECIPE_COMM, 0, 16)

    @property
    def room(self) -> int:
        """How many bytes of a record it may take."""
        return 16 + (self.limit + 8 & ~7)


class Piece(NamedTuple):
    """What was read for a recipe, of its kind and limit; None where it could not be."""

    address: int
    data: bytes | None
    kind: int
    limit: int


class Record(NamedTuple):
    """A stop of a thread in system call `number`.

    `time_ns` is CLOCK_MONOTONIC; `pieces` are in the order of the recipes; `raw` are all registers, or those of a call.
    """

    kind: int
    number: int
    tid: int
    pid: int
    time_ns: int
    raw: bytes
    pieces: tuple[Piece, ...]

    @property
    def arguments(self) -> tuple[int, ...]:
        """The call's six arguments, at its return too."""
        if len(self.raw) == _BRIEF.size:
            return _ARGUMENTS.unpack_from(self.raw)
        words = _ALL.unpack(self.raw)
        return tuple(words[index] for index in ARGUMENTS)

    @property
    def result(self) -> int:
        """What the call returned, as an unsigned word; of an entry nothing."""
        at = 48 if len(self.raw) == _BRIEF.size else 8 * REGISTER["ax"]
        return int.from_bytes(self.raw[at : at + 8], "little")

    @property
    def registers(self) -> bytes:
        """Registers as ptrace.read_registers() gives them, with the call's number, arguments and result, ip, sp and cs
        at least."""
        if len(self.raw) != _BRIEF.size:
            return self.raw
        words = [0] * len(REGISTER)
        for index, word in zip(BRIEF, _BRIEF.unpack(self.raw), strict=True):
            words[index] = word
        words[REGISTER["orig_ax"]], words[REGISTER["cs"]], words[REGISTER["ss"]] = self.number, _CS, _SS
        return _ALL.pack(*words)
