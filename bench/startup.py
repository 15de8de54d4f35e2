"""Time from start to first armed probe, cold and warm, beside bpftrace: whole commands, wall time.

`BEGIN { exit(0); }`; a function's calls counted in a command (`true`); and in a process that runs, from start to exit
at once.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from _peers import bpftraces, interleaved, invivo, show, verdict

from invivo.symbols.libraries import find_library

ROUNDS = 11
COLD_BAR = 1.0
WARM_BAR = 0.5


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    # pip leaves what it installs as bytecode; a checkout's own files are compiled by the first run, unless this is set.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**inherited, **(environment or {})})
    return time.perf_counter() - start


def compared(title: str, own: list[str], theirs: list[str], *, is_first: bool = False) -> None:
    """Print what one program's start takes; `is_first`: also with nothing kept, not even the kernel's types."""
    peers = bpftraces()
    with TemporaryDirectory() as cache:
        warm_home = {"XDG_CACHE_HOME": str(Path(cache) / "warm")}
        Path(warm_home["XDG_CACHE_HOME"]).mkdir()
        command = [*invivo().command, "run", "-q", *own]
        seconds(command, warm_home)

        def first_run_of_this_program() -> float:
            """The program was never compiled here; the kernel's type index is there, as after any first use."""
            for plan in Path(warm_home["XDG_CACHE_HOME"]).rglob("*.plan"):
                plan.unlink()
            return seconds(command, warm_home)

        def first_run_ever() -> float:
            with TemporaryDirectory() as empty:
                return seconds(command, {"XDG_CACHE_HOME": empty})

        measures: dict[str, Callable[[], float]] = {
            peer.name: (lambda peer=peer: seconds([*peer.command, *theirs])) for peer in peers
        }
        if is_first:
            measures["invivo, first run ever"] = first_run_ever
        measures["invivo, cold"] = first_run_of_this_program
        measures["invivo, warm"] = lambda: seconds(command, warm_home)
        results = interleaved(measures, ROUNDS)
    print(title)
    medians = {name: show(name, [1e3 * value for value in values], "ms") for name, values in results.items()}
    if peers:
        best = min(medians[peer.name] for peer in peers)
        if is_first:
            verdict("first run ever / the quicker bpftrace", medians["invivo, first run ever"] / best, COLD_BAR)
        verdict("cold / the quicker bpftrace", medians["invivo, cold"] / best, COLD_BAR)
        verdict("warm / the quicker bpftrace", medians["invivo, warm"] / best, WARM_BAR)


def main() -> None:
    compared("BEGIN { exit(0); }", ["-e", "BEGIN { exit(0); }"], ["-e", "BEGIN { exit(); }"], is_first=True)
    count = f"uprobe:{find_library('libc.so.6')}:malloc {{ @ = count(); }}"
    own = "pid$target:libc:malloc:entry { @ = count(); }"
    compared("malloc() counted in a command", ["-e", own, "-c", "true"], ["-e", count, "-c", "/bin/true"])
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            pid = str(process.pid)
            own += " tick-1ms { exit(0); }"
            count += " interval:ms:1 { exit(); }"
            compared("malloc() counted in a process", ["-e", own, "-p", pid], ["-p", pid, "-e", count])
        finally:
            process.kill()


if __name__ == "__main__":
    main()
