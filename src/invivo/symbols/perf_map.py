"""Functions that a JIT compiler has told in /tmp/perf-PID.map: lines of `start size name`, in hexadecimal.

    PerfMap.of(4711).find(0x7f3a1c0fe2a0)    -> ("LazyCompile:*render /srv/app.js:12", 16)

Later lines replace earlier ones for the same place. Source: tools/perf/Documentation/jit-interface.txt.
"""

from __future__ import annotations

import os
from bisect import bisect_right

__all__ = ["PerfMap"]

_LARGEST = 64 << 20  # bytes read of a file that anybody may write


class PerfMap:
    """One process's functions by address. `is_there` tells an empty map from none."""

    __slots__ = ("_rows", "_starts", "is_there")

    def __init__(self, data: bytes | None) -> None:
        rows: dict[int, tuple[int, str]] = {}
        for line in (data or b"").split(b"\n"):
            words = line.split(None, 2)
            try:
                start, size = int(words[0], 16), int(words[1], 16)
                rows[start] = (size, words[2].decode("utf-8", "surrogateescape"))
            except (IndexError, ValueError):
                continue
        self._starts = sorted(rows)
        self._rows = rows
        self.is_there = data is not None

    @classmethod
    def of(cls, pid: int) -> PerfMap:
        """The map of a process: as it sees its files while it lives, else as this process does."""
        for root in (f"/proc/{pid}/root", ""):
            number = _own_number(pid) if root else pid
            try:
                fd = os.open(f"{root}/tmp/perf-{number}.map", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError:
                continue
            with os.fdopen(fd, "rb") as stream:
                return cls(stream.read(_LARGEST))
        return cls(None)

    def find(self, address: int) -> tuple[str, int] | None:
        """(name, distance from its start) of an address."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start = self._starts[index]
        size, name = self._rows[start]
        return (name, address - start) if address - start < size else None


def _own_number(pid: int) -> int:
    """The process's number in its own namespace, which is in the file's name."""
    try:
        with open(f"/proc/{pid}/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass
    return pid
