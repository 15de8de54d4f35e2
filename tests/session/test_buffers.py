"""Policies of the buffer (switch, fill, ring), rates, and options that choose what is traced or shown, as commands."""

from __future__ import annotations

import errno
import os
import re
import sys
import time

import pytest

from invivo import trace
from invivo.engines.kernel import loader
from invivo.errors import KernelError
from tests.session.test_cli import invivo

pytestmark = pytest.mark.kernel

# 5000 records of 16 bytes and a frame of 8, made by one firing.
MANY = "BEGIN { for (int i = 0; i < 5000; i++) { printf(\"%d\\n\", i); } } "


def numbers(text: str) -> list[int]:
    return [int(line) for line in text.splitlines() if line.strip()]


def run(program: str, *options: str) -> tuple[str, str, int]:
    words = [word for option in options for word in ("-x", option)]
    result = invivo("run", "-q", "--no-cache", *words, "-e", program)
    return result.stdout, result.stderr, result.returncode


def test_switch_loses_nothing_where_there_is_room() -> None:
    out, err, _ = run(MANY + "tick-10ms { exit(0); }")
    assert (numbers(out), err) == (list(range(5000)), "")


def test_ring_keeps_the_newest() -> None:
    """The last number is there, the first is not, and between them none is missing; 4096 bytes hold 170 of 24."""
    out, err, code = run(MANY + "tick-100ms { exit(3); }", "bufpolicy=ring", "bufsize=4k")
    if "drop" in err:
        # A buffer of one page filled before the consumer looked: what is lost is counted.
        lost = sum(int(count) for count in re.findall(r"(\d+) drops? on CPU", err))
        assert lost + len(numbers(out)) <= 5000
        return
    kept = numbers(out)
    assert kept == list(range(5000 - len(kept), 5000))
    assert (len(kept), code) == (4096 // 24, 3)


def test_ring_prints_nothing_while_it_traces() -> None:
    """Ten ticks of which room is for two (a record of a tick takes 24 bytes)."""
    program = "tick-20ms { n++; printf(\"%d\\n\", n); } tick-20ms /n == 10/ { exit(0); }"
    out, err, _ = run(program, "bufpolicy=ring", "bufsize=64")
    assert err == ""
    kept = numbers(out)
    assert kept == list(range(11 - len(kept), 11))
    assert 1 <= len(kept) <= 3


def test_fill_ends_when_the_buffer_is_full() -> None:
    """The first records, in order, as many as 4096 bytes hold; then the end, long before the program asks for it."""
    start = time.monotonic()
    out, err, code = run(
        "tick-1ms { for (int i = 0; i < 10; i++) { n++; printf(\"%d\\n\", n); } } tick-60s { exit(9); }",
        "bufpolicy=fill", "bufsize=4k", "statusrate=20ms",
    )  # fmt: skip
    kept = numbers(out)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) == 4096 // 24
    assert re.search(r"\d+ drops? on CPU", err), "what came after is counted"
    assert code == 0
    assert time.monotonic() - start < 50


def test_fill_shows_all_where_it_does_not_fill() -> None:
    out, err, code = run("tick-10ms { n++; printf(\"%d\\n\", n); } tick-10ms /n == 7/ { exit(2); }", "bufpolicy=fill")
    assert (numbers(out), err, code) == ([1, 2, 3, 4, 5, 6, 7], "", 2)


def test_aggregations_are_read_at_the_aggrate() -> None:
    """Read each 10 ms and added up: nothing is lost or counted twice."""
    out, _, _ = run("tick-2ms { @ = count(); n++; } tick-2ms /n == 100/ { exit(0); }", "aggrate=10ms")
    assert numbers(out) == [100]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU is all there is")
def test_one_cpu_only() -> None:
    """23 calls made on one CPU and 23 on another: those of the one that was asked for are seen."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    calls = "import os; os.sched_setaffinity(0, {%d}); [os.getppid() for _ in range(23)]"
    both = "; ".join(calls % number for number in (first, second))
    program = "syscall::getppid:entry /pid == $target/ { @[cpu] = count(); }"
    for wanted in (first, second):
        command = f"{sys.executable} -S -c '{both}'"
        result = invivo("run", "-q", "--no-cache", "-x", f"cpu={wanted}", "-e", program, "-c", command)
        assert result.stdout.split() == [str(wanted), "23"], result.stderr


def test_addresses_without_names() -> None:
    out, _, _ = run("BEGIN { stack(); exit(0); }", "noresolve", "maxframes=2")
    frames = [line.strip() for line in out.splitlines() if line.strip()]
    assert len(frames) == 2
    assert all(re.fullmatch(r"0x[0-9a-f]{8,}", frame) for frame in frames)


def test_a_buffer_that_there_is_no_memory_for_is_halved(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 1 MiB, where the kernel gives at most 64 KiB, which is told but for quietresize; bufresize=manual makes an
    error of it."""
    create = loader.Map.create

    def refuse(spec: loader.MapSpec) -> loader.Map:
        if spec.type == 27 and spec.max_entries > 1 << 16:
            raise KernelError(errno.ENOMEM, "bpf(BPF_MAP_CREATE)", "map 'ring'")
        return create(spec)

    monkeypatch.setattr(loader.Map, "create", refuse)
    program = 'tick-10ms { printf("one"); exit(0); }'
    with trace(program, options={"bufsize": "1m"}) as session:
        assert [record.text for record in session] == ["one"]
        assert session._engine is not None
        assert session._engine.halved_buffer() == 1 << 16
    told = "the buffer was made smaller, for there was no memory: 65536 bytes"
    assert told in caplog.text
    caplog.clear()
    with trace(program, options={"bufsize": "1m", "quietresize": None}) as session:
        assert [record.text for record in session] == ["one"]
    assert told not in caplog.text
    manual = trace(program, options={"bufsize": "1m", "bufresize": "manual"})
    with pytest.raises(KernelError, match="Cannot allocate memory"), manual:
        pass
