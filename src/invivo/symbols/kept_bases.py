"""Frames that lie by a register which their callee has kept: the rules at calls, rewritten to where it keeps that.

    with_kept_bases(elf, sections, table)     table, and behind `call _dl_fixup` in _dl_runtime_resolve_xsavec, whose
                                              CFA is rbx + 56: Rule(KEPT, -48, flags=7)

A walk knows all registers in its first frame only; from a frame to its caller it brings rip, rsp and rbp. The loader's
function that binds a symbol at its first call aligns its stack by rbx, though. A function that is called directly keeps
rbx at one distance from its own CFA, which is the caller's rsp: so the caller's CFA can be told by rsp. Such a rule
stands at the last byte of the call instruction, where only frames that are not the first look for theirs.
In: a file, its unwind sections, the rules made of them. Source: the System V ABI's x86-64 supplement, 3.2.1.
"""

from __future__ import annotations

import struct
from array import array

from invivo.symbols.rules import Kind, Rule, RuleTable, pack, unpack
from invivo.symbols.unwind import rules_of_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from invivo.symbols.elf import ElfFile
    from invivo.symbols.unwind import FrameSection

__all__ = ["with_kept_bases"]

_RBX = 3
_CALL = b"\xe8"  # and 32 bits, the distance from the instruction's end
_LENGTH = 5
_PROLOGUE_ROWS = 16
_LARGEST = 1 << 16  # bytes of code by one rule


def with_kept_bases(elf: ElfFile, sections: list[FrameSection], table: RuleTable) -> RuleTable:
    """The same table, if it has no such rules; else one with rows more."""
    wanted = pack(Rule(Kind.REGISTER, flags=_RBX)) & 0xFF
    places = [index for index, rule in enumerate(table.rules[:-1]) if rule & 0xFF == wanted]
    if not places:
        return table
    kept = rules_of_sections(sections, register=_RBX)
    rows = dict(zip(table.pcs, table.rules, strict=True))
    for index in places:
        rows.update(_rows_of_calls(elf, table, kept, index))
    pcs = sorted(rows)
    return RuleTable(table.base, array("I", pcs), array("I", map(rows.__getitem__, pcs)))


def _rows_of_calls(elf: ElfFile, table: RuleTable, kept: RuleTable, index: int) -> Iterator[tuple[int, int]]:
    """Two rows for each call in the code that one rule is for: one byte's, and the old rule again."""
    start, end = table.pcs[index], table.pcs[index + 1]
    rule = unpack(table.rules[index])
    if end - start > _LARGEST or not 0 <= rule.offset < 128:
        return
    code = elf.read(table.base + start, end - start)
    at = code.find(_CALL)
    while 0 <= at <= len(code) - _LENGTH:
        after = at + _LENGTH
        (distance,) = struct.unpack_from("<i", code, at + 1)
        slot = _slot(kept, table.base + start + after + distance)
        if slot:
            there = Rule(Kind.KEPT, -8 * slot, rule.bp, rule.offset // 8)
            yield start + after - 1, pack(there)
            if start + after < end:
                yield start + after, table.rules[index]
        at = code.find(_CALL, at + 1)


def _slot(kept: RuleTable, address: int) -> int:
    """Where the function that begins at an address keeps rbx, in words below its CFA; 0: it is none, or does
    not keep it. (`kept` has rbx in the place of rbp.)"""
    try:
        first = kept.pcs.index(address - kept.base)
    except (ValueError, OverflowError):
        return 0
    for word in kept.rules[first : first + _PROLOGUE_ROWS]:
        rule = unpack(word)
        if rule.kind in (Kind.NONE, Kind.UNKNOWN):
            break
        if 0 < rule.bp < 255:
            return rule.bp
    return 0
