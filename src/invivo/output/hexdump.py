"""Memory as tracemem() shows it: 16 bytes a row, in hexadecimal and as characters.

                 0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef
             0: 64 74 72 61 63 65 00 00 00 00 00 00 00 00 00 00  dtrace..........
"""

from __future__ import annotations

__all__ = ["hexdump"]

_ROW = 16


def hexdump(data: bytes) -> bytes:
    """The dump: a newline, the heading, the rows; each row is the offset, the bytes, the characters."""
    columns = " ".join(f" {column:x}" for column in range(_ROW))
    lines = [f"\n{'':10}  {columns}  0123456789abcdef\n"]
    for start in range(0, len(data), _ROW):
        row = data[start : start + _ROW]
        digits = row.hex(" ").ljust(3 * _ROW - 1)
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{start:>10x}: {digits}  {text}\n")
    return "".join(lines).encode()
