"""From stops to firings, in the order of the stops: those that Python sees at once, and those that were written down.

    evaluation = Evaluation(reference, facts, stop)
    evaluation.capture = capture                what the loop writes down is carried out here, by a thread of its own
    evaluation.start(cpus)
    evaluation.fire(point, None, world)         first everything that was written down before

The thread runs on other CPUs than the traced program where there are others: a stop costs the program no more than the
writing. Whoever else wants the reference engine's state takes `lock`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection

from invivo.engines.process.native.records import Kind, Record
from invivo.engines.process.world import Facts, RecordWorld
from invivo.engines.reference import ReferenceEngine, World
from invivo.program.attach import AttachPoint, RawTracepoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.native.capture import Capture

__all__ = ["ENTER", "EXIT", "Evaluation"]

ENTER, EXIT = RawTracepoint("sys_enter"), RawTracepoint("sys_exit")

_BATCH = 128
_IDLE_S = 0.001
_SWITCH_S = 0.0005


class Evaluation:
    """See the module's text. `stop` is called, from any thread, when nothing more is to be carried out: exit() was
    called, or a firing raised what no clause may, which is in `failure`."""

    def __init__(self, reference: ReferenceEngine, facts: Facts, stop: Callable[[], None]) -> None:
        self._reference = reference
        self._stop = stop
        self._world = RecordWorld(facts)
        self.lock = threading.RLock()
        self.capture: Capture | None = None
        self.failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = threading.Event()
        self._is_urgent = False
        self._switch_interval = 0.0

    # --- the thread ---------------------------------------------------------------------------------------------

    def start(self, cpus: Collection[int]) -> None:
        """Begin to carry out records, on these CPUs."""
        if self.capture is None or self._thread is not None:
            return
        # Signals are for the thread that waits for stops.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread = threading.Thread(target=self._work, args=(cpus,), name="invivo-records", daemon=True)
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
                if self._is_urgent or not self._take_locked(_BATCH):
                    self._is_closing.wait(_IDLE_S)
        except Exception as error:  # run() raises it
            self.failure = self.failure or error
            self._stop()

    def close(self) -> None:
        """Carry out what is left, and end the thread."""
        self.drain()
        if self._thread is not None:
            self._is_closing.set()
            self._thread.join()
            self._thread = None
            sys.setswitchinterval(self._switch_interval)

    # --- firing -------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Carry out everything that has been written down."""
        if self.capture is None:
            return
        self._is_urgent = True  # else the thread would take the lock again and again
        try:
            while self._take_locked(_BATCH):
                pass
        finally:
            self._is_urgent = False

    def _take_locked(self, most: int) -> int:
        with self.lock:
            if not self.capture:
                return 0
            records = self.capture.take(most)
            for record in records:
                self._carry_out(record)
            return len(records)

    def _carry_out(self, record: Record) -> None:
        world, reference = self._world, self._reference
        world.show(record)
        try:
            if record.kind == Kind.ENTRY:
                world.words = (Facts.REGISTERS, record.number)
                reference.fire_selected(ENTER, record.number, world)
            else:
                world.words = (Facts.REGISTERS, record.result)
                reference.fire_selected(EXIT, record.number, world)
        except Exception as error:
            self._fail(error)
        if reference.exit_code is not None:
            self._stop()

    def fire(self, point: AttachPoint, number: int | None, world: World) -> None:
        """Carry out what happens at an attach point; with `number`, what its selectors choose by that."""
        self.drain()
        reference = self._reference
        with self.lock:
            try:
                if number is None:
                    reference.fire(point, world)
                else:
                    reference.fire_selected(point, number, world)
            except Exception as error:
                self._fail(error)
            if reference.exit_code is not None:
                self._stop()

    def _fail(self, error: Exception) -> None:
        """Keep what went wrong for the thread that waits for stops, which must go on meanwhile."""
        self.failure = self.failure or error
        self._reference.disable()
        self._stop()
