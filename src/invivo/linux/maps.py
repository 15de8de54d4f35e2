"""What a process has mapped that it can execute, from /proc/PID/maps.

    7f3a1c028000-7f3a1c17d000 r-xp 00028000 fe:00 339380   /usr/lib/x86_64-linux-gnu/libc.so.6
    ->  Mapping(0x7f3a1c028000, 0x7f3a1c17d000, 0x28000, (0xfe, 0), 339380, "/usr/lib/x86_64-linux-gnu/libc.so.6")

Source: proc_pid_maps(5).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Mapping", "read_maps"]


class Mapping(NamedTuple):
    """Addresses `start` up to `end` show a file from `offset` on, or memory of no file.

    `path` is the file's as the process names it, with `//deleted` or ` (deleted)` behind one that is gone, or
    `[vdso]`, `//anon`, `[heap]` and the like; `device` is (major, minor), and `inode` 0 where there is no file.
    """

    start: int
    end: int
    offset: int
    device: tuple[int, int]
    inode: int
    path: str


def read_maps(pid: int) -> list[Mapping] | None:
    """The executable mappings of a process, in order of address; None if there is no such process (any more).

    A process that has none (a kernel thread, one that is ending) has an empty list.
    """
    try:
        with open(f"/proc/{pid}/maps", "rb", buffering=0) as stream:
            lines = stream.readall().split(b"\n")
    except OSError:
        return None
    found = []
    for line in lines:
        words = line.split(None, 5)
        if len(words) < 5 or words[1][2:3] != b"x":
            continue
        start, _, end = words[0].partition(b"-")
        major, _, minor = words[3].partition(b":")
        path = _unescape(words[5]) if len(words) > 5 else "//anon"
        found.append(
            Mapping(
                int(start, 16), int(end, 16), int(words[2], 16), (int(major, 16), int(minor, 16)), int(words[4]), path
            )
        )
    return found


def _unescape(path: bytes) -> str:
    """The kernel writes a newline in a path as \\012."""
    return path.replace(b"\\012", b"\n").decode("utf-8", "surrogateescape")
