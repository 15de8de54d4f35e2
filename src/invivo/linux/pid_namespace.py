"""The pid namespace that invivo runs in: whose numbers fork(2), kill(2) and /proc use here.

    pid_namespace()          None in the initial one; else PidNamespace(device=4, inode=4026532571)
    require_own_proc()       an error where /proc shows the processes of another namespace

Source: pid_namespaces(7), namespaces(7); the initial one's inode: PROC_PID_INIT_INO in include/linux/proc_ns.h.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from invivo.errors import UnsupportedError

__all__ = ["PidNamespace", "pid_namespace", "require_own_proc"]

_INITIAL = 0xEFFFFFFC


class PidNamespace(NamedTuple):
    """`device` as the kernel writes it (dev_t: 12 bits major, 20 bits minor), and the inode there."""

    device: int
    inode: int


def pid_namespace() -> PidNamespace | None:
    """This process's pid namespace, or None where it is the initial one, or the kernel has none."""
    try:
        found = os.stat("/proc/self/ns/pid")
    except OSError:
        return None
    if found.st_ino == _INITIAL:
        return None
    return PidNamespace(os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino)


def require_own_proc() -> None:
    """
    Raises:
        UnsupportedError: /proc numbers processes otherwise than fork(2) and kill(2) do here.
    """
    try:
        shown = os.readlink("/proc/self")
    except OSError:
        shown = "nobody"
    if shown != str(os.getpid()):
        raise UnsupportedError(
            f"/proc is that of another pid namespace: this process is {os.getpid()}, and {shown} in /proc",
            "mount this namespace's own: mount -t proc proc /proc; unshare has --mount-proc for it",
        )
