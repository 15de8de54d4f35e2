"""Capabilities by name: prctl(2), capget(2), capset(2).

    capability(0)           "CAP_CHOWN"
    data(1).late(frame)     "{effective=1<<CAP_CHOWN|..., permitted=..., inheritable=0}"

Source: capabilities(7), include/uapi/linux/capability.h.
"""

from __future__ import annotations

import struct

from invivo.strace.flags import styled
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece

__all__ = ["capability", "data", "header"]

_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
_VERSIONS = {0x19980330: 1, 0x20071026: 2, 0x20080522: 3}


def capability(number: int) -> str:
    """A capability by its number."""
    if number < len(_NAMES):
        return styled(f"{number:#x}" if number else "0", f"CAP_{_NAMES[number]}")
    return f"{number:#x} /* CAP_??? */"


def header(index: int) -> Piece:
    def early(frame: Frame) -> str:
        at = frame.words[index]
        found = frame.read(at, 8) if at else b""
        if len(found) < 8:
            return f"{at:#x}" if at else "NULL"
        version, pid = struct.unpack("<Ii", found)
        number = _VERSIONS.get(version)
        name = f"_LINUX_CAPABILITY_VERSION_{number}" if number else f"{version:#x} /* _LINUX_CAPABILITY_VERSION_??? */"
        return f"{{version={name}, pid={pid}}}"

    return Piece(early, captures=(Capture(index, 8),))


def data(index: int, at_return: bool) -> Piece:
    def shown(frame: Frame) -> str:
        at = frame.words[index]
        found = b"" if at_return and frame.has_failed else frame.read(at, 24) if at else b""
        if len(found) < 24:
            return f"{at:#x}" if at else "NULL"
        words = struct.unpack("<6I", found)
        names = ("effective", "permitted", "inheritable")
        return "{" + ", ".join(f"{n}={_set(words[i] | words[i + 3] << 32)}" for i, n in enumerate(names)) + "}"

    captures = (Capture(index, 24, at_return),)
    if at_return:
        return Piece(lambda frame: None if frame.words[index] else "NULL", shown, captures=captures)
    return Piece(shown, captures=captures)


def _set(bits: int) -> str:
    parts = [f"1<<CAP_{name}" for number, name in enumerate(_NAMES) if bits >> number & 1]
    rest = bits >> len(_NAMES) << len(_NAMES)
    return "|".join([*parts, *([f"{rest:#x}"] if rest else [])]) or "0"
