"""System calls that Python does not wrap, through libc: what fails is a KernelError that names the call and its object.

    timerfd(1_000_000_000)      -> a descriptor that becomes readable each second
    membarrier_global()         returns when every CPU has passed a point where no BPF program of before runs
    mount("tracefs", "/sys/kernel/tracing", "tracefs")
"""

from __future__ import annotations

import ctypes
import os
from errno import ESRCH

from invivo.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["membarrier_global", "mount", "perf_event_open", "pidfd_open", "ptrace", "syscall", "tgkill", "timerfd"]

# Numbers of the calls that have no wrapper in libc: (x86-64, all architectures with the generic table).
_PERF_EVENT_OPEN = (298, 241)
_MEMBARRIER = (324, 283)
_TGKILL = (234, 131)

_MEMBARRIER_CMD_GLOBAL = 1 << 0
_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC

_libc: Any = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.ptrace.restype = ctypes.c_long


def _number(numbers: tuple[int, int]) -> int:
    return numbers[0] if os.uname().machine == "x86_64" else numbers[1]


def syscall(numbers: tuple[int, int], call: str, what: str, *arguments: object) -> int:
    """A system call by its numbers on x86-64 and in the generic table; int arguments are passed as 64-bit words.

    Raises:
        KernelError: The call failed; the error names `call` and `what`.
    """
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result: int = _libc.syscall(ctypes.c_long(_number(numbers)), *words)
    if result < 0:
        raise KernelError(ctypes.get_errno(), call, what)
    return result


def perf_event_open(attributes: bytes, pid: int, cpu: int, what: str) -> int:
    """perf_event_open(2) with PERF_FLAG_FD_CLOEXEC; `attributes` is a struct perf_event_attr."""
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return syscall(_PERF_EVENT_OPEN, "perf_event_open", what, buffer, pid, cpu, -1, 8)


def timerfd(interval_ns: int) -> int:
    """A timerfd(2) on CLOCK_MONOTONIC, non-blocking, that expires each `interval_ns` (first after one interval).

    Raises:
        KernelError: The kernel refuses.
    """
    what = f"a timer each {interval_ns} ns"
    fd: int = _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
    if fd < 0:
        raise KernelError(ctypes.get_errno(), "timerfd_create", what)
    seconds, nanoseconds = divmod(interval_ns, 1_000_000_000)
    times = (ctypes.c_long * 4)(seconds, nanoseconds, seconds, nanoseconds)
    if _libc.timerfd_settime(fd, 0, times, None) < 0:
        errno = ctypes.get_errno()
        os.close(fd)
        raise KernelError(errno, "timerfd_settime", what)
    return fd


def membarrier_global() -> None:
    """Wait until everything that ran on any CPU without being preemptible, BPF programs included, has ended.

    This is membarrier(2)'s GLOBAL command: an RCU grace period. Where the kernel refuses it (with nohz_full CPUs, or
    without CONFIG_MEMBARRIER), this thread visits each CPU instead: it can only run there once what was there let go.
    """
    try:
        syscall(_MEMBARRIER, "membarrier", "all CPUs", _MEMBARRIER_CMD_GLOBAL, 0, 0)
    except KernelError:
        _visit_every_cpu()


def _visit_every_cpu() -> None:
    from invivo.linux import cpu

    before = os.sched_getaffinity(0)
    try:
        for number in cpu.online():
            try:
                os.sched_setaffinity(0, {number})
            except OSError:
                continue  # went offline, or is not in our cpuset: nothing can be done there
    finally:
        os.sched_setaffinity(0, before)


def mount(source: str, target: str, kind: str) -> None:
    """mount(2) without flags or data.

    Raises:
        KernelError: The kernel refuses.
    """
    if _libc.mount(source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(0), None) < 0:
        raise KernelError(ctypes.get_errno(), f"mount({kind})", f"'{target}'")


def ptrace(request: int, pid: int, data: int = 0) -> None:
    """ptrace(2) with a request that takes no address.

    Raises:
        KernelError: The kernel refuses.
    """
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_long(0), ctypes.c_long(data)) < 0:
        raise KernelError(ctypes.get_errno(), f"ptrace({request:#x})", f"process {pid}")


def tgkill(pid: int, tid: int, signal: int) -> None:
    """Send a signal to one thread of a process. See tgkill(2).

    Raises:
        KernelError: There is no such thread, or it may not be sent to.
    """
    syscall(_TGKILL, "tgkill", f"thread {tid}", pid, tid, signal)


def pidfd_open(pid: int) -> int:
    """A descriptor of a process, that becomes readable when the process ends. See pidfd_open(2).

    Raises:
        KernelError: There is no such process, or it is a thread of another.
    """
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        raise KernelError(error.errno or 0, "pidfd_open", f"process {pid}") from None
    except OverflowError:  # no pid_t has this value
        raise KernelError(ESRCH, "pidfd_open", f"process {pid}") from None
