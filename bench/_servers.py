"""Servers under one continuous load, for benchmarks: the server on one processor, what makes the load on another.

    with redis(folder) as served:        a server that already answers, and its load
        served.requests()                how many it has served so far, by its own count
        served.pid, served.seconds()     its processor time

Both are pinned, so that no run is slower for the two having shared a processor, or moved. As root they get a better
priority than the rest of the machine (`first_in_line`).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PRIORITY = -10
_PACKAGES = {"redis-server": "redis-server", "redis-benchmark": "redis-tools", "nginx": "nginx-light",
             "wrk": "wrk", "perf": "linux-perf"}  # fmt: skip


class Served(NamedTuple):
    """A server under load. `requests`: how many it has served."""

    pid: int
    requests: Callable[[], int]

    def seconds(self) -> float:
        """Processor time of its one process."""
        return process_seconds(self.pid)


def have(program: str) -> bool:
    """Whether a program is there; root installs it from Debian's packages."""
    if not shutil.which(program) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", _PACKAGES[program]]
        subprocess.run(install, capture_output=True, check=False)
    return bool(shutil.which(program))


@contextmanager
def redis(folder: str) -> Iterator[Served]:
    """redis-server without files; redis-benchmark's MSETs, 16 at a time on each of 50 connections, keep it busy and are
    little work for who sends them."""
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    load = ["redis-benchmark", "-p", str(port), "-n", "2000000000", "-c", "50", "-t", "mset", "-P", "16", "-q"]
    with _running(command, _processors()[-1]) as server, _connected(port) as connection:

        def requests() -> int:
            question, count = b"INFO stats\r\n", rb"total_commands_processed:(\d+)"
            return _counted(connection, question, rb"\$(\d+)\r\n", count)

        with _running(load, _processors()[0]):
            yield Served(server, requests)


@contextmanager
def nginx(folder: str) -> Iterator[Served]:
    """nginx as one process with a page of 3,900 bytes, and wrk on 50 connections."""
    port, place = _free_port(), Path(folder)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (place / "page.html").write_text("<p>a page</p>" * 300)
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;"
        "events { worker_connections 256; }"
        f"http {{ access_log off; keepalive_requests 1000000000; {temporary}"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; location /requests {{ stub_status; }} }} }}"
    )
    place.chmod(0o755)
    command = ["nginx", "-c", f"{folder}/nginx.conf", "-p", folder]
    load = ["wrk", "-t1", "-c50", "-d3600", f"http://127.0.0.1:{port}/page.html"]
    with _running(command, _processors()[-1]) as server, _connected(port) as connection:

        def requests() -> int:
            question, count = b"GET /requests HTTP/1.1\r\nHost: a\r\n\r\n", rb"handled requests\s+\d+ \d+ (\d+)"
            return _counted(connection, question, rb"Content-Length: (\d+)\r\n.*?\r\n\r\n", count)

        with _running(load, _processors()[0]):
            yield Served(server, requests)


#       name -> (the server, the programs that it takes, what it serves)
SERVERS = {
    "redis": (redis, ("redis-server", "redis-benchmark"), "MSETs of redis-benchmark, 50 connections, 16 at a time"),
    "nginx": (nginx, ("nginx", "wrk"), "wrk's requests for a page of 3,900 bytes, 50 connections"),
}


def process_seconds(pid: int) -> float:
    """Processor time of a process's threads, to the nanosecond: /proc/PID/task/TID/schedstat. 0 if there is none."""
    total = 0
    for place in Path("/proc", str(pid), "task").glob("*/schedstat"):
        with suppress(OSError):
            total += int(place.read_text().split()[0])
    return total / 1e9


def is_asleep(pid: int) -> bool:
    """Whether a process waits for something else than a processor."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2][0] not in "RDT"
    except OSError:
        return True


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, as far as they are there."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(") ")[2].split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for process in found:
        found += parents.get(process, ())
    return found


def first_in_line() -> None:
    """A better priority for this process and what it starts, where that is allowed: within its session, and for that
    among others (sched(7), "The autogroup feature")."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        Path("/proc/self/autogroup").write_text(str(PRIORITY))


def _processors() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], processor: int) -> Iterator[int]:
    """The pid of a command on one processor; it is ended afterwards."""
    with subprocess.Popen(["taskset", "-c", str(processor), *command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        try:
            yield process.pid
        finally:
            process.terminate()


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    """A connection to a server that has just been started."""
    for _ in range(200):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 10)
        except OSError:
            time.sleep(0.05)
            continue
        with connection:
            yield connection
        return
    raise SystemExit(f"the server on port {port} does not answer")


def _counted(connection: socket.socket, question: bytes, length: bytes, count: bytes) -> int:
    """Ask the server, take its whole answer, and find the count in it.

    Args:
        length: A pattern of the answer's head: of how many bytes that follow it.
        count: A pattern of the count.
    """
    connection.sendall(question)
    answer = b""
    while not (head := re.search(length, answer, re.DOTALL)) or len(answer) < head.end() + int(head[1]):
        more = connection.recv(65536)
        if not more:
            raise SystemExit("the server closed the connection")
        answer += more
    match = re.search(count, answer)
    assert match, answer
    return int(match[1])
