"""What must be undone in other processes if the tracer is killed: in shared memory, carried out by whoever is left.

    table = PatchTable()                          before fork(): both sides see it
    table.add(4711, 0x401136, b"\\x55")            the tracer, before it writes a breakpoint there
    table.undo_all()                              the other side, when the tracer has died

    guardian = Guardian(table)                    another side, for a tracer that has none: a process of its own
    guardian.close()

An entry is made before its patch and removed after the patch is taken back, so that a tracer killed between the two
leaves an entry too many, never one too few; undoing looks for the breakpoint's byte before it writes. A process that
was forked while the tracer died has its parent's breakpoints, and no entries: it is found by its parent.

Undoing takes some 0.1 ms. What no undoing can help is a thread that stands at a breakpoint when its tracer is killed:
the kernel goes on delivering the SIGTRAP, and the process ends by it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import struct
import threading
import time

from invivo.linux import procfs
from invivo.linux.maps import read_maps

__all__ = ["BREAKPOINT", "Guardian", "PatchTable", "hurry", "write_text"]

BREAKPOINT = b"\xcc"
_ENTRY = struct.Struct("<QQB7x")  # pid (0: free), address, the byte that was there
_AFFINITY = struct.Struct("<Q128s")
_PATCHES, _PINS = 65536, 1024
_TOP_AT = _PATCHES * _ENTRY.size + _PINS * _AFFINITY.size  # how many entries were ever used at once
_MUTEX_AT, _MUTEX_BYTES = _TOP_AT + 8, 40  # sizeof(pthread_mutex_t)
_SCHED_SETATTR = 314  # x86-64
_SLICE_NS = 100_000

_libc = ctypes.CDLL(None)
_held: list[PatchTable] = []


class PatchTable:
    """Up to ROOM patched bytes and 1,024 pinned threads."""

    __slots__ = ("_free", "_map", "_mutex", "_pins", "_places", "_top", "fd", "restored")

    ROOM = _PATCHES

    def __init__(self, fd: int = -1) -> None:
        size = _MUTEX_AT + _MUTEX_BYTES
        is_new = fd < 0
        if is_new:
            fd = os.memfd_create("invivo-patches", os.MFD_CLOEXEC)
            os.ftruncate(fd, size)
        self.fd = fd
        self._map = mmap.mmap(fd, size)
        self._mutex = ctypes.addressof(ctypes.c_char.from_buffer(self._map, _MUTEX_AT))
        if is_new:
            attributes = ctypes.create_string_buffer(8)
            _libc.pthread_mutexattr_init(attributes)
            _libc.pthread_mutexattr_setpshared(attributes, 1)
            _libc.pthread_mutexattr_setrobust(attributes, 1)
            _libc.pthread_mutex_init(ctypes.c_void_p(self._mutex), attributes)
        self._places: dict[tuple[int, int], int] = {}
        self._free: list[int] = []  # places that were used before
        self._pins: dict[int, int] = {}
        self._top = 0
        self.restored = 0

    def __del__(self) -> None:
        os.close(self.fd)

    # --- patched bytes ------------------------------------------------------------------------------------------

    def add(self, pid: int, address: int, original: bytes) -> bool:
        """Note that a byte is about to be replaced; False if there is no room."""
        if self._free:
            place = self._free.pop()
        elif self._top < self.ROOM:
            place, self._top = self._top, self._top + 1
            self._map[_TOP_AT:_MUTEX_AT] = self._top.to_bytes(8, "little")
        else:
            return False
        self._places[pid, address] = place
        # The pid, which makes it count, is written last.
        self._map[place * _ENTRY.size : (place + 1) * _ENTRY.size] = _ENTRY.pack(0, address, original[0])
        self._map[place * _ENTRY.size : place * _ENTRY.size + 8] = pid.to_bytes(8, "little")
        return True

    def remove(self, pid: int, address: int) -> None:
        """The byte is as it was, or the process is gone."""
        place = self._places.pop((pid, address), None)
        if place is not None:
            self._map[place * _ENTRY.size : place * _ENTRY.size + 8] = bytes(8)
            self._free.append(place)

    def _patches(self) -> dict[int, list[tuple[int, int]]]:
        """(address, original byte) of all that is replaced, by process."""
        found: dict[int, list[tuple[int, int]]] = {}
        top = min(int.from_bytes(self._map[_TOP_AT:_MUTEX_AT], "little"), _PATCHES)
        for pid, address, original in _ENTRY.iter_unpack(self._map[: top * _ENTRY.size]):
            if pid:
                found.setdefault(pid, []).append((address, original))
        return found

    # --- pinned threads -----------------------------------------------------------------------------------------

    def pin(self, tid: int, before: frozenset[int]) -> None:
        """Note on which CPUs a thread ran that is about to be pinned."""
        place = self._pins.get(tid, len(self._pins))
        if place < _PINS:
            self._pins[tid] = place
            start = _PATCHES * _ENTRY.size + place * _AFFINITY.size
            bits = sum(1 << cpu for cpu in before).to_bytes(128, "little")
            self._map[start : start + _AFFINITY.size] = _AFFINITY.pack(tid, bits)

    def unpin(self, tid: int) -> None:
        """The thread is not pinned any more."""
        place = self._pins.get(tid)
        if place is not None:
            start = _PATCHES * _ENTRY.size + place * _AFFINITY.size
            self._map[start : start + 8] = bytes(8)

    # --- the tracer's end ---------------------------------------------------------------------------------------

    def hold(self) -> None:
        """In the tracing thread: from now on its death ends await_death(). It is told by a robust mutex, which the
        kernel gives up for a thread before it takes down its memory and lets go of what it traced
        (exit_mm_release() in kernel/fork.c)."""
        _held.append(self)  # its memory must stay: the thread has a list of such mutexes
        _libc.pthread_mutex_lock(ctypes.c_void_p(self._mutex))

    def let_go(self) -> None:
        """In that thread: its death is nothing any more."""
        if self in _held:
            _libc.pthread_mutex_unlock(ctypes.c_void_p(self._mutex))
            _held.remove(self)

    def await_death(self) -> None:
        """Wait, in any process, until the thread that called hold() has begun to end."""
        while _libc.pthread_mutex_lock(ctypes.c_void_p(self._mutex)) != errno.EOWNERDEAD:
            _libc.pthread_mutex_unlock(ctypes.c_void_p(self._mutex))
            time.sleep(0.001)  # nobody holds it yet

    def undo_at_death(self) -> threading.Thread:
        """Do so in a thread, and undo everything then."""

        def wait() -> None:
            hurry()
            self.await_death()
            self.undo_all()

        thread = threading.Thread(target=wait, name="invivo-guardian", daemon=True)
        thread.start()
        return thread

    # --- undoing ------------------------------------------------------------------------------------------------

    def undo_all(self) -> None:
        """Put everything back; the number of bytes is added to `restored`."""
        restored = 0
        found = self._patches()
        for pid, patches in found.items():
            restored += _restore(pid, patches)
        for pid, patches in found.items():
            for child in _descendants(pid):
                if child not in found:
                    restored += _restore(child, patches, like=pid)
        for place in range(_PINS):
            tid, bits = _AFFINITY.unpack_from(self._map, _PATCHES * _ENTRY.size + place * _AFFINITY.size)
            if tid:
                word = int.from_bytes(bits, "little")
                with contextlib.suppress(OSError, ValueError):
                    os.sched_setaffinity(tid, [cpu for cpu in range(1024) if word >> cpu & 1])
        self.restored += restored


def hurry() -> None:
    """Have this thread run at once when it wakes up: by real-time priority where that is allowed, else by a short slice
    (Linux 6.12), which needs no right."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        _libc.syscall(_SCHED_SETATTR, 0, struct.pack("<IIQiIQQQ", 48, 0, 0, nice, 0, _SLICE_NS, 0, 0), 0)


_WATCH = """
import sys
sys.path[:0] = sys.argv[1:2]
from invivo.linux.guardian import watch
watch(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
"""


class Guardian:
    """A process that undoes what stands in a table when this process has ended, however that came about.

    Threads that stand at a breakpoint at that moment end by SIGTRAP, see above; and those that run into one before it
    is taken back.
    """

    __slots__ = ("_process", "_table", "_writer")

    def __init__(self, table: PatchTable) -> None:
        import subprocess
        import sys

        self._table = table
        table.hold()
        source = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
        reader, self._writer = os.pipe2(os.O_CLOEXEC)
        own = os.pidfd_open(os.getpid())
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WATCH, source, str(own), str(reader), str(table.fd)],
                stdin=subprocess.DEVNULL,
                pass_fds=(own, reader, table.fd),
                start_new_session=True,  # Ctrl-C is not for it
            )
        finally:
            os.close(own)
            os.close(reader)

    def close(self) -> None:
        """Nothing is to be undone any more; wait for its end. May be called twice."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
            self._table.let_go()
            self._process.wait()


def watch(process: int, pipe: int, table: int) -> None:
    """Wait until a process, by its pidfd, has ended, or has closed the other end of a pipe; then undo what is left."""
    from select import POLLIN, poll

    poller = poll()
    poller.register(process, POLLIN)
    poller.register(pipe, POLLIN)
    patches = PatchTable(table)
    patches.undo_at_death()
    poller.poll()
    patches.undo_all()


def _restore(pid: int, patches: list[tuple[int, int]], like: int = 0) -> int:
    """Put bytes back in a process; the number of those. With `like`, only in files that this one maps there too."""
    restored = 0
    with contextlib.suppress(OSError, ValueError):
        fd = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            if like:
                shared = _mappings(pid) & _mappings(like)
                patches = [entry for entry in patches if any(start <= entry[0] < end for start, end, *_ in shared)]
            for address, original in patches:
                with contextlib.suppress(OSError):
                    if os.pread(fd, 1, address) == BREAKPOINT:
                        restored += os.pwrite(fd, bytes((original,)), address)
        finally:
            os.close(fd)
    return restored


def _descendants(pid: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    found: list[int] = []
    left = [pid]
    while left:
        fresh = procfs.children(left.pop())
        found += fresh
        left += fresh
    return found


def _mappings(pid: int) -> set[tuple[int, int, int, int]]:
    """(start, end, offset, inode) of what a process may execute."""
    return {(m.start, m.end, m.offset, m.inode) for m in read_maps(pid) or ()}


def write_text(pid: int, address: int, data: bytes) -> bool:
    """Write into a process's memory, whatever its protection (by /proc/PID/mem, as a tracer may); False on failure."""
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            return os.pwrite(fd, data, address) == len(data)
        finally:
            os.close(fd)
    except (OSError, ValueError):
        return False
