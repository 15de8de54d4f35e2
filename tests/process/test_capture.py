"""The loop in machine code: what it writes down, against what the traced program says that it did."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from invivo.engines.process.native.capture import Capture
from invivo.engines.process.native.records import Kind, Recipe, Record
from invivo.engines.process.threads import Thread
from invivo.engines.process.tracer import Tracer
from invivo.linux import ptrace, seccomp, spawn
from invivo.tracing import trace

pytestmark = pytest.mark.process

READ, WRITE, GETPPID, EXECVE, PRCTL, OPENAT = 0, 1, 110, 59, 157, 257  # <asm/unistd_64.h>


class _Hooks:
    """What is left to Python: counted."""

    def __init__(self) -> None:
        self.entered_calls: list[int] = []
        self.drain: Callable[[], None] = lambda: None

    def entered(self, thread: Thread, registers: bytes) -> bool:
        self.entered_calls.append(thread.number)
        return False

    def returned(self, thread: Thread, registers: bytes) -> None: ...

    def forked(self, thread: Thread, child: Thread) -> None: ...

    def born(self, thread: Thread) -> None: ...

    def executed(self, thread: Thread, former: int) -> None: ...

    def exiting(self, thread: Thread, status: int) -> None: ...

    def gone(self, thread: Thread) -> None: ...

    def signalled(self, thread: Thread, number: int) -> int:
        return number

    def interrupted(self, thread: Thread) -> None: ...


def recorded(capture: Capture, code: str, *, has_filter: bool = True) -> tuple[list[Record], _Hooks]:
    """All records of a Python program."""
    if not Capture.is_possible():
        pytest.skip("no machine code for this machine")
    hooks, records = _Hooks(), []

    def drain() -> None:
        records.extend(capture.take())

    tracer = Tracer(hooks, capture, drain)
    bytecode = seccomp.trace_filter(capture.numbers)
    options = ptrace.OPTIONS | ptrace.OPTION_EXITKILL
    with spawn.spawn(
        [sys.executable, "-S", "-E", "-c", code],
        lambda pid: None,
        prepare=(lambda: seccomp.install(bytecode) or os._exit(126)) if has_filter else None,
        options=options,
        is_kept=True,
    ) as target:
        tracer.adopt(target.pid, options)
        tracer.start(ptrace.PTRACE_CONT if has_filter else ptrace.PTRACE_SYSCALL)
        while tracer.run():
            pass
        drain()
        assert tracer.statuses[target.pid] == 0
    return records, hooks


def test_memory_is_read_at_the_stop(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 200)
    path.write_bytes(b"the first line\nand 43 bytes more".ljust(57, b"."))
    code = f"import os; fd = os.open({str(path)!r}, 0); os.read(fd, 100); os.read(fd, 100); os.read(fd, 9)"
    capture = Capture(
        {OPENAT: (Recipe.string("si", 4096), Recipe.string("si", 5), Recipe.comm())},
        {READ: (Recipe.bytes("si", 32, length="ax"), Recipe.bytes("si", 4, displacement=4))},
    )
    records, _ = recorded(capture, code)
    opened = [record for record in records if record.kind == Kind.ENTRY]
    (place,) = [index for index, record in enumerate(opened) if record.pieces[0].data == os.fsencode(path)]
    assert [piece.data for piece in opened[place].pieces[1:]] == [
        os.fsencode(path)[:5], Path(sys.executable).name.encode()[:15],
    ]  # fmt: skip
    first, second, third = [record for record in records if record.kind == Kind.RETURN][-3:]
    assert [record.result for record in (first, second, third)] == [57, 0, 0]
    assert [record.arguments[2] for record in (first, second, third)] == [100, 100, 9]
    assert first.pieces[0].data == path.read_bytes()[:32]
    assert first.pieces[1].data == b"firs"
    assert second.pieces[0].data == b""
    assert first.time_ns <= second.time_ns <= third.time_ns


def test_a_string_may_cross_pages_and_a_bad_pointer_is_no_string() -> None:
    code = (
        "import ctypes, mmap; libc = ctypes.CDLL(None); m = mmap.mmap(-1, 3 * 4096); "
        "at = ctypes.addressof(ctypes.c_char.from_buffer(m)); m[4000:8100] = b'y' * 4100; "
        "libc.munmap(ctypes.c_void_p(at + 8192), ctypes.c_size_t(4096)); "
        "libc.openat(-100, ctypes.c_void_p(at + 4000), 0); libc.openat(-100, ctypes.c_void_p(16), 0); "
        "ctypes.memset(at + 8092, 122, 100); libc.openat(-100, ctypes.c_void_p(at + 8000), 0); import os; os._exit(0)"
    )
    capture = Capture({OPENAT: (Recipe.string("si", 9000), Recipe.bytes("si", 300))}, {})
    long, bad, endless = recorded(capture, code)[0][-3:]
    assert long.pieces[0].data == b"y" * 4100
    assert [piece.data for piece in bad.pieces] == [None, None]
    assert endless.pieces[0].data is None  # no NUL before the memory ends
    assert endless.pieces[1].data == b"y" * 92 + b"z" * 100


@pytest.mark.parametrize("has_filter", [True, False])
def test_nothing_is_lost_when_the_ring_is_small(has_filter: bool) -> None:
    capture = Capture({GETPPID: ()}, {GETPPID: ()}, unread_returns={GETPPID}, ring_bytes=1 << 14)
    records, hooks = recorded(capture, "import os\nfor i in range(5003): os.getppid()", has_filter=has_filter)
    assert len(records) == 2 * 5003
    assert [record.kind for record in records[:4]] == [Kind.ENTRY, Kind.RETURN, Kind.ENTRY, Kind.RETURN]
    assert {record.number for record in records} == {GETPPID}
    assert hooks.entered_calls == []


def test_what_is_handed_comes_after_what_was_recorded() -> None:
    capture = Capture({GETPPID: ()}, {}, handed_entries={WRITE})
    seen: list[int] = []
    original = _Hooks.entered

    def entered(hooks: _Hooks, thread: Thread, registers: bytes) -> bool:
        seen.append(len(capture.take()))  # what the tracer's drain has left: nothing
        return original(hooks, thread, registers)

    code = "import os\nfor i in range(7): os.getppid(); os.getppid(); os.write(1, b'')"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Hooks, "entered", entered)
        records, hooks = recorded(capture, code)
    assert hooks.entered_calls == [WRITE] * 7
    assert seen == [0] * 7
    assert len(records) == 14


def test_all_registers_on_request() -> None:
    code = "import ctypes; ctypes.CDLL(None).syscall(110, 11, 12, 13, 14, 15, 16)"
    brief, whole = (
        recorded(Capture({GETPPID: ()}, {GETPPID: ()}, has_registers=has_all), code)[0] for has_all in (False, True)
    )
    for entry, back in (brief, whole):
        assert entry.arguments == (11, 12, 13, 14, 15, 16)
        assert back.arguments == entry.arguments
        assert back.result == os.getpid()  # the parent of the program is this process
        assert back.registers[120:128] == (110).to_bytes(8, "little")
    assert len(whole[0].raw) == ptrace.REGISTERS_SIZE > len(brief[0].raw)


def test_a_thread_whose_stop_waits_for_room_is_let_go() -> None:
    """The ring is full, and nobody takes records any more: the program goes on by itself."""
    if not Capture.is_possible():
        pytest.skip("no machine code for this machine")
    capture = Capture({GETPPID: ()}, {}, ring_bytes=1 << 14)
    tracer = Tracer(_Hooks(), capture)
    code = "import os\nfor i in range(1009): os.getppid()\nos._exit(7)"
    with spawn.spawn(
        [sys.executable, "-S", "-E", "-c", code], lambda pid: None, options=ptrace.OPTIONS, is_kept=True
    ) as target:
        tracer.adopt(target.pid, ptrace.OPTIONS)
        tracer.start(ptrace.PTRACE_SYSCALL)
        deadline = time.monotonic() + 30
        while not capture.pending and time.monotonic() < deadline:
            tracer.run()
        assert capture.pending == target.pid
        tracer.detach()
        assert target.wait(30) == 7


def test_the_name_is_the_new_program_s_when_a_thread_executes_it() -> None:
    """Another thread than the first calls execve(2), and takes the first one's number."""
    code = (
        "import os, threading; "
        "t = threading.Thread(target=os.execv, args=('/usr/bin/env', ['env', '-i'])); t.start(); t.join()"
    )
    records, _ = recorded(Capture({OPENAT: (Recipe.comm(),)}, {}), code)
    names = [record.pieces[0].data for record in records]
    assert names[0] == Path(sys.executable).name.encode()[:15]
    assert names[-1] == b"env"


def names_at(records: list[Record], number: int) -> list[tuple[Kind, str]]:
    return [(r.kind, (r.pieces[0].data or b"").decode()) for r in records if r.number == number]


def test_a_name_that_changes_during_a_call_is_the_new_one_at_its_return() -> None:
    """By prctl(PR_SET_NAME), by write(2) to /proc/self/comm, and by another thread in a read(2)."""
    code = (
        "import ctypes, os, threading, time\n"
        "own = '/proc/self/task/%d/comm' % os.getpid()\n"
        "fd = os.open(own, os.O_RDWR)\n"
        "prctl = ctypes.CDLL(None).prctl\n"
        "prctl(15, b'first', 0, 0, 0); os.getppid()\n"
        "prctl(15, b'second', 0, 0, 0); os.getppid(); os.getppid()\n"
        "os.write(fd, b'third'); os.getppid()\n"
        "r, w = os.pipe()\n"
        "def rename():\n"
        "    task = '/proc/self/task/%d/' % os.getpid()\n"
        "    while open(task + 'syscall').read()[:2] != '0 ' or ' S ' not in open(task + 'stat').read():\n"
        "        time.sleep(0.01)\n"
        "    os.write(fd, b'fourth'); os.write(w, b'x')\n"
        "threading.Thread(target=rename).start()\n"
        "os.read(r, 1); os.getppid()\n"
    )
    name = {number: (Recipe.comm(),) for number in (READ, WRITE, GETPPID, PRCTL)}
    records, _ = recorded(Capture(name, name), code)
    first = [record for record in records if record.tid == record.pid]
    assert names_at(first, GETPPID) == [
        (kind, text) for text in ("first", "second", "second", "third", "fourth") for kind in (Kind.ENTRY, Kind.RETURN)
    ]
    renamed = [text for kind, text in names_at(first, PRCTL) if kind == Kind.RETURN][-2:]
    assert renamed == ["first", "second"]
    assert names_at(first, WRITE) == [(Kind.ENTRY, "second"), (Kind.RETURN, "third")]
    waited = [pair for pair in names_at(first, READ) if "third" in pair or "fourth" in pair][-2:]
    assert waited == [(Kind.ENTRY, "third"), (Kind.RETURN, "fourth")]


def test_records_that_are_alike_count_as_often_as_they_come() -> None:
    """close(2) of three descriptors that are not open, in turn, 21 times; and each time a fault between them."""
    closes = "import os\nfor i in range(21):\n try: os.close(70001 + i % 3)\n except OSError: pass"
    program = (
        "syscall::close:entry /arg0 > 70000/ { @n[arg0] = count(); @sum = sum(arg0); @most = max(arg0); "
        "@avg = avg(arg0); @q = lquantize(arg0, 70001, 70003, 1); } "
        "syscall::close:entry /arg0 == 70002 && 100 / (arg0 - 70002) == 1/ { @never = count(); } "
        "syscall::close:entry /arg0 > 70000/ { @after[execname == \"none\"] = count(); } "
        "syscall::close:return /errno == 9/ { @[errno, pid == $target] = count(); } "
        "ERROR { @faults = count(); }"
    )
    with trace(program, command=["python3", "-S", "-E", "-c", closes], engine="process") as session:
        session.wait()
    found = session.aggregations
    assert found["n"] == {(70001,): 7, (70002,): 7, (70003,): 7}
    assert found["sum"][()] == 7 * (70001 + 70002 + 70003)
    assert (found["most"][()], found["avg"][()]) == (70003, 70002)
    assert found["q"][()].total == 21
    assert found["after"] == {(0,): 21}
    assert found["faults"][()] == 7
    assert found[""][9, 1] >= 21
