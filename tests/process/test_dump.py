"""Dumps of a process's state, against what the process itself says of it; and what becomes of the process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ORDINARY_USER, ROOT, as_user, invivo, trigger

pytestmark = pytest.mark.process

WALK = """
dump {
    this->sum = (uint64_t)0;
    for (this->n = `head; this->n != NULL; this->n = this->n->next) { this->count++; this->sum += this->n->value; }
    printf("%d %d\\n", this->count, this->sum);
}
"""
TABLE = """
struct entry *e;
dump {
    for (this->i = 0; this->i < 64; this->i++)
        for (e = `table.buckets[this->i]; e != NULL; e = e->next) {
            @entries = count(); @total = sum(e->hits); hits[stringof(e->key)] = e->hits;
        }
    printa("%@d ", @entries); printa("%@d\\n", @total);
    printf("%d %d\\n", `table.used, hits["key7"]);
}
"""


@contextmanager
def state(*arguments: str, flags: tuple[str, ...] = ("-g",), **keywords: object) -> Iterator[tuple[int, list[str]]]:
    """The trigger, running: its pid and the numbers that it prints."""
    words = [trigger("state", *flags), *arguments]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **keywords)  # type: ignore[call-overload]
    try:
        yield child.pid, child.stdout.readline().split()
    finally:
        child.kill()
        child.communicate()


def dump(program: str, pid: int, *options: str) -> subprocess.CompletedProcess[str]:
    return invivo("run", "-q", "-e", program, "-p", str(pid), *options)


def started(program: str, pid: int, *options: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "invivo", "run", "-q", "-e", program, "-p", str(pid), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def status_of(pid: int) -> tuple[str, int]:
    """(state, tracer) of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^State:\s+(\S)", text, re.M)[0], int(re.findall(r"^TracerPid:\s+(\d+)", text, re.M)[0])


@pytest.mark.parametrize("options", [(), ("--consistent",)], ids=["running", "consistent"])
def test_a_list_of_100_000_nodes_is_walked_whole(options: tuple[str, ...]) -> None:
    with state("100000") as (pid, (count, sum_, _, _)):
        result = dump(WALK, pid, *options)
        assert result.stdout.split() == [count, sum_], result.stderr
        assert count == "100000"
        found = re.fullmatch(r"(invivo: process \d+ was stopped for (\d+\.\d{3}) ms \(3 threads\)\n)?", result.stderr)
        assert found, result.stderr
        assert bool(found[1]) == bool(options)
        await_let_go(pid)


def test_a_hash_table_is_walked_and_aggregations_show_what_they_are_at_that_point() -> None:
    with state("7") as (pid, (_, _, entries, total)):
        result = dump(TABLE, pid)
        assert result.stdout.split() == [entries, total, entries, "21"], result.stderr


def test_an_ordinary_user_looks_into_a_process_of_its_own(tmp_path: Path) -> None:
    with state("1009", **ORDINARY_USER) as (pid, (count, sum_, _, _)):
        result = as_user("run", "-q", "-e", WALK, "-p", str(pid), "--consistent")
        assert result.stdout.split() == [count, sum_], result.stderr
        assert "was stopped for" in result.stderr


def test_values_have_their_types_and_names() -> None:
    """The last node of 100 has the value 99 * 2654435761 modulo 2**32."""
    value = 99 * 2654435761 % 2**32
    program = """dump {
        this->n = `head;
        printf("%d %s %d ", this->n->value, stringof(this->n->name), this->n->colour == BLUE);
        printf("%d %d\\n", this->n->low, this->n->high);
        printf("%s %d %d\\n", execname, pid == $target, tid == $target);
        print(`head);
    }"""
    with state("100") as (pid, _):
        result = dump(program, pid)
    lines = result.stdout.splitlines()
    assert lines[0].split() == [str(value), f"n{value}", str(int(value % 3 == 0)), str(value % 8), str(value % 32)]
    assert lines[1].split()[1:] == ["1", "1"]
    assert f".value = (uint32_t){value}," in result.stdout


def test_a_bad_address_is_told_with_its_line_and_the_next_clause_goes_on() -> None:
    program = 'dump { x = *(int *)`nowhere;\n printf("no"); }\ndump { printf("on\\n"); }'
    with state("1") as (pid, _):
        result = dump(program + ' ERROR { printf("%x\\n", arg5); }', pid)
    assert result.stdout.split() == ["10", "on"]
    assert "<-e>:1:12: error in clause 1" in result.stderr
    assert "invalid address (0x10)" in result.stderr


def test_a_list_that_changes_while_it_is_walked_ends() -> None:
    """Nodes that were seen are not seen again where the program says so, whatever circle the links lead in."""
    program = """int seen[uintptr_t];
    dump {
        for (this->n = `head; this->n != NULL && !seen[(uintptr_t)this->n]; this->n = this->n->next) {
            seen[(uintptr_t)this->n] = 1; this->count++;
        }
        printf("%d\\n", this->count);
    }"""
    with state("1000", "changing") as (pid, _):
        for options in ((), (), ("--consistent",)):
            result = dump(program, pid, *options)
            assert result.returncode == 0, result.stderr
            assert 0 < int(result.stdout) <= 1000


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "duration"])
def test_a_loop_without_end_is_ended(end: str) -> None:
    program = 'dump { printf("in\\n"); while (1) { this->i++; } printf("no\\n"); } END { printf("end\\n"); }'
    with state("1") as (pid, _):
        options = ["--duration", "1"] if end == "duration" else []
        with started(program, pid, "--consistent", *options) as mine:
            await_state(pid, "t")
            if end != "duration":
                mine.send_signal(signal.Signals[end])
            output, errors = mine.communicate(timeout=20)
        assert output.split() == ["in", "end"]
        assert "was stopped for" in errors
        await_let_go(pid)


def await_state(pid: int, wanted: str) -> None:
    deadline = time.monotonic() + 20
    while status_of(pid)[0] != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def await_let_go(*threads: int) -> None:
    """They sleep again, as the trigger's do, each when it has had a processor; and nobody traces them."""
    for thread in threads:
        await_state(thread, "S")
        assert status_of(thread) == ("S", 0)


def test_a_process_that_was_stopped_goes_on_when_the_tracer_is_killed() -> None:
    with state("1") as (pid, _):
        with started("dump { while (1) { } }", pid, "--consistent") as mine:
            await_state(pid, "t")
            tracer = status_of(pid)[1]
            os.kill(tracer, signal.SIGKILL)
            mine.communicate(timeout=20)
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        assert len(threads) == 3
        await_let_go(*threads)


def test_a_process_that_ends_meanwhile_is_told() -> None:
    program = 'dump { printf("in\\n"); while (1) { x = `head->value; } } END { printf("end\\n"); }'
    with state("1") as (pid, _), started(program, pid) as mine:
        assert mine.stdout is not None
        assert mine.stdout.readline() == "in\n"
        os.kill(pid, signal.SIGKILL)
        output, errors = mine.communicate(timeout=20)
    assert mine.returncode == 1
    assert f"process {pid} has ended" in errors
    assert output.split() == ["end"]


def test_threads_have_their_stacks() -> None:
    with state("1") as (pid, _):
        threads = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
        result = dump('dump:::thread { printf("%d\\n", tid); ustack(); }', pid)
        assert re.findall(r"^(\d+)$", result.stdout, re.M) == threads
        assert result.stdout.count("pause+0x") == 2
        await_let_go(*map(int, threads))


def test_types_may_come_from_another_file() -> None:
    with state("7", flags=()) as (pid, (count, sum_, _, _)):
        refused = dump(WALK, pid)
        assert refused.returncode == 1
        assert "--types FILE" in refused.stderr
        assert "has no debug information" in dump("dump { x = ((struct node *)16)->value; }", pid).stderr
        result = dump(WALK, pid, "--types", trigger("state", "-g"))
        assert result.stdout.split() == [count, sum_], result.stderr


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        ("dump { }", [], "none is given"),
        ("dump { }", ["-c", "true"], "none is given"),
        ("dump { }", ["-p", "999999999"], "there is no process 999999999"),
        ("dump { } tick-1s { }", ["-p", "{pid}"], "cannot have the probe profile:::tick-1s"),
        ("dump:::nothing { }", ["-p", "{pid}"], "dump:::thread"),
        ("BEGIN { exit(0); }", ["-p", "{pid}", "--consistent"], "--consistent is for programs with 'dump'"),
        ("dump { x = `nosuch; }", ["-p", "{pid}"], "no variable 'nosuch'"),
    ],
)
def test_bad_input_is_told(program: str, options: list[str], message: str) -> None:
    with state("1") as (pid, _):
        result = invivo("run", "-q", "-e", program, *[option.format(pid=pid) for option in options])
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a process of another user")
def test_another_users_process_is_refused() -> None:
    with state("1") as (pid, _):
        result = as_user("run", "-q", "-e", "dump { }", "-p", str(pid))
    assert result.returncode == 1
    assert "belongs to user 0" in result.stderr
