"""All programs, maps and links that the kernel holds, by id: to see that nothing was left behind."""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.syscall import address, bpf, try_bpf
from invivo.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KernelObject", "links", "maps", "programs"]


class KernelObject(NamedTuple):
    """`name` is empty where the kernel keeps none (links)."""

    id: int
    name: str


def programs() -> Iterator[KernelObject]:
    """All loaded programs."""
    return _objects(uapi.BPF_PROG_GET_NEXT_ID, uapi.BPF_PROG_GET_FD_BY_ID, 64)


def maps() -> Iterator[KernelObject]:
    """All maps."""
    return _objects(uapi.BPF_MAP_GET_NEXT_ID, uapi.BPF_MAP_GET_FD_BY_ID, 24)


def links() -> Iterator[KernelObject]:
    """All links."""
    return _objects(uapi.BPF_LINK_GET_NEXT_ID, uapi.BPF_LINK_GET_FD_BY_ID, -1)


def _objects(next_command: int, open_command: int, name_offset: int) -> Iterator[KernelObject]:
    identity = 0
    while True:
        attributes = bytearray(16)
        struct.pack_into("<I", attributes, 0, identity)
        _, code = try_bpf(next_command, attributes)
        if code == errno.ENOENT:
            return
        if code:
            raise KernelError(code, "bpf(BPF_*_GET_NEXT_ID)", f"id {identity}")
        identity = struct.unpack_from("<I", attributes, 4)[0]
        yield KernelObject(identity, _name(open_command, identity, name_offset) if name_offset >= 0 else "")


def _name(command: int, identity: int, offset: int) -> str:
    attributes = bytearray(16)
    struct.pack_into("<I", attributes, 0, identity)
    fd, code = try_bpf(command, attributes)
    if code:
        return ""  # gone since
    try:
        info = bytearray(256)
        attributes = bytearray(16)
        struct.pack_into("<IIQ", attributes, 0, fd, len(info), address(info))
        bpf(uapi.BPF_OBJ_GET_INFO_BY_FD, attributes, f"id {identity}")
        return bytes(info[offset : offset + 16]).split(b"\0")[0].decode("ascii", "replace")
    finally:
        os.close(fd)
