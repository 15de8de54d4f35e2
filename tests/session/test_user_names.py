"""Addresses of processes are named by what those had mapped when the address was taken, whatever became of them since.

The trigger's functions are known: main calls outer, outer middle, middle inner.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import invivo
from invivo.consumer.records import Stack
from invivo.linux.perf_records import Mapped, PerfRecords, ProcessRecord
from tests.support import TESTS, trigger
from tests.support import invivo as command

pytestmark = [pytest.mark.kernel, pytest.mark.process]

CHAIN = ["spin`inner", "spin`middle", "spin`outer", "spin`main"]
SAMPLE = 'profile-997 /execname == "spin"/ { @[ustack()] = count(); }'


@pytest.fixture
def spin(tmp_path: Path) -> str:
    """A copy of the trigger, which may be deleted."""
    path = tmp_path / "spin"
    shutil.copy2(trigger("spin"), path)
    return str(path)


def stacks(line: str | list[str], program: str = SAMPLE) -> list[list[str]]:
    """The user stacks of a run, each as the names of its frames without offsets."""
    with invivo.trace(program, command=line) as session:
        session.wait()
    (view,) = session.aggregations.values()
    found = [key[0] for key in view]
    assert all(isinstance(stack, Stack) for stack in found)
    return [functions(stack.names) for stack in found]


def functions(names: Iterable[str]) -> list[str]:
    return [name.partition("+0x")[0] for name in names]


def is_chain(stack: list[str]) -> bool:
    return any(stack[start : start + 4] == CHAIN for start in (0, 1))


def test_a_program_that_has_ended_is_named(spin: str) -> None:
    """It runs for 200 ms; names are asked for when it is gone."""
    found = stacks([spin, "200"])
    assert any(stack[:4] == CHAIN for stack in found)
    named = [stack for stack in found if "spin`inner" in stack]
    assert all(is_chain(stack) for stack in named if stack[0] == "spin`inner" and len(stack) > 4)
    assert not any("[" in name for stack in named for name in stack[:3])


def test_short_programs_of_a_shell_are_whole_on_a_busy_machine(spin: str) -> None:
    """Ten of 50 ms each, while two processes spin: nearly all that is sampled in main is followed to _start, and the
    tracer is an ordinary thread again when tracing is over."""
    before = os.sched_getscheduler(0)
    program = 'profile-997 /execname == "spin"/ { @[ustack()] = count(); }'
    spinners = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(2)]
    try:
        found = stacks(["sh", "-c", f"for i in 0 1 2 3 4 5 6 7 8 9; do {spin} 50; done"], program)
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
    inside = [stack for stack in found if "spin`inner" in stack]
    assert inside
    assert all(is_chain(stack) for stack in inside)
    assert any(stack[-1] == "spin`_start" for stack in inside)
    assert os.sched_getscheduler(0) == before


def test_a_program_whose_file_was_deleted_is_named(spin: str) -> None:
    found = stacks([spin, "200", "unlink"])
    assert not os.path.exists(spin)
    assert any(stack[:4] == CHAIN for stack in found)


def test_a_program_of_another_mount_namespace_is_named(spin: str, tmp_path: Path) -> None:
    """The file lies on a tmpfs that only the program sees, and that is gone with it."""
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("unshare -m is not allowed here")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    script = f"mount -t tmpfs none '{hidden}' && cp '{spin}' '{hidden}/spin' && exec '{hidden}/spin' 200"
    found = stacks(["unshare", "-m", "sh", "-c", script])
    assert not (hidden / "spin").exists()
    assert any(stack[:4] == CHAIN for stack in found)


def test_a_library_opened_late_is_named(spin: str, tmp_path: Path) -> None:
    library = tmp_path / "liblate.so"
    source = TESTS / "triggers" / "late.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    found = stacks([spin, "300", "dlopen", str(library)])
    assert any(stack[:4] == CHAIN for stack in found)
    assert any(stack[:5] == [*CHAIN[:3], "liblate.so`late_work", "spin`main"] for stack in found)


def test_what_perf_has_lost_is_asked_of_proc(
    spin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No record of a mapping ever comes, as if all had been lost: those of the target and of its library are known all
    the same, and the loss is told."""
    library = tmp_path / "liblate.so"
    source = TESTS / "triggers" / "late.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    read = PerfRecords.read

    def lose(self: PerfRecords) -> list[ProcessRecord]:
        records = read(self)
        kept = [record for record in records if not isinstance(record, Mapped)]
        self.lost += len(records) - len(kept)
        return kept

    monkeypatch.setattr(PerfRecords, "read", lose)
    with invivo.trace(SAMPLE, command=[spin, "1500", "dlopen", str(library)]) as session:
        session.wait()
    assert "lost mapping record" in caplog.text
    (view,) = session.aggregations.values()
    found = [functions(key[0].names) for key in view]
    assert any(stack[:4] == CHAIN and stack[-1] == "spin`_start" for stack in found)
    through = [*CHAIN[:3], "liblate.so`late_work", "spin`main"]
    assert any(stack[:5] == through and stack[-1] == "spin`_start" for stack in found)


def test_a_process_that_ran_before_is_named(spin: str) -> None:
    """It is sampled without being the target, and is killed while it is traced."""
    with subprocess.Popen([spin, "60000"]) as process:
        program = f"profile-997 /pid == {process.pid}/ {{ @[ustack()] = count(); }}"
        script = f"import os, time; time.sleep(0.3); os.kill({process.pid}, 9); time.sleep(0.2)"
        found = stacks([sys.executable, "-S", "-c", script], program)
    assert any(stack[:4] == CHAIN for stack in found)


def test_two_programs_of_one_process_are_told_apart(spin: str, tmp_path: Path) -> None:
    """The same process runs the trigger under two names, one after the other, at whatever addresses."""
    other = tmp_path / "twin"
    shutil.copy2(spin, other)
    script = f"import os; os.spawnv(0, {spin!r}, [{spin!r}, '150']); os.execv({str(other)!r}, ['twin', '150'])"
    program = 'profile-997 /execname == "spin" || execname == "twin"/ { @[execname, ustack(1)] = count(); }'
    with invivo.trace(program, command=[sys.executable, "-S", "-c", script]) as session:
        session.wait()
    (view,) = session.aggregations.values()
    pairs = {(key[0], name) for key in view for name in functions(key[1].names)}
    assert ("spin", "spin`inner") in pairs
    assert ("twin", "twin`inner") in pairs
    assert not pairs & {("spin", "twin`inner"), ("twin", "spin`inner")}


def test_a_stripped_program_says_why_it_has_no_names(spin: str) -> None:
    """Its frames give the file's own addresses, which nm(1) gives for the unstripped copy."""
    nm = subprocess.run(["nm", trigger("spin")], capture_output=True, text=True, check=True).stdout.splitlines()
    inner = int(next(line.split()[0] for line in nm if line.endswith(" T inner")), 16)
    subprocess.run(["strip", "-s", spin], check=True)
    found = stacks([spin, "200"])
    tops = {int(stack[0].partition("`")[2].split()[0], 16) for stack in found if stack and stack[0].startswith("spin`")}
    assert any(inner <= top < inner + 64 for top in tops)
    assert all("[" in stack[0] for stack in found if stack and stack[0].startswith("spin`0x"))


def test_symbols_of_addresses_and_json(spin: str) -> None:
    """usym(), ufunc(), umod(), uaddr() and %A of the interrupted address, all by one sample."""
    program = (
        'profile-997 /execname == "spin" && arg1/ { @u[usym(arg1)] = count(); @f[ufunc(arg1)] = count(); '
        '@m[umod(arg1)] = count(); printf("%A", arg1); uaddr(arg1); }'
    )
    result = command("run", "-q", "--format", "json", "-e", program, "-c", f"{spin} 300")
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    tables = {line["name"]: {entry["key"][0]: entry["value"] for entry in line["entries"]}
              for line in lines if line["type"] == "aggregation"}  # fmt: skip
    assert tables["u"]["spin`inner"] > 5
    assert tables["f"] == tables["u"]
    assert tables["m"]["spin"] == sum(count for name, count in tables["u"].items() if name.startswith("spin`"))
    values = [value for line in lines if line["type"] == "record" for value in line["values"]]
    assert any(str(value).startswith("spin`inner+0x") for value in values)
