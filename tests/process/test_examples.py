"""The examples that concern one's own processes, as an ordinary user: the checks of tests/docs/test_examples.py again.

Those that ask the kernel itself say what is missing, and end with status 1.
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.docs import test_examples as examples
from tests.docs.server_examples import SERVER_CHECKS
from tests.support import ORDINARY_USER, ROOT, as_user, python_of_user, trigger

pytestmark = pytest.mark.process

# What each says: of tracepoints whose description in tracefs is not readable, or of others.
KERNEL = {
    "block-latency": "tracefs", "block-sizes": "tracefs", "page-faults": "tracefs", "run-queue": "tracefs",
    "socket-bytes": "tracefs", "softirqs": "tracefs", "tcp-states": "tracefs",
    "off-cpu": "needs the kernel engine", "off-cpu-times": "needs the kernel engine",
    "wakeups": "needs the kernel engine",
}  # fmt: skip
SERVERS = {name for name, check in examples.CHECKS.items() if check in SERVER_CHECKS}
OWN = sorted(examples.CHECKS.keys() - KERNEL.keys() - SERVERS - {"cpu-stacks", "thread-stacks"})


def run(*arguments: str, timeout: float = 60, **_: object) -> subprocess.CompletedProcess[str]:
    return as_user(
        *(str(ROOT / word) if word.startswith("examples/") else word for word in arguments), timeout=timeout
    )


@pytest.fixture(autouse=True)
def _as_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "invivo", run)
    monkeypatch.setattr(examples, "python", lambda text: f"{python_of_user()} -c '{text}'")


@pytest.mark.parametrize("name", OWN)
def test_example(name: str) -> None:
    examples.CHECKS[name]()


def calls_of(pid: int) -> list[str]:
    """What each thread of a process is in, as /proc/PID/task/TID/syscall tells."""
    return [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/syscall")]


def test_stacks_of_the_threads_of_a_process() -> None:
    """A dump, of a process of the same user that has two threads in pause(2)."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([trigger("state"), "5"], **pipes, **ORDINARY_USER) as child:  # type: ignore[call-overload]
        child.stdout.readline()
        deadline = time.monotonic() + 30
        while sum(call.startswith("34 ") for call in calls_of(child.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)  # pause(2) is number 34
        result = run("run", "examples/thread-stacks.d", "-p", str(child.pid))
        child.stdin.close()
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"`(__libc_)?pause\+0x(.*\n)+? +2$", result.stdout, re.M), result.stdout


@pytest.mark.parametrize("name", KERNEL)
def test_what_only_the_kernel_knows_is_refused(name: str) -> None:
    result = run("run", f"examples/{name}.d", "-c", "true")
    assert (result.returncode, result.stdout) == (1, "")
    assert KERNEL[name] in result.stderr
    assert "hint: run" in result.stderr


def test_stacks_of_the_kernel_are_told_to_be_empty() -> None:
    result = run("run", "examples/cpu-stacks.d", "-c", "true")
    assert result.returncode == 0
    assert "stack() and caller are empty" in result.stderr
