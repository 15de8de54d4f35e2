"""Destructive actions on a real process: what it says itself, and what /proc says of it, is the second source."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from invivo.bpf import features
from invivo.linux import procfs
from tests.support import ROOT, invivo

pytestmark = pytest.mark.kernel

COUNTER = """
import os, signal
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
for _ in range(7):
    os.getppid()
print("signals:", len(seen), flush=True)
"""
STOPPER = """
import os
print("before", flush=True)
os.getppid()
print("after", flush=True)
"""


def script(place: Path, text: str) -> str:
    path = place / "traced.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


def test_raise_sends_a_signal_at_each_firing(tmp_path: Path) -> None:
    """The process counts them: seven calls, seven signals."""
    program = "syscall::getppid:entry /pid == $target/ { raise(SIGUSR1); }"
    result = invivo("run", "-qw", "-e", program, "-c", script(tmp_path, COUNTER))
    assert (result.stderr, result.returncode) == ("", 0)
    assert "signals: 7" in result.stdout


def test_stop_tells_how_the_process_goes_on(tmp_path: Path) -> None:
    """It is stopped as /proc says, and after SIGCONT comes to its end."""
    program = "syscall::getppid:entry /pid == $target/ { stop(); }"
    words = [sys.executable, "-m", "invivo", "run", "-qw", "-e", program, "-c", script(tmp_path, STOPPER)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src"},
    ) as running:
        assert running.stderr is not None
        told = running.stderr.readline()
        words_of = r"invivo: stop\(\) has stopped process (\d+) \(python.*\); it goes on by: kill -CONT \1\n"
        found = re.fullmatch(words_of, told)
        assert found is not None, told
        pid = int(found[1])
        deadline = time.monotonic() + 20
        while procfs.state(pid) != "T" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert procfs.state(pid) == "T"
        os.kill(pid, signal.SIGCONT)
        out, err = running.communicate(timeout=30)
    assert (out, err, running.returncode) == ("before\nafter\n\n", "", 0)


def test_who_is_still_stopped_at_the_end_is_told_again(tmp_path: Path) -> None:
    """BEGIN's command, which runs when all is armed, says when the process may go on to where it is stopped."""
    words = script(tmp_path, "input()\n" + STOPPER).split()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as traced:
        assert traced.stdin is not None
        try:
            armed = tmp_path / "armed"
            program = f'syscall::getppid:entry /pid == $1/ {{ stop(); }} BEGIN {{ system("touch {armed}"); }}'
            words = [sys.executable, "-m", "invivo", "run", "-qw", "--duration", "2", "-e", program, str(traced.pid)]
            environment = {**os.environ, "PYTHONPATH": f"{ROOT}/src"}
            with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as running:
                while not armed.exists() and running.poll() is None:
                    time.sleep(0.01)
                traced.stdin.write("\n")
                traced.stdin.flush()
                _, err = running.communicate(timeout=30)
            first, last = err.splitlines()
            assert first.startswith(f"invivo: stop() has stopped process {traced.pid} (")
            assert last.endswith(f"is still stopped; it goes on by: kill -CONT {traced.pid}")
            assert procfs.state(traced.pid) == "T"
        finally:
            traced.send_signal(signal.SIGCONT)


def test_system_makes_a_file_that_the_kernel_shows(tmp_path: Path) -> None:
    """One line for each of the seven calls, with what the program knew: the process's own id."""
    made = tmp_path / "made"
    program = f'syscall::getppid:entry /pid == $target/ {{ system("echo %d >> {made}", pid); }}'
    result = invivo("dtrace", "-qw", "-n", program, "-c", script(tmp_path, "import os\nprint(os.getpid())\n" + COUNTER))
    assert (result.stderr, result.returncode) == ("", 0)
    assert made.read_text().split() == [result.stdout.split()[0]] * 7


def test_freopen_writes_the_file_that_it_names(tmp_path: Path) -> None:
    """Each call says the next file; what comes before and behind goes to standard output."""
    program = (
        f'BEGIN {{ printf("before\\n"); freopen("{tmp_path}/%s.%d", "out", 1); printf("first\\n"); }}'
        f'BEGIN {{ freopen("{tmp_path}/out.2"); printf("second\\n"); freopen(""); printf("after\\n"); exit(0); }}'
    )
    result = invivo("dtrace", "-qw", "-n", program)
    assert (result.stderr, result.returncode) == ("", 0)
    assert result.stdout.split() == ["before", "after"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.1", "out.2"]
    assert [(tmp_path / name).read_text() for name in ("out.1", "out.2")] == ["first\n", "second\n"]


def test_ftruncate_leaves_what_comes_behind_it(tmp_path: Path) -> None:
    """Of the file of -o and of that of freopen(): the last of three lines is kept in each."""
    named, reopened = tmp_path / "named", tmp_path / "reopened"
    lines = 'printf("one\\n"); printf("two\\n"); ftruncate(); printf("three\\n");'
    program = f'BEGIN {{ {lines} freopen("{reopened}"); {lines} exit(0); }}'
    result = invivo("dtrace", "-qw", "-o", str(named), "-n", program)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    assert named.read_text().strip() == reopened.read_text().strip() == "three"


def test_chill_keeps_the_process_for_that_long_at_least(tmp_path: Path) -> None:
    """The process's own clock, read around each of three calls, is the second source."""
    timed = (
        "import os, time\nfor _ in range(3):\n    t = time.monotonic_ns()\n    os.getppid()\n"
        "    print(time.monotonic_ns() - t, flush=True)\n"
    )
    program = "syscall::getppid:entry /pid == $target/ { chill(5000000); }"
    result = invivo("dtrace", "-qw", "-n", program, "-c", script(tmp_path, timed))
    assert (result.stderr, result.returncode) == ("", 0)
    spans = [int(word) for word in result.stdout.split()]
    assert len(spans) == 3
    assert min(spans) >= 5_000_000


def test_stop_by_dtrace_lasts_until_somebody_continues_the_process(tmp_path: Path) -> None:
    """State T in /proc is the second source; the process's second word comes only after SIGCONT."""
    told = tmp_path / "pid"
    words = f"{sys.executable} {tmp_path}/traced.py"
    script(tmp_path, f"import os\nopen({str(told)!r}, 'w').write(str(os.getpid()))\n" + STOPPER)
    program = "syscall::getppid:entry /pid == $target/ { stop(); }"
    with subprocess.Popen(
        [sys.executable, "-m", "invivo", "dtrace", "-qw", "-n", program, "-c", words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"},
    ) as running:  # fmt: skip
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (
            told.exists() and told.read_text() and procfs.state(int(told.read_text())) == "T"
        ):
            time.sleep(0.01)
        pid = int(told.read_text())
        try:
            assert procfs.state(pid) == "T"
        finally:
            os.kill(pid, signal.SIGCONT)
        out, _ = running.communicate(timeout=30)
    assert (out.split(), running.returncode) == (["before", "after"], 0)


def test_without_the_option_nothing_destructive_runs() -> None:
    result = invivo("run", "-q", "-e", 'BEGIN { system("echo no"); exit(0); }')
    assert result.returncode == 1
    assert result.stdout == ""
    assert "error[D_DESTRUCTIVE]: destructive actions are not allowed: system()" in result.stderr


def test_writes_into_processes_are_refused_with_the_reason() -> None:
    if features.has_user_writes().outcome is not features.Outcome.NO:
        pytest.skip("this kernel lets programs write into processes")
    result = invivo("run", "-qw", "-e", 'BEGIN { copyoutstr("x", 0x10000); exit(0); }')
    assert result.returncode == 1
    assert "copyoutstr" in result.stderr
    assert "no program may write into processes" in result.stderr
