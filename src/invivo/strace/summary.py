"""The table of -c: time, calls and errors of each system call.

    % time     seconds  usecs/call     calls    errors syscall
"""

from __future__ import annotations

__all__ = ["Summary"]


class Summary:
    """Counts calls by name. Times are from a call's beginning to its end, in ns."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}  # ns, calls, errors

    def add(self, name: str, duration_ns: int, is_error: bool) -> None:
        row = self._rows.setdefault(name, [0, 0, 0])
        row[0] += duration_ns
        row[1] += 1
        row[2] += is_error

    def text(self) -> str:
        """The table, the most expensive first."""
        total = sum(row[0] for row in self._rows.values())
        lines = ["% time     seconds  usecs/call     calls    errors syscall", _RULE]
        for name, (ns, calls, errors) in sorted(self._rows.items(), key=lambda item: (-item[1][0], item[0])):
            share = 100 * ns / total if total else 0.0
            shown = str(errors) if errors else ""
            lines.append(f"{share:6.2f} {ns / 1e9:11.6f} {ns // calls // 1000:11} {calls:9} {shown:>9} {name}")
        calls, errors = (sum(row[i] for row in self._rows.values()) for i in (1, 2))
        average = total // calls // 1000 if calls else 0
        lines += [_RULE, f"100.00 {total / 1e9:11.6f} {average:11} {calls:9} {errors or '':>9} total"]
        return "\n".join(lines) + "\n"


_RULE = "------ ----------- ----------- --------- --------- ----------------"
