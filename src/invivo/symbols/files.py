"""The files that processes have mapped, each opened once, while it can still be found, and kept.

    files = MappedFiles()
    file = files.of(4711, mapping)        -> MappedFile: its descriptor, or the reason why there is none
    file.name                             -> "libc.so.6"

A file that is deleted, or lies in another mount namespace, is opened through /proc/PID/map_files; what is opened is
compared with what was mapped, so that a file put in its place meanwhile does not give wrong names.
"""

from __future__ import annotations

import os

from invivo.linux.maps import Mapping

__all__ = ["MappedFile", "MappedFiles"]

_KEPT = 512  # descriptors of files
_DELETED = (" (deleted)", "//deleted")


class MappedFile:
    """A file that is mapped somewhere. `reason` says why it could not be opened, or is empty; owns its descriptor."""

    __slots__ = ("_fd", "device", "inode", "path", "reason")

    def __init__(self, path: str, inode: int, fd: int, reason: str, device: tuple[int, int] = (0, 0)) -> None:
        self.path = path
        self.inode = inode
        self.device = device  # as the mapping has it
        self.reason = reason
        self._fd = fd

    @property
    def name(self) -> str:
        """The last part of the path, as frames show it."""
        path = self.path
        for suffix in _DELETED:
            path = path.removesuffix(suffix)
        return path.rpartition("/")[2]

    @property
    def open_path(self) -> str | None:
        """A path by which this process opens the same file, whatever has become of it; None if it was never opened."""
        return f"/proc/self/fd/{self._fd}" if self._fd >= 0 else None

    def close(self) -> None:
        """Let the file go; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self.reason = self.reason or "too many files to keep open"

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class MappedFiles:
    """Finds the file behind a mapping. One file mapped by many processes is one value here."""

    __slots__ = ("_files",)

    def __init__(self) -> None:
        self._files: dict[tuple[tuple[int, int], int, str], MappedFile] = {}

    def of(self, pid: int, mapping: Mapping) -> MappedFile | None:
        """The file of a process's mapping, opened if it was not yet; None if the mapping is of no file."""
        if not mapping.inode or not mapping.path.startswith("/"):
            return None
        path = mapping.path
        for suffix in _DELETED:
            path = path.removesuffix(suffix)
        key = (mapping.device, mapping.inode, path)
        file = self._files.get(key)
        if file is None or file.open_path is None:
            opened = _open(pid, mapping, path)
            if file is None or opened.open_path is not None:
                file = self._keep(key, opened)
        return file

    def _keep(self, key: tuple[tuple[int, int], int, str], file: MappedFile) -> MappedFile:
        if len(self._files) >= _KEPT:
            # The one that was met first: what is used often is opened again when it is met again.
            oldest = next(iter(self._files))
            self._files.pop(oldest).close()
        self._files[key] = file
        return file

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _open(pid: int, mapping: Mapping, path: str) -> MappedFile:
    """By the mapping itself while the process lives; by its path, seen from the process and then from here."""
    ways = (f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}", f"/proc/{pid}/root{path}", path)
    reason = "the process was gone before its file could be opened"
    for way in ways:
        try:
            fd = os.open(way, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            if os.path.exists(f"/proc/{pid}"):
                reason = f"cannot open the file: {(error.strerror or 'error').lower()}"
            continue
        # On some file systems (btrfs, overlayfs) the mapping's device is not stat(2)'s: the inode has to do.
        if way is ways[0] or os.fstat(fd).st_ino == mapping.inode:
            return MappedFile(mapping.path, mapping.inode, fd, "", mapping.device)
        os.close(fd)
        reason = "the file was replaced after it was mapped"
    return MappedFile(mapping.path, mapping.inode, -1, reason, mapping.device)
