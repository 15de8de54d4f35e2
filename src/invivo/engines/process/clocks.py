"""What fires by the clock: timers, in this process, and samples of the traced threads.

    clocks = Clocks(points)
    clocks.start()
    for point in clocks.due_timers(): ...      as often as each is due
    for point in clocks.due_samples(): ...     once each: a sample that was missed would be the same stack
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from invivo.program.attach import AttachPoint, PerfClock, Timer

__all__ = ["Clocks"]

LONGEST_NS = 100_000_000


class _Due:
    """When a timer or a sample is due."""

    __slots__ = ("at_ns", "interval_ns", "point")

    def __init__(self, point: AttachPoint, interval_ns: int) -> None:
        self.point = point
        self.interval_ns = interval_ns
        self.at_ns = 0


class Clocks:
    """See the module's text."""

    def __init__(self, points: Iterable[AttachPoint]) -> None:
        points = list(points)
        self._timers = [_Due(point, point.interval_ns) for point in points if isinstance(point, Timer)]
        self._samples = [_Due(point, point.period_ns) for point in points if isinstance(point, PerfClock)]

    def start(self) -> None:
        """Count from now on."""
        now = time.monotonic_ns()
        for due in (*self._timers, *self._samples):
            due.at_ns = now + due.interval_ns

    def interval_ns(self, switch_ns: int) -> int:
        """How often to look, where records are wanted each `switch_ns`."""
        shortest = min((due.interval_ns for due in (*self._timers, *self._samples)), default=LONGEST_NS)
        return max(min(shortest, switch_ns, LONGEST_NS), 1_000_000)

    def until_due_s(self) -> float:
        """How long until the next timer, at most LONGEST_NS."""
        now = time.monotonic_ns()
        first = min((due.at_ns for due in self._timers), default=now + LONGEST_NS)
        return min(max(first - now, 0), LONGEST_NS) / 1e9

    def due_timers(self) -> Iterator[AttachPoint]:
        """Each timer as often as it is due by now."""
        now = time.monotonic_ns()
        for due in self._timers:
            while due.at_ns <= now:
                yield due.point
                due.at_ns += due.interval_ns

    def due_samples(self) -> Iterator[AttachPoint]:
        """Each sample that is due by now, once."""
        now = time.monotonic_ns()
        for due in self._samples:
            if due.at_ns <= now:
                due.at_ns += ((now - due.at_ns) // due.interval_ns + 1) * due.interval_ns
                yield due.point
