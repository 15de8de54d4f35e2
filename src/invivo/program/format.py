"""Formats of printf() and printa(), parsed once: text in, literals and conversions out. No formatting is done here.

    parse_format("%s: %-8d\\n")
    (Conversion("", None, None, "", "s", ...), Literal(b": "), Conversion("-", 8, None, "", "d", ...), Literal(b"\\n"))

A format is str as D's text is: bytes that are not UTF-8 stand in it as lone surrogates (surrogateescape), and come out
as those bytes. The checker takes types and spans from here, the consumer prints by it.
"""

from __future__ import annotations

from typing import Literal as OneOf
from typing import NamedTuple

from invivo.program.records import FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.plan import ProbeInfo
    from invivo.program.records import FieldType

__all__ = [
    "CONVERSIONS", "FLOATS", "Conversion", "FormatError", "Literal", "Segment", "conversions", "parse_format",
    "probe_column", "trace_format",
]  # fmt: skip

# What each conversion prints, by letter.
CONVERSIONS: dict[str, str] = {
    "a": "a kernel address as module`symbol+0xoffset",
    "A": "a user address as object`symbol+0xoffset",
    "c": "an integer as one character",
    "C": "an integer as one character, escaped if it does not print",
    "d": "an integer, in decimal, signed if its type is",
    "e": "a floating-point number, with an exponent",
    "E": "the same with a capital E",
    "f": "a floating-point number, without an exponent",
    "F": "the same, with capitals for what is no number",
    "g": "a floating-point number, in the shorter way",
    "G": "the same with a capital E",
    "i": "the same as d",
    "k": "a stack",
    "o": "an integer, unsigned, in octal",
    "p": "an address, in hexadecimal",
    "s": "a string",
    "S": "a string, with characters that do not print escaped",
    "T": "nanoseconds since the epoch, as date and time in UTC",
    "u": "an integer, unsigned, in decimal",
    "x": "an integer, unsigned, in hexadecimal",
    "X": "the same in capitals",
    "Y": "nanoseconds since the epoch, as local date and time",
}

FLOATS = "eEfFgG"
_TRACE_WIDTHS = {8: 19, 4: 10, 2: 5, 1: 3}

_FLAGS = "-+ #0'?@"
_SIZES = ("hh", "h", "ll", "l", "L", "w", "j", "z", "t")


class FormatError(ValueError):
    """A format that cannot be: `message` says why, at character `offset` of the text, `length` characters long."""

    def __init__(self, offset: int, message: str, length: int = 1) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.length = length


class Literal(NamedTuple):
    """Text that is printed as it stands."""

    text: bytes


class Conversion(NamedTuple):
    """One `%...`: it takes an argument, and one more before it for each `*`.

    `flags` are those of `-+ #0'?` that were given, each once; `is_aggregation` is the `@` of printa(). `size` is
    h, l, ll ... or empty; `conv` is a letter of CONVERSIONS. It stands at `offset`, `length` characters long.
    """

    flags: str
    width: int | OneOf["*"] | None
    precision: int | OneOf["*"] | None
    size: str
    conv: str
    is_aggregation: bool
    offset: int
    length: int


Segment = Literal | Conversion


def parse_format(text: str) -> tuple[Segment, ...]:
    """The segments of a format, in order; `%%` is part of a literal.

    Raises:
        FormatError: A `%` that begins no conversion.
    """
    segments: list[Segment] = []
    literal: list[str] = []
    position, end = 0, len(text)
    while position < end:
        percent = text.find("%", position)
        if percent < 0:
            percent = end
        literal.append(text[position:percent])
        if percent == end:
            break
        if text.startswith("%%", percent):
            literal.append("%")
            position = percent + 2
            continue
        _flush(segments, literal)
        conversion = _conversion(text, percent)
        segments.append(conversion)
        position = percent + conversion.length
    _flush(segments, literal)
    return tuple(segments)


def conversions(segments: tuple[Segment, ...]) -> tuple[Conversion, ...]:
    """Only the conversions among the segments."""
    return tuple(segment for segment in segments if isinstance(segment, Conversion))


def trace_format(type_: FieldType, is_quiet: bool) -> str:
    """The format by which trace() prints a field: " %19d" for an int64_t; empty for what has no conversion.

    The widths are dtrace(1)'s; in quiet mode there are none.
    """
    if type_.kind in (FieldKind.STRING, FieldKind.INTERNED):
        return "%s" if is_quiet else "  %-33s"
    if type_.kind in (FieldKind.SYMBOL, FieldKind.USYMBOL):
        return "%s" if is_quiet else "  %-50s"
    if type_.kind in (FieldKind.INT, FieldKind.POINTER) and type_.size in _TRACE_WIDTHS:
        width = _TRACE_WIDTHS[type_.size] + (type_.size == 8 and not type_.signed)
        return "%d" if is_quiet else f" %{width}d"
    return ""


def probe_column(probe: ProbeInfo | None, *, has_id: bool = True) -> str:
    """What stands between a record's CPU and its data in default output: the probe's id and `function:name`."""
    number = probe.id if probe is not None else 0
    name = f"{probe.function}:{probe.name}" if probe is not None else "?:?"
    return f" {number:>6} {name:>32} " if has_id else f"{name:>32} "


def _flush(segments: list[Segment], literal: list[str]) -> None:
    joined = "".join(literal)
    if joined:
        segments.append(Literal(joined.encode("utf-8", "surrogateescape")))
    literal.clear()


def _conversion(text: str, start: int) -> Conversion:
    """The conversion whose `%` is at `start`."""
    at = start + 1
    flags = ""
    while at < len(text) and text[at] in _FLAGS:
        flags += text[at] if text[at] not in flags else ""
        at += 1
    width, at = _number(text, at)
    precision: int | OneOf["*"] | None = None
    if text.startswith(".", at):
        precision, at = _number(text, at + 1)
        precision = 0 if precision is None else precision  # C: a lone dot is precision 0
    if text.startswith("@", at):  # %8@d is %@8d
        flags += "@"
        at += 1
    size = next((size for size in _SIZES if text.startswith(size, at)), "")
    at += len(size)
    if at >= len(text):
        raise FormatError(start, f"the format ends within the conversion '{text[start:]}'; write %% for a percent sign",
                          len(text) - start)  # fmt: skip
    conv = text[at]
    shown = text[start : at + 1]
    if conv not in CONVERSIONS:
        raise FormatError(start, f"'{shown}' is not a conversion (%{conv} is unknown); write %% for a percent sign",
                          len(shown))  # fmt: skip
    return Conversion(flags.replace("@", ""), width, precision, size, conv, "@" in flags, start, at + 1 - start)


def _number(text: str, at: int) -> tuple[int | OneOf["*"] | None, int]:
    """Decimal digits or `*` at `at`, and where they end."""
    if text.startswith("*", at):
        return "*", at + 1
    begin = at
    while at < len(text) and text[at] in "0123456789":
        at += 1
    if at == begin:
        return None, at
    number = int(text[begin : min(at, begin + 10)])
    if number > 65535:
        raise FormatError(begin, f"a width or precision of {text[begin:at]} is too large (at most 65535)", at - begin)
    return number, at
