"""Names of numbers that D programs use: errors, signals, flags of system calls, taken from the running system.

constants()["SIGKILL"]   9
constants()["ENOENT"]    2
constants()["O_CREAT"]   64

Python's own modules are the source, for they have the numbers of the machine that they were built for.
"""

from __future__ import annotations

import functools
from types import ModuleType

__all__ = ["constants"]


@functools.cache
def constants() -> dict[str, int]:
    """Numbers by name: E*, SIG*, and the flags and codes of open, wait, stat, mmap, socket."""
    import errno
    import mmap
    import os
    import signal
    import socket
    import stat

    found = {"PAGESIZE": mmap.PAGESIZE, "S_IFMT": 0o170000}
    _take(found, errno, "E")
    _take(found, os, "O_", "CLD_", "SEEK_", "SCHED_")
    _take(found, stat, "S_I")
    _take(found, mmap, "PROT_", "MAP_", "MADV_")
    _take(found, socket, "AF_", "SOCK_", "IPPROTO_", "SHUT_")
    found.update((entry.name, int(entry)) for entry in signal.Signals)
    # The access mode's bits in open's flags.
    found.setdefault("O_ACCMODE", os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    return found


def _take(found: dict[str, int], module: ModuleType, *prefixes: str) -> None:
    for name, value in vars(module).items():
        if name.startswith(prefixes) and isinstance(value, int):
            found[name] = int(value)
