"""Arguments as text, by hand: what strace(1) of Debian shows for the same values."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from invivo.strace.calls import CLASSES, Kind, call, numbers
from invivo.strace.flags import names_of, signal_name
from invivo.strace.frame import Captured, Frame
from invivo.strace.lines import Lines, Stamp
from invivo.strace.render import renderer_of
from invivo.strace.signals import siginfo
from invivo.strace.structures import quoted, signal_set, structure, wait_status
from invivo.strace.summary import Summary


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", '"plain"'),
        (b'say "a\\b"\n', r'"say \"a\\b\"\n"'),
        (b"\x1b[31m", r'"\33[31m"'),
        (b"\0" + b"7", r'"\0007"'),
        (b"\xff\x80", r'"\377\200"'),
        (b"x" * 40, '"' + "x" * 32 + '"...'),
    ],
)
def test_strings_show_no_control_character(data: bytes, text: str) -> None:
    assert quoted(data, 32) == text


@pytest.mark.parametrize(
    ("name", "parameter", "value", "text"),
    [
        ("openat", "flags", os.O_RDONLY, "O_RDONLY"),
        ("openat", "flags", os.O_RDWR | os.O_CREAT | os.O_EXCL, "O_RDWR|O_CREAT|O_EXCL"),
        ("mmap", "prot", 0, "PROT_NONE"),
        ("mmap", "prot", 5, "PROT_READ|PROT_EXEC"),
        ("mmap", "flags", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
        ("access", "mode", 4, "R_OK"),
        ("access", "mode", 0, "F_OK"),
        ("lseek", "whence", 2, "SEEK_END"),
        ("lseek", "whence", 77, "0x4d /* unknown */"),
        ("futex", "op", 129, "FUTEX_WAKE_PRIVATE"),
        ("socket", "type", 1 | 0o2000000, "SOCK_STREAM|SOCK_CLOEXEC"),
    ],
)
def test_flags_have_names(name: str, parameter: str, value: int, text: str) -> None:
    names = names_of(name, parameter)
    assert names is not None
    assert names.text(value) == text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x0300, "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]"),
        (9, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]"),
        (0x8B, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]"),
        (0x137F, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]"),
        (0xFFFF, "[{WIFCONTINUED(s)}]"),
    ],
)
def test_wait_statuses(status: int, text: str) -> None:
    assert wait_status(status) == text


def test_signals() -> None:
    assert (signal_name(2), signal_name(32), signal_name(34)) == ("SIGINT", "SIGRTMIN", "SIGRT_2")
    assert signal_set(1 << 1 | 1 << 2) == "[INT QUIT]"
    assert signal_set((1 << 64) - 1) == "~[]"


class Memory:
    limit = 32

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, address: int, size: int) -> bytes:
        return self._data[address : address + size]


def test_structures_are_read_as_the_kernel_lays_them_out() -> None:
    here = os.stat("/")
    raw = here.st_dev.to_bytes(8, "little") + here.st_ino.to_bytes(8, "little") + here.st_nlink.to_bytes(8, "little")
    raw += here.st_mode.to_bytes(4, "little") + bytes(12) + bytes(8) + here.st_size.to_bytes(8, "little") + bytes(88)
    wanted = f"{{st_mode=S_IFDIR|{here.st_mode & 0o7777:04o}, st_size={here.st_size}, ...}}"
    assert structure("struct stat *", 0, Memory(raw), 0) == wanted
    address = b"\x02\0" + (80).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    assert structure("struct sockaddr *", 0, Memory(address), 16) == (
        '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}'
    )
    assert structure("struct stat *", 0, Memory(b"short"), 0) is None
    assert structure("struct of_another_world *", 0, Memory(raw), 0) is None


def test_every_call_of_this_machine_has_a_shape() -> None:
    found = [call(number) for number in numbers().values()]
    assert len(found) > 300
    known = [each for each in found if each.is_known]
    assert len(known) > 0.9 * len(found)
    assert all(len(each.parameters) <= 6 for each in known)
    openat = call(numbers()["openat"])
    assert [parameter.kind for parameter in openat.parameters] == [Kind.FD, Kind.PATH, Kind.FLAGS, Kind.MODE]
    assert CLASSES["file"](openat)
    assert not CLASSES["network"](openat)
    assert call(-1).name == "syscall_-0x1"


@pytest.mark.parametrize(
    ("name", "words", "memory", "result", "line"),
    [
        ("getppid", (), {}, 7, "getppid() = 7"),
        ("openat", (-100, 16, 0o101, 0o644), {16: b"/a\0"}, 3, 'openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT, 0644) = 3'),
        ("openat", (-100, 16, 0), {16: b"/a\0"}, -2, 'openat(AT_FDCWD, "/a", O_RDONLY) = -1 ENOENT (No such file or'),
        ("openat", (-100, 16, 0), {}, -14, "openat(AT_FDCWD, 0x10, O_RDONLY) = -1 EFAULT (Bad address)"),
        ("read", (0, 16, 9), {16: b"ab\n"}, 3, 'read(0, "ab\\n", 9) = 3'),
        ("read", (0, 16, 9), {}, -11, "read(0, 0x10, 9) = -1 EAGAIN (Resource temporarily unavailable)"),
        ("kill", (12, 9), {}, 0, "kill(12, SIGKILL) = 0"),
        ("pipe2", (16, 0o2000000), {16: b"\3\0\0\0\4\0\0\0"}, 0, "pipe2([3, 4], O_CLOEXEC) = 0"),
        ("fcntl", (3, 1, 0), {}, 1, "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)"),
        ("fcntl", (3, 0, 10), {}, 10, "fcntl(3, F_DUPFD, 10) = 10"),
        ("poll", (16, 1, 5), {16: b"\3\0\0\0\1\0\1\0"}, 1,
         "poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])"),
        ("poll", (16, 1, 5), {16: b"\3\0\0\0\1\0\0\0"}, 0, "poll([{fd=3, events=POLLIN}], 1, 5) = 0 (Timeout)"),
        ("setsockopt", (4, 1, 2, 16, 4), {16: b"\1\0\0\0"}, 0, "setsockopt(4, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0"),
        ("umask", (0o22,), {}, 0o77, "umask(022) = 077"),
        ("mmap", (0, 8192, 3, 0x22, (1 << 64) - 1, 0), {}, 0x7F0000000000,
         "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"),
        ("futex", (16, 129, 1, 0, 0, 0), {}, 1, "futex(0x10, FUTEX_WAKE_PRIVATE, 1) = 1"),
        ("exit_group", (3,), {}, 0, "exit_group(3) = ?"),
    ],
)  # fmt: skip
def test_calls(name: str, words: tuple[int, ...], memory: dict[int, bytes], result: int, line: str) -> None:
    renderer = renderer_of(numbers()[name])
    arguments = [word & (1 << 64) - 1 for word in (*words, 0, 0, 0, 0, 0, 0)][:6]
    frame = Frame(arguments, Captured(memory), 32, lambda fd: "AT_FDCWD" if fd == -100 else str(fd))
    text = renderer.opening(frame)
    frame.result = result
    assert f"{text}{renderer.closing(frame)}) = {renderer.result(frame)}".startswith(line)


def test_every_call_can_be_shown_whatever_its_arguments_are() -> None:
    for number in [*numbers().values(), -1, 9999]:
        for word in (0, 1, 16, (1 << 64) - 1, 0x7FFF_FFFF_F000):
            for result in (0, 1, -2, -4095, 1 << 40):
                frame = Frame([word] * 6, Captured({16: b"\xff" * 4096}), 32)
                renderer = renderer_of(number)
                text = renderer.opening(frame)
                frame.result = result
                text += renderer.closing(frame) + renderer.result(frame)
                assert text.isprintable(), text


def test_signals_are_taken_apart() -> None:
    """struct siginfo of a child that exited with 3, and of a fault at 0x10."""
    child = struct.pack("<iii4xiIi4xqq", 17, 0, 1, 12, 1000, 3, 4, 5).ljust(128, b"\0")
    assert siginfo(child) == (
        "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, si_uid=1000, si_status=3, si_utime=4, si_stime=5}"
    )
    fault = struct.pack("<iii4xQ", 11, 0, 1, 16).ljust(128, b"\0")
    assert siginfo(fault) == "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}"


def test_a_call_that_another_interrupts_is_taken_up_again(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "out")
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    lines = Lines(fd, Stamp(""), "[pid {:5}] ", True)
    lines.open_call(12, "read(0, ")
    lines.open_call(11, "getpid(")
    lines.close_call(11, "getpid", "", "11")
    lines.close_call(12, "read", '"x", 1', "1")
    lines.flush()
    os.close(fd)
    assert Path(path).read_text().splitlines() == [
        "[pid    12] read(0,  <unfinished ...>",
        "[pid    11] getpid()                    = 11",
        '[pid    12] <... read resumed>"x", 1)   = 1',
    ]


def test_the_summary_adds_up() -> None:
    summary = Summary()
    for _ in range(3):
        summary.add("read", 2_000_000, False)
    summary.add("openat", 2_000_000, True)
    rows = summary.text().splitlines()
    assert rows[2].split() == ["75.00", "0.006000", "2000", "3", "read"]
    assert rows[3].split() == ["25.00", "0.002000", "2000", "1", "1", "openat"]
    assert rows[-1].split() == ["100.00", "0.008000", "2000", "4", "1", "total"]
