"""Unwind rules: how the frame is left that a pc lies in.

    table.find(0x27249)  ->  Rule(Kind.SP, offset=16, bp=2): CFA is rsp + 16; rbp lies at CFA - 16; the return address
                             at CFA - 8
    unpack(pack(rule)) == rule

A rule in 32 bits | kind 4 | flags 4 | bp 8 | offset 16, signed, in eights of bytes |; see `Kind`. What unwinds needs
rip, rsp and rbp only: compilers address frames by nothing else but in a few instructions of hand-written code.
In: rules, and tables that symbols/unwind has read. Out: the same packed, and the rule of an address.
Source: the System V ABI's x86-64 supplement, 3.6 and 3.7.
"""

from __future__ import annotations

import enum
from array import array
from bisect import bisect_right
from typing import NamedTuple

__all__ = ["EMPTY", "Kind", "Rule", "RuleTable", "pack", "unpack"]


class Kind(enum.IntEnum):
    """Where the canonical frame address (CFA) is. The return address lies at CFA - 8."""

    NONE = 0  # no rule: no code of a compiler, or none with unwind information
    SP = 1  # rsp + offset
    BP = 2  # rbp + offset
    BP_DEREF = 3  # what lies at rbp + offset, + 8 * flags
    SP_DEREF = 4  # what lies at rsp + offset, + 8 * flags
    PLT = 5  # rsp + offset, and 8 more if (rip & 15) >= flags
    END = 6  # there is no caller
    SIGNAL = 7  # a signal's frame: the interrupted registers lie in the ucontext at rsp + offset
    REGISTER = 8  # register number `flags` + offset; only in the frame whose registers are all known
    UNKNOWN = 9  # a rule that cannot be told in 32 bits
    POPPED = 10  # rsp + offset; the return address is in register number `flags`; like REGISTER in the first frame only
    KEPT = 11  # rbx + 8 * flags; the callee has kept rbx at rsp + offset, or if that is no stack any more, not yet


class Rule(NamedTuple):
    """`offset` in bytes; `bp` n: the caller's rbp lies at CFA - 8 n, 0: it is unchanged, 255: at rbp."""

    kind: Kind
    offset: int = 0
    bp: int = 0
    flags: int = 0


def pack(rule: Rule) -> int:
    """The rule's 32 bits."""
    return rule.kind | rule.flags << 4 | rule.bp << 8 | (rule.offset >> 3 & 0xFFFF) << 16


def unpack(word: int) -> Rule:
    """The rule that 32 bits mean."""
    offset = word >> 16
    return Rule(Kind(word & 15), (offset - (1 << 16) if offset >> 15 else offset) * 8, word >> 8 & 255, word >> 4 & 15)


class RuleTable(NamedTuple):
    """The rules of one file. `base` is the lowest address that has one."""

    base: int
    pcs: array[int]
    rules: array[int]

    def find(self, address: int) -> Rule:
        """The rule for a pc, given as the file's own address."""
        index = bisect_right(self.pcs, address - self.base) - 1 if address >= self.base else -1
        return unpack(self.rules[index]) if index >= 0 else Rule(Kind.NONE)


EMPTY = RuleTable(0, array("I"), array("I"))
