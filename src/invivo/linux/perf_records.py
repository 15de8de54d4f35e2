"""What processes map and run, as it happens: perf's records of mappings, execs, forks and exits, of all processes.

    records = PerfRecords()
    records.read()     ->  [Mapped(4711, 8_123, Mapping(0x7f.., ..., "/usr/lib/libz.so.1")), Executed(4711, 8_001), ...]
    records.close()

They come from a dummy event on each CPU, which costs the system nothing but these records: one for each executable
mapping that is made. They are in order of time within one call.
Source: perf_event_open(2), struct perf_event_mmap_page and PERF_RECORD_*.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from operator import itemgetter
from typing import NamedTuple

from invivo.errors import KernelError
from invivo.linux import cpu
from invivo.linux.maps import Mapping
from invivo.linux.perf_event import open_dummy

__all__ = ["Executed", "Exited", "Forked", "Mapped", "PerfRecords", "ProcessRecord"]

_PAGES = 32  # of records a CPU: some 1,500 mappings between two reads
_LOST, _COMM, _EXIT, _FORK, _MMAP2 = 2, 3, 4, 7, 10
_MISC_COMM_EXEC = 1 << 13
_HEADER = struct.Struct("<IHH")
# pid, tid, address, length, offset, major, minor, inode, its generation, protection, flags
_MAP = struct.Struct("<IIQQQIIQQII")
_TASK = struct.Struct("<IIIIQ")
_TIME_AT_END = struct.Struct("<Q")  # sample_id: pid, tid, time
_HEAD = 1024  # data_head in the first page; data_tail follows


class Mapped(NamedTuple):
    """A process has made an executable mapping, or made one executable."""

    pid: int
    time_ns: int  # CLOCK_MONOTONIC, as in all of these
    mapping: Mapping


class Executed(NamedTuple):
    """A process runs another program: all its mappings are gone, and new ones follow."""

    pid: int
    time_ns: int


class Forked(NamedTuple):
    """A process has begun as a copy of `parent`."""

    pid: int
    time_ns: int
    parent: int


class Exited(NamedTuple):
    """A process's first thread has ended."""

    pid: int
    time_ns: int


ProcessRecord = Mapped | Executed | Forked | Exited


class _Ring:
    """One CPU's event and its records."""

    __slots__ = ("_data", "_map", "_words", "fd")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        page = mmap.PAGESIZE
        try:
            self._map = mmap.mmap(fd, (1 + _PAGES) * page)
        except OSError as error:
            os.close(fd)
            raise KernelError(error.errno or 0, "mmap", "perf's records of mappings") from error
        self._words = memoryview(self._map)[_HEAD : _HEAD + 16].cast("Q")
        self._data = memoryview(self._map)[page:]

    def take(self) -> bytes:
        """All complete records since the last call."""
        head, tail = self._words
        size = len(self._data)
        start, end = tail % size, head % size
        if head == tail:
            return b""
        data = bytes(self._data[start:end]) if start < end else bytes(self._data[start:]) + bytes(self._data[:end])
        self._words[1] = head
        return data

    def close(self) -> None:
        self._words.release()
        self._data.release()
        self._map.close()
        os.close(self.fd)


class PerfRecords:
    """Reads the records of all CPUs. `lost` counts those for which there was no room.

    Args:
        is_prompt: The descriptors become readable at each record, and not only when half of a buffer is full.

    Raises:
        RightsError, KernelError: The kernel does not let this user watch all processes.
    """

    __slots__ = ("_rings", "lost")

    def __init__(self, *, is_prompt: bool = False) -> None:
        self.lost = 0
        self._rings: list[_Ring] = []
        try:
            for number in cpu.online():
                self._rings.append(_Ring(open_dummy(number, is_prompt=is_prompt)))
        except BaseException:
            self.close()
            raise

    @property
    def fds(self) -> list[int]:
        """Descriptors that become readable when there are records."""
        return [ring.fd for ring in self._rings]

    def read(self) -> list[ProcessRecord]:
        """All records since the last call."""
        found: list[ProcessRecord] = []
        for ring in self._rings:
            if data := ring.take():
                self._parse(data, found)
        found.sort(key=itemgetter(1))
        return found

    def _parse(self, data: bytes, found: list[ProcessRecord]) -> None:
        position = 0
        while position + 8 <= len(data):
            kind, misc, size = _HEADER.unpack_from(data, position)
            start, end = position + 8, position + size
            if size < 8 or end > len(data):
                break
            position = end
            if kind == _LOST:
                self.lost += struct.unpack_from("<QQ", data, start)[1]
                continue
            (time,) = _TIME_AT_END.unpack_from(data, end - 8)
            if kind == _MMAP2:
                pid, _, address, length, offset, major, minor, inode, _, _, _ = _MAP.unpack_from(data, start)
                name = data[start + _MAP.size : data.index(0, start + _MAP.size)]
                path = sys.intern(name.decode("utf-8", "surrogateescape"))  # most processes map the same files
                mapping = Mapping(address, address + length, offset, (major, minor), inode, path)
                found.append(Mapped(pid, time, mapping))
            elif kind == _COMM and misc & _MISC_COMM_EXEC:
                found.append(Executed(struct.unpack_from("<I", data, start)[0], time))
            elif kind in (_FORK, _EXIT):
                pid, parent, thread, _, _ = _TASK.unpack_from(data, start)
                if kind == _FORK and pid != parent:
                    found.append(Forked(pid, time, parent))
                elif kind == _EXIT and pid == thread:
                    found.append(Exited(pid, time))

    def close(self) -> None:
        """Let go of the events; may be called twice."""
        for ring in self._rings:
            ring.close()
        self._rings.clear()
