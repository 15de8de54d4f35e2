"""What a saturated redis or nginx loses under `flame cpu` and `flame offcpu`, beside `perf record -g` and bpftrace.

Two accounts. The first is of throughput: one load goes on all the time, the server on one processor and the load on
another. A short window with a tracer lies between two without, and the loss is of the mean of those; a server counts
its own requests. Given are the median over all such triples, and where it lies by 95 percent (bootstrap); and the
same for requests by second of the server's processor time, which other processes on the machine disturb less.

The second has no chance in it: processor seconds of the tracer's processes, and of its BPF programs as the kernel
counts them, by second. Of perf the kernel's part is not told.

A window with a tracer begins when it has no work left but tracing: it compiles, and reads programs, first. A tracer
is not pinned.

python bench/flame_cost.py [redis | nginx] [cpu | offcpu] [SECONDS in all, 200]
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from _bpf_time import BpfTime
from _peers import bpftraces, invivo, verdict
from _servers import SERVERS, Served, descendants, first_in_line, have, is_asleep, process_seconds

SECONDS = 200.0  # in all
WINDOW = 1.5  # seconds
BARS = {"flame cpu": 0.01, "flame offcpu": 0.05}


class Window(NamedTuple):
    """By second: requests, and requests by second of the server's processor time."""

    requests: float
    by_processor: float


class Round(NamedTuple):
    """One window with a tracer: the shares of throughput lost, and the shares of a processor that it used."""

    lost: float
    lost_by_processor: float
    processes: float
    programs: float
    runs: float  # of its BPF programs, by second


def tracers(pid: int, folder: str, kind: str) -> dict[str, list[str]]:
    """The words that start each tracer of a kind."""
    found = {f"flame {kind}": [*invivo().command, "flame", kind, "-p", str(pid), "-o", f"{folder}/{kind}.html"]}
    event = ["cpu-clock", "-F", "99"] if kind == "cpu" else ["sched:sched_switch"]
    if have("perf"):
        record = ["perf", "record", "-q", "-g", "-e", *event, "-p", str(pid), "-o", f"{folder}/perf.data"]
        found[f"perf record -g -e {event[0]}"] = record
    keys = "kstack, ustack, comm"
    text = f"profile:hz:99 /pid == {pid}/ {{ @[{keys}] = count(); }}"
    if kind == "offcpu":
        # Without a kernel probe it sees no resumed thread's own stack: stacks are counted where threads leave.
        text = (
            f"tracepoint:sched:sched_switch {{ if (pid == {pid}) {{ @t[tid] = nsecs; @s[{keys}] = count(); }} "
            "if (@t[args->next_pid]) { @d[args->next_comm] = sum(nsecs - @t[args->next_pid]); } }"
        )
    for peer in bpftraces()[:1]:
        found[f"{peer.name}, {kind}"] = [*peer.command, "-e", text]
    return found


def window(served: Served) -> Window:
    start, requests, seconds = time.monotonic(), served.requests(), served.seconds()
    time.sleep(WINDOW)
    requests = served.requests() - requests
    return Window(requests / (time.monotonic() - start), requests / (served.seconds() - seconds))


@contextmanager
def traced(command: list[str]) -> Iterator[int]:
    """A tracer beside what is inside, once it only traces; it gets an interrupt at the end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tracer:
        settle(tracer.pid)
        if tracer.poll() is not None:
            raise SystemExit(f"{command[0]} ended at once: {tracer.stderr.read() if tracer.stderr else ''}")
        try:
            yield tracer.pid
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=60)


def settle(pid: int) -> None:
    """Wait until a tracer, once it has begun, sleeps most of half a second (and does not only wait for a processor)."""
    quiet = 0
    before = used(pid)
    for _ in range(300):
        time.sleep(0.1)
        now = used(pid)
        sleeps = all(map(is_asleep, descendants(pid)))
        quiet = quiet + 1 if before > 0.01 and now - before < 0.01 and sleeps else 0
        if quiet == 5:
            return
        before = now


def used(pid: int) -> float:
    """Processor seconds of a tracer's processes."""
    return sum(map(process_seconds, descendants(pid)))


def one_round(served: Served, command: list[str], before: Window, bpf: BpfTime) -> tuple[Round, Window]:
    """A window with a tracer, and the one without behind it, which is the next round's first."""
    with traced(command) as pid:
        start, processes, programs = time.monotonic(), used(pid), bpf.of(descendants(pid))
        during = window(served)
        processes, programs = used(pid) - processes, bpf.of(descendants(pid)) - programs
        passed = time.monotonic() - start
    after = window(served)
    lost = (1 - 2 * now / (first + last) for first, now, last in zip(before, during, after, strict=True))
    return Round(*lost, processes / passed, programs.seconds / passed, programs.runs / passed), after


def interval(values: list[float]) -> tuple[float, float]:
    """Where the median lies by 95 percent, by 2,000 samples drawn from the values."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def measured(served: Served, commands: dict[str, list[str]], seconds: float) -> dict[str, list[Round]]:
    """Rounds of each tracer in turn, for so long."""
    results: dict[str, list[Round]] = {name: [] for name in commands}
    end, longest = time.monotonic() + seconds, 0.0
    with BpfTime() as bpf:
        last = window(served)
        while time.monotonic() + longest < end:
            start = time.monotonic()
            for name, command in commands.items():
                found, last = one_round(served, command, last, bpf)
                results[name].append(found)
            longest = max(longest, time.monotonic() - start)
            lost = ", ".join(f"{name} {rounds[-1].lost:.1%}" for name, rounds in results.items())
            print(f"  {last.requests:.0f} /s without; lost: {lost}", flush=True)
    return results


def show(results: dict[str, list[Round]]) -> None:
    """The figures of each tracer."""
    for name, rounds in results.items():
        lost, by_processor, processes, programs, runs = map(list, zip(*rounds, strict=True))
        print(f"{name}, {len(rounds)} rounds")
        for what, values in (("", lost), (" by second of the server's processor time", by_processor)):
            low, high = interval(values)
            print(f"  requests lost{what}: {statistics.median(values):.2%}, by 95 percent {low:.2%} to {high:.2%}")
        in_kernel = "in the kernel: not told"
        if any(runs):
            each = sum(programs) / sum(runs) * 1e6
            in_kernel = f"BPF programs {statistics.median(programs):.2%} ({statistics.median(runs):.0f} runs a second, "
            in_kernel += f"{each:.2f} us each)"
        print(f"  used of a processor: processes {statistics.median(processes):.2%}, {in_kernel}")


def judge(results: dict[str, list[Round]]) -> None:
    """Bars and ratios."""
    lost = {name: statistics.median(found.lost for found in rounds) for name, rounds in results.items()}
    use = {
        name: statistics.median(found.processes + found.programs for found in rounds)
        for name, rounds in results.items()
    }
    own, *peers = results
    low, high = interval([found.lost for found in results[own]])
    if high - low > BARS[own]:
        print("  the interval is wider than the bar: more seconds, or a quieter machine, would decide")
    verdict(f"{own}: requests lost, percent", 100 * lost[own], 100 * BARS[own])
    verdict(f"{own}: used of a processor, percent", 100 * use[own], 100 * BARS[own])
    for peer in peers:
        has_programs = any(found.runs for found in results[peer])  # else most of what it uses is not told
        ratio = f"; used {use[own] / use[peer]:.2f} of what it uses" if has_programs else ""
        print(f"  beside {peer}: {lost[own]:.2%} to {lost[peer]:.2%} lost{ratio}")


def main() -> None:
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in SERVERS else "redis"
    kinds = [words.pop(0)] if words and words[0] in ("cpu", "offcpu") else ["cpu", "offcpu"]
    seconds = float(words[0]) if words else SECONDS
    serve, programs, what = SERVERS[name]
    if not all(map(have, programs)):
        print(f"no {name} is to be had: apt-get install {' '.join(programs)}", file=sys.stderr)
        return
    first_in_line()
    print(f"{name}: {what}; {os.cpu_count()} processors, windows of {WINDOW} s", flush=True)
    with tempfile.TemporaryDirectory() as folder, serve(folder) as served:
        time.sleep(WINDOW)
        for kind in kinds:
            results = measured(served, tracers(served.pid, folder, kind), seconds / len(kinds))
            show(results)
            judge(results)
            assert Path(folder, f"{kind}.html").stat().st_size > 10_000


if __name__ == "__main__":
    main()
