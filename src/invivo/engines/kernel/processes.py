"""Which processes the programs met, and what those had mapped: kept up to date while tracing, for names afterwards.

    watch = ProcessWatch(plan, maps)     None where the plan records nothing of user space
    watch.follow(4711)                   the target, before its first stack
    watch.take()                         as often as one of watch.fds is readable
    watch.spaces.find(pid, generation, address)

Programs ask by a ring of their own when they meet a process; perf's records tell of every mapping made since the
beginning. Both are read in one place, so that a program that has ended is named as well as one that runs.
"""

from __future__ import annotations

import struct
from contextlib import suppress

from invivo.bpf.map import Map
from invivo.bpf.ringbuf import RingBuffer
from invivo.errors import KernelError, RightsError
from invivo.linux.perf_records import Exited, PerfRecords
from invivo.program.plan import MapKind, Plan, Process
from invivo.symbols.normalize import AddressSpaces

__all__ = ["ProcessWatch"]

_REQUEST = struct.Struct(Process.REQUEST)
_FRAME = 8  # bytes before a record in a ring


class ProcessWatch:
    """Owns perf's events and the request ring's mapping. `lost` counts records that perf had no room for."""

    def __init__(self, plan: Plan, maps: list[Map]) -> None:
        self.spaces = AddressSpaces()
        self._processes = next(m for m, p in zip(maps, plan.maps, strict=True) if p.kind is MapKind.PROCESSES)
        ring = next(m for m, p in zip(maps, plan.maps, strict=True) if p.kind is MapKind.REQUESTS)
        self._requests: RingBuffer | None = RingBuffer(ring.fd, Process.REQUESTS)
        self._keys: dict[int, set[bytes]] = {}  # of the map of processes, by pid
        self._records: PerfRecords | None = None
        # Where the kernel refuses them, names come from /proc, for as long as a process lives.
        with suppress(RightsError, KernelError):
            self._records = PerfRecords()

    @staticmethod
    def is_wanted(plan: Plan) -> bool:
        """Whether the plan records addresses of processes."""
        return any(map_plan.kind is MapKind.PROCESSES for map_plan in plan.maps)

    @property
    def fds(self) -> list[int]:
        """Descriptors that become readable when there is something to take."""
        found = self._records.fds if self._records is not None else []
        return [*found, self._requests.fd] if self._requests is not None else found

    @property
    def lost(self) -> int:
        return self._records.lost if self._records is not None else 0

    def follow(self, pid: int) -> None:
        """Learn what a process has mapped, now."""
        self.take()
        self.spaces.watch(pid)

    def take(self) -> None:
        """Take in what happened since the last call."""
        # Requests first, to be answered after the records: what was mapped before a request is then known.
        asked: list[tuple[int, ...]] = []
        if self._requests is not None:
            self._requests.read(lambda frames: _parse(frames, asked))
        ended = []
        for record in self._records.read() if self._records is not None else ():
            self.spaces.apply(record)
            if isinstance(record, Exited):
                ended.append(record.pid)
        for generation, pid, exec_id, _, time_ns in asked:
            self._keys.setdefault(pid, set()).add(struct.pack("<II", pid, exec_id))
            self.spaces.bind(generation, pid, time_ns)
        for pid in ended:
            for key in self._keys.pop(pid, ()):
                self._processes.delete(key)

    def close(self) -> None:
        """Stop watching; what is known stays. May be called twice."""
        if self._requests is not None:
            self.take()
            self._requests.close()
            self._requests = None
        if self._records is not None:
            self._records.close()
            self._records = None


def _parse(frames: memoryview, into: list[tuple[int, ...]]) -> int:
    """The requests in a run of complete frames; all have one size."""
    size = _FRAME + Process.REQUEST_SIZE
    position = 0
    while position + size <= len(frames):
        if frames[position + 3] & 0x80:  # still being written
            break
        into.append(_REQUEST.unpack_from(frames, position + _FRAME))
        position += size
    return position
