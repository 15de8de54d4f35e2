"""The kernel's clocks, in nanoseconds.

    monotonic_ns()       -> what bpf_ktime_get_ns (D's timestamp) counts
    wall_offset_ns()     -> what to add to it to get the time since 1970 (D's walltimestamp)
"""

from __future__ import annotations

import time

__all__ = ["monotonic_ns", "wall_offset_ns"]


def monotonic_ns() -> int:
    """CLOCK_MONOTONIC."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def wall_offset_ns() -> int:
    """CLOCK_REALTIME minus CLOCK_MONOTONIC.

    The two are read one after the other; of several tries the one in which least time passed between is taken.
    """
    best: tuple[int, int] | None = None
    for _ in range(4):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        found = (after - before, wall - (before + after) // 2)
        best = found if best is None or found < best else best
    assert best is not None
    return best[1]
