"""Time off the processor, thread by thread, of servers under load, a Go and a C++ program, by the kernel's own books.

The second source is /proc/PID/task/TID/schedstat, read when the probes are there and before they go: time on a
processor, and time ready but waiting for one (run delay). What is left of the wall-clock time, a thread was off the
processor: that is all of `--state SDR`. Of it `--state SD` leaves out what preemption took, which is between nothing
and the run delay.

The books of a thread that runs are behind by up to a tick of 10 ms, at the begin and at the end. Reading them takes
time too, on a busy machine some: how much is measured, and they may be off by that.

A machine that a hypervisor runs has time stolen: it comes in bursts, of 30 to 300 ms in 8 s in one run of ten. The
scheduler's clock leaves it out (update_rq_clock_task() in kernel/sched/core.c), so that a thread that never leaves its
processor has by its books run for less than the wall-clock time. It was not off the processor: what is missing is no
more than what was stolen, of all threads together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from invivo.linux import procfs
from invivo.tools.flame.collect import Collecting
from invivo.tools.flame.kinds import Wanted
from tests.session.loads import LOADS, Load
from tests.session.test_flame_waits import Moments, by_thread

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

SECONDS = 8
PART = 0.02
TICKS_NS = 2 * 10_000_000


class Books(NamedTuple):
    """Of a thread: when it was born; in ns the moment, its time on a processor and its run delay; its state."""

    born: int | None
    at: int
    ran: int
    ready: int
    state: str


def books(pid: int | None, name: str) -> dict[int, Books]:
    """Those of a process's threads, or of all that are called so."""
    found = {}
    for process in procfs.pids() if pid is None else [pid]:
        for tid in procfs.threads(process):
            if pid is None and procfs.comm(tid) != name:
                continue
            place = Path(f"/proc/{process}/task/{tid}")
            try:
                ran, ready = map(int, (place / "schedstat").read_text().split()[:2])
            except OSError:
                continue
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            found[tid] = Books(procfs.start_time_ns(tid), now, ran, ready, procfs.state(tid) or "")
    return found


@contextmanager
def urgently() -> Iterator[None]:
    """With this process before others where it may be, that moments lie close together on a busy machine too."""
    was = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -15)
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, was)


@pytest.mark.parametrize("state", ["SDR", "SD"])
@pytest.mark.parametrize("name", LOADS)
def test_time_off_the_processor_by_thread(
    name: str, state: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        load: Load = stack.enter_context(LOADS[name](place))  # type: ignore[arg-type]
        stack.enter_context(urgently())
        moments = Moments(monkeypatch, lambda: books(load.pid, load.name))
        wanted = Wanted(has_target=load.pid is not None, state=state)
        profile = Collecting("offcpu", wanted, pid=load.pid, duration=SECONDS).run()
    assert not any(" drop" in note for note in profile.notes), profile.notes
    found = by_thread(profile)
    wrong, compared, missing = [], 0, 0.0
    for tid, end in moments.after.items():
        begin = moments.before.get(tid)
        if begin is None or begin.born != end.born:
            continue
        compared += 1
        off = (end.at - begin.at) - (end.ran - begin.ran)
        least = off if state == "SDR" else off - (end.ready - begin.ready)
        if state == "SD" and "R" in begin.state + end.state:
            least = 0  # the run delay that it was in then is not in the books yet
        slack = PART * off + TICKS_NS + moments.doubt_ns
        missing += max(0.0, least - slack - found.get(tid, 0))
        if not least - slack - moments.stolen_ns <= found.get(tid, 0) <= off + slack:
            wrong.append((tid, found.get(tid, 0) / 1e9, least / 1e9, off / 1e9))
    doubts = f"+- {moments.doubt_ns / 1e9} s, stolen {moments.stolen_ns / 1e9} s"
    assert not wrong, f"of {compared} threads (thread, s by us, least, most): {wrong}; {doubts}"
    assert missing <= moments.stolen_ns, f"{missing / 1e9} s of all threads; {doubts}"
    assert compared >= {"redis": 1, "nginx": 1, "postgres": 5, "go": 3, "c++": 1}[name]
