"""Servers under load, a Go and a C++ program, for tests and to look at.

    with LOADS["redis"](folder) as load:      a server with its client; load.pid, or load.name of several processes

What is traced is pinned to the last processor, and what makes its load to the first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.docs.server_examples import answers, free_port, need, postgres_answers, server
from tests.support import TESTS

PLACES = sorted(os.sched_getaffinity(0))


class Load(NamedTuple):
    """Something under load: the process to trace, or None for all those called `name`."""

    name: str
    pid: int | None


def on(processor: int) -> list[str]:
    """Words that run a command on one processor."""
    return [need("taskset", "util-linux"), "-c", str(processor)]


@contextmanager
def client(*command: str) -> Iterator[None]:
    """What makes the load, within the block."""
    with subprocess.Popen(
        [*on(PLACES[0]), *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def redis(folder: Path) -> Iterator[Load]:
    program, benchmark = need("redis-server", "redis-server"), need("redis-benchmark", "redis-tools")
    port = free_port()
    command = [*on(PLACES[-1]), program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with server(command, lambda: answers(port)) as process, client(
        benchmark, "-p", str(port), "-n", "1000000000", "-c", "50", "-t", "get,set", "-q"
    ):
        yield Load("redis-server", process.pid)


@contextmanager
def nginx(folder: Path) -> Iterator[Load]:
    program, wrk = need("nginx", "nginx"), need("wrk", "wrk")
    port = free_port()
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    (folder / "page.html").write_text("<p>a page</p>" * 300)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;"
        f"events {{ worker_connections 256; }}"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    folder.chmod(0o755)
    command = [*on(PLACES[-1]), program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with server(command, lambda: answers(port)) as process, client(
        wrk, "-t1", "-c50", "-d600", f"http://127.0.0.1:{port}/page.html"
    ):
        yield Load("nginx", process.pid)


@contextmanager
def postgres(folder: Path) -> Iterator[Load]:
    need("pgbench", "postgresql-contrib", "postgresql")
    (bin_, *_) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    user = "postgres" if os.geteuid() == 0 else ""
    data = folder / "data"
    folder.chmod(0o755)
    if user:
        shutil.chown(folder, user)
    initialize = [bin_ / "initdb", "-D", data, "-A", "trust", "--no-sync", "-U", "postgres"]
    subprocess.run(initialize, check=True, capture_output=True, user=user or None)
    command = [str(bin_ / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-F"]
    start = [*on(PLACES[-1]), *command]
    bench = [str(bin_ / "pgbench"), "-h", str(folder), "-U", "postgres", "postgres"]
    with server(start, lambda: postgres_answers(bin_, folder), user):
        made = subprocess.run([*bench, "-i", "-s", "2", "-q"], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        with client(*bench, "-c", "4", "-T", "600"):
            yield Load("postgres", None)


@contextmanager
def started(*command: str) -> Iterator[Load]:
    """A program that runs until its input ends."""
    words = [*on(PLACES[-1]), *command]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            yield Load(Path(command[0]).name, process.pid)
        finally:
            process.kill()


@contextmanager
def go_program(folder: Path) -> Iterator[Load]:
    environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GO111MODULE": "off", "HOME": str(folder)}
    build = [need("go", "golang-go"), "build", "-o", folder / "parts", TESTS / "triggers/parts.go"]
    subprocess.run(build, check=True, env=environment, timeout=300)
    with started(str(folder / "parts")) as load:
        yield load


@contextmanager
def cpp_program(folder: Path) -> Iterator[Load]:
    build = [need("g++", "g++"), "-O2", "-pthread", "-o", folder / "thrower", TESTS / "triggers/thrower.cc"]
    subprocess.run(build, check=True)
    with started(str(folder / "thrower"), "600000") as load:
        yield load


LOADS: dict[str, Callable[[Path], Iterator[Load]]] = {
    "redis": redis, "nginx": nginx, "postgres": postgres, "go": go_program, "c++": cpp_program,
}  # type: ignore[dict-item]  # fmt: skip
