"""What a process is told of its children by SIGCHLD, while it wants to know nothing of stops. The kernel's own word is
the second source: a signal that is blocked is pending if it was sent, sigpending(2)."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own: it has one thread, so that what it blocks stays pending. `told()` says whether SIGCHLD was
# sent since it was last asked; a child has stopped or ended when waitid(2) returns.
_SCRIPT = """
import os, signal, sys
from invivo.linux.quiet_stops import QuietStops

def told():
    is_told = signal.SIGCHLD in signal.sigpending()
    if is_told:
        signal.sigwait({signal.SIGCHLD})
    return is_told

def stops(pid):
    os.kill(pid, signal.SIGSTOP)
    assert os.waitid(os.P_PID, pid, os.WSTOPPED).si_status == signal.SIGSTOP
    is_told = told()
    os.kill(pid, signal.SIGCONT)
    os.waitid(os.P_PID, pid, os.WCONTINUED)
    told()
    return is_told

def ends(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED)
    return told()

def child():
    pid = os.fork()
    if pid == 0:
        signal.alarm(50)  # whatever becomes of its parent
        while True:
            signal.pause()
    return pid

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
"""


def _answers(script: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", _SCRIPT + script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_stops_send_no_signal_but_ends_do() -> None:
    script = """
one, other = child(), child()
print(stops(one))
with QuietStops():
    print(stops(one), ends(one))
print(stops(other), ends(other))
"""
    assert _answers(script) == ["True", "False", "True", "True", "True"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_handler_hears_of_stops(when: str) -> None:
    script = f"""
one = child()
handler = lambda number, frame: None
if {when == "before"}:
    signal.signal(signal.SIGCHLD, handler)
quiet = QuietStops()
if {when == "meanwhile"}:
    signal.signal(signal.SIGCHLD, handler)
print(stops(one))
quiet.close()
print(stops(one), signal.getsignal(signal.SIGCHLD) is handler, ends(one))
"""
    assert _answers(script) == ["True"] * 4


def test_what_is_executed_hears_of_stops_again() -> None:
    script = f"""
QuietStops()
os.execv(sys.executable, [sys.executable, "-c", {_SCRIPT!r} + "one = child(); print(stops(one), ends(one))"])
"""
    assert _answers(script) == ["True", "True"]
