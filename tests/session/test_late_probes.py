"""Functions of files that processes map while they are traced: libraries opened later, programs of children."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo import trace
from invivo.bpf.map import Map
from invivo.compiler import Request
from invivo.engines.kernel import loader
from invivo.engines.kernel.late_probes import Hold
from invivo.errors import VerifierError
from invivo.linux import procfs
from invivo.program.plan import UnitPlan
from invivo.session import Session
from tests.session.test_nothing_left import NOTHING, kernel_objects, tracing, wait_until_gone
from tests.support import TESTS, invivo, trigger

pytestmark = pytest.mark.kernel


@pytest.fixture
def plugins(tmp_path: Path) -> list[str]:
    """Five libraries with plugin_work() and a constructor begin(), that no description names."""
    first = tmp_path / "libodd0.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", first, TESTS / "triggers/plugin.c"], check=True)
    paths = [str(first)]
    for number in range(1, 5):
        paths.append(str(tmp_path / f"libodd{number}.so"))
        shutil.copy(first, paths[-1])
    return paths


def run(program: str, command: str, *options: str) -> list[list[str]]:
    """Rows that a program prints, without the triggers' lines, of one word; nothing is told."""
    result = invivo("run", "-q", "-x", "zdefs", *options, "-e", program, "-c", command)
    assert result.returncode == 0, result.stderr
    assert [line for line in result.stderr.splitlines() if "process engine (asked for)" not in line] == []
    return [words for line in result.stdout.splitlines() if len(words := line.split()) > 1]


both_engines = pytest.mark.parametrize("engine", ["kernel", "process"])


@both_engines
@pytest.mark.parametrize("module", ["lib*", ""])
def test_every_call_counts_from_the_constructor_on(module: str, engine: str, plugins: list[str]) -> None:
    program = f"""pid$target:{module}:plugin_w*:entry, pid$target:{module}:begin: {{
        @[probemod, probefunc, probename] = count(); }}"""
    assert sorted(run(program, f"{trigger('opens')} 23 {plugins[0]}", "--engine", engine)) == [
        ["libodd0.so", "begin", "entry", "1"],
        ["libodd0.so", "begin", "return", "1"],
        ["libodd0.so", "plugin_work", "entry", "23"],
    ]


@both_engines
@pytest.mark.parametrize("flag", ["", "-t"])
def test_several_libraries_one_after_the_other_and_at_once(flag: str, engine: str, plugins: list[str]) -> None:
    """The first is opened a second time; with -t each by a thread of its own."""
    times = (5, 7, 11, 13, 17)
    command = " ".join(f"{n} {path}" for n, path in zip((*times, 19), (*plugins, plugins[0]), strict=True))
    program = """pid$target::plugin_work:entry { @e[probemod] = count(); @i[id] = count(); @s = sum(arg0); }
        pid$target::plugin_work:return { @r[probemod] = count(); }
        END { printa("e %s %@d\\n", @e); printa("r %s %@d\\n", @r); printa("i %d %@d\\n", @i);
            printa("s %@d\\n", @s); }"""
    found = run(program, f"{trigger('opens')} {flag} {command}", "--engine", engine)
    expected = {f"libodd{i}.so": str(n + 19 * (i == 0)) for i, n in enumerate(times)}
    assert {row[1]: row[2] for row in found if row[0] == "e"} == expected
    assert {row[1]: row[2] for row in found if row[0] == "r"} == expected
    assert sorted(row[2] for row in found if row[0] == "i") == sorted(expected.values())  # an id for each
    assert ["s", str(sum(times) + 19)] in found


@both_engines
def test_clauses_of_one_firing_stay_together_and_in_order(engine: str, plugins: list[str]) -> None:
    """Three descriptions that mean the same probe, and one that does not."""
    program = """pid$target:lib*:plugin_*:entry { this->n = arg0 * 40; self->who = strjoin(probemod, "!"); }
        pid$target::begin:entry { this->n = 7; self->who = "?"; }
        pid$target::*_work:entry /probefunc == "plugin_work" && probefunc != probemod/ { this->n += 2; }
        pid$target:libodd*:plugin_work:entry { @[self->who, this->n, probename, epid] = count(); }"""
    found = run(program, f"{trigger('opens')} 29 {plugins[3]}", "--engine", engine)
    assert found == [["libodd3.so!", "42", "entry", "4", "29"]]


def test_names_of_records(plugins: list[str]) -> None:
    result = invivo("run", "-x", "zdefs", "-e", "pid$target::plugin_work:entry { trace(probefunc); }", "-c",
                    f"{trigger('opens')} 3 {plugins[1]}")  # fmt: skip
    rows = [line.split() for line in result.stdout.splitlines() if "plugin_work:entry" in line]
    assert [row[2:] for row in rows] == [["plugin_work:entry", "plugin_work"]] * 3
    assert len({row[1] for row in rows}) == 1


def test_a_fault_names_the_probe(plugins: list[str]) -> None:
    result = invivo("run", "-q", "-x", "zdefs", "-e", "pid$target::plugin_work:entry { trace(1 / (arg0 - 1)); }", "-c",
                    f"{trigger('opens')} 3 {plugins[1]}")  # fmt: skip
    assert result.stderr.count("libodd1.so:plugin_work:entry") == 3


@pytest.fixture
def opener() -> Iterator[subprocess.Popen[str]]:
    target = subprocess.Popen(
        [trigger("opens")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    yield target
    target.kill()
    target.communicate()


def ask(target: subprocess.Popen[str], times: int, path: str) -> None:
    assert target.stdin is not None
    assert target.stdout is not None
    target.stdin.write(f"{times} {path}\n")
    target.stdin.flush()
    assert target.stdout.readline() == f"{100 + times}\n"


def test_a_process_that_runs(plugins: list[str], opener: subprocess.Popen[str]) -> None:
    ask(opener, 3, plugins[0])
    program = f"pid{opener.pid}::plugin_work:entry, pid{opener.pid}::main:entry {{ @[probemod] = count(); }}"
    with trace(program, pid=opener.pid, options={"zdefs": None}) as session:
        thread = threading.Thread(target=lambda: [ask(opener, 31, path) for path in plugins[:3]], daemon=True)
        thread.start()
        threading.Thread(target=lambda: (thread.join(), session.stop()), daemon=True).start()
        session.wait()
    assert {key[0]: value for key, value in session.aggregations[""].items()} == {
        "libodd0.so": 31, "libodd1.so": 31, "libodd2.so": 31,
    }  # fmt: skip


def test_a_thread_that_another_tracer_has(plugins: list[str], opener: subprocess.Popen[str]) -> None:
    """It cannot be held, and waits in the kernel as long as the probes take."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(0x4206, opener.pid, 0, 0) == 0, os.strerror(ctypes.get_errno())  # PTRACE_SEIZE
    tracer = tracing(
        "pid$target::plugin_work:entry { @[probemod] = count(); }", "-x", "zdefs", "-p", str(opener.pid),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for_probes(opener)
    ask(opener, 37, plugins[2])
    tracer.send_signal(signal.SIGINT)
    output, told = tracer.communicate(timeout=30)
    if "went on before" in told:  # a machine under load: it is told
        return
    assert output.split() == ["libodd2.so", "37"]


def wait_for_probes(target: subprocess.Popen[str]) -> None:
    """Until the loader's code has a breakpoint."""
    from invivo.linux.maps import read_maps

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for mapping in read_maps(target.pid) or []:
            if "/ld-" in mapping.path:
                with open(f"/proc/{target.pid}/mem", "rb") as memory, open(mapping.path, "rb") as file:
                    memory.seek(mapping.start)
                    file.seek(mapping.offset)
                    size = mapping.end - mapping.start
                    if memory.read(size)[: size - 4096] != file.read(size)[: size - 4096]:
                        return
        time.sleep(0.02)
    raise AssertionError("no breakpoint in 30 s")


_MORE = [pytest.param(moment, marks=pytest.mark.slow) for moment in range(6, 50)]


@pytest.mark.parametrize("moment", [*range(6), *_MORE])
def test_a_tracer_killed_while_libraries_are_opened(
    moment: int, plugins: list[str], opener: subprocess.Popen[str]
) -> None:
    """The process goes on, whether it waits in the kernel or is held."""
    before = kernel_objects()
    program = "pid$target:::entry { @[probefunc] = count(); }"
    tracer = tracing(program, "-p", str(opener.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_probes(opener)
    pid = os.fork()
    if pid == 0:  # kills at a moment of what the other does
        time.sleep(random.Random(moment).random() * 0.06)
        os.kill(tracer.pid, signal.SIGKILL)
        os._exit(0)
    for path in plugins:
        ask(opener, 3, path)
    os.waitpid(pid, 0)
    tracer.wait()
    ask(opener, 3, plugins[0])
    assert wait_until_gone(before, tracer.pid) == NOTHING
    status = Path(f"/proc/{opener.pid}/status").read_text()
    assert "TracerPid:\t0" in status


# --- children ---


@both_engines
def test_programs_of_children_are_followed(engine: str, plugins: list[str]) -> None:
    """Two programs with functions of that name, and a library that only a child opens; step() is called 8 times a run.
    Not followed: what others run."""
    family, opens = trigger("family"), trigger("opens")
    program = """pid$target:a.out:main:entry, pid$target:a.out:step:entry, pid$target:libodd0:plugin_work:return
        { @[execname, probemod, probefunc] = count(); }"""
    others = subprocess.Popen(["sh", "-c", f"while sleep 0.02; do {family}; {opens} 5 {plugins[0]} >/dev/null; done"])
    try:
        command = f"sh -c '{family}; {opens} 41 {plugins[0]}; {family}; exec {opens} 43 {plugins[0]}'"
        found = sorted(run(program, command, "-x", "follow", "--engine", engine))
    finally:
        others.kill()
        others.wait()
    assert found == [
        ["family", "family", "main", "2"],
        ["family", "family", "step", "16"],
        ["opens", "libodd0.so", "plugin_work", "84"],
        ["opens", "opens", "main", "2"],
    ]


def test_the_same_library_in_programs_of_children() -> None:
    """The trigger forks 6 times a run."""
    calls = "for i in 1 2 3 4 5; do " + trigger("family") + "; done"
    program = "pid$target:libc:fork:entry, pid$target:libc:_Fork:entry { @[execname] = count(); }"
    found = run(program, f"sh -c '{calls}; true'", "-x", "follow")
    assert ["family", "30"] in found or ["family", "60"] in found  # fork() calls _Fork() where both are names


@both_engines
def test_a_static_program_of_a_child(engine: str, tmp_path: Path) -> None:
    """It has no loader in which it could be held: the first calls of its first run may be missing, which is told."""
    path = tmp_path / "static"
    text = """
        #include <unistd.h>
        __attribute__((noinline, noclone)) int work(int n) { __asm__ volatile(""); return n + 1; }
        int main(void) { int n = 0; while (n < 307) { n = work(n); usleep(3000); } return n != 307; }"""
    subprocess.run(["cc", "-O1", "-static", "-x", "c", "-o", path, "-"], input=text, text=True, check=True)
    program = "pid$target:a.out:work:entry { @[probemod] = count(); } END { printa(\"%s %@d\\n\", @); }"
    result = invivo("run", "-q", "-x", "zdefs", "-x", "follow", "--engine", engine, "-e", program, "-c",
                    f"sh -c '{path}; {path}'")  # fmt: skip
    assert result.returncode == 0, result.stderr
    name, count = result.stdout.split()
    assert name == "static"
    if engine == "process":
        assert int(count) == 614
    else:
        assert 0 < int(count) <= 614
        assert f"ran {path} without a loader that is watched: first calls may be missing" in result.stderr


# --- limits ---


def test_returns_that_the_kernel_misses_in_them_are_told(tmp_path: Path) -> None:
    """Of 101 calls in one another the kernel sees 64 return."""
    library = tmp_path / "libdeep.so"
    text = "int plugin_work(int n) { __asm__ volatile(\"\"); return n > 100 ? 100 + 1 : plugin_work(n + 1) + 0 * n; }"
    subprocess.run(["cc", "-O0", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=text, text=True, check=True)
    program = """pid$target:lib*:plugin_work:entry { @e = count(); }
        pid$target:lib*:plugin_work:return { @r = count(); }
        END { printa("%@d ", @e); printa("%@d\\n", @r); }"""
    result = invivo("run", "-q", "-x", "zdefs", "-e", program, "-c", f"{trigger('opens')} 1 {library}")
    assert result.stdout.split()[-2:] == ["101", "64"]
    assert "37 missed returns" in result.stderr


def test_where_the_verifier_refuses_their_program_they_are_left_out_and_told(
    plugins: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clauses that it takes apart stand in one program for late probes, which may be too much."""

    def load_unit(unit: UnitPlan, maps: list[Map]) -> loader.LoadedUnit:
        if unit.name.startswith("late_"):
            raise VerifierError(7, unit.name, "too many instructions", "")
        return loader.load_unit(unit, maps)

    monkeypatch.setattr("invivo.engines.kernel.engine.load_unit", load_unit)
    told: list[str] = []
    program = "pid$target::plugin_work:entry, pid$target::main:entry { @[probefunc] = count(); }"
    command = [trigger("opens"), "3", plugins[0]]
    request = Request(program.encode(), "d", options={"zdefs": None})
    with Session(request, command=command, tell=told.append) as session:
        session.wait()
    assert {key[0]: value for key, value in session.aggregations[""].items()} == {"main": 1}
    wanted = f"has loaded {plugins[0]} since tracing began, where ':plugin_work' has no probes"
    assert [text for text in told if wanted in text], told


def test_a_description_that_nothing_matches_yet_is_an_error_that_says_how_to_wait() -> None:
    result = invivo("run", "-e", "pid$target:lib*:plugin_work:entry { }", "-c", trigger("opens"))
    assert result.returncode != 0
    assert "-x zdefs goes on without, until a file is loaded that has it" in result.stderr


def test_a_thread_that_does_not_stop_in_time_is_let_go_later() -> None:
    """It waits in the kernel, for the child of its vfork(2), when it is asked to stop."""
    with subprocess.Popen([trigger("races"), "naps"], stdout=subprocess.DEVNULL) as target:
        try:
            deadline = time.monotonic() + 30
            while procfs.state(target.pid) != "D" and time.monotonic() < deadline:
                time.sleep(0.001)
            left: list[Hold] = []
            with Hold(target.pid, left) as hold:
                assert not hold.has_stopped(0.01)
            assert left == [hold]
            while not hold.let_go() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert procfs.status(target.pid)["TracerPid"] == "0"
            assert procfs.state(target.pid) != "t"
        finally:
            target.kill()
