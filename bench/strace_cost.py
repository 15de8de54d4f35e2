"""What a program loses per traced system call, under invivo strace and under strace(1), in turn."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

from _peers import interleaved, invivo, show, trigger, verdict

COUNT = 30_000
ROUNDS = 5
BAR = 0.6


def ns_per_call(tracer: Sequence[str], loop: Sequence[str]) -> float:
    done = subprocess.run([*tracer, *loop], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+\.\d)\n", done.stdout)
    assert found, done.stdout
    return float(found.group(1))


def main() -> None:
    loop = (trigger("loop"), str(COUNT))
    command = invivo().command
    mine = [*command, "strace", "--engine", "process", "-o", "/dev/null"]
    kernel = [*command, "strace", "--engine", "kernel", "-o", "/dev/null", "-e", "trace=getppid"]
    measures = {
        "untraced": lambda: ns_per_call((), loop),
        "strace": lambda: ns_per_call(("strace", "-o", "/dev/null"), loop),
        "invivo strace": lambda: ns_per_call(mine, loop),
        "invivo strace, kernel engine": lambda: ns_per_call(kernel, loop),
        "invivo strace, another call": lambda: ns_per_call([*mine, "-e", "trace=openat"], loop),
    }
    try:
        results = interleaved(measures, ROUNDS)
    except FileNotFoundError:
        sys.exit("strace is not to be had: apt-get install strace")
    print(f"ns per getppid(2), {COUNT:,} in a row")
    medians = {name: show(name, values, "ns") for name, values in results.items()}
    base = medians["untraced"]
    verdict("invivo strace / strace", (medians["invivo strace"] - base) / (medians["strace"] - base), BAR)
    lost = medians["strace"] - base
    verdict("kernel engine / strace", (medians["invivo strace, kernel engine"] - base) / lost, BAR)
    print(f"  traced calls a second: {1e9 / medians['invivo strace']:,.0f}, bar 60,000")
    verdict("untraced calls under a filter / untraced", medians["invivo strace, another call"] / base, 1.05)


if __name__ == "__main__":
    main()
