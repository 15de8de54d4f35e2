"""What the process engine costs the traced program, beside strace, in one run: system calls, and whole programs.

    strace as it comes         the bar's peer: `strace -o /dev/null PROGRAM`, and the scheduler places both
    strace on one CPU          for information: both on the CPU that taskset(1) gives them, which nobody types
    ours                       as ours comes: it shares the program's CPU by itself

The program is tests/triggers/loop.c, which makes N system calls and prints what each took it. All are taken in turn,
and the median counts. Under a filter that wants a call which nobody makes, getppid(2) is the worst case, for it is
the shortest of all calls; the bar is for whole programs, which are run in pairs with and without.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "bench"))

from _peers import interleaved, show, verdict  # noqa: E402

TRACED, UNTRACED, ROUNDS, PAIRS = 20_000, 3_000_000, 5, 9
ENTRY, BOTH = "syscall::getppid:entry", "syscall::getppid:entry,syscall::getppid:return"
NEVER_MADE = "syscall::settimeofday:entry { @ = count(); }"
BREAKPOINTS, BREAKPOINT_US = ("push", "endbr64_push"), 25.0
PROGRAMS = {
    "find /usr": ["find", "/usr", "-xdev", "-newer", "/"],
    "tar of /usr/share": ["tar", "cf", "/dev/null", "--warning=none", "/usr/share/doc"],
    "grep -r": ["grep", "-r", "no such words at all", "/usr/include", "/usr/lib/python3"],
    "python3, 2,000,000 rounds": ["python3", "-c", "for i in range(2000000): i * i"],
    "sh, 300 commands": ["sh", "-c", "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done"],
}
# Runs its arguments, and prints how many seconds they took: what starts invivo is not part of it.
TIMED = (
    "import subprocess, sys, time; t = time.perf_counter(); "
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
    "print(time.perf_counter() - t)"
)


def built(name: str, directory: str) -> str:
    path = os.path.join(directory, name)
    subprocess.run(["cc", "-O1", "-pthread", "-o", path, str(ROOT / "tests" / "triggers" / f"{name}.c")], check=True)
    return path


def invivo(program: str, *command: str) -> list[str]:
    """The command line that traces `command`."""
    import shlex

    return [
        sys.executable, "-m", "invivo", "run", "-q", "-o", os.devnull, "--engine", "process", "-e", program,
        "-c", shlex.join(command),
    ]  # fmt: skip


def printed(command: list[str]) -> float:
    """The number that a command prints first."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=True)
    return float(run.stdout.split()[0])


def medians(commands: dict[str, list[str]], rounds: int, unit: str, form: str = "8.1f") -> dict[str, float]:
    measures = {name: (lambda command=command: printed(command)) for name, command in commands.items()}
    return {name: show(name, values, unit, form) for name, values in interleaved(measures, rounds).items()}


def traced_calls(loop: str) -> None:
    traced = [loop, str(TRACED)]
    commands = {
        "untraced": traced,
        "entries": invivo(f"{ENTRY} {{ @ = count(); }}", *traced),
        "entries and returns": invivo(f"{BOTH} {{ @ = count(); }}", *traced),
        "the same by name and result": invivo(f"{BOTH} {{ @[execname, errno] = count(); }}", *traced),
    }
    if strace := shutil.which("strace"):
        commands["strace as it comes"] = [strace, "-o", os.devnull, *traced]
        cpu = str(min(os.sched_getaffinity(0)))
        commands["strace on one CPU"] = ["taskset", "-c", cpu, *commands["strace as it comes"]]
    else:
        print("no strace to compare with: apt-get install strace")
    print(f"ns per getppid(2), {TRACED:,} in a row")
    took = medians(commands, ROUNDS, "ns")
    for name in ("entries", "entries and returns", "the same by name and result"):
        lost = took[name] - took["untraced"]
        if strace:
            verdict(f"{name} / strace as it comes", lost / (took["strace as it comes"] - took["untraced"]), 0.6)
            on_one = lost / (took["strace on one CPU"] - took["untraced"])
            print(f"    beside strace on one CPU: {on_one:.2f} (for information)")
        verdict(f"{name}: thousand traced calls a second", 1e6 / took[name], 60, at_least=True)


def breakpoints(shapes: str) -> None:
    """Functions that begin with an instruction that the tracer carries out itself."""
    print(f"us per call of a function with a breakpoint, {TRACED:,} in a row")
    for function in BREAKPOINTS:
        program = [shapes, function, str(TRACED), "wall"]
        command = invivo(f"pid$target:a.out:{function}:entry {{ @ = count(); }}", *program)
        values = [(printed(command) - printed(program)) / 1e3 for _ in range(ROUNDS)]
        verdict(f"{function}, emulated", show(function, values, "us"), BREAKPOINT_US)


def untraced_calls(loop: str) -> None:
    many = [loop, str(UNTRACED)]
    print("not traced, under a filter: the shortest of all calls")
    took = medians({"getppid": many, "getppid under a filter": invivo(NEVER_MADE, *many)}, ROUNDS, "ns")
    without, filtered = took.values()
    print(f"  worst case: {filtered / without:.3f} of untraced, {filtered - without:.0f} ns more a call")
    print(f"not traced, under a filter: whole programs, {PAIRS} pairs")
    ratios = []
    for name, program in PROGRAMS.items():
        own = [sys.executable, "-S", "-E", "-c", TIMED, *program]
        other = invivo(NEVER_MADE, *own)
        printed(own)  # what it reads is in memory then
        pairs = [(printed(other), printed(own)) for _ in range(PAIRS)]
        ratios.append(show(name, [filtered / without for filtered, without in pairs], "of untraced", "6.3f"))
    verdict("median of the programs", statistics.median(ratios), 1.05)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        loop = built("loop", directory)
        traced_calls(loop)
        breakpoints(built("shapes", directory))
        untraced_calls(loop)


if __name__ == "__main__":
    main()
