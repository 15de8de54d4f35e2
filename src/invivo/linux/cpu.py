"""Which CPUs there are.

    possible()   -> (0, 1, 2, 3)   all that this boot may ever have: the size of per-CPU maps
    online()     -> (0, 1)         those that run now

Source: Documentation/admin-guide/cputopology.rst.
"""

from __future__ import annotations

import os

from invivo.errors import KernelError

__all__ = ["memory_nodes", "online", "packages", "parse_list", "possible"]

_ROOT = "/sys/devices/system/cpu"


def possible() -> tuple[int, ...]:
    """Numbers of the CPUs that memory was reserved for.

    Raises:
        KernelError: sysfs cannot be read.
    """
    return _read("possible")


def online() -> tuple[int, ...]:
    """Numbers of the CPUs that are running.

    Raises:
        KernelError: sysfs cannot be read.
    """
    return _read("online")


def packages() -> tuple[int, ...]:
    """For each possible CPU, by number, the package that it is part of; 0 where that is not told."""
    found = [0] * (max(possible()) + 1)
    for number in possible():
        try:
            with open(f"{_ROOT}/cpu{number}/topology/physical_package_id", "rb") as stream:
                found[number] = max(int(stream.read()), 0)
        except (OSError, ValueError):
            continue
    return tuple(found)


def memory_nodes() -> tuple[int, ...]:
    """For each possible CPU, by number, the memory node (NUMA) that it is part of; 0 where that is not told."""
    found = [0] * (max(possible()) + 1)
    for number in possible():
        try:
            names = os.listdir(f"{_ROOT}/cpu{number}")
        except OSError:
            continue
        nodes = [int(name[4:]) for name in names if name.startswith("node") and name[4:].isdigit()]
        found[number] = nodes[0] if nodes else 0
    return tuple(found)


def parse_list(text: str) -> tuple[int, ...]:
    """The kernel's list format: "0-2,5" is 0, 1, 2, 5; an empty text is an empty list."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        if first:
            numbers.extend(range(int(first), int(last if dash else first) + 1))
    return tuple(numbers)


def _read(name: str) -> tuple[int, ...]:
    path = f"{_ROOT}/{name}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return parse_list(os.read(fd, 4096).decode())
        finally:
            os.close(fd)
    except OSError as error:
        raise KernelError(error.errno or 0, "open", f"'{path}'", "is sysfs mounted at /sys?") from None
