"""The primitives that work on strings: see primitives.py, whose table they are part of.

    strjoin(f, call, b"ab", b"c")       b"abc"
    substr(f, call, b"abc", -2, 1)      b"b"
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.values import MASK
from invivo.program.nodes import Call
from invivo.program.plan import FaultKind

__all__ = ["STRING_FUNCTIONS"]


def strlen(f: Firing, call: Call, string: bytes) -> int:
    return len(string)


def strjoin(f: Firing, call: Call, first: bytes, second: bytes) -> bytes:
    return first + second


def substr(f: Firing, call: Call, string: bytes, index: int, count: int) -> bytes:
    size = len(string)
    if index < 0:
        index += size
        if index < 0 < index + count:  # before the start: what the count reaches of the string remains
            index, count = 0, count + index
    if not 0 <= index < size:
        return b""
    if count < 0:  # so many bytes are left at the end
        count += size - index
    return string[index : index + count] if count > 0 else b""


def index(f: Firing, call: Call, string: bytes, part: bytes, start: int) -> int:
    start = max(start, 0)
    if start >= len(string):
        return -1 if part else len(string)
    return string.find(part, start)


def rindex(f: Firing, call: Call, string: bytes, part: bytes, start: int) -> int:
    if start < 0:
        return -1 if part else 0
    return string.rfind(part, 0, min(start, len(string)) + len(part))


def strstr(f: Firing, call: Call, string: bytes, part: bytes) -> bytes:
    return _tail(string, string.find(part))


def strchr(f: Firing, call: Call, string: bytes, byte: int) -> bytes:
    return _tail(string, string.find(byte & 0xFF))


def strrchr(f: Firing, call: Call, string: bytes, byte: int) -> bytes:
    return _tail(string, string.rfind(byte & 0xFF))


def _tail(string: bytes, start: int) -> bytes:
    return string[start:] if start >= 0 else b""


def basename(f: Firing, call: Call, path: bytes) -> bytes:
    stripped = path.rstrip(b"/")
    if not stripped:
        return b"/" if path else b"."
    return stripped.rpartition(b"/")[2]


def dirname(f: Firing, call: Call, path: bytes) -> bytes:
    parent = path.rstrip(b"/").rpartition(b"/")[0].rstrip(b"/")
    return parent or (b"/" if path.startswith(b"/") else b".")


def lltostr(f: Firing, call: Call, number: int) -> bytes:
    return b"%d" % (number - (1 << 64) if number >> 63 > 0 else number)


_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"


def lltostr_base(f: Firing, call: Call, number: int, base: int) -> bytes:
    """As DTrace: negative only in base 10."""
    if not 2 <= base <= 36:
        raise Raised(FaultKind.ILLOP, base)
    word = number & MASK
    is_negative = base == 10 and word >> 63 > 0
    word = -word & MASK if is_negative else word
    digits = bytearray()
    while word or not digits:
        digits.insert(0, _DIGITS[word % base])
        word //= base
    return {10: b"-" if is_negative else b"", 16: b"0x", 8: b"0"}.get(base, b"") + bytes(digits)


def strtoll(f: Firing, call: Call, string: bytes, base: int) -> int:
    """strtoll(3) without prefixes: blanks, a sign, digits; what does not fit in 64 bits wraps."""
    if not 2 <= base <= 36:
        raise Raised(FaultKind.ILLOP, base)
    text = string.lstrip(b" \t\n\v\f\r")
    is_negative = text[:1] == b"-"
    if text[:1] in (b"-", b"+"):
        text = text[1:]
    number = 0
    for byte in text.lower():
        digit = _DIGITS.find(byte)
        if not 0 <= digit < base:
            break
        number = (number * base + digit) & MASK
    return -number if is_negative else number


def strspn(f: Firing, call: Call, string: bytes, chosen: bytes) -> int:
    return len(string) - len(string.lstrip(chosen)) if chosen else 0


def strcspn(f: Firing, call: Call, string: bytes, chosen: bytes) -> int:
    return next((index for index, byte in enumerate(string) if byte in chosen), len(string))


def toupper(f: Firing, call: Call, string: bytes) -> bytes:
    return string.upper()


def tolower(f: Firing, call: Call, string: bytes) -> bytes:
    return string.lower()


STRING_FUNCTIONS: tuple[Callable[..., int | bytes], ...] = (
    strlen, strjoin, substr, index, rindex, strstr, strchr, strrchr, basename, dirname, lltostr, toupper, tolower,
    lltostr_base, strtoll, strspn, strcspn,
)  # fmt: skip
