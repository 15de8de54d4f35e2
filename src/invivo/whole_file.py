"""Files written whole or not at all: a reader sees the old one or the new one, and a crash or kill leaves no part.

    write_whole("/home/ada/.cache/invivo/plan", [data], 0o600)

A file has no name until all of it is written (open(2), O_TMPFILE). Where another is there already, it takes one beside
that for as long as it takes to put it in its place. On file systems without such files it has this name all the time.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["pour", "write_whole"]

_AT_ONCE = 1 << 18  # bytes: a system call costs more than copying


def write_whole(path: str, pieces: Iterable[bytes], mode: int) -> None:
    """Write a file with these permissions, in place of one that may be there.

    Raises:
        OSError: It cannot be written; what was at `path` is still there, and nothing else.
    """
    folder, name = os.path.split(path)
    partial, has_name = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.partial"), False
    try:
        fd = os.open(folder or ".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        has_name = True
    try:
        try:
            pour(pieces, fd)
            os.fchmod(fd, mode)
            if not has_name:
                if _is_named(fd, path):
                    return
                has_name = _is_named(fd, partial)
        finally:
            os.close(fd)
        os.replace(partial, path)
    except BaseException:
        if has_name:
            os.unlink(partial)
        raise


def _is_named(fd: int, path: str) -> bool:
    """Give a file without a name this one; False if another has it."""
    folder, name = os.path.split(path)
    place = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=place)  # with a directory, Python follows the link
    except FileExistsError:
        return False
    finally:
        os.close(place)
    return True


def pour(pieces: Iterable[bytes], fd: int) -> None:
    """Write all pieces to a descriptor.

    Raises:
        OSError: That fails; some may have been written.
    """
    for piece in _joined(pieces):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(fd, rest) :]


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _AT_ONCE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
