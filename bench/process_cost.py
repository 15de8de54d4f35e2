"""What the process engine costs the traced program, beside strace, in one run: system calls, and functions.

    syscall traced             11.2 us a call     89,000 a second     0.11 of strace's
    syscall not traced, filter  1.01 of untraced

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
        traced, both = [loop, str(TRACED)], "syscall::getppid:entry,syscall::getppid:return { @ = count(); }"
        commands = [traced, invivo(ENTRY, *traced), invivo(both, *traced)]
        strace = shutil.which("strace")
        if strace:
            commands.append([strace, "-f", "-o", os.devnull, *traced])
        plain, entry, entry_and_return, *peer = best(*commands)
        print(f"{'untraced':34} {plain / 1e3:8.2f} us a call")
        for name, took in (("entries counted", entry), ("entries and returns counted", entry_and_return)):
            lost = took - plain
            beside = f"  {lost / (peer[0] - plain):5.2f} of strace's" if peer else ""
            print(f"{name:34} {took / 1e3:8.2f} us a call  {1e9 / took:9,.0f} a second{beside}")
        if peer:
            print(f"{'strace':34} {peer[0] / 1e3:8.2f} us a call")
        else:
            print("no strace to compare with: apt-get install strace")
        many = [loop, str(UNTRACED)]
        without, filtered = best(many, invivo("syscall::openat:entry { @ = count(); }", *many))
        print(f"{'not traced, under the filter':34} {filtered / without:8.3f} of untraced")


if __name__ == "__main__":
    main()
