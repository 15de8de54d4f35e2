"""What comes between the tracer's steps: threads, children and programs that are new, exceptions, several signals.

The process that is traced is as it was afterwards, and nothing waits for ever.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invivo.compiler import Request
from invivo.engines.process.breakpoints import Breakpoints
from invivo.engines.process.stepping import Stepper
from invivo.engines.process.threads import Thread
from invivo.engines.process.tracer import Hooks, Tracer
from invivo.linux import procfs, ptrace
from invivo.linux.maps import Mapping, read_maps
from invivo.session import Session
from invivo.symbols import objects
from tests.process.test_breakpoints import text_of
from tests.support import as_user, python_of_user, trigger

pytestmark = pytest.mark.process
LEAF = b"pid$target:a.out:leaf:entry,pid$target:a.out:leaf:return { @n = count(); }"


@pytest.fixture
def racing(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([trigger("races"), request.param], stdout=subprocess.PIPE, text=True)
    await_map(process.pid, trigger("races"))
    yield process
    process.kill()
    process.communicate()


def await_map(pid: int, path: str) -> None:
    """Wait until a process that was just started has its program's code mapped: its parts come one by one."""
    deadline = time.monotonic() + 30
    code = re.compile(rf" r-xp .* {re.escape(path)}$", re.MULTILINE)
    while time.monotonic() < deadline and not code.search(Path(f"/proc/{pid}/maps").read_text()):
        time.sleep(0.01)


def await_thread(pid: int) -> None:
    """Wait until a process has its second thread."""
    deadline = time.monotonic() + 30
    while len(procfs.threads(pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)


def used(pid: int) -> int:
    """CPU time of a process, in ticks."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))


def assert_goes_on(process: subprocess.Popen[str]) -> None:
    """It lives, nobody traces it, no thread of it stands still, and it gets on."""
    before, deadline = used(process.pid), time.monotonic() + 30
    while used(process.pid) == before and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    assert used(process.pid) != before
    assert "TracerPid:\t0" in Path(f"/proc/{process.pid}/status").read_text()


@pytest.mark.parametrize("racing", ["threads", "forks", "execs"], indirect=True)
def test_attached_and_let_go_again_and_again(racing: subprocess.Popen[str]) -> None:
    """Threads made by one that was seized already, children forked while bytes are put back, programs executed."""
    mode = racing.args[1]  # type: ignore[index]
    hits = 0
    for round_ in range(8):
        request, seconds = Request(LEAF, "leaf.d"), 0.004 * (round_ % 4)
        with Session(request, pid=racing.pid, duration=seconds, engine="process") as session:
            session.wait()
            if mode == "execs":
                racing.send_signal(signal.SIGUSR1)
                time.sleep(0.001 * (round_ % 3))
        hits += sum(session.aggregations["n"].values())
        assert racing.poll() is None, (round_, racing.returncode)
    assert_goes_on(racing)
    assert hits > 0
    if mode != "execs":
        racing.send_signal(signal.SIGTERM)
        out, _ = racing.communicate(timeout=30)
        assert (racing.returncode, out.split()) == (0, ["0"])


def test_a_thread_is_stepped_while_another_waits_for_its_vforked_child() -> None:
    """The one that waits cannot be stopped before its child, which is traced as well, has gone on."""
    path = trigger("races")
    plain = subprocess.run([path, "spawns", "7"], capture_output=True, text=True, check=True)
    assert plain.stdout.split() == [str(3 * 21), "0"]
    result = as_user(
        "run", "-q", "-e", "pid$target:a.out:stepped:entry { @ = count(); }", "-c", f"{path} spawns 4001", timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(3 * 4000 * 4001 // 2), "0", "4001"]


class Interrupted(BaseException):
    """As Ctrl-C raises it, at any place."""


def raising(real: Callable[..., object], after: int, is_done_first: bool) -> Callable[..., object]:
    calls = 0

    def wrapped(*arguments: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        number = calls  # there may be calls in it
        if number == after and not is_done_first:
            raise Interrupted
        result = real(*arguments, **keywords)
        if number == after:
            raise Interrupted
        return result

    return wrapped


@pytest.mark.parametrize("is_done_first", [False, True])
@pytest.mark.parametrize(
    ("owner", "name", "function", "after"),
    [
        (Breakpoints, "hit", "leaf", 5), (Tracer, "dispatch", "leaf", 6), (Tracer, "go", "leaf", 7),
        (ptrace, "write_registers", "leaf", 5), (ptrace, "read_registers", "leaf", 5), (Stepper, "step", "stepped", 3),
        (Tracer, "dispatch", "stepped", 9), (ptrace, "write_registers", "stepped", 4),
    ],
)  # fmt: skip
def test_an_exception_at_any_place(
    owner: object, name: str, function: str, after: int, is_done_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread whose stop was handled in part, or not at all, is put right and goes on."""
    path = trigger("races")
    mode = ["spawns", "100000000000"] if function == "stepped" else ["threads"]
    target = subprocess.Popen([path, *mode], stdout=subprocess.DEVNULL, text=True)
    try:
        await_map(target.pid, path)
        before = text_of(target.pid, path)
        program = f"pid$target:a.out:{function}:entry {{ @ = count(); }}".encode()
        session = Session(Request(program, "raising.d"), pid=target.pid, engine="process", duration=30)
        with pytest.raises(Interrupted), session:  # noqa: PT012
            monkeypatch.setattr(owner, name, raising(getattr(owner, name), after, is_done_first))
            session.wait()
        monkeypatch.undo()
        assert text_of(target.pid, path) == before
        assert_goes_on(target)
    finally:
        target.kill()
        target.wait()


SIGNALS = """
import signal, time
seen = set()
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH): signal.signal(number, lambda n, _: seen.add(n))
print("ready", flush=True)
while len(seen) < 3: pass
print(len(seen), flush=True)
"""


class Silent(Hooks):
    """Nothing is done at any stop."""

    def gone(self, thread: object) -> None: ...
    def signalled(self, thread: object, number: int) -> int:
        return number


def test_several_signals_that_come_while_a_thread_is_stepped() -> None:
    """Only one can be delivered when it goes on; the others are sent once more."""
    with subprocess.Popen([python_of_user(), "-c", SIGNALS], stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        tracer = Tracer(Silent())
        tracer.attach(target.pid)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
            os.kill(target.pid, number)
        (thread,) = tracer.threads.values()
        tracer.stepper.step(thread)
        assert (len(thread.later), bool(thread.deliver)) == (2, True)
        tracer.start(ptrace.PTRACE_CONT)
        while tracer.run():
            pass
        assert target.stdout.read() == "3\n"


@pytest.mark.parametrize("racing", ["execs"], indirect=True)
def test_a_thread_that_is_killed_before_its_turn_to_be_let_go(
    racing: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thread, let go, executes a program, which kills the first: that one stops anew, at its end, and the
    kernel has the other wait for it."""
    first, deadline, refused = racing.pid, time.monotonic() + 30, 0
    detach = ptrace.detach

    def after_exec(tid: int, number: int = 0) -> bool:
        nonlocal refused
        if tid != first or refused:
            return detach(tid, number)
        while procfs.state(second) != "D" and time.monotonic() < deadline:
            time.sleep(0.001)
        assert procfs.state(second) == "D"  # in execve(2)
        refused += 1
        return False  # as the kernel says while it is on its way to that stop

    await_thread(first)
    second = procfs.threads(first)[-1]
    tracer = Tracer(Silent())
    tracer.attach(first)
    stops = tracer.settle()
    assert ptrace.send_to_thread(first, second, signal.SIGUSR1)
    monkeypatch.setattr(ptrace, "detach", after_exec)
    tracer.detach({second: stops[second], first: stops[first]})
    assert refused == 1
    assert procfs.status(first)["TracerPid"] == "0"
    assert_goes_on(racing)


@pytest.mark.parametrize("racing", ["execs"], indirect=True)
def test_its_files_are_found_while_another_thread_executes_a_program(
    racing: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first thread's end and the other's taking its place the process has no memory."""
    await_thread(racing.pid)
    looks: list[int] = []

    def none_at_first(pid: int) -> list[Mapping] | None:
        looks.append(pid)
        return [] if len(looks) < 5 else read_maps(pid)

    monkeypatch.setattr(objects, "read_maps", none_at_first)
    assert objects.mapped_objects(racing.pid)[0].path == trigger("races")
    assert len(looks) == 5


ENDED = """
import ctypes, sys, threading
def echo():
    for line in sys.stdin: print(line, end="", flush=True)
threading.Thread(target=echo).start()
ctypes.CDLL(None).syscall(60, 0)
"""


def test_a_first_thread_that_has_ended_while_another_lives() -> None:
    """Its end is told when the other has ended; that one is stopped and let go, and answers."""

    class Until(Silent):
        def exiting(self, thread: Thread, status: int) -> None:
            tracer.should_stop = True
            ends.append(thread.tid)

    ends: list[int] = []
    command = [python_of_user(), "-c", f"input()\n{ENDED}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as target:
        assert target.stdin is not None
        assert target.stdout is not None
        tracer = Tracer(Until())
        tracer.attach(target.pid)
        tracer.start(ptrace.PTRACE_CONT)
        target.stdin.write("begin\n")
        target.stdin.flush()
        while not ends:
            tracer.run()
        deadline = time.monotonic() + 30
        while procfs.state(target.pid) != "Z" and time.monotonic() < deadline:
            time.sleep(0.001)
        assert ends == [target.pid]
        (other,) = (tid for tid in procfs.threads(target.pid) if tid != target.pid)
        tracer.detach()
        assert procfs.status(other)["TracerPid"] == "0"
        target.stdin.write("still here\n")
        target.stdin.flush()
        assert target.stdout.readline() == "still here\n"
        target.stdin.close()
        assert target.wait(30) == 0
