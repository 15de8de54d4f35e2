"""Unwind rules of ELF files: .eh_frame and .debug_frame compacted to rows, one for each place where the rule changes.

    table = read_rules(elf)
    table.pcs      array of u32: address - table.base, ascending
    table.rules    array of u32: how to leave a frame whose pc lies from this row's up to the next one's

The rules are those of symbols/rules; the instructions in the entries are carried out by symbols/call_frame.
Source: DWARF 5, 6.4; the System V ABI's x86-64 supplement, 3.7; the Linux Standard Base, Core, 10.6.
"""

from __future__ import annotations

import struct
from array import array
from contextlib import suppress
from operator import itemgetter
from typing import NamedTuple

from invivo.symbols.call_frame import RBP, RIP, Cie, rows_of, sleb, uleb
from invivo.symbols.elf_format import ElfError
from invivo.symbols.rules import EMPTY, RuleTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.elf import ElfFile

__all__ = ["FrameSection", "frame_sections", "read_rules", "rules_of", "rules_of_sections"]

_COMPRESSED, _ZLIB = 0x800, 1  # SHF_COMPRESSED, ELFCOMPRESS_ZLIB
_LARGEST_INFLATED = 256 << 20
_PADDING = 16  # bytes between functions, of which nothing is known


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


def read_rules(elf: ElfFile, sections: list[FrameSection] | None = None) -> RuleTable:
    """The rules of a file; an empty table where it has no call frame information. `sections` are those of
    frame_sections(), if the caller has them.

    Raises:
        ElfError: The file is damaged.
    """
    from invivo.symbols.go_frames import with_go_frames
    from invivo.symbols.gopclntab import stack_switches
    from invivo.symbols.kept_bases import with_kept_bases

    if sections is None:
        sections = frame_sections(elf)
    table = with_go_frames(elf, rules_of_sections(sections, stack_switches(elf)))
    return with_kept_bases(elf, sections, table)


def rules_of(data: bytes, address: int) -> RuleTable:
    """The rules of an .eh_frame section's bytes that lie at `address`. Where they are damaged, those before that."""
    return rules_of_sections([FrameSection(data, address, False)])


def rules_of_sections(
    sections: list[FrameSection], without: frozenset[int] = frozenset(), register: int = RBP
) -> RuleTable:
    """The rules of all sections together; of two for one place, those of the first. Functions that begin at one of the
    addresses `without` get none, so that their frame pointers are followed. Rules say where another `register` is kept
    than rbp, if one is given by DWARF's number."""
    functions: list[tuple[int, int, tuple[tuple[int, int], ...]]] = []
    for section in sections:
        with suppress(struct.error, LookupError, ValueError):  # what was read is right; what was not has no rules
            _Parser(section, functions, register).run()
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


# DW_EH_PE_*: the low bits say the size and sign.
_FORMS = {0: "<Q", 2: "<H", 3: "<I", 4: "<Q", 10: "<h", 11: "<i", 12: "<q"}
_PCREL = 0x10
_DEBUG_CIE = 0xFFFFFFFF  # what stands in .debug_frame where entries name their CIE


class _Parser:
    """Walks the entries. `functions` gets (address, size, rows); rows that many functions share are made once."""

    def __init__(
        self, section: FrameSection, functions: list[tuple[int, int, tuple[tuple[int, int], ...]]], register: int
    ) -> None:
        self._register = register
        self._data = section.data
        self._address = section.address
        self._is_debug = section.is_debug
        self._functions = functions
        self._cies: dict[int, Cie] = {}
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

    def _cie(self, at: int) -> Cie:
        found = self._cies.get(at)
        if found is None:
            if at < 0:
                raise ValueError("a description without its CIE")
            found = self._cies[at] = self._read_cie(at)
        return found

    def _read_cie(self, at: int) -> Cie:
        data = self._data
        end = at + struct.unpack_from("<I", data, at - 4)[0]  # `at` is where its id lies
        version = data[at + 4]
        nul = data.index(0, at + 5)
        augmentation = data[at + 5 : nul]
        at = nul + 1
        if self._is_debug and version >= 4:
            at += 2  # the sizes of addresses and of segment selectors
        code_align, at = uleb(data, at)
        data_align, at = sleb(data, at)
        register, at = (data[at], at + 1) if version == 1 else uleb(data, at)
        encoding, is_usable = 0, register == RIP
        if augmentation.startswith(b"z"):
            size, at = uleb(data, at)
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
        return Cie(
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
            skipped, at = uleb(data, at)
            at += skipped
        if length <= 0 or begin <= 0 or not cie.is_usable:
            return
        key = cie_at, data[at:end]
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = rows_of(cie, key[1], self._register)
        self._functions.append((begin, length, rows))
