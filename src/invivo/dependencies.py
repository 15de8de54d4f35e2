"""What was read of files while a program was compiled: a plan made from them is as good as they stay the same.

    with recorded(4711) as record:              whatever reads a file for the compiler says so here
        ... read_file("/usr/lib/libfoo.so", status), process(4711), name("bash", "/usr/bin/bash"), never("...")
    record.dependencies()                       -> Dependencies(files, names, mapped, reason), kept with the plan
    changed(dependencies)                       -> "", or the file that is another one now

A file is known by device, inode, size and both times; the time of change (ctime) nobody can set. What cannot be known
so (memory of a process, debug information, which other files it may lead to) is a `reason` not to keep the plan.
Nothing is recorded outside of `recorded`. Source: inode(7).
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Dependencies", "FileState", "Recording", "changed", "mapped", "name", "never", "process", "read_file", "recorded",
]  # fmt: skip

# A file may change once more within the grain of its file system's clock, and look the same: see racy-git in Git's
# documentation. The coarsest grain, of FAT, is two seconds.
_SETTLED_NS = 2_000_000_000


class FileState(NamedTuple):
    """How a file was found; times in ns since 1970."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class Dependencies(NamedTuple):
    """`files` and how each was found (None: not there), `names` of commands and libraries and the paths that they led
    to; `mapped` is a text of what the traced process has mapped, "" if nobody asked. With a `reason` the plan depends
    on more than this can say."""

    files: tuple[tuple[str, FileState | None], ...]
    names: tuple[tuple[str, str | None], ...]
    mapped: str
    reason: str


class Recording:
    """What is recorded; `process` is the one whose mapped files may be asked for, 0: none."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.files: dict[str, FileState | None] = {}
        self.names: dict[str, str | None] = {}
        self.mapped = ""
        self.reason = ""

    def dependencies(self) -> Dependencies:
        return Dependencies(tuple(self.files.items()), tuple(self.names.items()), self.mapped, self.reason)


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextmanager
def recorded(process: int) -> Iterator[Recording]:
    """Record what is read in the block."""
    recording = Recording(process)
    token = _current.set(recording)
    try:
        yield recording
    finally:
        _current.reset(token)


def read_file(path: str, status: os.stat_result | None) -> None:
    """A file is read; `status` is that of the opened file, None if there is no file."""
    recording = _current.get()
    if recording is None:
        return
    if path.startswith("/proc/"):
        never(f"'{path}' is the file of one process")
    state = None if status is None else _state(status)
    if recording.files.setdefault(path, state) != state:
        never(f"'{path}' changed while it was read")
    if state is not None and abs(time.time_ns() - state.changed_ns) < _SETTLED_NS:
        never(f"'{path}' has changed just now")


def process(pid: int) -> None:
    """The files that a process has mapped are asked for."""
    recording = _current.get()
    if recording is not None and pid != recording.process:
        never(f"it depends on process {pid}")


def mapped(text: str) -> None:
    """What the process has mapped, said for each time that it is looked at."""
    recording = _current.get()
    if recording is not None:
        if recording.mapped not in ("", text):
            never("the process has mapped another file meanwhile")
        recording.mapped = text


def name(word: str, path: str | None) -> None:
    """A command or library was looked for by its name."""
    recording = _current.get()
    if recording is not None:
        recording.names[word] = path


def never(reason: str) -> None:
    """What is compiled depends on something that cannot be compared later."""
    recording = _current.get()
    if recording is not None:
        recording.reason = recording.reason or reason


def changed(dependencies: Dependencies) -> str:
    """The path of a file that is not as it was found, or "". Names are the caller's to look up."""
    for path, state in dependencies.files:
        try:
            now = _state(os.stat(path))
        except OSError:
            now = None
        if now != state:
            return path
    return ""


def _state(status: os.stat_result) -> FileState:
    return FileState(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
