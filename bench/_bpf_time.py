"""Time that a tracer's BPF programs run, as the kernel counts it while it is asked to.

    with BpfTime() as time:
        before = time.of(pids)
        ...
        spent = time.of(pids) - before       Spent(seconds, runs)

Which programs are a process's own its descriptors tell: /proc/PID/fdinfo. Source: BPF_ENABLE_STATS in bpf(2), struct
bpf_prog_info in <linux/bpf.h>. The counting itself costs two readings of the clock a run, of which the program's time
has about one.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from invivo.bpf import uapi
from invivo.bpf.syscall import address, bpf, try_bpf

_ENABLE_STATS = 32  # BPF_ENABLE_STATS, with type BPF_STATS_RUN_TIME, 0
_TIME_AT = 192  # run_time_ns; run_cnt is behind it


class Spent(NamedTuple):
    """Seconds that programs ran, and how often."""

    seconds: float
    runs: int

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(self.seconds - earlier.seconds, self.runs - earlier.runs)


class BpfTime:
    """A context manager, within which the kernel counts."""

    def __enter__(self) -> BpfTime:
        self._fd = bpf(_ENABLE_STATS, bytearray(4), "statistics")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def of(self, pids: Iterable[int]) -> Spent:
        """What the programs have run so far that some processes hold."""
        ns = runs = 0
        for identity in {identity for pid in pids for identity in _programs_of(pid)}:
            attributes = bytearray(16)
            struct.pack_into("<I", attributes, 0, identity)
            fd, code = try_bpf(uapi.BPF_PROG_GET_FD_BY_ID, attributes)
            if code:
                continue  # gone since
            info = bytearray(232)
            attributes = bytearray(16)
            struct.pack_into("<IIQ", attributes, 0, fd, len(info), address(info))
            bpf(uapi.BPF_OBJ_GET_INFO_BY_FD, attributes, "a program")
            os.close(fd)
            found = struct.unpack_from("<QQ", info, _TIME_AT)
            ns, runs = ns + found[0], runs + found[1]
        return Spent(ns / 1e9, runs)


def _programs_of(pid: int) -> set[int]:
    """Ids of the programs that a process's descriptors hold."""
    found = set()
    with suppress(OSError):
        for place in Path("/proc", str(pid), "fdinfo").iterdir():
            with suppress(OSError):
                found |= {int(number) for number in re.findall(r"^prog_id:\s*(\d+)", place.read_text(), re.MULTILINE)}
    return found
