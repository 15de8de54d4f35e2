"""Unwind rules of ELF files: .eh_frame and .debug_frame compacted to rows, one for each place where the rule changes.

    table = read_rules(elf)
    table.pcs      array of u32: address - table.base, ascending
    table.rules    array of u32: how to leave a frame whose pc lies from this row's up to the next one's
    table.find(0x27249)  ->  Rule(Kind.SP, offset=16, bp=2): CFA is rsp + 16; rbp lies at CFA - 16; the return address
                             at CFA - 8

A rule in 32 bits | kind 4 | flags 4 | bp 8 | offset 16, signed, in eights of bytes |; see `Kind`. What unwinds needs
rip, rsp and rbp only: compilers address frames by nothing else but in a few instructions of hand-written code.
Source: DWARF 5, 6.4; the System V ABI's x86-64 supplement, 3.6 and 3.7; the Linux Standard Base, Core, 10.6.
"""

from __future__ import annotations

import enum
import struct
from array import array
from bisect import bisect_right
from contextlib import suppress
from operator import itemgetter
from typing import NamedTuple

from invivo.symbols.elf import ElfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.elf import ElfFile

__all__ = [
    "EMPTY", "FrameSection", "Kind", "Rule", "RuleTable", "frame_sections", "pack", "read_rules", "rules_of",
    "rules_of_sections", "unpack",
]  # fmt: skip

_RBP, _RSP, _RIP = 6, 7, 16
_OFFSET_MIN, _OFFSET_MAX = -(1 << 18), (1 << 18) - 8
_SAME, _AT_BP = 0, 255  # of `bp`: the caller's rbp is this frame's; it lies where rbp points to
_COMPRESSED, _ZLIB = 0x800, 1  # SHF_COMPRESSED, ELFCOMPRESS_ZLIB
_LARGEST_INFLATED = 256 << 20
_PADDING = 16  # bytes between functions, of which nothing is known


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


class FrameSection(NamedTuple):
    """A section with call frame information: .eh_frame, or .debug_frame, whose entries are laid out otherwise."""

    data: bytes
    address: int
    is_debug: bool


def frame_sections(elf: ElfFile) -> list[FrameSection]:
    """What a file has: .eh_frame, which counts first, and .debug_frame (of programs built without unwind tables).

    Raises:
        ElfError: The file is damaged.
    """
    found = []
    for name in (".eh_frame", ".debug_frame"):
        section = elf.section(name)
        if section is not None and section.size:
            data = elf.contents(section)
            if section.flags & _COMPRESSED:
                data = _inflated(data, f"section '{name}' of '{elf.path}'")
            found.append(FrameSection(data, section.address, name == ".debug_frame"))
    return found


def _inflated(data: bytes, what: str) -> bytes:
    """The contents of a compressed section: after an Elf64_Chdr (elf(5)), as zlib packs them."""
    import zlib

    try:
        kind, _, size, _ = struct.unpack_from("<IIQQ", data)
        if kind != _ZLIB or size > _LARGEST_INFLATED:
            return b""
        return zlib.decompressobj().decompress(data[24:], size)
    except (struct.error, zlib.error):
        raise ElfError(f"{what} is damaged: it cannot be unpacked") from None


def read_rules(elf: ElfFile) -> RuleTable:
    """The rules of a file; an empty table where it has no call frame information.

    Raises:
        ElfError: The file is damaged.
    """
    return rules_of_sections(frame_sections(elf))


def rules_of(data: bytes, address: int) -> RuleTable:
    """The rules of an .eh_frame section's bytes that lie at `address`. Where they are damaged, those before that."""
    return rules_of_sections([FrameSection(data, address, False)])


def rules_of_sections(sections: list[FrameSection], without: frozenset[int] = frozenset()) -> RuleTable:
    """The rules of all sections together; of two for one place, those of the first. Functions that begin at one of the
    addresses `without` get none, so that their frame pointers are followed."""
    functions: list[tuple[int, int, tuple[tuple[int, int], ...]]] = []
    for section in sections:
        with suppress(struct.error, LookupError, ValueError):  # what was read is right; what was not has no rules
            _Parser(section, functions).run()
    functions.sort(key=itemgetter(0))
    if not functions:
        return EMPTY
    base = functions[0][0]
    pcs: list[int] = []
    rules: list[int] = []
    last, end = -1, base
    for start, size, rows in functions:
        if start >= end + _PADDING and last:  # a gap
            pcs.append(end - base)
            rules.append(0)
            last = 0
        if start < end:  # two descriptions of one place: the first stands
            continue
        for delta, rule in rows if start not in without else ((0, 0),):
            if rule != last:
                pcs.append(start + delta - base)
                rules.append(rule)
                last = rule
        end = start + size
    pcs.append(end - base)
    rules.append(0)
    if max(pcs) >> 32:
        return EMPTY
    return RuleTable(base, array("I", pcs), array("I", rules))


# --- entries ----------------------------------------------------------------------------------------------------------


class _Cie(NamedTuple):
    code_align: int
    data_align: int
    encoding: int
    has_augmentation: bool
    is_signal: bool
    is_usable: bool
    instructions: bytes


def _uleb(data: bytes, at: int) -> tuple[int, int]:
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


def _sleb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value - (1 << shift) if byte & 0x40 else value), at


# DW_EH_PE_*: the low bits say the size and sign.
_FORMS = {0: "<Q", 2: "<H", 3: "<I", 4: "<Q", 10: "<h", 11: "<i", 12: "<q"}
_PCREL = 0x10
_DEBUG_CIE = 0xFFFFFFFF  # what stands in .debug_frame where entries name their CIE


class _Parser:
    """Walks the entries. `functions` gets (address, size, rows); rows that many functions share are made once."""

    def __init__(
        self, section: FrameSection, functions: list[tuple[int, int, tuple[tuple[int, int], ...]]]
    ) -> None:
        self._data = section.data
        self._address = section.address
        self._is_debug = section.is_debug
        self._functions = functions
        self._cies: dict[int, _Cie] = {}
        self._rows: dict[tuple[int, bytes], tuple[tuple[int, int], ...]] = {}

    def run(self) -> None:
        data, at, length_at = self._data, 0, struct.Struct("<II").unpack_from
        while at + 8 <= len(data):
            length, pointer = length_at(data, at)
            if length == 0:  # a terminator; more may follow what was linked together
                at += 4
                continue
            if length == 0xFFFFFFFF:
                raise ValueError("64-bit entries")
            start, end = at + 4, at + 4 + length
            if end > len(data):
                raise ValueError("an entry ends outside of the section")
            if self._is_debug:
                if pointer != _DEBUG_CIE:
                    self._fde(start, end, pointer + 4)
            elif pointer:
                self._fde(start, end, start - pointer + 4)
            at = end

    def _cie(self, at: int) -> _Cie:
        found = self._cies.get(at)
        if found is None:
            if at < 0:
                raise ValueError("a description without its CIE")
            found = self._cies[at] = self._read_cie(at)
        return found

    def _read_cie(self, at: int) -> _Cie:
        data = self._data
        end = at + struct.unpack_from("<I", data, at - 4)[0]  # `at` is where its id lies
        version = data[at + 4]
        nul = data.index(0, at + 5)
        augmentation = data[at + 5 : nul]
        at = nul + 1
        if self._is_debug and version >= 4:
            at += 2  # the sizes of addresses and of segment selectors
        code_align, at = _uleb(data, at)
        data_align, at = _sleb(data, at)
        register, at = (data[at], at + 1) if version == 1 else _uleb(data, at)
        encoding, is_usable = 0, register == _RIP
        if augmentation.startswith(b"z"):
            size, at = _uleb(data, at)
            instructions = at + size
            for letter in augmentation[1:]:
                if letter == ord("R"):
                    encoding, at = data[at], at + 1
                elif letter == ord("L"):
                    at += 1
                elif letter == ord("P"):
                    at += 1 + struct.calcsize(_FORMS.get(data[at] & 15, "<Q"))
            at = instructions
        elif augmentation:
            is_usable = False
        return _Cie(
            code_align, data_align, encoding, augmentation.startswith(b"z"), b"S" in augmentation, is_usable,
            data[at:end],
        )  # fmt: skip

    def _fde(self, at: int, end: int, cie_at: int) -> None:
        data = self._data
        cie = self._cie(cie_at)
        form = _FORMS[cie.encoding & 15]
        size = struct.calcsize(form)
        (begin,) = struct.unpack_from(form, data, at + 4)
        if cie.encoding & 0x70 == _PCREL:
            begin += self._address + at + 4
        elif cie.encoding & 0x70:
            return  # relative to something that executable files do not use
        (length,) = struct.unpack_from(form, data, at + 4 + size)
        at += 4 + 2 * size
        if cie.has_augmentation:
            skipped, at = _uleb(data, at)
            at += skipped
        if length <= 0 or begin <= 0 or not cie.is_usable:
            return
        key = cie_at, data[at:end]
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = _rows(cie, key[1])
        self._functions.append((begin, length, rows))


# --- call frame instructions ------------------------------------------------------------------------------------------

_State = tuple[int, int, int, int]  # CFA's register (-1: an expression), its offset (or the whole rule), rbp, ra


def _rule(state: _State, is_signal: bool) -> int:
    register, offset, bp, ra = state
    if is_signal:
        return pack(Rule(Kind.SIGNAL, 0))
    if ra == 1:
        return int(Kind.END)
    if ra or bp < 0:
        return int(Kind.UNKNOWN)
    if register == -1:
        return offset | bp << 8 if offset & 15 != Kind.UNKNOWN else offset
    if offset & 7 or not _OFFSET_MIN <= offset <= _OFFSET_MAX or not 0 <= register < 16:
        return int(Kind.UNKNOWN)
    kind = {_RSP: Kind.SP, _RBP: Kind.BP}.get(register, Kind.REGISTER)
    return pack(Rule(kind, offset, bp, register if kind is Kind.REGISTER else 0))


def _rows(cie: _Cie, code: bytes) -> tuple[tuple[int, int], ...]:
    """(distance from the function's start, rule) for each place where the rule changes."""
    initial, _ = _execute(cie, cie.instructions, (_RSP, 8, _SAME, 0), None, [])
    rows: list[tuple[int, int]] = []
    state, location = _execute(cie, code, initial, initial, rows)
    if not rows or rows[-1][0] != location:
        rows.append((location, _rule(state, cie.is_signal)))
    return tuple(rows)


def _execute(
    cie: _Cie, code: bytes, state: _State, initial: _State | None, rows: list[tuple[int, int]]
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
            value, at = _uleb(code, at)
            which = op & 0x3F
            if which == _RBP:
                bp = _slot(value * align)
            elif which == _RIP:
                ra = 0 if value * align == -8 else 2
        elif high == 0xC0:  # restore
            which = op & 0x3F
            if which == _RBP:
                bp = initial[2] if initial else _SAME
            elif which == _RIP:
                ra = initial[3] if initial else 0
        elif op == 0x0E:  # def_cfa_offset
            offset, at = _uleb(code, at)
        elif op == 0x0D:  # def_cfa_register
            register, at = _uleb(code, at)
        elif op == 0x0C:  # def_cfa
            register, at = _uleb(code, at)
            offset, at = _uleb(code, at)
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
            length, at = _uleb(code, at)
            register, offset = -1, _expression(code[at : at + length])
            at += length
        elif op in (0x10, 0x16):  # expression, val_expression
            which, at = _uleb(code, at)
            length, at = _uleb(code, at)
            block = code[at : at + length]
            at += length
            if which == _RBP:
                bp = _AT_BP if op == 0x10 and block == b"\x76\0" else -1
            elif which == _RIP:
                ra = 2
        elif op in (5, 0x2F):  # offset_extended, GNU_negative_offset_extended
            which, at = _uleb(code, at)
            value, at = _uleb(code, at)
            value *= -align if op == 0x2F else align
            if which == _RBP:
                bp = _slot(value)
            elif which == _RIP:
                ra = 0 if value == -8 else 2
        elif op in (6, 7, 8):  # restore_extended, undefined, same_value
            which, at = _uleb(code, at)
            if which == _RBP:
                bp = initial[2] if op == 6 and initial else _SAME
            elif which == _RIP:
                ra = 1 if op == 7 else initial[3] if initial else 0
        elif op in (9, 0x14, 0x15):  # register, val_offset, val_offset_sf
            which, at = _uleb(code, at)
            _, at = _sleb(code, at)
            if which == _RBP:
                bp = -1
            elif which == _RIP:
                ra = 2
        elif op == 0x11:  # offset_extended_sf
            which, at = _uleb(code, at)
            value, at = _sleb(code, at)
            if which == _RBP:
                bp = _slot(value * align)
            elif which == _RIP:
                ra = 0 if value * align == -8 else 2
        elif op == 0x12:  # def_cfa_sf
            register, at = _uleb(code, at)
            value, at = _sleb(code, at)
            offset = value * align
        elif op == 0x13:  # def_cfa_offset_sf
            value, at = _sleb(code, at)
            offset = value * align
        elif op == 0x2E:  # GNU_args_size
            _, at = _uleb(code, at)
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
    offset, at = _sleb(code, 1)
    rest = code[at:]
    if offset & 7 or not _OFFSET_MIN <= offset <= _OFFSET_MAX:
        return unknown
    is_bp = code[0] == _B_RBP
    if rest == b"":
        return pack(Rule(Kind.BP if is_bp else Kind.SP, offset))
    if rest[:1] == bytes((_DEREF,)):
        if rest[1:] == b"":
            return pack(Rule(Kind.BP_DEREF if is_bp else Kind.SP_DEREF, offset))
        if rest[1] == _PLUS_UCONST:
            more, _ = _uleb(rest, 2)
            if more % 8 == 0 and more < 128:
                return pack(Rule(Kind.BP_DEREF if is_bp else Kind.SP_DEREF, offset, 0, more // 8))
    if not is_bp and len(rest) == 9 and rest.startswith(_PLT_HEAD) and rest.endswith(_PLT_TAIL):
        return pack(Rule(Kind.PLT, offset, 0, rest[4] - 0x30 & 15))
    return unknown
