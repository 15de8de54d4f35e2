"""What the D program reads for each call, as the words of its tables.

    calls, recipes = tables({0, 257}, limit=33)      bytes of `calls[512]` and `recipes[1024]`, see program.py

A word of `calls` says whether a call is shown, how many recipes it has at its entry and at its return, which of its
arguments are descriptors, and where its recipes begin. A recipe is one piece of memory: a strace.pieces.Capture.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Collection

from invivo.strace.calls import call, numbers
from invivo.strace.pieces import MASK_IN_FRAME, RESULT, Capture
from invivo.strace.render import renderer_of, returns_descriptor

__all__ = [
    "CALLS", "FOREIGN", "MOST_BYTES", "NONE", "RAX_IN_FRAME", "RECIPES", "SIZES", "SLOTS", "UNKNOWN", "Kind", "Shape",
    "kinds", "tables",
]  # fmt: skip

CALLS, RECIPES = 512, 1024
SLOTS = 4  # recipes of a call at its entry, and at its return
FOREIGN, UNKNOWN, NONE = 511, 509, 510  # in `calls`: a 32-bit call; one whose number is greater; no call
MOST_BYTES = 1 << 14  # of tracemem()
_MOST_STRING = 4096
RAX_IN_FRAME = 144  # arch/x86/include/uapi/asm/sigcontext.h, in struct ucontext
# Offsets in struct pt_regs (arch/x86/include/uapi/asm/ptrace.h) of the six arguments and the result, and of the stack.
_REGISTERS, _SP = (112, 104, 96, 56, 72, 64, 80), 152


class Kind(enum.IntEnum):
    """How a recipe's memory is recorded: a string, or bytes in a record of the size that fits."""

    STRING = 1
    SMALL = 2
    MEDIUM = 3
    LARGE = 4


SIZES = {Kind.SMALL: 128, Kind.MEDIUM: 1024, Kind.LARGE: MOST_BYTES}
# What a slot may hold, at the entry and at the return: each is code. Recipes are sorted so that they fit.
_ENTRY_KINDS = (tuple(Kind), (Kind.STRING, Kind.SMALL, Kind.MEDIUM), (Kind.STRING, Kind.SMALL), (Kind.SMALL,))
_RETURN_KINDS = (tuple(Kind), (Kind.SMALL, Kind.MEDIUM), (Kind.SMALL,), (Kind.SMALL,))
_ORDER = (Kind.LARGE, Kind.STRING, Kind.MEDIUM, Kind.SMALL)


def kinds(slot: int, at_return: bool) -> tuple[Kind, ...]:
    """The kinds that a slot may have."""
    return (_RETURN_KINDS if at_return else _ENTRY_KINDS)[slot]


class Shape(enum.IntEnum):
    """Calls whose arguments lead from memory to memory."""

    PLAIN = 0
    EXECVE = 1  # argv and envp in the second and third argument
    EXECVEAT = 2  # in the third and fourth
    VECTORS = 3  # struct iovec, which the call reads
    OUT_VECTORS = 4  # which it fills
    MESSAGE = 5  # struct user_msghdr
    OUT_MESSAGE = 6


_SHAPES = {
    "execve": Shape.EXECVE, "execveat": Shape.EXECVEAT, "writev": Shape.VECTORS, "pwritev": Shape.VECTORS,
    "pwritev2": Shape.VECTORS, "readv": Shape.OUT_VECTORS, "preadv": Shape.OUT_VECTORS, "preadv2": Shape.OUT_VECTORS,
    "sendmsg": Shape.MESSAGE, "recvmsg": Shape.OUT_MESSAGE,
}  # fmt: skip
# Calls whose pieces follow pointers, and what of them is read all the same.
_NESTED: dict[str, tuple[Capture, ...]] = {
    "execve": (Capture(0, _MOST_STRING, is_string=True),), "execveat": (Capture(1, _MOST_STRING, is_string=True),),
    "sendmsg": (Capture(1, 56),), "recvmsg": (Capture(1, 56), Capture(1, 56, at_return=True)),
    "pselect6": (
        Capture(1, 128), Capture(2, 128), Capture(3, 128), Capture(4, 16),
        Capture(1, 128, at_return=True), Capture(2, 128, at_return=True), Capture(3, 128, at_return=True),
        Capture(4, 16, at_return=True),
    ),
}  # fmt: skip


def tables(chosen: Collection[int] | None, limit: int, reads_memory: bool = True) -> tuple[bytes, bytes]:
    """See the module's text; `chosen` None: all calls. `limit` bytes of buffers are shown at most."""
    words = [0] * CALLS
    recipes: list[int] = []
    known = set(numbers().values())
    for number in known if chosen is None else chosen:
        if not 0 <= number < UNKNOWN:
            continue
        captures = _captures(number) if reads_memory else ()
        entries = [_recipe(capture, limit) for capture in captures if not capture.at_return][:SLOTS]
        if reads_memory and call(number).name == "rt_sigreturn":
            entries.append(_recipe(Capture(-1, 8), limit, RAX_IN_FRAME))
        returns = [_recipe(capture, limit) for capture in captures if capture.at_return][:SLOTS]
        entries, returns = _sorted(entries, False), _sorted(returns, True)
        shape = _SHAPES.get(call(number).name, Shape.PLAIN) if reads_memory else Shape.PLAIN
        word = 1 | len(entries) << 1 | len(returns) << 4 | _descriptors(number) << 8 | shape << 25
        words[number] = word | len(recipes) << 32
        recipes += entries + returns
    if chosen is None:
        for number in range(CALLS):
            if number not in known and number != NONE:
                words[number] = 1
    assert len(recipes) <= RECIPES
    recipes += [0] * (RECIPES - len(recipes))
    return struct.pack(f"<{CALLS}Q", *words), struct.pack(f"<{RECIPES}Q", *recipes)


def _captures(number: int) -> tuple[Capture, ...]:
    found = renderer_of(number).captures
    found = _NESTED.get(call(number).name, ()) if found is None else found
    return tuple(capture for capture in found if capture.size)


def _recipe(capture: Capture, limit: int, displacement: int = MASK_IN_FRAME) -> int:
    size = min(limit if capture.size < 0 else capture.size, MOST_BYTES)
    if capture.is_string:
        kind = Kind.STRING
    else:
        kind = next(kind for kind, most in SIZES.items() if size <= most)
    times = 0 if capture.times < 0 else _REGISTERS[capture.times]
    assert capture.times in range(-1, RESULT + 1)
    where = _SP | displacement << 48 if capture.argument < 0 else _REGISTERS[capture.argument]
    return where | times << 8 | capture.unit << 16 | kind << 24 | size << 32


def _kind(recipe: int) -> Kind:
    return Kind(recipe >> 24 & 0xFF)


def _sorted(recipes: list[int], at_return: bool) -> list[int]:
    """In an order in which each has a slot for its kind."""
    recipes.sort(key=lambda recipe: _ORDER.index(_kind(recipe)))
    for slot, recipe in enumerate(recipes):
        assert _kind(recipe) in kinds(slot, at_return), (slot, recipe)
    return recipes


def _descriptors(number: int) -> int:
    """The registers of the first two descriptors, and a bit that the call returns one."""
    found = [_REGISTERS[index] for index in renderer_of(number).descriptors][:2]
    first, second = [*found, 0, 0][:2]
    return first | second << 8 | returns_descriptor(number) << 16
