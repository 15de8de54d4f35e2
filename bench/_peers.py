"""The peers that benchmarks run beside invivo, and how figures are shown.

bpftrace as Debian has it (`apt-get install bpftrace`), and the newest one: unpacked from Debian's sid into .peers/ with
all that it needs, started with its own loader and libraries. A peer that cannot be had is named, not passed over.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".peers"


class Peer(NamedTuple):
    """A program to compare with: how messages call it, and the words that start it."""

    name: str
    command: tuple[str, ...]


def invivo() -> Peer:
    return Peer("invivo", (str(Path(sys.executable).with_name("invivo")),))


def bpftraces() -> list[Peer]:
    """The bpftraces that can be had here."""
    found = []
    if not shutil.which("bpftrace") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "bpftrace"], capture_output=True, check=False
        )
    if path := shutil.which("bpftrace"):
        found.append(Peer(f"bpftrace {version_of([path])}", (path,)))
    newest = unpacked("sid", "bpftrace")
    if newest:
        found.append(Peer(f"bpftrace {version_of(newest)}", newest))
    if not found:
        print("no bpftrace is to be had: apt-get install bpftrace", file=sys.stderr)
    return found


def version_of(command: Sequence[str]) -> str:
    words = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return words[-1].lstrip("v") if words else "?"


def unpacked(suite: str, program: str) -> tuple[str, ...] | None:
    """Words that start `program` of another Debian suite, unpacked with its libraries below .peers/."""
    place = PEERS / suite
    if not (place / "usr/bin" / program).exists() and not _unpack(suite, program, place):
        return None
    folders_of_loader = ("usr/lib64", "usr/lib/x86_64-linux-gnu", "lib64")
    loaders = (place / folder / "ld-linux-x86-64.so.2" for folder in folders_of_loader)
    loader = next((path for path in loaders if path.exists()), None)
    if loader is None:
        return None
    folders = [
        place / "usr/lib/x86_64-linux-gnu",
        *sorted(place.glob("usr/lib/llvm-*/lib")),
        place / "lib/x86_64-linux-gnu",
    ]
    return str(loader), "--library-path", ":".join(map(str, folders)), str(place / "usr/bin" / program)


def _unpack(suite: str, program: str, place: Path) -> bool:
    """Unpack a package, with all that it depends on, below `place`."""
    sys.path.insert(0, str(ROOT))
    from tests import packages

    try:
        with packages.suite(suite) as world:
            world.unpack(program, place)
    except packages.PackageError as error:
        print(f"{program} of {suite} is not to be had: {error}", file=sys.stderr)
        return False
    return (place / "usr/bin" / program).exists()


def trigger(name: str) -> str:
    sys.path.insert(0, str(ROOT))
    from tests.support import trigger as build

    return build(name)


def interleaved(measures: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each measure once a round, in turn, so that a slow minute of the machine meets all of them."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            results[name].append(measure())
    return results


def show(name: str, values: list[float], unit: str, form: str = "8.1f") -> float:
    """Print a measure's median with its range; returns the median."""
    middle = statistics.median(values)
    print(f"  {name:<28} {middle:{form}} {unit}   ({min(values):{form}} ..{max(values):{form}}, {len(values)} runs)")
    return middle


def verdict(what: str, ratio: float, bar: float, *, at_least: bool = False) -> None:
    """Print a ratio beside its bar."""
    met = ratio >= bar if at_least else ratio <= bar
    print(f"  {what}: {ratio:.2f}, bar {'>=' if at_least else '<='} {bar:.2f}: {'met' if met else 'NOT MET'}")
