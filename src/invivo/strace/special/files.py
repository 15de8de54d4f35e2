"""Arguments of calls about files: what fcntl(2) takes and answers, directories' entries, times.

    fcntl_result(frame)             "0x8000 (flags O_RDONLY|O_LARGEFILE)"

Sources: fcntl(2), getdents(2), utimensat(2).
"""

from __future__ import annotations

import struct

from invivo.strace import pieces
from invivo.strace.flags import Names, known_names
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece
from invivo.strace.structures import structure

__all__ = ["advice", "entries", "event", "fcntl", "fcntl_result", "node_mode", "times"]

_FILE_KINDS = {
    0o010000: "S_IFIFO", 0o020000: "S_IFCHR", 0o040000: "S_IFDIR", 0o060000: "S_IFBLK", 0o100000: "S_IFREG",
    0o140000: "S_IFSOCK",
}  # fmt: skip
_FD_FLAGS = Names({"FD_CLOEXEC": 1})
_LOCKING = (5, 6, 7, 36, 37, 38)  # F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin


def node_mode(index: int) -> Piece:
    def early(frame: Frame) -> str:
        mode = frame.words[index] & 0xFFFF
        kind = _FILE_KINDS.get(mode & 0o170000)
        return f"{kind}|{mode & 0o7777:04o}" if kind else f"{mode & 0o7777:04o}"

    return Piece(early)


def fcntl(index: int) -> Piece:
    access = known_names("open", "flags")

    def early(frame: Frame) -> str | None:
        command, word = frame.words[1] & 0xFFFFFFFF, frame.words[2]
        if command == 2:  # F_SETFD
            return _FD_FLAGS.text(word & 0xFFFFFFFF)
        if command == 4:  # F_SETFL
            return access.text(word & 0xFFFFFFFF)
        if command in _LOCKING and command not in (5, 36):
            return structure("struct flock *", word, frame, 1) or f"{word:#x}"
        if command in (5, 36):
            return None
        if command in (0, 1030, 8, 10, 1031):  # F_DUPFD, F_DUPFD_CLOEXEC, F_SETOWN, F_SETSIG, F_SETPIPE_SZ
            return str(frame.signed(2))
        return f"{word:#x}"

    def late(frame: Frame) -> str:
        word = frame.words[2]
        return (None if frame.has_failed else structure("struct flock *", word, frame, 1)) or f"{word:#x}"

    return Piece(early, late, captures=(Capture(2, 32), Capture(2, 32, at_return=True)))


def fcntl_result(frame: Frame) -> str | None:
    command = frame.words[1] & 0xFFFFFFFF
    if command == 1 and frame.result:
        return f"{frame.result:#x} (flags {_FD_FLAGS.text(frame.result)})"
    if command == 3:
        return f"{frame.result:#x} (flags {known_names('open', 'flags').text(frame.result)})"
    return frame.descriptor(frame.result) if command in (0, 1030) else None


def entries(index: int) -> Piece:
    """struct linux_dirent64: of which only the number is shown."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        if frame.has_failed:
            return f"{at:#x}"
        data = frame.read(at, frame.result) if frame.result else b""
        count = place = 0
        while place + 19 <= len(data):
            place += int.from_bytes(data[place + 16 : place + 18], "little") or len(data)
            count += 1
        return f"{at:#x} /* {count} entries */" if place >= frame.result or data else f"{at:#x}"

    return Piece(lambda frame: None, late, captures=(Capture(index, 1 << 16, at_return=True, times=pieces.RESULT),))


def times(index: int) -> Piece:
    """utimensat(2): two times, or UTIME_NOW and UTIME_OMIT."""

    def early(frame: Frame) -> str:
        at = frame.words[index]
        data = frame.read(at, 32) if at else b""
        if len(data) < 32:
            return f"{at:#x}" if at else "NULL"
        return f"[{', '.join(_moment(*struct.unpack_from('<qq', data, start)) for start in (0, 16))}]"

    return Piece(early, captures=(Capture(index, 32),))


def _moment(seconds: int, ns: int) -> str:
    import time

    if ns in (0x3FFFFFFF, 0x3FFFFFFE):
        return "UTIME_NOW" if ns == 0x3FFFFFFF else "UTIME_OMIT"
    part = f".{ns:09d}" if ns else ""
    when = time.strftime(f"%Y-%m-%dT%H:%M:%S{part}%z", time.localtime(seconds))
    return f"{{tv_sec={seconds}, tv_nsec={ns}}} /* {when} */"


def advice(index: int) -> Piece:
    names = ("NORMAL", "RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED", "NOREUSE")
    return pieces.flags(index, Names({}, {f"POSIX_FADV_{name}": value for value, name in enumerate(names)}))


def event(index: int) -> Piece:
    def early(frame: Frame) -> str:
        at = frame.words[index]
        shown = structure("struct epoll_event *", at, frame, 1) if at and frame.words[1] & 0xFFFFFFFF != 2 else None
        return (f"{at:#x}" if at else "NULL") if shown is None else shown[1:-1]

    return Piece(early, captures=(Capture(index, 12),))
