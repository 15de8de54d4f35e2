"""Parameters of system calls, for where tracefs, which tells them, may not be read.

In: the name of a system call as the kernel's function has it. Out: its parameters as C declares them, or None where the
table does not have it (a system call newer than Linux 6.18). Source: include/linux/syscalls.h of Linux 6.18.

    parameters("openat")    [("int", "dfd"), ("const char *", "filename"), ("int", "flags"), ("umode_t", "mode")]
"""

from __future__ import annotations

import functools
from importlib import resources

__all__ = ["parameters"]


def parameters(name: str) -> list[tuple[str, str]] | None:
    """(type, name) of each parameter, or None if the system call is not known."""
    table = _table()
    start = table.find(f"\n{name}(")
    if start < 0:
        return None
    inside = table[start + len(name) + 2 : table.index(")\n", start)].replace("\n    ", " ")
    return [_parameter(part.strip()) for part in inside.split(",") if part.strip()]


def _parameter(text: str) -> tuple[str, str]:
    end = len(text)
    while end and (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return text[:end].strip(), text[end:]


@functools.cache
def _table() -> str:
    """Each system call on a line of its own, after a line's end."""
    return "\n" + resources.files("invivo.providers").joinpath("syscall_prototypes.txt").read_text()
