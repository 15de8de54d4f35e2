"""x86-64: how a system call passes its number, arguments and result, in names of `struct pt_regs`.

    read(3, buf, 512)   orig_ax = 0   di = 3, si = buf, dx = 512   ax = the result

Source: syscall(2); arch/x86/entry/entry_64.S; arch/x86/include/asm/segment.h.
"""

from __future__ import annotations

from invivo.linux.arch import Architecture, Registers

ARCHITECTURE = Architecture(
    name="x86_64",
    syscall_number="orig_ax",
    syscall_arguments=("di", "si", "dx", "r10", "r8", "r9"),
    # __USER32_CS: a 32-bit task, or an int $0x80 of one. Its numbers are of another table.
    compat_register="cs",
    compat_value=0x23,
)

# Where the registers of a function call in user space lie in struct pt_regs, in bytes. Source: arch/x86/include/asm/
# ptrace.h, and for the order of arguments the System V ABI, AMD64 supplement, 3.2.3; for Go's
# src/cmd/compile/abi-internal.md.
REGISTERS = Registers(
    offsets={
        "r15": 0, "r14": 8, "r13": 16, "r12": 24, "bp": 32, "bx": 40, "r11": 48, "r10": 56, "r9": 64, "r8": 72,
        "ax": 80, "cx": 88, "dx": 96, "si": 104, "di": 112, "ip": 128, "flags": 144, "sp": 152,
    },
    size=168,
    arguments=("di", "si", "dx", "cx", "r8", "r9"),
    result="ax",
    stack="sp",
    stack_arguments=8,
    go_arguments=("ax", "bx", "cx", "di", "si", "r8", "r9", "r10", "r11"),
)  # fmt: skip
