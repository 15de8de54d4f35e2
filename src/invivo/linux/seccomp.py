"""A seccomp filter under which chosen system calls stop for a tracer, and all others cost next to nothing.

    code = trace_filter({0, 257})       classic BPF: read and openat answer SECCOMP_RET_TRACE, anything else ALLOW
    install(code)                       in the child, before exec; inherited by all that it starts, for ever

A filter cannot be taken away: where there is no tracer any more, the chosen calls fail with ENOSYS. So whoever installs
one stays the tracer of all processes that have it, or ends them with itself (PTRACE_O_EXITKILL).
The filter looks at nothing but the call's number and the architecture, so that the kernel keeps its answers in a bitmap
(Linux 5.11) and does not run it for the calls that go on. Source: seccomp(2), <linux/filter.h>, <linux/seccomp.h>.
"""

from __future__ import annotations

import ctypes
import errno
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["install", "trace_filter"]

_LOAD_WORD, _RETURN = 0x20, 0x06
_JUMP_EQUAL, _JUMP_GREATER, _JUMP_NOT_LESS = 0x15, 0x25, 0x35
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_NUMBER_AT, _ARCH_AT = 0, 4  # in struct seccomp_data
_AUDIT_ARCH_X86_64 = 0xC000003E
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP, _SET_MODE_FILTER = 317, 1  # x86-64
_SPEC_ALLOW = 4  # no speculation is switched off, which would cost the program far more than the filter; Linux 4.17

_instruction = struct.Struct("<HBBI").pack


def trace_filter(numbers: Collection[int] | None, arch: int = _AUDIT_ARCH_X86_64) -> bytes:
    """The filter's code, 8 bytes an instruction: `numbers` (None: all) of `arch` stop, other calls go on."""
    code = [
        _instruction(_LOAD_WORD, 0, 0, _ARCH_AT),
        _instruction(_JUMP_EQUAL, 1, 0, arch),
        _instruction(_RETURN, 0, 0, _ALLOW),
    ]
    if numbers is None:
        return b"".join([*code, _instruction(_RETURN, 0, 0, _TRACE)])
    code.append(_instruction(_LOAD_WORD, 0, 0, _NUMBER_AT))
    for first, last in _ranges(numbers):
        code += [
            _instruction(_JUMP_NOT_LESS, 0, 2, first),
            _instruction(_JUMP_GREATER, 1, 0, last),
            _instruction(_RETURN, 0, 0, _TRACE),
        ]
    return b"".join([*code, _instruction(_RETURN, 0, 0, _ALLOW)])


def _ranges(numbers: Collection[int]) -> list[tuple[int, int]]:
    """The numbers as runs (first, last), ascending."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] + 1 == number:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def install(code: bytes) -> bool:
    """Put this thread, and all that it starts, under a filter; False if the kernel refuses.

    Without CAP_SYS_ADMIN this takes PR_SET_NO_NEW_PRIVS: set-user-ID programs then run with the caller's rights, as
    they do under ptrace(2) anyway.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    libc.syscall.argtypes = (ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    where = ctypes.create_string_buffer(program, len(program))
    flags = _SPEC_ALLOW
    for _ in range(3):
        if libc.syscall(_SECCOMP, _SET_MODE_FILTER, flags, ctypes.addressof(where)) == 0:
            return True
        if ctypes.get_errno() == errno.EINVAL and flags:
            flags = 0  # an older kernel
        elif ctypes.get_errno() != errno.EACCES or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
    return False
