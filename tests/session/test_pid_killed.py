"""SIGKILL of the tracer at any moment of attaching, tracing and detaching: the target lives, no probe remains in it."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.linux.maps import read_maps
from tests.session.test_nothing_left import NOTHING, command, kernel_objects, tracing, wait_until_gone
from tests.support import trigger

__all__ = ["command"]  # a fixture

pytestmark = pytest.mark.kernel

PROGRAM = """
pid$target:libc:*:entry { @[probefunc] = count(); }
pid$target:libc:malloc:return { @r = count(); }
pid$target:a.out:*:entry, pid$target:a.out:*:return { @a[probefunc, probename] = count(); self->x = arg0; }
"""


class Answerer:
    """The trigger `answers`, which must answer the next line with the next number."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [trigger("answers")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.asked = 0

    def ask(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.asked += 1
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"{self.asked}\n"

    def changed_code(self) -> list[str]:
        """Mapped files whose code in memory is not what the file has: breakpoints that were left."""
        changed = []
        with open(f"/proc/{self.process.pid}/mem", "rb", buffering=0) as memory:
            for mapping in read_maps(self.process.pid) or []:
                if not mapping.inode:
                    continue
                memory.seek(mapping.start)
                size = mapping.end - mapping.start
                with open(mapping.path, "rb") as file:
                    file.seek(mapping.offset)
                    expected = file.read(size)
                if memory.read(size)[: len(expected)] != expected:
                    changed.append(mapping.path)
        return changed


@pytest.fixture
def answerer() -> Iterator[Answerer]:
    target = Answerer()
    target.ask()
    yield target
    target.process.kill()
    target.process.communicate()


def wait_for_clean_code(target: Answerer) -> list[str]:
    deadline = time.monotonic() + 10
    while (changed := target.changed_code()) and time.monotonic() < deadline:
        target.ask()  # a breakpoint that no tracer wants any more goes when it is hit, or before
        time.sleep(0.02)
    return changed


def leaks_told() -> list[str]:
    """The kernel's words about breakpoints that it left behind, because their owner was killed while it took them away.

    uprobe_unregister_nosync() in kernel/events/uprobes.c cannot change pages for a task that is about to die. Such a
    breakpoint does nothing: whoever comes to it goes on, and it is gone then.
    """
    said = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout
    return [line for line in said.splitlines() if "failed to unregister, leaking uprobe" in line]


def test_a_breakpoint_is_seen_by_these_tests(answerer: Answerer) -> None:
    before = kernel_objects()
    tracer = tracing(PROGRAM, "-p", str(answerer.process.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while len(answerer.changed_code()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(answerer.changed_code()) == 2
    tracer.send_signal(signal.SIGINT)
    assert tracer.wait(30) == 0
    assert answerer.changed_code() == []
    assert wait_until_gone(before, tracer.pid) == NOTHING


_MORE = [pytest.param(moment, marks=pytest.mark.slow) for moment in range(8, 58)]


@pytest.mark.parametrize("moment", [*range(8), *_MORE])
def test_the_target_lives_and_nothing_remains(moment: int, answerer: Answerer) -> None:
    """0 to 1.3 s after the start; half of the tracers are told to end shortly before, and are detaching."""
    before, told = kernel_objects(), leaks_told()[-1:]
    tracer = tracing(PROGRAM, "-p", str(answerer.process.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    chance = random.Random(moment)
    end = time.monotonic() + chance.random() * 1.2
    while time.monotonic() < end:
        answerer.ask()
        time.sleep(0.005)
    if moment % 2:
        tracer.send_signal(signal.SIGINT)
        time.sleep(chance.random() * 0.15)
    tracer.kill()
    tracer.wait()
    answerer.ask()
    assert wait_until_gone(before, tracer.pid) == NOTHING
    changed = wait_for_clean_code(answerer) if leaks_told()[-1:] == told else []
    assert changed == []
    answerer.ask()
    status = Path(f"/proc/{answerer.process.pid}/status").read_text()
    assert "TracerPid:\t0" in status


@pytest.mark.parametrize("moment", [*range(8), *_MORE])
def test_a_command_goes_on_whenever_its_tracer_is_killed(moment: int, command: str) -> None:
    """From before its execve over the loader's work to the attaching of all of libc; the fixture asks it afterwards."""
    before = kernel_objects()
    tracer = tracing(PROGRAM, "-c", command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(moment).random() * 0.9)
    tracer.kill()
    tracer.wait()
    assert wait_until_gone(before, tracer.pid) == NOTHING
