"""System calls by the process engine, as an ordinary user: counts against triggers, arguments as they were given."""

from __future__ import annotations

import pytest

from tests.support import as_user, invivo, trigger

pytestmark = pytest.mark.process

EACH = 25_003


def traced(program: str, command: str, *options: str) -> list[str]:
    result = as_user("run", "-q", *options, "-e", program, "-c", command, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_engine_is_chosen_and_named() -> None:
    result = as_user("run", "-q", "-e", "syscall::write:entry { @ = count(); }", "-c", "echo hello")
    assert result.returncode == 0
    assert result.stdout.split() == ["hello", "1"]
    (line,) = [line for line in result.stderr.splitlines() if "engine" in line]
    assert line.startswith("invivo: process engine (this user may not load BPF programs)")


def test_entries_and_returns_of_two_threads_are_counted_exactly() -> None:
    lines = traced(
        "syscall::getppid:entry { @[0] = count(); } syscall::getppid:return { @[1] = count(); }",
        f"{trigger('syscalls')} {EACH}",
    )
    assert [line.split() for line in lines if line] == [["0", str(2 * EACH)], ["1", str(2 * EACH)]]


def test_without_a_filter_the_same() -> None:
    lines = traced("syscall::getppid:return { @ = count(); }", f"{trigger('syscalls')} 1009", "--no-filter")
    assert [line.split() for line in lines if line] == [["2018"]]


def test_arguments_strings_results_and_errno() -> None:
    program = (
        'syscall::openat:entry /basename(stringof(args.filename)) == "no-such-file"/ '
        '{ self->it = 1; printf("%s %s\\n", execname, copyinstr(arg1)); } '
        'syscall::openat:return /self->it/ { printf("%d %d\\n", arg0, errno); self->it = 0; }'
    )
    result = as_user("run", "-q", "-e", program, "-c", "cat /no-such-file")
    assert result.stdout.split() == ["cat", "/no-such-file", "-2", "2"]


def test_what_a_process_is_comes_from_proc() -> None:
    program = (
        "syscall::exit_group:entry /pid == $target/ "
        '{ printf("%d %d %d %s %s %d\\n", uid, gid, ppid == curpsinfo->pr_ppid, curpsinfo->pr_fname, '
        "curpsinfo->pr_psargs, tid == curthread->pid); }"
    )
    (line,) = traced(program, "sleep 0.01")[:1]
    *ids, same, name, command, argument, is_leader = line.split()
    assert (same, name, command, argument, is_leader) == ("1", "sleep", "sleep", "0.01", "1")
    (real,) = traced('BEGIN { printf("%d %d\\n", uid, gid); exit(0); }', "true")[:1]
    assert ids == real.split()


def test_what_only_the_kernel_knows_says_so() -> None:
    for program, what in (
        ("sched:::on-cpu { @ = count(); }", "the tracepoint sched_switch"),
        ("io:::start { @ = count(); }", "needs the kernel engine, because"),
        ("syscall::write:entry { trace(curthread->se.vruntime); }", "'se.vruntime' of 'struct task_struct'"),
    ):
        result = as_user("run", "-e", program, "-c", "echo")
        assert result.returncode == 1
        assert what in result.stderr
        assert "needs the kernel engine" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_question_about_the_whole_system_is_refused() -> None:
    result = as_user("run", "-e", "syscall:::entry { @ = count(); }")
    assert result.returncode == 1
    assert "asks about the whole system" in result.stderr
    assert "hint: ask about a command (-c) or a process (-p) of your own" in result.stderr


def test_programs_without_a_target_run() -> None:
    result = as_user("run", "-q", "-e", "tick-10ms { n++; } tick-10ms /n == 3/ { trace(n); exit(4); }")
    assert (result.stdout.split(), result.returncode) == (["3"], 4)


@pytest.mark.kernel
def test_it_agrees_with_the_kernel_engine_on_a_shell() -> None:
    program = "syscall:::entry { @[probefunc] = count(); } syscall:::return { @r[probefunc, errno] = count(); }"
    command = "wc -c /etc/passwd /no-such-file"
    by_process = invivo("run", "-q", "--engine", "process", "-e", program, "-c", command)
    scoped = program.replace("entry {", "entry /pid == $target/ {").replace("return {", "return /pid == $target/ {")
    by_kernel = invivo("run", "-q", "--engine", "kernel", "-e", scoped, "-c", command)
    assert sorted(by_process.stdout.splitlines()) == sorted(by_kernel.stdout.splitlines())
