"""bpf(2): an attribute block in, a descriptor or zero out, failures as exceptions that name call and object.

    bpf(uapi.BPF_MAP_FREEZE, attributes, "map 'rodata'")   KernelError: bpf(BPF_MAP_FREEZE) of map 'rodata': ...

Source: bpf(2), and `union bpf_attr` in <linux/bpf.h>. Attribute blocks are bytearrays packed by the callers; pointers
in them come from `address`.
"""

from __future__ import annotations

import ctypes
import errno
import os

from invivo.bpf import uapi
from invivo.errors import KernelError, RightsError

__all__ = ["address", "bpf", "try_bpf"]

_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280}

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def address(data: bytes | bytearray) -> int:
    """The address of a buffer's bytes. The caller keeps the buffer alive, and does not resize it, over the call."""
    if isinstance(data, bytes):
        return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
    return ctypes.addressof((ctypes.c_char * len(data)).from_buffer(data)) if data else 0


def try_bpf(command: int, attributes: bytearray) -> tuple[int, int]:
    """(result, 0), or (-1, errno)."""
    number, size = ctypes.c_long(_NUMBERS[os.uname().machine]), ctypes.c_long(len(attributes))
    result = _syscall(number, ctypes.c_long(command), ctypes.c_void_p(address(attributes)), size)
    return (-1, ctypes.get_errno()) if result < 0 else (result, 0)


def bpf(command: int, attributes: bytearray, what: str) -> int:
    """Call bpf(2); returns its result.

    Args:
        command: One of uapi.BPF_*.
        attributes: The attribute block; the kernel may write results into it.
        what: The object as messages name it: "map 'counts'".

    Raises:
        RightsError: EPERM.
        KernelError: Any other failure.
    """
    result, code = try_bpf(command, attributes)
    if code:
        name = _command_name(command)
        if code == errno.EPERM:
            raise RightsError(f"bpf({name}) of {what}: not permitted", _permission_hint())
        raise KernelError(code, f"bpf({name})", what)
    return result


def _permission_hint() -> str:
    if os.geteuid() != 0:
        return "run as root, or with CAP_BPF and CAP_PERFMON: sudo invivo ..."
    return "this root lacks CAP_BPF or CAP_PERFMON (a container?), or the kernel is locked down; see: invivo doctor"


def _command_name(command: int) -> str:
    for name, value in vars(uapi).items():
        is_command = name.startswith(("BPF_MAP_", "BPF_PROG_", "BPF_OBJ_", "BPF_LINK_", "BPF_RAW_"))
        if value == command and is_command and "_TYPE_" not in name:
            return name
    return str(command)
