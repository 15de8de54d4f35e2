"""Follows processes from system call to system call by ptrace(2), and tells a Printer what each does.

    with Strace(Request(command=["ls"], calls=frozenset({0, 1})), fd=2) as tracer:
        status = tracer.run()

Only the calls that are asked for stop a command: a seccomp filter is installed before it begins. A process that runs
already (`pid`) has no filter, and stops at every call. Source: ptrace(2), strace(1).
"""

from __future__ import annotations

import os
import signal
import struct
import time
from contextlib import AbstractContextManager, nullcontext

from invivo.engines.process.hold import spawn_filtered
from invivo.engines.process.native.capture import Capture
from invivo.engines.process.pins import Pins
from invivo.engines.process.tracer import Hooks, Thread, Tracer
from invivo.linux import ptrace, spawn
from invivo.linux.alarm import Alarm
from invivo.linux.guardian import PatchTable
from invivo.linux.quiet_stops import QuietStops
from invivo.strace.calls import numbers
from invivo.strace.first import first_execve
from invivo.strace.frame import Captured
from invivo.strace.printer import Printer, Request
from invivo.strace.recorder import Recorder
from invivo.strace.stacks import Stacks
from invivo.strace.summary import Summary
from invivo.strace.tamper import Tamperer

__all__ = ["Strace"]

_FLUSH_NS = 100_000_000
_SOON_NS = 20_000
# struct user_regs_struct: the arguments in order; offsets of the result, the code segment and the stack pointer.
_REGISTERS = struct.Struct("<27Q")
_ARGUMENTS = (14, 13, 12, 7, 9, 8)  # of these
_RESULT, _PLACE, _SEGMENT, _STACK, _NATIVE = 80, 128, 136, 152, 0x33
_NO_CALL = -1
_NOTHING = Captured()


class Strace(Hooks):
    """See the module's text. A context manager: at its end every process runs on by itself."""

    def __init__(self, request: Request, fd: int) -> None:
        self._request = request
        self._stacks = Stacks() if request.stacks else None
        self._printer = Printer(request, fd, self._stack if request.stacks else None)
        self._lock: AbstractContextManager[object] = nullcontext()
        self._recorder: Recorder | None = None
        self._tracer = Tracer(self)
        self._roots: set[int] = set()
        self._target: spawn.Target | None = None
        self._has_filter = False
        self._is_stopped = False
        self._alarm: Alarm | None = None
        self._quiet: QuietStops | None = None
        self._has_delays = False
        self._tamperer = Tamperer(request.injections, self._delay)
        self._pins = Pins(PatchTable())

    def __enter__(self) -> Strace:
        request = self._request
        try:
            if request.command and request.is_pinned:
                self._pins.pin([])
            self._record()
            if request.command:
                self._start_command()
            if (chosen := self._stopping()) is not None:
                wanted = chosen | self._pins.calls
                self._tracer.wants = lambda number: number in wanted
            for pid in request.pids:
                self._tracer.attach(pid)
                self._roots.add(pid)
            self._printer.shows_pids |= len(self._tracer.threads) > 1 and request.follows
        except BaseException:
            self.close()
            raise
        return self

    def _stopping(self) -> frozenset[int] | None:
        """The calls at which a process stops: those that are shown, and those that are tampered with (None: all)."""
        chosen = self._request.calls
        for injection in self._request.injections:
            if chosen is None or injection.calls is None:
                return None
            chosen |= injection.calls
        return chosen

    def _record(self) -> None:
        """Let a loop in machine code write the calls down, where there is one and nobody wants the process to wait."""
        request = self._request
        waits = request.paths or request.stacks or request.only_paths or request.injections
        if waits or request.dumps_read or request.dumps_written or not Capture.is_possible():
            return
        chosen = request.calls if request.calls is not None else frozenset(numbers().values())
        recorder = self._recorder = Recorder(self._printer, chosen, self._pins.calls, self._is_of_interest)
        self._lock = recorder.lock
        self._tracer = Tracer(self, recorder.capture, recorder.drain)

    def _start_command(self) -> None:
        chosen = self._stopping()
        # What a program asks about its CPUs is answered as if it were not pinned.
        numbers_ = None if chosen is None else chosen | self._pins.calls
        self._target = target = spawn_filtered(self._request.command, numbers_, self._roots.add)
        self._has_filter = True
        self._tracer.adopt(target.pid, ptrace.OPTIONS | ptrace.OPTION_EXITKILL)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let everything go. What is under a filter is stayed with until it has ended: see the manual."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder.capture.silence()  # what goes on under its filter goes on unseen
        self._is_stopped = True
        self._printer.flush()
        self._pins.unpin(self._tracer.threads)
        self._tracer.end_delays()
        if self._has_filter and self._tracer.threads:
            while self._tracer.run():
                pass
        self._tracer.detach()
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
        if self._quiet is not None:
            self._quiet.close()
            self._quiet = None
        if self._target is not None:
            if (status := self._tracer.statuses.get(self._target.pid)) is not None:
                self._target.ended(status)
            self._target.close()

    @property
    def summary(self) -> Summary:
        """The counts of -c."""
        return self._printer.summary

    def stop(self) -> None:
        """Show no more, soon; may be called by a signal handler."""
        self._is_stopped = True
        self._tracer.should_stop = True

    def run(self) -> int:
        """Trace until all has ended, or stop().

        Returns:
            The command's exit status, 128 and more for the signal that killed it; 0 for processes that ran already.
        """
        self._alarm = Alarm(_FLUSH_NS)
        self._quiet = QuietStops()
        if self._recorder is not None:
            self._recorder.start(self._pins.others)
        self._tracer.start(ptrace.PTRACE_CONT if self._has_filter else ptrace.PTRACE_SYSCALL)
        while self._tracer.run() and not self._is_stopped:
            self._flush()
            if self._has_delays:
                self._set_alarm()
        if self._recorder is not None:
            self._recorder.close()
        self._flush()
        target = self._target
        if target is None:
            return 0
        wait_status_ = self._tracer.statuses.get(target.pid)
        if wait_status_ is None:
            return 128 + signal.SIGINT
        code = os.waitstatus_to_exitcode(wait_status_)
        return code if code >= 0 else 128 - code

    def _delay(self, thread: Thread, nanoseconds: int) -> None:
        self._tracer.delay(thread, nanoseconds)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Wake when a thread that is held goes on."""
        shortest = self._tracer.shortest_delay_ns
        self._has_delays = shortest is not None
        if self._alarm is not None:
            self._alarm.set(_FLUSH_NS if shortest is None else min(max(shortest, _SOON_NS), _FLUSH_NS))

    def _stack(self, tid: int) -> list[str]:
        """The stack of a thread that stands still, as lines."""
        thread, stacks = self._tracer.threads.get(tid), self._stacks
        registers = ptrace.read_registers(tid)
        if thread is None or stacks is None or registers is None:
            return []
        return stacks.lines(thread, registers)

    def _flush(self) -> None:
        if self._recorder is not None and self._recorder.failure is not None:
            raise self._recorder.failure
        with self._lock:
            self._printer.flush()

    # --- hooks of the tracer ------------------------------------------------------------------------------------

    def _is_of_interest(self, tid: int) -> bool:
        return not self._is_stopped and (self._request.follows or tid in self._roots)

    def _is_shown(self, thread: Thread) -> bool:
        return self._is_of_interest(thread.tid)

    def _is_chosen(self, number: int) -> bool:
        return self._request.calls is None or number in self._request.calls

    def entered(self, thread: Thread, registers: bytes) -> bool:
        if not self._is_of_interest(thread.tid):
            return thread.number in self._pins.calls
        words = _REGISTERS.unpack(registers)
        process = thread.process
        arguments = tuple(words[index] for index in _ARGUMENTS)
        number = thread.number if registers[_SEGMENT] == _NATIVE else _NO_CALL
        is_tampered = (
            number != _NO_CALL
            and bool(self._request.injections)
            and self._printer.concerns(thread.tid, process.pid, number, arguments, process.memory)
            and self._tamperer.entered(thread, registers)
        )
        if not self._is_chosen(thread.number):
            return is_tampered or thread.number in self._pins.calls
        now, stack = time.monotonic_ns(), words[_STACK // 8]
        with self._lock:
            self._printer.begin(
                thread.tid, process.pid, number, arguments, process.memory, now, stack, words[_PLACE // 8]
            )
        return True

    def returned(self, thread: Thread, registers: bytes) -> None:
        if thread.number in self._pins.calls:
            self._pins.returned(thread.tid, thread.number, registers)
        registers, remark = self._tamperer.returned(thread, registers)
        with self._lock:
            self._shown_return(thread, registers, remark)
        self._tamperer.late(thread)

    def _shown_return(self, thread: Thread, registers: bytes, remark: str) -> None:
        if not self._is_shown(thread):
            self._printer.gone(thread.tid)
            return
        result = _word(registers, _RESULT)
        result -= (result >> 63) << 64
        if self._printer.is_in_call(thread.tid):
            self._printer.end(thread.tid, result, thread.process.memory, time.monotonic_ns(), remark)
        elif thread.number == numbers()["execve"] and thread.tid in self._roots and self._is_chosen(thread.number):
            self._first_execve(thread, registers, result)

    def _first_execve(self, thread: Thread, registers: bytes, result: int) -> None:
        """The command's own beginning. Another program runs it if it is a script: its stack has more arguments."""
        words, memory = first_execve(self._request.command, _word(registers, _STACK))
        now = time.monotonic_ns()
        self._printer.whole(thread.tid, thread.process.pid, thread.number, words, result, memory, (now, now))

    def forked(self, thread: Thread, child: Thread) -> None:
        if self._request.follows and not self._is_stopped:
            with self._lock:
                self._printer.attached(child.tid, child.process is not thread.process)

    def born(self, thread: Thread) -> None:
        pass

    def executed(self, thread: Thread, former: int) -> None:
        """The call returns in the thread that has the process's number now."""
        if self._stacks is not None:
            self._stacks.executed(thread.process.pid)
        with self._lock:
            self._printer.executed(thread.tid, former)

    def exiting(self, thread: Thread, status: int) -> None:
        with self._lock:
            self._printer.exited(thread.tid, status, _NOTHING, time.monotonic_ns(), self._is_shown(thread))

    def gone(self, thread: Thread) -> None:
        with self._lock:
            self._printer.gone(thread.tid)
            self._tamperer.gone(thread.tid)
            if self._recorder is not None:
                self._recorder.gone(thread.tid)

    def signalled(self, thread: Thread, number: int) -> int:
        if self._is_shown(thread):
            with self._lock:
                self._printer.signalled(thread.tid, number, ptrace.read_siginfo(thread.tid), time.monotonic_ns())
        return number

    def interrupted(self, thread: Thread) -> None:
        pass


def _word(registers: bytes, at: int) -> int:
    return int.from_bytes(registers[at : at + 8], "little")
