"""What calls read and wrote, in hexadecimal below their lines (-e read=, -e write=).

    dump_lines(frame, renderer, Numbers.of("3"), Numbers())    [" | 00000  76 6d 0a ...   vm.              |"]

In: a call that has returned, and the process's memory as it was then. Out: lines of 16 bytes. Source: strace(1).
"""

from __future__ import annotations

from collections.abc import Iterator

from invivo.strace.frame import Frame
from invivo.strace.render import Renderer
from invivo.strace.selection import Numbers

__all__ = ["dump_lines", "hexadecimal"]

_READS = {"read", "pread64", "recv", "recvfrom"}
_WRITES = {"write", "pwrite64", "send", "sendto"}
_READ_VECTORS = {"readv", "preadv", "preadv2"}
_WRITE_VECTORS = {"writev", "pwritev", "pwritev2"}


def dump_lines(frame: Frame, renderer: Renderer, read: Numbers, written: Numbers) -> Iterator[str]:
    """See the module's text."""
    if not read and not written:
        return
    fd, result, name = frame.signed(0), frame.result, renderer.name
    if frame.has_failed:
        return
    if (name in _READS and fd in read) or (name in _WRITES and fd in written):
        yield from hexadecimal(frame.read(frame.words[1], result))
    elif (name in _READ_VECTORS and fd in read) or (name in _WRITE_VECTORS and fd in written):
        yield from _vectors(frame, result)


def _vectors(frame: Frame, left: int) -> Iterator[str]:
    for index in range(min(frame.signed(2), 1024)):
        base = frame.number(frame.words[1] + 16 * index, 8, False) or 0
        size = min(frame.number(frame.words[1] + 16 * index + 8, 8, False) or 0, left)
        if size <= 0:
            return
        left -= size
        yield f" * {size} bytes in buffer {index}"
        yield from hexadecimal(frame.read(base, size))


def hexadecimal(data: bytes) -> Iterator[str]:
    """Lines of 16 bytes, each with its place, its bytes and their characters."""
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        halves = (" ".join(f"{byte:02x}" for byte in half) for half in (row[:8], row[8:]))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f" | {start:05x}  {'  '.join(halves):<48}  {text:<16} |"
