"""x86-64: parts of registers by the assembler's names, and DWARF's numbers of registers.

    PARTS["edi"]   -> Part("di", 112, 4)
    PARTS["ah"]    -> Part("ax", 81, 1)
    DWARF[7]       -> "sp"

Source: Intel's manual, volume 1, 3.4.1; System V ABI, AMD64 supplement, figure 3.36 (DWARF register numbers).
"""

from __future__ import annotations

from typing import NamedTuple

from invivo.linux.arch.x86_64 import REGISTERS

__all__ = ["DWARF", "PARTS", "Part"]

# DWARF's numbers 0 to 16; those from 17 on (xmm0 ...) are in no pt_regs.
DWARF = ("ax", "dx", "cx", "bx", "si", "di", "bp", "sp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "ip")


class Part(NamedTuple):
    """`size` bytes at `offset` of pt_regs, which are (part of) the 64-bit `register`."""

    register: str
    offset: int
    size: int


def _parts() -> dict[str, Part]:
    parts: dict[str, Part] = {}

    def add(name: str, register: str, size: int, skip: int = 0) -> None:
        parts[name] = Part(register, REGISTERS.offsets[register] + skip, size)

    for register in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"):
        for prefix, size in (("r", 8), ("e", 4), ("", 2)):
            add(prefix + register, register, size)
        if register.endswith("x"):
            add(register[0] + "l", register, 1)
            add(register[0] + "h", register, 1, skip=1)
        else:
            add(register + "l", register, 1)
    for number in range(8, 16):
        for suffix, size in (("", 8), ("d", 4), ("w", 2), ("b", 1)):
            add(f"r{number}{suffix}", f"r{number}", size)
    return parts


PARTS = _parts()
