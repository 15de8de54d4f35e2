"""What happens to processes, as lines: whoever follows them tells this, in order.

    printer.begin(tid, pid, 257, words, memory, ns)      openat(AT_FDCWD, "/etc/passwd", O_RDONLY
    printer.end(tid, result, memory, ns)                 ) = 3
    printer.exited(tid, status); printer.signalled(tid, number, siginfo)

In: numbers and memory, live or captured. Out: lines on a descriptor, or with -c a table. A call that another thread's
interrupts is taken up again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from invivo.strace.calls import Kind
from invivo.strace.dumps import dump_lines
from invivo.strace.flags import Naming, at_cwd, set_naming, signal_name
from invivo.strace.frame import Frame, Source
from invivo.strace.injection import Injection
from invivo.strace.lines import COLUMN, Lines, LinesByThread, Stamp
from invivo.strace.paths import Files, ProcessFiles
from invivo.strace.render import Renderer, is_error, raw_renderer_of, renderer_of
from invivo.strace.selection import Numbers
from invivo.strace.signals import siginfo
from invivo.strace.structures import Quoting, set_quoting
from invivo.strace.summary import DEFAULT_COLUMNS, Summary

__all__ = ["Printer", "Request"]

_AT_FDCWD = -100


class Request(NamedTuple):
    """What to trace, and how it is shown.

    `command` or `pids`; `calls` are the numbers to show (None: all); `signals` likewise (None: all). `paths` is 0, 1
    (-y) or 2 (-yy). `statuses` are the ends of calls to show: "successful", "failed", "unfinished" (None: all).
    """

    command: Sequence[str] = ()
    pids: tuple[int, ...] = ()
    calls: frozenset[int] | None = None
    signals: frozenset[int] | None = None
    follows: bool = False
    limit: int = 32
    paths: int = 0
    shows_durations: bool = False
    duration_digits: int = 6
    stamp: str = ""  # see lines.Stamp
    counts: bool = False  # -c: the table instead of lines; -C: `sums` alone
    sums: bool = False
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    order: str = "time"
    overhead_ns: int = 0
    statuses: frozenset[str] | None = None
    pid_form: str = "[pid {:5}] "
    always_pid: bool = False
    is_pinned: bool = True  # a command shares the tracer's CPU, which is faster
    stacks: bool = False
    engine: str = ""
    folder: str = ""  # -ff: the beginning of the names of files, one for each thread
    appends: bool = False
    column: int = COLUMN  # of results
    shows_places: bool = False  # -i
    shows_numbers: bool = False  # -n
    quiet: frozenset[str] = frozenset()  # messages left out: see selection.QUIET
    only_paths: tuple[str, ...] = ()  # -P
    raw: frozenset[int] = frozenset()  # calls whose arguments are shown as numbers
    dumps_read: Numbers = Numbers()
    dumps_written: Numbers = Numbers()
    quoting: Quoting = Quoting.OCTAL
    naming: Naming = Naming.NAMES
    injections: tuple[Injection, ...] = ()


class _Pending(NamedTuple):
    """A call that has not returned."""

    renderer: Renderer
    frame: Frame
    text: str  # where it is not shown yet
    start_ns: int
    place: str = ""  # what stands before it: the call's number, the instruction pointer


class Printer:
    """See the module's text. `stack`, where given, shows a thread's stack after its call, as lines."""

    def __init__(
        self,
        request: Request,
        fd: int,
        stack: Callable[[int], list[str]] | None = None,
        files: Files | None = None,
    ) -> None:
        self.request = request
        self.summary = Summary(request.columns, request.order, request.overhead_ns)
        set_quoting(request.quoting)
        set_naming(request.naming)
        self._lines: Lines | LinesByThread
        if request.folder:
            self._lines = LinesByThread(request.folder, request.stamp, request.column, not request.appends)
        else:
            self._lines = Lines(fd, Stamp(request.stamp), request.pid_form, request.always_pid, request.column)
        self._pending: dict[int, _Pending] = {}
        self._stack = stack
        self._files: Files = files or ProcessFiles(max(request.paths, 1))
        self._numbers: dict[int, int] = {}  # by thread: of its last call
        self._wanted = {os.path.abspath(path) for path in request.only_paths}
        self._wanted |= {os.path.realpath(path) for path in request.only_paths} | set(request.only_paths)

    @property
    def shows_pids(self) -> bool:
        """Whether lines begin with the thread's number."""
        return self._lines.shows_pids

    @shows_pids.setter
    def shows_pids(self, shows: bool) -> None:
        self._lines.shows_pids = shows

    def is_chosen(self, number: int) -> bool:
        """Whether a call is to be shown."""
        return self.request.calls is None or number in self.request.calls

    def is_in_call(self, tid: int) -> bool:
        """Whether a call of the thread has begun and not ended."""
        return tid in self._pending

    def _descriptor(self, tid: int, pid: int) -> Callable[[int], str]:
        return self._files.of(tid, pid) if self.request.paths else _plain

    # --- calls ------------------------------------------------------------------------------------------------------

    def begin(
        self,
        tid: int,
        pid: int,
        number: int,
        words: Sequence[int],
        source: Source,
        now_ns: int,
        stack: int = 0,
        place: int = 0,
    ) -> None:
        """A call begins; `words` are its six arguments, `stack` and `place` the stack and instruction pointers."""
        self._lines.now_ns = now_ns
        renderer = renderer_of(number) if number not in self.request.raw else raw_renderer_of(number)
        before = self._before(number, place)
        if self.request.shows_numbers:
            self._numbers[tid] = number
        frame = Frame(words, source, self.request.limit, self._descriptor(tid, pid), stack)
        text = ""
        if not self.request.counts:
            if self._wanted and not self._concerns(renderer, frame, tid, pid):
                return
            text = renderer.opening(frame)
            if self.request.statuses is None:
                self._lines.place = before
                self._lines.open_call(tid, text)
        self._pending[tid] = _Pending(renderer, frame, text, now_ns, before)

    def _before(self, number: int, place: int) -> str:
        text = f"[{number:4}] " if self.request.shows_numbers else ""
        return text + (f"[{place:016x}] " if self.request.shows_places else "")

    def concerns(self, tid: int, pid: int, number: int, words: Sequence[int], source: Source) -> bool:
        """Whether a call names one of the paths that are asked for; all do where none is."""
        frame = Frame(words, source, 0, self._descriptor(tid, pid))
        return not self._wanted or self._concerns(renderer_of(number), frame, tid, pid)

    def _concerns(self, renderer: Renderer, frame: Frame, tid: int, pid: int) -> bool:
        """Whether a call names one of the paths that are asked for, or a descriptor of them."""
        shown = self._files.of(tid, pid)
        for index, parameter in enumerate(renderer.call.parameters):
            if parameter.kind is Kind.PATH:
                text = frame.source.read_string(frame.words[index], 4096)
                if text is not None and os.fsdecode(text) in self._wanted:
                    return True
            elif parameter.kind is Kind.FD:
                path = shown(frame.signed(index)).partition("<")[2].removesuffix(">")
                if path in self._wanted:
                    return True
        return False

    def end(self, tid: int, result: int | None, source: Source, now_ns: int, remark: str = "") -> None:
        """It has returned `result`, signed; None: its thread ends instead. `remark` follows the result."""
        self._lines.now_ns = now_ns
        pending = self._pending.pop(tid, None)
        if pending is None:
            return
        renderer, frame, text, start_ns, before = pending
        request = self.request
        if request.statuses is not None:
            kind = "unfinished" if result is None else "failed" if is_error(result) else "successful"
            if kind not in request.statuses:
                return
        if request.sums and result is not None:
            self.summary.add(renderer.name, now_ns - start_ns, is_error(result))
        if request.counts:
            return
        self._lines.place = before
        if request.statuses is not None:
            self._lines.open_call(tid, text)
        frame.source = source
        if result is None:
            self._lines.close_call(tid, renderer.name, renderer.closing(frame, is_over=False), "?")
        else:
            frame.result = result
            answer = renderer.result(frame) + remark
            if request.shows_durations:
                answer += f" <{_seconds(now_ns - start_ns, request.duration_digits)}>"
            self._lines.close_call(tid, renderer.name, renderer.closing(frame), answer)
            for line in dump_lines(frame, renderer, request.dumps_read, request.dumps_written):
                self._lines.below(tid, line)
        if self._stack is not None:
            for line in self._stack(tid):
                self._lines.below(tid, line)

    def whole(
        self, tid: int, pid: int, number: int, words: Sequence[int], result: int, source: Source, ns: tuple[int, int]
    ) -> None:
        """A call that began and returned, at two times."""
        self.begin(tid, pid, number, words, source, ns[0])
        self.end(tid, result, source, ns[1])

    # --- threads and processes --------------------------------------------------------------------------------------

    def attached(self, tid: int, is_process: bool) -> None:
        """A new thread or process is followed."""
        if not self.request.counts:
            self._lines.shows_pids = True
            if not self.request.always_pid and "attach" not in self.request.quiet:
                what = "Process" if is_process else "Thread"
                self._lines.notice(f"invivo strace: {what} {tid} attached")

    def executed(self, tid: int, former: int) -> None:
        """execve(2) returns in the thread that has the process's number now."""
        if former != tid and former in self._pending:
            self._pending[tid] = self._pending.pop(former)

    def exited(self, tid: int, status: int, source: Source, now_ns: int, is_shown: bool = True) -> None:
        """A thread ends with a wait status."""
        if not is_shown:
            self._pending.pop(tid, None)
            return
        self._lines.now_ns = now_ns
        self.end(tid, None, source, now_ns)
        if self.request.counts or "exit" in self.request.quiet:
            return
        self._lines.place = self._nowhere(tid)
        if status & 0x7F:
            core = " (core dumped)" if status & 0x80 else ""
            self._lines.line(tid, f"+++ killed by {signal_name(status & 0x7F)}{core} +++")
        else:
            self._lines.line(tid, f"+++ exited with {status >> 8 & 0xFF} +++")

    def gone(self, tid: int) -> None:
        """A thread is no more."""
        self._pending.pop(tid, None)
        self._files.gone(tid)
        self._numbers.pop(tid, None)

    def signalled(self, tid: int, number: int, data: bytes | None, now_ns: int) -> None:
        """A signal is about to be delivered; `data` is its siginfo_t."""
        self._lines.now_ns = now_ns
        wanted = self.request.signals
        if not self.request.counts and (wanted is None or number in wanted):
            self._lines.place = self._nowhere(tid)
            shown = f"{{si_signo={signal_name(number)}}}" if data is None else siginfo(data)
            self._lines.line(tid, f"--- {signal_name(number)} {shown} ---")

    def _nowhere(self, tid: int) -> str:
        text = f"[{self._numbers.get(tid, 0):4}] " if self.request.shows_numbers else ""
        return text + ("[????????????????] " if self.request.shows_places else "")

    def stopped(self, tid: int, number: int) -> None:
        """A process is stopped by a signal."""
        if not self.request.counts:
            self._lines.line(tid, f"--- stopped by {signal_name(number)} ---")

    def flush(self) -> None:
        """Write what there is."""
        self._lines.flush()


def _plain(fd: int) -> str:
    return at_cwd() if fd == _AT_FDCWD else str(fd)


def _seconds(ns: int, digits: int) -> str:
    whole, part = divmod(ns, 1_000_000_000)
    return f"{whole}.{part:09d}"[: len(str(whole)) + 1 + digits] if digits else str(whole)


