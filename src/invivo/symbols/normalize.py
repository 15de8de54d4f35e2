"""Addresses of processes, normalised: which file, and where in it, at the time when the address was taken.

    spaces = AddressSpaces()
    spaces.apply(Mapped(4711, ...))                  as perf's records come
    spaces.bind(1, 4711, time_ns)                    generation 1: what process 4711 was at that time
    spaces.find(4711, 1, 0x7f3a1c0fe2a0)             -> Place(file libc.so.6, offset 0xfe2a0, the mapping)

A process has one address space from one exec to the next. Processes that ran before the records began are read from
/proc when they are first asked for. Nothing of a process that has ended is forgotten while a generation names it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from invivo.linux.maps import Mapping, read_maps
from invivo.linux.perf_records import Executed, Exited, Forked, Mapped, ProcessRecord
from invivo.symbols.files import MappedFile, MappedFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["AddressSpace", "AddressSpaces", "Place"]

_ENDED = 2048  # address spaces of ended processes that no generation names yet
GONE = "process gone before its maps were read"
_UNMAPPED = "nothing was mapped there"


class Place(NamedTuple):
    """Where an address lies: `offset` bytes into `file`; without a file `mapping` tells what it is ([vdso], //anon)."""

    mapping: Mapping
    file: MappedFile | None
    offset: int


class AddressSpace:
    """What one process has mapped, from one exec to the next. `reason` says why nothing is known, or is empty."""

    __slots__ = ("_starts", "has_ended", "is_whole", "mappings", "pid", "reason", "since_ns", "version")

    def __init__(self, pid: int, since_ns: int, mappings: Iterable[Mapping] = (), *, is_whole: bool = True) -> None:
        self.pid = pid
        self.since_ns = since_ns
        self.mappings: list[Mapping] = []
        self._starts: list[int] = []
        self.is_whole = is_whole  # seen from its beginning, or read from /proc
        self.has_ended = False
        self.reason = ""
        self.version = 0  # one more at each change
        for mapping in mappings:
            self.add(mapping)

    def add(self, new: Mapping) -> None:
        """A mapping made: it replaces what it covers."""
        if new in self.mappings:
            return
        kept: list[Mapping] = []
        for old in self.mappings:
            if old.end <= new.start or old.start >= new.end:
                kept.append(old)
                continue
            if old.start < new.start:
                kept.append(old._replace(end=new.start))
            if old.end > new.end:
                kept.append(old._replace(start=new.end, offset=old.offset + new.end - old.start))
        kept.append(new)
        kept.sort()
        self.mappings = kept
        self._starts = [mapping.start for mapping in kept]
        self.version += 1

    def covers(self, new: Mapping) -> bool:
        """Whether a mapping would hide another file's."""
        return any(
            old.start < new.end and new.start < old.end and (old.inode, old.path) != (new.inode, new.path)
            for old in self.mappings
        )

    def find(self, address: int) -> Mapping | None:
        """The mapping that an address lies in."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self.mappings[index].end:
            return self.mappings[index]
        return None

    def read(self) -> None:
        """Take what /proc says now."""
        mappings = read_maps(self.pid)
        if mappings:
            self.is_whole = True
            self.reason = ""
            for mapping in mappings:
                self.add(mapping)
        elif not self.mappings:
            self.reason = GONE


class AddressSpaces:
    """All processes that were seen. `changed(generation, space)` is called when a bound space has a new mapping."""

    def __init__(self, changed: Callable[[int, AddressSpace], None] | None = None) -> None:
        self.files = MappedFiles()
        self._changed = changed
        self._live: dict[int, AddressSpace] = {}
        self._ended: deque[AddressSpace] = deque(maxlen=_ENDED)
        self._bound: dict[int, AddressSpace] = {}
        self._generations: dict[int, list[int]] = {}  # of a live process, by id of its space

    # --- what happens -----------------------------------------------------------------------------------------------

    def apply(self, record: ProcessRecord) -> None:
        """Take in one of perf's records, in order of time."""
        match record:
            case Mapped(pid, time_ns, mapping):
                space = self._live.get(pid)
                if space is None:  # runs since before the records: the rest is read when it is asked for
                    space = self._live[pid] = AddressSpace(pid, 0, is_whole=False)
                space.add(mapping)
                self.files.of(pid, mapping)
                self._tell(space)
            case Executed(pid, time_ns):
                self._end(pid)
                self._live[pid] = AddressSpace(pid, time_ns)
            case Forked(pid, time_ns, parent):
                self._end(pid)
                origin = self._live.get(parent)
                if origin is not None and origin.is_whole:
                    self._live[pid] = AddressSpace(pid, time_ns, origin.mappings)
                else:
                    self._live[pid] = AddressSpace(pid, time_ns, is_whole=False)
            case Exited(pid, _):
                self._end(pid)

    def _end(self, pid: int) -> None:
        space = self._live.pop(pid, None)
        if space is not None:
            space.has_ended = True
            self._ended.append(space)

    def _tell(self, space: AddressSpace) -> None:
        if self._changed is not None:
            for generation in self._generations.get(id(space), ()):
                self._changed(generation, space)

    # --- who asks ---------------------------------------------------------------------------------------------------

    def live(self, pid: int) -> AddressSpace | None:
        """What is known of a process that runs."""
        return self._live.get(pid)

    def watch(self, pid: int) -> AddressSpace:
        """The address space of a process that runs now, read from /proc if it is not known wholly."""
        space = self._live.get(pid)
        if space is None:
            space = self._live[pid] = AddressSpace(pid, 0, is_whole=False)
        if not space.is_whole:
            space.read()
            for mapping in space.mappings:
                self.files.of(pid, mapping)
        return space

    def refresh(self, pid: int) -> bool:
        """Take what /proc says of a process now, where records of it may be missing. Whether that was news."""
        space = self.watch(pid)
        version = space.version
        space.read()
        if space.version == version:
            return False
        for mapping in space.mappings:
            self.files.of(pid, mapping)
        return True

    def bind(self, generation: int, pid: int, time_ns: int) -> AddressSpace:
        """From now on `generation` names what process `pid` was at that time."""
        space = self._at(pid, time_ns)
        if space is None:
            space = self.watch(pid)
        elif not space.is_whole and not space.has_ended:
            self.watch(pid)
        elif not space.is_whole:
            space.reason = GONE
        self._bound[generation] = space
        self._generations.setdefault(id(space), []).append(generation)
        return space

    def _at(self, pid: int, time_ns: int) -> AddressSpace | None:
        live = self._live.get(pid)
        if live is not None and live.since_ns <= time_ns:
            return live
        for space in reversed(self._ended):
            if space.pid == pid and space.since_ns <= time_ns:
                return space
        return live

    def space(self, pid: int, generation: int = 0) -> AddressSpace:
        """What a generation names; generation 0 is the process as it is now (or as it was when it ended)."""
        bound = self._bound.get(generation)
        if bound is not None:
            return bound
        if pid not in self._live:
            for space in reversed(self._ended):
                if space.pid == pid:
                    return space
        return self.watch(pid)

    def find(self, pid: int, generation: int, address: int) -> Place | str:
        """Where an address of a process lies, or why that is not known."""
        space = self.space(pid, generation)
        mapping = space.find(address)
        if mapping is None and not space.has_ended:
            space.read()  # a record may have been lost
            mapping = space.find(address)
        if mapping is None:
            return space.reason or _UNMAPPED
        return Place(mapping, self.files.of(space.pid, mapping), address - mapping.start + mapping.offset)

    def close(self) -> None:
        """Close all files."""
        self.files.close()
