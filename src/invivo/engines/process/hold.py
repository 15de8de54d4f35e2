"""A command held with its libraries mapped, before any code of theirs or its own has run, without any right.

    target = hold("ls /")          a stopped tracee of this thread, to be taken over by ProcessEngine.take

The dynamic loader calls `_dl_debug_state` when it has mapped everything; a program without a loader is held at its
entry point. A breakpoint is there for that moment only, and the command is killed if this process is. <link.h>.
"""

from __future__ import annotations

import signal
import struct

from invivo.errors import InvivoError, TargetError
from invivo.linux import ptrace, spawn
from invivo.linux.guardian import BREAKPOINT, write_text
from invivo.linux.maps import read_maps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["hold"]

_WORDS = struct.Struct("<27Q")
_RIP = 16
_AT_BASE, _AT_ENTRY = 7, 9
_STATE = 24  # of r_state in struct r_debug
_STOPPED = 0x7F


def hold(command: Sequence[str] | str) -> spawn.Target:
    """Start a command and hold it.

    Raises:
        TargetError, RightsError, KernelError: As spawn.spawn.
    """
    return spawn.spawn(
        command, _run_to_libraries, options=ptrace.OPTIONS | ptrace.OPTION_EXITKILL, is_kept=True
    )


def _run_to_libraries(pid: int) -> None:
    place, state = _loader_place(pid)
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
        if event == 0 and number == signal.SIGTRAP:
            registers = ptrace.read_registers(pid)
            if registers is not None and _WORDS.unpack(registers)[_RIP] == place + 1:
                return


def _loader_place(pid: int) -> tuple[int, int]:
    """(where to stop, the address of the loader's r_state or 0)."""
    with open(f"/proc/{pid}/auxv", "rb") as stream:
        vector = dict(struct.iter_unpack("<QQ", stream.read()))
    base = vector.get(_AT_BASE, 0)
    if base:
        from invivo.symbols.elf import ElfFile

        for mapping in read_maps(pid) or ():
            if mapping.inode and base <= mapping.start < base + (1 << 24):
                try:
                    with ElfFile.open(f"/proc/{pid}/root{mapping.path}", mapping.path) as elf:
                        state, stop = elf.symbol_address("_r_debug"), elf.symbol_address("_dl_debug_state")
                except (OSError, InvivoError):
                    break
                if state is not None and stop is not None:
                    return base + stop, base + state + _STATE
                break
    return vector.get(_AT_ENTRY, 0), 0


