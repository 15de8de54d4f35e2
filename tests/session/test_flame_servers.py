"""Servers under load, a Go and a C++ program: graphs beside what perf records of the same run.

What is sampled is pinned to one processor, and what makes its load to another. perf samples the former (`-C`), by the
same software clock, and unwinds by DWARF; its samples of the process are then chosen. At another rate: of two timers of
one period, one always fires just so long after the other, when what that one has set off is running (half second by
half second the one was seen to find redis running in 41 of 100 samples, the other in 45). Not `-p`: an event of a
thread is taken off its clock and put on again at each switch, which costs so much of a server's time there that perf
sees up to ten points too much in finish_task_switch. Not `-a`: perf copies kilobytes of stack for each sample of all
that runs, and does not keep up on a busy machine. A run of which perf lost more than one sample in a hundred, by its
own account, is not compared.

The two clocks are not one, so that chance remains: of n samples a share of p is off by sqrt(p(1-p)/n). Two graphs of
invivo's own, of one run, differ by as much from each other (two points, at 3,000 samples) as from perf's. So samples
are gathered, run after run, until there are ENOUGH for four such deviations to be less than the two points that are
asked for: of a hundred frames none is then further off by chance. How many come in a second depends on what else
the machine does.
"""

from __future__ import annotations

import math
import re
import signal
import subprocess
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from invivo.flame.profile import Frame, Kind, Profile
from tests.docs.server_examples import need
from tests.session.loads import LOADS, PLACES, Load
from tests.support import invivo

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

SECONDS = 20
HZ, PERF_HZ = 1999, 1733
POINTS = 0.02
ENOUGH = 25_000  # samples; of so many, four deviations of a difference are at most 1.8 points
MOST_RUNS = 8
LARGE = 0.05  # share from which on a frame is compared


@contextmanager
def perf(recorded: Path, *events: str) -> Iterator[None]:
    """perf records within the block."""
    options = ["-q", "-m", "32M", "-k", "CLOCK_MONOTONIC", *events, "-o", str(recorded)]
    command = [need("perf", "linux-perf"), "record", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as recorder:
        try:
            yield
            recorder.send_signal(signal.SIGINT)
            recorder.communicate(timeout=60)
        finally:
            recorder.kill()


def window(profile: Profile) -> tuple[str, str]:
    """perf script's option for the time that a profile is of."""
    offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    start = profile.start_ns - offset
    return "--time", f"{start / 1e9:.6f},{start / 1e9 + SECONDS:.6f}"


def lost(recorded: Path) -> float:
    """The share of its samples that perf says it lost."""
    command = ["perf", "script", "--show-lost-events", "-F", "comm,event", "-i", str(recorded)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace", timeout=300).stdout
    missing = sum(int(number) for number in re.findall(r"PERF_RECORD_LOST(?:_SAMPLES)? lost (\d+)", text))
    return missing / max(1, text.count("\n") + missing)


def scripted(recorded: Path, *options: str) -> Path:
    """What perf recorded, as text."""
    text = recorded.with_suffix(".txt")
    with text.open("wb") as stream:
        command = ["perf", "script", "--no-inline", *options, "-i", str(recorded)]
        subprocess.run(command, check=True, stdout=stream, stderr=subprocess.DEVNULL, timeout=300)
    return text


def own(kind: str, load: Load, folder: Path, *options: str) -> Profile:
    """invivo's graph, of the threads in question."""
    out = folder / f"{kind}.html"
    whom = ["-a", "-x", "unwindsize=512m"] if load.pid is None else ["-p", str(load.pid)]
    result = invivo("flame", kind, *whom, *options, "-d", str(SECONDS), "-o", str(out), timeout=180)
    assert result.returncode == 0, result.stderr
    # Others on the machine may map files faster than can be noted; what is traced here maps nothing new.
    losses = [line for line in result.stderr.splitlines() if "lost mapping records" not in line]
    assert not re.search(r"lost| drops", "\n".join(losses)), result.stderr
    profile = read_profile(str(out))
    if load.pid is None:
        chosen = [thread.name == load.name for thread in profile.threads]
        profile.keep([place for place, thread in enumerate(profile.sample_threads) if chosen[thread]])
    return profile


# Frames without names, the tracepoint's own, which is entered in two ways, and what lies above main().
_IGNORED = re.compile(r"\[|__traceiter_|^__schedule$|^_?start")
_VERSION = re.compile(r"@@?[A-Z][A-Z_0-9.]*$")


def plain(frame: Frame) -> str:
    """A function's name without what one of its symbols says and another not: libc's write() has four; and without the
    types of its arguments."""
    name = frame.name.partition("(")[0] or frame.name
    if frame.kind is Kind.KERNEL:
        return name.partition(".isra")[0].partition(".part")[0].partition(".constprop")[0]
    return _VERSION.sub("", name).removeprefix("__GI_").removeprefix("__libc_").removeprefix("__")


class Counts:
    """Samples by function: those of its own, and those with all that it calls. Frames of one plain name become one."""

    def __init__(self) -> None:
        self.samples = 0
        self.total = 0
        self._found: Counter[tuple[str, str]] = Counter()

    def add(self, profile: Profile) -> None:
        """More samples, of another run."""
        numbers: dict[str, int] = {}
        places = [numbers.setdefault(plain(frame), number) for number, frame in enumerate(profile.frames)]
        profile.node_frames = array("i", (-1, *(places[frame] for frame in profile.node_frames[1:])))
        for number, (alone, whole) in profile.by_function().items():
            name = plain(profile.frames[number])
            self._found[name, "own"] += alone
            self._found[name, "all"] += whole
        self.total += profile.total
        self.samples += len(profile.nodes)

    def shares(self) -> dict[tuple[str, str], float]:
        """Of each function, of all."""
        return {key: count / self.total for key, count in self._found.items()}


def keep_inside(profile: Profile, function: str) -> None:
    """Leave only samples of which a function is part."""
    inside = profile.inside([frame.name == function for frame in profile.frames])
    profile.keep([place for place, node in enumerate(profile.nodes) if inside[node]])


def disagreements(
    ours: Counts, theirs: Counts, samples: float, kinds: tuple[str, ...] = ("own", "all")
) -> tuple[int, list[str]]:
    """How many frames above 5 percent both name, and which of them are further apart than two points and chance."""
    mine, others = ours.shares(), theirs.shares()
    compared, wrong = 0, []
    for key in mine.keys() & others.keys():
        a, b = mine[key], others[key]
        if max(a, b) < LARGE or _IGNORED.search(key[0]) or key[1] not in kinds:
            continue
        compared += 1
        middle = min((a + b) / 2, 1.0)
        deviation = (2 * middle * (1 - middle) / samples) ** 0.5
        if abs(a - b) > max(POINTS, 4 * deviation):
            wrong.append(f"{' '.join(key)}: {a:.3f} {b:.3f}")
    for key, b in others.items():
        if b >= LARGE and key[1] in kinds and key not in mine and not _IGNORED.search(key[0]):
            wrong.append(f"{' '.join(key)}: not seen, {b:.3f} by perf")
    return compared, wrong


@pytest.mark.parametrize("name", LOADS)
def test_where_processors_are_used_agrees_with_perf(name: str, place: Path) -> None:
    ours, theirs = Counts(), Counts()
    with ExitStack() as stack:
        load: Load = stack.enter_context(LOADS[name](place))  # type: ignore[arg-type]
        for _ in range(MOST_RUNS):
            sample(name, load, place, ours, theirs)
            samples = min(ours.samples, theirs.samples)
            if samples >= ENOUGH:
                break
    kinds = ("own",) if name == "go" else ("own", "all")
    assert samples > 1000
    compared, wrong = disagreements(ours, theirs, samples, kinds)
    assert not wrong, f"of {compared}, ours and perf's, {samples} samples: {wrong}"
    assert compared >= (4 if name in ("go", "c++") else 12)


def sample(name: str, load: Load, place: Path, ours: Counts, theirs: Counts) -> None:
    """One run, by both."""
    # Go's unwind rules perf cannot read; by frame pointers it misses who called a function without a frame, as memmove.
    unwound = {"go": "fp", "postgres": "dwarf,16384"}.get(name, "dwarf,4096")
    recorded = place / "cpu.data"
    with perf(recorded, "-C", str(PLACES[-1]), "-e", "cpu-clock", "-F", str(PERF_HZ), "--call-graph", unwound):
        mine = own("cpu", load, place, "-F", str(HZ))
    # Of the same time as perf's: on a busy machine it may begin before it says so, and end later.
    mine.keep([place for place, at in enumerate(mine.times) if 0 < at < SECONDS * 10**9])
    if lost(recorded) > 0.01:
        return
    chosen = ["--comm", load.name] if load.pid is None else ["--pid", str(load.pid)]
    others = read_profile(str(scripted(recorded, *chosen, *window(mine))))
    if name == "postgres":  # perf reaches main() from 97 of 100 stacks only
        keep_inside(mine, "main")
        keep_inside(others, "main")
    ours.add(mine)
    theirs.add(others)


_SWITCH = re.compile(
    r"^\s*\S.*?\s(?P<tid>\d+)\s+\[\d+\]\s+(?P<s>\d+)\.(?P<ns>\d+):\s+sched:sched_switch:.*prev_comm=(?P<name>.*)"
    r" prev_pid=(?P<out>\d+).*prev_state=(?P<state>\S+) ==> .*next_pid=(?P<in>\d+)"
)


def waits_of(text: Path, name: str) -> tuple[Profile, set[int]]:
    """The waits of the threads of a name by perf's records of switches: from where one leaves asleep to where it comes
    back; and the threads that waited a hundred times or more."""
    profile = Profile("ns")
    left: dict[int, tuple[int, list[Frame]]] = {}
    waits: dict[int, list[tuple[int, int]]] = {}
    stack: list[Frame] = []
    with text.open(errors="replace") as lines:
        for line in lines:
            if match := _SWITCH.match(line):
                at = int(match["s"]) * 10**9 + int(match["ns"].ljust(9, "0"))
                came, went = int(match["in"]), int(match["out"])
                if came in left:
                    since, frames = left.pop(came)
                    node = profile.node(reversed(frames))
                    waits.setdefault(came, []).append((node, at - since))
                stack = []
                if match["name"] == name and match["state"][0] in "SD":
                    left[went] = (at, stack)
            elif line.strip():
                kind = Kind.KERNEL if "[kernel.kallsyms]" in line else Kind.USER
                stack.append(Frame(line.split()[1].partition("+0x")[0], kind=kind))
    often = {tid for tid, found in waits.items() if len(found) >= 100}
    for tid in often:
        for node, weight in waits[tid]:
            profile.add(node, weight)
    return profile, often


@pytest.mark.parametrize("name", ["redis", "nginx", "postgres"])
def test_where_threads_wait_agrees_with_perf(name: str, place: Path) -> None:
    with ExitStack() as stack:
        load: Load = stack.enter_context(LOADS[name](place))  # type: ignore[arg-type]
        stack.enter_context(perf(place / "off.data", "-a", "-e", "sched:sched_switch", "-g"))
        ours = own("offcpu", load, place)
    theirs, often = waits_of(scripted(place / "off.data", "--ns", *window(ours)), load.name)
    # perf does not count a wait that is open at the start or the end: of threads that seldom wait, those are most.
    waits = [ours.threads[thread].tid in often for thread in ours.sample_threads]
    ours.keep([place for place, is_often in enumerate(waits) if is_often])
    assert len(theirs.nodes) > 100
    mine, others = Counts(), Counts()
    mine.add(ours)
    others.add(theirs)
    compared, wrong = disagreements(mine, others, math.inf)
    assert not wrong, f"of {compared}, ours and perf's: {wrong}"
    assert compared >= 4
