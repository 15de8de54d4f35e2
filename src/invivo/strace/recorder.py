"""Calls written down by the process engine's loop in machine code, and shown by another thread on another CPU.

    recorder = Recorder(printer, numbers, handed=frozenset({59}), is_shown=lambda tid: True)
    Tracer(hooks, recorder.capture, recorder.drain)
    recorder.start(cpus)                 the traced threads go on as soon as a stop is written down
    with recorder.lock: ...              whoever else tells the printer something, after drain()

What memory to read comes with each call's renderer; calls whose arguments lead from memory to memory are handed to the
tracer's hooks, as are those in `handed`. Nothing is lost: where the ring is full, the traced threads wait.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Collection, Iterable

from invivo.engines.process.native.capture import Capture
from invivo.engines.process.native.records import Kind, Recipe, Record
from invivo.strace.calls import numbers as _numbers
from invivo.strace.frame import Captured
from invivo.strace.pieces import MASK_IN_FRAME, RESULT
from invivo.strace.pieces import Capture as Wanted
from invivo.strace.printer import Printer
from invivo.strace.render import renderer_of

__all__ = ["Recorder"]

_BATCH = 256
_NOTHING = Captured()
_IDLE_S = 0.001
_SWITCH_S = 0.0005
_RING_BYTES = 64 << 20
_REGISTERS = ("di", "si", "dx", "r10", "r8", "r9", "ax")
# What a record has of a call's registers: six arguments, the result, ip and sp.
_BRIEF = struct.Struct("<6QqQQ")


class Recorder:
    """See the module's text. `numbers` are the calls to show, `is_shown` tells which threads'."""

    def __init__(
        self, printer: Printer, numbers: Iterable[int], handed: Collection[int], is_shown: Callable[[int], bool]
    ) -> None:
        shown = printer.request.limit + 1
        entries: dict[int, list[Recipe]] = {}
        returns: dict[int, list[Recipe]] = {}
        left = {*handed, _numbers()["execve"]}  # the command's own begins before there is anybody to record it
        for number in numbers:
            captures: tuple[Wanted, ...] | None = () if printer.request.counts else renderer_of(number).captures
            if captures is None:
                left.add(number)
            if captures is None or number in left:
                continue
            entries[number] = [_recipe(item, shown) for item in captures if not item.at_return and item.size]
            returns[number] = [_recipe(item, shown) for item in captures if item.at_return and item.size]
        self.handed = frozenset(left)
        self.capture = Capture(
            entries, returns, handed_entries=self.handed, handed_returns=self.handed,
            ring_bytes=_RING_BYTES,
        )  # fmt: skip
        self.lock = threading.RLock()
        self.failure: Exception | None = None
        self._printer = printer
        self._is_shown = is_shown
        self._begun: dict[int, dict[int, bytes]] = {}
        self._thread: threading.Thread | None = None
        self._is_closing = threading.Event()
        self._is_urgent = False
        self._switch_interval = 0.0

    # --- the thread ---------------------------------------------------------------------------------------------

    def start(self, cpus: Collection[int]) -> None:
        """Begin to show what is written down, on these CPUs."""
        # Signals are for the thread that waits for stops.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread = threading.Thread(target=self._work, args=(cpus,), name="invivo-lines", daemon=True)
            self._thread.start()
            # Who waits for stops gets the interpreter back soon.
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_S)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _work(self, cpus: Collection[int]) -> None:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cpus)
        try:
            while not self._is_closing.is_set():
                if self._is_urgent or not self._take(_BATCH):
                    self._is_closing.wait(_IDLE_S)
        except Exception as error:  # the tracer's thread raises it
            self.failure = self.failure or error
            self.capture.interrupt()

    def close(self) -> None:
        """Show what is left, and end the thread."""
        if self.failure is None:
            self.drain()
        if self._thread is not None:
            self._is_closing.set()
            self._thread.join()
            self._thread = None
            sys.setswitchinterval(self._switch_interval)

    def drain(self) -> None:
        """Show everything that has been written down."""
        self._is_urgent = True  # else the thread would take the lock again and again
        try:
            while self._take(_BATCH):
                pass
        finally:
            self._is_urgent = False

    def _take(self, most: int) -> int:
        with self.lock:
            if not self.capture:
                return 0
            records = self.capture.take(most)
            for record in records:
                self._show(record)
            return len(records)

    # --- records ------------------------------------------------------------------------------------------------

    def _show(self, record: Record) -> None:
        tid = record.tid
        if not self._is_shown(tid):
            return
        words = _BRIEF.unpack(record.raw)
        pieces = record.pieces
        if record.kind == Kind.ENTRY:
            source = _NOTHING
            if pieces:
                data = self._begun[tid] = {piece.address: piece.data for piece in pieces if piece.data is not None}
                source = Captured(data)
            self._printer.begin(tid, record.pid, record.number, words, source, record.time_ns, words[8], words[7])
        else:
            data = self._begun.pop(tid, {})
            if pieces:
                data.update((piece.address, piece.data) for piece in pieces if piece.data is not None)
            self._printer.end(tid, words[6], Captured(data) if data else _NOTHING, record.time_ns)

    def gone(self, tid: int) -> None:
        """The thread has ended."""
        self._begun.pop(tid, None)


def _recipe(wanted: Wanted, shown: int) -> Recipe:
    if wanted.argument < 0:
        return Recipe.bytes("sp", wanted.size, displacement=MASK_IN_FRAME)
    register = _REGISTERS[wanted.argument]
    if wanted.is_string:
        return Recipe.string(register, wanted.size)
    size = shown if wanted.size < 0 else wanted.size
    if wanted.times < 0 or wanted.unit != 1:
        return Recipe.bytes(register, size)
    length = "ax" if wanted.times == RESULT else _REGISTERS[wanted.times]
    return Recipe.bytes(register, size, length=length)
