"""The kernel's trace events as the providers see them: a tree of groups, names and fields under tracefs.

In: tracefs' `events` directory. Out: names as they are asked for, group by group, and the fields of single events.

    tree = EventTree()
    tree.groups()                                  -> ["alarmtimer", "avc", "block", ...]
    tree.exists("sched", "sched_switch")           -> True
    [f.name for f in tree.fields("sched", "sched_wakeup")]  -> ["comm", "pid", "prio", "target_cpu"]
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from invivo.errors import RightsError
from invivo.linux import tracefs

__all__ = ["EventTree", "tracepoint_groups"]

# Entries of ftrace's own ring buffer: they have a format, but no tracepoint behind them.
_NO_TRACEPOINTS = frozenset({"ftrace"})


class EventTree:
    """`root` is the path of tracefs, found (or mounted) when first needed.

    Raises:
        RightsError: From every method, where tracefs is not mounted and may not be.
    """

    __slots__ = ("_dynamic", "_groups", "_names", "_root")

    def __init__(self, root: str | None = None) -> None:
        self._root = root
        self._groups: list[str] | None = None
        self._names: dict[str, list[str]] = {}
        self._dynamic: frozenset[str] | None = None

    @property
    def events(self) -> str:
        if self._root is None:
            self._root = tracefs.root()
        return f"{self._root}/events"

    def groups(self) -> Sequence[str]:
        """All groups that have tracepoints, sorted."""
        if self._groups is None:
            without = _NO_TRACEPOINTS | self._dynamic_groups()
            self._groups = [name for name in _directories(self.events) if name not in without]
        return self._groups

    def names(self, group: str) -> Sequence[str]:
        """The events of a group, sorted; none if there is no such group."""
        names = self._names.get(group)
        if names is None:
            is_plain = group and "/" not in group and group not in (".", "..")
            names = self._names[group] = _directories(f"{self.events}/{group}") if is_plain else []
        return names

    def exists(self, group: str, name: str) -> bool:
        """Whether there is the event GROUP:NAME; asks for this one only."""
        if not group or not name or "/" in group + name or group in _NO_TRACEPOINTS or ".." in (group, name):
            return False
        known = self._names.get(group)
        found = name in known if known is not None else os.path.isdir(f"{self.events}/{group}/{name}")
        return found and group not in self._dynamic_groups()

    def _dynamic_groups(self) -> frozenset[str]:
        """Groups of events that other tools defined (kprobe, uprobe, synthetic events): no tracepoint is behind them,
        and they may be gone in a moment. Lines are `p:GROUP/NAME PLACE`; see trace/kprobetrace.rst of the kernel."""
        if self._dynamic is None:
            path = f"{os.path.dirname(self.events)}/dynamic_events"
            try:
                with open(path, encoding="utf-8", errors="replace") as lines:
                    self._dynamic = frozenset(line.partition(":")[2].partition("/")[0] for line in lines)
            except OSError:  # kernels before 5.0 have no such file
                self._dynamic = frozenset()
        return self._dynamic

    def fields(self, group: str, name: str) -> Sequence[tracefs.FormatField]:
        """The event's own fields, in order, without those that all events share."""
        return tracefs.event_format(group, name, root=self._root or tracefs.root())


def _directories(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        raise RightsError(f"'{path}' may not be read by this user", "run as root") from None


def tracepoint_groups(tree: EventTree) -> Sequence[str]:
    """The groups whose events are tracepoints themselves: those of `syscalls` hang off raw_syscalls' two."""
    return [group for group in tree.groups() if group != "syscalls"]
