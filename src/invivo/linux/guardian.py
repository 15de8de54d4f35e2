"""What must be undone in other processes if the tracer is killed: in shared memory, carried out by whoever is left.

    table = PatchTable()                          before fork(): both sides see it
    table.add(4711, 0x401136, b"\\x55")            the tracer, before it writes a breakpoint there
    table.undo_all()                              the other side, when the tracer has died

    guardian = Guardian(table)                    another side, for a tracer that has none: a process of its own
    guardian.close()

An entry is made before its patch and removed after the patch is taken back, so that a tracer killed between the two
leaves an entry too many, never one too few; undoing looks for the breakpoint's byte before it writes.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BREAKPOINT", "Guardian", "PatchTable", "write_text"]

BREAKPOINT = b"\xcc"
_ENTRY = struct.Struct("<QQB7x")  # pid (0: free), address, the byte that was there
_AFFINITY = struct.Struct("<Q128s")
_PATCHES, _PINS = 8192, 1024


class PatchTable:
    """Up to 8,192 patched bytes and 1,024 pinned threads. `is_full` patches are refused."""

    __slots__ = ("_free", "_map", "_pins", "_places", "fd")

    def __init__(self, fd: int = -1) -> None:
        size = _PATCHES * _ENTRY.size + _PINS * _AFFINITY.size
        if fd < 0:
            fd = os.memfd_create("invivo-patches", os.MFD_CLOEXEC)
            os.ftruncate(fd, size)
        self.fd = fd
        self._map = mmap.mmap(fd, size)
        self._places: dict[tuple[int, int], int] = {}
        self._free = list(range(_PATCHES - 1, -1, -1))
        self._pins: dict[int, int] = {}

    def __del__(self) -> None:
        os.close(self.fd)

    # --- patched bytes ------------------------------------------------------------------------------------------

    def add(self, pid: int, address: int, original: bytes) -> bool:
        """Note that a byte is about to be replaced; False if there is no room."""
        if not self._free:
            return False
        place = self._places[pid, address] = self._free.pop()
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

    def _patches(self) -> Iterator[tuple[int, int, int]]:
        for place in range(_PATCHES):
            pid, address, original = _ENTRY.unpack_from(self._map, place * _ENTRY.size)
            if pid:
                yield pid, address, original

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

    # --- undoing ------------------------------------------------------------------------------------------------

    def undo_all(self) -> int:
        """Put everything back; returns the number of bytes restored."""
        restored = 0
        for pid, address, original in self._patches():
            restored += _restore(pid, address, original)
        for place in range(_PINS):
            tid, bits = _AFFINITY.unpack_from(self._map, _PATCHES * _ENTRY.size + place * _AFFINITY.size)
            if tid:
                word = int.from_bytes(bits, "little")
                with contextlib.suppress(OSError, ValueError):
                    os.sched_setaffinity(tid, [cpu for cpu in range(1024) if word >> cpu & 1])
        return restored


_WATCH = """
import sys
sys.path[:0] = sys.argv[1:2]
from invivo.linux.guardian import watch
watch(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
"""


class Guardian:
    """A process that undoes what stands in a table when this process has ended, however that came about.

    Threads that run into a breakpoint between the two end by SIGTRAP: that window is the time it takes to wake up.
    """

    __slots__ = ("_process", "_writer")

    def __init__(self, table: PatchTable) -> None:
        import subprocess
        import sys

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
            self._process.wait()


def watch(process: int, pipe: int, table: int) -> None:
    """Wait until a process, by its pidfd, has ended, or has closed the other end of a pipe; then undo what is left."""
    from select import POLLIN, poll

    poller = poll()
    poller.register(process, POLLIN)
    poller.register(pipe, POLLIN)
    poller.poll()
    PatchTable(table).undo_all()


def _restore(pid: int, address: int, original: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        fd = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.pread(fd, 1, address) == BREAKPOINT:
                os.pwrite(fd, bytes([original]), address)
                return 1
        finally:
            os.close(fd)
    return 0


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
