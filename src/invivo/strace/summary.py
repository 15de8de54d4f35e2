"""The table of -c: time, calls and errors of each system call.

    % time     seconds  usecs/call     calls    errors syscall

In: calls that returned. Out: the columns that are asked for (-U), sorted (-S) as strace(1) sorts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from invivo.errors import OptionError
from invivo.strace.calls import numbers

__all__ = ["COLUMNS", "DEFAULT_COLUMNS", "SORTS", "Summary", "column_names", "sort_name"]


class _Row(NamedTuple):
    name: str
    calls: int
    errors: int
    ns: int
    least_ns: int
    most_ns: int


def _errors(row: _Row) -> str:
    return str(row.errors) if row.errors else ""


def _average(row: _Row) -> str:
    return str(row.ns // row.calls // 1000 if row.calls else 0)


class _Column(NamedTuple):
    title: str
    width: int
    text: Callable[[_Row, int], str]  # of a row, and the sum of all times


_SHARE = _Column("% time", 6, lambda row, total: f"{100 * row.ns / total if total else 0.0:.2f}")
COLUMNS: dict[str, _Column] = {
    "time-percent": _SHARE,
    "total-time": _Column("seconds", 11, lambda row, total: f"{row.ns / 1e9:.6f}"),
    "min-time": _Column("shortest", 8, lambda row, total: f"{row.least_ns / 1e9:.6f}"),
    "max-time": _Column("longest", 8, lambda row, total: f"{row.most_ns / 1e9:.6f}"),
    "avg-time": _Column("usecs/call", 11, lambda row, total: _average(row)),
    "calls": _Column("calls", 9, lambda row, total: str(row.calls)),
    "errors": _Column("errors", 9, lambda row, total: _errors(row)),
    "name": _Column("syscall", 16, lambda row, total: row.name),
}
DEFAULT_COLUMNS = ("time-percent", "total-time", "avg-time", "calls", "errors", "name")
_OTHER_NAMES = {
    "time": "time-percent", "time_percent": "time-percent", "total_time": "total-time", "min_time": "min-time",
    "shortest": "min-time", "max_time": "max-time", "longest": "max-time", "avg_time": "avg-time", "count": "calls",
    "error": "errors", "syscall": "name", "syscall-name": "name", "syscall_name": "name",
}  # fmt: skip
SORTS: dict[str, Callable[[_Row], float]] = {
    "time": lambda row: -row.ns,
    "min-time": lambda row: -row.least_ns,
    "max-time": lambda row: -row.most_ns,
    "avg-time": lambda row: -row.ns / max(row.calls, 1),
    "calls": lambda row: -row.calls,
    "errors": lambda row: -row.errors,
    "name": lambda row: 0,
    "nothing": lambda row: 0,
}
_OTHER_SORTS = {
    "time-percent": "time", "total-time": "time", "count": "calls", "error": "errors", "syscall": "name",
    "none": "nothing", "shortest": "min-time", "longest": "max-time",
}  # fmt: skip


def column_names(text: str) -> tuple[str, ...]:
    """The columns of -U, from their names.

    Raises:
        OptionError: There is no such column, or one twice.
    """
    found = tuple(_OTHER_NAMES.get(word, word) for word in text.split(",") if word)
    for name in found:
        if name not in COLUMNS or found.count(name) > 1:
            what = f"column '{name}' is named twice" if name in COLUMNS else f"there is no column '{name}'"
            raise OptionError(f"-U {text}: {what}", f"there are {', '.join(COLUMNS)}")
    return found if "name" in found else (*found, "name")


def sort_name(text: str) -> str:
    """The order of -S.

    Raises:
        OptionError: There is none of that name.
    """
    found = _OTHER_SORTS.get(text, text)
    if found not in SORTS:
        raise OptionError(f"-S {text}: there is no such order", f"there are {', '.join(SORTS)}")
    return found


class Summary:
    """Counts calls by name. Times are from a call's beginning to its end, in ns; `overhead_ns` is taken off each."""

    def __init__(
        self, columns: Sequence[str] = DEFAULT_COLUMNS, order: str = "time", overhead_ns: int = 0
    ) -> None:
        self._columns = columns
        self._order = order
        self._overhead_ns = overhead_ns
        self._rows: dict[str, _Row] = {}

    def add(self, name: str, duration_ns: int, is_error: bool) -> None:
        """A call that has returned."""
        ns = max(duration_ns - self._overhead_ns, 0)
        row = self._rows.get(name)
        if row is None:
            self._rows[name] = _Row(name, 1, int(is_error), ns, ns, ns)
        else:
            self._rows[name] = _Row(
                name, row.calls + 1, row.errors + is_error, row.ns + ns, min(row.least_ns, ns), max(row.most_ns, ns)
            )

    def text(self) -> str:
        """The table."""
        table = numbers()
        rows = sorted(self._rows.values(), key=lambda row: (table.get(row.name, len(table)), row.name))
        if self._order == "name":
            rows.sort(key=lambda row: row.name)
        rows.sort(key=SORTS[self._order])
        calls, errors, total = (sum(getattr(row, name) for row in rows) for name in ("calls", "errors", "ns"))
        least, most = min((r.least_ns for r in rows), default=0), max((r.most_ns for r in rows), default=0)
        chosen = [COLUMNS[name] for name in self._columns]
        rule = self._line([("-" * column.width) for column in chosen])
        lines = [self._line([column.title for column in chosen]), rule]
        lines += [self._line([column.text(row, total) for column in chosen]) for row in rows]
        last = _Row("total", calls, errors, total, least, most)
        shown = [column.text(last, total) if column is not _SHARE else "100.00" for column in chosen]
        return "\n".join([*lines, rule, self._line(shown)]) + "\n"

    def _line(self, cells: list[str]) -> str:
        parts = []
        for place, (name, cell) in enumerate(zip(self._columns, cells, strict=True)):
            if name != "name":
                parts.append(cell.rjust(COLUMNS[name].width))
            else:
                parts.append(cell if place == len(cells) - 1 else cell.ljust(COLUMNS[name].width))
        return " ".join(parts)
