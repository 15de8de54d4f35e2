"""After any end, kill -9 included, nothing of invivo is left in the kernel, and the traced command lives."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.kernel

PROGRAM = """
syscall:::entry { @[probefunc] = count(); self->t = timestamp; }
syscall:::return /self->t/ { @t = quantize(timestamp - self->t); self->t = 0; }
sched:::off-cpu { @s[stack()] = count(); }
profile-97 { @p = count(); }
sdt:sched::sched_wakeup { @w = count(); }
tick-10ms { printa(@p); }
"""


def kernel_objects() -> dict[str, set[int]]:
    """Ids of all programs, maps and links in the kernel."""
    from invivo.bpf import enumerate as listing

    return {
        "programs": {item.id for item in listing.programs()},
        "maps": {item.id for item in listing.maps()},
        "links": {item.id for item in listing.links()},
    }


NOTHING: dict[str, set[int]] = {"programs": set(), "maps": set(), "links": set()}


_marks: dict[int, bytes] = {}  # by the pid of what `tracing` started: a variable in the environment of all its children


def tracing(program: str, *arguments: str, **keywords: object) -> subprocess.Popen[str]:
    """An `invivo run` in a session of its own, and with a mark in its environment, by which all that it starts is
    known."""
    return started("run", "-q", "-e", program, *arguments, **keywords)


def started(*arguments: str, **keywords: object) -> subprocess.Popen[str]:
    """Likewise any command of invivo."""
    words = [sys.executable, "-m", "invivo", *arguments]
    mark = uuid.uuid4().hex
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "INVIVO_TEST": mark}
    process = subprocess.Popen(words, text=True, env=environment, start_new_session=True, **keywords)  # type: ignore[call-overload]
    _marks[process.pid] = f"INVIVO_TEST={mark}".encode()
    return process  # type: ignore[no-any-return]


def is_of(session: int, entry: str) -> bool:
    """Whether a process belongs to what `tracing` started as `session`; raises OSError if it has ended."""
    return os.getsid(int(entry)) == session or _marks[session] in Path(f"/proc/{entry}/environ").read_bytes()


def processes_of(session: int, name: str) -> list[int]:
    """Pids of the processes of that name, zombies left out, which belong to what `tracing` started as `session`."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{entry}/comm").read_text().strip() == name and is_of(session, entry):
                found.append(int(entry))
    return found


def held_by_others(session: int) -> dict[str, set[int]]:
    """Objects of which a living process outside of the session has a descriptor: other tracers on this machine."""
    found: dict[str, set[int]] = {kind: set() for kind in NOTHING}
    for entry in os.listdir("/proc"):
        try:
            if not entry.isdigit() or is_of(session, entry):
                continue
            texts = [path.read_text() for path in Path(f"/proc/{entry}/fdinfo").iterdir()]
        except OSError:
            continue  # ended meanwhile
        for kind, number in re.findall(r"^(prog|map|link)_id:\t(\d+)$", "\n".join(texts), re.M):
            found[{"prog": "programs", "map": "maps", "link": "links"}[kind]].add(int(number))
    return found


def new_objects(before: dict[str, set[int]], session: int) -> dict[str, set[int]]:
    """What the session's processes have made, and what nobody holds any more."""
    now, others = kernel_objects(), held_by_others(session)
    return {kind: now[kind] - before[kind] - others[kind] for kind in now}


def wait_until_gone(before: dict[str, set[int]], session: int) -> dict[str, set[int]]:
    """What is new after at most ten seconds; the kernel frees objects a grace period late."""
    deadline = time.monotonic() + 10
    while any((left := new_objects(before, session)).values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


@pytest.fixture
def command(tmp_path: Path) -> Iterator[str]:
    """A command that writes its pid to a file and then lives for a while."""
    path = tmp_path / "pid"
    yield f"{sys.executable} -c \"import os, time; open('{path}', 'w').write(str(os.getpid()) + '.'); time.sleep(120)\""
    if path.exists():
        deadline = time.monotonic() + 10
        while not (text := path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)  # opened, and not written yet
        pid = int(text.rstrip("."))
        assert Path(f"/proc/{pid}").exists(), "the traced command died"
        state = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("State"))
        assert state.split()[1] in "SRD", f"the traced command is not running: {state}"
        assert "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text()
        os.kill(pid, signal.SIGKILL)


_MORE = [pytest.param(moment, marks=pytest.mark.slow) for moment in range(50, 150)]


@pytest.mark.parametrize("moment", [*range(50), *_MORE])
def test_kill_at_a_random_moment(moment: int, command: str) -> None:
    """SIGKILL 0 to 1 s after the start: during start-up, tracing, printing."""
    before = kernel_objects()
    tracer = tracing(PROGRAM, "-c", command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(moment).random() ** 2)
    tracer.kill()
    tracer.wait()
    assert wait_until_gone(before, tracer.pid) == NOTHING
    uprobes = Path("/sys/kernel/tracing/uprobe_events")
    assert not uprobes.exists() or "invivo" not in uprobes.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_in_good_order(number: signal.Signals) -> None:
    """Ctrl-C prints what was gathered."""
    before = kernel_objects()
    program = 'BEGIN { @["begun"] = count(); } tick-1ms { @["tick"] = count(); printf("ticks\\n"); }'
    tracer = tracing(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert tracer.stdout is not None
    assert tracer.stdout.readline() == "ticks\n"
    assert new_objects(before, tracer.pid)["programs"]
    tracer.send_signal(number)
    output, errors = tracer.communicate(timeout=30)
    assert tracer.returncode == 0, errors
    assert "begun" in output
    assert "tick" in output
    assert wait_until_gone(before, tracer.pid) == NOTHING


def test_a_normal_end_leaves_nothing() -> None:
    before = kernel_objects()
    tracer = tracing(PROGRAM, "-c", "true", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, errors = tracer.communicate(timeout=30)
    assert tracer.returncode == 0, errors
    assert wait_until_gone(before, tracer.pid) == NOTHING
