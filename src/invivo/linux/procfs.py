"""Facts about processes from /proc. A process may end at any time: then the answer is None or empty.

    comm(4711)            -> "dd"
    threads(4711)         -> [4711, 4712]
    kernel_stack(4711)    -> ["hrtimer_nanosleep", ..., "entry_SYSCALL_64_after_hwframe"]
    start_time_ns(4711)   -> 1_234_560_000_000, since boot

Source: proc(5).
"""

from __future__ import annotations

import os

__all__ = [
    "cgroup_id", "children", "comm", "exists", "has_memory", "kernel_stack", "pids", "start_time_ns", "stat", "state",
    "status", "stolen_ns", "thread_group", "threads", "yama_scope",
]  # fmt: skip


def exists(pid: int) -> bool:
    """Whether there is a process or thread of this number (a zombie is one)."""
    return pid > 0 and os.path.exists(f"/proc/{pid}")


def has_memory(pid: int) -> bool:
    """Whether it has memory of its own: one that ends gives it back first, and is no zombie before that is done."""
    data = _read(f"/proc/{pid}/statm")
    return data is not None and not data.startswith(b"0 ")


def comm(pid: int) -> str | None:
    """The name that the kernel has for it: at most 15 bytes, set at exec or by the program."""
    data = _read(f"/proc/{pid}/comm")
    return None if data is None else data.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def state(pid: int) -> str | None:
    """One letter: R running, S sleeping, D, T stopped, t traced, Z zombie, ..."""
    fields = stat(pid)
    return fields[0].decode() if fields else None


def start_time_ns(pid: int) -> int | None:
    """When it started, in ns since boot (CLOCK_BOOTTIME), to the tick (10 ms). With the pid, this names one process."""
    fields = stat(pid)
    return int(fields[19]) * _tick_ns() if fields else None


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status by name; empty if there is no such process."""
    text = (_read(f"/proc/{pid}/status") or b"").decode("utf-8", "surrogateescape")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.split("\n")) if name}


def yama_scope() -> int:
    """kernel.yama.ptrace_scope: 0 where any process of the same user may be traced, or the kernel has no yama."""
    text = _read("/proc/sys/kernel/yama/ptrace_scope")
    return int(text) if text and text.strip().isdigit() else 0


def children(pid: int) -> list[int]:
    """Processes that a process has started and that live; those of all its threads."""
    found: list[int] = []
    for thread in threads(pid):
        found += map(int, (_read(f"/proc/{pid}/task/{thread}/children") or b"").split())
    return found


def threads(pid: int) -> list[int]:
    """Numbers of the process's threads, ascending."""
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return []


def pids() -> list[int]:
    """Numbers of all processes, ascending."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def kernel_stack(tid: int) -> list[str]:
    """The kernel's functions that a thread is blocked in, innermost first; empty if it runs, or for want of
    CAP_SYS_ADMIN or CONFIG_STACKTRACE."""
    lines = (_read(f"/proc/{tid}/stack") or b"").decode("utf-8", "replace").splitlines()
    return [line.partition("] ")[2].partition("+0x")[0] for line in lines if "+0x" in line]


def system_call(tid: int) -> tuple[int, ...]:
    """The number and six arguments of the system call that a thread is blocked in; empty if it is in none, or runs, or
    for want of CAP_SYS_PTRACE."""
    words = (_read(f"/proc/{tid}/syscall") or b"").split()
    return (int(words[0]), *(int(word, 16) for word in words[1:7])) if len(words) > 6 else ()


def thread_group(tid: int) -> int | None:
    """The process that a thread belongs to."""
    data = _read(f"/proc/{tid}/status")
    for line in (data or b"").split(b"\n"):
        if line.startswith(b"Tgid:"):
            return int(line.split()[1])
    return None


def stolen_ns() -> int:
    """How long a hypervisor has let this machine's processors wait since boot, all together, in ns, to the tick.

    A thread that was running then neither ran, by the scheduler's books, nor had it been taken off its processor.
    """
    words = (_read("/proc/stat") or b"").split(b"\n", 1)[0].split()
    return int(words[8]) * _tick_ns() if len(words) > 8 else 0


def _tick_ns() -> int:
    return 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the third (state) on; the second, the name, may hold spaces and brackets."""
    data = _read(f"/proc/{pid}/stat")
    return data[data.rfind(b")") + 1 :].split() if data else []


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.readall()
    except OSError:
        return None


def cgroup_id(pid: int) -> int:
    """The id of a process's cgroup (v2): the inode of its directory; 1, that of the root, where it cannot be seen."""
    for line in (_read(f"/proc/{pid}/cgroup") or b"").split(b"\n"):
        if line.startswith(b"0::"):
            for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
                try:
                    return os.stat(place + os.fsdecode(line[3:])).st_ino
                except OSError:
                    continue
    return 1
