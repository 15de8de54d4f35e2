"""A timer that only wakes: a blocking call of this thread ends with EINTR at each expiration.

    with Alarm(100_000_000):        each 100 ms
        wait4(...)                  -1 and EINTR, at the latest 100 ms from now

wait4(2) has no time limit, and a tracer that polled would pay two system calls for each stop. The signal goes to this
one thread (SIGEV_THREAD_ID), and its handler does nothing. One that comes just before the call wakes nobody: the next
one does. Source: timer_create(2), signal(7).
"""

from __future__ import annotations

import ctypes
import signal
import struct
import threading

from invivo.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Alarm"]

_SIGEV_THREAD_ID = 4
_CLOCK_MONOTONIC = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Alarm:
    """Wakes this thread each `interval_ns`. A context manager."""

    __slots__ = ("_before", "_number", "_timer")

    def __init__(self, interval_ns: int) -> None:
        self._number = int(signal.SIGRTMAX) - 3
        self._before = ctypes.create_string_buffer(152)  # struct sigaction
        # The handler is abs(3), which takes an int and does nothing. No SA_RESTART.
        nothing = ctypes.cast(_libc.abs, ctypes.c_void_p).value
        action = struct.pack("<Q128xi4xQ", nothing or 0, 0, 0)
        if _libc.sigaction(self._number, action, self._before) < 0:
            raise KernelError(ctypes.get_errno(), "sigaction", f"signal {self._number}")
        event = struct.pack("<Qiii44x", 0, self._number, _SIGEV_THREAD_ID, threading.get_native_id())
        timer = ctypes.c_void_p()
        if _libc.timer_create(_CLOCK_MONOTONIC, event, ctypes.byref(timer)) < 0:
            raise KernelError(ctypes.get_errno(), "timer_create", "an alarm")
        self._timer: ctypes.c_void_p | None = timer
        self.set(interval_ns)

    def set(self, interval_ns: int) -> None:
        """Go on with another interval, from now."""
        seconds, nanoseconds = divmod(interval_ns, 1_000_000_000)
        times = struct.pack("<qqqq", seconds, nanoseconds, seconds, nanoseconds)
        if _libc.timer_settime(self._timer, 0, times, None) < 0:
            raise KernelError(ctypes.get_errno(), "timer_settime", f"an alarm each {interval_ns} ns")

    def close(self) -> None:
        """No more signals; the handler of before is put back."""
        if self._timer is None:
            return
        _libc.timer_delete(self._timer)
        self._timer = None
        # One that was under way has been delivered when timer_delete(2) returned.
        _libc.sigaction(self._number, self._before, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


