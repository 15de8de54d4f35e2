"""Processes that stop() has stopped: the user is told of each, and once more at the end of those that still are.

    stops.note(4711, tell)     "process 4711 (dd) is stopped by stop(); it goes on by: kill -CONT 4711"
    stops.remind(tell)         the same, if its state is still T
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Stops"]


class Stops:
    """See the module."""

    __slots__ = ("_pids",)

    def __init__(self) -> None:
        self._pids: dict[int, None] = {}

    def note(self, pid: int, tell: Callable[[str], None]) -> None:
        """A record of stop(). invivo itself, in which BEGIN, END and tick probes fire, was spared."""
        if pid == os.getpid():
            tell("stop() does nothing in a probe that fires in invivo itself, such as BEGIN, END and tick")
        elif pid not in self._pids:
            self._pids[pid] = None
            tell(f"stop() has stopped process {pid}{_name(pid)}; it goes on by: kill -CONT {pid}")

    def remind(self, tell: Callable[[str], None]) -> None:
        """Tracing ends."""
        for pid in self._pids:
            if _is_stopped(pid):
                tell(f"process {pid}{_name(pid)} is still stopped; it goes on by: kill -CONT {pid}")


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", "rb") as stream:
            return f" ({stream.read().rstrip().decode('utf-8', 'surrogateescape')})"
    except OSError:
        return ""


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] == b"T"
    except OSError:
        return False
