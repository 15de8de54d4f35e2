"""Time from start to first armed probe: `BEGIN { exit(0); }` as a whole command, cold and warm, beside bpftrace."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from _peers import Peer, bpftraces, interleaved, invivo, show, verdict

ROUNDS = 11
COLD_BAR = 1.0
WARM_BAR = 0.5


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    # pip leaves what it installs as bytecode; a checkout's own files are compiled by the first run, unless this is set.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**inherited, **(environment or {})})
    return time.perf_counter() - start


def main() -> None:
    peers = bpftraces()
    with TemporaryDirectory() as cache:
        warm_home = {"XDG_CACHE_HOME": str(Path(cache) / "warm")}
        Path(warm_home["XDG_CACHE_HOME"]).mkdir()
        own = [*invivo().command, "run", "-q", "-e", "BEGIN { exit(0); }"]
        seconds(own, warm_home)

        def first_run_of_this_program() -> float:
            """The program was never compiled here; the kernel's type index is there, as after any first use."""
            for plan in Path(warm_home["XDG_CACHE_HOME"]).rglob("*.plan"):
                plan.unlink()
            return seconds(own, warm_home)

        def first_run_ever() -> float:
            with TemporaryDirectory() as empty:
                return seconds(own, {"XDG_CACHE_HOME": empty})

        def peer_run(peer: Peer) -> float:
            return seconds([*peer.command, "-e", "BEGIN { exit(); }"])

        measures = {peer.name: (lambda peer=peer: peer_run(peer)) for peer in peers}
        measures["invivo, first run ever"] = first_run_ever
        measures["invivo, cold"] = first_run_of_this_program
        measures["invivo, warm"] = lambda: seconds(own, warm_home)
        results = interleaved(measures, ROUNDS)
    print("start to end of BEGIN { exit(0); }, wall time")
    medians = {name: show(name, [1e3 * value for value in values], "ms") for name, values in results.items()}
    if peers:
        best = min(medians[peer.name] for peer in peers)
        verdict("first run ever / the quicker bpftrace", medians["invivo, first run ever"] / best, COLD_BAR)
        verdict("cold / the quicker bpftrace", medians["invivo, cold"] / best, COLD_BAR)
        verdict("warm / the quicker bpftrace", medians["invivo, warm"] / best, WARM_BAR)


if __name__ == "__main__":
    main()
