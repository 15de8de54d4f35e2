"""Raw tracepoints, by name: BPF_RAW_TRACEPOINT_OPEN."""

from __future__ import annotations

import errno
import struct

from invivo.bpf import uapi
from invivo.bpf.link.base import Link
from invivo.bpf.syscall import address, bpf
from invivo.errors import KernelError, UnsupportedError

__all__ = ["attach"]


def attach(program_fd: int, name: str, cookie: int = 0) -> Link:
    """Run a raw tracepoint program at tracepoint `name`, with `cookie` (Linux 6.10; 0 is none).

    Raises:
        UnsupportedError: The kernel has no such tracepoint.
        KernelError, RightsError: It refuses.
    """
    text = name.encode() + b"\0"
    # name, prog_fd, padding, cookie; kernels that do not know the cookie refuse any but 0.
    attributes = bytearray(24)
    struct.pack_into("<QIIQ", attributes, 0, address(text), program_fd, 0, cookie)
    try:
        fd = bpf(uapi.BPF_RAW_TRACEPOINT_OPEN, attributes, f"raw tracepoint '{name}'")
    except KernelError as error:
        if error.errno == errno.ENOENT:
            raise UnsupportedError(f"this kernel has no raw tracepoint '{name}'") from None
        raise
    return Link(f"raw tracepoint {name}", fd, place=name)
