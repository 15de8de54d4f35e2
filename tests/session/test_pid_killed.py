"""SIGKILL of the tracer at any moment of attaching, tracing and detaching: the target lives, no probe remains in it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.linux.maps import read_maps
from tests.session.test_nothing_left import NOTHING, command, kernel_objects, processes_of, tracing, wait_until_gone
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
        time.sleep(0.02)  # without a call: a breakpoint that was forgotten would go when it is hit
    return changed


def leaks_told() -> list[str]:
    """The kernel's words about breakpoints that it left behind, because their owner was killed while it took them away
    (uprobe_unregister_nosync() in kernel/events/uprobes.c)."""
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
    assert keepers(tracer) == []
    assert wait_for_clean_code(answerer) == []
    assert leaks_told()[-1:] == told
    answerer.ask()
    status = Path(f"/proc/{answerer.process.pid}/status").read_text()
    assert "TracerPid:\t0" in status


@pytest.mark.parametrize("moment", [*range(8), *_MORE])
def test_a_command_goes_on_whenever_its_tracer_is_killed(moment: int, command: str) -> None:
    """From before its execve over the loader's work to the attaching of all of libc; the fixture asks it afterwards."""
    before, told = kernel_objects(), leaks_told()[-1:]
    tracer = tracing(PROGRAM, "-c", command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(moment).random() * 0.9)
    tracer.kill()
    tracer.wait()
    assert wait_until_gone(before, tracer.pid) == NOTHING
    assert keepers(tracer) == []
    assert leaks_told()[-1:] == told


# --- the process that holds the probes ---


def keepers(tracer: subprocess.Popen[str], are_wanted: bool = False) -> list[int]:
    """Those that a tracer has started and that live; waits at most ten seconds for some, or for their end."""
    deadline = time.monotonic() + 10
    while bool(found := processes_of(tracer.pid, "invivo-keeper")) != are_wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def armed(answerer: Answerer, *words: str) -> tuple[subprocess.Popen[str], int]:
    """A tracer whose probes are in the target, and its keeper."""
    program = "pid$target:a.out:answer:entry { @ = count(); }"
    tracer = tracing(
        program, "-p", str(answerer.process.pid), *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not answerer.changed_code() and time.monotonic() < deadline:
        time.sleep(0.02)
    (keeper,) = keepers(tracer, are_wanted=True)
    return tracer, keeper


def test_the_death_of_the_keeper_is_an_error_and_what_was_counted_is_printed(answerer: Answerer) -> None:
    before = kernel_objects()
    tracer, keeper = armed(answerer)
    for _ in range(7):
        answerer.ask()
    os.kill(keeper, signal.SIGKILL)
    output, errors = tracer.communicate(timeout=30)
    assert tracer.returncode == 1
    assert output.split() == ["7"]
    assert f"({keeper}, invivo-keeper) was killed by signal 9: none of them fires any more" in errors
    assert wait_until_gone(before, tracer.pid) == NOTHING
    answerer.ask()


def test_the_keeper_minds_no_signal_and_ends_with_its_tracer(answerer: Answerer) -> None:
    tracer, keeper = armed(answerer)
    assert os.getsid(keeper) == keeper, "the terminal's signals do not reach it"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM):
        os.kill(keeper, number)
    for _ in range(5):
        answerer.ask()
    tracer.send_signal(signal.SIGINT)
    output, errors = tracer.communicate(timeout=30)
    assert (tracer.returncode, output.split(), errors) == (0, ["5"], "")
    assert not Path(f"/proc/{keeper}").exists()
    assert answerer.changed_code() == []


def test_the_keeper_holds_nothing_but_its_links(answerer: Answerer) -> None:
    """/dev/null three times, a link, a socket, a pidfd: whoever reads our output sees its end with ours."""
    tracer, keeper = armed(answerer)
    places = sorted(os.readlink(path) for path in Path(f"/proc/{keeper}/fd").iterdir())
    assert places[:3] == ["/dev/null"] * 3
    assert len(places) == 6
    assert [kind for kind in ("bpf_link", "pidfd", "socket") if any(kind in place for place in places)] == [
        "bpf_link", "pidfd", "socket"
    ]  # fmt: skip
    assert "bpf-map" not in Path(f"/proc/{keeper}/maps").read_text()
    tracer.kill()
    tracer.communicate(timeout=30)
    assert keepers(tracer) == []


def test_no_keeper_without_probes_in_programs(answerer: Answerer) -> None:
    tracer = tracing(
        'BEGIN { printf("begun\\n"); } syscall:::entry { @ = count(); }', "-p", str(answerer.process.pid),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert tracer.stdout is not None
    assert tracer.stdout.readline() == "begun\n"
    assert processes_of(tracer.pid, "invivo-keeper") == []
    tracer.send_signal(signal.SIGINT)
    tracer.communicate(timeout=30)
    assert tracer.returncode == 0
