"""What differs from one architecture to the next: one table file each.

    architecture().syscall_arguments   -> ("di", "si", "dx", "r10", "r8", "r9") on x86-64
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Architecture", "Registers", "architecture", "registers"]


class Architecture(NamedTuple):
    """`name` is uname(2)'s machine. The others are members of `struct pt_regs`.

    A task whose `compat_register` holds `compat_value` runs in the 32-bit mode, with other system call numbers.
    """

    name: str
    syscall_number: str
    syscall_arguments: tuple[str, ...]
    compat_register: str
    compat_value: int


class Registers(NamedTuple):
    """Registers of a function call in user space: byte `offsets` in `struct pt_regs`, whose `size` they are all below.

    `arguments` are those of the first integer arguments in order, `result` that of the value. At a function's first
    instruction, the further arguments begin `stack_arguments` bytes above what `stack` points to, 8 bytes each.
    `go_arguments` are the registers of a function that the Go compiler has made.
    """

    offsets: dict[str, int]
    size: int
    arguments: tuple[str, ...]
    result: str
    stack: str
    stack_arguments: int
    go_arguments: tuple[str, ...]


def registers(machine: str | None = None) -> Registers:
    """The registers of `machine` (this one by default).

    Raises:
        UnsupportedError: They are not known.
    """
    import os

    name = os.uname().machine if machine is None else machine
    if name == "x86_64":
        from invivo.linux.arch.x86_64 import REGISTERS

        return REGISTERS
    from invivo.errors import UnsupportedError

    raise UnsupportedError(f"function calls of '{name}' are not known", "architectures known: x86_64")


def architecture(machine: str | None = None) -> Architecture:
    """The table of `machine` (this one by default).

    Raises:
        UnsupportedError: There is no table for it.
    """
    import os

    name = os.uname().machine if machine is None else machine
    if name == "x86_64":
        from invivo.linux.arch.x86_64 import ARCHITECTURE

        return ARCHITECTURE
    from invivo.errors import UnsupportedError

    raise UnsupportedError(f"system calls of '{name}' are not known", "architectures known: x86_64")
