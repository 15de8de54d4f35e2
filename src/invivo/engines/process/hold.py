"""A command held with its libraries mapped, before any code of theirs or its own has run, without any right.

    target = hold("ls /")          a stopped tracee of this thread, to be taken over by ProcessEngine.take

The dynamic loader calls `_dl_debug_state` when it has mapped everything; a program without a loader is held at its
entry point. A breakpoint is there for that moment only, and the command is killed if this process is. <link.h>.
"""

from __future__ import annotations

import os
import signal
import struct

from invivo.engines.process.loader import entry_point, find_loader
from invivo.errors import TargetError
from invivo.linux import ptrace, seccomp, spawn
from invivo.linux.guardian import BREAKPOINT, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["hold", "spawn_filtered"]

_WORDS = struct.Struct("<27Q")
_RIP = 16
_STOPPED = 0x7F


def spawn_filtered(
    command: Sequence[str] | str, numbers: frozenset[int] | None, then: Callable[[int], None]
) -> spawn.Target:
    """Start a command under a seccomp filter that stops these system calls (None: all), held before its first
    instruction. It is killed if this process is.

    Raises:
        TargetError, RightsError, KernelError: As spawn.spawn.
    """
    code = seccomp.trace_filter(numbers)
    return spawn.spawn(
        command,
        then,
        prepare=lambda: seccomp.install(code) or os._exit(126),
        options=ptrace.OPTIONS | ptrace.OPTION_EXITKILL,
        is_kept=True,
    )


def hold(command: Sequence[str] | str) -> spawn.Target:
    """Start a command and hold it.

    Raises:
        TargetError, RightsError, KernelError: As spawn.spawn.
    """
    return spawn.spawn(
        command, _run_to_libraries, options=ptrace.OPTIONS | ptrace.OPTION_EXITKILL, is_kept=True
    )


def _run_to_libraries(pid: int) -> None:
    loader = find_loader(pid)
    place, state = (loader.stop, loader.state) if loader is not None else (entry_point(pid), 0)
    memory = ptrace.ProcessMemory(pid)
    while True:
        original = memory.read(place, 1)
        if not original or not write_text(pid, place, BREAKPOINT):
            return
        _run_until(pid, place)
        write_text(pid, place, original)
        registers = list(_WORDS.unpack(ptrace.read_registers(pid) or bytes(_WORDS.size)))
        registers[_RIP] = place
        ptrace.write_registers(pid, _WORDS.pack(*registers))
        if not state or memory.read(state, 4) == bytes(4):  # RT_CONSISTENT
            return
        ptrace.resume(ptrace.PTRACE_SINGLESTEP, pid)
        ptrace.wait_for(pid)


def _run_until(pid: int, place: int) -> None:
    """Let it run into the breakpoint; signals and events on the way are passed on."""
    deliver = 0
    while True:
        ptrace.resume(ptrace.PTRACE_CONT, pid, deliver)
        status = ptrace.wait_for(pid)
        if status is None or status & 0xFF != _STOPPED:
            raise TargetError("the command ended before its first instruction")
        event, number = status >> 16, status >> 8 & 0xFF
        deliver = 0 if event else number
        if event in (ptrace.EVENT_FORK, ptrace.EVENT_VFORK, ptrace.EVENT_CLONE):
            # Its own code runs: another tracer, such as a kernel probe at this place that was removed, took the
            # breakpoint away.
            raise TargetError(
                "the command has passed its loader unseen: somebody took a breakpoint of invivo away",
                "does another tracer follow the same program? try again, or with --engine kernel",
            )
        if event == 0 and number == signal.SIGTRAP:
            registers = ptrace.read_registers(pid)
            if registers is not None and _WORDS.unpack(registers)[_RIP] == place + 1:
                return
