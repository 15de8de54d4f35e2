"""The traced processes and threads, and what is told of them."""

from __future__ import annotations

from typing import Protocol

from invivo.engines.process.native.capture import Slot
from invivo.linux.ptrace import ProcessMemory, send_to_thread

__all__ = ["Hooks", "Process", "Thread"]


class Process:
    """A thread group. `memory` reads its address space, which a child of vfork shares with its parent."""

    __slots__ = ("memory", "parent", "pid", "threads")

    def __init__(self, pid: int, parent: int) -> None:
        self.pid = pid
        self.parent = parent
        self.threads: dict[int, Thread] = {}
        self.memory = ProcessMemory(pid)


class Thread:
    """A traced thread. `number` is the system call that it is in, as far as it was seen to enter it, or -1; `call` the
    number of the fork or clone that made it, until its first stop; `extra` is the hooks'."""

    __slots__ = (
        "call", "deliver", "extra", "is_new", "is_stepping", "is_stopped", "later", "process", "slot", "tid", "trapped",
    )  # fmt: skip

    def __init__(self, tid: int, process: Process, slot: Slot | None = None) -> None:
        self.tid = tid
        self.process = process
        self.slot = slot or Slot(number=-1, tid=tid, pid=process.pid, comm_fd=-1)
        self.call = -1
        self.is_new = False  # its first stop has not been seen
        self.is_stopped = False  # and is to be resumed by whoever has stopped it
        self.deliver = 0  # a signal that came while it was stepped, or before tracing began
        self.later: list[int] = []  # more of them, to be sent once more
        self.is_stepping = False
        self.trapped = b""  # its registers at the breakpoint that is being handled
        self.extra: object = None

    @property
    def number(self) -> int:
        return int(self.slot.number)

    @number.setter
    def number(self, number: int) -> None:
        self.slot.number = number

    def send_later(self) -> None:
        """Send the signals again that came one after the other while it was stepped; only one could be delivered."""
        for number in self.later:
            send_to_thread(self.process.pid, self.tid, number)
        self.later.clear()


class Hooks(Protocol):
    """What is told. Every call comes while the thread is stopped; `registers` are as read_registers() gives them."""

    def entered(self, thread: Thread, registers: bytes) -> bool:
        """A system call begins, thread.number. Whether its return is wanted."""
        ...

    def returned(self, thread: Thread, registers: bytes) -> None:
        """The system call has ended; thread.number is what it was."""
        ...

    def forked(self, thread: Thread, child: Thread) -> None:
        """A process, or a thread where child.process is thread.process, is made, and has not run."""
        ...

    def born(self, thread: Thread) -> None:
        """The first stop of a new thread, before its first instruction."""
        ...

    def executed(self, thread: Thread, former: int) -> None:
        """A new program is loaded; `former` is the id of the thread that called execve(2)."""
        ...

    def exiting(self, thread: Thread, status: int) -> None:
        """The thread is about to end; `status` is as wait(2) will give it. It is still there to be read."""
        ...

    def gone(self, thread: Thread) -> None:
        """The thread has ended."""
        ...

    def signalled(self, thread: Thread, number: int) -> int:
        """A signal is about to be delivered. The signal to deliver, or 0."""
        ...

    def interrupted(self, thread: Thread) -> None:
        """It stopped because interrupt() was asked for."""
        ...
