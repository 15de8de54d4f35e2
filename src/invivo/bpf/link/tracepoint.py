"""Perf tracepoints, by the id that tracefs gives: a perf event, and the program on it.

A tracepoint program is called for every occurrence on every CPU, whatever CPU its perf event is bound to: the kernel
keeps the programs by tracepoint (kernel/events/core.c, perf_event_set_bpf_prog), so one event is enough.
"""

from __future__ import annotations

import ctypes
import os
import struct

from invivo.bpf.link import perf_event
from invivo.bpf.link.base import Link
from invivo.bpf.syscall import address
from invivo.errors import KernelError

__all__ = ["attach"]

_NUMBERS = {"x86_64": 298, "aarch64": 241, "riscv64": 241}
_PERF_TYPE_TRACEPOINT = 2
_PERF_FLAG_FD_CLOEXEC = 8


def attach(program_fd: int, event_id: int, cookie: int, name: str) -> Link:
    """Run a tracepoint program at event `event_id`, with `cookie`.

    Raises:
        KernelError: The kernel refuses.
    """
    attributes = bytearray(128)
    # type, size, config, sample_period (0: it counts; some events may not be sampled), ... flags (bit 0: disabled)
    struct.pack_into("<IIQQQQQ", attributes, 0, _PERF_TYPE_TRACEPOINT, len(attributes), event_id, 0, 0, 0, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(_NUMBERS[os.uname().machine])
    fd = libc.syscall(
        number, ctypes.c_void_p(address(attributes)), ctypes.c_long(-1), ctypes.c_long(0), ctypes.c_long(-1),
        ctypes.c_long(_PERF_FLAG_FD_CLOEXEC),
    )  # fmt: skip
    if fd < 0:
        raise KernelError(ctypes.get_errno(), "perf_event_open", f"tracepoint {name}")
    return perf_event.attach(program_fd, fd, cookie, f"tracepoint {name}")
