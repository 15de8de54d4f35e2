"""Program text and places in it.

A `SourceFile` holds one text with its name ("script.d", or "<-e>" for the command line); a `Span` is a half-open range
of character offsets in it. Lines and columns are counted from 1, and only computed when an error is printed.
"""

from __future__ import annotations

from bisect import bisect_right

from invivo.value import fresh, node, value

__all__ = ["SourceFile", "Span"]


@node
class SourceFile:
    """One program text: `name` as messages show it, `text` decoded."""

    name: str
    text: str
    _starts: list[int] = fresh(factory=list)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character offset, both from 1."""
        starts = self._line_starts()
        line = bisect_right(starts, min(offset, len(self.text)))
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its newline."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts.append(0)
            self._starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        return self._starts


@value
class Span:
    """Characters `start` up to `end` (exclusive) of `file`."""

    file: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from this one's start to the other's end."""
        return Span(self.file, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        line, column = self.file.position(self.start)
        return f"{self.file.name}:{line}:{column}"
