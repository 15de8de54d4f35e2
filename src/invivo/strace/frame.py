"""One system call while it is shown: its arguments, its result, and the memory that it concerns.

    frame = Frame(words, memory, limit=32)
    frame.read(0x7ffc..., 16)             of the process, live or as it was captured at that moment
    frame.signed(0)                       the first argument as an int

Renderers (pieces.py) get nothing else. At the call's return `source` is what was captured then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Captured", "Frame", "Source"]


class Source(Protocol):
    """The memory of a process at one moment."""

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes; fewer where the memory ends, empty where it cannot be read."""
        ...

    def read_string(self, address: int, limit: int) -> bytes | None:
        """The bytes before the first NUL, at most `limit`; None where they cannot be read."""
        ...


class Captured:
    """Pieces of memory by address, read while the process stood at the call; whatever else is asked for is unknown."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: dict[int, bytes] | None = None) -> None:
        self.pieces = {} if pieces is None else pieces

    def read(self, address: int, size: int) -> bytes:
        data = self.pieces.get(address)
        if data is None:
            for start, piece in self.pieces.items():
                if start < address < start + len(piece):
                    data = piece[address - start :]
                    break
            else:
                return b""
        return data[:size]

    def read_string(self, address: int, limit: int) -> bytes | None:
        data = self.pieces.get(address)
        return None if data is None else data[:limit].partition(b"\0")[0]


class Frame:
    """See the module's text. `limit` bounds strings, in bytes; `descriptor` shows a number of a file (with its path,
    if that is asked for); `stack` is the stack pointer; `notes` keep what was read at the beginning for the end, by the
    index of the argument."""

    __slots__ = ("descriptor", "limit", "next", "notes", "result", "source", "stack", "words")

    def __init__(
        self,
        words: Sequence[int],
        source: Source,
        limit: int,
        descriptor: Callable[[int], str] = str,
        stack: int = 0,
    ) -> None:
        self.words = words
        self.source = source
        self.limit = limit
        self.descriptor = descriptor
        self.stack = stack
        self.result = 0
        self.next = 0  # the first argument that is not shown yet
        self.notes: dict[int, object] = {}

    def read(self, address: int, size: int) -> bytes:
        """Memory, up to `size` bytes."""
        return self.source.read(address, size)

    def number(self, address: int, size: int = 4, is_signed: bool = True) -> int | None:
        """An integer in memory; None where it cannot be read."""
        data = self.source.read(address, size) if address else b""
        return int.from_bytes(data, "little", signed=is_signed) if len(data) == size else None

    def signed(self, index: int, bits: int = 32) -> int:
        """An argument as a signed integer."""
        word = self.words[index] & (1 << bits) - 1
        return word - (word >> bits - 1 << bits)

    @property
    def has_failed(self) -> bool:
        """Whether the result, which is signed, is an error."""
        return -4096 < self.result < 0
