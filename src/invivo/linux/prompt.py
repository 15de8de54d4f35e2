"""A thread that runs as soon as it is woken, however busy the machine is, as long as it does little.

    prompt = Promptness()
    prompt.begin()             before a wait: SCHED_RR from here on, if less than a tenth of this second was work
    poller.poll(100)
    ...                        what is urgent; only that is work that counts
    prompt.calm()              as it was

On a loaded machine a thread that was woken waits for milliseconds until it is its turn, in which a short-lived program
has come and gone. Who has used more than a tenth of a second of the CPU is not prompt for the rest of that second; in
the first one, when there is much to be learnt of what runs, it may be a quarter. Without the right (CAP_SYS_NICE), or
in a control group without real-time threads, nothing happens.
Source: sched(7), sched_setscheduler(2).
"""

from __future__ import annotations

import os
import time
from threading import get_native_id

__all__ = ["Promptness"]

_WINDOW_S, _MOST_S = 1.0, 0.1
_FIRST_S = 0.15  # more in the first window


class Promptness:
    """Of the thread that calls begin(); what it forks is not affected. calm() may be called from another thread."""

    __slots__ = ("_before", "_busy_s", "_is_refused", "_thread", "_used_s", "_window_ends")

    def __init__(self) -> None:
        self._before: tuple[int, os.sched_param] | None = None
        self._thread = 0
        self._is_refused = False
        self._busy_s = self._used_s = self._window_ends = 0.0

    def begin(self) -> None:
        """A wait begins."""
        self.calm()
        now = time.monotonic()
        if now >= self._window_ends:
            self._busy_s = 0.0 if self._window_ends else -_FIRST_S
            self._window_ends = now + _WINDOW_S
        self._thread, self._used_s = get_native_id(), time.thread_time()
        if self._busy_s <= _MOST_S and not self._is_refused:
            self._raise(self._thread)

    def _raise(self, thread: int) -> None:
        try:
            before = os.sched_getscheduler(thread), os.sched_getparam(thread)
            if before[0] & ~os.SCHED_RESET_ON_FORK in (os.SCHED_OTHER, os.SCHED_BATCH):  # the user's own choice stays
                os.sched_setscheduler(thread, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
                self._before = before
        except OSError:
            self._is_refused = True

    def calm(self) -> None:
        """Be as before; may be called at any time."""
        if self._before is not None:
            if get_native_id() == self._thread:
                self._busy_s += time.thread_time() - self._used_s
            policy, parameter = self._before
            try:
                os.sched_setscheduler(self._thread, policy, parameter)
            except PermissionError:  # prompt by RLIMIT_RTPRIO: only CAP_SYS_NICE takes the flag away again
                os.sched_setscheduler(self._thread, policy | os.SCHED_RESET_ON_FORK, parameter)
            except OSError:
                pass  # the thread has ended
            self._before = None
