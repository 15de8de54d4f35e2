"""Single steps of a stopped thread, while the other threads of its process stand still.

    with tracer.stepper.others_stopped(thread):
        write(...)                     memory that they would stumble over
        tracer.stepper.step(thread)
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from invivo.linux import ptrace
from invivo.linux.ptrace import EVENT_STOP, SYSCALL_STOP, resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.threads import Thread
    from invivo.engines.process.tracer import Tracer

__all__ = ["Stepper"]

_STOPPED = 0x7F
_SIGTRAP = int(signal.SIGTRAP)
_OF_INSTRUCTIONS = frozenset(map(int, (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)))


class Stepper:
    """See the module's text."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._held: dict[int, int] = {}  # stops of threads that stand still while another is stepped
        self._is_draining = False

    @contextmanager
    def others_stopped(self, thread: Thread) -> Iterator[None]:
        """The process's other threads stand still meanwhile; what they stopped for is handled afterwards."""
        held = self._held
        for other in list(thread.process.threads.values()):
            if other is thread or other.is_stopped or other.is_new or other.tid in held:
                continue
            if ptrace.interrupt(other.tid) and (status := ptrace.wait_for(other.tid)) is not None:
                held[other.tid] = status
        yield
        if not self._is_draining:  # a stop that is handled here may itself hold others
            self._is_draining = True
            try:
                while held:
                    tid = next(iter(held))
                    self._tracer.dispatch(tid, held.pop(tid))
            finally:
                self._is_draining = False

    def step(self, thread: Thread) -> None:
        """Let a stopped thread carry out one instruction. A signal that comes before it is left in thread.deliver; one
        that the instruction itself causes too, and then it has not been carried out."""
        tid = thread.tid
        while resume(ptrace.PTRACE_SINGLESTEP, tid):
            status = ptrace.wait_for(tid)
            if status is None:
                return
            if status & 0xFF != _STOPPED:
                self._tracer.ended(tid, status)
                return
            event, number = status >> 16, status >> 8 & 0xFF
            if event == 0 and number == _SIGTRAP:
                return
            if event == 0 and number != SYSCALL_STOP:
                thread.deliver = number
                if number in _OF_INSTRUCTIONS:
                    return
            elif event != EVENT_STOP:
                self._tracer.dispatch(tid, status)
                return
