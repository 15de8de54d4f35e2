"""USDT probes in ELF files: the notes that sys/sdt.h leaves in `.note.stapsdt`.

In: an ELF file. Out: for each place in the code its provider, name, addresses, and where its arguments are.

    [Site("python", "gc__start", address=0x4287f3, offset=0x287f3, semaphore=0x684269, arguments=b"-4@112(%rsp)"), ...]
    parse_operands(b"-4@112(%rsp) 8@%rax")
    -> [Operand(4, True, False, "memory", "rsp", displacement=112), Operand(8, False, False, "register", "rax")]

Source: sys/sdt.h of SystemTap; https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation; the operands are in
the assembler's AT&T syntax (GNU as manual, "AT&T Syntax versus Intel Syntax"). What a file says is not trusted: any
bytes give sites or a TargetError.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from invivo.errors import TargetError

if TYPE_CHECKING:
    from invivo.symbols.elf import ElfFile

__all__ = ["Operand", "Site", "parse_operands", "read_sites"]

_NOTE_TYPE = 3
_X86_64 = 62
_NAME = re.compile(rb"[\x21-\x39\x3b-\x7e]{1,255}")  # printable, and no colon
_U64 = (1 << 64) - 1


class Site(NamedTuple):
    """One place of a probe. `address` is the link-time address of its nop, `offset` where that is in the file;
    `semaphore` is where its reference counter is in the file, or 0. `arguments` is the operands' text."""

    provider: str
    name: str
    address: int
    offset: int
    semaphore: int
    arguments: bytes


class Operand(NamedTuple):
    """Where an argument is found: `size` bytes, as a signed number, or (`is_float`) as the bits of a float.

    kind "constant": the value `displacement`. "register": the part of a register that `base` names.
    "memory": at base + index_register * scale + displacement, of which the registers may be empty; where `symbol` is
    set, at that symbol's address + displacement. "unreadable": `symbol` tells why.
    """

    size: int
    is_signed: bool
    is_float: bool
    kind: str
    base: str = ""
    index_register: str = ""
    scale: int = 1
    displacement: int = 0
    symbol: str = ""


# --- the file -------------------------------------------------------------------------------------------------------


def read_sites(elf: ElfFile) -> list[Site]:
    """All probe sites of an x86-64 ELF file, in the order of its notes.

    Raises:
        TargetError: The file's sections or notes are damaged, or it is for another machine.
    """
    section = elf.section(".stapsdt.base")
    base = section.address if section is not None else 0
    sites = []
    for note in elf.notes(".note.stapsdt"):
        if note.name == "stapsdt" and note.type == _NOTE_TYPE:
            if elf.machine != _X86_64:
                raise TargetError(f"'{elf.path}' is for another machine than x86-64 (ELF machine {elf.machine})")
            sites.append(_site(elf, note.description, base))
    return sites


def _site(elf: ElfFile, note: bytes, base: int) -> Site:
    """Three addresses, then three strings. The addresses move with .stapsdt.base, had prelink moved the file."""
    texts = note[24:].split(b"\0")
    if len(note) < 24 or len(texts) < 4:
        raise _damaged(elf, f"a USDT note has {len(note)} bytes")
    address, linked_base, semaphore = struct.unpack_from("<QQQ", note)
    moved = base - linked_base if base and linked_base else 0
    provider, name, arguments = texts[:3]
    if not _NAME.fullmatch(provider) or not _NAME.fullmatch(name):
        raise _damaged(elf, f"a USDT note names no probe: {provider[:40]!r} {name[:40]!r}")
    shown = f"{provider.decode()}:{name.decode()}"
    address = address + moved & _U64
    offset = elf.to_offset(address)
    if offset is None or not elf.is_code(address):
        raise _damaged(elf, f"USDT probe {shown} lies at {address:#x}, where the file has no code")
    counter = 0
    if semaphore:
        found = elf.to_offset(semaphore + moved & _U64)
        if found is None:
            raise _damaged(elf, f"the semaphore of USDT probe {shown} lies nowhere in the file")
        counter = found
    return Site(provider.decode(), name.decode(), address, offset, counter, arguments)


def _damaged(elf: ElfFile, what: str) -> TargetError:
    return TargetError(f"'{elf.path}' is a damaged ELF file: {what}", "install it anew, or trace another file")


# --- operands -------------------------------------------------------------------------------------------------------

# Operands are divided by blanks, but `-4@disp (%rax)` has none inside; N may be missing in notes of old sys/sdt.h.
_OPERAND = re.compile(r"(?:(?P<size>-?(?:1|2|4|8))(?P<float>f?)@)?(?P<rest>\S+)")
_MEMORY = re.compile(
    r"(?P<segment>%[a-z]s:)?(?P<displacement>[^()%]*)"
    r"(?:\((?:%(?P<base>\w+))?\s*(?:,\s*%(?P<index>\w+)\s*(?:,\s*(?P<scale>[1248]))?)?\s*(?:,\s*[1248])?\))?"
)
_TERM = re.compile(r"\s*(?P<sign>[-+]?)\s*(?:(?P<number>0x[0-9a-fA-F]+|\d+)|(?P<symbol>[A-Za-z_.$][\w.$@]*))")


def parse_operands(text: bytes) -> list[Operand]:
    """The operands of a site's argument text. What cannot be understood or read is "unreadable", with the reason."""
    decoded = text.decode("latin-1")
    # Commas inside parentheses may be followed by blanks.
    return [_operand(word) for word in re.sub(r",\s+", ",", decoded).split()]


def _operand(word: str) -> Operand:
    match = _OPERAND.fullmatch(word)
    if match is None:
        return _unreadable(8, f"'{word}' is not understood")
    number = int(match["size"] or 8)
    size, is_signed, is_float = abs(number), number < 0, bool(match["float"])
    rest = match["rest"]
    if rest.startswith("$"):
        value, symbol = _sum(rest[1:])
        if value is None:
            return _unreadable(size, f"'{word}' is not understood")
        if symbol:
            return _unreadable(size, f"'{word}' is the address of a symbol")
        return Operand(size, is_signed, is_float, "constant", displacement=value)
    if rest.startswith("%") and ":" not in rest and "(" not in rest:
        name = rest[1:]
        if name.startswith(("xmm", "ymm", "zmm", "st")):
            return _unreadable(size, f"it is in the vector register {rest}, which the kernel does not hand to probes")
        return Operand(size, is_signed, is_float, "register", base=name)
    match = _MEMORY.fullmatch(rest)
    if match is None:
        return _unreadable(size, f"'{word}' is not understood")
    if match["segment"]:
        return _unreadable(size, f"'{word}' is relative to a segment register (thread-local storage)")
    displacement, symbol = _sum(match["displacement"]) if match["displacement"] else (0, "")
    if displacement is None:
        return _unreadable(size, f"'{word}' is not understood")
    base, index = match["base"] or "", match["index"] or ""
    if base == "rip" and not symbol:
        return _unreadable(size, f"'{word}' is relative to an instruction that the note does not tell")
    return Operand(
        size, is_signed, is_float, "memory", "" if base == "rip" else base, index, int(match["scale"] or 1),
        displacement, symbol,
    )  # fmt: skip


def _sum(text: str) -> tuple[int | None, str]:
    """The value of `16+symbol-4`: (12, "symbol"); (None, "") where it is none."""
    total, symbol, position = 0, "", 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None or (position and not term["sign"]) or (symbol and term["symbol"]):
            return None, ""
        if term["symbol"]:
            if term["sign"] == "-":
                return None, ""
            symbol = term["symbol"]
        else:
            number = int(term["number"], 0) if not re.fullmatch(r"0\d+", term["number"]) else int(term["number"], 8)
            total += -number if term["sign"] == "-" else number
        position = term.end()
    return (total, symbol) if text and abs(total) < 1 << 64 else (None, "")


def _unreadable(size: int, why: str) -> Operand:
    return Operand(size, False, False, "unreadable", symbol=why)
