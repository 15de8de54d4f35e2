"""What speculations hold back: records by number and state, until they are committed or discarded.

    held.hold(1, 3, entry, 24)      speculation 1, whose state is 3: odd, so it is in use
    held.take(1, 3)                 [entry]
    held.take(1, 3)                 []
"""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Speculations"]

T = TypeVar("T")


class Speculations(Generic[T]):
    """Entries of at most `limit_bytes` for each speculation; `dropped` counts those that found no room."""

    __slots__ = ("_held", "_limit_bytes", "dropped")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: dict[int, tuple[int, list[T], int]] = {}
        self.dropped = 0

    def hold(self, number: int, state: int, entry: T, size: int) -> None:
        """Keep an entry, if the speculation was in use when it was recorded; otherwise it is not wanted."""
        if number <= 0 or not state & 1:
            return
        known, entries, used = self._held.get(number, (state, [], 0))
        if known != state:  # the record that ended the one before was lost
            entries, used = [], 0
        if used + size > self._limit_bytes:
            self.dropped += 1
            return
        entries.append(entry)
        self._held[number] = (state, entries, used + size)

    def take(self, number: int, state: int) -> list[T]:
        """The entries of a speculation, in the order in which they came; it holds nothing afterwards."""
        known, entries, _ = self._held.pop(number, (state, [], 0))
        return entries if known == state else []
