"""`invivo strace` by the kernel engine: a D program records the calls, and a Printer shows them.

    with KernelStrace(Request(command=["ls"]), fd=2, tell) as tracer:
        status = tracer.run()

The processes are not stopped. What is shown of memory is what was there when the call began or ended, and a buffer that
is full loses records, which is told. Signals that are ignored are shown when they are sent.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from invivo.compiler import Request as ProgramRequest
from invivo.output.collect import CollectOutput
from invivo.session import Session
from invivo.strace.calls import numbers
from invivo.strace.first import first_execve
from invivo.strace.frame import Captured
from invivo.strace.printer import Printer, Request
from invivo.strace.summary import Summary
from invivo.tools.strace.files import Files
from invivo.tools.strace.program import Tag, shown_bytes, text
from invivo.tools.strace.recipes import RAX_IN_FRAME, tables

__all__ = ["KernelStrace", "cannot"]

_OPTIONS: dict[str, str | None] = {
    "strsize": "4096", "bufsize": "64m", "scratchsize": "65536", "zdefs": None, "switchrate": "50ms", "quiet": None,
}  # fmt: skip


def cannot(request: Request) -> str:
    """What of a request only the process engine can, or ""."""
    if request.stacks:
        return "-k walks stacks while the process stands still"
    if request.injections:
        return "-e inject= changes what calls do, and tracing does not"
    if request.dumps_read or request.dumps_written:
        return "-e read= and -e write= show all bytes, and a record has some thousand"
    return ""


class _Events(CollectOutput):
    """Takes records as they are decoded. A fault is memory that could not be read: the line shows an address."""

    def __init__(
        self,
        plan: Any,
        take: Callable[[tuple[Any, ...]], None],
        flush: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(plan)
        self._flush = flush
        self._take = take
        self._tell = tell

    def displays(self, layout: Any) -> tuple[None, ...]:
        return (None,) * len(layout.actions)

    def record(self, layout: Any, probe: int, cpu: int, values: tuple[Any, ...], text: bytes) -> None:
        self._take(values)

    def fault(self, fault: Any) -> None:
        pass

    def flush(self) -> None:
        self._flush()

    def drop(self, drop: Any) -> None:
        self._tell(f"invivo strace: {drop}")


class KernelStrace:
    """See the module's text. `tell` takes messages about what was lost."""

    def __init__(self, request: Request, fd: int, tell: Callable[[str], None]) -> None:
        self._request = request
        self._files = Files(max(request.paths, 1))
        self._printer = Printer(request, fd, files=self._files)
        self._execve = numbers()["execve"]
        self._sigreturn = numbers()["rt_sigreturn"]
        self._data: dict[int, dict[int, bytes]] = {}  # by thread: what was read for its next record
        self._held: dict[int, tuple[Any, ...]] = {}  # by thread: the entry of a call that is not shown yet
        self._begun: dict[int, dict[int, bytes]] = {}  # by thread: what was read at its entry
        self._signals: dict[int, list[tuple[int, bytes]]] = {}  # by thread: that wait for its call's end
        self._alive: set[int] = set()
        self._root = self._stack = 0
        self._status: int | None = None
        self._is_stopped = False
        self._session = Session(
            ProgramRequest(text(request).encode(), "<strace>", (), _OPTIONS),
            command=list(request.command) or None,
            pid=request.pids[0] if request.pids else None,
            further=request.pids[1:],
            output=lambda plan: _Events(plan, self._take, self._printer.flush, tell),
            isolate=True,
            engine="kernel",
            tell=tell,
        )
        shown = shown_bytes(request.limit)
        calls, recipes = tables(request.calls, shown, not request.counts)
        self._session.contents = {"calls": calls, "recipes": recipes, "limits": shown.to_bytes(8, "little")}
        self._session.goes_on = lambda: bool(self._alive) and request.follows

    def __enter__(self) -> KernelStrace:
        self._session.__enter__()
        self._root = self._session.target_pid or 0
        self._stack = _stack_of(self._root)
        self._alive |= {self._root, *self._request.pids}
        return self

    def __exit__(self, *exception: Any) -> None:
        self._session.__exit__(*exception)
        self._printer.flush()

    @property
    def summary(self) -> Summary:
        """The counts of -c."""
        return self._printer.summary

    def stop(self) -> None:
        """Show no more, soon; may be called by a signal handler."""
        self._is_stopped = True
        self._session.stop()

    def run(self) -> int:
        """Trace until all has ended, or stop().

        Returns:
            The command's exit status, 128 and more for the signal that killed it; 0 for processes that ran already.
        """
        self._session.wait()
        for tid in list(self._held):
            self._release(tid)
        self._printer.flush()
        if not self._request.command:
            return 0
        if self._status is None:
            return 128 + signal.SIGINT
        code = os.waitstatus_to_exitcode(self._status)
        return code if code >= 0 else 128 - code

    # --- records ------------------------------------------------------------------------------------------------

    def _take(self, values: tuple[Any, ...]) -> None:
        tag, tid = values[0], values[1]
        if tag == Tag.DATA:
            self._data.setdefault(tid, {})[values[2] & _WORD] = _bytes(values[3])
        elif tag == Tag.SIZED:
            self._data.setdefault(tid, {})[values[2] & _WORD] = _bytes(values[3])[: values[4]]
        elif tag == Tag.ENTRY:
            self._entered(values)
        elif tag == Tag.RETURN:
            self._returned(values)
        elif tag == Tag.SIGNAL:
            self._signalled(values)
        elif tag == Tag.EXIT:
            self._exited(values)
        elif tag == Tag.FILE:
            self._files.seen(*values[1:])
        elif tag == Tag.PATH:
            self._files.named(*values[1:])
        elif tag == Tag.NAME:
            self._files.part(*values[1:])
        elif tag == Tag.FORK:
            self._files.forked(values[2], values[5])
            self._alive.add(values[4])
            self._printer.attached(values[4], values[5] != values[2])
        elif tag == Tag.EXEC:
            self._release(values[4])
            self._printer.executed(tid, values[4])
            self._data[tid] = {}
            if values[4] in self._begun:
                self._begun[tid] = self._begun.pop(values[4])

    def _entered(self, values: tuple[Any, ...]) -> None:
        tid, missed = values[1], values[-1]
        self._release(tid)
        if missed:  # a string that could not be read will come with the return
            self._held[tid] = values
            return
        self._begin(values)

    def _release(self, tid: int) -> None:
        """Show the beginning of a call that was held back, with what has come since."""
        held = self._held.pop(tid, None)
        if held is not None:
            self._begin(held)

    def _begin(self, values: tuple[Any, ...]) -> None:
        _, tid, pid, now, number, *words, stack, place, _missed = values
        data = self._begun[tid] = self._data.pop(tid, {})
        source = Captured(data)
        arguments = [word & _WORD for word in words]
        self._printer.begin(tid, pid, number, arguments, source, now, stack & _WORD, place & _WORD)
        if number == self._sigreturn:  # whose return the kernel does not tell: the frame has the result
            raw = data.get((stack + RAX_IN_FRAME) & _WORD, bytes(8))
            self._end(tid, int.from_bytes(raw, "little", signed=True), source, now)

    def _returned(self, values: tuple[Any, ...]) -> None:
        _, tid, pid, now, number, result = values
        self._release(tid)
        result = (result & _WORD) - ((result & _WORD) >> 63 << 64)
        data = {**self._begun.pop(tid, {}), **self._data.pop(tid, {})}
        if self._printer.is_in_call(tid):
            self._end(tid, result, Captured(data), now)
        elif number == self._execve and tid == self._root and self._request.command:
            self._first_execve(tid, pid, result, now)

    def _end(self, tid: int, result: int, source: Captured, now: int) -> None:
        self._printer.end(tid, result, source, now)
        for number, data in self._signals.pop(tid, ()):
            self._printer.signalled(tid, number, data, now)

    def _first_execve(self, tid: int, pid: int, result: int, now: int) -> None:
        """The command's own beginning, which was over when the probes were armed."""
        words, memory = first_execve(self._request.command, self._stack)
        self._printer.begin(tid, pid, self._execve, words, memory, now)
        self._printer.end(tid, result, memory, now)

    def _signalled(self, values: tuple[Any, ...]) -> None:
        _, tid, _, now, number, data = values
        self._release(tid)
        info = _bytes(data).ljust(128, b"\0")
        if self._printer.is_in_call(tid):
            self._signals.setdefault(tid, []).append((number, info))
        else:
            self._printer.signalled(tid, number, info, now)

    def _exited(self, values: tuple[Any, ...]) -> None:
        _, tid, _, now, status = values
        self._release(tid)
        self._alive.discard(tid)
        if tid == self._root:
            self._status = status
        self._printer.exited(tid, status, Captured(self._begun.pop(tid, {})), now)
        self._signals.pop(tid, None)
        self._data.pop(tid, None)


_WORD = (1 << 64) - 1


def _bytes(value: object) -> bytes:
    if isinstance(value, int):  # a pointer
        return (value & _WORD).to_bytes(8, "little")
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _stack_of(pid: int) -> int:
    """Where a new program's stack begins: the 28th field of /proc/PID/stat (startstack); 0 if it has ended."""
    from invivo.linux import procfs

    fields = procfs.stat(pid)
    return int(fields[25]) if len(fields) > 25 else 0


