"""How the loop's memory looks: the control block, a thread's slot, a recipe, a record. One place for both sides.

CONTROL["head"]          (offset, LLVM type) of a member of the control block
RECORD_HEADER            struct of what begins every record: size, kind, captures, tid, pid, time, number
"""

from __future__ import annotations

import struct

__all__ = [
    "ARGUMENTS", "BRIEF", "CALLS", "CONTROL", "CONTROL_BYTES", "HANDED_ENTRY", "HANDED_RETURN", "IS_ALONE",
    "IS_COMM_KEPT", "IS_NATIVE", "KEEPS_COMM", "PIECE", "RECIPE", "RECORD", "RECORD_HEADER", "REGISTER",
    "REGISTERS_BYTES", "SLOT", "SLOT_BYTES", "UNREAD_RETURN", "WANTED_ENTRY", "WANTED_RETURN", "Layout",
]  # fmt: skip

Layout = dict[str, tuple[int, str]]
_SIZES = {"i64": 8, "i32": 4, "i16": 2, "i8": 1}


def _laid_out(*members: tuple[str, str, int]) -> tuple[Layout, int]:
    """Members one after the other as (name, type, count); their layout and its size."""
    found: Layout = {}
    offset = 0
    for name, type_, count in members:
        size = _SIZES[type_]
        offset = -(-offset // size) * size
        found[name] = offset, type_
        offset += size * count
    return found, -(-offset // 8) * 8


# struct user_regs_struct, <sys/user.h>, in words.
REGISTER = {
    name: index
    for index, name in enumerate((
        "r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "orig_ax", "ip",
        "cs", "flags", "sp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
    ))
}  # fmt: skip
REGISTERS_BYTES = 8 * len(REGISTER)
# What a brief record has of them: the call's arguments, its result, where it was called.
BRIEF = tuple(REGISTER[name] for name in ("di", "si", "dx", "r10", "r8", "r9", "ax", "ip", "sp"))
ARGUMENTS = tuple(REGISTER[name] for name in ("di", "si", "dx", "r10", "r8", "r9"))  # of a system call

CALLS = 1024  # system calls have smaller numbers

CONTROL, CONTROL_BYTES = _laid_out(
    ("clock", "i64", 1),  # the address of clock_gettime(3)
    ("ring", "i64", 1),
    ("ring_bytes", "i64", 1),  # a power of two
    ("record_bytes", "i64", 1),  # of the largest record that can be
    ("head", "i64", 1),  # bytes written since the beginning; whoever reads keeps `tail`
    ("tail", "i64", 1),
    ("indexes", "i64", 1),  # a 32-bit number of a slot for each thread id, 0 for none
    ("tids", "i64", 1),  # how many
    ("slots", "i64", 1),
    ("wanted", "i64", 1),  # a byte for each system call
    ("entry_recipes", "i64", 1),  # first recipe << 8 | count for each system call, 32 bits
    ("return_recipes", "i64", 1),
    ("recipes", "i64", 1),
    ("mode", "i64", 1),  # PTRACE_CONT under a filter, else PTRACE_SYSCALL
    ("has_registers", "i64", 1),  # read them all, not only those of the call
    ("should_stop", "i64", 1),
    ("budget", "i64", 1),  # stops until the loop comes back by itself
    ("is_pending", "i64", 1),  # the stop below has still to be handled
    ("tid", "i64", 1),
    ("status", "i64", 1),
    ("info", "i64", 11),  # struct ptrace_syscall_info
    ("time", "i64", 2),  # struct timespec
    ("local", "i64", 2),  # struct iovec, twice
    ("remote", "i64", 2),
    ("registers", "i64", len(REGISTER)),
)

# Bits of a byte of `wanted`.
WANTED_ENTRY, WANTED_RETURN, HANDED_ENTRY, HANDED_RETURN = 1, 2, 4, 8
UNREAD_RETURN = 16  # nobody reads the result
KEEPS_COMM = 32  # the call itself cannot change its thread's name

SLOT, SLOT_BYTES = _laid_out(
    ("number", "i64", 1),  # the system call that the thread is in, or -1
    ("tid", "i32", 1),
    ("pid", "i32", 1),
    ("flags", "i32", 1),
    ("comm_fd", "i32", 1),  # /proc/TID/comm, or -1
    ("arguments", "i64", 6),  # of that system call
    ("comm", "i64", 2),  # as read at its entry
    ("comm_bytes", "i64", 1),
)
# Flags of a slot: the loop may handle this thread's stops; it is its process's only one; `comm` holds until the return.
IS_NATIVE, IS_ALONE, IS_COMM_KEPT = 1, 2, 4

RECIPE, _ = _laid_out(
    ("kind", "i8", 1),
    ("register", "i8", 1),  # whose value is the address
    ("length_register", "i8", 1),  # whose value is the length, if it is less than the limit; 255: none
    ("limit", "i32", 1),
    ("displacement", "i64", 1),
)

RECORD, _ = _laid_out(
    ("size", "i32", 1),
    ("kind", "i8", 1),
    ("pieces", "i8", 1),
    ("tid", "i32", 1),
    ("pid", "i32", 1),
    ("time_ns", "i64", 1),
    ("number", "i64", 1),
    ("registers", "i64", len(REGISTER)),  # or those of BRIEF
)
RECORD_HEADER = struct.Struct("<IBBxxIIQq")
PIECE = struct.Struct("<Qi4x")  # address, bytes (-1: they cannot be read), followed by the bytes, padded to 8
