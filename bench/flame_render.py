"""Rendering 1,000,000 folded samples: invivo beside flamegraph.pl, as Debian's libdevel-nytprof-perl carries it.

A made profile, the same each time: 200,000 distinct stacks, up to 57 frames deep, 250 MB of text.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _peers import interleaved, invivo, show, verdict

SAMPLES, STACKS = 1_000_000, 200_000
ROUNDS = 3
BAR = 1.0
_SCRIPT = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"


def make(path: Path) -> None:
    """Write the folded samples."""
    source = random.Random(7)
    functions = [f"module{source.randrange(40)}::function_{number}" for number in range(4000)]
    kernel = [f"kernel_function_{number}_[k]" for number in range(300)]
    known = [["main"]]
    stacks: set[str] = set()
    while len(stacks) < STACKS:
        base = source.choice(known)
        stack = base[: max(1, int(len(base) * source.random() ** 0.3))] + source.choices(functions, k=3)
        if len(stack) > 50:
            continue
        known.append(stack)
        below = source.choices(kernel, k=source.randrange(1, 8)) if source.random() < 0.3 else []
        stacks.add(";".join(stack + below))
    distinct = sorted(stacks)
    weights = [source.paretovariate(1.1) for _ in distinct]
    with path.open("w") as stream:
        for stack in [*source.choices(distinct, weights, k=SAMPLES - STACKS), *distinct]:
            stream.write(f"{stack} 1\n")


def flamegraph() -> list[str] | None:
    """The words that start flamegraph.pl."""
    if not os.path.exists(_SCRIPT) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "libdevel-nytprof-perl"]
        subprocess.run(install, capture_output=True, check=False)
    return ["perl", _SCRIPT] if os.path.exists(_SCRIPT) else None


def seconds(command: list[str], output: Path) -> float:
    """How long a command takes to write its picture."""
    begin = time.monotonic()
    with output.open("wb") as stream:
        subprocess.run(command, stdout=stream, stderr=subprocess.DEVNULL, check=True)
    assert output.stat().st_size > 100_000
    return time.monotonic() - begin


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folded = Path(scratch) / "made.folded"
        make(folded)
        own = [*invivo().command, "flame", "convert", str(folded), "--to"]
        out = Path(scratch) / "out"
        measures = {
            "invivo, SVG": lambda: seconds([*own, "svg"], out),
            "invivo, HTML": lambda: seconds([*own, "html"], out),
        }
        peer = flamegraph()
        if peer:
            measures["flamegraph.pl, SVG"] = lambda: seconds([*peer, str(folded)], out)
        else:
            print("no flamegraph.pl is to be had: apt-get install libdevel-nytprof-perl", file=sys.stderr)
        print(f"{SAMPLES:,} folded samples, {STACKS:,} stacks, {folded.stat().st_size >> 20} MiB")
        results = interleaved(measures, ROUNDS)
        medians = {name: show(name, values, "s", "8.2f") for name, values in results.items()}
        if peer:
            for name in ("invivo, SVG", "invivo, HTML"):
                verdict(f"{name} / flamegraph.pl", medians[name] / medians["flamegraph.pl, SVG"], BAR)


if __name__ == "__main__":
    main()
