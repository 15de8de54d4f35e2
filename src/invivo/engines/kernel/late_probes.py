"""Probes made while tracing goes on, in files that processes map: libraries that they open, programs they execute.

    late = LateProbes(plan, maps, words, keeper, units)      plan.late says what is meant; maps and programs are loaded
    late.start(4711)                                         its loader tells of what it maps
    late.take()                                              as often as late.fd is readable

The loader calls `_dl_debug_state` when it has mapped something and run none of its code. There the thread waits (see
codegen.late_watch) until it is held by ptrace(2), and that until the probes are there: so no call is missed. Nothing of
this outlives the tracer: a thread that nobody holds goes on. Should another tracer have it, it waits for a while only.
Source: <link.h>, glibc's elf/rtld.c and elf/dl-open.c.
"""

from __future__ import annotations

import struct
import time

from invivo.bpf.link.uprobe import Site
from invivo.bpf.ringbuf import RingBuffer
from invivo.engines.late_files import LateFiles, identity, probes_of
from invivo.errors import InvivoError, KernelError
from invivo.linux import procfs, ptrace
from invivo.program.plan import MapKind, Plan, ProbeInfo
from invivo.program.shared import Globals, Late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from invivo.bpf.link.keeper import Keeper
    from invivo.bpf.map import Map
    from invivo.engines.kernel.loader import LoadedUnit
    from invivo.program.clauses import Probe
    from invivo.program.plan import LateUnit
    from invivo.symbols.objects import MappedObject

__all__ = ["Hold", "LateProbes"]

_VISIT = struct.Struct(Late.VISIT)
_ROW = struct.Struct(Late.ROW)
_UNLISTED = 100_000  # numbers of probes that are in no list are greater
_STOPPED = 0x7F  # in the low byte of a wait status
_MOST_S = 10.0  # that a thread may take to stop


class LateProbes:
    """See the module's text. Owns the ring's mapping; the keeper holds the probes."""

    def __init__(
        self, plan: Plan, maps: list[Map], words: memoryview, keeper: Keeper, units: list[LoadedUnit]
    ) -> None:
        """`plan.probes` and `plan.strings` are lists, which grow; `words` are the globals."""
        assert plan.late is not None
        found = {p.kind: m for m, p in zip(maps, plan.maps, strict=True)}
        self._plan = plan
        self._late = plan.late
        self._words = words
        self._keeper = keeper
        self._units = units
        self._names = memoryview(found[MapKind.LATE_NAMES].mmap())
        texts = found.get(MapKind.LATE_TEXTS)
        self._texts = memoryview(texts.mmap()) if texts is not None else None
        self._ring: RingBuffer | None = RingBuffer(found[MapKind.LATE_VISITS].fd, Late.VISITS)
        self._files = LateFiles(plan.late.units, plan.late.known)
        self._loaders: set[tuple[int, int]] = set()
        self._strings: dict[bytes, int] = {}
        for number, text in enumerate(plan.strings):
            self._strings.setdefault(text, number)
        self._count = 0  # probes made
        self._unheld = 0
        self._number = max([_UNLISTED, *(probe.id for probe in plan.probes)])
        self._told: dict[str, None] = {}
        self._left: list[Hold] = []  # threads that were asked to stop, and have not come out of the kernel yet

    @property
    def fd(self) -> int:
        """Becomes readable when a process has mapped something; -1 after close()."""
        return self._ring.fd if self._ring is not None else -1

    def start(self, pid: int) -> None:
        """Watch the loader of the target, and probe what it has mapped since the program was compiled."""
        self._watch(pid)
        self._probe(self._files.new(pid), pid)

    def take(self) -> None:
        """Answer the processes that wait in their loaders."""
        self._left = [hold for hold in self._left if not hold.let_go()]
        for who, number in self._ring.unpack(_VISIT) if self._ring is not None else ():
            if number:
                self._visit(who >> 32, who & 0xFFFFFFFF, number)
            else:
                self._executed(who >> 32)

    def _visit(self, pid: int, tid: int, number: int) -> None:
        meant = self._files.new(pid)
        if meant:
            with Hold(tid, self._left) as hold:
                if hold.is_traced:
                    self._answer(number)
                    hold.has_stopped()
                self._probe(meant, pid)
            if self._words[Globals.LATE_UNHELD // 8] != self._unheld:
                for item in meant:
                    self._tell(f"process {pid} went on before {item.path} had probes: its first calls may be missing")
        self._unheld = self._words[Globals.LATE_UNHELD // 8]
        self._answer(number)

    def _executed(self, pid: int) -> None:
        """A process has executed a program; if a loader of it is watched, that will tell."""
        from invivo.symbols.objects import mapped_objects

        try:
            if any(identity(item.place) in self._loaders for item in mapped_objects(pid)):
                return
            with Hold(pid, self._left) as hold:
                hold.has_stopped()
                self._watch(pid)
                meant = self._files.new(pid)
                self._probe(meant, pid)
        except InvivoError:  # it has ended
            return
        for item in meant:
            self._tell(f"process {pid} ran {item.path} without a loader that is watched: first calls may be missing")

    def _answer(self, number: int) -> None:
        self._words[Globals.LATE_DONE // 8 + (number & Late.SLOTS - 1)] = number

    # --- what is new --------------------------------------------------------------------------------------------

    def _watch(self, pid: int) -> None:
        """Plant the program that waits in the loader of a process."""
        from invivo.symbols.elf import ElfFile
        from invivo.symbols.objects import mapped_objects

        watch = self._units[self._late.watch].program.fd
        for item in mapped_objects(pid):
            own = identity(item.place)
            if item.is_program or own is None or own in self._loaders:
                continue
            with ElfFile.open(item.place, item.path) as elf:
                stop = elf.symbol_address("_dl_debug_state")
                offset = elf.to_offset(stop) if stop is not None else None
            if offset is not None:
                self._loaders.add(own)
                self._keeper.attach(watch, item.place, [Site(offset, 0)], pid=self._late.units[0].pid)

    def _probe(self, meant: list[MappedObject], pid: int) -> None:
        for item in meant:
            try:
                self._probe_file(item, pid)
            except InvivoError as error:
                self._tell(f"{item.path}, which process {pid} has loaded since tracing began, has no probes: {error}")

    def _probe_file(self, item: MappedObject, pid: int) -> None:
        found, left_out = probes_of(self._late.units, item, pid)
        ids: dict[tuple[str, Probe], int] = {}
        sites: dict[tuple[LateUnit, bool], list[Site]] = {}
        for unit, probe, clauses, points in found:
            key = unit.provider, probe
            number = ids[key] = ids.get(key) or self._named(unit, probe)
            for point in points if number else ():
                site = Site(point.offset, number | clauses << 64 - Late.CLAUSES)
                sites.setdefault((unit, point.is_return), []).append(site)
        for (unit, is_return), places in sites.items():
            self._attach(unit, item, places, is_return)
        self._told.update(dict.fromkeys(left_out if found else ()))

    def _attach(self, unit: LateUnit, item: MappedObject, sites: list[Site], is_return: bool) -> None:
        program = self._units[unit.unit].program.fd
        refused = self._keeper.attach(program, item.place, sites, is_return=is_return, pid=unit.pid)
        if refused:
            self._tell(f"the kernel refuses probes at {len(refused)} places of '{item.path}'")
        if is_return and self._late.missed_returns >= 0:
            entries = [Site(site.offset, 0) for site in sites]
            counter = self._units[self._late.missed_returns].program.fd
            self._keeper.attach(counter, item.place, entries, pid=unit.pid)

    def _named(self, unit: LateUnit, probe: Probe) -> int:
        """The id of a new probe, whose names are then where programs and consumer look for them; 0: no room."""
        module, function = _bytes(probe.module), _bytes(probe.function)
        if self._count == Late.ENTRIES:
            self._tell(f"only {Late.ENTRIES} probes can be added while tracing: some of {probe.module} are left out")
            return 0
        if self._texts is not None:
            if max(len(module), len(function)) >= Late.TEXT:
                self._tell(f"a function of {probe.module} has a name of {len(function)} bytes, and no probe")
                return 0
            for at, text in ((2 * self._count, module), (2 * self._count + 1, function)):
                self._texts[at * Late.TEXT : (at + 1) * Late.TEXT] = text.ljust(Late.TEXT, b"\0")
        self._number += 1
        row = _ROW.pack(self._interned(module), self._interned(function), self._number)
        self._names[self._count * Late.ROW_SIZE : (self._count + 1) * Late.ROW_SIZE] = row
        self._count += 1
        assert isinstance(self._plan.probes, list), "the engine made it one"
        self._plan.probes.append(ProbeInfo(unit.provider, probe.module, probe.function, probe.name, self._number))
        return len(self._plan.probes)

    def _interned(self, text: bytes) -> int:
        number = self._strings.setdefault(text, len(self._plan.strings))
        if number == len(self._plan.strings):
            assert isinstance(self._plan.strings, list), "the engine made it one"
            self._plan.strings.append(text)
        return number

    # --- the end ------------------------------------------------------------------------------------------------

    def _tell(self, text: str) -> None:
        self._told[text] = None

    def messages(self) -> list[str]:
        """A sentence for each thing that was left out."""
        return [f"invivo: {text}" for text in self._told]

    def close(self) -> None:
        """Answer who still waits, and stop looking. May be called twice."""
        if self._ring is not None:
            for _, number in self._ring.unpack(_VISIT):
                self._answer(number)
            for hold in self._left:
                hold.let_go(_MOST_S)
            self._ring.close()
            self._ring = None
            self._names.release()
            if self._texts is not None:
                self._texts.release()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


class Hold:
    """A thread held by ptrace(2) for a while: asked to stop, which it does when it comes out of the kernel. A context
    manager; the thread goes on at its end, and also when this process ends. One that has not stopped by then is added
    to `left`: let_go() is to be tried again, or it would stop later and stay so."""

    __slots__ = ("_left", "_signal", "_tid", "is_traced")

    def __init__(self, tid: int, left: list[Hold]) -> None:
        self._tid = tid
        self._left = left
        self._signal: int | None = None  # that it stopped by, 0 for the stop that was asked for; None: it runs
        self.is_traced = False

    def __enter__(self) -> Self:
        try:
            ptrace.seize(self._tid, 0)
        except KernelError:  # it has ended, somebody else traces it, or this user may not
            return self
        self.is_traced = True
        ptrace.interrupt(self._tid)
        return self

    def has_stopped(self, most_s: float = _MOST_S) -> bool:
        """Wait for the stop; False if the thread has ended, is not traced, or takes too long."""
        end = time.monotonic() + most_s
        while self.is_traced and self._signal is None:
            status = ptrace.wait_for(self._tid, has_to_return=True)
            if status is not None and status & 0xFF == _STOPPED:
                self._signal = 0 if status >> 16 else status >> 8 & 0xFF
            elif status is not None or not procfs.exists(self._tid):
                self.is_traced = False
            elif time.monotonic() >= end:
                break
            else:
                time.sleep(0.0002)
        return self._signal is not None

    def let_go(self, most_s: float = 0.0) -> bool:
        """Have it go on; False if it has not stopped yet."""
        if self.has_stopped(most_s):
            ptrace.detach(self._tid, self._signal or 0)
            self.is_traced = False
        return not self.is_traced

    def __exit__(self, *_: object) -> None:
        if not self.let_go():
            self._left.append(self)
