"""One printf an event, 1,000,000 in a row: what the traced program loses per event, and what the tracer loses."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from _peers import bpftraces, interleaved, invivo, show, trigger, verdict

COUNT = 1_000_000
ROUNDS = 5
BAR = 0.6
OWN = 'syscall::getppid:entry /pid == $target/ { printf("event %d %d %s\\n", pid, tid, execname); }'
THEIRS = 'tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { printf("event %d %d %s\\n", pid, tid, comm); }'


def storm(tracer: list[str], lost: list[int]) -> float:
    """ns a call, as the loop measured; appends how many of its events were not printed."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "output"
        with path.open("wb") as stream:
            subprocess.run(tracer, check=True, stdout=stream, stderr=subprocess.DEVNULL)
        data = path.read_bytes()
    lost.append(COUNT - data.count(b"event "))
    found = re.search(rb"(\d+\.\d)\n", data)  # the loop's own line, which may stand in the middle of another
    assert found, data[-200:]
    return float(found.group(1))


def main() -> None:
    loop = f"{trigger('loop')} {COUNT}"
    peers = bpftraces()
    lost: dict[str, list[int]] = {peer.name: [] for peer in peers} | {"invivo": []}
    measures = {"untraced": lambda: float(subprocess.run(loop.split(), capture_output=True, check=True).stdout)}
    for peer in peers:
        measures[peer.name] = lambda peer=peer: storm([*peer.command, "-e", THEIRS, "-c", loop], lost[peer.name])
    measures["invivo"] = lambda: storm([*invivo().command, "run", "-q", "-e", OWN, "-c", loop], lost["invivo"])
    results = interleaved(measures, ROUNDS)
    print(f"{COUNT:,} printf in a row, default settings: ns lost per event")
    base = show("untraced", results.pop("untraced"), "ns")
    medians = {name: show(name, [value - base for value in values], "ns") for name, values in results.items()}
    for name, counts in lost.items():
        print(f"  {name:<28} {max(counts):>8,} events lost in the worst of {len(counts)} runs")
    if peers:
        verdict(f"invivo / {peers[-1].name}", medians["invivo"] / medians[peers[-1].name], BAR)
    print(f"  invivo loses nothing: {'met' if not any(lost['invivo']) else 'NOT MET'}")


if __name__ == "__main__":
    main()
