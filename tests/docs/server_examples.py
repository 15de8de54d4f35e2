"""Checks of the examples that look into servers and languages: each starts its own from Debian's packages, in a folder
of its own, on sockets of its own, and knows what it asks of it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invivo import trace
from tests.docs.snippets import ROOT
from tests.support import invivo

_PATIENCE_S = 30.0


def need(command: str, *packages: str) -> str:
    """The path of a command, whose packages are installed if it is not there; else the test is skipped."""
    path = shutil.which(command)
    if path is None:
        result = subprocess.run([ROOT / "scripts" / "apt-get", *packages], capture_output=True, text=True, check=False)
        path = shutil.which(command)
        if path is None:
            pytest.skip(f"no {command}: {result.stderr.strip() or 'apt-get install ' + ' '.join(packages)}")
    return path


def run(name: str, command: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """What a script prints while a client runs."""
    result = invivo("run", "-q", *options, f"examples/{name}.d", *arguments, "-c", command, cwd=ROOT, timeout=120)
    print(result.stderr)
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr, result.stderr
    assert " drop" not in result.stderr, result.stderr
    return result.stdout


def counted(output: str, key: str) -> int:
    """The sum of a histogram's counts below the line `key`."""
    total, is_inside = 0, False
    for line in output.splitlines():
        bar = re.match(r"^ *(-?\d+) \|[@ ]*(\d+) *$", line)
        if bar is None:
            is_inside = key in line or (is_inside and "Distribution" in line)
        elif is_inside:
            total += int(bar[2])
    return total


@contextmanager
def server(command: list[str], is_up: Callable[[], bool], user: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs within the block."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               user=user or None)  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                _, complaint = process.communicate()
                raise AssertionError(f"{command[0]} does not start: {complaint.decode()[-500:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def accepts(path: Path) -> bool:
    """Whether somebody listens at a socket of the file system, which is there a little earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


# --- nginx ----------------------------------------------------------------------------------------------------------

_HEADERS = ("core", "event", "event/modules", "os/unix", "http", "http/modules", "http/v2")
_CLIENT = """
import sys, urllib.request
for path in sys.argv[2:]:
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}{path}").read()
"""
_types: list[str] = []  # built once a run


def nginx_types() -> str:
    """nginx's types, compiled from its headers as docs/guide/servers.md says."""
    if not _types:
        source = Path("/usr/share/nginx/src")
        if not source.exists():
            need("dh_nginx", "nginx-dev", "libpcre2-dev", "libssl-dev", "zlib1g-dev", "gcc")
        folder = Path(tempfile.mkdtemp(prefix="invivo-nginx-"))
        shutil.copytree(source, folder, dirs_exist_ok=True)
        configure = '. ./conf_flags && ./configure "${NGX_CONF_FLAGS[@]}"'
        subprocess.run(["bash", "-c", configure], cwd=folder, check=True, capture_output=True)
        (folder / "types.c").write_text(
            "#include <ngx_config.h>\n#include <ngx_core.h>\n#include <ngx_http.h>\nvolatile ngx_cycle_t *ngx_cycle;\n"
        )
        includes = [f"-I{folder}/src/{name}" for name in _HEADERS] + [f"-I{folder}/objs"]
        flags = ["-g", "-fno-eliminate-unused-debug-types", "-c"]
        subprocess.run(["cc", *flags, *includes, "-o", folder / "types.o", folder / "types.c"], check=True)
        _types.append(str(folder / "types.o"))
    return _types[0]


def forget_types() -> None:
    for path in _types:
        shutil.rmtree(os.path.dirname(path))
    _types.clear()


def nginx_configuration(folder: Path, port: int, backend: int) -> Path:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    path = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # who may read the folder
    path.write_text(
        f"{user} daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 64; }}\nhttp {{\n    access_log off;\n{places}"
        f"    server {{ listen 127.0.0.1:{port};\n"
        f"        location ~ ^/one/(.*)$ {{ return 200 one; }}\n        location ~ ^/two/[a-z]+ {{ return 200 two; }}\n"
        f"        location ~* three$ {{ return 200 three; }}\n"
        f"        location /slow {{ proxy_pass http://127.0.0.1:{backend}; }}\n"
        f"        location /files {{ root {folder}; }}\n        location / {{ return 200 ok; }}\n"
        "    }\n}\n"
    )
    return path


_BACKEND = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")
    def log_message(self, *arguments): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@contextmanager
def nginx(folder: Path) -> Iterator[tuple[int, str]]:
    """nginx with two workers, whose /slow takes 0.3 s: its port, and a client's command to which paths are added."""
    program = need("nginx", "nginx")
    port, backend = free_port(), free_port()
    (folder / "client.py").write_text(_CLIENT)
    (folder / "backend.py").write_text(_BACKEND)
    configuration = nginx_configuration(folder, port, backend)
    with (
        server([sys.executable, str(folder / "backend.py"), str(backend)], lambda: answers(backend)),
        server([program, "-c", str(configuration)], lambda: answers(port)),
    ):
        yield port, f"{sys.executable} {folder}/client.py {port}"


def nginx_slow_uris(folder: Path) -> None:
    """Of five requests one takes 0.3 s: it alone is told, with its path and without its query."""
    with nginx(folder) as (_, client):
        paths = "/a /one/b /slow/page?secret=1 /c /d"
        output = run("nginx-slow-uris", f"{client} {paths}", "200", options=("--types", nginx_types()))
    found = re.fullmatch(r" *(\d+) ms  worker \d+  GET /slow/page", output.strip("\n"))
    assert found is not None, output
    assert 290 <= int(found[1]) < 20000


def nginx_phases(folder: Path) -> None:
    """Seven requests pass through the phase that finds their location, each once; workers' requests add up to seven."""
    with nginx(folder) as (_, client):
        client += "".join(f" /{n}" for n in range(7))
        output = run("nginx-phases", client, options=("--types", nginx_types()))
    assert sum(map(int, re.findall(r"worker \d+  (\d+) requests", output))) == 7
    assert counted(output, "ngx_http_core_find_config_phase") == 7


def nginx_connections(folder: Path) -> None:
    """Seven clients stay connected, the first having asked once, the last seven times: so the workers have them."""
    with nginx(folder) as (port, _):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(7)]
        for number, client in enumerate(clients, 1):
            for _ in range(number):
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(4096)
        master = int((folder / "nginx.pid").read_text())
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        assert len(workers) == 2
        options = ("examples/nginx-connections.d", "--types", nginx_types())
        results = [invivo("run", "-q", *options, "-p", worker, cwd=ROOT) for worker in workers]
        for client in clients:
            client.close()
    assert [result.stderr for result in results] == ["", ""]
    output = "".join(result.stdout for result in results)
    assert sorted(map(int, re.findall(r"^fd +\d+ +127\.0\.0\.1 +(\d+) requests", output, re.M))) == [*range(1, 8)]
    assert sum(map(int, re.findall(r"^(\d+) clients;", output, re.M))) == 7


def nginx_regex(folder: Path) -> None:
    """The configuration has three regular expressions; `nginx -t` reads it once."""
    program = need("nginx", "nginx")
    configuration = nginx_configuration(folder, free_port(), free_port())
    output = run("nginx-regex", f"{program} -t -q -c {configuration}")
    assert re.search(r"ngx_regex_compile(?:.*\n)+? *3$", output, re.M), output


def nginx_opens(folder: Path) -> None:
    """A file is asked for eleven times: as often is it opened, and closed, each in one way by each worker."""
    (folder / "files").mkdir()
    (folder / "files/page").write_text("a page\n")
    text = (ROOT / "examples/nginx-opens.d").read_text()
    with nginx(folder) as (_, client):
        with trace(text, pid=int((folder / "nginx.pid").read_text())) as session:
            subprocess.run([*client.split(), *["/files/page"] * 11], check=True, timeout=60)
        found = session.aggregations[""]
    for what, function in (("open", "nginx`ngx_open_cached_file+"), ("close", "nginx`ngx_destroy_pool+")):
        counts = [
            count
            for (action, stack), count in found.items()
            if action == what and any(frame.startswith(function) for frame in stack.names)
        ]
        assert sum(counts) == 11, found


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def postgres_answers(programs: Path, folder: Path) -> bool:
    """Not while it starts up: then it has a socket and answers that it has no time yet."""
    query = [programs / "psql", "-X", "-h", folder, "-U", "postgres", "-c", "select 1"]
    return subprocess.run(query, capture_output=True, check=False).returncode == 0


def postgres_queries(_: Path) -> None:
    """A query that sleeps 20 ms, three times; one that waits for a table that another session holds for 0.8 s."""
    need("psql", "postgresql")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not programs:
        pytest.skip("no postgres (apt-get install postgresql)")
    bin_ = programs[-1].parent
    user = "postgres" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="invivo-pg-") as folder:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = f"{folder}/data"
        initialize = [bin_ / "initdb", "-D", data, "-A", "trust", "--no-sync", "-U", "postgres"]
        subprocess.run(initialize, check=True, capture_output=True, user=user or None, cwd="/")
        psql = f"psql -q -X -h {folder} -U postgres -c"
        (Path(folder) / "client.sh").write_text(
            "set -e\n"
            f"{psql} 'CREATE TABLE t (n int)'\n"
            f"for i in 1 2 3; do {psql} 'SELECT pg_sleep(0.02)' >/dev/null; done\n"
            f"{psql} 'BEGIN; LOCK TABLE t; SELECT pg_sleep(3); COMMIT' >/dev/null &\n"
            f"until {psql} \"SELECT 'held' FROM pg_locks WHERE relation = 't'::regclass AND granted"
            " AND mode = 'AccessExclusiveLock'\" | grep -q held; do sleep 0.05; done\n"
            f"{psql} 'SELECT count(*) FROM t' >/dev/null\nwait\n"
        )
        start = [str(bin_ / "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-F"]
        with server(start, lambda: postgres_answers(bin_, Path(folder)), user):
            output = run("postgres-queries", f"sh {folder}/client.sh", str(bin_ / "postgres"))
    assert counted(output, "SELECT pg_sleep(0.02)") == 3
    # Three sleeps of 20 ms are not below 16,384 us.
    sleeps = output[output.index("SELECT pg_sleep(0.02)") :].split("\n\n")[0]
    assert all(int(low) >= 16384 for low, count in re.findall(r"^ *(\d+) \|[@ ]*(\d+) *$", sleeps, re.M) if int(count))
    assert counted(output, "CREATE TABLE t (n int)") == 1
    assert counted(output, "waited for a lock, ms") == 1


# --- Redis ----------------------------------------------------------------------------------------------------------


def redis_commands(folder: Path) -> None:
    """101 SETs and 53 GETs, through the functions that redis-server exports."""
    program = need("redis-server", "redis-server")
    path = folder / "redis.sock"
    (folder / "commands").write_text("SET a 1\n" * 101 + "GET a\n" * 53)
    client = f"sh -c 'redis-cli -s {path} <{folder}/commands >/dev/null'"
    start = [program, "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
    with server(start, lambda: accepts(path)):
        output = run("redis-commands", client)
    assert counted(output, "setCommand") == 101
    assert counted(output, "getCommand") == 53


# --- languages ------------------------------------------------------------------------------------------------------


def python_functions(folder: Path) -> None:
    """fib(9) calls itself 109 times in all; five collections of generation 1 are asked for, and no other is made."""
    python = "/usr/bin/python3.11"
    if not os.path.exists(python) or b"function__return" not in Path(python).read_bytes():
        pytest.skip(f"no {python} with USDT probes (Debian 12 has it)")
    script = folder / "fib.py"
    script.write_text(
        "import gc\ngc.disable()\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "fib(9)\nfor i in range(5): gc.collect(1)\n"
    )
    output = run("python-functions", f"{python} -S {script}", python)
    assert re.search(rf"{re.escape(str(script))} +fib +109$", output, re.M), output
    assert re.search(r"collections of generation +1 +5$", output, re.M), output


_THROWS = """
#include <cstdlib>
static void __attribute__((noinline)) parse(int n) { if (n % 2) throw n; }
int main(int argc, char **argv)
{
	int caught = 0;
	for (int i = 0; i < 46; i++)
		try { parse(i); } catch (int) { caught++; }
	return caught != 23;
}
"""


def exceptions(folder: Path) -> None:
    """23 exceptions, all of them by way of __cxa_throw()."""
    need("g++", "g++")
    (folder / "throws.cc").write_text(_THROWS)
    subprocess.run(["g++", "-O1", "-o", folder / "throws", folder / "throws.cc"], check=True)
    output = run("exceptions", str(folder / "throws"))
    frames = (r"libstdc\+\+\S*`__cxa_throw", r"throws`parse\(int\)", "throws`main")
    stack = r"throws *\n" + "".join(rf" +{frame}\+.*\n" for frame in frames) + r"(?: +\S*`.*\n)* +23$"
    assert re.search(stack, output, re.M), output


_GO = """
package main

import "runtime"

//go:noinline
func work(n int, name string) int {
	var big [512]int
	if n == 0 {
		return len(name)
	}
	for i := range big {
		big[i] = n + i
	}
	return big[n%512] - n + work(n-1, name)
}

func main() {
	done := make(chan int)
	go func() { runtime.LockOSThread(); done <- work(6, "gopher") + work(40, "gopher") }()
	println(<-done)
}
"""


def go_latency(folder: Path) -> None:
    """work() calls itself down to 0, from 6 and then from 40; its stack frame is 4 KiB, so that the stack is moved
    several times within it: each of the 7 + 41 calls is one entry and one return all the same."""
    need("go", "golang-go")
    (folder / "main.go").write_text(_GO)
    environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    program = folder / "main"
    subprocess.run(["go", "build", "-o", program, "main.go"], cwd=folder, env=environment, check=True)
    output = run("go-latency", str(program), str(program), "main.work")
    assert sum(int(count) for count in re.findall(r"\|[@ ]*(\d+) *$", output, re.M)) == 48
    assert {int(key) for key in re.findall(r"^ +(\d+) *$", output, re.M)} == set(range(41))


SERVER_CHECKS = (
    nginx_slow_uris, nginx_phases, nginx_connections, nginx_regex, nginx_opens, postgres_queries, redis_commands,
    python_functions, exceptions, go_latency,
)  # fmt: skip
