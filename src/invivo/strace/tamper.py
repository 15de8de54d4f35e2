"""Carries injections out on threads that stand still at a system call.

    tamperer.entered(thread, registers)              before the call: it is taken away, delayed; a signal is sent
    registers, remark = tamperer.returned(thread, registers)       after it: the answer is put in, " (INJECTED)"

A call is taken away by number -1, which the kernel answers by ENOSYS. `delay` holds one thread in its stop, while all
others go on. Source: ptrace(2), strace(1).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from invivo.engines.process.threads import Thread
from invivo.errors import KernelError
from invivo.linux import ptrace, syscalls
from invivo.strace.injection import Injection

__all__ = ["Tamperer"]

_ANSWER, _NUMBER = 80, 120  # ax and orig_ax in struct user_regs_struct
_NONE = (1 << 64) - 1
_WORD = 1 << 64


class Tamperer:
    """See the module's text."""

    def __init__(self, injections: Sequence[Injection], delay: Callable[[Thread, int], object]) -> None:
        self._injections = injections
        self._delay = delay
        self._counts: dict[int, list[int]] = {}  # by thread, of each injection
        self._current: dict[int, list[Injection]] = {}  # by thread: those of its call

    def entered(self, thread: Thread, registers: bytes) -> bool:
        """A call begins. Whether its return is wanted."""
        if not self._injections:
            return False
        counts = self._counts.setdefault(thread.tid, [0] * len(self._injections))
        found = []
        for place, injection in enumerate(self._injections):
            if injection.calls is None or thread.number in injection.calls:
                counts[place] += 1
                if injection.applies(thread.number, counts[place]):
                    found.append(injection)
        if not found:
            return False
        self._current[thread.tid] = found
        for injection in found:
            if injection.enter_ns:
                self._delay(thread, injection.enter_ns)
            if injection.signal:
                with contextlib.suppress(KernelError):
                    syscalls.tgkill(thread.process.pid, thread.tid, injection.signal)
        if any(injection.answer is not None for injection in found):
            ptrace.write_registers(thread.tid, _with(registers, _NUMBER, _NONE))
        return True

    def returned(self, thread: Thread, registers: bytes) -> tuple[bytes, str]:
        """A call has returned: the registers that the process finds, and what the line says of it."""
        found = self._current.get(thread.tid)
        if found is None:
            return registers, ""
        remark = ""
        for injection in found:
            if injection.answer is not None:
                registers = _with(registers, _ANSWER, injection.answer % _WORD)
                registers = _with(registers, _NUMBER, thread.number)
                ptrace.write_registers(thread.tid, registers)
                remark = " (INJECTED)"
        delayed = any(injection.enter_ns or injection.exit_ns for injection in found)
        return registers, remark or (" (DELAYED)" if delayed else "")

    def late(self, thread: Thread) -> None:
        """The line is made: hold the thread, if that is asked for."""
        for injection in self._current.pop(thread.tid, ()):
            if injection.exit_ns:
                self._delay(thread, injection.exit_ns)

    def gone(self, tid: int) -> None:
        """The thread is no more."""
        self._counts.pop(tid, None)
        self._current.pop(tid, None)


def _with(registers: bytes, at: int, word: int) -> bytes:
    return registers[:at] + word.to_bytes(8, "little") + registers[at + 8 :]
