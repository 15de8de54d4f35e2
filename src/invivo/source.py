"""Program text and places in it.

A `SourceFile` holds one text with its name ("script.d", or "<-e>" for the command line); a `Span` is a half-open range
of character offsets in it. Lines and columns are counted from 1, and only computed when an error is printed.

    # 7 "other.d"          a line control: what follows is line 7 of other.d, and messages say so

Several programs that are compiled as one, and what a preprocessor has put together, are one text with such lines.
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
    _controls: dict[int, tuple[int, str]] = fresh(factory=dict)  # by the line of the text: the next one's number, file

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character offset, both from 1; the line as line controls before it count."""
        starts = self._line_starts()
        line = bisect_right(starts, min(offset, len(self.text)))
        column = offset - starts[line - 1] + 1
        control = self._control(line)
        return (line if control is None else self._controls[control][0] + line - control - 1), column

    def name_at(self, offset: int) -> str:
        """The name of the file that a character offset belongs to: `name`, unless a line control gives another."""
        control = self._control(bisect_right(self._line_starts(), min(offset, len(self.text))))
        return self.name if control is None else self._controls[control][1] or self.name

    def line_at(self, offset: int) -> str:
        """The text of the line in which a character offset is, without its newline."""
        start = self.text.rfind("\n", 0, offset) + 1
        return self.text[start:].partition("\n")[0].rstrip("\r")

    def note_control(self, offset: int, number: int, name: str) -> None:
        """A line control stands at `offset`: the line after it is line `number` of file `name` (empty: as before)."""
        line = bisect_right(self._line_starts(), offset)
        if not name:
            before = self._control(line)
            name = "" if before is None else self._controls[before][1]
        self._controls[line] = (number, name)

    def _control(self, line: int) -> int | None:
        """The line of the last line control before `line`."""
        return max((control for control in self._controls if control < line), default=None)

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
        return f"{self.file.name_at(self.start)}:{line}:{column}"
