"""Signals by the process engine, as an ordinary user, against what a program sends and handles."""

from __future__ import annotations

import pytest

from tests.support import as_user, python_of_user

pytestmark = pytest.mark.process

PROGRAM = """
import os, signal
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
for i in range(7): os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGWINCH)
os.kill(os.getpid(), 0)
if not os.fork():
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
os.wait()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
for i in range(3): os.kill(os.getpid(), signal.SIGUSR1)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
try: os.kill(1, signal.SIGUSR1)
except PermissionError: pass
print(len(seen))
"""
USR1, WINCH, CHLD = 10, 28, 17


def test_signals_sent_discarded_and_handled() -> None:
    """7 to itself, 1 from a child, and of 3 while it is blocked the first: 9. Nobody handles SIGWINCH and SIGCHLD."""
    clauses = (
        'proc:::signal-send { printf("send %d %d\\n", args[2], args[1]->pr_pid == $target); } '
        'proc:::signal-discard { printf("discard %d %d\\n", args[2], args[1]->pr_pid == $target); } '
        'proc:::signal-handle { printf("handle %d %d\\n", args[0], args[1]->si_signo); } '
        "proc:::signal-handle /args[2] == NULL/ { exit(9); }"
    )
    result = as_user("run", "-q", "-e", clauses, "-c", f"{python_of_user()} -S -E -c '{PROGRAM}'")
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if line]
    assert "9" in lines
    assert lines.count(f"send {USR1} 1") == 9
    assert lines.count(f"handle {USR1} {USR1}") == 9
    assert [line for line in lines if line.startswith("discard")] == [f"discard {WINCH} 1", f"discard {CHLD} 1"]
    assert not [line for line in lines if line.startswith("send") and not line.endswith(" 1")]
    # Each is sent before it is handled.
    for index in range(len(lines)):
        seen = lines[: index + 1]
        assert seen.count(f"handle {USR1} {USR1}") <= seen.count(f"send {USR1} 1")


def test_a_fault_is_sent_by_the_kernel_and_kills_as_ever() -> None:
    result = as_user(
        "run", "-q", "-e", 'proc:::signal-send { printf("fault %d\\n", args[2]); } proc:::signal-handle { exit(1); }',
        "-c", f"{python_of_user()} -S -E -c 'import ctypes; ctypes.string_at(8)'",
    )  # fmt: skip
    assert "fault 11" in result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
