"""Programs on perf events: a BPF link with a cookie, or where the kernel lacks that, an ioctl."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from invivo.bpf import uapi
from invivo.bpf.link.base import Link
from invivo.bpf.syscall import try_bpf
from invivo.errors import KernelError

__all__ = ["attach"]

PERF_EVENT_IOC_ENABLE = 0x2400
PERF_EVENT_IOC_SET_BPF = 0x40042408


def attach(program_fd: int, event_fd: int, cookie: int, name: str) -> Link:
    """Run a program at each occurrence of the perf event, and enable the event; takes over `event_fd`.

    Raises:
        KernelError: The kernel refuses, or has no cookies and one is needed.
    """
    # Linux 5.15 (b89fbfbb854c) brought links for perf events, and their cookies (82e6b1eee6a8).
    attributes = bytearray(64)
    struct.pack_into("<IIIIQ", attributes, 0, program_fd, event_fd, uapi.BPF_PERF_EVENT, 0, cookie)
    link_fd, code = try_bpf(uapi.BPF_LINK_CREATE, attributes)
    try:
        if code:
            if code != errno.EINVAL or cookie:
                raise KernelError(code, "bpf(BPF_LINK_CREATE)", name)
            fcntl.ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, program_fd)
        fcntl.ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0)
    except OSError as error:
        for fd in (link_fd, event_fd):
            if fd >= 0:
                os.close(fd)
        if isinstance(error, KernelError):
            raise
        raise KernelError(error.errno or 0, "ioctl(PERF_EVENT_IOC_SET_BPF)", name) from error
    return Link(name, *(fd for fd in (link_fd, event_fd) if fd >= 0))
