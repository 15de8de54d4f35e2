"""What the process engine costs the traced program, beside strace, in one run: system calls, and functions.

    entries and returns counted       15.1 us a call       66,000 a second  0.21 of strace's
    not traced, under the filter      1.21 of untraced: 35 ns more

The program is tests/triggers/loop.c, which makes N system calls and prints what each took it. Pairs are taken in turn,
and the best of several counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRACED, UNTRACED, ROUNDS = 20_000, 3_000_000, 3
ENTRY = "syscall::getppid:entry { @ = count(); }"


def built(name: str, directory: str) -> str:
    path = os.path.join(directory, name)
    subprocess.run(["cc", "-O1", "-pthread", "-o", path, str(ROOT / "tests" / "triggers" / f"{name}.c")], check=True)
    return path


def invivo(program: str, *command: str) -> list[str]:
    """The command line that traces `command`."""
    return [
        sys.executable, "-m", "invivo", "run", "-q", "-o", os.devnull, "--engine", "process", "-e", program,
        "-c", " ".join(command),
    ]  # fmt: skip


def nanoseconds(command: list[str]) -> float:
    """What the trigger says that one call took."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=True)
    return float(run.stdout.split()[0])


def best(*commands: list[str]) -> list[float]:
    """The best of several rounds for each command, taken in turn."""
    rounds = [[nanoseconds(command) for command in commands] for _ in range(ROUNDS)]
    return [min(values) for values in zip(*rounds, strict=True)]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        loop = built("loop", directory)
        traced = [loop, str(TRACED)]
        returns = "syscall::getppid:entry,syscall::getppid:return"
        commands = {
            "untraced": traced,
            "entries counted": invivo(ENTRY, *traced),
            "entries and returns counted": invivo(f"{returns} {{ @ = count(); }}", *traced),
            "the same by result and name": invivo(f"{returns} {{ @[execname, errno] = count(); }}", *traced),
        }
        if strace := shutil.which("strace"):
            commands["strace"] = [strace, "-f", "-o", os.devnull, *traced]
        took = dict(zip(commands, best(*commands.values()), strict=True))
        plain = took["untraced"]
        for name, each in took.items():
            beside = f"  {(each - plain) / (took['strace'] - plain):5.2f} of strace's" if "strace" in took else ""
            print(f"{name:34} {each / 1e3:8.2f} us a call  {1e9 / each:11,.0f} a second{beside}")
        if not strace:
            print("no strace to compare with: apt-get install strace")
        print("bars: 0.60 of strace's, 60,000 a second. strace takes 17 us a call where it happens to share the CPU of")
        print("the program, as on a busy machine, and 70 us and more where it does not.")
        many = [loop, str(UNTRACED)]
        without, filtered = best(many, invivo("syscall::openat:entry { @ = count(); }", *many))
        more = filtered - without
        print(f"{'not traced, under the filter':34} {filtered / without:8.3f} of untraced: {more:.0f} ns more a call")
        print(f"bar: 1.05. That is met by calls of {20 * more:.0f} ns and more; getppid(2) is the shortest of all.")


if __name__ == "__main__":
    main()
