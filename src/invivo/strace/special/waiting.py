"""Arguments and results of calls that wait: poll(2), select(2), epoll(7), sleeps.

    poll_result(frame)              "1 ([{fd=3, revents=POLLIN}])"
"""

from __future__ import annotations

import struct

from invivo.strace import pieces
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece
from invivo.strace.structures import poll_events, structure

__all__ = ["descriptor_set", "mask_and_size", "poll_result", "polled", "remaining", "select_result"]

def polled(index: int) -> Piece:
    """What is waited for; what was found is part of the result."""
    piece = pieces.structure_in(index, "struct pollfd *", index + 1)
    at_return = tuple(capture._replace(at_return=True) for capture in piece.captures or ())
    return piece._replace(captures=(*(piece.captures or ()), *at_return))


def poll_result(frame: Frame) -> str | None:
    if frame.result == 0:
        return "0 (Timeout)"
    data = frame.read(frame.words[0], 8 * min(frame.signed(1), 32))
    found = [
        f"{{fd={fd}, revents={poll_events(revents)}}}"
        for fd, _, revents in struct.iter_unpack("<ihh", data[: len(data) // 8 * 8])
        if revents
    ]
    return f"{frame.result} ([{', '.join(found)}])"


def descriptor_set(index: int) -> Piece:
    """An fd_set of the first argument's bits."""

    def early(frame: Frame) -> str:
        at = frame.words[index]
        members = _members(frame, index)
        return ("NULL" if not at else f"{at:#x}") if members is None else f"[{' '.join(map(str, members))}]"

    captures = (Capture(index, 128), Capture(index, 128, at_return=True))
    return Piece(early, captures=captures)


def _members(frame: Frame, index: int) -> list[int] | None:
    at, count = frame.words[index], min(max(frame.signed(0), 0), 1024)
    data = frame.read(at, (count + 63) // 64 * 8) if at else b""
    if not data:
        return None
    bits = int.from_bytes(data, "little")
    return [number for number in range(count) if bits >> number & 1]


def select_result(frame: Frame) -> str | None:
    if frame.result == 0:
        return "0 (Timeout)"
    parts = []
    for index, name in ((1, "in"), (2, "out"), (3, "except")):
        if members := _members(frame, index):
            parts.append(f"{name} [{' '.join(map(str, members))}]")
    if left := structure("struct __kernel_timespec *", frame.words[4], frame, 1) if frame.words[4] else None:
        parts.append(f"left {left}")
    return f"{frame.result} ({', '.join(parts)})"


def mask_and_size(index: int) -> Piece:
    """pselect6(2)'s last: the address and the size of a signal mask, in memory."""

    def early(frame: Frame) -> str:
        at = frame.words[index]
        data = frame.read(at, 16) if at else b""
        if len(data) < 16:
            return f"{at:#x}" if at else "NULL"
        mask, size = struct.unpack("<QQ", data)
        shown = "NULL" if not mask else structure("sigset_t *", mask, frame, 1) or f"{mask:#x}"
        return f"{{sigmask={shown}, sigsetsize={size}}}"

    return Piece(early, captures=None)


def remaining(index: int) -> Piece:
    """What is left of a sleep; it is written only if a signal ended it."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        # ERESTART_RESTARTBLOCK: the time that is left is there.
        shown = structure("struct __kernel_timespec *", at, frame, 1) if frame.result in (-516, -4) else None
        return shown or f"{at:#x}"

    return Piece(lambda f: None if f.words[index] else "NULL", late, captures=(Capture(index, 16, at_return=True),))
