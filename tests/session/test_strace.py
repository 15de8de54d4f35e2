"""`invivo strace` against strace(1) of Debian, on the same commands; and on what it may not disturb."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.process

PYTHON = sys.executable
PROCESS = ("--engine", "process")


both = pytest.mark.parametrize("engine", ["process", pytest.param("kernel", marks=pytest.mark.kernel)])


def of_strace(*arguments: str) -> list[str]:
    if not shutil.which("strace"):
        subprocess.run([str(Path(__file__).parents[2] / "scripts/apt-get"), "strace"], check=False)
    if not shutil.which("strace"):
        pytest.skip("no strace here to compare with (apt-get install strace)")
    return subprocess.run(["strace", *arguments], capture_output=True, text=True, check=False).stderr.splitlines()


def calls_in(lines: list[str]) -> list[tuple[str, str]]:
    """(name, result) of each line that is a call, addresses and numbers of processes left out."""
    found = []
    for line in lines:
        match = re.match(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\(.*\) += (.*)$", line)
        if match:
            result = re.sub(r"0x[0-9a-f]+", "ADDRESS", match[2])
            found.append((match[1], "ID" if match[1] in ("set_tid_address", "getpid", "getppid") else result))
    return found


@pytest.mark.parametrize("command", [["cat", "/etc/hostname"], ["ls", "/"], ["sh", "-c", "exit 3"]], ids=str)
def test_calls_and_results_are_those_that_strace_shows(command: list[str]) -> None:
    mine = invivo("strace", *PROCESS, *command)
    theirs = calls_in(of_strace(*command))
    assert len(theirs) > 20
    assert calls_in(mine.stderr.splitlines()) == theirs


def test_most_lines_are_the_same_to_the_letter() -> None:
    """All but addresses, random bytes, ids, and the few calls of which strace decodes more."""

    def plain(lines: list[str]) -> list[str]:
        return [re.sub(r"0x[0-9a-f]+", "0x", line) for line in lines]

    command = ["cat", "/etc/hostname"]
    theirs = plain(of_strace(*command))
    mine = plain(invivo("strace", *PROCESS, *command).stderr.splitlines())
    same = sum(a == b for a, b in zip(mine, theirs, strict=True))
    assert same >= 0.85 * len(theirs), (mine, theirs)


@both
def test_status_output_file_and_filter(tmp_path: Path, engine: str) -> None:
    output = tmp_path / "calls"
    command = ["sh", "-c", "cat /etc/hostname; exit 7"]
    done = invivo("strace", "--engine", engine, "-o", str(output), "-e", "trace=openat", *command)
    assert done.returncode == 7
    assert done.stderr == ""
    assert done.stdout == Path("/etc/hostname").read_text()
    lines = output.read_text().splitlines()
    assert {line.split("(")[0] for line in lines[:-1] if not line.startswith("---")} == {"openat"}
    assert lines[-1] == "+++ exited with 7 +++"


@both
def test_all_calls_of_threads_and_children_are_counted(engine: str) -> None:
    """Two threads with 1009 calls each, and a count of those."""
    code = (
        "import os, threading\n"
        "def work():\n for _ in range(1009): os.getppid()\n"
        "threads = [threading.Thread(target=work) for _ in range(2)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    done = invivo("strace", "--engine", engine, "-f", "-c", "-e", "trace=getppid", PYTHON, "-c", code)
    rows = {line.split()[-1]: line.split() for line in done.stderr.splitlines() if line.split()}
    assert rows["getppid"][3] == "2018"
    assert rows["total"][3] == "2018"


@both
def test_children_are_followed_and_signals_shown(engine: str) -> None:
    done = invivo("strace", "--engine", engine, "-f", "sh", "-c", "/bin/true & wait; kill -TERM $$")
    assert done.returncode == 128 + signal.SIGTERM
    text = done.stderr
    assert "Process" in text
    assert 'execve("/bin/true", ["/bin/true"]' in text
    assert "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED" in text
    assert "+++ killed by SIGTERM +++" in text


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    name = str(tmp_path / "\x1b[31mred\n")
    done = invivo("strace", *PROCESS, "-y", "cat", name)
    assert "\x1b" not in done.stderr.replace(done.stderr.partition("cat: ")[2], "")
    assert r"\33[31mred\n" in done.stderr


def await_status(pid: int, wanted: str) -> None:
    """Wait until a process's status matches the pattern."""
    deadline = time.monotonic() + 20
    while not re.search(wanted, status := Path(f"/proc/{pid}/status").read_text(), re.M):
        assert time.monotonic() < deadline, status
        time.sleep(0.01)


def test_a_running_process_is_seen_and_runs_on() -> None:
    code = "import os, time\nprint(1, flush=True)\nwhile True: os.getppid(); time.sleep(0.01)"
    child = subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
        words = [PYTHON, "-m", "invivo", "strace", *PROCESS, "-e", "getppid", "-p", str(child.pid)]
        tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
        assert tracer.stderr is not None
        lines = []
        while len(lines) < 5 and (line := tracer.stderr.readline()):
            lines += [line] * line.startswith("getppid")
        tracer.send_signal(signal.SIGINT)
        _, rest = tracer.communicate(timeout=20)
        assert len(lines) == 5, rest
        assert all(re.fullmatch(rf"getppid\(\) += {os.getpid()}\n", line) for line in lines), lines
        tracer = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)
        await_status(child.pid, r"^TracerPid:\s+[1-9]")
        tracer.kill()
        tracer.wait()
        await_status(child.pid, r"^State:\s+[SR](.*\n)+TracerPid:\s+0$")
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-e", "trace=raed", "ls"], "did you mean read?"),
        (["-e", "trace=%nosuch", "ls"], "%file, %desc"),
        (["-e", "signal=NOSUCH", "ls"], "there is no signal 'NOSUCH'"),
        (["-e", "nosuch=read", "ls"], "there is no 'nosuch'"),
        (["-u", "nobody", "ls"], "setpriv"),
        (["-D", "ls"], "invivo strace -p PID"),
        (["-S", "size", "ls"], "there are time,"),
        (["-U", "calls,size", "ls"], "there are time-percent"),
        (["-e", "inject=read", "ls"], "nothing is said of what to do"),
        (["-e", "inject=read:error=ENOSUCH", "ls"], "there is no error 'ENOSUCH'"),
        (["-e", "inject=read:retval=1:error=EIO", "ls"], "a call has one answer"),
        (["-e", "inject=read:error=EIO:when=3..1", "ls"], "FIRST[..LAST]"),
        (["-e", "trace=/[", "ls"], "no regular expression"),
        (["--relative-timestamps=h", "ls"], "there are s, ms, us and ns"),
        (["-c", "-C", "ls"], "-C shows lines and the table"),
        (["-A", "ls"], "none is named"),
        (["-E", "=1", "ls"], "a variable has a name"),
        (["-p", "x"], "a process has a number"),
        ([], "give a command, or -p PID"),
        (["-p", "1", "ls"], "give a command, or -p PID"),
        (["/no/such/program"], "no such file"),
        (["-p", "999999999"], "there is no process 999999999"),
    ],
)
def test_bad_input_is_told(arguments: list[str], message: str) -> None:
    done = invivo("strace", *PROCESS, *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_stacks_lead_to_the_same_places_as_those_of_strace() -> None:
    """Files and places in them, frame by frame; names are as good as the symbols that a tracer finds."""

    def places(lines: list[str]) -> list[list[tuple[str, str]]]:
        found: list[list[tuple[str, str]]] = []
        for line in lines:
            if (match := re.match(r" > (\S+?)\(.*\) \[(0x[0-9a-f]+)\]$", line)) is not None:
                found[-1].append((match[1], match[2]))
            elif line.startswith("openat("):
                found.append([])
        return found

    theirs = places(of_strace("-k", "-e", "trace=openat", "cat", "/etc/hostname"))
    if not any(theirs):
        pytest.skip("this strace was built without stacks")
    mine = places(invivo("strace", "-k", "-e", "trace=openat", "cat", "/etc/hostname").stderr.splitlines())
    # The loader's frames end where the kernel's do; the command's own opens come after them.
    assert len(mine) == len(theirs)
    assert mine[-1] == theirs[-1]
    assert len(mine[-1]) >= 4
    same = sum(one == other for one, other in zip(mine, theirs, strict=True))
    assert same >= 0.9 * len(theirs), (mine, theirs)


@both
def test_each_process_has_its_file(tmp_path: Path, engine: str) -> None:
    code = "import os\npid = os.fork()\nos.getppid() if pid else os.getpgrp()\nos.waitpid(pid, 0) if pid else 0"
    options = ["-ff", "-e", "getppid,getpgrp", "-o", str(tmp_path / "calls")]
    assert invivo("strace", "--engine", engine, *options, PYTHON, "-S", "-c", code).returncode == 0
    texts = sorted(re.sub(r"=.*|SIGCHLD.*|\d+", "", path.read_text()) for path in tmp_path.glob("calls.*"))
    assert len(texts) == 2
    assert "getpgrp()" in texts[0]
    assert "getppid()" not in texts[0]
    assert "getppid()" in texts[1]
    assert "getpgrp()" not in texts[1]
    assert "-ff writes a file" in invivo("strace", "-ff", "true").stderr


@both
@pytest.mark.parametrize("option", ["-y", "-yy"])
def test_paths_of_descriptors_are_those_that_strace_shows(engine: str, option: str, tmp_path: Path) -> None:
    """Opened, inherited, through a link, a pipe's, of the working directory before and after chdir(2)."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a b\n").write_text("x")
    (tmp_path / "link").symlink_to("real")
    code = (
        "import os\nfd = os.open('link/a b\\n', os.O_RDWR)\nos.read(fd, 10); os.close(fd)\nos.chdir('link')\n"
        "fd = os.open('a b\\n', 0)\nother = os.dup(fd)\nos.read(other, 1)\nr, w = os.pipe()\n"
        "os.write(w, b'x'); os.read(r, 1)\n"
        "os.read(os.open('/dev/zero', 0), 3)\nos.read(0, 1)\n"
    )
    (tmp_path / "code.py").write_text(code)
    shown = []
    for words in (["strace"], [PYTHON, "-m", "invivo", "strace", "--engine", engine]):
        of_strace("true")
        output = tmp_path / "out"
        arguments = [option, "-e", "trace=openat,read,write,close,dup", "-o", str(output), PYTHON, "-S", "code.py"]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
        subprocess.run([*words, *arguments], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, check=True)
        lines = output.read_text().splitlines()
        start = next(i for i, line in enumerate(lines) if '"link/a b' in line)
        shown.append([re.sub(r"pipe:\[\d+\]", "pipe", line) for line in lines[start:]])
    assert len(shown[0]) > 10
    assert shown[1] == shown[0]


@pytest.mark.kernel
def test_what_outlives_its_parent_is_followed_by_the_kernel_engine_too() -> None:
    """The shell ends at once; what it left behind opens a file a while later."""
    command = ["sh", "-c", "(sleep 0.5; cat /etc/hostname) & exit 0"]
    done = invivo("strace", "--engine", "kernel", "-f", "-e", "openat", *command)
    assert done.returncode == 0
    assert '"/etc/hostname"' in done.stderr


@both
def test_many_threads_and_strings_are_whole(engine: str, tmp_path: Path) -> None:
    """Four threads open 503 files of their own names each; each name is shown with its own result."""
    code = (
        "import os, sys, threading\n"
        "def work(n):\n for i in range(503):\n"
        "  try: os.open(f'{sys.argv[1]}/no-{n}-{i}', 0)\n  except OSError: pass\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    output = tmp_path / "out"
    options = ["--engine", engine, "-f", "-e", "openat", "-o", str(output)]
    assert invivo("strace", *options, PYTHON, "-c", code, str(tmp_path)).stderr == ""
    text = output.read_text()
    names = re.findall(r'/no-(\d)-(\d+)"', text)
    assert sorted(names) == sorted((str(n), str(i)) for n in range(4) for i in range(503))
    assert len(re.findall(r"ENOENT", text)) >= 4 * 503


@pytest.mark.parametrize("options", [[], ["-e", "trace=getppid"]], ids=["all", "filtered"])
def test_a_command_does_not_notice_the_cpu_that_it_shares(options: list[str]) -> None:
    code = (
        "import os; print(len(os.sched_getaffinity(0)))\n"
        "os.sched_setaffinity(0, {0}); print(os.sched_getaffinity(0))"
    )
    done = invivo("strace", *PROCESS, *options, "-o", "/dev/null", PYTHON, "-c", code)
    assert done.stdout.splitlines() == [str(len(os.sched_getaffinity(0))), "{0}"]


@both
def test_a_full_disk_and_a_missing_folder_are_told(engine: str) -> None:
    done = invivo("strace", "--engine", engine, "-o", "/dev/full", "ls", "/")
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    done = invivo("strace", "--engine", engine, "-ff", "-o", "/nowhere/x", "ls", "/")
    assert (done.returncode, "no such folder" in done.stderr) == (1, True)


@both
def test_no_line_is_lost_at_a_storm(engine: str) -> None:
    """A program that makes exactly 10,007 calls of getppid(2): so many lines."""
    done = invivo("strace", "--engine", engine, "-e", "trace=getppid", trigger("loop"), "10007")
    assert done.stderr.count("getppid()") == 10007
