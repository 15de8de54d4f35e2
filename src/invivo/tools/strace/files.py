"""The files behind descriptors, as the kernel engine's program saw them at each call.

    files.named(tid, key, identity, mode, device, inode, True, b"ext4")    a file is seen for the first time
    files.part(tid, b"passwd"); files.part(tid, b"etc")                    its path, from the end
    files.seen(tid, 3, key, identity)                                      it is what descriptor 3 is
    files.of(tid, pid)(3)                                                  "3</etc/passwd>"

In: records of program.py. A descriptor that the program did not see (in an array that poll(2) gets, say) is what it was
in that process when it was last seen, or what /proc says now.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from invivo.strace.flags import at_cwd
from invivo.strace.paths import Paths, details
from invivo.strace.structures import quoted

__all__ = ["Files"]

_AT_FDCWD = -100
_MOST = 1 << 16
_KINDS = {"sockfs": "socket", "pipefs": "pipe"}


class _File(NamedTuple):
    mode: int
    device: int
    path: str


class _Walk(NamedTuple):
    """A path of which the parts are still coming."""

    key: tuple[int, int]
    mode: int
    device: int
    parts: list[bytes]


class Files:
    """See the module's text. `level` is how often -y was given."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._known: dict[tuple[int, int], _File] = {}
        self._walks: dict[int, _Walk] = {}  # by thread
        self._seen: dict[int, dict[int, tuple[int, int]]] = {}  # by thread: what its call's records told
        self._last: dict[int, dict[int, _File]] = {}  # by process

    # --- records ------------------------------------------------------------------------------------------------

    def named(
        self, tid: int, key: int, identity: int, mode: int, device: int, inode: int, has_path: int, kind: bytes
    ) -> None:
        """A file, by its addresses in the kernel, its inode and its file system."""
        self._finish(tid)
        # A dev_t of the kernel: 12 bits of major, 20 of minor (include/linux/kdev_t.h).
        number = os.makedev(device >> 20 & 0xFFF, device & 0xFFFFF)
        if has_path:
            self._walks[tid] = _Walk((key, identity), mode, number, [])
            return
        name = kind.partition(b"\0")[0].decode(errors="replace")
        self._add((key, identity), _File(mode, number, f"{_KINDS.get(name, name)}:[{inode}]"))

    def part(self, tid: int, name: object) -> None:
        """A directory's entry on the way up; a number: the way was too long to be told."""
        walk = self._walks.get(tid)
        if walk is None:
            return
        if isinstance(name, bytes):
            walk.parts.append(name.partition(b"\0")[0])
        else:
            walk.parts.append(b"...")

    def seen(self, tid: int, fd: int, key: int, identity: int) -> None:
        """A thread's descriptor at the call whose record comes next."""
        self._seen.setdefault(tid, {})[fd] = (key, identity)

    def forked(self, pid: int, child: int) -> None:
        """A process begins with the files of another."""
        self._last[child] = dict(self._last.get(pid, {}))

    def _add(self, key: tuple[int, int], file: _File) -> None:
        if len(self._known) > _MOST:
            self._known.clear()
        self._known[key] = file

    def _finish(self, tid: int) -> None:
        walk = self._walks.pop(tid, None)
        if walk is not None:
            path = b"/" + b"/".join(reversed(walk.parts))
            self._add(walk.key, _File(walk.mode, walk.device, quoted(path, 4096)[1:-1]))

    # --- text ---------------------------------------------------------------------------------------------------

    def of(self, tid: int, pid: int) -> Callable[[int], str]:
        """What shows the descriptors of a thread's call."""
        last = self._last.setdefault(pid, {})
        self._note(tid, last)

        def text(fd: int) -> str:
            self._note(tid, last)
            file = last.get(fd)
            if file is None:
                return Paths(pid, self._level).text(fd)
            shown = file.path if self._level < 2 else details(pid, file.path, file.mode, file.device)
            return f"{at_cwd() if fd == _AT_FDCWD else fd}<{shown}>"

        return text

    def _note(self, tid: int, last: dict[int, _File]) -> None:
        self._finish(tid)
        for fd, key in self._seen.pop(tid, {}).items():
            if (file := self._known.get(key)) is not None:
                last[fd] = file
            else:
                last.pop(fd, None)

    def gone(self, tid: int) -> None:
        """The thread is no more."""
        self._seen.pop(tid, None)
        self._walks.pop(tid, None)
        self._last.pop(tid, None)
