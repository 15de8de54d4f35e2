"""The dynamic loader of a process: where it says that libraries have come or gone, for debuggers.

    loader = find_loader(4711)
    loader.stop       the address of `_dl_debug_state`, which is called at each change
    loader.state      where struct r_debug keeps r_state: 0 (RT_CONSISTENT) when the change is done; <link.h>

The kernel maps the loader when it executes a program, so both are known before the program's first instruction.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from invivo.errors import InvivoError
from invivo.linux.maps import read_maps

__all__ = ["Loader", "entry_point", "find_loader"]

_AT_BASE, _AT_ENTRY = 7, 9  # <linux/auxvec.h>
_STATE = 24  # of r_state in struct r_debug
_SPAN = 1 << 24  # a loader is not larger


class Loader(NamedTuple):
    """Addresses in the process."""

    stop: int
    state: int


def find_loader(pid: int) -> Loader | None:
    """The loader of a process; None if its program has none, or none that tells."""
    base = _auxiliary(pid).get(_AT_BASE, 0)
    if not base:
        return None
    from invivo.symbols.elf import ElfFile

    for mapping in read_maps(pid) or ():
        if mapping.inode and base <= mapping.start < base + _SPAN:
            try:
                with ElfFile.open(f"/proc/{pid}/root{mapping.path}", mapping.path) as elf:
                    state, stop = elf.symbol_address("_r_debug"), elf.symbol_address("_dl_debug_state")
            except (OSError, InvivoError):
                return None
            return Loader(base + stop, base + state + _STATE) if state is not None and stop is not None else None
    return None


def entry_point(pid: int) -> int:
    """Where the program itself begins, after its loader; 0 if that is not known."""
    return _auxiliary(pid).get(_AT_ENTRY, 0)


def _auxiliary(pid: int) -> dict[int, int]:
    try:
        with open(f"/proc/{pid}/auxv", "rb") as stream:
            return dict(struct.iter_unpack("<QQ", stream.read()))
    except (OSError, struct.error):
        return {}
