"""User stacks of programs without frame pointers: whole, and the same that another unwinder finds.

Whole is a stack whose outermost frame's function has no caller: its unwind information says that the return address
is undefined. Which functions those are, readelf(1) tells. The other unwinder is elfutils' eu-stack(1).
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import invivo
from invivo.consumer.records import Stack
from tests.support import TESTS

pytestmark = [pytest.mark.kernel, pytest.mark.process]

SAMPLE = "profile-997 /pid == $target/ { @[ustack()] = count(); }"
THOUSAND = (
    "int n; profile-997 /pid == $target && n < 1000/ { @[ustack()] = count(); n++; } "
    "tick-10ms /n >= 1000/ { exit(0); }"
)
PYTHON = "import re, time\nend = time.monotonic() + %s\n" + (
    "while time.monotonic() < end: re.sub('a(b+)c', lambda m: m.group(1), 'xxabbbcxx' * 5); sorted(str(end) * 10)"
)
SQL = (
    "with recursive c(x) as (select 1 union all select x + 1 from c where x < %d000000) select sum(x * x %% 7) from c;"
)


def needed(program: str, package: str) -> str:
    """The path of a program of Debian's."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None and "kernel" in os.environ.get("INVIVO_REQUIRE", ""):
        subprocess.run([str(TESTS.parent / "scripts" / "apt-get"), package], check=True)
        path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        pytest.skip(f"{program} is not there (apt-get install {package})")
    return path


@pytest.fixture(scope="module")
def thrower(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two threads throw exceptions through 20 frames, compiled without frame pointers."""
    if shutil.which("c++") is None:
        needed("c++", "g++")
    path = tmp_path_factory.mktemp("thrower") / "thrower"
    source = TESTS / "triggers" / "thrower.cc"
    subprocess.run(["c++", "-O2", "-fomit-frame-pointer", "-pthread", "-o", str(path), str(source)], check=True)
    return str(path)


@functools.cache
def ends(path: str) -> tuple[tuple[int, int], ...]:
    """File-address ranges of the functions of a file that have no caller, as readelf has them."""
    run = subprocess.run(["readelf", "--debug-dump=frames", path], capture_output=True, text=True, check=False)
    found, here = [], (0, 0)
    cie, without_caller = "", set()  # what is the same in many entries stands in one before them
    for line in run.stdout.splitlines():
        if match := re.match(r"(\w+) \w+ \w+ CIE", line):
            cie, here = match[1], (0, 0)
        elif match := re.search(r" FDE cie=(\w+) pc=(\w+)\.\.(\w+)", line):
            here = int(match[2], 16), int(match[3], 16)
            if match[1] in without_caller:
                found.append(here)
        elif "DW_CFA_undefined: r16" in line:
            if here == (0, 0):
                without_caller.add(cie)
            else:
                found.append(here)
    return tuple(found)


@functools.cache
def has_no_caller(path: str, offset: int) -> bool:
    """Whether a place in a file is in a function that has no caller."""
    run = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True, check=False)
    for match in re.finditer(r"^\s+LOAD\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+)", run.stdout, re.M):
        start, address, size = (int(word, 16) for word in match.groups())
        if start <= offset < start + size:
            return any(low <= offset - start + address < high for low, high in ends(path))
    return False


def offsets_of(maps: str, address: int) -> tuple[str, int] | None:
    """The file that an address of a process lies in, and the offset in it, by /proc/PID/maps."""
    for line in maps.splitlines():
        words = line.split()
        start, end = (int(word, 16) for word in words[0].split("-"))
        if start <= address < end and len(words) > 5:
            return words[5], address - start + int(words[2], 16)
    return None


class Traced:
    """Stacks of a run, and the process's mappings while it ran."""

    def __init__(self, program: str, command: list[str] | None, pid: int | None = None, seconds: float = 30) -> None:
        self.stacks: Counter[Stack] = Counter()
        self.maps = ""
        with invivo.trace(program, command=command, pid=pid, duration=seconds) as session:
            reader = threading.Thread(target=self._read_maps, args=(session.target_pid,))
            reader.start()
            session.wait()
            reader.join()
            if command is not None and session.target_pid is not None:  # where the program ended tracing
                with contextlib.suppress(ProcessLookupError):
                    os.kill(session.target_pid, signal.SIGKILL)
        for view in session.aggregations.values():
            for (stack,), count in view.items():
                self.stacks[stack] += count

    def _read_maps(self, pid: int) -> None:
        for _ in range(100):
            try:
                self.maps = Path(f"/proc/{pid}/maps").read_text() or self.maps
            except OSError:
                return
            time.sleep(0.02)

    def share_whole(self) -> float:
        """Of all samples that have a stack at all, the share whose last frame is in a function without a caller."""
        self.total = whole = 0
        for stack, count in self.stacks.items():
            if not stack.addresses or stack.names[0].startswith("libc.so.6`_exit"):
                continue  # taken while the process was made, or after its memory was given back
            self.total += count
            place = offsets_of(self.maps, stack.addresses[-1])
            is_start = "`_start+" in stack.names[-1]  # the loader's, which has no rule that says so
            whole += count * (is_start or (place is not None and has_no_caller(*place)))
        assert self.total > 200
        return whole / self.total


@pytest.mark.parametrize("name", ["python", "sqlite", "thrower"])
def test_stacks_of_debians_programs_are_whole(name: str, thrower: str) -> None:
    commands = {
        "python": [needed("python3", "python3"), "-S", "-c", PYTHON % 4],
        "sqlite": [needed("sqlite3", "sqlite3"), ":memory:", SQL % 6],
        "thrower": [thrower, "4000"],
    }
    traced = Traced(SAMPLE, commands[name])
    assert traced.share_whole() >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("name", ["python", "sqlite", "thrower"])
def test_of_a_thousand_stacks_ninety_nine_percent_are_whole(name: str, thrower: str) -> None:
    """However long it takes until there are so many. Those without a stack at all, which a process has while it is made
    or ends, may be five."""
    commands = {
        "python": [needed("python3", "python3"), "-S", "-c", PYTHON % 200],
        "sqlite": [needed("sqlite3", "sqlite3"), ":memory:", SQL % 600],
        "thrower": [thrower, "200000"],
    }
    traced = Traced(THOUSAND, commands[name], seconds=120)
    assert traced.share_whole() >= 0.99
    assert traced.total >= 995


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """nginx, one process, on a Unix socket."""
    nginx = needed("nginx", "nginx")
    socket = folder / "socket"
    (folder / "page.html").write_text("<p>" * 20000)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/errors; "
        f"events {{}} http {{ access_log off; gzip on; client_body_temp_path {folder}/b; "
        f"proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; "
        f"scgi_temp_path {folder}/s; server {{ listen unix:{socket}; root {folder}; }} }}"
    )
    with subprocess.Popen([nginx, "-c", str(config)]) as server:
        try:
            while not socket.exists():
                assert server.poll() is None, (folder / "errors").read_text()
                time.sleep(0.02)
            yield server, str(socket)
        finally:
            server.terminate()


@contextlib.contextmanager
def asking(socket: str) -> Iterator[None]:
    """Somebody asks for a page, again and again."""
    stop = threading.Event()
    client = threading.Thread(target=_ask, args=(socket, stop))
    client.start()
    try:
        yield
    finally:
        stop.set()
        client.join()


@pytest.mark.parametrize("is_thousand", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_stacks_of_nginx_are_whole(is_thousand: bool, tmp_path: Path) -> None:
    """A worker that answers requests on loopback, for three seconds, or until there are 1,000 samples."""
    with serving(tmp_path) as (server, socket), asking(socket):
        program = THOUSAND if is_thousand else SAMPLE
        traced = Traced(program, None, server.pid, seconds=120 if is_thousand else 3)
    assert traced.share_whole() >= 0.99
    assert traced.total >= 995 or not is_thousand
    assert any("ngx_http_" in name for stack in traced.stacks for name in stack.names)


def _ask(path: str, stop: threading.Event) -> None:
    import socket

    while not stop.is_set():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(b"GET /page.html HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
            while connection.recv(65536):
                pass


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Unwind information in .debug_frame only."""
    if shutil.which("cc") is None:
        needed("cc", "gcc")
    path = tmp_path_factory.mktemp("framed") / "framed"
    without = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fomit-frame-pointer"]
    source = str(TESTS / "triggers" / "framed.c")
    subprocess.run(["cc", "-O2", "-g", *without, "-o", str(path), source], check=True)
    return str(path)


@pytest.mark.parametrize("name", ["python", "sqlite", "thrower", "framed"])
def test_a_stack_is_what_another_unwinder_finds(name: str, thrower: str, framed: str) -> None:
    """The process waits in a system call, whose stack was taken as it began; then eu-stack looks at it."""
    stacker = needed("eu-stack", "elfutils")
    commands = {
        "python": [needed("python3", "python3"), "-S", "-c", "import time\nsorted([1], key=lambda x: time.sleep(60))"],
        "sqlite": [needed("sqlite3", "sqlite3"), ":memory:", ".shell sleep 60"],
        "thrower": [thrower, "wait"],
        "framed": [framed],
    }
    call = {"python": "clock_nanosleep", "sqlite": "wait4", "thrower": "pause", "framed": "pause"}[name]
    program = f"syscall::{call}:entry /pid == $target/ {{ ustack(); exit(0); }}"
    with invivo.trace(program, command=commands[name], duration=30) as session:
        (record,) = list(session)
        pid = session.target_pid
        assert pid is not None
        theirs = by_another(stacker, pid)
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
        for number in [*map(int, children.split()), pid]:
            os.kill(number, signal.SIGKILL)
    (mine,) = record.values
    assert isinstance(mine, Stack)
    assert len(theirs) > 4
    assert list(mine.addresses) == theirs


def test_a_stack_of_nginx_is_what_another_unwinder_finds(tmp_path: Path) -> None:
    """It waits for requests: the stack as it began to do so again, after one."""
    stacker = needed("eu-stack", "elfutils")
    with serving(tmp_path) as (server, socket):
        program = "syscall::epoll_wait:entry /pid == $target/ { ustack(); exit(0); }"
        with invivo.trace(program, pid=server.pid, duration=30) as session, asking(socket):
            (record,) = list(session)
        (mine,) = record.values
        theirs = by_another(stacker, server.pid)
    assert isinstance(mine, Stack)
    assert len(theirs) > 4
    assert list(mine.addresses) == theirs


def by_another(stacker: str, pid: int) -> list[int]:
    """The addresses of the main thread's stack, by eu-stack."""
    run = subprocess.run([stacker, "-n", "0", "-p", str(pid)], capture_output=True, text=True, check=False)
    threads = run.stdout.split("TID ")[1:]
    (main,) = (text for text in threads if text.startswith(f"{pid}:"))
    return [int(word, 16) for word in re.findall(r"^#\d+\s+0x([0-9a-f]+)", main, re.M)]
