"""Nothing is lost: many calls of many threads, counted by an ordinary user, against the programs' own numbers."""

from __future__ import annotations

import subprocess

import pytest

from tests.support import ORDINARY_USER, as_user, python_of_user, trigger, user_environment

pytestmark = pytest.mark.process

EACH = 100_003


@pytest.mark.slow
def test_system_calls_of_four_threads() -> None:
    """Two programs of two threads, each of which calls getppid(2) so many times; the shell does so too, once."""
    syscalls = trigger("syscalls")
    program = (
        'syscall::getppid:entry /execname == "syscalls"/ { self->start = timestamp; @[0] = count(); } '
        "syscall::getppid:return /self->start && timestamp >= self->start/ { @[1] = count(); self->start = 0; }"
    )
    result = as_user(
        "run", "-q", "-e", program, "-c", f"sh -c '{syscalls} {EACH} & {syscalls} {EACH} & wait'", timeout=180
    )
    assert result.returncode == 0, result.stderr
    assert [line.split() for line in result.stdout.splitlines() if line] == [["0", str(4 * EACH)], ["1", str(4 * EACH)]]


@pytest.mark.slow
def test_functions_of_four_threads() -> None:
    program = "pid$target:a.out:leaf:entry { @[0] = count(); } pid$target:a.out:leaf:return { @[1] = count(); }"
    result = as_user("run", "-q", "-e", program, "-c", f"{trigger('behaviour')} {EACH} 4", timeout=300)
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines() if line]
    more = 7  # which its other parts make: see test_breakpoints.py
    assert lines[-2:] == [["0", str(4 * EACH + more)], ["1", str(4 * EACH + more)]]


def test_in_an_unprivileged_namespace() -> None:
    """A user and pid namespace of an ordinary user's own, as rootless containers have it."""
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True, **ORDINARY_USER).returncode != 0:  # type: ignore[call-overload]
        pytest.skip("an ordinary user may make no namespaces here")
    program = (
        'syscall::openat:entry /copyinstr(arg1) == "/etc/hostname"/ { @[execname, pid == $target, uid] = count(); } '
        "pid$target:libc.so.6:malloc:entry { @mallocs = count(); }"
    )
    result = subprocess.run(
        [*unshare, python_of_user(), "-m", "invivo", "run", "-q", "-e", program, "-c", "cat /etc/hostname"],
        capture_output=True, text=True, timeout=60, check=False, env=user_environment(), cwd="/", **ORDINARY_USER,
    )  # type: ignore[call-overload]  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "process engine (this user may not load BPF programs)" in result.stderr
    assert ["cat", "1", "0", "1"] in [line.split() for line in result.stdout.splitlines()]
    assert int(result.stdout.split()[-1]) > 3
