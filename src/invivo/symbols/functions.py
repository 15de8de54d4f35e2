"""All functions of a file that have a name anywhere: its own symbols, or those of what was stripped from it.

    functions_of(object)    FunctionTable: functions by name and by address, where they come from, what is missing

Sources, until one has the full table: .symtab; .gopclntab, which a stripped program of the Go compiler keeps; .dynsym
(exported functions) together with .gnu_debugdata (an xz-packed ELF file with the rest: "mini-debuginfo") and the file
that a debug package brings, found by build ID or by .gnu_debuglink. Source: GDB's manual, "Debugging Information in
Separate Files" and "MiniDebugInfo".
"""

from __future__ import annotations

import bisect
import functools
import lzma
import os
import zlib

from invivo import dependencies
from invivo.symbols import gopclntab
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError, Function
from invivo.symbols.objects import MappedObject

__all__ = ["FunctionTable", "functions_of", "separate_file"]

# What the runtime of a language with exceptions is known by, in programs that carry their own.
_THROWERS = frozenset(("__gxx_personality_v0", "__cxa_throw", "_Unwind_RaiseException", "rust_eh_personality"))
_DEBUG = "/usr/lib/debug"
_LARGEST_UNPACKED = 256 << 20
_LARGEST_CODE = 1 << 20  # of a function without a size
_LARGEST_CHOSEN = 4096  # of one that stands behind an IFUNC symbol and has no name of its own


class FunctionTable:
    """Functions of one file. `sources` says where they come from; `missing` what a stripped file lacks, or is ""."""

    def __init__(self, object_: MappedObject) -> None:
        """Raises ElfError if the file cannot be read or is damaged."""
        self.object = object_
        self.elf = ElfFile.open(object_.place, object_.path)
        self.missing = ""
        self.sources: list[str] = []
        functions = self._read()
        self.by_name: dict[str, list[Function]] = {}
        self.resolvers: dict[str, set[int]] = {}  # IFUNC symbols, and where their code is
        self._has_chosen = False
        addresses = set()
        for function in functions:
            if not self.elf.is_code(function.address) or self.elf.to_offset(function.address) is None:
                continue
            addresses.add(function.address)
            if function.is_resolver:
                self.resolvers.setdefault(function.name, set()).add(function.address)
                continue
            same = self.by_name.setdefault(function.name, [])
            if all(function.address != other.address for other in same):
                same.append(function)
        self.addresses = sorted(addresses)

    def _read(self) -> list[Function]:
        elf = self.elf
        found = elf.functions(".symtab")
        if found:
            self.sources.append(".symtab")
            return found
        if self.is_go and (found := gopclntab.functions(elf)):
            self.sources.append(".gopclntab")
            return found + elf.functions(".dynsym")
        found = elf.functions(".dynsym")
        if found:
            self.sources.append(".dynsym")
        packed = elf.section(".gnu_debugdata")
        if packed is not None:
            found += self._unpack(elf.contents(packed))
        debug = separate_file(elf, self.object)
        if debug is not None:
            with ElfFile.open(debug) as other:
                found += other.functions(".symtab")
            self.sources.append(debug)
        if packed is None and debug is None:
            count = len({function.address for function in found})
            has = f"only its {count} exported functions have names" if count else "none of its functions has a name"
            build_id = elf.build_id
            needed = f"its debug package (build ID {build_id}, below {_DEBUG})" if build_id else "an unstripped copy"
            self.missing = f"'{self.object.path}' is stripped: {has}; {needed} would give the others"
        return found

    def _unpack(self, data: bytes) -> list[Function]:
        try:
            unpacked = lzma.LZMADecompressor().decompress(data, _LARGEST_UNPACKED)
        except lzma.LZMAError as error:
            raise ElfError(f"'{self.object.path}' has damaged mini-debuginfo (.gnu_debugdata): {error}") from None
        self.sources.append(".gnu_debugdata")
        return ElfFile(unpacked, f"{self.object.path} (.gnu_debugdata)").functions(".symtab")

    def choose(self, pid: int) -> None:
        """Let names of IFUNC symbols mean the functions that process `pid` (0: this one) has chosen for them."""
        if self._has_chosen:
            return
        self._has_chosen = True
        from invivo.symbols.ifunc import chosen

        known = {function.address: function for same in self.by_name.values() for function in same}
        found = chosen(pid, self.object, self.elf, self.resolvers)
        self.addresses = sorted({*self.addresses, *(address for same in found.values() for address in same)})
        for name, addresses in found.items():
            same = self.by_name.setdefault(name, [])
            for address in sorted(addresses - {function.address for function in same}):
                size = known[address].size if address in known else min(self.room(address), _LARGEST_CHOSEN)
                same.append(Function(name, address, size, False))

    def code(self, function: Function) -> bytes:
        """The function's bytes: as many as its symbol says, or up to the next symbol."""
        size = function.size or min(self.room(function.address), _LARGEST_CODE)
        return self.elf.read(function.address, size)

    def room(self, address: int) -> int:
        """The distance to the next function's address; a large number behind the last."""
        index = bisect.bisect_right(self.addresses, address)
        return self.addresses[index] - address if index < len(self.addresses) else _LARGEST_CODE

    def before(self, address: int) -> int | None:
        """The address of the last function that begins at or before an address."""
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.addresses[index] if index >= 0 else None

    @property
    def is_go(self) -> bool:
        """Whether the Go toolchain has made the file: the stacks of its threads move."""
        return self.elf.section(".go.buildinfo") is not None or gopclntab.table_section(self.elf) is not None

    @functools.cached_property
    def throws(self) -> bool:
        """Whether exceptions of C++, or panics of Rust, may pass through functions of the file."""
        imported = (name for _, name in self.elf.names(".dynsym"))
        return "_Unwind_Resume" in imported or not _THROWERS.isdisjoint(self.by_name)


def functions_of(object_: MappedObject) -> FunctionTable:
    """The table of one file.

    Raises:
        ElfError: It cannot be read, or is damaged.
    """
    return FunctionTable(object_)


def separate_file(elf: ElfFile, object_: MappedObject) -> str | None:
    """The file with what was stripped from `elf`: by build ID, or by name and checksum; None if there is none.

    It is looked for in the file system of the process that runs it, then in this one's.
    """
    build_id = elf.build_id
    link = elf.debuglink
    directory = os.path.dirname(object_.path)
    for root in dict.fromkeys((object_.root, "")):
        if len(build_id) > 2:
            place = f"{root}{_DEBUG}/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
            if _exists(place):
                return place
        if link is not None:
            name, checksum = link
            for folder in (directory, f"{directory}/.debug", _DEBUG + directory):
                place = f"{root}{folder}/{os.path.basename(name)}"
                if _is_file_with(place, checksum):
                    return place
    return None


def _exists(place: str) -> bool:
    try:
        status = os.stat(place)
    except OSError:
        dependencies.read_file(place, None)
        return False
    dependencies.read_file(place, status)
    return True


def _is_file_with(place: str, checksum: int) -> bool:
    if not _exists(place):
        return False
    try:
        with open(place, "rb") as stream:
            found = 0
            while chunk := stream.read(1 << 20):
                found = zlib.crc32(chunk, found)
    except OSError:
        return False
    return found == checksum
