"""Commands held before their first instruction, errors of those that cannot start, and what a killed tracer leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from invivo.errors import KernelError, TargetError
from invivo.linux import procfs, syscalls
from invivo.linux.spawn import attach_pid, spawn

SOURCE = Path(__file__).parents[3] / "src"


def nothing(pid: int) -> None:
    pass


def wait_until(is_so: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture(params=["ptrace", "pipe"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With ptrace, and as it goes where ptrace is refused."""
    if request.param == "pipe":

        def refuse(*_: object) -> None:
            raise KernelError(1, "ptrace(0x4206)", "process 1")

        monkeypatch.setattr(syscalls, "ptrace", refuse)
    kind: str = request.param
    return kind


def test_armed_is_called_before_the_command_does_anything(way: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    seen: list[tuple[int, bool]] = []

    def armed(pid: int) -> None:
        time.sleep(0.05)
        seen.append((pid, made.exists()))

    with spawn(["/bin/sh", "-c", f"echo $$ > {made}; exit 7"], armed) as target:
        assert target.wait(10) == 7
        assert seen == [(target.pid, False)]
    assert made.read_text() == f"{target.pid}\n"


@pytest.mark.process
def test_the_program_is_already_loaded_when_armed_is_called() -> None:
    """With ptrace the probes meet none of this process's own code; the state is `t`, tracing stop."""
    seen = []

    def armed(pid: int) -> None:
        seen.append((os.path.realpath(f"/proc/{pid}/exe"), procfs.state(pid)))

    with spawn("sleep 0", armed) as target:
        assert target.wait(10) == 0
    assert seen == [(os.path.realpath("/bin/sleep"), "t")]


def test_nobody_traces_it_afterwards(way: str) -> None:
    with spawn("sleep 60", nothing) as target:
        try:
            status = Path(f"/proc/{target.pid}/status").read_text()
            assert "TracerPid:\t0" in status
            assert target.is_running
            assert target.wait(0.01) is None
        finally:
            os.kill(target.pid, signal.SIGKILL)
        assert target.wait(10) == -9
        assert not target.is_running
    assert not procfs.exists(target.pid)


def test_words_are_split_as_a_shell_does(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with spawn(f"sh -c 'printf \"%s|\" \"$@\" > {out}' sh 'a b' c\\ d \"e\" ''", nothing) as target:
        assert target.wait(10) == 0
    assert out.read_text() == "a b|c d|e||"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-command-anywhere x", "cannot run 'no-such-command-anywhere': no such command in PATH"),
        ("/no/such/file", "cannot run '/no/such/file': no such file"),
        ("/", "cannot run '/': it is not executable"),
        ("", "the command to trace is empty"),
        ("   ", "the command to trace is empty"),
        ([], "the command to trace is empty"),
        ("echo 'x", "cannot be split into words: No closing quotation"),
        (["echo", "a\0b"], "has a NUL byte"),
    ],
)
def test_commands_that_cannot_start(way: str, command: str | list[str], message: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(TargetError) as caught:
        spawn(command, nothing)
    assert message in caught.value.message
    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):  # no child is left, nor a zombie
        os.waitpid(-1, os.WNOHANG)


def test_files_that_are_no_programs(way: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("echo hello\n")
    with pytest.raises(TargetError, match="not executable") as caught:
        spawn(str(plain), nothing)
    assert caught.value.hint == f"chmod +x '{plain}'"
    plain.chmod(0o755)
    with pytest.raises(TargetError, match="neither a program nor a script"):
        spawn(str(plain), nothing)
    plain.write_text("#!/no/such/interpreter\n")
    with pytest.raises(TargetError, match="no such file") as caught:
        spawn(str(plain), nothing)
    assert "interpreter" in caught.value.hint


def test_if_arming_fails_the_command_never_runs(way: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    pids: list[int] = []

    def fail(pid: int) -> None:
        pids.append(pid)
        raise RuntimeError("no rights")

    with pytest.raises(RuntimeError, match="no rights"):
        spawn(["touch", str(made)], fail)
    assert not procfs.exists(pids[0])
    assert not made.exists()


@pytest.mark.process
def test_a_command_killed_while_it_is_held_has_simply_ended() -> None:
    with spawn("sleep 60", lambda pid: os.kill(pid, signal.SIGKILL)) as target:
        assert target.wait(10) == -9


@pytest.mark.process
def test_a_signal_sent_while_it_is_held_arrives() -> None:
    with spawn("sleep 60", lambda pid: os.kill(pid, signal.SIGTERM)) as target:
        assert target.wait(10) == -15


def test_the_command_has_default_signals_and_its_parents_group(way: str) -> None:
    """Python ignores SIGPIPE, and its SIGINT handler is its own: neither is for the command."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with spawn("sleep 60", nothing) as target:
            status = Path(f"/proc/{target.pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines())
            assert int(fields["SigIgn"], 16) >> (signal.SIGPIPE - 1) & 1 == 0
            assert int(fields["SigBlk"], 16) == 0
            assert os.getpgid(target.pid) == os.getpgrp()
            os.kill(target.pid, signal.SIGINT)
            assert target.wait(10) == -signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_command_inherits_no_descriptor_but_the_standard_ones(way: str) -> None:
    with spawn("sleep 60", nothing) as target:
        try:
            ours = [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")]
            given = {str(fd) for fd in ours if os.get_inheritable(fd)} | {"0", "1", "2"}  # what pytest itself was given
            # While it starts, it has its libraries open.
            assert wait_until(lambda: set(os.listdir(f"/proc/{target.pid}/fd")) <= given)
        finally:
            os.kill(target.pid, signal.SIGKILL)
            target.wait(10)


@pytest.mark.process
@pytest.mark.parametrize("moment", ["before-seize", "while-held", "after"])
def test_after_the_tracer_is_killed_the_command_lives(moment: str, tmp_path: Path) -> None:
    """kill -9 of the tracer at each stage: the command then runs to its own end, and nobody traces it."""
    ready, done = tmp_path / "ready", tmp_path / "done"
    script = f"""
        import os, sys, time
        sys.path.insert(0, {str(SOURCE)!r})
        from invivo.linux import spawn, syscalls
        def stop(*_):
            open({str(ready)!r}, "w").close()
            time.sleep(60)
        if {moment!r} == "before-seize":
            syscalls.ptrace = stop
        target = spawn.spawn(["/bin/sh", "-c", "sleep 0.3; echo $$ > {done}.new; mv {done}.new {done}"],
                             stop if {moment!r} == "while-held" else lambda pid: None)
        stop()
    """
    tracer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    assert wait_until(ready.exists)
    time.sleep(0.02)
    tracer.send_signal(signal.SIGKILL)
    assert tracer.wait() == -9
    assert wait_until(done.exists)


@pytest.mark.process
def test_after_the_tracer_is_killed_at_a_random_moment_the_command_lives(tmp_path: Path) -> None:
    """Killed at 2 ms steps around the start: the command either was never made, or runs to its end."""
    script = f"""
        import os, sys
        sys.path.insert(0, {str(SOURCE)!r})
        from invivo.linux import spawn
        import signal
        print("go", flush=True)
        held = sys.argv[1] + ".held"
        target = spawn.spawn(["/bin/sh", "-c", "echo > $0", sys.argv[1]], lambda pid: open(held, "w").close())
        target.wait()
    """
    held = 0
    for step in range(15):
        done = tmp_path / f"done{step}"
        tracer = subprocess.Popen(
            [sys.executable, "-S", "-c", textwrap.dedent(script), str(done)], stdout=subprocess.PIPE
        )
        assert tracer.stdout is not None
        tracer.stdout.readline()
        time.sleep(step / 500)
        tracer.kill()
        tracer.wait()
        tracer.stdout.close()
        if Path(f"{done}.held").exists():
            held += 1
            assert wait_until(done.exists), f"killed after {2 * step} ms"
    assert held > 0


def test_a_running_process_can_be_followed() -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        with attach_pid(process.pid) as target:
            assert target.is_running
            process.kill()
            process.wait()
            assert target.wait(10) is None  # not our child in the sense of spawn: no status
            assert not target.is_running
    finally:
        process.kill()


def test_numbers_that_are_no_process() -> None:
    for pid in (0, -1, 4_000_000_000):
        with pytest.raises(TargetError, match=f"there is no process {pid}"):
            attach_pid(pid)


def test_a_threads_number_names_its_process() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        with pytest.raises(TargetError, match=f"{thread.native_id} is a thread of process {os.getpid()}") as caught:
            attach_pid(thread.native_id or 0)
        assert caught.value.hint == f"trace the process: -p {os.getpid()}"
    finally:
        release.set()
        thread.join()
