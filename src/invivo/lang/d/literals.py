"""Numbers, character constants and strings of D: from their text to their value.

In: the text of one literal. Out: its value, or the tag, message and hint of what is wrong with it.

    number("0x10ULL")     -> NumberValue(16, "ull", is_decimal=False)
    number("08")          -> Flaw("D_INT_DIGIT", ...)
    unescape(r"a\n\x41")  -> b"a\nA"
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Flaw", "NumberValue", "character", "number", "unescape"]

_SUFFIXED = re.compile(r"(.*?)((?:u(?:l|ll)?|(?:l|ll)u?)?)\Z", re.IGNORECASE | re.DOTALL)
_FLOAT = re.compile(r"(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?[fFlL]?\Z")
_LARGEST = 2**64 - 1
_BASES = {8: "octal", 10: "decimal", 16: "hexadecimal"}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_SIMPLE = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\n": b"",
}  # fmt: skip
_CHARACTER_SIZE = 8  # what is longer than an int becomes a long


class NumberValue(NamedTuple):
    value: int
    suffix: str  # lower case, u first
    is_decimal: bool


class Flaw(NamedTuple):
    code: str
    message: str
    hint: str


def number(text: str) -> NumberValue | Flaw:
    """The value of an integer constant."""
    if not text.lower().startswith("0x") and _FLOAT.match(text):
        return Flaw(
            "D_SYNTAX",
            f"the floating-point number {text} cannot be used: D computes with integers",
            "scale the value, for example count thousandths",
        )
    match = _SUFFIXED.match(text)
    assert match is not None
    digits, suffix = match[1], match[2].lower()
    base = 10
    if digits[:2] in ("0x", "0X"):
        digits, base = digits[2:], 16
    elif digits.startswith("0") and len(digits) > 1:
        digits, base = digits[1:], 8
    allowed = "0123456789abcdef"[:base]
    wrong = next((char for char in digits.lower() if char not in allowed), None)
    if wrong is not None:
        hint = "an integer that begins with 0 is octal" if base == 8 and wrong in "89" else ""
        return Flaw("D_INT_DIGIT", f"'{wrong}' is no digit of the {_BASES[base]} integer {text}", hint)
    if not digits:
        return Flaw("D_INT_DIGIT", f"the hexadecimal integer {text} has no digits", "")
    # A number of thousands of digits is not worth converting (and CPython refuses to).
    stripped = digits.lstrip("0")
    value = int(stripped or "0", base) if len(stripped) <= 24 else _LARGEST + 1
    if value > _LARGEST:
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        message = f"the integer {shown} does not fit into 64 bits"
        return Flaw("D_INT_OFLOW", message, f"the largest is {_LARGEST}")
    return NumberValue(value, {"lu": "ul", "llu": "ull"}.get(suffix, suffix), base == 10)


def unescape(text: str) -> bytes:
    """The bytes that the inside of a string or character constant stands for; other characters are UTF-8."""
    # A lone surrogate can come from the command line, where it stands for a byte that is no UTF-8.
    return _ESCAPE.sub(_escaped, text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "surrogatepass"))


def _is_escaped(text: str) -> bool:
    return all("\udc80" <= char <= "\udcff" for char in text if "\ud800" <= char <= "\udfff")


def _escaped(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, char = match.groups()
    if octal is not None:
        return bytes((int(octal, 8) & 0xFF,))
    if hexadecimal is not None:
        return bytes((int(hexadecimal, 16),))
    return _SIMPLE.get(char, char)


def character(inside: str) -> int | Flaw:
    """The value of a character constant. Of several characters the last is the lowest byte, as in C."""
    data = unescape(inside)
    if not data:
        return Flaw("D_CHR_NULL", "the character constant is empty", "the NUL character is '\\0'")
    if len(data) > _CHARACTER_SIZE:
        message = f"the character constant has {len(data)} bytes; at most {_CHARACTER_SIZE} are possible"
        return Flaw("D_CHR_OFLOW", message, 'a string is written with double quotes: "..."')
    return int.from_bytes(data, "big")
