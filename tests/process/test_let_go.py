"""Whoever traces a process that runs is told to end, at a moment when the process is stopped, executes, or dies.

Nothing is left then: no tracer, no breakpoint, no process of invivo, no stopped thread but by its own SIGSTOP.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.test_breakpoints import text_of
from tests.process.test_races import assert_goes_on, await_map
from tests.support import ORDINARY_USER, python_of_user, trigger, user_environment

pytestmark = [pytest.mark.process, pytest.mark.slow]

PROGRAM = "pid$target:a.out:leaf:entry,pid$target:a.out:leaf:return,syscall:::entry,syscall:::return { @ = count(); }"
TOOLS = {
    "run": ["run", "-q", "--engine", "process", "-e", PROGRAM],
    "strace": ["strace", "--engine", "process", "-f", "-o", "/dev/null"],
}


@pytest.fixture
def target() -> Iterator[subprocess.Popen[str]]:
    """A second thread of it calls leaf() each 0.1 ms, and executes the program anew at SIGUSR1."""
    process = subprocess.Popen([trigger("races"), "execs"], text=True, **ORDINARY_USER)  # type: ignore[call-overload]
    try:
        await_map(process.pid, trigger("races"))
        until(lambda: is_ready(process.pid), "its second thread")
        yield process
    finally:
        process.kill()
        process.wait()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def is_ready(pid: int) -> bool:
    """Whether it has come so far that SIGUSR1 does not end it."""
    return len(os.listdir(f"/proc/{pid}/task")) == 2


def field(pid: int, name: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    raise AssertionError(name)


def session_of(leader: int) -> list[str]:
    """The command lines of the processes of a session that have not ended."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            words = Path(f"/proc/{int(entry)}/stat").read_text().rpartition(")")[2].split()
            if int(words[3]) == leader and words[0] not in "ZX":
                found.append(Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.parametrize("moment", ["runs", "is stopped", "executes", "dies"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("tool", list(TOOLS))
def test_nothing_is_left(target: subprocess.Popen[str], tool: str, number: signal.Signals, moment: str) -> None:
    path, pid = trigger("races"), target.pid
    before = text_of(pid, path)
    tracer = subprocess.Popen(
        [python_of_user(), "-m", "invivo", *TOOLS[tool], "-p", str(pid)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=user_environment(), cwd="/",
        start_new_session=True, **ORDINARY_USER,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        until(lambda: field(pid, "TracerPid") != "0" or tracer.poll() is not None, "its tracer")
        if tool == "run":
            until(lambda: text_of(pid, path) != before or tracer.poll() is not None, "its breakpoints")
        else:
            time.sleep(0.3)  # it may be anywhere in its start
        assert tracer.poll() is None, tracer.stderr and tracer.stderr.read()
        if moment == "is stopped":
            target.send_signal(signal.SIGSTOP)
            until(lambda: field(pid, "State") in "tT", "its stop")
        elif moment == "executes":
            target.send_signal(signal.SIGUSR1)
        elif moment == "dies":
            target.kill()
        tracer.send_signal(number)
        tracer.wait(60)
        until(lambda: not session_of(tracer.pid), "invivo's processes to end")
    finally:
        tracer.kill()
        tracer.communicate()
    if moment == "dies":
        assert target.wait(60) == -signal.SIGKILL
        return
    until(lambda: target.poll() is not None or field(pid, "TracerPid") == "0", "the end of tracing")
    if moment == "is stopped":
        # The kernel hands a signal to the tracer and keeps no other copy: one killed before it passes SIGSTOP on takes
        # that with it, and the target runs (wait_task_stopped() in kernel/exit.c).
        states = "TRSD" if number == signal.SIGKILL else "T"
        until(lambda: field(pid, "State") in states, "its stop without a tracer")
        target.send_signal(signal.SIGCONT)
    elif moment == "executes":
        until(lambda: target.poll() is not None or is_ready(pid), "the new program")
    assert target.poll() is None, target.returncode
    assert_goes_on(target)
    assert text_of(pid, path) == before
