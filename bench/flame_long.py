"""Resident memory of a long `invivo flame` run: rows as its readings bring them, kept bounded and kept all.

Hours of the whole machine off the processor: five readings a second, each with 150 stacks that are in all of them, and
50 more of 5,000. Each way is run in a process of its own, which says after each hour how much it holds, and at the end
the most that it held. Weights are compared.

python bench/flame_long.py [HOURS, 4]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from invivo.flame.samples import Bounded, Samples

HOURS = 4
A_SECOND, ALWAYS, NOW, STACKS = 5, 150, 50, 5_000


def resident_mib(field: str = "VmRSS") -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def fill(hours: int, *, is_bounded: bool) -> None:
    samples, notes = Samples(), list[str]()
    bounded = Bounded(samples, notes)
    start = resident_mib()
    shown = []
    for reading in range(hours * 3600 * A_SECOND):
        if is_bounded:
            bounded.check()
        at = bounded.moment(reading * 10**9 // A_SECOND)
        first = reading * 7919  # a prime number: another part of them each time
        for place in range(ALWAYS + NOW):
            stack = place if place < ALWAYS else ALWAYS + (first + place) % STACKS
            samples.add(stack, place + 1, stack % 50, at)
        if (reading + 1) % (3600 * A_SECOND) == 0:
            shown.append(f"{resident_mib() - start:.0f}")
    total, slots = sum(samples.weights), len(set(samples.times))
    shown.append(f"MiB after each hour, {resident_mib('VmHWM') - start:.0f} at most")
    print(f"{' '.join(shown)}, {len(samples.nodes):,} rows, {slots:,} moments, weight {total:,}")
    print("\n".join(notes))


def main() -> None:
    if len(sys.argv) > 2:
        fill(int(sys.argv[1]), is_bounded=sys.argv[2] == "bounded")
        return
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else HOURS
    print(f"{hours} hours, {hours * 3600 * A_SECOND * (ALWAYS + NOW):,} rows read")
    totals = set()
    for way in ("bounded", "free"):
        done = subprocess.run([sys.executable, __file__, str(hours), way], check=True, capture_output=True, text=True)
        totals.add(done.stdout.partition("weight ")[2].split()[0])
        print(f"  {way}: {done.stdout.strip()}", flush=True)
    if len(totals) != 1:
        sys.exit(f"the weights differ: {totals}")


if __name__ == "__main__":
    main()
