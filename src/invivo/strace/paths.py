"""The files behind numbers of a process's descriptors, as -y and -yy show them.

    Paths(4711, 1).text(3)      "3</etc/passwd>"
    Paths(4711, 2).text(4)      "4<TCP:[127.0.0.1:80->127.0.0.1:43210]>", "5<char 1:3</dev/null>>"

In: /proc/PID/fd at the moment of the question. Source: proc(5), strace(1).
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from typing import Protocol

from invivo.strace.flags import at_cwd
from invivo.strace.structures import quoted

__all__ = ["Files", "Paths", "ProcessFiles", "details"]

_AT_FDCWD = -100


class Files(Protocol):
    """Who knows the files behind descriptors."""

    def of(self, tid: int, pid: int) -> Callable[[int], str]:
        """What shows the descriptors of a thread's call that begins now."""
        ...

    def gone(self, tid: int) -> None:
        """The thread is no more."""
        ...


class ProcessFiles:
    """Files as /proc has them at the moment of the question: of processes that stand still."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._paths: dict[int, Paths] = {}

    def of(self, tid: int, pid: int) -> Callable[[int], str]:
        found = self._paths.get(pid)
        if found is None:
            found = self._paths[pid] = Paths(pid, self._level)
        return found.text

    def gone(self, tid: int) -> None:
        self._paths.pop(tid, None)


class Paths:
    """Of one process. `level` is how often -y was given."""

    __slots__ = ("_level", "_pid")

    def __init__(self, pid: int, level: int) -> None:
        self._pid = pid
        self._level = level

    def text(self, fd: int) -> str:
        """A descriptor with its file, as far as that can be told."""
        if fd == _AT_FDCWD:
            return f"{at_cwd()}<{self._link('cwd')}>"
        if fd < 0:
            return str(fd)
        path = self._link(f"fd/{fd}")
        if not path:
            return str(fd)
        if self._level > 1:
            path = self._details(fd, path)
        return f"{fd}<{path}>"

    def _link(self, name: str) -> str:
        try:
            target = os.readlink(f"/proc/{self._pid}/{name}")
        except OSError:
            return ""
        return quoted(os.fsencode(target), 4096)[1:-1]

    def _details(self, fd: int, path: str) -> str:
        try:
            found = os.stat(f"/proc/{self._pid}/fd/{fd}")
        except OSError:
            return path
        return details(self._pid, path, found.st_mode, found.st_rdev)


def details(pid: int, path: str, mode: int, device: int) -> str:
    """A file as -yy shows it: the ends of a socket, the numbers of a device; `mode` and `device` are its inode's."""
    if path.startswith("socket:["):
        return _socket(pid, path.removeprefix("socket:[").rstrip("]")) or path
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        kind = "char" if stat.S_ISCHR(mode) else "block"
        return f"{path}<{kind} {os.major(device)}:{os.minor(device)}>"
    return path


def _socket(pid: int, inode: str) -> str:
    """A socket by its inode: from the tables of /proc/PID/net."""
    for protocol, family in (("TCP", "tcp"), ("UDP", "udp"), ("TCPv6", "tcp6"), ("UDPv6", "udp6")):
        for row in _rows(pid, family):
            if len(row) > 9 and row[9] == inode:
                here, there = _endpoint(row[1]), _endpoint(row[2])
                ends = here if there.endswith(":0") else f"{here}->{there}"
                return f"{protocol}:[{ends}]"
    for row in _rows(pid, "unix"):
        if len(row) > 6 and row[6] == inode:
            name = f',"{row[7]}"' if len(row) > 7 else ""
            return f"UNIX-{'DGRAM' if row[4] == '0002' else 'STREAM'}:[{inode}{name}]"
    for row in _rows(pid, "netlink"):
        if len(row) > 9 and row[9] == inode:
            return f"NETLINK:[{inode}]"
    return ""


def _rows(pid: int, name: str) -> list[list[str]]:
    try:
        with open(f"/proc/{pid}/net/{name}", encoding="utf-8", errors="replace") as stream:
            return [line.split() for line in stream.readlines()[1:]]
    except OSError:
        return []


def _endpoint(text: str) -> str:
    """0100007F:0050 as 127.0.0.1:80: words of the machine's byte order."""
    address, _, port = text.partition(":")
    words = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    if len(words) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, words)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, words)}]:{int(port, 16)}"
