"""Where a function's return is probed: by the kernel's return probes, or at the instructions by which it is left.

    a function of C                     None: the kernel's
    of Go, which moves its stacks       each ret
    of C++ or Rust                      each ret, and each jump into another function (a tail call)
    for C, in a file that throws        each ret, if there are no such jumps, else None

The kernel's return probes put an address of their own in place of the return address. What unwinds the stack meanwhile
does not know it: an exception that is thrown through such a function finds no handler, and ends the program
(std::terminate). Source: kernel/events/uprobes.c, prepare_uretprobe(); the Itanium C++ ABI, Exception Handling, 1.6.

In: a function and its code. Out: addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from invivo.symbols import instructions
from invivo.symbols.elf_format import Function
from invivo.symbols.functions import FunctionTable

__all__ = ["ReturnNotes", "return_places"]

_MANGLED = ("_Z", "_R")  # how names of C++ and Rust begin
_COLD = (".cold", ".cold.1")  # what GCC and Clang call the part of a function that is rarely run


class ReturnNotes:
    """What is to be told of the returns of functions of files that throw."""

    def __init__(self) -> None:
        self._jumping: dict[str, set[str]] = {}  # by file
        self._endangered: dict[str, set[str]] = {}

    def add(self, file: str, function: str, ways: instructions.Ways | None) -> None:
        """Note how a function is left, or (None) that its code does not tell."""
        if ways is None:
            self._endangered.setdefault(file, set()).add(function)
        elif ways.jumps:
            self._jumping.setdefault(file, set()).add(function)

    def __iter__(self) -> Iterator[str]:
        for file, names in self._jumping.items():
            yield (
                f"{_some(names)} of {file} may end by a jump into another function (a tail call): the probe fires "
                f"before that one runs, and the value (arg1) is not known then: {_shown(names)}"
            )
        for file, names in self._endangered.items():
            yield (
                f"{_some(names)} of {file} cannot be probed at the return in a way that exceptions pass: one that is "
                f"thrown through it meanwhile ends the program: {_shown(names)}"
            )


def return_places(table: FunctionTable, function: Function, code: bytes, notes: ReturnNotes) -> list[int] | None:
    """Addresses of the instructions to probe, which may be none; None: a return probe of the kernel's."""
    if table.is_go:
        return [function.address + at for at in instructions.returns(code)]
    if function.name.endswith(_COLD):  # what is jumped to has no return address on top of the stack
        return []
    if not table.throws or not function.size:
        return None
    parts = [part for suffix in _COLD for part in table.by_name.get(function.name + suffix, ())]
    pieces = [(function.address, code), *((part.address, table.code(part)) for part in parts)]
    ways = instructions.ways_out(pieces)
    if not function.name.startswith(_MANGLED) and (ways is None or ways.jumps):
        return None  # nothing throws through functions for C, such as an allocator's malloc, whose value is wanted
    notes.add(table.object.name, function.name, ways)
    return None if ways is None else sorted(ways.returns + ways.jumps)


def _some(names: set[str]) -> str:
    return "1 function" if len(names) == 1 else f"{len(names)} functions"


def _shown(names: set[str]) -> str:
    return ", ".join(sorted(names)[:4]) + (" ..." if len(names) > 4 else "")
