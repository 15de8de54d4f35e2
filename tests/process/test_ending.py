"""What becomes of the target when tracing ends before it does, or the other way round."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ORDINARY_USER, as_user, python_of_user, user_environment

pytestmark = pytest.mark.process

# A shell that needs its system calls: it appends a line 40 times, one each 50 ms.
_STEP = "i=$((i+1)); echo $i >> {path}; sleep 0.05"
COUNTING = f"i=0; while [ $i -lt 40 ]; do {_STEP}; done"
# The same until there is a file NAME.enough.
COUNTING_ON = f"i=0; until [ -e {{path}}.enough ]; do {_STEP}; done"


@pytest.fixture
def log() -> Iterator[Path]:
    """A file that an ordinary user may write to (pytest keeps its own directories for root)."""
    with tempfile.TemporaryDirectory(prefix="invivo-log-") as directory:
        os.chmod(directory, 0o755)
        path = Path(directory) / "log"
        path.touch()
        path.chmod(0o666)
        yield path


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python_of_user(), "-m", "invivo", "run", "-q", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=user_environment(),
        cwd="/",
        **ORDINARY_USER,  # type: ignore[call-overload]
    )


def lines_after(path: Path, count: int, seconds: float = 10) -> list[str]:
    """The file's lines, when there are so many or that time is over."""
    deadline = time.monotonic() + seconds
    while len(lines := path.read_text().split()) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return lines


def test_a_command_goes_on_after_exit(log: Path) -> None:
    """Its system calls are under a filter, and would fail without a tracer."""
    program = "syscall::openat:entry,syscall::write:entry { n++; } syscall::write:entry /n > 20/ { trace(7); exit(5); }"
    result = as_user("run", "-q", "-e", program, "-c", f"sh -c '{COUNTING.format(path=log)}'", timeout=20)
    assert (result.returncode, result.stdout.split()) == (5, ["7"])
    assert lines_after(log, 40) == [str(i + 1) for i in range(40)]


def test_a_command_goes_on_after_an_interrupt(log: Path) -> None:
    process = started("-e", "syscall::write:entry { @ = count(); }", "-c", f"sh -c '{COUNTING.format(path=log)}'")
    lines_after(log, 2)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert 2 <= int(out) < 40
    assert lines_after(log, 40) == [str(i + 1) for i in range(40)]


def test_a_command_goes_on_when_invivo_is_killed(log: Path) -> None:
    process = started("-e", "syscall::write:entry { @ = count(); }", "-c", f"sh -c '{COUNTING.format(path=log)}'")
    lines_after(log, 2)
    process.kill()
    process.communicate(timeout=20)
    assert lines_after(log, 40) == [str(i + 1) for i in range(40)]


def test_the_exit_status_and_the_target_s_end() -> None:
    result = as_user("run", "-q", "-e", "syscall:::entry { @ = count(); }", "-c", "sh -c 'exit 3'", timeout=20)
    assert result.returncode == 0
    assert int(result.stdout) > 10


def has_ended_in_order(target: subprocess.Popen[bytes], log: Path) -> None:
    """A target that counts on has gone on counting, and ends when it is asked to."""
    lines = log.read_text().split()
    assert len(lines_after(log, len(lines) + 3)) >= len(lines) + 3
    log.with_name(f"{log.name}.enough").touch()
    assert target.wait(timeout=20) == 0
    lines = log.read_text().split()
    assert lines == [str(number + 1) for number in range(len(lines))]


def test_a_process_that_is_attached_to_and_let_go(log: Path) -> None:
    with subprocess.Popen(["sh", "-c", COUNTING_ON.format(path=log)], **ORDINARY_USER) as target:  # type: ignore[call-overload]
        lines_after(log, 2)
        affinity = os.sched_getaffinity(target.pid)
        program = 'syscall::openat:return /execname == "sh"/ { n++; } syscall::openat:return /n > 3/ { exit(0); }'
        result = as_user("run", "-q", "-e", program, "-p", str(target.pid), timeout=20)
        assert result.returncode == 0, result.stderr
        assert "TracerPid:\t0" in Path(f"/proc/{target.pid}/status").read_text()
        assert os.sched_getaffinity(target.pid) == affinity
        has_ended_in_order(target, log)


def test_a_process_that_is_attached_to_outlives_a_killed_tracer(log: Path) -> None:
    with subprocess.Popen(["sh", "-c", COUNTING_ON.format(path=log)], **ORDINARY_USER) as target:  # type: ignore[call-overload]
        process = started("-e", "syscall:::entry { @ = count(); }", "-p", str(target.pid))
        deadline = time.monotonic() + 20
        while "TracerPid:\t0" in Path(f"/proc/{target.pid}/status").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        lines_after(log, len(log.read_text().split()) + 3)
        process.kill()
        process.communicate(timeout=20)
        has_ended_in_order(target, log)


def test_a_command_sees_all_its_cpus() -> None:
    """It shares one CPU with the tracer, but what it asks for its affinity is what it had."""
    result = as_user("run", "-q", "-e", "syscall::getppid:entry { @ = count(); }", "-c", "nproc", timeout=20)
    assert result.stdout.split()[0] == str(len(os.sched_getaffinity(0)))
