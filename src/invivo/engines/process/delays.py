"""Threads that stay in the stop that was handled, each until its time, while all others go on.

    tracer.delay(thread, 5_000_000)      a hook asks for it: the thread goes on 5 ms from now
    tracer.end_delays()                  all go on now

The tracer asks takes() where it would let a thread go on, and calls go_on() before it waits; whoever asks for delays
sees to it that the wait ends in time, by an Alarm. A thread that is killed meanwhile, or detached from, needs nothing.
"""

from __future__ import annotations

import time

from invivo.linux.ptrace import resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.threads import Thread
    from invivo.engines.process.tracer import Tracer

__all__ = ["Delays"]


class Delays:
    """See the module's text. True if there are any."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._asked: dict[int, int] = {}  # by thread, in ns: their stop is being handled
        self._held: dict[int, tuple[int, Thread, int, int]] = {}  # when it goes on, by which request, with which signal

    def __bool__(self) -> bool:
        return bool(self._asked or self._held)

    def add(self, thread: Thread, nanoseconds: int) -> None:
        """Let a thread whose stop is being handled go on so much later."""
        self._asked[thread.tid] = self._asked.get(thread.tid, 0) + nanoseconds

    def takes(self, thread: Thread, request: int, number: int) -> bool:
        """Whether the thread is to be held; then it will be resumed by this request, with this signal."""
        nanoseconds = self._asked.pop(thread.tid, 0)
        if not nanoseconds:
            return False
        self._held[thread.tid] = time.monotonic_ns() + nanoseconds, thread, request, number
        thread.is_stopped, thread.deliver = True, number
        return True

    def go_on(self, *, is_over: bool = False) -> None:
        """Let those go on whose time has come; all, if it is over."""
        now = time.monotonic_ns()
        for tid, (due, thread, request, number) in list(self._held.items()):
            if is_over or due <= now or self._tracer.threads.get(tid) is not thread:
                del self._held[tid]
                if self._tracer.threads.get(tid) is thread:
                    thread.is_stopped, thread.deliver = False, 0
                    resume(request, tid, number)

    def end(self) -> None:
        """Let all go on."""
        self.go_on(is_over=True)

    @property
    def shortest_ns(self) -> int | None:
        """How long until the first goes on; None if none is held, or about to be."""
        now = time.monotonic_ns()
        rests = [*self._asked.values(), *(held[0] - now for held in self._held.values())]
        return max(min(rests), 0) if rests else None
