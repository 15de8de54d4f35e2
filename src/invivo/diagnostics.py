"""Errors and warnings about a program's text, and how they are printed.

    script.d:3:9: error[D_PDESC_ZERO]: no probe matches syscall::raed:entry
    syscall::raed:entry { @ = count(); }
    ~~~~~~~~~~~~~~~~~~~
    hint: did you mean syscall::read:entry?
"""

from __future__ import annotations

import enum

from invivo.errors import CompileError
from invivo.source import Span
from invivo.value import fresh, mutable, value

__all__ = ["Diagnostic", "Diagnostics", "Severity", "render"]

_LONG_LINE = 200  # characters of a line of the program that an error shows


class Severity(enum.Enum):
    ERROR = "error"
    WARNING = "warning"


@value
class Diagnostic:
    """One finding: `code` is DTrace's documented tag where there is one (D_SYNTAX, D_OP_INCOMPAT ...)."""

    code: str
    span: Span
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR


@mutable
class Diagnostics:
    """Collects findings so that one run reports many."""

    found: list[Diagnostic] = fresh(factory=list)

    def error(self, code: str, span: Span, message: str, hint: str = "") -> None:
        self.found.append(Diagnostic(code, span, message, hint))

    def warning(self, code: str, span: Span, message: str, hint: str = "") -> None:
        self.found.append(Diagnostic(code, span, message, hint, Severity.WARNING))

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.found if d.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Diagnostic]:
        return [d for d in self.found if d.severity is Severity.WARNING]

    def check(self) -> None:
        """Raise CompileError if there is any error."""
        if errors := self.errors:
            raise CompileError(sorted(errors, key=lambda d: d.span.start))


def render(diagnostic: Diagnostic) -> str:
    """The finding as text of three or four lines, tabs widened and control characters made visible."""
    span = diagnostic.span
    _, column = span.file.position(span.start)
    line = span.file.line_at(span.start)
    end = min(span.end - span.start, max(len(line) - column + 1, 1))
    head = f"{span}: {diagnostic.severity.value}[{diagnostic.code}]: {_on_one_line(diagnostic.message)}"
    line, column, end = _excerpt(line, column, end)
    before = "".join("\t" if char == "\t" else " " for char in line[: column - 1])
    parts = [head, _visible(line), before + "~" * max(end, 1)]
    if diagnostic.hint:
        parts.append(f"hint: {_on_one_line(diagnostic.hint)}")
    return "\n".join(parts)


def _excerpt(line: str, column: int, length: int) -> tuple[str, int, int]:
    """Of a line that would flood the terminal, the part around the place that is meant."""
    if len(line) <= _LONG_LINE:
        return line, column, length
    start = max(column - 1 - _LONG_LINE // 4, 0)
    before, after = "..." if start else "", "..." if start + _LONG_LINE < len(line) else ""
    piece = line[start : start + _LONG_LINE]
    column += len(before) - start
    return f"{before}{piece}{after}", column, min(length, len(before) + len(piece) - column + 1)


def _on_one_line(message: str) -> str:
    """With the escapes of Python and C for what a message quotes and no terminal should see."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in message)


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)
