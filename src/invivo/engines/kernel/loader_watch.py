"""Stops a new process when its libraries are mapped and none of their code, nor its own, has run.

    with LoaderWatch(pid, keeper) as watch:      the process is held by ptrace(2) at its execve
        ...                                      let it run; it stops with SIGURG
        watch.has_arrived(signal.SIGURG)

The dynamic loader calls `_dl_debug_state` when it has mapped everything, before it runs any constructor; a program
without a loader has its entry point instead. A uprobe there sends SIGURG, at which a process that is not traced does
nothing: should this process be killed, the keeper removes the probe and the command runs on as if nothing had been.
(A breakpoint of ptrace's would stay in the code and kill it.) Source: <link.h>, glibc's elf/rtld.c; bpf-helpers(7).
"""

from __future__ import annotations

import os
import signal
import struct

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.link import uprobe
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import InvivoError
from invivo.linux.maps import read_maps
from invivo.symbols.elf import ElfFile
from invivo.symbols.objects import mapped_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from invivo.bpf.link.keeper import Keeper

__all__ = ["LoaderWatch"]

_SEND_SIGNAL = 109  # bpf_send_signal
_STATE = 24  # of r_state in struct r_debug
_RT_CONSISTENT = 0
_AT_NULL, _AT_ENTRY = 0, 9
_GROUP = "loader"  # what the keeper knows these probes by


class LoaderWatch:
    """See the module's text. A context manager, that removes its probes."""

    def __init__(self, pid: int, keeper: Keeper) -> None:
        self._pid = pid
        self._keeper = keeper
        self._state: int | None = None  # the address of the loader's r_state
        self._program: Program | None = None

    def __enter__(self) -> Self:
        """Plant the probes.

        Raises:
            KernelError, RightsError, TargetError: That is not possible.
        """
        send = (
            Instruction(0xB7, dst=1, immediate=int(signal.SIGURG)),
            Instruction(0x85, immediate=_SEND_SIGNAL),
            Instruction(0xB7),
            Instruction(0x95),
        )
        code = b"".join(map(encode, send))
        kind = uapi.BPF_PROG_TYPE_KPROBE
        self._program = Program.load(
            ProgramSpec("invivo_entry", kind, code, expected_attach_type=uprobe.expected_attach_type())
        )
        try:
            self._plant(self._program.fd)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._keeper.release(_GROUP)
        if self._program is not None:
            self._program.close()

    def _plant(self, program_fd: int) -> None:
        maps = read_maps(self._pid) or []
        entry = self._entry()
        for item in mapped_objects(self._pid):
            own = [m for m in maps if m.path == item.path or m.path.startswith(item.path + " (")]
            with ElfFile.open(item.place, item.path) as elf:
                start, offset = own[0].start, own[0].offset
                first = elf.to_address(offset)
                base = start - first if first is not None else start
                if item.is_program:
                    place = elf.to_offset(entry - base)
                else:
                    state = elf.symbol_address("_r_debug")
                    stop = elf.symbol_address("_dl_debug_state")
                    if state is None or stop is None:
                        continue  # no loader, or one of another kind: the entry point then
                    self._state = base + state + _STATE
                    place = elf.to_offset(stop)
            if place is not None:
                self._keeper.attach(program_fd, item.place, [uprobe.Site(place, 0)], pid=self._pid, group=_GROUP)

    def _entry(self) -> int:
        with open(f"/proc/{self._pid}/auxv", "rb") as stream:
            words = struct.iter_unpack("<QQ", stream.read())
        return next((value for kind, value in words if kind == _AT_ENTRY), 0)

    def has_arrived(self, signal_number: int) -> bool:
        """Whether a stop with this signal means that all libraries are mapped."""
        if signal_number != signal.SIGURG:
            return False
        if self._state is None:
            return True
        try:
            with open(f"/proc/{self._pid}/mem", "rb", buffering=0) as memory:
                memory.seek(self._state)
                state = int.from_bytes(memory.read(4), "little")
        except (OSError, InvivoError):
            return True
        # The loader calls it twice: before it maps the libraries (RT_ADD), and when it has done so.
        return state == _RT_CONSISTENT and len(os.listdir(f"/proc/{self._pid}/task")) > 0
