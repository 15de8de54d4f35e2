"""The operations that engines implement: every builtin is rewritten into these.

A row says what goes in, what comes out, and what it means; `codegen/primitives.py` has one lowering for each and
`engines/reference` one function for each. A test holds that all three lists agree.

Parameter letters: i a 64-bit integer (or pointer's bits), s a string, m scratch memory (a SCRATCH pointer).
Results: i, s (capacity is the Call node's type.size), m.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PRIMITIVES", "Primitive"]


class Primitive(NamedTuple):
    name: str
    parameters: str
    result: str
    meaning: str
    is_pure: bool = True  # same arguments, same firing: same result, and no fault


_ROWS = (
    Primitive("pid_tgid", "", "i", "tgid << 32 | tid of the running thread, as invivo's pid namespace numbers them"),
    Primitive("kernel_pid_tgid", "", "i", "the same as the initial pid namespace numbers them"),
    Primitive("pid_number", "i", "i", "number of the struct pid at an address, in a namespace below the initial; or 0"),
    Primitive("uid_gid", "", "i", "gid << 32 | uid of the running thread"),
    Primitive("comm", "", "s", "the running thread's name, String(16)"),
    Primitive("cpu", "", "i", "number of the CPU"),
    Primitive("timestamp", "", "i", "CLOCK_MONOTONIC in ns, read once a firing"),
    Primitive("current_task", "", "i", "address of the running thread's struct task_struct, as in KERNEL space"),
    Primitive("current_cgroup", "", "i", "id of the running thread's cgroup (v2)"),
    Primitive("random", "", "i", "32 random bits", False),
    Primitive("kernel_pc", "", "i", "the interrupted kernel pc at a perf event, 0 if it ran in user space"),
    Primitive("user_pc", "", "i", "the interrupted user pc at a perf event, 0 if it ran in the kernel"),
    Primitive("kstack", "", "i", "id of the kernel stack (type Stack), its frames in the stacks map", False),
    Primitive("ustack", "", "i", "the same of the user stack", False),
    Primitive("caller", "", "i", "second address of the kernel stack, or 0"),
    Primitive("ucaller", "", "i", "second address of the user stack, or 0"),
    Primitive("user_registers", "", "i", "address of the thread's user registers (struct pt_regs); 0 if unknown"),
    Primitive("cpu_chip", "i", "i", "number of the package that a CPU is part of"),
    Primitive("cpu_lgrp", "i", "i", "number of the memory node that a CPU is part of"),
    Primitive("kstack_depth", "", "i", "number of frames of the kernel stack"),
    Primitive("ustack_depth", "", "i", "number of frames of the user stack"),
    Primitive("strlen", "s", "i", "bytes before the NUL"),
    Primitive("strjoin", "ss", "s", "concatenation, cut to the result's capacity"),
    Primitive("substr", "sii", "s", "from index (negative: from the end), at most length bytes; DTrace's rules"),
    Primitive("index", "ssi", "i", "first position of the second in the first at or after the third, or -1"),
    Primitive("rindex", "ssi", "i", "last position at or before the third (INT64_MAX: anywhere), or -1"),
    Primitive("strstr", "ss", "s", "the first from the second's first occurrence on, or empty"),
    Primitive("strchr", "si", "s", "from the first such byte on, or empty"),
    Primitive("strrchr", "si", "s", "from the last such byte on, or empty"),
    Primitive("basename", "s", "s", "basename(3) of a path"),
    Primitive("dirname", "s", "s", "dirname(3) of a path"),
    Primitive("lltostr", "i", "s", "signed decimal"),
    Primitive("lltostr_base", "ii", "s", "in base 2 to 36 (2nd), 0x before 16's, 0 before 8's; else ILLOP", False),
    Primitive("strtoll", "si", "i", "the number that a string begins with, in base 2 to 36; ILLOP for another", False),
    Primitive("strspn", "ss", "i", "length of the first's beginning that has only bytes of the second"),
    Primitive("strcspn", "ss", "i", "length of the first's beginning that has no byte of the second"),
    Primitive("toupper", "s", "s", "ASCII upper case"),
    Primitive("tolower", "s", "s", "ASCII lower case"),
    Primitive("speculation", "i", "i", "takes a free one of so many speculations: its number from 1, or 0", False),
    Primitive("speculation_state", "i", "i", "state of a speculation by number: odd while in use; else even", False),
    Primitive("speculation_end", "i", "i", "frees a speculation by its number, if it is in use", False),
    Primitive("alloca", "i", "m", "so many zeroed bytes of scratch memory; NOSCRATCH if too many", False),
    Primitive("copyin", "ii", "m", "scratch memory with size (2nd) bytes of user memory at (1st)", False),
    Primitive("copyinto", "iim", "i", "copy size (2nd) bytes of user memory at (1st) into scratch (3rd)", False),
    Primitive("bcopy", "imi", "i", "copy size (3rd) bytes of kernel memory (1st) into scratch (2nd)", False),
    Primitive("scopy", "mmi", "i", "the same from scratch to scratch", False),
    Primitive("send_signal", "i", "i", "sends a signal to the running process; ILLOP where the kernel refuses", False),
    Primitive("copyout", "mii", "i", "write scratch memory to user memory at (2nd), size (3rd) bytes", False),
    Primitive("copyout_kernel", "iii", "i", "the same from kernel memory", False),
    Primitive("copyout_string", "sii", "i", "the same of a string with its NUL, at most (3rd) bytes", False),
    Primitive("chill", "i", "i", "spend so many nanoseconds; ILLOP if more than 100 ms", False),
    Primitive("kcopy_string", "sm", "i", "write a string with its NUL into scratch memory", False),
)

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in _ROWS}
