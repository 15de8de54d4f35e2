"""Unwind rules on disk: what was once read of a file's call frame information is not read again.

    rules_in(elf)     the rules of a file: those kept, or read now and kept
    kept(elf)         those kept, or of a small file; else None: a millisecond, where reading libc's takes fifty

Files in the user's cache directory (see invivo.cache), named after a checksum of the sections that the rules were made
of. So it makes no difference where a file lies, whether it has a build ID, and whether that is true.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from contextlib import suppress

from invivo.cache import cache_dir, write_atomically
from invivo.symbols.rules import EMPTY, RuleTable
from invivo.symbols.unwind import frame_sections, read_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.elf import ElfFile
    from invivo.symbols.unwind import FrameSection

__all__ = ["INLINE_BYTES", "SMALL_BYTES", "kept", "packed", "rules_in", "unpacked"]

KEPT_BYTES = 64 << 20  # on disk; the oldest go
INLINE_BYTES = 4 << 20  # of sections: a checksum of more takes more than some milliseconds
SMALL_BYTES = 8 << 10  # of sections: read in a few milliseconds
_SUFFIX = ".rules"
_VERSION = b"invivo rules 4\0\0"  # one more at each change of what rules look like, or of how they are made
_LOW = 0xFFFFFFFF
_HEAD = struct.Struct("<16sQII")  # the version, RuleTable.base, rows, checksum of what follows


def rules_in(elf: ElfFile, sections: list[FrameSection] | None = None) -> RuleTable:
    """The rules of a file, from the cache if they are there. `sections` are those of frame_sections(), if the caller
    has them.

    Raises:
        ElfError: The file is damaged.
    """
    if sections is None:
        sections = frame_sections(elf)
    if not sections:
        return EMPTY
    path = _path(sections)
    table = _load(path)
    if table is None:
        table = read_rules(elf, sections)
        _store(path, table)
    return table


def kept(elf: ElfFile) -> RuleTable | None:
    """The rules of a file if little work is needed for them: it has none or few, or they are in the cache.

    Raises:
        ElfError: The file is damaged.
    """
    sections = frame_sections(elf)
    if not sections:
        return EMPTY
    size = sum(len(section.data) for section in sections)
    if size <= SMALL_BYTES:
        return rules_in(elf, sections)
    return _load(_path(sections)) if size <= INLINE_BYTES else None


def packed(table: RuleTable) -> bytes:
    """A table as bytes, with a checksum."""
    data = table.pcs.tobytes() + table.rules.tobytes()
    return _HEAD.pack(_VERSION, table.base, len(table.pcs), zlib.crc32(data, table.base & _LOW)) + data


def unpacked(data: bytes) -> RuleTable | None:
    """The table that bytes hold; None if they are damaged, or of another version."""
    if len(data) < _HEAD.size:
        return None
    version, base, count, checksum = _HEAD.unpack_from(data)
    body = memoryview(data)[_HEAD.size :]
    if version != _VERSION or len(body) != 8 * count or zlib.crc32(body, base & _LOW) != checksum:
        return None
    pcs, rules = array("I"), array("I")
    pcs.frombytes(body[: 4 * count])
    rules.frombytes(body[4 * count :])
    return RuleTable(base, pcs, rules)


def _path(sections: list[FrameSection]) -> str | None:
    directory = cache_dir()
    if directory is None:
        return None
    import hashlib

    checksum = hashlib.blake2b(_VERSION, digest_size=20)
    for section in sections:
        checksum.update(struct.pack("<?QQ", section.is_debug, section.address, len(section.data)))
        checksum.update(section.data)
    return os.path.join(directory, checksum.hexdigest() + _SUFFIX)


def _load(path: str | None) -> RuleTable | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as stream:
            return unpacked(stream.read())
    except OSError:
        return None


def _store(path: str | None, table: RuleTable) -> None:
    if path is None:
        return
    with suppress(OSError):
        write_atomically(path, packed(table))
        _drop_oldest(os.path.dirname(path))


def _drop_oldest(directory: str) -> None:
    files = [(entry.stat(), entry.path) for entry in os.scandir(directory) if entry.name.endswith(_SUFFIX)]
    excess = sum(status.st_size for status, _ in files) - KEPT_BYTES
    for status, path in sorted(files, key=lambda file: file[0].st_mtime):
        if excess <= 0:
            break
        os.unlink(path)
        excess -= status.st_size
