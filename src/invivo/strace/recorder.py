"""Calls written down by the process engine's loop in machine code, and shown by another thread on another CPU.

    recorder = Recorder(printer, numbers, handed=frozenset({59}), is_shown=lambda tid: True)
    Tracer(hooks, recorder.capture, recorder.drain)
    recorder.start(cpus)                 the traced threads go on as soon as a stop is written down
    with recorder.lock: ...              whoever else tells the printer something, after drain()

What memory to read comes with each call's renderer; calls whose arguments lead from memory to memory are handed to the
tracer's hooks, as are those in `handed`. Nothing is lost: where the ring is full, the traced threads wait.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable

from invivo.engines.process.native.capture import Capture
from invivo.engines.process.native.records import Kind, Recipe, Record
from invivo.engines.process.native.worker import Worker
from invivo.strace.calls import numbers as _numbers
from invivo.strace.frame import Captured
from invivo.strace.pieces import MASK_IN_FRAME, RESULT
from invivo.strace.pieces import Capture as Wanted
from invivo.strace.printer import Printer
from invivo.strace.render import renderer_of

__all__ = ["Recorder"]

_NOTHING = Captured()
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
        self._worker = Worker("invivo-lines", self._show_all, self.capture.interrupt)
        self._worker.capture = self.capture
        self.lock = self._worker.lock
        self.start = self._worker.start
        self.drain = self._worker.drain
        self.close = self._worker.close
        self._printer = printer
        self._is_shown = is_shown
        self._begun: dict[int, dict[int, bytes]] = {}

    @property
    def failure(self) -> Exception | None:
        """What went wrong in the thread; the tracer's raises it."""
        return self._worker.failure

    # --- records ------------------------------------------------------------------------------------------------

    def _show_all(self, records: list[Record]) -> None:
        for record in records:
            self._show(record)

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
