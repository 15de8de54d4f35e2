"""Time in system calls and waits for locks that had begun before tracing did, or had not ended when it did: a deadlock.

The second source is the clock beside what was done: a thread that hung from before one moment until after another hung
for at least the time between, and no longer than all that the tracing took.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from invivo.flame.profile import Profile
from invivo.linux import procfs
from invivo.tools.flame.collect import Collecting
from invivo.tools.flame.kinds import Wanted
from invivo.tools.flame.waits import BEFORE
from tests.session.test_flame_waits import by_thread, inside
from tests.support import trigger

pytestmark = pytest.mark.kernel

THREADS = 7
LONG = 0.5  # seconds that threads hang at least


@contextmanager
def stuck(when: str, threads: int = THREADS) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([trigger("stuck"), str(threads), when], stdin=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def waiting(pid: int) -> set[int]:
    """The threads that the kernel says to wait for a lock."""
    stacks = {tid: procfs.kernel_stack(tid) for tid in procfs.threads(pid)}
    return {tid for tid, functions in stacks.items() if any(name.startswith("futex_wait") for name in functions)}


def until_all_wait(pid: int) -> set[int]:
    deadline = time.monotonic() + 30
    while len(found := waiting(pid)) < THREADS and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(found) == THREADS
    return found


def collected(kind: str, pid: int, *steps: Callable[[], bool], **wanted: str) -> tuple[Profile, int]:
    """A graph of the process, and how long all took (ns). While it is made, the steps are taken one after the other,
    each again and again until it says that it is done; after the last the tracing ends."""
    left = list(steps)
    collecting = Collecting(kind, Wanted(has_target=True, **wanted), pid=pid, duration=60)

    def go_on() -> None:
        if left and left[0]():
            del left[0]
        if not left:
            collecting.stop()

    collecting.on_change(go_on)
    begin = time.monotonic_ns()
    profile = collecting.run()
    return profile, time.monotonic_ns() - begin


def until_it_ends() -> bool:
    return False


class Hangs:
    """A step that is done when a while has passed since it was first taken."""

    def __init__(self) -> None:
        self.since = 0.0

    def __call__(self) -> bool:
        self.since = self.since or time.monotonic()
        return time.monotonic() - self.since >= LONG


@pytest.mark.parametrize("kind", ["lock", "syscall"])
def test_a_deadlock_that_was_there_before_and_stays(kind: str) -> None:
    with stuck("before") as process:
        tids = until_all_wait(process.pid)
        profile, took = collected(kind, process.pid, Hangs())
        weights = by_thread(profile)
        assert tids == set(weights) - {process.pid}
        assert all(LONG * 1e9 <= weight <= took for weight in weights.values())
        stacks = {tuple(frame.name for frame in profile.stack(node)) for node in profile.nodes}
        assert stacks == ({(BEFORE,)} if kind == "lock" else {(BEFORE, "futex"), (BEFORE, "read")})


@pytest.mark.parametrize("kind", ["lock", "syscall"])
def test_a_deadlock_that_comes_about_while_tracing(kind: str) -> None:
    with stuck("after") as process:

        def begun() -> bool:
            tell(process)
            return True

        profile, took = collected(kind, process.pid, begun, lambda: len(waiting(process.pid)) == THREADS, Hangs())
        tids = waiting(process.pid)
        weights = by_thread(profile)
        assert tids == {tid for tid in weights if tid != process.pid}
        assert all(LONG * 1e9 <= weights[tid] <= took for tid in tids)
        assert inside(profile, "stuck", *["futex"] * (kind == "syscall")) >= THREADS * LONG * 1e9
        if kind == "syscall":  # the last of them has not ended either
            assert LONG * 1e9 <= inside(profile, "wait_for_line", "read") <= took


def test_waits_for_locks_that_have_not_ended_are_counted() -> None:
    with stuck("after") as process:

        def begun() -> bool:
            tell(process)
            return True

        is_stuck: Callable[[], bool] = lambda: len(waiting(process.pid)) == THREADS  # noqa: E731
        profile, _ = collected("lock", process.pid, begun, is_stuck, by="count")
        assert profile.unit == "events"
        assert inside(profile, "stuck") == profile.total == THREADS


@pytest.mark.parametrize("kind", ["lock", "syscall"])
def test_calls_that_began_before_and_end_while_tracing(kind: str) -> None:
    """Their stacks are whole: they are seen when the calls return."""
    with stuck("before") as process:
        tids = until_all_wait(process.pid)

        def let_go() -> bool:
            tell(process)
            return True

        profile, took = collected(kind, process.pid, Hangs(), let_go, until_it_ends)
        assert process.wait(10) == 0
        weights = by_thread(profile)
        assert all(LONG * 1e9 <= weights[tid] <= took for tid in tids)
        assert THREADS * LONG * 1e9 <= inside(profile, "stuck") <= THREADS * took
        if kind == "syscall":
            assert LONG * 1e9 <= inside(profile, "wait_for_line", "read") <= took


def test_a_thread_that_ends_does_not_wait() -> None:
    """Its stack cannot be read any more, and that is no loss: nothing is told of 211 threads that end."""
    with stuck("before", 211) as process:

        def let_go() -> bool:
            tell(process)
            return True

        profile, _ = collected("offcpu", process.pid, let_go, until_it_ends)
        assert process.wait(10) == 0
        assert len(by_thread(profile)) == 212
        losses = [int(note.split()[0]) for note in profile.notes if "could not be read" in note]
        assert sum(losses) < 211
