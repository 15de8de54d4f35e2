"""CPUs, clocks, facts of /proc, timers and perf events: each against another way to know it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from invivo.errors import KernelError
from invivo.linux import clock, cpu, perf_event, procfs, syscalls, tracefs


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0\n", (0,)), ("0-3\n", (0, 1, 2, 3)), ("0-1,4,6-7\n", (0, 1, 4, 6, 7)), ("\n", ()), ("10-11", (10, 11))],
)
def test_cpu_lists(text: str, expected: tuple[int, ...]) -> None:
    assert cpu.parse_list(text) == expected


def test_cpus_are_as_many_as_sysconf_says() -> None:
    assert len(cpu.online()) == os.sysconf("SC_NPROCESSORS_ONLN")
    assert len(cpu.possible()) >= os.sysconf("SC_NPROCESSORS_CONF")
    assert set(cpu.online()) <= set(cpu.possible())


def test_no_sysfs_is_an_error_with_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cpu, "_ROOT", str(tmp_path))
    with pytest.raises(KernelError, match="possible"):
        cpu.possible()


def test_the_offset_leads_from_one_clock_to_the_other() -> None:
    offset = clock.wall_offset_ns()
    assert abs(clock.monotonic_ns() + offset - time.time_ns()) < 50_000_000


def test_a_process_has_memory_until_it_ends() -> None:
    assert procfs.has_memory(os.getpid())
    with subprocess.Popen(["sleep", "60"]) as child:
        assert procfs.has_memory(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert procfs.state(child.pid) == "Z"
        assert not procfs.has_memory(child.pid)
    assert not procfs.has_memory(child.pid)


def test_facts_of_this_process() -> None:
    pid = os.getpid()
    assert procfs.exists(pid)
    assert procfs.comm(pid) == Path(f"/proc/{pid}/comm").read_text().strip()
    assert procfs.thread_group(pid) == pid
    assert procfs.state(pid) == "R"
    before = procfs.threads(pid)
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        assert set(procfs.threads(pid)) - set(before) == {thread.native_id}
        assert procfs.thread_group(thread.native_id or 0) == pid
    finally:
        release.set()
        thread.join()


def test_stolen_time_is_that_of_all_processors() -> None:
    def by_processor() -> int:
        with open("/proc/stat") as stream:
            return sum(int(line.split()[8]) for line in stream if re.match(r"cpu\d", line))

    least, found, most = by_processor(), procfs.stolen_ns(), by_processor()
    assert least * 10_000_000 <= found <= (most + (os.cpu_count() or 1)) * 10_000_000  # each counts whole ticks only


def test_a_name_with_brackets_and_spaces_does_not_confuse_the_fields(tmp_path: Path) -> None:
    program = tmp_path / "a) R (b"
    program.symlink_to("/bin/sleep")
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    process = subprocess.Popen([str(program), "60"])
    try:
        deadline = time.monotonic() + 10
        while procfs.comm(process.pid) != "a) R (b" and time.monotonic() < deadline:
            time.sleep(0.01)
        while procfs.state(process.pid) != "S" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert procfs.comm(process.pid) == "a) R (b"
        assert procfs.state(process.pid) == "S"
        started = procfs.start_time_ns(process.pid)
        assert started is not None
        assert before - 20_000_000 <= started <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    finally:
        process.kill()
        process.wait()
    assert not procfs.exists(process.pid)
    assert procfs.comm(process.pid) is None
    assert procfs.state(process.pid) is None
    assert procfs.start_time_ns(process.pid) is None
    assert procfs.threads(process.pid) == []
    assert procfs.thread_group(process.pid) is None


def test_no_process_has_a_number_that_is_not_positive() -> None:
    assert not procfs.exists(0)
    assert not procfs.exists(-1)


def test_a_timer_expires_each_interval() -> None:
    fd = syscalls.timerfd(5_000_000)
    try:
        with pytest.raises(BlockingIOError):
            os.read(fd, 8)
        start = time.monotonic()
        expired = 0
        while expired < 10:
            select.select([fd], [], [], 5)
            expired += int.from_bytes(os.read(fd, 8), sys.byteorder)
        assert time.monotonic() - start >= 0.045
    finally:
        os.close(fd)


def test_a_timer_that_never_expires_or_is_negative_is_refused_by_the_kernel() -> None:
    with pytest.raises(KernelError, match=r"timerfd_settime of a timer each -1 ns: Invalid argument"):
        syscalls.timerfd(-1)


def test_the_barrier_returns_by_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    syscalls.membarrier_global()
    before = os.sched_getaffinity(0)
    visited = []
    real = os.sched_setaffinity

    def record(pid: int, mask: set[int]) -> None:
        visited.append(mask)
        real(pid, mask)

    def refuse(*_: object) -> int:
        raise KernelError(22, "membarrier", "all CPUs")

    monkeypatch.setattr(os, "sched_setaffinity", record)
    monkeypatch.setattr(syscalls, "syscall", refuse)
    syscalls.membarrier_global()
    assert visited == [*({number} for number in cpu.online()), before]
    assert os.sched_getaffinity(0) == before


def test_a_refused_call_names_call_and_object() -> None:
    with pytest.raises(KernelError) as caught:
        syscalls.mount("none", "/proc/no/such/place", "tracefs")
    assert (caught.value.errno, caught.value.call) == (2, "mount(tracefs)")
    assert str(caught.value) == "mount(tracefs) of '/proc/no/such/place': No such file or directory (errno 2)"


def event_count(fd: int) -> int:
    """What read(2) of a perf event gives: for cpu-clock, ns."""
    return int.from_bytes(os.read(fd, 8), sys.byteorder)


@pytest.mark.kernel
def test_a_clock_counts_while_enabled() -> None:
    fd = perf_event.open_clock(1_000_000, 0)
    try:
        first = event_count(fd)
        deadline = time.monotonic() + 5
        while event_count(fd) == first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert event_count(fd) > first
        perf_event.disable(fd)
        stopped = event_count(fd)
        time.sleep(0.02)
        assert event_count(fd) == stopped
        perf_event.enable(fd)
        time.sleep(0.02)
        assert event_count(fd) > stopped
    finally:
        os.close(fd)


@pytest.mark.kernel
def test_a_tracepoint_counts_its_hits() -> None:
    """Bound to one CPU, this process makes exactly 23 calls of a kind that other tests do not trace.

    While somebody's BPF program is attached to a system call's event and returns 0, perf is told of none of its hits:
    this is not to depend on what else is traced.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    try:
        fd = perf_event.open_tracepoint(tracefs.event_id("syscalls", "sys_enter_sched_get_priority_max"), 0)
        try:
            start = event_count(fd)
            for _ in range(23):
                os.sched_get_priority_max(os.SCHED_FIFO)
            assert event_count(fd) - start == 23
        finally:
            os.close(fd)
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.kernel
def test_what_does_not_exist_is_named() -> None:
    with pytest.raises(KernelError, match="cpu-clock on CPU 9999"):
        perf_event.open_clock(1_000_000, 9999)
    with pytest.raises(KernelError, match="tracepoint 1000000"):
        perf_event.open_tracepoint(1_000_000)
