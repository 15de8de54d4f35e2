#!/usr/bin/env python3
"""What a user stack costs the traced program, by its depth: getppid(2) below some frames, with and without ustack().

The program is compiled without frame pointers. The difference of two runs in turn, in CPU time, is the walk, the hash
of the stack and the update of the aggregation; the bar is 6 us for 30 frames.

    python bench/stack_cost.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import invivo  # noqa: E402

CALLS = 200_000
ROUNDS = 3
BAR_US = 6.0
PROGRAMS = {
    "count()": "syscall::getppid:entry /pid == $target/ { @ = count(); }",
    "@[ustack()]": "syscall::getppid:entry /pid == $target/ { @[ustack()] = count(); }",
}


def cost_ns(program: str, path: str, frames: int) -> float:
    """ns of one call while it is traced."""
    reader, writer = os.pipe()
    before = os.dup(1)
    os.dup2(writer, 1)  # for the command
    try:
        with invivo.trace(program, command=[path, str(frames), str(CALLS)]) as session:
            session.wait()
            depths = {len(key[0].addresses) for view in session.aggregations.values() for key in view if key}
    finally:
        os.dup2(before, 1)
        os.close(before)
        os.close(writer)
    with os.fdopen(reader) as stream:
        result = float(stream.read())
    assert not depths or max(depths) >= frames, f"stacks of {depths} frames"
    return result


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/deep"
        source = ROOT / "tests" / "triggers" / "deep.c"
        subprocess.run(["cc", "-O1", "-fomit-frame-pointer", "-o", path, str(source)], check=True)
        is_met = True
        print(f"{'frames':>6} {'count()':>10} {'@[ustack()]':>12} {'a stack':>10}   (ns, median of {ROUNDS})")
        for frames in (5, 26, 60, 120):  # and main, two of libc's, _start
            runs = {name: [] for name in PROGRAMS}
            for _ in range(ROUNDS):
                for name, program in PROGRAMS.items():
                    runs[name].append(cost_ns(program, path, frames))
            without, with_ = (median(values) for values in runs.values())
            print(f"{frames + 4:>6} {without:>10.0f} {with_:>12.0f} {with_ - without:>10.0f}")
            if frames == 26:
                is_met = with_ - without <= BAR_US * 1000
    print(f"30 frames within {BAR_US} us: {'yes' if is_met else 'NO'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
