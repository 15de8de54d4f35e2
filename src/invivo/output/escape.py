"""Traced strings are hostile: shown on a terminal, their control characters are made visible, so that a traced program
can neither move the cursor nor change what was printed before. Files and pipes get the bytes unchanged.

    b"ls\\x1b[2J"   ->  b"ls\\\\x1b[2J"
    b"caf\\xc3\\xa9" ->  unchanged: it is UTF-8 and prints
"""

from __future__ import annotations

__all__ = ["escape", "escape_all"]

_PLAIN = bytes(range(0x20, 0x7F)) + b"\t\n"
# Characters that reorder or hide the text around them.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_C_ESCAPES = {0x00: b"\\0", 0x07: b"\\a", 0x08: b"\\b", 0x09: b"\\t", 0x0A: b"\\n", 0x0B: b"\\v", 0x0C: b"\\f",
              0x0D: b"\\r", 0x5C: b"\\\\", 0x22: b'\\"'}  # fmt: skip


def escape(text: bytes) -> bytes:
    """The text with control characters (C0 but tab and newline, DEL, C1), bytes that are not UTF-8, and characters that
    change the direction of writing as \\xNN, byte by byte."""
    if not text.translate(None, _PLAIN):
        return text
    return "".join(map(_visible, text.decode("utf-8", "surrogateescape"))).encode("utf-8")


def escape_all(text: bytes) -> bytes:
    """The text as a C string literal writes it: what %S prints."""
    return b"".join(
        _C_ESCAPES.get(byte) or (bytes((byte,)) if 0x20 <= byte < 0x7F else b"\\x%02x" % byte) for byte in text
    )


def _visible(char: str) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F or char in "\t\n":
        return char
    if code < 0xA0 or 0xD800 <= code < 0xE000 or char in _DIRECTION:
        return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return char
