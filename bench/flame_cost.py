"""What a saturated redis or nginx loses under `flame cpu` and `flame offcpu`, beside `perf record -g` and bpftrace.

The server is redis-server or nginx, Debian's, on the loopback interface, and redis-benchmark or wrk its load, for some
seconds in each run; each tracer in turn, and none before and after, so that a slow minute of the machine meets all of
them. The loss is of throughput, while tracing goes on: a run begins when the tracer has no work left but that (it
compiles, and reads programs, first). Each result is printed as it comes, and no round is begun that would not end
within 200 seconds in all.

python bench/flame_cost.py [redis | nginx] [ROUNDS]
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from _peers import bpftraces, invivo, show, verdict

REQUESTS = 150_000
ROUNDS = 3
LONGEST = 200.0  # seconds in all
BARS = {"flame cpu": 0.01, "flame offcpu": 0.05}
_PACKAGES = {"redis-server": "redis-server", "redis-benchmark": "redis-tools", "nginx": "nginx-light",
             "wrk": "wrk", "perf": "linux-perf"}  # fmt: skip


def have(program: str) -> bool:
    """Whether a program is there; root installs it from Debian's packages."""
    if not shutil.which(program) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", _PACKAGES[program]]
        subprocess.run(install, capture_output=True, check=False)
    return bool(shutil.which(program))


@contextmanager
def redis(folder: str) -> Iterator[tuple[int, int]]:
    """(pid, port) of a server of its own, without files."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    yield from serving(command, port)


@contextmanager
def nginx(folder: str) -> Iterator[tuple[int, int]]:
    """(pid, port) of a server of one process with a page of 3,900 bytes."""
    port, place = free_port(), Path(folder)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (place / "page.html").write_text("<p>a page</p>" * 300)
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;"
        "events { worker_connections 256; }"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    place.chmod(0o755)
    yield from serving(["nginx", "-c", f"{folder}/nginx.conf", "-p", folder], port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def serving(command: list[str], port: int) -> Iterator[tuple[int, int]]:
    """(pid, port) of a command once it answers; it is ended afterwards."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield server.pid, port
        finally:
            server.terminate()


def pages(port: int) -> float:
    """Requests a second that wrk counts, in 4 seconds."""
    command = ["wrk", "-t1", "-c50", "-d4", f"http://127.0.0.1:{port}/page.html"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return float(next(line for line in lines if line.startswith("Requests/sec:")).split()[1])


def gets(port: int) -> float:
    """Requests a second that redis-benchmark counts."""
    command = ["redis-benchmark", "-p", str(port), "-n", str(REQUESTS), "-c", "50", "-t", "get", "--csv"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return float(lines[-1].split(",")[1].strip('"'))


def processor_seconds(pid: int) -> float:
    """What a process and its children have used; of those that have ended, what they used too."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def settle(pid: int) -> None:
    """Wait until a tracer uses less than a tenth of a processor."""
    before = processor_seconds(pid)
    for _ in range(40):
        time.sleep(0.5)
        now = processor_seconds(pid)
        if before > 0.05 and now - before < 0.05:
            return
        before = now


@contextmanager
def traced(command: list[str]) -> Iterator[None]:
    """A tracer beside what is inside, once it has begun; it gets an interrupt at the end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tracer:
        settle(tracer.pid)
        if tracer.poll() is not None:
            raise SystemExit(f"{command[0]} ended at once: {tracer.stderr.read() if tracer.stderr else ''}")
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=60)


SERVERS = {
    "redis": (redis, gets, ("redis-server", "redis-benchmark"), "GET requests"),
    "nginx": (nginx, pages, ("nginx", "wrk"), "requests for a page of 3,900 bytes"),
}


def tracers(pid: int, folder: str) -> dict[str, list[str]]:
    """The words that start each tracer."""
    own = invivo().command
    found = {
        name: [*own, *name.split(), "-p", str(pid), "-o", f"{folder}/{name.split()[1]}.html"] for name in BARS
    }
    if have("perf"):
        found["perf record -g"] = ["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", "99", "-p", str(pid), "-o",
                                   f"{folder}/perf.data"]  # fmt: skip
    for peer in bpftraces()[:1]:
        keys = "kstack, ustack, comm"
        sampled = f"profile:hz:99 /pid == {pid}/ {{ @[{keys}] = count(); }}"
        # Without a kernel probe it sees no resumed thread's own stack: stacks are counted where threads leave.
        blocked = (
            f"tracepoint:sched:sched_switch {{ if (pid == {pid}) {{ @t[tid] = nsecs; @s[{keys}] = count(); }} "
            "if (@t[args->next_pid]) { @d[args->next_comm] = sum(nsecs - @t[args->next_pid]); } }"
        )
        found[f"{peer.name}, profile"] = [*peer.command, "-e", sampled]
        found[f"{peer.name}, offcpu"] = [*peer.command, "-e", blocked]
    return found


def measured(measures: dict[str, Callable[[], float]], rounds: int, began: float) -> dict[str, list[float]]:
    """Each measure once a round, in turn, told at once; fewer rounds where these would take too long."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    longest = 0.0
    for number in range(rounds):
        start = time.monotonic()
        if start - began + longest > LONGEST:
            print(f"  round {number + 1} and later ones left out: they would not end within {LONGEST:.0f} s")
            break
        for name, measure in measures.items():
            value = measure()
            results[name].append(value)
            base = results["no tracer"][-1]
            lost = "" if name.startswith("no tracer") else f"   {1 - value / base:6.1%} less than without a tracer"
            print(f"  round {number + 1}, {name:<28} {value:10.0f} /s{lost}", flush=True)
        longest = max(longest, time.monotonic() - start)
    return results


def main() -> None:
    began = time.monotonic()
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in SERVERS else "redis"
    serve, throughput, programs, what = SERVERS[name]
    if not all(map(have, programs)):
        packages = " ".join(_PACKAGES[program] for program in programs)
        print(f"no {name} is to be had: apt-get install {packages}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder, serve(folder) as (pid, port):
        throughput(port)
        measures: dict[str, Callable[[], float]] = {"no tracer": lambda: throughput(port)}
        for tracer, command in tracers(pid, folder).items():
            def measure(command: list[str] = command) -> float:
                with traced(command):
                    return throughput(port)

            measures[tracer] = measure
        measures["no tracer, again"] = measures["no tracer"]
        print(f"{name}: {what} a second, {os.cpu_count()} processors, server and client share them", flush=True)
        results = measured(measures, int(words[0]) if words else ROUNDS, began)
        print("medians")
        for name, values in results.items():
            show(name, values, "/s", "10.0f")
        pairs = zip(results.pop("no tracer"), results.pop("no tracer, again"), strict=True)
        base = [(first + last) / 2 for first, last in pairs]
        losses = {
            name: statistics.median(1 - value / was for value, was in zip(values, base, strict=True))
            for name, values in results.items()
        }
        print("lost throughput, the median of pairs")
        for name, loss in losses.items():
            if name in BARS:
                verdict(name, loss, BARS[name])
            else:
                print(f"  {name}: {loss:.3f}")
        assert Path(folder, "cpu.html").stat().st_size > 10_000


if __name__ == "__main__":
    main()
