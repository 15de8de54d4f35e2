"""The command in two processes, where ptrace(2) does the tracing: one that the shell waits for, one that traces.

    status = divide(table)       the first waits for the other, and returns its exit status; the second gets None
    leave(status)                the second, at its end: the shell has its answer, and what is left is looked after

What was traced outlives the question: a command that goes on after exit() or Ctrl-C is under a seccomp filter, and
needs its tracer to the end. So the tracer hands the exit status to the first process, which ends, and stays in the
background. And should the first be killed, by whatever signal, the second ends tracing in good order: no breakpoint
stays in a process that lives. Should the second be killed, the first takes back what it left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.linux.guardian import PatchTable

__all__ = ["divide", "leave", "look_after"]

_PR_SET_PDEATHSIG = 1
_SI_USER = 0  # by kill(2); less: by sigqueue(3), tgkill(2); the kernel's own is more
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_writer = -1
_left: Callable[[], object] | None = None


def divide(table: PatchTable) -> int | None:
    """Fork. In the process that traces: None. In the other, when the tracer is done: the exit status.

    Args:
        table: What to undo if the tracer is killed.
    """
    global _writer
    reader, writer = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # No signal may come between fork and the handlers of both sides.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *_FORWARDED})
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _writer = writer
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # until the session has its handlers
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        table.hold()
        return None
    os.close(writer)
    return _attend(pid, reader, table, mask)


def _attend(pid: int, reader: int, table: PatchTable, mask: set[int | signal.Signals]) -> int:
    for number in _FORWARDED:
        signal.signal(number, lambda number, _: os.kill(pid, number))
    guard = table.undo_at_death()  # with all signals blocked
    threading.Thread(target=_forward_interrupts, args=(pid,), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, {*mask, signal.SIGINT})
    status = os.read(reader, 1)
    if status:
        return status[0]
    _, ended = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(ended)
    if code >= 0:
        return code
    guard.join()
    table.undo_all()
    restored = table.restored
    sys.stderr.write(
        f"invivo: the tracing process was killed by signal {-code}; a command that it had started is killed with it"
        + (f", {restored} breakpoints of a process that lives were taken back" if restored else "")
        + "\n"
    )
    return 128 - code


def _forward_interrupts(pid: int) -> None:
    """SIGINT that somebody sends to this process alone (kill -INT) is for the tracer. The terminal sends it to both."""
    while True:
        if signal.sigwaitinfo({signal.SIGINT}).si_code <= _SI_USER:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGINT)


def look_after(mind: Callable[[], object]) -> None:
    """Tracing has ended: say what leave() is to do then. Signals do not end this process any more."""
    global _left
    _left = mind
    for number in (signal.SIGINT, *_FORWARDED):
        signal.signal(number, signal.SIG_IGN)


def leave(status: int) -> int:
    """Hand the exit status over, and look after what is left. In any other process than the tracing one of divide():
    returns the status at once."""
    global _writer
    if _writer < 0:
        return status
    if _left is not None:
        with contextlib.suppress(OSError):  # the first process was killed
            os.write(_writer, bytes([status & 0xFF]))
        os.close(_writer)
        _writer = -1
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)  # who reads our output sees its end
        _left()
    return status
