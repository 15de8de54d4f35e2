"""Resident memory of the tracer while it traces, beside bpftrace."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from _peers import bpftraces, invivo, show, verdict

BAR = 0.5
ROUNDS = 3
OWN = "syscall:::entry { @[execname, probefunc] = count(); }"
THEIRS = "tracepoint:raw_syscalls:sys_enter { @[comm, args->id] = count(); }"


def resident_mib(command: list[str], *, settle: float = 3.0) -> float:
    """VmRSS of the tracer itself three seconds after its start, in MiB."""
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(settle)
        status = Path(f"/proc/{tracer.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024
    finally:
        tracer.terminate()
        tracer.wait()


def main() -> None:
    peers = bpftraces()
    print("resident memory while tracing")
    medians = {
        p.name: show(p.name, [resident_mib([*p.command, "-e", THEIRS]) for _ in range(ROUNDS)], "MiB") for p in peers
    }
    for title, extra in (("invivo", []), ("invivo, cold", ["--no-cache"])):
        values = [resident_mib([*invivo().command, "run", "-q", *extra, "-e", OWN]) for _ in range(ROUNDS)]
        medians[title] = show(title, values, "MiB")
    if peers:
        verdict("invivo / the smaller bpftrace", medians["invivo"] / min(medians[p.name] for p in peers), BAR)


if __name__ == "__main__":
    main()
