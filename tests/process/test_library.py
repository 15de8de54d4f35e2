"""The process engine under `invivo.trace`, in a program of one's own that may be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.test_breakpoints import text_of
from tests.support import ROOT

pytestmark = pytest.mark.process

TRACER = """
import invivo, sys
program = "pid$target:libc.so.6:malloc*:entry { @ = count(); }"
with invivo.trace(program, pid=int(sys.argv[1]), engine="process") as session:
    print("armed", flush=True)
    session.wait()
"""


@pytest.fixture
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "100"])
    yield process
    process.kill()
    process.wait()


def libc_of(pid: int) -> str:
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return next((line.split()[-1] for line in lines if "/libc.so" in line or "/libc-" in line), "")


def test_a_killed_program_leaves_no_breakpoint_and_no_guardian(sleeping: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while not (libc := libc_of(sleeping.pid)) or "State:\tS" not in Path(f"/proc/{sleeping.pid}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # until it has its libraries, and sleeps
    before = text_of(sleeping.pid, libc)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    affinity = os.sched_getaffinity(sleeping.pid)
    with subprocess.Popen(
        [sys.executable, "-c", TRACER, str(sleeping.pid)], stdout=subprocess.PIPE, text=True, env=environment
    ) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "armed\n"
        assert text_of(sleeping.pid, libc) != before
        children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        assert len(children) == 1
        tracer.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (
        text_of(sleeping.pid, libc) != before or os.path.exists(f"/proc/{children[0]}")
    ):
        time.sleep(0.02)
    assert text_of(sleeping.pid, libc) == before
    assert os.sched_getaffinity(sleeping.pid) == affinity
    assert not os.path.exists(f"/proc/{children[0]}")
    assert sleeping.poll() is None
