"""Where a program is attached: made by providers, carried out by engines. Light and picklable, as all of a Plan.

    Tracepoint("sched", "sched_switch", "sched_switch")   PerfClock(10_309_278)   Uprobe("/usr/bin/bash", 0x31260)
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = [
    "AttachPoint",
    "BtfTracepoint",
    "Moment",
    "Once",
    "PerfClock",
    "RawTracepoint",
    "Timer",
    "Tracepoint",
    "Uprobe",
]


class Moment(enum.Enum):
    BEGIN = "BEGIN"
    END = "END"
    ERROR = "ERROR"
    DUMP = "dump"
    THREAD = "thread"


class Once(NamedTuple):
    """BEGIN, END (run by BPF_PROG_TEST_RUN, no context) and ERROR (inlined at every fault); DUMP and THREAD, which
    engines/dump alone carries out."""

    moment: Moment


class Tracepoint(NamedTuple):
    """A perf tracepoint; the context is its record, at the offsets of its tracefs format file.

    `raw`, where not empty, is the raw tracepoint that fires with it: programs that do not read the record are attached
    there instead, for perf takes two grace periods, some 75 ms, to let go of each tracepoint.
    """

    category: str
    name: str
    raw: str = ""


class RawTracepoint(NamedTuple):
    """A raw tracepoint; the context is an array of 64-bit argument words."""

    name: str


class BtfTracepoint(NamedTuple):
    """A raw tracepoint with BTF types (tp_btf): like RawTracepoint, and pointers among the words are TRUSTED.

    `btf_id` is that of the typedef btf_trace_NAME in the kernel's BTF (plans are cached by kernel, so it may be kept).
    """

    name: str
    btf_id: int


class PerfClock(NamedTuple):
    """perf's cpu-clock on every CPU, each `period_ns`; the context is bpf_perf_event_data (pt_regs first)."""

    period_ns: int


class Timer(NamedTuple):
    """A timer of the consumer: the program is run by BPF_PROG_TEST_RUN each `interval_ns`, no context."""

    interval_ns: int


class Uprobe(NamedTuple):
    """An instruction of a file that processes map; the context is their registers (struct pt_regs).

    `path` is the file as this process opens it (/proc/PID/root/... for one in another mount namespace), `offset` where
    the instruction lies in it. With `is_return` the firing is at the return of the function that begins there.
    `semaphore` is the file offset of a USDT reference counter, or 0. `pid` 0 means all processes that run the file.
    """

    path: str
    offset: int
    is_return: bool = False
    semaphore: int = 0
    pid: int = 0


AttachPoint = Once | Tracepoint | RawTracepoint | BtfTracepoint | PerfClock | Timer | Uprobe
