"""Single steps of a stopped thread, while the other threads of its process stand still.

    with tracer.stepper.others_stopped(thread, [thread.process]):
        write(...)                     memory that they would stumble over
        tracer.stepper.step(thread)
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from invivo.engines.process.detaching import is_held_by_kernel
from invivo.linux import ptrace
from invivo.linux.ptrace import EVENT_STOP, SYSCALL_STOP, resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.threads import Process, Thread
    from invivo.engines.process.tracer import Tracer

__all__ = ["Stepper"]

_STOPPED = 0x7F
_PAUSE_S = 0.00002
_SIGTRAP = int(signal.SIGTRAP)
_OF_INSTRUCTIONS = frozenset(map(int, (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)))


class Stepper:
    """See the module's text."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._held: dict[int, int] = {}  # stops of threads that stand still while another is stepped
        self._is_draining = False

    @contextmanager
    def others_stopped(self, thread: Thread, processes: Iterable[Process]) -> Iterator[None]:
        """The other threads of these processes stand still meanwhile; what they stopped for is handled afterwards."""
        held = self._held
        asked = set()
        for other in [other for process in processes for other in process.threads.values()]:
            if other is thread or other.is_stopped or other.is_new or other.tid in held:
                continue
            if ptrace.interrupt(other.tid):
                asked.add(other.tid)
        while asked:
            for tid in list(asked):
                if (status := ptrace.wait_for(tid, has_to_return=True)) is not None:
                    held[tid] = status
                    asked.discard(tid)
            # One that waits for a child of vfork(2), or in execve(2) for the end of all others, stops when that is over
            # and runs no code before; it may be waiting for what this tracer has to do first.
            if asked and is_held_by_kernel(asked):
                break
            if asked:
                time.sleep(_PAUSE_S)
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
        """Let a stopped thread carry out one instruction. A signal that comes before it is left in thread.deliver,
        further ones in thread.later; one that the instruction itself causes too, and then it has not been carried out.
        """
        tid = thread.tid
        thread.is_stepping = True
        while resume(ptrace.PTRACE_SINGLESTEP, tid):
            status = ptrace.wait_for(tid)
            if status is None:
                break
            if status & 0xFF != _STOPPED:
                self._tracer.ended(tid, status)
                break
            event, number = status >> 16, status >> 8 & 0xFF
            if event == 0 and number == _SIGTRAP:
                break
            if event == 0 and number != SYSCALL_STOP:
                is_own = number in _OF_INSTRUCTIONS
                if thread.deliver and is_own:  # what was to be delivered is sent again, behind this one
                    thread.later.append(thread.deliver)
                    thread.deliver = 0
                if thread.deliver:
                    thread.later.append(number)
                else:
                    thread.deliver = number
                if is_own:
                    break
            elif event != EVENT_STOP:
                self._tracer.dispatch(tid, status)
                break
        thread.is_stepping = False
