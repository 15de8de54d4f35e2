"""What translators tell of processes, threads and files, against what those see of themselves in /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import invivo

pytestmark = pytest.mark.kernel

HERE = "syscall::getppid:entry /pid == $target/"


def told(tmp_path: Path, format_: str, values: str, child: str) -> tuple[list[str], list[str]]:
    """What D prints when the Python program `child` calls os.getppid(), and what `child` itself prints, as lines."""
    script = tmp_path / "child.py"
    script.write_text("import os\n" + child)
    output = tmp_path / "output"
    program = f'{HERE} {{ printf("{format_}\\n", {values}); }}'
    command = f"{sys.executable} {script}"
    result = invivo("run", "-q", "-o", str(output), "-e", program, "-c", command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return output.read_text().split("\n")[:-1], result.stdout.splitlines()


def test_ids_and_names_of_a_process(tmp_path: Path) -> None:
    fields = "nlwp pid ppid pgid sid uid euid gid egid"
    values = ", ".join(f"curpsinfo->pr_{field}" for field in fields.split())
    child = """
import threading
gate = threading.Event()
threading.Thread(target=gate.wait).start()
os.setpgid(0, 0)
os.getppid()
with open("/proc/self/stat") as stat:
    tail = stat.read().rpartition(")")[2].split()
with open("/proc/self/status") as status:
    f = dict(line.split(":", 1) for line in status)
(uid, euid), (gid, egid) = f["Uid"].split()[:2], f["Gid"].split()[:2]
print(f["Threads"].strip(), f["Tgid"].strip(), f["PPid"].strip(), *tail[2:4], uid, euid, gid, egid)
gate.set()
"""
    found, expected = told(tmp_path, " ".join(["%d"] * 9), values, child)
    assert found[0] == expected[0]
    assert expected[0].startswith("2 ")


def test_arguments_of_a_process(tmp_path: Path) -> None:
    values = "curpsinfo->pr_fname, curpsinfo->pr_argc, curpsinfo->pr_psargs"
    child = """
os.getppid()
with open("/proc/self/comm") as comm, open("/proc/self/cmdline") as line:
    arguments = line.read().split("\\0")[:-1]
    print(comm.read().strip(), len(arguments), " ".join(arguments)[:79], sep="|")
"""
    found, expected = told(tmp_path, "%s|%d|%s", values, child)
    assert found[0] == expected[0]
    assert expected[0].split("|")[1] == "2"  # the interpreter and its script


def test_long_arguments_are_cut_at_79_bytes(tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    script.write_text("import os; os.getppid()")
    command = f"{sys.executable} {script} {'x' * 100} {'y' * 100}"
    output = tmp_path / "output"
    program = f'{HERE} {{ printf("%s", curpsinfo->pr_psargs); }}'
    result = invivo("run", "-q", "-o", str(output), "-e", program, "-c", command)
    assert result.returncode == 0, result.stderr
    assert output.read_text().rstrip("\n") == command[:79]


def test_start_of_a_process_and_a_thread(tmp_path: Path) -> None:
    """ps(1) computes the same from /proc/stat's btime, to the second."""
    values = "curpsinfo->pr_start.tv_sec, curlwpsinfo->pr_start.tv_sec"
    child = """
import subprocess
os.getppid()
print(subprocess.run(["date", "-d", subprocess.run(
    ["ps", "-o", "lstart=", "-p", str(os.getpid())], capture_output=True, text=True).stdout, "+%s"],
    capture_output=True, text=True).stdout.strip())
"""
    found, expected = told(tmp_path, "%d %d", values, child)
    process, thread = map(int, found[0].split())
    assert abs(process - int(expected[0])) <= 1
    assert abs(thread - process) <= 1


def test_a_thread(tmp_path: Path) -> None:
    values = ", ".join(
        f"curlwpsinfo->pr_{field}" for field in ("lwpid", "name", "sname", "nice", "clname", "onpro", "bindpro")
    )
    child = """
import threading
def run():
    os.sched_setaffinity(0, {0})
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 7)
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as comm:
        comm.write("a thread")
    os.getppid()
    print(threading.get_native_id(), "a thread", "O", 7, "TS", 0, 0, sep="|")
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    found, expected = told(tmp_path, "%d|%s|%c|%d|%s|%d|%d", values, child)
    assert found[0] == expected[0]


def test_a_thread_that_sleeps_and_one_that_is_stopped(tmp_path: Path) -> None:
    """The states of another process when a signal wakes it: S in nanosleep(2), T after SIGSTOP."""
    child = """
import signal, subprocess, time
victim = subprocess.Popen(["sleep", "100"])
def state():
    with open(f"/proc/{victim.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
while state() != "S":
    time.sleep(0.01)
victim.send_signal(signal.SIGSTOP)
while state() != "T":
    time.sleep(0.01)
victim.kill()
victim.wait()
"""
    script = tmp_path / "child.py"
    script.write_text("import os\n" + child)
    output = tmp_path / "output"
    program = (
        'sched:::wakeup /pid == $target && args[1]->pr_fname == "sleep"/ '
        '{ printf("%c %s\\n", args[0]->pr_sname, args[1]->pr_psargs); }'
    )
    result = invivo("run", "-q", "-o", str(output), "-e", program, "-c", f"{sys.executable} {script}")
    assert result.returncode == 0, result.stderr
    # Another process's memory is not read: its arguments are its name.
    assert output.read_text().split("\n")[:2] == ["S sleep", "T sleep"]


def test_files_by_descriptor(tmp_path: Path) -> None:
    """Paths as readlink(2) shows them below /proc/self/fd: of a file, a mount of its own, a socket, a pipe, none."""
    values = ", ".join(f"fds[{fd}].fi_pathname, fds[{fd}].fi_offset" for fd in (100, 101, 102, 103, 999))
    child = """
import socket
os.makedirs("a/b/c")
files = [os.open("a/b/c/file", os.O_CREAT | os.O_RDWR), os.open("/dev/null", os.O_RDONLY)]
left, right = socket.socketpair()
reader, writer = os.pipe()
for number, fd in enumerate((*files, left.fileno(), reader), 100):
    os.dup2(fd, number)
os.write(100, b"12345")
os.getppid()
links = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(100, 104)]
print("|".join(f"{link}|{5 if i == 0 else 0}" for i, link in enumerate(links)) + "|<none>|0")
"""
    found, expected = told(tmp_path, "|".join(["%s|%d"] * 5), values, child)
    assert found[0] == expected[0]
    assert "/a/b/c/file|5|/dev/null|0|socket:[" in found[0]


def test_parts_of_a_path(tmp_path: Path) -> None:
    values = "fds[100].fi_name, fds[100].fi_dirname, fds[100].fi_fs, fds[100].fi_oflags & O_ACCMODE, cwd, root"
    child = """
import subprocess
os.dup2(os.open("file", os.O_CREAT | os.O_WRONLY), 100)
os.getppid()
kind = subprocess.run(["df", "--output=fstype", "."], capture_output=True, text=True).stdout.split()[1]
print("file", os.getcwd(), kind, 1, os.getcwd(), "/", sep="|")
"""
    found, expected = told(tmp_path, "%s|%s|%s|%d|%s|%s", values, child)
    assert found[0] == expected[0]


def test_a_file_that_is_written_to_a_disk(tmp_path: Path) -> None:
    """One page, at 40,960, by fsync(2): the request names its device as /proc/self/mountinfo does, and the file."""
    path = tmp_path / "written"
    device = os.stat(tmp_path).st_dev
    fields = Path("/proc/diskstats").read_text().split("\n")
    name = next((f.split()[2] for f in fields if f.split()[:2] == [str(os.major(device)), str(os.minor(device))]), None)
    if name is None:
        pytest.skip("the directory for temporary files is not on a disk")
    script = tmp_path / "child.py"
    script.write_text(
        f"import os\nf = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY)\n"
        "os.pwrite(f, b'x' * 4096, 40960)\nos.fsync(f)\n"
    )
    output = tmp_path / "output"
    program = (
        'io:::start, io:::done /args[2]->fi_name == "written"/ { '
        'printf("%s|%s|%d|%s|%s|%d\\n", probename, args[0]->b_flags & B_WRITE ? "W" : "R", args[0]->b_bcount, '
        "args[1]->dev_statname, args[2]->fi_fs, args[2]->fi_offset); }"
    )
    result = invivo("run", "-q", "-o", str(output), "-e", program, "-c", f"{sys.executable} {script}")
    assert result.returncode == 0, result.stderr
    kind = subprocess.run(["df", "--output=fstype", str(tmp_path)], capture_output=True, text=True, check=True)
    rest = f"W|4096|{name}|{kind.stdout.split()[1]}|40960"
    assert output.read_text().split("\n")[:2] == [f"start|{rest}", f"done|{rest}"]
