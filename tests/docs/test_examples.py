"""Every script of examples/ runs, and what it prints is true of a command whose doings are known.

Each row: the script, its options, a command to trace, and a check of the output. `trigger(...)` are C programs of
tests/triggers with known numbers of events.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.server_examples import SERVER_CHECKS, forget_types
from tests.docs.snippets import ROOT
from tests.support import invivo, trigger

EXAMPLES = ROOT / "examples"

# Forks once, so that a thread is woken, runs and ends under its own name.
_CONNECT = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.sendall(b"x" * 4099)
data = b""
while len(data) < 4099:
    data += peer.recv(65536)
peer.sendall(b"y" * 17)
client.recv(17)
client.close(); peer.close(); server.close()
"""
_LOCKS = """
import threading, time
lock = threading.Lock()
lock.acquire()
threads = [threading.Thread(target=lock.acquire, args=(True, 0.2)) for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
"""


def python(text: str) -> str:
    return f"{sys.executable} -c '{text}'"


def run(name: str, command: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """What a script prints while a command runs."""
    result = invivo("run", *options, f"examples/{name}.d", *arguments, "-c", command, cwd=ROOT, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr.lower(), result.stderr
    return result.stdout


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.strip()]


def histogram(output: str, key: str) -> dict[int, int]:
    """The buckets below the line `key` of printed histograms."""
    found: dict[int, int] = {}
    is_inside = False
    for line in output.splitlines():
        bar = re.match(r"^ *(-?\d+) \|[@ ]*(\d+) *$", line)
        if bar is None:
            is_inside = line.strip() == key or (is_inside and "Distribution" in line)
        elif is_inside and int(bar[2]):
            found[int(bar[1])] = int(bar[2])
    return found


def syscall_counts() -> None:
    assert ["syscalls", "getppid", "2006"] in rows(run("syscall-counts", f"{trigger('syscalls')} 1003"))


def syscall_rate() -> None:
    """`sleep 1.3` sees a tick at least, after which nothing of the storm before it is missing."""
    output = run("syscall-rate", f"sh -c '{trigger('syscalls')} 50000; sleep 1.3'")
    counts = [int(row[-2]) for row in rows(output) if row[-1] == "calls"]
    assert counts
    assert sum(counts) >= 100_000


def syscall_latency() -> None:
    """`sleep 0.2` sleeps 200 ms in one call of clock_nanosleep(2)."""
    (row,) = [row for row in rows(run("syscall-latency", "sleep 0.2")) if row[0] == "clock_nanosleep"]
    assert int(row[1]) >= 1
    assert 200_000 <= int(row[3]) < 5_000_000


def slow_syscalls() -> None:
    for arguments, is_shown in ((), True), (("100000",), True), (("60000000",), False):
        output = run("slow-syscalls", "sleep 0.2", *arguments)
        sleeps = [row for row in rows(output) if row[0] == "sleep" and row[2] == "clock_nanosleep"]
        assert bool(sleeps) is is_shown
        assert all(int(row[3]) >= 200_000 for row in sleeps)


def errors() -> None:
    """`cat` of a file that is not there: openat(2) fails with ENOENT, 2."""
    output = run("errors", "sh -c 'cat /nonexistent-file 2>/dev/null || true'")
    assert any(row[:3] == ["cat", "openat", "2"] for row in rows(output))


def opens() -> None:
    output = run("opens", f"sh -c 'cat {EXAMPLES}/opens.d /nonexistent-file >/dev/null 2>&1 || true'")
    ours = {row[3]: int(row[2]) for row in rows(output) if row[0] == "cat"}
    assert ours[f"{EXAMPLES}/opens.d"] >= 3
    assert ours["/nonexistent-file"] == -2


def execs() -> None:
    """sh runs two programs as its children."""
    found = {row[-1]: row for row in rows(run("execs", "sh -c '/bin/true; /bin/echo; :'"))}
    assert {"true", "echo"} <= found.keys()
    assert found["true"][-3] == found["echo"][-3]
    assert found["true"][-2] != found["echo"][-2]


def exits() -> None:
    """The shell waits for a sleep of 200 ms, and kills another."""
    output = run("exits", "sh -c '/bin/sleep 0.2; sleep 60 & kill -9 $!; wait'")
    sleeps = [row for row in rows(output) if row[0] in ("sleep", "sh")]
    assert any(row[0] == "sleep" and row[2] == "exited" and 200 <= int(row[3]) < 5000 for row in sleeps)
    assert any(row[2] == "killed" for row in sleeps)


def signals() -> None:
    assert ["lives", "lives", "10", "5"] in rows(run("signals", f"{trigger('lives')} 0 5"))


def threads() -> None:
    (row,) = [row for row in rows(run("threads", f"{trigger('syscalls')} 1")) if row[0] == "syscalls"]
    assert row[2] == "2"


def read_sizes() -> None:
    """211 reads of 4096 bytes, beside the loader's own."""
    buckets = histogram(run("read-sizes", f"{trigger('reads')} 211 4096"), "reads")
    assert buckets[4096] == 211


def write_bytes() -> None:
    output = run("write-bytes", "dd if=/dev/zero of=/dev/null bs=1000 count=37 status=none")
    assert ["dd", "1", "37000"] in rows(output)


def sectors_written() -> int:
    return sum(int(line.split()[9]) for line in Path("/proc/diskstats").read_text().splitlines())


def block_command(place: Path) -> str:
    return f"dd if=/dev/zero of={place}/block bs=65536 count=16 oflag=direct,sync status=none"


def needs_a_disk(place: Path) -> None:
    before = sectors_written()
    subprocess.run(block_command(place), shell=True, check=True)
    if sectors_written() - before < 2048:
        pytest.skip("the file system under tests does not write to a block device")


def block_sizes(place: Path) -> None:
    needs_a_disk(place)
    output = run("block-sizes", block_command(place))
    counts = [count for key in re.findall(r"^  (\w+) *$", output, re.M) for count in [histogram(output, key)]]
    assert sum(count.get(65536, 0) for count in counts) >= 16


def block_latency(place: Path) -> None:
    needs_a_disk(place)
    output = run("block-latency", block_command(place))
    (devices) = re.findall(r"^device (\d+):(\d+), microseconds$", output, re.M)
    assert devices
    known = {tuple(line.split()[:2]) for line in Path("/proc/diskstats").read_text().splitlines()}
    assert set(devices) <= known
    assert sum(int(count) for count in re.findall(r"\|[@ ]*(\d+) *$", output, re.M)) >= 16


def run_queue() -> None:
    buckets = histogram(run("run-queue", f"{trigger('lives')} 20 0"), "run-queue latency (us)")
    assert sum(buckets.values()) >= 20


def off_cpu() -> None:
    output = run("off-cpu", "sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.02; done'")
    assert "vmlinux`" in output
    assert re.search(r"hrtimer_nanosleep|do_nanosleep|do_wait", output)


def off_cpu_times() -> None:
    """200 ms are 200,000 us: between 2^17 and 2^18 - 1."""
    assert histogram(run("off-cpu-times", "sleep 0.2"), "sleep").get(131072, 0) >= 1


def cpu_by_process() -> None:
    """A program that is busy for half a second has about 48 samples of 97 a second."""
    busy = python("import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass")
    samples = [int(row[2]) for row in rows(run("cpu-by-process", busy)) if row[0].startswith("python")]
    assert sum(samples) >= 20


def cpu_stacks() -> None:
    output = run("cpu-stacks", f"{trigger('reads')} 3000 1000000")
    assert re.search(r"vmlinux`(vfs_read|ksys_read|do_syscall_64|__x64_sys_read|read_zero)", output)


def page_faults() -> None:
    """A program that touches 20 MB anew faults at least 5000 times (huge pages off for it)."""
    text = ("import mmap, ctypes\nctypes.CDLL(None).prctl(41, 1, 0, 0, 0)\n"
            "m = mmap.mmap(-1, 20 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\nm[::4096] = bytes(5120)")  # fmt: skip
    output = run("page-faults", python(text))
    assert sum(int(row[2]) for row in rows(output) if row[0].startswith("python")) >= 5120


def tcp_states() -> None:
    output = run("tcp-states", python(_CONNECT.replace("\n", "\n")))
    assert re.search(r"SYN_SENT +-> ESTABLISHED", output)
    assert re.search(r"CLOSE +-> LISTEN", output)


def socket_bytes() -> None:
    output = run("socket-bytes", python(_CONNECT))
    totals = [row for row in rows(output) if row[0].startswith("python") and row[1] == "6"]
    assert sum(int(row[2]) for row in totals) == 4099 + 17
    assert sum(int(row[3]) for row in totals) == 4099 + 17


def wakeups() -> None:
    """A child that ends wakes the parent that waits for it."""
    output = run("wakeups", f"{trigger('lives')} 20 0")
    assert sum(int(row[2]) for row in rows(output) if row[:2] == ["lives", "lives"]) >= 15


def futex_waits() -> None:
    """Three threads wait 0.2 s each for a lock that nobody gives back."""
    (row,) = [row for row in rows(run("futex-waits", python(_LOCKS))) if row[0].startswith("python")]
    assert int(row[2]) >= 600_000
    assert int(row[3]) >= 200_000


def softirqs() -> None:
    """The timer's software interrupt, 1, comes on any machine that runs."""
    busy = python("import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass")
    output = run("softirqs", busy)
    vectors = {int(match) for match in re.findall(r"^ +(\d+) *$", output, re.M)}
    assert vectors
    names = Path("/proc/softirqs").read_text().splitlines()[1:]
    assert all(vector < len(names) for vector in vectors)


def function_latency() -> None:
    """31 calls of a function that sleeps for a millisecond."""
    buckets = histogram(run("function-latency", trigger("mallocs"), "a.out", "slow_b*"), "mallocs slow_block")
    assert sum(buckets.values()) == 31
    assert min(buckets) >= 1 << 19


def malloc_sizes() -> None:
    """31 blocks of 5000 bytes, 17 of them given back."""
    output = run("malloc-sizes", trigger("mallocs"))
    assert histogram(output, "bytes")[4096] == 31
    assert "blocks not given back: 14\n" in output


def thread_stacks() -> None:
    """Two threads wait in pause(2), the first for its input."""
    with subprocess.Popen([trigger("state"), "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.2)
        result = invivo("run", "examples/thread-stacks.d", "-p", str(child.pid), cwd=ROOT)
        child.stdin.close()
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"`(__libc_)?pause\+0x(.*\n)+? +2$", result.stdout, re.M), result.stdout
    assert re.search(r"`(__)?read\+0x(.*\n)+? +1$", result.stdout, re.M), result.stdout


CHECKS: dict[str, Callable[..., None]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        syscall_counts, syscall_rate, syscall_latency, slow_syscalls, errors, opens, execs, exits, signals, threads,
        read_sizes, write_bytes, block_sizes, block_latency, run_queue, off_cpu, off_cpu_times, cpu_by_process,
        cpu_stacks, page_faults, tcp_states, socket_bytes, wakeups, futex_waits, softirqs,
        function_latency, malloc_sizes, thread_stacks, *SERVER_CHECKS,
    )
}  # fmt: skip


def test_every_script_has_a_check() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.d")} == set(CHECKS)


@pytest.fixture(scope="module", autouse=True)
def _without_a_trace() -> Iterator[None]:
    yield
    forget_types()


@pytest.mark.kernel
@pytest.mark.parametrize("name", CHECKS)
def test_example(name: str, tmp_path: Path) -> None:
    check = CHECKS[name]
    if check.__code__.co_argcount:
        check(tmp_path)
    else:
        check()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.d")), ids=lambda path: path.name)
def test_header_says_what_it_is_for_how_to_run_it_and_what_it_prints(path: Path) -> None:
    head = path.read_text().partition("*/")[0]
    assert head.startswith("#!/usr/bin/env -S invivo run\n/*\n * ")
    assert f"Usage: invivo run examples/{path.name}" in head
    assert len(head.partition("Usage: ")[2].splitlines()) > 3, "a sample of the output is missing"
    assert os.access(path, os.X_OK), "not executable"


@pytest.mark.kernel
def test_demo_answers_in_plain_words() -> None:
    result = subprocess.run([sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"^ +\d+ +openat$", result.stdout, re.M)
    assert "Distribution" in result.stdout
