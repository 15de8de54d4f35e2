"""The column of a trace by function flow (dtrace -F): entries and returns as arrows, indented by depth.

    CPU FUNCTION
      0  -> f                        a function's entry: two columns more for what follows
      0    => write                  a system call's
      0    <= write                  its return stands below its entry again
      0   | :tick-1s                 any other probe
      0  <- f

Depth is kept by CPU. Of several clauses of one entry only the first has the arrow; those of one return all have it.
Source: dtrace(8), -F, and what DTrace 2.0.7 prints.
"""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.program.plan import ProbeInfo

__all__ = ["HEADING", "Flow"]

HEADING = "FUNCTION"
_WIDTH = 41
_STEP = 2
_DEEPEST = 200  # entries whose returns are not traced would push the names ever further


class _Kind(enum.Enum):
    ENTRY = enum.auto()
    RETURN = enum.auto()
    OTHER = enum.auto()


class Flow:
    """Turns firings, in order, into columns. `probes` are the plan's."""

    __slots__ = ("_depth", "_last", "_probes")

    def __init__(self, probes: Sequence[ProbeInfo]) -> None:
        self._probes = probes
        self._depth: dict[int, int] = {}
        self._last: dict[int, tuple[int, int]] = {}  # by CPU: probe and clause

    def column(self, probe: int, clause: int, cpu: int) -> str:
        """What stands before the data of a record: ` => read`, padded."""
        info = self._probes[probe - 1] if 0 < probe <= len(self._probes) else None
        before = self._last.get(cpu)
        self._last[cpu] = (probe, clause)
        is_same_firing = before is not None and before[0] == probe and before[1] < clause
        kind = _kind(info)
        depth = self._depth.get(cpu, 0)
        if is_same_firing and kind is _Kind.ENTRY:
            kind = _Kind.OTHER
        if kind is _Kind.RETURN and not is_same_firing:
            depth = max(depth - 1, 0)
        text = " " * (min(depth, _DEEPEST) * _STEP) + _text(info, kind)
        self._depth[cpu] = depth + 1 if kind is _Kind.ENTRY else depth
        return f"{text:<{_WIDTH}} "


def _kind(info: ProbeInfo | None) -> _Kind:
    if info is None:
        return _Kind.OTHER
    return {"entry": _Kind.ENTRY, "return": _Kind.RETURN}.get(info.name, _Kind.OTHER)


def _text(info: ProbeInfo | None, kind: _Kind) -> str:
    if info is None:
        return "| ?:?"
    line = "=" if info.provider == "syscall" else "-"
    match kind:
        case _Kind.ENTRY:
            return f" {line}> {info.function}"
        case _Kind.RETURN:
            return f" <{line} {info.function}"
        case _Kind.OTHER:
            return f"| {info.function}:{info.name}"
