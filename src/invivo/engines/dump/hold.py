"""Stands a process still, by ptrace(2), and lets it go.

    with Hold(4711) as hold:          all threads stopped
        hold.registers(4712)          of one of its threads
    hold.stopped_ns                   how long that was

No signal is sent, so neither the process nor its parent notices. Should the holder be killed, by whatever signal, the
kernel lets all threads go on: so PTRACE_SEIZE ends with its tracer. One thread alone is held by stand_still.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from invivo.engines.process.tracer import Hooks, Thread, Tracer
from invivo.errors import KernelError
from invivo.linux import ptrace

__all__ = ["Hold", "stand_still"]

_STOPPED = 0x7F


class _Silent(Hooks):
    """Takes no notice of what threads do on their way to the stop; their signals go through."""

    def entered(self, thread: Thread, registers: bytes) -> bool:
        return False

    def returned(self, thread: Thread, registers: bytes) -> None:
        pass

    def forked(self, thread: Thread, child: Thread) -> None:
        pass

    def born(self, thread: Thread) -> None:
        pass

    def executed(self, thread: Thread, former: int) -> None:
        pass

    def exiting(self, thread: Thread, status: int) -> None:
        pass

    def gone(self, thread: Thread) -> None:
        pass

    def signalled(self, thread: Thread, number: int) -> int:
        return number

    def interrupted(self, thread: Thread) -> None:
        pass


class Hold:
    """A process with all its threads stopped, until `release`. A context manager.

    Raises:
        InvivoError: When entered: it may not be traced, by this user or while another traces it.
    """

    __slots__ = ("_began_ns", "_pid", "_tracer", "stopped_ns", "threads")

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._tracer = Tracer(_Silent())
        self._began_ns = 0
        self.stopped_ns = 0
        self.threads = 0

    def __enter__(self) -> Hold:
        self._began_ns = time.monotonic_ns()
        self._tracer.attach(self._pid)
        self.threads = len(self._tracer.threads)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let all threads go on; does nothing the second time."""
        if self._began_ns:
            self._tracer.detach()
            self.stopped_ns = time.monotonic_ns() - self._began_ns
            self._began_ns = 0


@contextmanager
def stand_still(tid: int) -> Iterator[bytes]:
    """A thread stopped for as long as the block takes, and its registers; empty where it cannot be stopped.

    What stops it at that moment anyhow, such as a signal, is passed on.
    """
    try:
        ptrace.seize(tid, 0)
    except KernelError:
        yield b""
        return
    deliver, registers = 0, b""
    if ptrace.interrupt(tid) and (status := ptrace.wait_for(tid)) is not None and status & 0xFF == _STOPPED:
        registers = ptrace.read_registers(tid) or b""
        event, number = status >> 16, status >> 8 & 0xFF
        # In a signal's delivery, or in a group-stop, which it goes back to.
        deliver = number if event == 0 or (event == ptrace.EVENT_STOP and number != 5) else 0
    try:
        yield registers
    finally:
        ptrace.detach(tid, deliver)
