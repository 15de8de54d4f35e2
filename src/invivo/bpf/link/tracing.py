"""BTF-typed raw tracepoints (tp_btf): the program says at load what it attaches to."""

from __future__ import annotations

import struct

from invivo.bpf import uapi
from invivo.bpf.link.base import Link
from invivo.bpf.syscall import bpf

__all__ = ["attach"]


def attach(program_fd: int, name: str) -> Link:
    """Enable a tracing program; `name` is only for messages.

    Raises:
        KernelError, RightsError: The kernel refuses.
    """
    attributes = bytearray(24)
    struct.pack_into("<QI", attributes, 0, 0, program_fd)
    return Link(f"BTF tracepoint {name}", bpf(uapi.BPF_RAW_TRACEPOINT_OPEN, attributes, f"BTF tracepoint '{name}'"),
                place=name)  # fmt: skip
