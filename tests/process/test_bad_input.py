"""Processes that cannot be traced: each with its reason, and with what to do."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from invivo.linux import ptrace
from tests.support import ORDINARY_USER, as_user, trigger

pytestmark = pytest.mark.process

PROGRAM = "syscall:::entry { @ = count(); }"


def refused(pid: int) -> str:
    result = as_user("run", "--engine", "process", "-e", PROGRAM, "-p", str(pid), timeout=30)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr
    return result.stderr


def test_a_process_that_is_not_there() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert f"there is no process {process.pid}" in refused(process.pid)


def test_a_zombie() -> None:
    process = subprocess.Popen(["true"], **ORDINARY_USER)  # type: ignore[call-overload]
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert f"process {process.pid} is a zombie" in refused(process.pid)
    finally:
        process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
def test_another_user_s_process() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        text = refused(process.pid)
        process.kill()
    assert f"process {process.pid} belongs to user 0, and this is user 65534" in text
    assert "hint: run invivo as that user, or as root" in text


def test_a_process_that_is_traced_already() -> None:
    with subprocess.Popen(["sleep", "30"], **ORDINARY_USER) as process:  # type: ignore[call-overload]
        time.sleep(0.2)
        ptrace.seize(process.pid, 0)
        text = refused(process.pid)
        process.kill()
    assert f"process {process.pid} is traced already, by process {os.getpid()}" in text


def test_an_engine_that_there_is_not() -> None:
    result = as_user("run", "--engine", "magic", "-e", PROGRAM, "-c", "true", timeout=30)
    assert result.returncode == 2
    assert "magic" in result.stderr


def test_a_32_bit_program_runs_unseen_and_that_is_said() -> None:
    """Its numbers are other calls': read as 64-bit ones they would be counted as what they are not."""
    flags = ["-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector"]
    try:
        narrow = trigger("narrow", *flags)
        subprocess.run([narrow], check=False, capture_output=True)
    except (subprocess.CalledProcessError, OSError):
        pytest.skip("no 32-bit programs here")
    program = "syscall::getppid:entry,syscall::getppid:return { @[execname] = count(); }"
    for options in ([], ["--no-filter"]):
        result = as_user("run", "-q", *options, "-e", program, "-c", f"sh -c '{narrow}; echo $?; {narrow}; echo $?'")
        assert result.returncode == 0, result.stderr
        assert result.stdout.split()[:4] == ["thirty-two", "5", "thirty-two", "5"]
        assert "narrow" not in result.stdout
        assert result.stderr.count("runs a 32-bit program: its system calls and functions are not traced") == 1
