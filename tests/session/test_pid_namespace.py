"""In a pid namespace of its own, as in a container, invivo speaks of processes by the numbers that /proc has there.

What a process must be called is told by the process itself: getpid(2) and /proc/self, printed beside what was traced.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, TESTS, trigger

pytestmark = [pytest.mark.kernel, pytest.mark.process]

INVIVO = f"{shlex.quote(sys.executable)} -m invivo"
# Prints its numbers, then makes the one system call that is traced.
TELL = "import os; print('told', {numbers}, flush=True); os.getpgid(0)"


def inside(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A shell's script in a new pid namespace."""
    return subprocess.run(
        ["unshare", "--pid", "--fork", *(options or ("--mount-proc",)), "sh", "-c", script],
        capture_output=True, text=True, timeout=120, check=False, start_new_session=True,
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT / "src"),
             "HOME": str(Path.home())},
    )  # fmt: skip


def traced(program: str, command: str, *, options: str = "") -> dict[str, set[str]]:
    """What was told and what was traced, by the first word of each line."""
    result = inside(f"{INVIVO} run -q -e {shlex.quote(program)} -c {shlex.quote(command)} {options}")
    assert (result.returncode, result.stderr) == (0, "")
    found: dict[str, set[str]] = {}
    for line in result.stdout.splitlines():
        first, _, rest = line.partition(" ")
        if first:
            found.setdefault(first, set()).add(rest)
    return found


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -S -c {shlex.quote(code)}"


def test_begin_knows_its_own_number() -> None:
    case = TESTS / "cases" / "variables" / "tst.all-names-in-begin.d"
    result = inside(f"{INVIVO} run -q {case}")
    assert (result.stdout.rstrip("\n"), result.stderr) == (case.with_suffix(".out").read_text().rstrip("\n"), "")


def test_numbers_of_the_running_process_and_its_parent() -> None:
    program = """syscall::getpgid:entry /pid == $target && ppid == $pid/ {
        printf("traced %d %d %d %d\\n", pid, ppid, curpsinfo->pr_pgid, curpsinfo->pr_sid);
        printf("same %d %d %d\\n", pid == tid && pid == curpsinfo->pr_pid && ppid == curpsinfo->pr_ppid,
            progenyof($target) && progenyof($pid) && progenyof(1), progenyof(pid + 1000)); }"""
    numbers = "os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0)"
    found = traced(program, python(TELL.format(numbers=numbers)))
    assert found["traced"] == found["told"]
    assert found["same"] == {"1 1 0"}


def test_the_thread_that_comes_is_numbered_likewise() -> None:
    program = """proc:::create /pid == $target/ { printf("child %d\\n", args[0]->pr_pid); }
        sched:::on-cpu /pid == $target/ { printf("traced %d\\n", tid == curlwpsinfo->pr_lwpid ? pid : -1); }"""
    code = "import os, time; print('told', os.getpid()); p = os.fork(); p and print('child', p); time.sleep(0.02)"
    found = traced(program, python(code))
    assert found["traced"] == found["told"]
    assert len(found["child"]) == 1  # told and traced alike


def test_a_process_in_a_namespace_below_has_a_number_in_this_one() -> None:
    """/proc is not mounted anew there, so it shows the number that it has in invivo's namespace."""
    program = 'syscall::getpgid:entry /progenyof($target)/ { printf("traced %d %d\\n", pid, tid); }'
    numbers = "os.readlink('/proc/self'), os.readlink('/proc/self')"
    found = traced(program, f"unshare --pid --fork {python(TELL.format(numbers=numbers))}")
    assert found["traced"] == found["told"]
    assert found["told"] != {"1 1"}


def test_a_process_outside_has_no_number() -> None:
    path = trigger("spin")
    outside = subprocess.Popen([path, "60000"], stdout=subprocess.DEVNULL)
    try:
        program = 'profile-997 /execname == "spin"/ { printf("%d %d %d\\n", pid, tid, progenyof(1)); exit(0); }'
        result = inside(f"{INVIVO} run -q -e {shlex.quote(program)}")
    finally:
        outside.kill()
        outside.wait()
    assert (result.stdout.split(), result.stderr) == (["0", "0", "0"], "")


def test_probes_and_stacks_of_a_command_are_named() -> None:
    program = """pid$target:a.out:inner:entry { @entries["entry"] = count(); }
        profile-997 /pid == $target/ { @[ustack()] = count(); }"""
    result = inside(f"{INVIVO} run -q -e {shlex.quote(program)} -c '{trigger('spin')} 300'")
    assert result.returncode == 0, result.stderr
    names = [line.strip().partition("+0x")[0] for line in result.stdout.splitlines()]
    chains = [names[i : i + 4] for i, name in enumerate(names) if name == "spin`inner"]
    assert ["spin`inner", "spin`middle", "spin`outer", "spin`main"] in chains
    assert any(name.startswith("entry") for name in names)


@pytest.mark.parametrize("options", ["", "--engine=process"])
def test_a_process_is_found_by_its_number_there(options: str) -> None:
    program = 'pid$target:a.out:inner:entry { printf("traced %d\\n", pid == $target ? pid : -1); exit(0); }'
    result = inside(f"{trigger('spin')} 60000 & {INVIVO} run -q -e {shlex.quote(program)} -p $! {options}; "
                    "echo told $!; kill $!")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.split()[:4:2] == ["traced", "told"]
    assert result.stdout.split()[1] == result.stdout.split()[3]


def test_children_are_followed() -> None:
    """step(1) and step(4) in the first process, step(2) in each of its 3 children, step(3) in each of theirs."""
    program = "pid$target:a.out:step:entry { @[arg0, pid == $target] = count(); }"
    result = inside(f"{INVIVO} run -q -x follow -e {shlex.quote(program)} -c {trigger('family')}")
    assert (result.returncode, result.stderr) == (0, "")
    rows = sorted(line.split() for line in result.stdout.splitlines() if line.strip())
    assert rows == [["1", "1", "1"], ["2", "0", "3"], ["3", "0", "3"], ["4", "1", "1"]]


def test_the_proc_of_another_namespace_is_refused() -> None:
    result = inside(f"{INVIVO} run -q -e 'BEGIN {{ exit(0); }}'", "--kill-child")
    assert result.returncode == 1
    assert "/proc is that of another pid namespace: this process is " in result.stderr
    assert "mount -t proc proc /proc" in result.stderr
    assert "Traceback" not in result.stderr
