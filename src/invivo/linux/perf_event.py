"""perf events, as file descriptors that a BPF program can be attached to.

    open_clock(10_000_000, cpu=0)   samples CPU 0 each 10 ms
    open_tracepoint(372)            the tracepoint with that id in tracefs
    open_dummy(cpu=0)               no event, but records of what the processes on CPU 0 map, run and fork

Source: perf_event_open(2), include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

import struct

from invivo.errors import KernelError, RightsError
from invivo.linux.syscalls import perf_event_open

__all__ = ["disable", "enable", "open_clock", "open_dummy", "open_tracepoint"]

_TYPE_SOFTWARE = 1
_TYPE_TRACEPOINT = 2
_COUNT_SW_CPU_CLOCK = 0
_COUNT_SW_DUMMY = 9

_IOC_ENABLE = 0x2400
_IOC_DISABLE = 0x2401

# struct perf_event_attr up to PERF_ATTR_SIZE_VER5: type, size, config, sample_period, sample_type, read_format, flags,
# then what stays zero. An older kernel takes a longer structure as long as the rest is zero.
_ATTRIBUTES = struct.Struct("=IIQQQQQ64x")

# The same, with wakeup_watermark and clockid told.
_RECORDS = struct.Struct("=IIQQQQQI40xi16x")
_SAMPLE_TID, _SAMPLE_TIME = 1 << 1, 1 << 2
_MMAP, _COMM, _TASK, _WATERMARK = 1 << 8, 1 << 9, 1 << 13, 1 << 14
_SAMPLE_ID_ALL, _MMAP2, _COMM_EXEC, _USE_CLOCKID = 1 << 18, 1 << 23, 1 << 24, 1 << 25
_CLOCK_MONOTONIC = 1
_EPERM, _EACCES = 1, 13


def open_clock(period_ns: int, cpu: int) -> int:
    """perf's cpu-clock on one CPU: an event of all its tasks, and of the kernel, each `period_ns`; enabled at once.

    The kernel takes no period below 10 microseconds. It runs on an hrtimer of the CPU.

    Raises:
        RightsError: perf_event_paranoid forbids it.
        KernelError: There is no such CPU (ENODEV), or another failure.
    """
    return _open(_TYPE_SOFTWARE, _COUNT_SW_CPU_CLOCK, period_ns, cpu, f"cpu-clock on CPU {cpu}")


def open_tracepoint(event_id: int, cpu: int = 0) -> int:
    """The tracepoint with an id of tracefs, at each hit, on one CPU.

    A BPF program attached to it is run for the hits of every CPU: the kernel keeps it with the tracepoint.

    Raises:
        RightsError: perf_event_paranoid forbids it.
        KernelError: There is no such tracepoint, or another failure.
    """
    return _open(_TYPE_TRACEPOINT, event_id, 1, cpu, f"tracepoint {event_id}")


def open_dummy(cpu: int, *, is_prompt: bool = False) -> int:
    """An event that never happens, which records the executable mappings, execs, forks and exits of a CPU's tasks.

    Each record ends with pid, tid and the time by CLOCK_MONOTONIC. The descriptor becomes readable when half of the
    buffer is full, or, if `is_prompt`, at each record.

    Raises:
        RightsError: perf_event_paranoid forbids it.
        KernelError: There is no such CPU (ENODEV), or another failure.
    """
    flags = _MMAP | _COMM | _TASK | _WATERMARK | _SAMPLE_ID_ALL | _MMAP2 | _COMM_EXEC | _USE_CLOCKID
    attributes = _RECORDS.pack(
        _TYPE_SOFTWARE, _RECORDS.size, _COUNT_SW_DUMMY, 0, _SAMPLE_TID | _SAMPLE_TIME, 0, flags, int(is_prompt),
        _CLOCK_MONOTONIC,
    )  # fmt: skip
    return _perf_event(attributes, cpu, f"mappings on CPU {cpu}")


def enable(fd: int) -> None:
    """PERF_EVENT_IOC_ENABLE."""
    _ioctl(fd, _IOC_ENABLE, "PERF_EVENT_IOC_ENABLE")


def disable(fd: int) -> None:
    """PERF_EVENT_IOC_DISABLE."""
    _ioctl(fd, _IOC_DISABLE, "PERF_EVENT_IOC_DISABLE")


def _open(kind: int, config: int, period: int, cpu: int, what: str) -> int:
    return _perf_event(_ATTRIBUTES.pack(kind, _ATTRIBUTES.size, config, period, 0, 0, 0), cpu, what)


def _perf_event(attributes: bytes, cpu: int, what: str) -> int:
    try:
        return perf_event_open(attributes, -1, cpu, what)
    except KernelError as error:
        if error.errno in (_EPERM, _EACCES):
            raise RightsError(
                f"the kernel does not let this user watch all processes with perf ({what}): {error.message}",
                "run as root, or give CAP_PERFMON, or: sysctl kernel.perf_event_paranoid=-1",
            ) from error
        raise


def _ioctl(fd: int, request: int, name: str) -> None:
    from fcntl import ioctl

    try:
        ioctl(fd, request, 0)
    except OSError as error:
        raise KernelError(error.errno or 0, f"ioctl({name})", f"perf event {fd}") from None
