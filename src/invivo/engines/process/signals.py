"""Signals of traced processes, as the kernel's tracepoints tell them: sent, discarded, handled.

    signals = Signals(points, objects, fire)
    signals.entered(thread, registers)          a system call that sends: to whom, and whether they would ignore it
    signals.returned(thread, registers)         it has not failed: signal_generate, for each of them
    signals.delivered(thread, number)           signal_deliver, where a handler of the program's is about to run

A signal that the kernel itself sends (a fault, a timer, a child's end) is generated where it is seen first. What
somebody sends who is not traced is only seen to be handled. Where a handler lies is not told by /proc: the thread is
let into it, by a single step that carries out no instruction. Source: kernel/signal.c, include/trace/events/signal.h.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Collection, Iterator

from invivo.engines.process.threads import Thread
from invivo.linux import procfs, ptrace
from invivo.program.attach import AttachPoint, RawTracepoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.objects import KernelObjects
    from invivo.engines.process.tracer import Tracer

__all__ = ["HANDLED", "SENT", "Signals"]

SENT, HANDLED = RawTracepoint("signal_generate"), RawTracepoint("signal_deliver")

# Where the arguments of the calls that send lie: (the process or thread, the signal), x86-64.
_KILL, _TKILL, _SIGQUEUE, _TGKILL, _TGSIGQUEUE, _PIDFD = 62, 200, 129, 234, 297, 424
_CALLS = {_KILL: (0, 1), _TKILL: (0, 1), _SIGQUEUE: (0, 1), _TGKILL: (1, 2), _TGSIGQUEUE: (1, 2), _PIDFD: (0, 1)}
_OF_PROCESSES = (_KILL, _SIGQUEUE, _PIDFD)
_ARGUMENTS = (112, 104, 96)  # di, si, dx in struct user_regs_struct
_RESULT, _IP = 80, 128
_DELIVERED, _IGNORED, _PENDING = 0, 1, 2  # enum trace_signal_*
_IGNORED_BY_DEFAULT = frozenset(map(int, (signal.SIGCONT, signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG)))
_STOPPED = 0x7F
_SI_KERNEL = 0x80
_Fire = Callable[..., None]


class Signals:
    """See the module's text. `fire(point, thread, *words, registers=...)` carries out what is planted at a point."""

    def __init__(self, points: Collection[AttachPoint], objects: KernelObjects, fire: _Fire) -> None:
        self._objects = objects
        self._fire = fire
        self._sends, self._handles = SENT in points, HANDLED in points
        self.calls: frozenset[int] = frozenset(_CALLS) if self._sends else frozenset()
        self._sending: dict[int, tuple[Thread, int, list[tuple[int, int]]]] = {}  # by thread: signal, (target, result)

    def __bool__(self) -> bool:
        return self._sends or self._handles

    # --- sending ------------------------------------------------------------------------------------------------

    def entered(self, thread: Thread, registers: bytes) -> None:
        """A system call of `calls` begins."""
        to, which = (_argument(registers, index) for index in _CALLS[thread.number])
        if 0 < which <= 64:
            is_shared = thread.number in _OF_PROCESSES
            targets = [(tid, _fate(tid, which, is_shared)) for tid in _targets(thread, thread.number, to)]
            self._sending[thread.tid] = thread, which, targets

    def returned(self, thread: Thread, registers: bytes) -> None:
        """It has ended."""
        if registers[_RESULT : _RESULT + 8] == bytes(8):
            self._sent(thread.tid, registers)
        self._sending.pop(thread.tid, None)

    def _sent(self, tid: int, registers: bytes) -> None:
        found = self._sending.pop(tid, None)
        if found is not None:
            thread, which, targets = found
            for target, result in targets:
                self._fire(SENT, thread, which, 0, self._objects.task(target), 0, result, registers=registers)

    def child_ended(self, thread: Thread, parent: int) -> None:
        """The last thread of a process ends: its parent is told, in this thread."""
        if self._sends:
            number = int(signal.SIGCHLD)
            self._fire(SENT, thread, number, 0, self._objects.task(parent), 1, _fate(parent, number, True))

    # --- delivery -----------------------------------------------------------------------------------------------

    def delivered(self, thread: Thread, number: int, tracer: Tracer) -> int:
        """A signal is about to be delivered; the signal that is still to be delivered."""
        data = ptrace.read_siginfo(thread.tid)
        if data is None:
            return number
        _, _, code, _, sender = struct.unpack_from("<iiiii", data)
        if self._sends:
            if code <= 0:  # by a system call, whose return may not have been seen yet
                for tid in [tid for tid, (by, *_) in self._sending.items() if by.process.pid == sender]:
                    self._sent(tid, ptrace.read_registers(tid) or b"")
            elif number not in (signal.SIGCHLD, signal.SIGTRAP):
                self._fire(SENT, thread, number, 0, self._objects.task(thread.tid), 0, _DELIVERED)
        if self._handles and _mask(thread.tid, "SigCgt") >> (number - 1) & 1:
            return self._handle(thread, number, data, tracer)
        return number

    def _handle(self, thread: Thread, number: int, info: bytes, tracer: Tracer) -> int:
        """Let the thread into its handler."""
        tid = thread.tid
        before = ptrace.read_registers(tid)
        if before is None or not ptrace.resume(ptrace.PTRACE_SINGLESTEP, tid, number):
            return number
        thread.is_stopped = False
        status = ptrace.wait_for(tid)
        if status is None:
            return 0
        if status & 0xFF == _STOPPED and status >> 8 == signal.SIGTRAP:
            thread.is_stopped = True
            after = ptrace.read_registers(tid)
            if after is not None:
                self._objects.handlers[number] = int.from_bytes(after[_IP : _IP + 8], "little")
                words = number, self._objects.place(info), self._objects.address("k_sigaction", number)
                self._fire(HANDLED, thread, *words, registers=before)
            return 0
        tracer.dispatch(tid, status)  # something else came first
        return 0


def _argument(registers: bytes, index: int) -> int:
    at = _ARGUMENTS[index]
    return int.from_bytes(registers[at : at + 4], "little", signed=True)


def _targets(thread: Thread, number: int, to: int) -> Iterator[int]:
    """The processes, or the thread, that a call sends to."""
    own = thread.process.pid
    if number == _PIDFD:
        to = _pid_of(own, to)
    if number != _KILL or to > 0:
        if to > 0:
            yield to
        return
    group = _group(own) if to == 0 else -to
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) > 1 and (_group(int(name)) == group if to != -1 else int(name) != own):
            yield int(name)


def _group(pid: int) -> int:
    fields = procfs.stat(pid)
    return int(fields[2]) if len(fields) > 2 else 0


def _pid_of(pid: int, fd: int) -> int:
    """The process behind a pidfd of another process."""
    try:
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as stream:
            return next((int(line.split()[1]) for line in stream if line.startswith("Pid:")), 0)
    except (OSError, ValueError):
        return 0


def _fate(tid: int, number: int, is_shared: bool) -> int:
    """What becomes of a signal that is sent now, were its target not traced."""
    bit = 1 << (number - 1)
    if number < 32 and _mask(tid, "ShdPnd" if is_shared else "SigPnd") & bit:
        return _PENDING
    if _mask(tid, "SigBlk") & bit or number == signal.SIGKILL:
        return _DELIVERED
    is_default = not (_mask(tid, "SigCgt") | _mask(tid, "SigIgn")) & bit
    ignores = _mask(tid, "SigIgn") & bit or (is_default and number in _IGNORED_BY_DEFAULT)
    return _IGNORED if ignores else _DELIVERED


def _mask(tid: int, name: str) -> int:
    try:
        return int(procfs.status(tid).get(name, "0"), 16)
    except ValueError:
        return 0
