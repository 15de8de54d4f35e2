"""Names of numbers that D programs use: errors, signals, flags of open(2), taken from the running system.

constants()["SIGKILL"]   9
constants()["ENOENT"]    2
"""

from __future__ import annotations

import functools

__all__ = ["constants"]


@functools.cache
def constants() -> dict[str, int]:
    """Numbers by name: E*, SIG*, O_*."""
    import errno
    import os
    import signal

    found = {name: number for number, name in errno.errorcode.items()}
    found.update(
        (name, value) for name, value in vars(errno).items() if name.startswith("E") and isinstance(value, int)
    )
    found.update((entry.name, int(entry)) for entry in signal.Signals)
    found.update((name, value) for name, value in vars(os).items() if name.startswith("O_"))
    return found
