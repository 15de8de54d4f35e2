"""Which processes the programs met, and what those had mapped: kept up to date while tracing, for names and unwinding.

    watch = ProcessWatch(plan, maps)     where ProcessWatch.is_wanted(plan)
    watch.follow(4711)                   the target, before its first stack
    watch.take()                         as often as one of watch.awaited() is readable
    watch.spaces.find(pid, generation, address)

Programs ask by a ring of their own when they meet a process; perf's records tell of every mapping made since the
beginning. Both are read in one place, so that a program that has ended is named as well as one that runs. Unwind rules
are loaded before they are met for the target and its descendants, or without a target for all processes that begin;
for others when they are met.
"""

from __future__ import annotations

import struct
import time
from contextlib import suppress

from invivo.bpf.map import Map
from invivo.bpf.ringbuf import RingBuffer
from invivo.engines.kernel.unwinding import List, UnwindTables
from invivo.errors import KernelError, RightsError
from invivo.linux import procfs
from invivo.linux.perf_records import Executed, Exited, Forked, Mapped, PerfRecords, ProcessRecord
from invivo.linux.prompt import Promptness
from invivo.program.plan import MapKind, Plan
from invivo.program.shared import Process
from invivo.symbols.normalize import AddressSpace, AddressSpaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select
    from collections.abc import Callable

__all__ = ["ProcessWatch"]

_REQUEST = struct.Struct(Process.REQUEST)
_ENTRY = struct.Struct(Process.FORM)
_KEY = struct.Struct("<II")
_MOST_S = 5.0  # to wait for a target's rules
# On a busy machine others' programs begin all the time: after perf's records of processes that have nothing to do with
# the target, only requests wake the consumer for a while.
_QUIET_S = 0.02
_CATCH_UP_S = 0.1
_LIVELY_S = 1.0  # but not so soon after one of the target's own, which may begin more


class _Entry:
    """One element of the map of processes, and where its mappings were put. `generation` 0: prepared, not met yet."""

    __slots__ = ("generation", "is_whole", "key", "placed", "space", "version")

    def __init__(self, key: bytes, generation: int, space: AddressSpace) -> None:
        self.key = key
        self.generation = generation
        self.space = space
        self.placed: List | None = None
        self.is_whole = True  # all rules of its files were there
        self.version = -1  # of the space, when its mappings were put there


class ProcessWatch:
    """Owns perf's events, the request ring's mapping, the unwind rules."""

    def __init__(self, plan: Plan, maps: list[Map]) -> None:
        found = {p.kind: m for m, p in zip(maps, plan.maps, strict=True)}
        self.spaces = AddressSpaces()
        self._processes = found[MapKind.PROCESSES]
        self._requests: RingBuffer | None = RingBuffer(found[MapKind.REQUESTS].fd, Process.REQUESTS)
        self._records: PerfRecords | None = None
        # Where the kernel refuses them, names come from /proc, for as long as a process lives.
        with suppress(RightsError, KernelError):
            self._records = PerfRecords(is_prompt=MapKind.UNWIND in found)
        self._tables: UnwindTables | None = None
        if MapKind.UNWIND in found:
            self._tables = UnwindTables(found[MapKind.UNWIND], int(plan.options.get("unwindsize", 64 << 20)))
        self._entries: dict[int, list[_Entry]] = {}  # by pid
        self._followed: set[int] = set()  # the target and its descendants
        self._exec_ids: dict[int, int] = {}  # by pid: that of the program that it runs, where it was met
        self._refused: frozenset[str] = frozenset()
        self._quiet_until = self._lively_until = 0.0
        self._prompt = Promptness()
        self._lost = 0  # as of the last look
        self._is_behind = False
        self._catch_up_at = 0.0
        self.met: Callable[[int], object] = lambda pid: None  # told of each process that a program has met

    @staticmethod
    def is_wanted(plan: Plan) -> bool:
        """Whether the plan records addresses of processes."""
        return any(map_plan.kind is MapKind.PROCESSES for map_plan in plan.maps)

    def awaited(self) -> tuple[list[int], float]:
        """Descriptors that become readable when there is something to take; and how many seconds to wait for them at
        most, 0 if that does not matter: see _QUIET_S."""
        quiet_s = max(0.0, self._quiet_until - time.monotonic())
        found = list(self._records.fds) if self._records is not None and not quiet_s else []
        if self._tables is not None and self._tables.fd >= 0:
            found.append(self._tables.fd)
        return ([*found, self._requests.fd] if self._requests is not None else found), quiet_s

    @property
    def lost(self) -> int:
        """Records of mappings that perf had no room for."""
        return self._records.lost if self._records is not None else 0

    @property
    def refused(self) -> frozenset[str]:
        """Names of files whose unwind rules did not fit."""
        return frozenset(self._tables.refused) if self._tables is not None else self._refused

    def follow(self, pid: int) -> None:
        """Learn what a process and those that it has started have mapped, now, and load their unwind rules."""
        self.take()
        self._followed.add(pid)
        self.spaces.refresh(pid)
        self._prepare(pid)
        for entry in self._entries[pid]:
            self._put(entry)
        if self._tables is not None:
            end = time.monotonic() + _MOST_S
            while not all(entry.is_whole for entry in self._entries[pid]) and (left := end - time.monotonic()) > 0:
                self._take_rules(left)
        for child in procfs.children(pid):
            if child not in self._followed:
                self.follow(child)

    def wait(self, poller: select.poll, wait_ms: float) -> set[int]:
        """Wait for descriptors, take in what happened, and yield those that are ready. Where stacks are unwound this is
        prompt: a program may end some milliseconds after it has mapped what it needs."""
        if self._tables is None:
            return {fd for fd, _ in poller.poll(wait_ms)}
        self._prompt.begin()
        try:
            ready = {fd for fd, _ in poller.poll(wait_ms)}
            self.take()
        finally:
            self._prompt.calm()  # the rest of the work is not urgent, and may be long
        return ready

    def take(self) -> None:
        """Take in what happened since the last call."""
        # Requests first, to be answered after the records: what was mapped before a request is then known.
        asked = self._requests.unpack(_REQUEST) if self._requests is not None else []
        changed: dict[int, None] = {}
        for record in self._records.read() if self._records is not None else ():
            self.spaces.apply(record)
            self._note(record, changed)
        for generation, pid, exec_id, _, time_ns in asked:
            space = self.spaces.bind(generation, pid, time_ns)
            self.met(pid)
            if not space.has_ended:
                self._exec_ids[pid] = exec_id
                entries = self._entries.setdefault(pid, [])
                for entry in entries:
                    if not entry.generation:  # what was prepared for it, the program has taken over
                        self._release(entry)
                entries[:] = [entry for entry in entries if entry.generation]
                entries.append(_Entry(_KEY.pack(pid, exec_id), generation, space))
                changed[pid] = None
        self._catch_up(changed)
        if changed and self._followed:
            now = time.monotonic()
            if not self._followed.isdisjoint(changed):
                self._lively_until = now + _LIVELY_S
            elif not asked and now > self._lively_until:
                self._quiet_until = now + _QUIET_S
        for pid in changed:
            if pid in self._followed or not self._followed:
                self._prepare(pid)
            for entry in self._entries.get(pid, ()):
                self._put(entry)
        self._take_rules()

    def _catch_up(self, changed: dict[int, None]) -> None:
        """After perf has lost records: ask /proc of the processes that matter, but not all the time."""
        if self.lost != self._lost:
            self._lost = self.lost
            self._is_behind = True
        if self._is_behind and (now := time.monotonic()) >= self._catch_up_at:
            self._is_behind = False
            self._catch_up_at = now + _CATCH_UP_S
            for pid in {*self._followed, *self._entries}:
                if self.spaces.refresh(pid):
                    changed[pid] = None

    def _take_rules(self, timeout_s: float = 0.0) -> None:
        """Put the rules that were read meanwhile where they were awaited."""
        if self._tables is not None and self._tables.take(timeout_s):
            for entries in self._entries.values():
                for entry in entries:
                    if not entry.is_whole:
                        entry.version = -1
                        self._put(entry)

    def _note(self, record: ProcessRecord, changed: dict[int, None]) -> None:
        """What a record means for the map of processes."""
        match record:
            case Mapped(pid):
                changed[pid] = None
            case Forked(pid, _, parent):
                self._forget(pid)
                if (exec_id := self._exec_ids.get(parent)) is not None:
                    self._exec_ids[pid] = exec_id
                if parent in self._followed:
                    self._followed.add(pid)
                changed[pid] = None
            case Executed(pid):
                exec_id = self._exec_ids.get(pid)
                self._forget(pid)
                if exec_id is not None:
                    self._exec_ids[pid] = exec_id + 1
                changed[pid] = None
            case Exited(pid):
                self._forget(pid)
                self._followed.discard(pid)
                changed.pop(pid, None)

    # --- the map of processes ---------------------------------------------------------------------------------------

    def _prepare(self, pid: int) -> None:
        """Put the mappings of a process that was not met yet where its first stack finds them."""
        space = self.spaces.live(pid)
        if space is None or not (space.is_whole or pid in self._followed):
            return
        entries = self._entries.setdefault(pid, [])
        if not any(entry.space is space for entry in entries):
            entries.append(_Entry(_KEY.pack(pid, Process.ANY), 0, space))
            self._put(entries[-1])

    def _put(self, entry: _Entry) -> None:
        """Bring an element up to date with its address space."""
        if self._tables is None or entry.version == entry.space.version:
            return
        entry.version = entry.space.version
        before = entry.placed
        entry.placed, entry.is_whole = self._tables.place(entry.space, self.spaces.files)
        # Of a program that was not met yet, the one that may take this over; see shared.Process.
        generation = entry.generation or self._exec_ids.get(entry.space.pid, -1) + 1
        with suppress(KernelError):  # there is no room for so many: it is asked for again if it is met
            self._processes.update(entry.key, _ENTRY.pack(generation & 0xFFFFFFFF, *(entry.placed or (0, 0, 0))))
        if before is not None:
            self._tables.release(before)

    def _forget(self, pid: int) -> None:
        """The process is gone, or runs another program."""
        self._exec_ids.pop(pid, None)
        for entry in self._entries.pop(pid, ()):
            self._processes.delete(entry.key)
            self._release(entry)

    def _release(self, entry: _Entry) -> None:
        if entry.placed is not None and self._tables is not None:
            self._tables.release(entry.placed)

    def close(self) -> None:
        """Stop watching; what is known stays. May be called twice."""
        if self._requests is not None:
            self.take()
            self._requests.close()
            self._requests = None
        if self._records is not None:
            self._records.close()
            self._records = None
        if self._tables is not None:
            self._refused = frozenset(self._tables.refused)
            self._tables.close()
            self._tables = None
