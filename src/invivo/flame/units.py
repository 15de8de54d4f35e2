"""Weights for people.

    amount(1234567, "ns")  -> "1.23 ms"      amount(5 << 20, "bytes") -> "5.00 MiB"
    share(1, 8)            -> "12.5%"
"""

from __future__ import annotations

__all__ = ["amount", "share"]

_SCALES = {"ns": (1000, ("ns", "µs", "ms", "s")), "bytes": (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"))}


def amount(value: float, unit: str) -> str:
    """A weight with its unit, in three digits where it is a time or a size."""
    if unit not in _SCALES:
        return f"{value:,.0f} {unit.removesuffix('s') if value == 1 else unit}"
    step, names = _SCALES[unit]
    place = 0
    while abs(value) >= step and place < len(names) - 1:
        value /= step
        place += 1
    if place == 0 or abs(value) >= 100:
        return f"{value:,.0f} {names[place]}"
    return f"{value:.{1 if abs(value) >= 10 else 2}f} {names[place]}"


def share(part: float, whole: float) -> str:
    """A part as percent."""
    percent = 100 * part / whole if whole else 0
    return f"{percent:.{1 if percent >= 10 else 2}f}%" if percent < 99.95 else f"{percent:.0f}%"
