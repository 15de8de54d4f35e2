"""Follows processes from system call to system call, and writes what each does.

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
from collections.abc import Sequence
from typing import NamedTuple

from invivo.engines.process.pins import Pins
from invivo.engines.process.tracer import Hooks, Thread, Tracer
from invivo.linux import ptrace, seccomp, spawn
from invivo.linux.alarm import Alarm
from invivo.linux.guardian import PatchTable
from invivo.strace.calls import Call, Kind, call, numbers
from invivo.strace.flags import signal_name
from invivo.strace.lines import Lines, Stamp
from invivo.strace.summary import Summary
from invivo.strace.values import Values, is_error

__all__ = ["Request", "Strace"]

_FLUSH_NS = 100_000_000
# struct user_regs_struct: the arguments in order; offsets of the result, the code segment and the stack pointer.
_REGISTERS = struct.Struct("<27Q")
_ARGUMENTS = (14, 13, 12, 7, 9, 8)  # of these
_RESULT, _SEGMENT, _STACK, _NATIVE = 80, 136, 152, 0x33
_AT_EXECFN = 31  # include/uapi/linux/auxvec.h
_NO_CALL = -1
# si_code, include/uapi/asm-generic/siginfo.h.
_CODES = {
    0: "SI_USER", 0x80: "SI_KERNEL", -1: "SI_QUEUE", -2: "SI_TIMER", -3: "SI_MESGQ", -4: "SI_ASYNCIO", -6: "SI_TKILL",
}  # fmt: skip
_CHILD_CODES = {
    1: "CLD_EXITED", 2: "CLD_KILLED", 3: "CLD_DUMPED", 4: "CLD_TRAPPED", 5: "CLD_STOPPED", 6: "CLD_CONTINUED",
}  # fmt: skip


class Request(NamedTuple):
    """What to trace, and how it is shown.

    `command` or `pids`; `calls` are the numbers to show (None: all); `signals` likewise (None: all).
    """

    command: Sequence[str] = ()
    pids: tuple[int, ...] = ()
    calls: frozenset[int] | None = None
    signals: frozenset[int] | None = None
    follows: bool = False
    limit: int = 32
    shows_paths: bool = False
    shows_durations: bool = False
    stamp: str = ""
    counts: bool = False
    only: str = ""  # "successful" or "failed"
    pid_form: str = "[pid {:5}] "
    always_pid: bool = False
    is_pinned: bool = True  # a command shares the tracer's CPU, which is faster


class _Pending(NamedTuple):
    """A call that has not returned. `late` are the indexes of arguments that are not shown yet."""

    call: Call
    words: tuple[int, ...]
    text: str
    late: tuple[int, ...]
    start_ns: int


class Strace(Hooks):
    """See the module's text. A context manager: at its end every process runs on by itself."""

    def __init__(self, request: Request, fd: int) -> None:
        self._request = request
        self._lines = Lines(fd, Stamp(request.stamp), request.pid_form, request.always_pid)
        self.summary = Summary()
        self._tracer = Tracer(self)
        self._pending: dict[int, _Pending] = {}
        self._roots: set[int] = set()
        self._target: spawn.Target | None = None
        self._has_filter = False
        self._is_stopped = False
        self._alarm: Alarm | None = None
        self._pins = Pins(PatchTable())

    def __enter__(self) -> Strace:
        request = self._request
        try:
            if request.command:
                self._start_command()
            if (chosen := request.calls) is not None:
                wanted = chosen | self._pins.calls
                self._tracer.wants = lambda number: number in wanted
            for pid in request.pids:
                self._tracer.attach(pid)
                self._roots.add(pid)
            self._lines.shows_pids |= len(self._tracer.threads) > 1 and request.follows
        except BaseException:
            self.close()
            raise
        return self

    def _start_command(self) -> None:
        if self._request.is_pinned:
            self._pins.pin([])
        chosen = self._request.calls
        # What a program asks about its CPUs is answered as if it were not pinned.
        code = seccomp.trace_filter(None if chosen is None else chosen | self._pins.calls)
        options = ptrace.OPTIONS | ptrace.OPTION_EXITKILL
        self._target = target = spawn.spawn(
            self._request.command,
            self._roots.add,
            prepare=lambda: seccomp.install(code) or os._exit(126),
            options=options,
            is_kept=True,
        )
        self._has_filter = True
        self._tracer.adopt(target.pid, options)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let everything go. What is under a filter is stayed with until it has ended: see the manual."""
        self._is_stopped = True
        self._lines.flush()
        self._pins.unpin(self._tracer.threads)
        if self._has_filter and self._tracer.threads:
            while self._tracer.run():
                pass
        self._tracer.detach()
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
        if self._target is not None:
            if (status := self._tracer.statuses.get(self._target.pid)) is not None:
                self._target.ended(status)
            self._target.close()

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
        self._tracer.start(ptrace.PTRACE_CONT if self._has_filter else ptrace.PTRACE_SYSCALL)
        while self._tracer.run() and not self._is_stopped:
            self._lines.flush()
        self._lines.flush()
        target = self._target
        if target is None:
            return 0
        wait_status_ = self._tracer.statuses.get(target.pid)
        if wait_status_ is None:
            return 128 + signal.SIGINT
        code = os.waitstatus_to_exitcode(wait_status_)
        return code if code >= 0 else 128 - code

    # --- hooks of the tracer ------------------------------------------------------------------------------------

    def _is_shown(self, thread: Thread) -> bool:
        return not self._is_stopped and (self._request.follows or thread.tid in self._roots)

    def _is_chosen(self, number: int) -> bool:
        return self._request.calls is None or number in self._request.calls

    def _values(self, thread: Thread) -> Values:
        request = self._request
        return Values(thread.process.memory, thread.process.pid, request.limit, request.shows_paths)

    def entered(self, thread: Thread, registers: bytes) -> bool:
        if not self._is_shown(thread) or not self._is_chosen(thread.number):
            return thread.number in self._pins.calls
        number = thread.number if registers[_SEGMENT] == _NATIVE else _NO_CALL
        words = _REGISTERS.unpack(registers)
        self._begin(thread, call(number), tuple(words[index] for index in _ARGUMENTS))
        return True

    def _begin(self, thread: Thread, which: Call, words: tuple[int, ...]) -> None:
        if self._request.counts:
            self._pending[thread.tid] = _Pending(which, words, "", (), time.monotonic_ns())
            return
        values = self._values(thread)
        shown: list[str] = []
        late: list[int] = []
        for index in range(self._count(which, words)):
            # The first argument that the call fills, and all after it, wait for its return.
            text = None if late else values.argument(which, index, words)
            if text is None:
                late.append(index)
            else:
                shown.append(text)
        text = f"{which.name}({', '.join(shown)}{', ' if shown and late else ''}"
        if not self._request.only:
            self._lines.open_call(thread.tid, text)
        self._pending[thread.tid] = _Pending(which, words, text, tuple(late), time.monotonic_ns())

    @staticmethod
    def _count(which: Call, words: tuple[int, ...]) -> int:
        """How many arguments to show: a mode counts only where a file may be made, and futex(2) has its own rules."""
        count = len(which.parameters)
        if which.name == "futex":
            operation = words[1] & 0x7F
            return {0: 4, 1: 3, 6: 4, 7: 2, 8: 2, 3: 5, 13: 4}.get(operation, count)
        if count and which.parameters[-1].kind is Kind.MODE and which.name in ("open", "openat"):
            makes = words[count - 2] & (os.O_CREAT | getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)
            return count if makes else count - 1
        return count

    def returned(self, thread: Thread, registers: bytes) -> None:
        if thread.number in self._pins.calls:
            self._pins.returned(thread.tid, thread.number, registers)
        if not self._is_shown(thread):
            self._pending.pop(thread.tid, None)
            return
        result = _word(registers, _RESULT)
        result -= (result >> 63) << 64
        pending = self._pending.pop(thread.tid, None)
        if pending is None:
            if thread.number == numbers()["execve"] and thread.tid in self._roots and self._is_chosen(thread.number):
                self._first_execve(thread, registers, result)
            return
        self._finish(thread, pending, result)

    def _finish(self, thread: Thread, pending: _Pending, result: int | None) -> None:
        which = pending.call
        duration_ns = time.monotonic_ns() - pending.start_ns
        if self._request.counts:
            self.summary.add(which.name, duration_ns, result is not None and is_error(result))
            return
        has_failed = result is not None and is_error(result)
        if self._request.only:
            if (self._request.only == "failed") != has_failed:
                return
            self._lines.open_call(thread.tid, pending.text)
        values = self._values(thread)
        rest = []
        for index in pending.late:
            early = values.argument(which, index, pending.words)
            if early is not None:
                rest.append(early)
            elif result is not None:
                rest.append(values.late_argument(which, index, pending.words, result))
            else:
                rest.append(f"{pending.words[index]:#x}")
        answer = values.result(which, result) if result is not None else "?"
        if self._request.shows_durations and result is not None:
            answer += f" <{duration_ns / 1e9:.6f}>"
        self._lines.close_call(thread.tid, which.name, ", ".join(rest), answer)

    def _first_execve(self, thread: Thread, registers: bytes, result: int) -> None:
        """The command's own beginning: its arguments lie where the kernel has put them for the new program.

        At %rsp: their number, the arguments, NULL, the environment, NULL, and the auxiliary vector (getauxval(3)).
        """
        if self._request.counts:
            self.summary.add("execve", 0, False)
            return
        values = self._values(thread)
        stack = _word(registers, _STACK)
        count = int.from_bytes(values.read(stack, 8), "little")
        path = _auxiliary(thread.process.pid, _AT_EXECFN)
        which = call(numbers()["execve"])
        words = (path, stack + 8, stack + 8 * (count + 2), 0, 0, 0)
        self._begin(thread, which, words)
        self._finish(thread, self._pending.pop(thread.tid), result)

    def forked(self, thread: Thread, child: Thread) -> None:
        if self._request.follows and not self._request.counts and not self._is_stopped:
            self._lines.shows_pids = True
            self._lines.notice(f"invivo strace: {'Process' if child.process is not thread.process else 'Thread'} "
                               f"{child.tid} attached")

    def born(self, thread: Thread) -> None:
        pass

    def executed(self, thread: Thread, former: int) -> None:
        """The call returns in the thread that has the process's number now."""
        for tid in [tid for tid in self._pending if tid not in self._tracer.threads and tid != former]:
            del self._pending[tid]
        if former != thread.tid and former in self._pending:
            self._pending[thread.tid] = self._pending.pop(former)

    def exiting(self, thread: Thread, status: int) -> None:
        pending = self._pending.pop(thread.tid, None)
        if not self._is_shown(thread):
            return
        if pending is not None:
            self._finish(thread, pending, None)
        if self._request.counts:
            return
        if status & 0x7F:
            core = " (core dumped)" if status & 0x80 else ""
            self._lines.line(thread.tid, f"+++ killed by {signal_name(status & 0x7F)}{core} +++")
        else:
            self._lines.line(thread.tid, f"+++ exited with {status >> 8 & 0xFF} +++")

    def gone(self, thread: Thread) -> None:
        self._pending.pop(thread.tid, None)

    def signalled(self, thread: Thread, number: int) -> int:
        wanted = self._request.signals
        if self._is_shown(thread) and not self._request.counts and (wanted is None or number in wanted):
            self._lines.line(thread.tid, f"--- {signal_name(number)} {self._signal(thread, number)} ---")
        return number

    @staticmethod
    def _signal(thread: Thread, number: int) -> str:
        info = ptrace.signal_info(thread.tid)
        if info is None:
            return "{}"
        names = _CHILD_CODES if number == signal.SIGCHLD and info.code > 0 else _CODES
        code = names.get(info.code, str(info.code))
        sender = f", si_pid={info.sender}" if info.code <= 0 or number == signal.SIGCHLD else ""
        return f"{{si_signo={signal_name(number)}, si_code={code}{sender}}}"

    def interrupted(self, thread: Thread) -> None:
        pass


def _word(registers: bytes, at: int) -> int:
    return int.from_bytes(registers[at : at + 8], "little")


def _auxiliary(pid: int, key: int) -> int:
    """A value of a process's auxiliary vector, 0 if it has none."""
    try:
        with open(f"/proc/{pid}/auxv", "rb") as stream:
            data = stream.read()
    except OSError:
        return 0
    pairs: dict[int, int] = dict(struct.iter_unpack("<QQ", data[: len(data) // 16 * 16]))
    return pairs.get(key, 0)
