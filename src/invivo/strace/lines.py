"""Lines of several threads, written so that each is whole: a call that others interrupt is taken up again.

    write(1, "a", 1)                        = 1
    [pid 12] read(0,  <unfinished ...>
    [pid 11] write(1, "b", 1)               = 1
    [pid 12] <... read resumed>"x", 1)      = 1

In: openings and closings of calls, whole lines. Out: bytes on a descriptor, escaped already.
"""

from __future__ import annotations

import os
import time

from invivo.linux.clock import wall_offset_ns

__all__ = ["COLUMN", "Lines", "LinesByThread", "Stamp"]

COLUMN = 40  # of the results


class Stamp:
    """What precedes each line, by words of `form`: `t` the time of day, `tt` with microseconds, `ttt` the same since
    1970; time.N and unix.N with N digits; `r` or r.N the time since the last line. "": nothing."""

    def __init__(self, form: str) -> None:
        words = [_SHORT.get(word, word) for word in form.split()]
        self._clock, self._digits, self._relative = "", 0, -1
        for word in words:
            kind, _, digits = word.partition(".")
            if kind == "r":
                self._relative = int(digits)
            else:
                self._clock, self._digits = kind, int(digits)
        self._last_ns = 0
        self._offset_ns = wall_offset_ns()

    def text(self, now_ns: int) -> str:
        """What precedes a line of that time, in ns of CLOCK_MONOTONIC."""
        text = ""
        if self._clock:
            seconds, part = divmod(now_ns + self._offset_ns, 1_000_000_000)
            text = str(seconds) if self._clock == "unix" else time.strftime("%H:%M:%S", time.localtime(seconds))
            text += (f".{part:09d}"[: self._digits + 1] if self._digits else "") + " "
        if self._relative >= 0:
            seconds, part = divmod(now_ns - (self._last_ns or now_ns), 1_000_000_000)
            self._last_ns = now_ns
            shown = f"{seconds:6d}" + (f".{part:09d}"[: self._relative + 1] if self._relative else "")
            text += f"(+{shown}) " if text else f"{shown} "
        return text


_SHORT = {"t": "time.0", "tt": "time.6", "ttt": "unix.6", "r": "r.6"}


class LinesByThread:
    """The same for a file of each thread, PATH.TID, in which no line has a thread's number."""

    def __init__(self, path: str, stamp_form: str, column: int = COLUMN, is_new: bool = True) -> None:
        self._path = path
        self._column = column
        self._mode = os.O_TRUNC if is_new else os.O_APPEND
        self.place = ""
        self._form = stamp_form
        self._files: dict[int, Lines] = {}
        self._fds: list[int] = []
        self.shows_pids = False
        self.now_ns = 0

    def _of(self, tid: int) -> Lines:
        found = self._files.get(tid)
        if found is None:
            flags = os.O_WRONLY | os.O_CREAT | self._mode | os.O_CLOEXEC
            self._fds.append(os.open(f"{self._path}.{tid}", flags, 0o666))
            found = self._files[tid] = Lines(self._fds[-1], Stamp(self._form), "", False, self._column)
        found.now_ns, found.place = self.now_ns, self.place
        return found

    def open_call(self, tid: int, text: str) -> None:
        """As Lines.open_call; so the others."""
        self._of(tid).open_call(tid, text)

    def close_call(self, tid: int, name: str, text: str, result: str) -> None:
        self._of(tid).close_call(tid, name, text, result)

    def line(self, tid: int, text: str) -> None:
        self._of(tid).line(tid, text)

    def below(self, tid: int, text: str) -> None:
        self._of(tid).below(tid, text)

    def notice(self, text: str) -> None:
        """Nothing: who is followed is told by the files."""

    def flush(self) -> None:
        """Write what there is."""
        for lines in self._files.values():
            lines.flush()


class Lines:
    """Writes to `fd`. `pid_form` is put before each line once there is more than one thread: "[pid {:5}] " or "{} "."""

    def __init__(self, fd: int, stamp: Stamp, pid_form: str, always_pid: bool, column: int = COLUMN) -> None:
        self._fd = fd
        self._column = column
        self.place = ""  # what stands before a line's text: the call's number, the instruction pointer
        self._stamp = stamp
        self._pid_form = pid_form
        self.shows_pids = always_pid
        self.now_ns = 0  # of what happens, by CLOCK_MONOTONIC
        self._parts: list[str] = []
        self._size = 0
        self._open = 0  # the thread whose call stands unfinished at the end
        self._width = 0

    def open_call(self, tid: int, text: str) -> None:
        """A call begins: "openat(AT_FDCWD, ..."."""
        self._interrupt()
        line = self._prefix(tid) + text
        self._put(line)
        self._open, self._width = tid, len(line)

    def close_call(self, tid: int, name: str, text: str, result: str) -> None:
        """It ends: the rest of its arguments, and the result."""
        if self._open == tid:
            start, width = "", self._width
        else:
            self._interrupt()
            start = f"{self._prefix(tid)}<... {name} resumed>"
            width = len(start)
        pad = max(self._column - width - len(text) - 2, 0)
        self._put(f"{start}{text}) {' ' * pad}= {result}\n")
        self._open = 0

    def line(self, tid: int, text: str) -> None:
        """A line of its own."""
        self._interrupt()
        self._put(f"{self._prefix(tid)}{text}\n")

    def below(self, tid: int, text: str) -> None:
        """A line that belongs to the call of a thread that was just closed."""
        self._interrupt()
        self._put(f"{text}\n")

    def notice(self, text: str) -> None:
        """A line about the tracer's own doings."""
        self._interrupt()
        self._put(text + "\n")

    def _interrupt(self) -> None:
        if self._open:
            self._put(" <unfinished ...>\n")
            self._open = 0

    def _prefix(self, tid: int) -> str:
        return (self._pid_form.format(tid) if self.shows_pids else "") + self._stamp.text(self.now_ns) + self.place

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)
        if self._size > 1 << 16:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        data = memoryview("".join(self._parts).encode("utf-8", "surrogateescape"))
        self._parts.clear()
        self._size = 0
        while data:
            data = data[os.write(self._fd, data) :]
