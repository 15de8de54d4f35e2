"""The options of `invivo strace` beside those of Debian's strace(1): the same lines, to the letter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session.test_strace import of_strace
from tests.support import ROOT, invivo

pytestmark = pytest.mark.process

KERNEL = pytest.param("kernel", marks=pytest.mark.kernel)
both = pytest.mark.parametrize("engine", ["process", KERNEL])
# Four descriptors, a string of odd bytes, a missing file, a directory, a signal, a child.
_CODE = """
import os, signal
os.write(1, b"a\\tb\\0\\377" + bytes(range(40)))
fd = os.open("here", os.O_RDWR | os.O_CREAT, 0o640)
os.write(fd, b"x" * 40)
os.lseek(fd, 0, 0)
os.read(fd, 100)
try:
    os.stat("/nowhere")
except OSError:
    pass
os.getppid(), os.getuid()
os.close(fd)
signal.signal(signal.SIGUSR1, lambda *_: None)
os.kill(os.getpid(), signal.SIGUSR1)
"""
_VARYING = (
    (r"0x[0-9a-f]{6,}", "ADDRESS"), (r"\[[0-9a-f]{16}\]", "[PLACE]"),
    (r"(st_size|st_[amc]time\w*|st_ino)=\d+", r"\1"),
    (r"(getp?pid|gettid|set_tid_address)\(.*\) += .*", r"\1"), (r"si_pid=\d+", "si_pid"),
    (r"^(\w+\(.*\)) += 0x7f\w+", r"\1"),
    (r"kill\(\d+", "kill(PID"),
)  # fmt: skip


def lines(text: str, also: tuple[tuple[str, str], ...] = ()) -> list[str]:
    for pattern, plain in (*also, *_VARYING):
        text = re.sub(pattern, plain, text, flags=re.M)
    return text.splitlines()


def outputs(options: list[str], engine: str, folder: Path, code: str = _CODE) -> tuple[str, str]:
    """What strace writes, and what invivo does."""
    of_strace("-V")
    (folder / "code.py").write_text(code)
    (folder / "here").write_text("")
    words = [*options, "-o", str(folder / "out"), sys.executable, "-S", "code.py"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    subprocess.run(["strace", *words], cwd=folder, capture_output=True, check=False, env=environment)
    theirs = (folder / "out").read_text()
    (folder / "out").unlink()
    (folder / "here").write_text("")
    done = invivo("strace", "--engine", engine, *words, cwd=folder)
    assert 'invivo"' not in done.stderr, done.stderr  # a file of its own, in a traceback
    return theirs, (folder / "out").read_text()


@both
@pytest.mark.parametrize(
    "options",
    [
        ["-i", "-n", "-e", "getppid,getuid,exit_group", "-e", "signal=none"],
        ["-x", "-e", "write"],
        ["-xx", "-e", "write,openat"],
        ["--strings-in-hex=non-ascii-chars", "-e", "write"],
        ["-X", "raw", "-e", "openat,lseek,kill"],
        ["-X", "verbose", "-e", "openat,lseek,mmap"],
        ["-e", "raw=openat,read", "-e", "openat,read,write"],
        ["-P", "here"], ["-P", "code.py", "-e", "%file"],
        ["-a", "60", "-e", "getuid,write,lseek"],
        ["-qq", "-e", "trace=/^(get|set).id"],
        ["-e", "trace=!%file,%desc,%memory,sysinfo,getrandom", "-e", "signal=!USR1"],
        ["-e", "trace=%pure,?nosuch,?%nosuch"],
        ["-e", "status=failed", "-e", "%file"],
        ["-s", "0", "-e", "read,write"],
        ["-s", "200", "-e", "read,write"],
        ["--quiet=exit", "--trace=lseek"],
    ],
    ids=" ".join,
)
def test_lines_are_those_of_strace(options: list[str], engine: str, tmp_path: Path) -> None:
    theirs, mine = outputs(options, engine, tmp_path)
    assert len(theirs.splitlines()) >= 1
    assert lines(mine) == lines(theirs)


@pytest.mark.parametrize(
    "options",
    [
        ["-e", "read=4", "-e", "write=1", "-e", "trace=read,write"],
        ["-e", "fault=lseek", "-e", "trace=lseek,getuid"],
        ["-e", "inject=getuid:retval=42", "-e", "trace=getuid,getppid"],
        ["-e", "inject=openat:error=EMFILE:when=9..15+3", "-e", "trace=openat"],
        ["-e", "inject=close:error=5:when=2..6+2", "-e", "trace=close"],
        ["-e", "inject=lseek:delay_exit=1000", "-e", "trace=lseek"],
    ],
    ids=" ".join,
)
def test_what_needs_the_process_engine_is_that_of_strace_too(options: list[str], tmp_path: Path) -> None:
    theirs, mine = outputs(options, "process", tmp_path)
    assert len(theirs.splitlines()) > 1
    assert lines(mine) == lines(theirs)


# The first thread's call is held for 4 s; meanwhile the second makes 50 traced calls of its own.
_TWO_THREADS = """
import os, threading, time
done, start = [], time.monotonic()

def calls():
    while not open("/proc/self/task/%d/syscall" % os.getpid()).read().startswith("75 "):  # fdatasync(2)
        time.sleep(0.01)
    for _ in range(50):
        os.getuid()
    done.append(time.monotonic() - start)
other = threading.Thread(target=calls)
file = os.open("here", os.O_RDWR)
other.start()
os.fdatasync(file)
print(len(done), time.monotonic() - start >= 4, file=open("said", "w"))
other.join()
"""


@pytest.mark.parametrize("when", ["delay_enter", "delay_exit"])
def test_a_delay_holds_the_thread_that_made_the_call_only(when: str, tmp_path: Path) -> None:
    """Both strace and invivo: the other thread has made all its calls before the first goes on."""
    options = ["-f", "-e", f"inject=fdatasync:{when}=4s", "-e", "trace=fdatasync,getuid"]
    theirs, mine = outputs(options, "process", tmp_path, _TWO_THREADS)
    assert (tmp_path / "said").read_text().split() == ["1", "True"]
    for text in (theirs, mine):
        assert len(re.findall(r"getuid\(", text)) == 50
        assert len(re.findall(r"\(DELAYED\)", text)) == 1


def test_a_process_whose_thread_is_held_can_be_killed_and_ends(tmp_path: Path) -> None:
    """The command is killed by another thread while its first is held, and invivo ends with it at once."""
    code = (
        "import os, signal, threading, time\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "os.fdatasync(os.open('code.py', os.O_RDWR))\n"
    )
    (tmp_path / "code.py").write_text(code)
    words = ["-f", "-o", "out", "-e", "inject=fdatasync:delay_enter=3600s", "-e", "trace=fdatasync"]
    done = invivo("strace", "--engine", "process", *words, sys.executable, "-S", "code.py", cwd=tmp_path)
    assert done.returncode in (-9, 137), done.stderr
    assert (tmp_path / "out").read_text().count("+++ killed by SIGKILL +++") == 2


@both
@pytest.mark.parametrize(
    ("option", "form"),
    [
        ("-r", r" +\d+\.\d{6} "), ("-t", r"\d\d:\d\d:\d\d "), ("-tt", r"\d\d:\d\d:\d\d\.\d{6} "),
        ("-ttt", r"\d{10}\.\d{6} "), ("--relative-timestamps=ns", r" +\d+\.\d{9} "),
        ("--absolute-timestamps=format:unix,precision:ms", r"\d{10}\.\d{3} "), ("-T", ""),
        ("--syscall-times=ns", ""),
    ],
)  # fmt: skip
def test_times_look_as_those_of_strace(option: str, form: str, engine: str, tmp_path: Path) -> None:
    times = ((rf"^{form}", "TIME "), (r"<(\d+)\.(\d+)>", lambda m: f"<N.{len(m[2])}>"))
    theirs, mine = outputs([option, "-e", "trace=getuid,lseek,write"], engine, tmp_path)
    assert lines(mine, times) == lines(theirs, times)
    assert not form or lines(mine, times)[0].startswith("TIME ")


@both
@pytest.mark.parametrize(
    "options",
    [
        ["-c", "-S", "name", "-U", "name,calls,errors"], ["-c", "-S", "calls", "-U", "calls,errors,name"],
        ["-c", "-S", "errors", "-U", "errors,name"], ["-c", "-S", "nothing", "-U", "calls,name"],
        ["-C", "-S", "name", "-U", "calls,name", "-e", "%pure"], ["-c", "-f", "-S", "name", "-U", "calls,errors"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_counts_are_those_of_strace(options: list[str], engine: str, tmp_path: Path) -> None:
    theirs, mine = outputs(options, engine, tmp_path)
    assert lines(mine) == lines(theirs)


def test_the_columns_of_the_table_are_as_wide_as_those_of_strace(tmp_path: Path) -> None:
    options = ["-c", "-S", "name", "-U", "min-time,name,max-time,errors,avg-time,calls,total-time,time-percent"]
    theirs, mine = outputs(options, "process", tmp_path)
    assert mine.splitlines()[:2] == theirs.splitlines()[:2]
    assert [len(line) for line in mine.splitlines()] == [len(line) for line in theirs.splitlines()]


def test_a_program_gets_what_is_injected(tmp_path: Path) -> None:
    """The answers, seen by the program: and the second call is the real one."""
    code = "import os; print(os.getppid(), os.getppid() > 99)"
    options = ["-e", "inject=getppid:retval=99:when=1", "-o", "/dev/null"]
    assert invivo("strace", *options, sys.executable, "-S", "-c", code).stdout == "99 True\n"
    code = "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: print('got it')); os.getppid()"
    options = ["-e", "inject=getppid:signal=USR1", "-e", "trace=none", "-o", "/dev/null"]
    assert invivo("strace", *options, sys.executable, "-S", "-c", code).stdout == "got it\n"


def test_with_a_path_only_its_calls_fail(tmp_path: Path) -> None:
    """Were it all openat(2), the program's libraries would not be found either."""
    options = ["-P", "/etc/hostname", "-e", "fault=openat:error=EMFILE", "-o", str(tmp_path / "out")]
    done = invivo("strace", *options, "cat", "/etc/hostname", "/dev/null")
    assert (done.returncode, done.stdout) == (1, "")
    assert "/etc/hostname: Too many open files" in done.stderr
    (line,) = [line for line in (tmp_path / "out").read_text().splitlines() if "openat" in line]
    assert line.endswith("= -1 EMFILE (Too many open files) (INJECTED)")


@both
def test_the_environment_is_changed_and_output_appended(engine: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("first\n")
    options = ["--engine", engine, "-A", "-o", str(output), "-e", "execve", "-E", "A_B=1 2", "-E", "HOME"]
    done = invivo("strace", *options, "sh", "-c", 'echo "$A_B,$HOME"')
    assert done.stdout == "1 2,\n"
    assert output.read_text().startswith("first\nexecve(")
