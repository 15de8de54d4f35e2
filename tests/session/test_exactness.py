"""Counts are exact: two threads of a trigger make 1,000,003 system calls each."""

from __future__ import annotations

import json

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel

EACH = 1_000_003
BOTH = 2_000_006


def traced(program: str, *options: str, count: int = EACH) -> str:
    result = invivo("run", "-q", *options, "-e", program, "-c", f"{trigger('syscalls')} {count}", timeout=300)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # a loss would be told here
    return result.stdout


def test_count() -> None:
    assert traced("syscall::getppid:entry /pid == $target/ { @ = count(); }").split() == [str(BOTH)]


def test_count_by_key_while_it_is_printed() -> None:
    """Snapshots each 20 ms lose nothing and count nothing twice."""
    program = (
        "syscall::getppid:entry /pid == $target/ { @[tid] = count(); @s = sum(1); }"
        'tick-20ms { printa("part %d %@d\\n", @); trunc(@); } '
        'END { printa("part %d %@d\\n", @); trunc(@); printa("%@d\\n", @s); }'
    )
    lines = traced(program).splitlines()
    parts: dict[str, int] = {}
    for line in lines:
        if line.startswith("part"):
            _, thread, count = line.split()
            parts[thread] = parts.get(thread, 0) + int(count)
    assert sorted(parts.values()) == [EACH, EACH]
    assert lines[-2:] == [str(BOTH), ""]  # quiet output ends with an empty line, as dtrace(1)'s


def test_quantize_adds_up() -> None:
    program = "syscall::getppid:entry /pid == $target/ { @ = quantize(timestamp & 0xffff); }"
    (line,) = [
        item
        for item in map(json.loads, traced(program, "--format", "json").splitlines())
        if item["type"] == "aggregation"
    ]
    (entry,) = line["entries"]
    assert sum(bucket["count"] for bucket in entry["buckets"]) == BOTH


def test_every_printf_arrives() -> None:
    output = traced('syscall::getppid:entry /pid == $target/ { printf("%d\\n", tid); }')
    threads: dict[str, int] = {}
    for line in output.split():
        threads[line] = threads.get(line, 0) + 1
    assert sorted(threads.values()) == [EACH, EACH]


def test_with_a_tiny_buffer_printed_and_dropped_add_up() -> None:
    """A 4 KiB buffer cannot hold a storm: what is printed and what is reported as lost make up all events."""
    result = invivo(
        "run", "-q", "-x", "bufsize=4k",
        "-e", 'syscall::getppid:entry /pid == $target/ { printf("event\\n"); }',
        "-c", f"{trigger('syscalls')} 100003",
        timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    dropped = sum(
        int(line.split()[1]) for line in result.stderr.splitlines() if "drops on CPU" in line or "drop on CPU" in line
    )
    assert dropped > 0
    assert result.stdout.count("event\n") + dropped == 2 * 100_003


def test_a_thread_leaves_its_processor_asleep_or_ready() -> None:
    """Of all switches away from threads each is one of the two, as the tracepoint is the same."""
    program = (
        "sched:::off-cpu /pid != 0/ { @left = count(); } sched:::sleep /pid != 0/ { @asleep = count(); } "
        "sched:::preempt /pid != 0/ { @ready = count(); } "
        "sched:::leave /pid != 0/ { @told = sum(args[0] != 0); } tick-1s { exit(0); } "
        'END { printa("told %@d\\n", @told); printa("left %@d\\n", @left); printa("asleep %@d\\n", @asleep); '
        'printa("ready %@d\\n", @ready); }'
    )
    result = invivo("run", "-q", "-e", program)
    assert result.returncode == 0, result.stderr
    found = {name: int(count) for name, count in map(str.split, filter(None, result.stdout.splitlines()))}
    told, left, asleep = (found[name] for name in ("told", "left", "asleep"))
    ready = found.get("ready", 0)  # it may be that nobody was
    assert left == asleep + ready > 0
    assert told == asleep


def test_a_wait_has_the_kind_that_proc_shows() -> None:
    """A command that sleeps is in S, bit 0 of the kernel's task state."""
    program = "sched:::leave /pid == $target && execname == \"sleep\"/ { @[args[0] & 3] = count(); }"
    result = invivo("run", "-q", "-e", program, "-c", "sleep 0.05")
    assert result.returncode == 0, result.stderr
    states = {int(state): int(count) for state, count in map(str.split, result.stdout.strip().splitlines())}
    assert states[1] >= 1
    assert states.keys() <= {0, 1, 2}  # it may be preempted, its pages may come from the disk; at its end it is dead
