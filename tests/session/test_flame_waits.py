"""Time blocked, against the kernel's own books of the same threads in the same run.

The second source is /proc/PID/task/TID/schedstat: time on a processor, and time ready to run but waiting for one. What
is left of a wall-clock time is time blocked; a wait that invivo sees ends when the thread is given a processor, so it
lies between that and that with the time of being ready. Both hold on a machine of any load. The books of a thread that
runs are a tick (up to 10 ms) behind, and time that a hypervisor stole is in none of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from invivo.engines.kernel.engine import KernelEngine
from invivo.flame.files import read_profile
from invivo.flame.profile import Kind, Profile
from invivo.linux import procfs
from invivo.tools.flame.collect import Collecting
from invivo.tools.flame.kinds import KINDS, Program, Wanted
from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel

TICK_NS = 10_000_000


class Books(NamedTuple):
    """Of a thread between two moments, in ns: wall-clock time, time on a processor, time ready but not running."""

    wall: int
    ran: int
    ready: int

    def agrees(self, blocked: int, part: float = 0.02, slack_ns: int = 0) -> bool:
        """Whether a time blocked lies where it must, by these books, which are of moments `slack_ns` apart."""
        slack = part * self.wall + TICK_NS + slack_ns
        away = self.wall - self.ran
        return away - self.ready - slack <= blocked <= away + slack


def inside(profile: Profile, *functions: str) -> int:
    """The weight of the blocked stacks that all of these functions are in. A waker's do not count: a timer that ends
    one thread's wait may run on the stack of another."""
    total = 0
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        names = {frame.name for frame in profile.stack(node) if frame.kind is not Kind.WAKER}
        total += weight * names.issuperset(functions)
    return total


def by_thread(profile: Profile) -> dict[int, int]:
    """The weight of each thread, by its number."""
    found: dict[int, int] = {}
    for thread, weight in zip(profile.sample_threads, profile.weights, strict=True):
        tid = profile.threads[thread].tid
        found[tid] = found.get(tid, 0) + weight
    return found


def waits(tmp_path: Path, kind: str, milliseconds: int = 400, **wanted: Any) -> tuple[Profile, dict[str, Books]]:
    """A kind of graph of the trigger, and the books of its functions. It begins when it is traced."""
    command = [trigger("waits"), str(milliseconds), str(tmp_path / "file"), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            collecting = Collecting(kind, Wanted(has_target=True, **wanted), pid=process.pid, duration=60)

            def begin() -> None:
                assert process.stdin is not None
                if not process.stdin.closed:
                    process.stdin.close()

            collecting.on_change(begin)
            profile = collecting.run()
            assert process.stdout is not None
            rows = [line.split() for line in process.stdout]
            assert process.wait(10) == 0
        finally:
            process.kill()
    books = {name: Books(int(wall), int(ran), int(ready)) for name, _, wall, ran, ready in rows}
    assert books.keys() == {"wait_for_lock", "wait_for_pipe", "wait_for_time", "wait_for_disk"}
    return profile, books


@pytest.mark.parametrize("kind", ["offcpu", "offwake", "wall"])
def test_waits_for_a_lock_a_pipe_the_disk_and_time(kind: str, tmp_path: Path) -> None:
    profile, books = waits(tmp_path, kind)
    assert profile.unit == "ns"
    for function, found in books.items():
        if kind == "wall":  # where a sampled stack may lead through __schedule too, but does not end there
            blocked = sum(
                weight for node, weight in zip(profile.nodes, profile.weights, strict=True)
                if profile.stack(node)[-1].name == "__schedule"
                and any(frame.name == function for frame in profile.stack(node))
            )  # fmt: skip
        else:
            blocked = inside(profile, function)
        assert found.agrees(blocked), function
    assert inside(profile, "wait_for_disk") > 0


def test_being_held_until_tracing_begins_is_not_a_commands_own_wait(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    result = invivo("flame", "offcpu", "-o", str(out), "-c", "sleep 0.2")
    assert result.returncode == 0, result.stderr
    profile = read_profile(str(out))
    assert inside(profile, "hrtimer_nanosleep") >= 200_000_000
    assert inside(profile, "ptrace_stop") == 0


def test_short_waits_are_left_out(tmp_path: Path) -> None:
    profile, books = waits(tmp_path, "offcpu", min_ns=50_000_000)
    assert books["wait_for_time"].agrees(inside(profile, "wait_for_time"))
    assert inside(profile, "wait_for_disk") == 0 or books["wait_for_disk"].wall > 50_000_000


def test_a_wait_for_a_lock_is_one_by_its_system_call_too(tmp_path: Path) -> None:
    profile, books = waits(tmp_path, "lock")
    assert books["wait_for_lock"].agrees(inside(profile, "wait_for_lock"))
    assert inside(profile, "wait_for_pipe") == inside(profile, "wait_for_time") == 0


def test_waits_for_the_disk_are_what_threads_waited_in_io(tmp_path: Path) -> None:
    profile, books = waits(tmp_path, "io", by="latency")
    assert books["wait_for_disk"].agrees(inside(profile, "wait_for_disk"))
    assert inside(profile, "wait_for_disk") > 0
    assert inside(profile, "wait_for_lock") == inside(profile, "wait_for_pipe") == 0


def test_a_blocked_stack_is_joined_to_its_wakers(tmp_path: Path) -> None:
    """The lock and the pipe are given by main(); the sleeping thread is woken by a timer, whoever runs then."""
    profile, books = waits(tmp_path, "offwake")
    for function, call in (("wait_for_lock", "pthread_mutex_unlock"), ("wait_for_pipe", "write")):
        woken = 0
        for node, weight in zip(profile.nodes, profile.weights, strict=True):
            names = [frame.name for frame in profile.stack(node)]
            if function in names and "main" in names and "-- woken by --" in names:
                assert any(call in name for name in names)
                assert names.index(function) < names.index("-- woken by --") < names.index("main")
                woken += weight
        assert books[function].agrees(woken), function


def test_wakeups_are_by_who_wakes(tmp_path: Path) -> None:
    profile, _ = waits(tmp_path, "wakeup")
    stacks = [[frame.name for frame in profile.stack(node)] for node in profile.nodes]
    assert any("main" in stack and any("pipe_write" in name for name in stack) for stack in stacks)
    assert any("main" in stack and any("futex_wake" in name for name in stack) for stack in stacks)


_IDLE = """
import os, select, threading, time
read, write = os.pipe()
def wait_for_work():
    select.select([read], [], [])
threading.Thread(target=wait_for_work, daemon=True).start()
wall = time.monotonic_ns(); before = [int(x) for x in open("/proc/thread-self/schedstat").read().split()]
time.sleep(0.3)
after = [int(x) for x in open("/proc/thread-self/schedstat").read().split()]
print(time.monotonic_ns() - wall, after[0] - before[0], after[1] - before[1])
"""


def test_idle_threads_are_hidden_and_told(tmp_path: Path) -> None:
    (tmp_path / "idle.py").write_text(_IDLE)
    found = {}
    for idle in ("show", "hide"):
        out = tmp_path / f"{idle}.html"
        result = invivo("flame", "offcpu", "--idle", idle, "-o", str(out), "-c",
                        f"{sys.executable} -S {tmp_path}/idle.py")  # fmt: skip
        assert result.returncode == 0, result.stderr
        profile = found[idle] = read_profile(str(out))
        books = Books(*map(int, result.stdout.split()))
        assert books.agrees(inside(profile, "hrtimer_nanosleep"), 0.05)
    assert inside(found["show"], "do_select") > 0
    assert inside(found["hide"], "do_select") == 0
    assert any("waits for work are left out" in note for note in found["hide"].notes)


_OPEN = """
import os, threading, time
read, write = os.pipe()
def never():
    os.read(read, 1)
def often():
    while True:
        time.sleep(0.01)
def once():
    time.sleep(begin + 1.5 - time.monotonic())
    while True:
        time.sleep(1000)
begin = time.monotonic()
for target in (never, often, once):
    threading.Thread(target=target, daemon=True).start()
print("ready", flush=True)
time.sleep(1000)
"""


def schedstat(tid: int) -> list[int]:
    """Now, time on a processor and time ready, in ns."""
    books = [int(word) for word in Path(f"/proc/{tid}/schedstat").read_text().split()[:2]]
    return [time.monotonic_ns(), *books]


class Moments:
    """What `read` gives when the probes have come, and before they go; in ns how long that took, and how much time a
    hypervisor took meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, read: Callable[[], dict[int, Any]]) -> None:
        self.before: dict[int, Any] = {}
        self.after: dict[int, Any] = {}
        self.doubt_ns = self.stolen_ns = 0
        begin, enable, disable, end = KernelEngine.begin, KernelEngine.enable, KernelEngine.disable, KernelEngine.end
        moment = 0  # BEGIN's, with which waits start, and when END's is waited for, with which they end

        def begin_and_note(engine: KernelEngine) -> None:
            nonlocal moment
            moment = time.monotonic_ns()
            begin(engine)

        def enable_and_read(engine: KernelEngine) -> None:
            enable(engine)
            self.stolen_ns = -procfs.stolen_ns()
            self.before = read()
            self.doubt_ns = time.monotonic_ns() - moment

        def disable_and_read(engine: KernelEngine) -> None:
            nonlocal moment
            if not self.after:
                moment = time.monotonic_ns()
                self.after = read()
                self.stolen_ns += procfs.stolen_ns()
            disable(engine)

        def end_and_note(engine: KernelEngine) -> None:
            end(engine)
            self.doubt_ns += time.monotonic_ns() - moment

        monkeypatch.setattr(KernelEngine, "begin", begin_and_note)
        monkeypatch.setattr(KernelEngine, "enable", enable_and_read)
        monkeypatch.setattr(KernelEngine, "disable", disable_and_read)
        monkeypatch.setattr(KernelEngine, "end", end_and_note)


@contextmanager
def running(script: Path) -> Iterator[int]:
    """The pid of a Python script that prints a line when it is ready."""
    with subprocess.Popen([sys.executable, "-S", str(script)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


def test_what_the_hypervisor_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second of each call's: more than a hundredth of what there is."""
    stolen = count(step=100_000_000)
    monkeypatch.setattr(procfs, "stolen_ns", lambda: next(stolen))
    profile = Collecting("offcpu", Wanted(has_target=True), command="sleep 0.1").run()
    (note,) = (note for note in profile.notes if "hypervisor" in note)
    (percent,) = re.findall(r"took ([\d.]+)% of the processors' time", note)
    assert 1 <= float(percent) <= 100


def half_unseen(wanted: Wanted) -> Program:
    """Of offcpu, with every other switch to a thread not looked at, as where a kernel hides who ran before it."""
    program = _OFFCPU.program(wanted)
    text, changed = re.subn(r"(?m)^(sched:::on-cpu /)(.* > 1/)", r"\1(self->seen ^= 1) && \2", program.text)
    assert changed == 1
    return program._replace(text="self int seen;\n" + text)


_OFFCPU = KINDS["offcpu"]


@pytest.mark.parametrize("kind", ["offcpu", "offwake", "half unseen"])
def test_waits_that_are_open_at_the_start_and_at_the_end_count(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four threads: one blocked before, after and throughout, one that sleeps often, one whose sleep ends while it is
    traced, and which blocks again. Each is blocked for all of the time that its books do not have it running."""
    monkeypatch.setitem(KINDS, "half unseen", _OFFCPU._replace(program=half_unseen))
    (tmp_path / "open.py").write_text(_OPEN)
    with running(tmp_path / "open.py") as pid:
        time.sleep(0.05)
        threads = sorted(int(path.name) for path in Path(f"/proc/{pid}/task").iterdir())
        assert len(threads) == 4
        collecting = Collecting(kind, Wanted(has_target=True), pid=pid, duration=2.5)
        moments = Moments(monkeypatch, lambda: {tid: schedstat(tid) for tid in threads})
        profile = collecting.run()
    blocked = by_thread(profile)
    for tid in threads:
        books = Books(*(end - begin for end, begin in zip(moments.after[tid], moments.before[tid], strict=True)))
        assert books.agrees(blocked[tid], slack_ns=moments.doubt_ns), tid
    unknown = "[blocked since before tracing began]"
    assert inside(profile, unknown, "hrtimer_nanosleep") > 0
    assert any("pipe_read" in frame.name for frame in profile.frames)  # of the thread that never moved
    # That which blocked again while it was traced shows where, though that wait has not ended.
    known = [tid for tid in threads if any(
        profile.threads[thread].tid == tid and weight > 0.5e9
        and not any(frame.name == unknown for frame in profile.stack(node))
        for node, weight, thread in zip(profile.nodes, profile.weights, profile.sample_threads, strict=True)
    )]  # fmt: skip
    assert len(known) == 1
