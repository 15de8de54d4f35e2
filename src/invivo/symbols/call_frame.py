"""Call frame instructions carried out: the bytes of a function's description to rows of rules.

    rows_of(cie, code)     ((0, 0x00010101), (4, 0x00020101), ...): distance from the function's start, packed rule

In: a common information entry (CIE), and the instructions of a description that refers to it. Out: a row for each place
where the rule changes. Raises ValueError, LookupError or struct.error where they are damaged.
Source: DWARF 5, 6.4.2 (instructions) and 2.5 (expressions); the Linux Standard Base, Core, 10.6.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from invivo.symbols.rules import Kind, Rule, pack

__all__ = ["RBP", "RIP", "Cie", "rows_of", "sleb", "uleb"]

RBP, _RSP, RIP = 6, 7, 16  # DWARF's numbers of registers
_OFFSET_MIN, _OFFSET_MAX = -(1 << 18), (1 << 18) - 8
_SAME, _AT_BP = 0, 255  # of `bp`: the caller's rbp is this frame's; it lies where rbp points to
_AT_CFA, _NOWHERE, _ELSEWHERE, _IN_REGISTER = 0, 1, 2, 16  # of `ra`: at CFA - 8; there is none; or in register ra - 16


class Cie(NamedTuple):
    """What descriptions share: `encoding` (DW_EH_PE_*) of their addresses, `instructions` to be run before theirs."""

    code_align: int
    data_align: int
    encoding: int
    has_augmentation: bool
    is_signal: bool
    is_usable: bool
    instructions: bytes


def uleb(data: bytes, at: int) -> tuple[int, int]:
    """(the unsigned LEB128 number at a place, the place after it); IndexError if it does not end."""
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7


def sleb(data: bytes, at: int) -> tuple[int, int]:
    """The same of a signed one."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value - (1 << shift) if byte & 0x40 else value), at


_State = tuple[int, int, int, int]  # CFA's register (-1: an expression), its offset (or the whole rule), rbp, ra


@functools.lru_cache(maxsize=1 << 16)  # asked for at each change, of which most look like others
def _rule(state: _State, is_signal: bool) -> int:
    register, offset, bp, ra = state
    if is_signal:
        return pack(Rule(Kind.SIGNAL, 0))
    if ra == _NOWHERE:
        return int(Kind.END)
    if ra >= _IN_REGISTER and bp >= 0 and register == _RSP and _is_told(offset):
        return pack(Rule(Kind.POPPED, offset, bp, ra - _IN_REGISTER))
    if ra or bp < 0:
        return int(Kind.UNKNOWN)
    if register == -1:
        return offset | bp << 8 if offset & 15 != Kind.UNKNOWN else offset
    if not _is_told(offset) or not 0 <= register < 16:
        return int(Kind.UNKNOWN)
    kind = {_RSP: Kind.SP, RBP: Kind.BP}.get(register, Kind.REGISTER)
    return pack(Rule(kind, offset, bp, register if kind is Kind.REGISTER else 0))


def _is_told(offset: int) -> bool:
    """Whether a rule has room for an offset."""
    return not offset & 7 and _OFFSET_MIN <= offset <= _OFFSET_MAX


def rows_of(cie: Cie, code: bytes, tracked: int = RBP) -> tuple[tuple[int, int], ...]:
    """(distance from the function's start, rule) for each place where the rule changes; its `bp` is of the register
    `tracked`."""
    initial, _ = _execute(cie, cie.instructions, (_RSP, 8, _SAME, _AT_CFA), None, [], tracked)
    rows: list[tuple[int, int]] = []
    state, location = _execute(cie, code, initial, initial, rows, tracked)
    if not rows or rows[-1][0] != location:
        rows.append((location, _rule(state, cie.is_signal)))
    return tuple(rows)


def _execute(
    cie: Cie, code: bytes, state: _State, initial: _State | None, rows: list[tuple[int, int]], tracked: int
) -> tuple[_State, int]:
    register, offset, bp, ra = state
    align = cie.data_align
    location = at = 0
    size = len(code)
    kept: list[_State] = []
    while at < size:
        op = code[at]
        at += 1
        high = op & 0xC0
        advance = 0
        if high == 0x40:
            advance = op & 0x3F
        elif high == 0x80:  # offset
            value, at = uleb(code, at)
            which = op & 0x3F
            if which == tracked:
                bp = _slot(value * align)
            elif which == RIP:
                ra = _AT_CFA if value * align == -8 else _ELSEWHERE
        elif high == 0xC0:  # restore
            which = op & 0x3F
            if which == tracked:
                bp = initial[2] if initial else _SAME
            elif which == RIP:
                ra = initial[3] if initial else _AT_CFA
        elif op == 0x0E:  # def_cfa_offset
            offset, at = uleb(code, at)
        elif op == 0x0D:  # def_cfa_register
            register, at = uleb(code, at)
        elif op == 0x0C:  # def_cfa
            register, at = uleb(code, at)
            offset, at = uleb(code, at)
        elif op == 0x0A:  # remember_state
            kept.append((register, offset, bp, ra))
        elif op == 0x0B:  # restore_state
            register, offset, bp, ra = kept.pop()
        elif op == 0:
            pass
        elif op == 2:
            advance, at = code[at], at + 1
        elif op == 3:
            advance, at = code[at] | code[at + 1] << 8, at + 2
        elif op == 4:
            advance, at = int.from_bytes(code[at : at + 4], "little"), at + 4
        elif op == 0x0F:  # def_cfa_expression
            length, at = uleb(code, at)
            register, offset = -1, _expression(code[at : at + length])
            at += length
        elif op in (0x10, 0x16):  # expression, val_expression
            which, at = uleb(code, at)
            length, at = uleb(code, at)
            block = code[at : at + length]
            at += length
            if which == tracked:
                bp = _AT_BP if op == 0x10 and block == b"\x76\0" else -1
            elif which == RIP:
                ra = _ELSEWHERE
        elif op in (5, 0x2F):  # offset_extended, GNU_negative_offset_extended
            which, at = uleb(code, at)
            value, at = uleb(code, at)
            value *= -align if op == 0x2F else align
            if which == tracked:
                bp = _slot(value)
            elif which == RIP:
                ra = _AT_CFA if value == -8 else _ELSEWHERE
        elif op in (6, 7, 8):  # restore_extended, undefined, same_value
            which, at = uleb(code, at)
            if which == tracked:
                bp = initial[2] if op == 6 and initial else _SAME
            elif which == RIP:
                ra = _NOWHERE if op == 7 else initial[3] if initial else _AT_CFA
        elif op in (9, 0x14, 0x15):  # register, val_offset, val_offset_sf
            which, at = uleb(code, at)
            value, at = sleb(code, at)
            if which == tracked:
                bp = -1
            elif which == RIP:
                ra = _IN_REGISTER + value if op == 9 and 0 <= value < 16 else _ELSEWHERE
        elif op == 0x11:  # offset_extended_sf
            which, at = uleb(code, at)
            value, at = sleb(code, at)
            if which == tracked:
                bp = _slot(value * align)
            elif which == RIP:
                ra = _AT_CFA if value * align == -8 else _ELSEWHERE
        elif op == 0x12:  # def_cfa_sf
            register, at = uleb(code, at)
            value, at = sleb(code, at)
            offset = value * align
        elif op == 0x13:  # def_cfa_offset_sf
            value, at = sleb(code, at)
            offset = value * align
        elif op == 0x2E:  # GNU_args_size
            _, at = uleb(code, at)
        else:
            raise ValueError(f"call frame instruction {op:#x}")
        if advance:
            rule = _rule((register, offset, bp, ra), cie.is_signal)
            if not rows or rows[-1][1] != rule:
                rows.append((location, rule))
            location += advance * cie.code_align
    if rows and rows[-1][1] == _rule((register, offset, bp, ra), cie.is_signal):
        location = rows[-1][0]
    return (register, offset, bp, ra), location


def _slot(distance: int) -> int:
    """`bp` of a rule, for rbp saved at CFA + distance."""
    return -distance // 8 if distance % 8 == 0 and 0 < -distance // 8 < _AT_BP else -1


_B_RSP, _B_RBP, _B_RIP = 0x77, 0x76, 0x80  # DW_OP_breg7, breg6, breg16
_DEREF, _PLUS_UCONST = 0x06, 0x23
# DW_OP_breg16 0; lit15; and; litN; ge; lit3; shl; plus: what linkers write for procedure linkage tables.
_PLT_HEAD, _PLT_TAIL = b"\x80\0\x3f\x1a", b"\x2a\x33\x24\x22"


def _expression(code: bytes) -> int:
    """The packed rule, without rbp, of a CFA that an expression gives."""
    unknown = int(Kind.UNKNOWN)
    if not code or code[0] not in (_B_RSP, _B_RBP):
        return unknown
    offset, at = sleb(code, 1)
    rest = code[at:]
    if not _is_told(offset):
        return unknown
    is_bp = code[0] == _B_RBP
    if rest == b"":
        return pack(Rule(Kind.BP if is_bp else Kind.SP, offset))
    if rest[:1] == bytes((_DEREF,)):
        if rest[1:] == b"":
            return pack(Rule(Kind.BP_DEREF if is_bp else Kind.SP_DEREF, offset))
        if rest[1] == _PLUS_UCONST:
            more, _ = uleb(rest, 2)
            if more % 8 == 0 and more < 128:
                return pack(Rule(Kind.BP_DEREF if is_bp else Kind.SP_DEREF, offset, 0, more // 8))
    if not is_bp and len(rest) == 9 and rest.startswith(_PLT_HEAD) and rest.endswith(_PLT_TAIL):
        return pack(Rule(Kind.PLT, offset, 0, rest[4] - 0x30 & 15))
    return unknown
