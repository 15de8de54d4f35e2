"""What the traced program loses per event that is counted in a map: getppid(2) in a loop, beside bpftrace."""

from __future__ import annotations

import subprocess

from _peers import bpftraces, interleaved, invivo, show, trigger, verdict

COUNT = 1_000_000
ROUNDS = 7
BAR = 1.0
PROBES = {
    "one probe": (
        "syscall::getppid:entry { @ = count(); }",
        "tracepoint:syscalls:sys_enter_getppid { @ = count(); }",
    ),
    "keyed by pid": (
        "syscall::getppid:entry { @[pid] = count(); }",
        "tracepoint:syscalls:sys_enter_getppid { @[pid] = count(); }",
    ),
    "by name of every syscall": (
        "syscall:::entry { @[execname, probefunc] = count(); }",
        "tracepoint:raw_syscalls:sys_enter { @[comm, args->id] = count(); }",
    ),
}


def ns_per_call(tracer: list[str]) -> float:
    """What the loop itself measured, while a tracer ran it."""
    output = subprocess.run(tracer, check=True, capture_output=True, text=True).stdout
    return next(float(word) for word in output.split() if word.replace(".", "", 1).isdigit() and "." in word)


def main() -> None:
    loop = f"{trigger('loop')} {COUNT}"
    peers = bpftraces()
    for title, (own, theirs) in PROBES.items():
        measures = {"untraced": lambda: ns_per_call(loop.split())}
        for peer in peers:
            measures[peer.name] = lambda peer=peer, theirs=theirs: ns_per_call(
                [*peer.command, "-e", theirs, "-c", loop]
            )
        measures["invivo"] = lambda own=own: ns_per_call([*invivo().command, "run", "-q", "-e", own, "-c", loop])
        results = interleaved(measures, ROUNDS)
        print(f"ns lost per getppid(2), counted, {title}")
        base = show("untraced", results.pop("untraced"), "ns")
        medians = {name: show(name, [v - base for v in values], "ns") for name, values in results.items()}
        if peers:
            verdict("invivo / the better bpftrace", medians["invivo"] / min(medians[p.name] for p in peers), BAR)


if __name__ == "__main__":
    main()
