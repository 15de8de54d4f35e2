"""A thread that takes what the loop has written down, and has it carried out, on other CPUs than the traced program.

    worker = Worker("invivo-records", carry_out, stop)
    worker.capture = capture
    worker.start(cpus)                 carry_out(records) is called in batches, in the order of the stops
    worker.drain()                     everything that was written down has been carried out; from any thread
    with worker.lock: ...              nothing is carried out meanwhile

An exception in the thread ends it; it is kept in `failure`, and `stop` is called.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection

from invivo.engines.process.native.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.native.capture import Capture

__all__ = ["Worker"]

_BATCH = 256
_IDLE_S = 0.001
_SWITCH_S = 0.0005


class Worker:
    """See the module's text. `capture` is None where nothing is written down; then nothing is done."""

    def __init__(
        self, name: str, carry_out: Callable[[list[Record]], object], stop: Callable[[], object]
    ) -> None:
        self._name = name
        self._carry_out = carry_out
        self._stop = stop
        self.capture: Capture | None = None
        self.lock = threading.RLock()
        self.failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = threading.Event()
        self._is_urgent = False
        self._switch_interval = 0.0

    def start(self, cpus: Collection[int]) -> None:
        """Begin to carry out records, on these CPUs."""
        if self.capture is None or self._thread is not None:
            return
        # Signals are for the thread that waits for stops.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread = threading.Thread(target=self._work, args=(cpus,), name=self._name, daemon=True)
            self._thread.start()
            # Who waits for stops gets the interpreter back soon.
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_S)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _work(self, cpus: Collection[int]) -> None:
        with contextlib.suppress(OSError):  # it shares the program's CPU then
            os.sched_setaffinity(0, cpus)
        try:
            while not self._is_closing.is_set():
                if self._is_urgent or not self._take():
                    self._is_closing.wait(_IDLE_S)
        except Exception as error:  # the tracer's thread raises it
            self.failure = self.failure or error
            self._stop()

    def drain(self) -> None:
        """Carry out everything that has been written down."""
        if self.capture is None:
            return
        self._is_urgent = True  # else the thread would take the lock again and again
        try:
            while self._take():
                pass
        finally:
            self._is_urgent = False

    def close(self) -> None:
        """Carry out what is left, unless that has failed, and end the thread."""
        if self.failure is None:
            self.drain()
        if self._thread is not None:
            self._is_closing.set()
            self._thread.join()
            self._thread = None
            sys.setswitchinterval(self._switch_interval)

    def _take(self) -> int:
        with self.lock:
            if not self.capture:
                return 0
            records = self.capture.take(_BATCH)
            self._carry_out(records)
            return len(records)
