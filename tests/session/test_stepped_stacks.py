"""User stacks at each instruction of a program, beside another unwinder's at the same place.

The program is stepped through by ptrace(2). Each step ends in a SIGTRAP, which the kernel makes in the program's own
context (tracepoint signal:signal_generate): there a D program takes its stack. The step over, elfutils' library and
the process engine unwind the stopped thread. An instruction that is met again is looked at twice. One program's way
leads through lazy binding, thread creation, sorting, and throwing, catching and throwing again through 20 frames; the
other's through handlers of signals, the vDSO, callbacks, frames without a fixed size, and longjmp.

Where libgcc has begun to put the handler's registers in place of its own, and until it jumps there, no unwind
information is true: all three find the same broken stack there. And nine instructions of longjmp say that the caller's
registers are in three others, for which our rules have no room.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import invivo
from invivo.consumer.records import Stack
from invivo.engines.process.threads import Process, Thread
from invivo.engines.process.unwind import Unwinder
from invivo.linux import ptrace
from invivo.symbols.normalize import AddressSpaces
from tests import elfutils
from tests.support import TESTS

pytestmark = [pytest.mark.kernel, pytest.mark.process]

LOOKS = 2  # at each instruction
FRAMES = 127
_IP = 16  # the place of rip in struct user_regs_struct
_SI_CODE = 8  # in siginfo_t
_LONGJMP, _LONGJMP_SIZE = 9, 32  # instructions, and bytes between the first and the last
_NO_CODE = 1 << 16  # no mapping lies below
PROGRAM = (
    "int seen[uint64_t]; sdt:signal::signal_generate /pid == $target && args[0] == 5"  # SIGTRAP
    f" && seen[uregs[R_RIP]] < {LOOKS}/ {{ seen[uregs[R_RIP]]++; ustack({FRAMES}); }}"
)


class Look(NamedTuple):
    """One moment's stack, by the process engine and by elfutils."""

    by_process_engine: list[int]
    by_elfutils: list[int]


def steps(pid: int) -> Iterator[int]:
    """Step a stopped process to its end; yields the address that it is stopped at."""
    ptrace.seize(pid, 0)
    _, status = ptrace.wait_any()  # that it is stopped
    os.kill(pid, signal.SIGCONT)
    while os.WIFSTOPPED(status):
        stopped_by = os.WSTOPSIG(status)
        is_signal = status >> 16 == 0 and stopped_by != signal.SIGTRAP
        ptrace.resume(ptrace.PTRACE_SINGLESTEP, pid, stopped_by if is_signal else 0)
        _, status = ptrace.wait_any()
        registers, told = ptrace.read_registers(pid), ptrace.read_siginfo(pid)
        # As a handler begins there is a stop without a signal, which the kernel marks so.
        is_step = told is not None and struct.unpack_from("<i", told, _SI_CODE)[0] != signal.SIGTRAP
        if status >> 8 == signal.SIGTRAP and is_step and registers is not None:
            yield struct.unpack_from("<Q", registers, 8 * _IP)[0]


def looks(pid: int) -> list[Look]:
    """The stacks at each instruction, until the process has ended."""
    found = []
    seen: Counter[int] = Counter()
    spaces = AddressSpaces()
    mine = Unwinder(spaces)
    mine.prepare(pid)
    thread = Thread(pid, Process(pid, 0))
    with elfutils.Unwinder(pid) as theirs:
        for address in steps(pid):
            seen[address] += 1
            if seen[address] <= LOOKS:
                registers = ptrace.read_registers(pid)
                assert registers is not None
                found.append(Look(mine.stack(thread, registers, FRAMES), theirs.stack()))
    return found


def traced(pid: int, found: list[Look]) -> list[list[int]]:
    """The stacks of the D program; `found` gets the others'."""
    with invivo.trace(PROGRAM, pid=pid, options={"bufsize": "16m", "stacksize": "65536"}) as session:
        records: list[list[int]] = []

        def take() -> None:
            for record in session:
                (stack,) = record.values
                assert isinstance(stack, Stack)
                records.append(list(stack.addresses))

        reader = threading.Thread(target=take)
        reader.start()
        try:
            found += looks(pid)
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(pid, signal.SIGKILL)
            reader.join()
    return records


@pytest.mark.parametrize(
    ("source", "least", "share"),
    # Shares of the instructions, not of the time.
    [pytest.param("thrower.cc", 5000, 0.98, marks=pytest.mark.slow), ("turns.c", 1000, 0.99)],
)
def test_stacks_at_each_instruction_are_those_of_another_unwinder(
    source: str, least: int, share: float, tmp_path: Path
) -> None:
    path = tmp_path / "program"
    compiler = "c++" if source.endswith("cc") else "cc"
    flags = ["-O2", "-fomit-frame-pointer", "-pthread", "-o", str(path)]
    subprocess.run([compiler, *flags, str(TESTS / "triggers" / source)], check=True)
    found: list[Look] = []
    with subprocess.Popen([path, "stop"]) as process:
        try:
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            records = traced(process.pid, found)
        finally:
            process.kill()
    outermost = found[0].by_elfutils[-1]
    whole = [look for look in found if look.by_elfutils[-1] == outermost]
    assert len(found) > least
    assert len(whole) >= share * len(found)
    jumping = [ours for ours, theirs in found if theirs[-1] == outermost and ours != theirs]
    assert len(jumping) <= _LONGJMP
    assert all(len(ours) == 1 and 0 <= ours[0] - jumping[0][0] < _LONGJMP_SIZE for ours in jumping)
    for ours, theirs in found:
        if theirs[-1] == outermost:
            assert ours == theirs or ours in jumping
        else:  # what is no address of code ends ours
            code = [address for address in theirs if address >= _NO_CODE]
            assert ours[: len(code)] == code
    # As many, and in the same order; the last step is one that the process did not survive.
    assert records[: len(found)] == [ours for ours, _ in found]
    assert len(records) <= len(found) + 2
