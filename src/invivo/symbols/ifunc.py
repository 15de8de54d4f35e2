"""Which functions stand behind a file's IFUNC symbols: strlen is `__strlen_avx2` on one machine, another on the next.

    chosen(4711, object, elf, {"strlen": {0x9c5d0}})    ->  {"strlen": {0x15a2c0}}     addresses as the file has them

Such a symbol's code only returns the address of the function that is run; the dynamic loader calls it once, and keeps
the answer where calls find it. Read are those places: the file's own (R_X86_64_IRELATIVE), and those of all files of
the process that name the symbol. A symbol that nobody has bound yet is looked up in this process, if that maps the same
file. Source: System V ABI, AMD64 supplement, 4.4; the GNU ABI extensions (STT_GNU_IFUNC).
"""

from __future__ import annotations

import os
import struct

from invivo import dependencies
from invivo.linux.maps import Mapping, read_maps
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.objects import MappedObject, mapped_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from collections.abc import Mapping as Dictionary

__all__ = ["chosen"]

_RELA = struct.Struct("<QIIq")  # offset, type, symbol, addend
_GLOB_DAT, _JUMP_SLOT, _64, _IRELATIVE = 6, 7, 1, 37
_SYMBOL_BYTES = 24
_RTLD_NOLOAD = 4


def chosen(
    pid: int, object_: MappedObject, elf: ElfFile, resolvers: Dictionary[str, Set[int]]
) -> dict[str, set[int]]:
    """The implementations of `resolvers` (the addresses of each symbol's code) in process `pid`, or where that is 0 in
    this one; those that cannot be told are left out."""
    if os.uname().machine != "x86_64":
        return {}
    dependencies.never("which functions stand behind names is read of a process's memory")
    found: dict[str, set[int]] = {}
    for process in dict.fromkeys((pid or os.getpid(), os.getpid())):
        maps = read_maps(process) or []
        bias = _bias(maps, object_, elf)
        if bias is None:
            continue
        values = _bound(process, maps, object_, resolvers, bias) if process == pid else _own(object_, resolvers)
        for name, value in values:
            address = value - bias
            is_other = address not in resolvers[name] and elf.to_offset(address) is not None
            if is_other and elf.is_code(address):
                found.setdefault(name, set()).add(address)
        resolvers = {name: addresses for name, addresses in resolvers.items() if name not in found}
    return found


def _bias(maps: list[Mapping], object_: MappedObject, elf: ElfFile) -> int | None:
    """What a process has added to the file's addresses; None if it does not map the file."""
    try:
        inode = os.stat(object_.place).st_ino
    except OSError:
        return None
    for mapping in maps:
        if mapping.inode == inode and mapping.path.removesuffix(" (deleted)") == object_.path:
            linked = elf.to_address(mapping.offset)
            if linked is not None:
                return mapping.start - linked
    return None


def _bound(
    pid: int, maps: list[Mapping], object_: MappedObject, resolvers: Dictionary[str, Set[int]], bias: int
) -> Iterator[tuple[str, int]]:
    """(symbol, what it is bound to) in all files of a process."""
    by_address: dict[int, list[str]] = {}
    for name, addresses in resolvers.items():
        for address in addresses:
            by_address.setdefault(address, []).append(name)
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for item in mapped_objects(pid):
            try:
                with ElfFile.open(item.place, item.path) as elf:
                    added = bias if item.path == object_.path else _bias(maps, item, elf)
                    if added is None:
                        continue
                    for place, names in _places(elf, by_address if item.path == object_.path else {}, resolvers):
                        word = _word(memory, place + added)
                        yield from ((name, word) for name in names if word)
            except ElfError:
                continue
    finally:
        os.close(memory)


def _places(
    elf: ElfFile, by_address: Dictionary[int, list[str]], resolvers: Dictionary[str, Set[int]]
) -> Iterator[tuple[int, list[str]]]:
    """(address of a word that is bound, the symbols that it stands for) in one file."""
    symbols = elf.section(".dynsym")
    wanted: dict[int, str] = {}
    if symbols is not None:
        wanted = {index: name for index, name in elf.names(".dynsym") if name in resolvers}
    for section in (".rela.dyn", ".rela.plt"):
        table = elf.section(section)
        data = elf.contents(table) if table is not None else b""
        for offset, kind, symbol, addend in _RELA.iter_unpack(data[: len(data) // _RELA.size * _RELA.size]):
            if kind == _IRELATIVE and addend in by_address:
                yield offset, by_address[addend]
            elif kind in (_GLOB_DAT, _JUMP_SLOT, _64) and symbol in wanted:
                yield offset, [wanted[symbol]]


def _word(memory: int, address: int) -> int:
    try:
        return int.from_bytes(os.pread(memory, 8, address), "little")
    except (OSError, OverflowError):
        return 0


def _own(object_: MappedObject, resolvers: Dictionary[str, Set[int]]) -> Iterator[tuple[str, int]]:
    """The same of this process, which maps the file; asked of its loader."""
    import ctypes

    try:
        library = ctypes.CDLL(object_.path, mode=_RTLD_NOLOAD)
    except OSError:
        return
    for name in resolvers:
        try:
            value = ctypes.cast(library[name], ctypes.c_void_p).value
        except (AttributeError, ValueError):
            continue
        if value:
            yield name, value
