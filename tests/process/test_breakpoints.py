"""Functions of programs by breakpoints: counts, arguments and values by hand, behaviour as without, bytes put back."""

from __future__ import annotations

import ctypes
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from invivo.compiler import Request
from invivo.engines.process import hold
from invivo.errors import TargetError
from invivo.linux import ptrace
from invivo.linux.guardian import PatchTable
from invivo.session import Session
from invivo.tracing import trace
from tests.support import ORDINARY_USER, as_user, python_of_user, trigger, user_environment

pytestmark = pytest.mark.process


def test_entries_arguments_and_returns_of_threads() -> None:
    """4 threads call leaf() 2,503 times each; fact(10) is ten calls, and the outermost returns 10!."""
    program = (
        "pid$target:a.out:leaf:entry /arg0 >= 0/ { @[0, copyinstr(arg1)] = count(); @sum = sum(arg0); } "
        'pid$target:a.out:leaf:return { @[1, ""] = count(); } '
        'pid$target:a.out:fact:entry { @[2, ""] = count(); } '
        'pid$target:a.out:fact:return { @most = max(arg1); @[3, ""] = count(); }'
    )
    result = as_user("run", "-q", "-e", program, "-c", f"{trigger('behaviour')} 2503 4", timeout=60)
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines() if line]
    for expected in (
        ["0", "x", "10012"], ["0", "a", "7"], ["1", "10019"], ["2", "10"], ["3", "10"],
        [str(4 * 2502 * 2503 // 2)], ["3628800"],
    ):  # fmt: skip
        assert expected in lines


def test_what_does_the_same_at_each_hit_counts_each() -> None:
    """4 threads call leaf() 503 times each, and the first one 7 times. Variables and faults differ from hit to hit."""
    program = (
        "pid$target:a.out:leaf:entry { @of[probefunc, pid == $target, tid] = count(); @all = count(); } "
        "pid$target:a.out:leaf:entry /pid != $target/ { @never = count(); } "
        "pid$target:a.out:leaf:entry { n++; @most = max(n); } "
        "pid$target:a.out:fact:entry { @before = count(); @fault = sum(1 / (arg0 - 5)); @after = count(); } "
        "ERROR { @faults = count(); }"
    )
    with trace(program, command=[trigger("behaviour"), "503", "4"], engine="process") as session:
        session.wait()
    found = session.aggregations
    by_thread = found["of"]
    assert {key[:2] for key in by_thread} == {("leaf", 1)}
    assert sorted(by_thread.values()) == [7, 503, 503, 503, 503]
    assert (found["all"][()], found["most"][()], found["never"]) == (2019, 2019, {})
    assert (found["before"][()], found["faults"][()], found["after"][()]) == (10, 1, 9)


@pytest.mark.parametrize(("forks", "has_signals"), [(200, False), (40, True)])
def test_a_program_behaves_as_untraced_under_everything_at_once(forks: int, has_signals: bool) -> None:
    """200 forks, vforks and execs, signals, longjmp(3): the same output, and each child's exit as it would be. Then
    with signals traced, and a USDT probe: seven are handled, and the five jumps have the values 1 to 5."""
    command = f"{trigger('behaviour')} 211 4 {forks}"
    plain = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert plain.returncode == 3
    program = (
        "pid$target:a.out::entry,pid$target:a.out::return { @p[probefunc, probename] = count(); } "
        "syscall:::entry,syscall:::return { @s = count(); } "
        "proc:::create,proc:::exec-success { @c[probename] = count(); } "
        "proc:::exit { @e[args[0]] = count(); } profile-199 { @t[ustack()] = count(); } "
        'END { printa("%s %s %@d\\n", @p); printa("%s %@d\\n", @c); printa("exit %d %@d\\n", @e); } '
    )
    signals = (
        "proc:::signal-send,proc:::signal-discard { @d[probename] = count(); } "
        "proc:::signal-handle { @h[args[0]] = count(); } behaviour$target:::jump { @u = sum(args[0]); } "
        'END { printa("handled %d %@d\\n", @h); printa("jumps %@d\\n", @u); }'
    )
    program += signals * has_signals
    result = as_user("run", "-q", "-e", program, "-c", command, timeout=240)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line for line in lines if re.fullmatch(r"[-0-9 ]+", line)][: len(plain.stdout.split("\n")) - 1] == (
        plain.stdout.splitlines()
    )
    counted = [
        f"create {forks}", f"exec-success {forks // 10}", f"exit 1 {forks + 1}", "fact entry 10", "fact return 10",
        "jumper entry 5",
    ]  # fmt: skip
    if has_signals:
        counted += ["handled 10 7", "jumps 15"]
    for expected in counted:
        assert expected in lines


@pytest.fixture
def spinning() -> subprocess.Popen[bytes]:
    """A program of two threads that call functions all the time."""
    process = subprocess.Popen(
        [trigger("behaviour"), "100000000000", "2"],
        stdout=subprocess.DEVNULL,
        **ORDINARY_USER,  # type: ignore[call-overload]
    )
    await_threads(process.pid, 3)
    yield process  # type: ignore[misc]
    process.kill()
    process.wait()


def await_threads(pid: int, count: int) -> None:
    """Wait until a process that was just started has all its threads."""
    deadline = time.monotonic() + 30
    while len(os.listdir(f"/proc/{pid}/task")) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def text_of(pid: int, path: str) -> bytes:
    """The program's executable mapping as it is in the process's memory."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if line.endswith(path) and " r-xp " in line:
            start, _, end = line.split()[0].partition("-")
            with open(f"/proc/{pid}/mem", "rb") as memory:
                memory.seek(int(start, 16))
                return memory.read(int(end, 16) - int(start, 16))
    raise AssertionError(f"{path} is not mapped")


def test_a_breakpoint_hit_but_not_yet_told_when_tracing_ends_does_no_harm() -> None:
    """The kernel reports a stop that was asked for before the SIGTRAP of an int3 that was run before: this state is
    made here by hand, and the thread has to be put right before it is let go."""
    path = trigger("behaviour")
    target = subprocess.Popen([path, "100000000000", "1"], stdout=subprocess.DEVNULL)
    try:
        await_threads(target.pid, 2)
        before = text_of(target.pid, path)
        request = Request(b"pid$target:a.out:leaf:entry { @ = count(); }", "hit.d")
        with Session(request, pid=target.pid, engine="process"):
            tid, status = ptrace.wait_any()
            assert (status >> 8, tid != target.pid) == (signal.SIGTRAP, True)
            assert text_of(target.pid, path) != before
            ptrace.interrupt(tid)
            assert ctypes.CDLL(None).tgkill(target.pid, tid, int(signal.SIGTRAP)) == 0
            assert ptrace.resume(ptrace.PTRACE_CONT, tid)
        assert text_of(target.pid, path) == before
        used = Path(f"/proc/{target.pid}/stat").read_text().split()[13]
        deadline = time.monotonic() + 30
        while Path(f"/proc/{target.pid}/stat").read_text().split()[13] == used and time.monotonic() < deadline:
            assert target.poll() is None
            time.sleep(0.01)
        assert Path(f"/proc/{target.pid}/stat").read_text().split()[13] != used
    finally:
        target.kill()
        target.wait()


def test_places_without_a_breakpoint_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for two: the loader's place is one."""
    monkeypatch.setattr(PatchTable, "ROOM", 2)
    told: list[str] = []
    request = Request(b"pid$target:a.out:leaf:entry,pid$target:a.out:fact:entry { @[probefunc] = count(); }", "room.d")
    command = [trigger("behaviour"), "3", "1"]
    with Session(request, command=command, engine="process", tell=told.append) as session:
        session.wait()
    assert sum(session.aggregations[""].values()) in (3 + 7, 10)  # calls of leaf(), or those of fact()
    assert any("1 places got no breakpoint" in text for text in told), told


def test_a_command_whose_breakpoint_was_taken_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "write_text", lambda *_: True)
    request = Request(b"pid$target:a.out:leaf:entry { @ = count(); }", "taken.d")
    with (
        pytest.raises(TargetError, match="passed its loader unseen"),
        Session(request, command=[trigger("behaviour"), "3", "2"], engine="process"),
    ):
        pass


@pytest.mark.slow
def test_killed_at_random_moments_it_leaves_no_breakpoint(spinning: subprocess.Popen[bytes]) -> None:
    """kill -9 of the command, 50 times at random moments: the target lives, and its code is what it was.

    Every other time not before there are breakpoints.
    """
    path = trigger("behaviour")
    before = text_of(spinning.pid, path)
    chance, planted = random.Random(5), 0
    for round_ in range(50):
        tracer = subprocess.Popen(
            [python_of_user(), "-m", "invivo", "run", "-q", "-e",
             f"pid{spinning.pid}:a.out:leaf:entry,pid{spinning.pid}:a.out:leaf:return {{ @ = count(); }}",
             "-p", str(spinning.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=user_environment(), cwd="/",
            **ORDINARY_USER,  # type: ignore[call-overload]
        )  # fmt: skip
        if round_ % 2:
            time.sleep(chance.uniform(0.1, 1.3))
        else:
            deadline = time.monotonic() + 30
            while text_of(spinning.pid, path) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            planted += time.monotonic() < deadline
            time.sleep(chance.uniform(0, 0.3))
        tracer.kill()
        tracer.wait()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            status = Path(f"/proc/{spinning.pid}/status").read_text()
            if text_of(spinning.pid, path) == before and "TracerPid:\t0" in status:
                break
            time.sleep(0.02)
        assert spinning.poll() is None
        assert text_of(spinning.pid, path) == before
        assert "TracerPid:\t0" in Path(f"/proc/{spinning.pid}/status").read_text()
    assert planted > 20  # or nothing was tried
    assert len(os.listdir(f"/proc/{spinning.pid}/task")) == 3


def test_a_process_is_let_go_with_its_bytes_restored(spinning: subprocess.Popen[bytes]) -> None:
    before = text_of(spinning.pid, trigger("behaviour"))
    probe = f"pid{spinning.pid}:a.out:leaf:entry"
    program = f"{probe} {{ n++; }} {probe} /n > 1000/ {{ exit(3); }}"
    result = as_user("run", "-q", "-e", program, "-p", str(spinning.pid), timeout=30)
    assert result.returncode == 3, result.stderr
    assert text_of(spinning.pid, trigger("behaviour")) == before
    time.sleep(0.2)
    assert spinning.poll() is None
