"""Arguments as text, by hand: what strace(1) of Debian shows for the same values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invivo.strace.calls import CLASSES, Kind, call, numbers
from invivo.strace.flags import names_of, signal_name
from invivo.strace.lines import Lines, Stamp
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
        ("kill", "sig", 9, "SIGKILL"),
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
