"""x86-64: how a system call passes its number, arguments and result, in names of `struct pt_regs`.

    read(3, buf, 512)   orig_ax = 0   di = 3, si = buf, dx = 512   ax = the result

Source: syscall(2); arch/x86/entry/entry_64.S; arch/x86/include/asm/segment.h.
"""

from __future__ import annotations

from invivo.linux.arch import Architecture

ARCHITECTURE = Architecture(
    name="x86_64",
    syscall_number="orig_ax",
    syscall_arguments=("di", "si", "dx", "r10", "r8", "r9"),
    # __USER32_CS: a 32-bit task, or an int $0x80 of one. Its numbers are of another table.
    compat_register="cs",
    compat_value=0x23,
)
