"""What a function call loses when it is counted, beside bpftrace; how long all of libc takes; where probes could go."""

from __future__ import annotations

import glob
import subprocess
import sys
import time

from _peers import bpftraces, interleaved, show, trigger, verdict
from _peers import invivo as command

import invivo

COUNT = 200_000
ROUNDS = 5
BARS = {"endbr64_push": 0.1, "push": 1.0, "test_je": None, "endbr64_ret": None}
ATTACH_S, DETACH_S = 2.0, 1.0


def ns_per_call(words: list[str]) -> float:
    """What the loop itself measured, while a tracer ran it."""
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return next(float(word) for word in output.split() if word.replace(".", "", 1).isdigit() and "." in word)


def cost(function: str, bar: float | None) -> None:
    """The medians of invivo and its peers for one function, each less what the call takes untraced."""
    loop = f"{trigger('shapes')} {function} {COUNT}"
    own = f"pid$target:a.out:{function}:entry {{ @ = count(); }}"
    theirs = f"uprobe:{trigger('shapes')}:{function} {{ @ = count(); }}"
    peers = bpftraces()
    measures = {"untraced": lambda: ns_per_call(loop.split())}
    for peer in peers:
        measures[peer.name] = lambda peer=peer: ns_per_call([*peer.command, "-e", theirs, "-c", loop])
    measures["invivo"] = lambda: ns_per_call([*command().command, "run", "-q", "-e", own, "-c", loop])
    results = interleaved(measures, ROUNDS)
    print(f"ns lost per call of {function}(), counted")
    base = show("untraced", results.pop("untraced"), "ns")
    medians = {name: show(name, [v - base for v in values], "ns") for name, values in results.items()}
    if peers:
        ratio = medians["invivo"] / min(medians[peer.name] for peer in peers)
        if bar is None:
            print(f"  invivo / the better bpftrace: {ratio:.2f}")
        else:
            verdict("invivo / the better bpftrace", ratio, bar)


def all_of_libc() -> None:
    """Times from a running process to all functions of its libc counted, and back."""
    target = subprocess.Popen(["sleep", "600"])
    try:
        time.sleep(0.2)
        attach, detach = [], []
        for _ in range(ROUNDS):
            session = invivo.trace(
                "pid$target:libc:*:entry { @[probefunc] = count(); }", pid=target.pid, options={"quiet": None}
            )
            before = time.monotonic()
            session.__enter__()
            entered = time.monotonic()
            session.__exit__(None, None, None)
            attach.append(entered - before)
            detach.append(time.monotonic() - entered)
    finally:
        target.kill()
        target.wait()
    print("s for all functions of libc, compiling included")
    verdict("attaching (s)", show("attach", attach, "s", "8.3f"), ATTACH_S)
    verdict("detaching (s)", show("detach", detach, "s", "8.3f"), DETACH_S)


def shares() -> None:
    """How many functions got an instruction that the kernel emulates, and how many of those behind the first; by what
    the clauses read."""
    from invivo.symbols.functions import functions_of
    from invivo.symbols.instructions import KEPT, place
    from invivo.symbols.libraries import find_library
    from invivo.symbols.objects import file_object

    files = [find_library("libc.so.6"), *glob.glob("/usr/lib/*/libpython3.*.so.*.0")[:1], "/usr/bin/python3.11"]
    reads = {
        "all arguments, memory": (KEPT, True),
        "arg0, arg1, memory": (frozenset(("di", "si")), True),
        "arg0": (frozenset(("di",)), False),
        "nothing": (frozenset[str](), False),
    }
    print(f"  {'file':<40} {'a clause reads':<22} {'functions':>9} {'emulated':>9} {'not first':>10}")
    for path in dict.fromkeys(filter(None, files)):
        try:
            table = functions_of(file_object(path))
        except invivo.InvivoError as error:
            print(f"  {path}: {error.message}", file=sys.stderr)
            continue
        functions = {function.address: function for same in table.by_name.values() for function in same}
        for what, (kept, has_memory) in reads.items():
            places = []
            for function in functions.values():
                if code := table.code(function):
                    room = table.room(function.address)
                    places.append(place(code, room if room < len(code) else 0, kept=kept, has_memory=has_memory))
            good = [p for p in places if p.is_emulated]
            moved = sum(p.offset > 0 for p in good)
            print(f"  {path:<40} {what:<22} {len(places):>9} {len(good) / len(places):>9.1%} {moved:>10}")


def main() -> None:
    for function, bar in BARS.items():
        cost(function, bar)
    all_of_libc()
    shares()


if __name__ == "__main__":
    main()
