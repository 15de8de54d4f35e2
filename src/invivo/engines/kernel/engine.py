"""One plan, running in the kernel.

    engine = KernelEngine(plan, merge=..., target_pid=0)
    engine.load()        maps and programs; nothing is enabled yet
    engine.begin()       BEGIN's clauses
    engine.enable()      every other probe, ticks included
    engine.read(sink)    records so far
    engine.disable()     no probe fires any more
    engine.end()         END's clauses
    engine.close()       nothing is left (a killed process has the same effect: the kernel closes the descriptors)
"""

from __future__ import annotations

import os
import struct

from invivo.bpf.link.base import close_all
from invivo.bpf.map import Map
from invivo.bpf.ringbuf import RingBuffer
from invivo.engines.base import Engine, Losses
from invivo.engines.kernel.attach import RefusedProbe, RunningTimer, attach
from invivo.engines.kernel.loader import LoadedUnit, create_maps, load_unit
from invivo.engines.kernel.processes import ProcessWatch
from invivo.engines.kernel.snapshot import Snapshots
from invivo.errors import VerifierError
from invivo.linux import clock, syscalls
from invivo.program.attach import Moment, Once, Uprobe
from invivo.program.plan import MapKind, Plan, without_late
from invivo.program.shared import Globals, UnwindEnd

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select
    from collections.abc import Callable, Mapping

    from invivo.bpf.link.base import Link
    from invivo.bpf.link.keeper import Keeper
    from invivo.engines.base import Merge
    from invivo.engines.kernel.late import LateLibraries
    from invivo.engines.kernel.late_probes import LateProbes

__all__ = ["KernelEngine"]

_ENOTSUPP = 524
_STACK_ENDS = {
    UnwindEnd.DEPTH: "more frames than -x ustackframes=NUMBER keeps",
    UnwindEnd.NO_RULES: "code with neither unwind rules nor frame pointers",
    UnwindEnd.UNKNOWN_RULE: "an unwind rule of a kind that is not followed",
    UnwindEnd.UNREADABLE: "stack memory that could not be read",
    UnwindEnd.NEW_PROCESS: "code met before its unwind rules were loaded: by frame pointers",
    UnwindEnd.NOT_64_BIT: "not a 64-bit program: by frame pointers",
    UnwindEnd.BROKEN: "a frame that does not lie above the one before it",
    UnwindEnd.HIDDEN_RETURN: "a return address that a return probe has replaced",
}


class KernelEngine(Engine):
    """A plan's maps, programs, links and timers. A context manager; see the module's text for the order of calls."""

    def __init__(self, plan: Plan, merge: Merge, target_pid: int = 0, keeper: Keeper | None = None) -> None:
        """`keeper` is one that there is already, for probes in programs; it is closed with the engine."""
        if plan.late is not None:  # both grow
            plan = plan._replace(probes=list(plan.probes), strings=list(plan.strings))
        self.plan = plan
        self.keeper = keeper
        self.target_pid = target_pid
        self.timers: list[RunningTimer] = []
        self.refused: list[RefusedProbe] = []  # places in programs that the kernel does not let be probed
        self.late: LateLibraries | None = None  # where patterns name files of the target that cannot be probed later
        self.late_probes: LateProbes | None = None  # where they can
        self._merge = merge
        self._maps: list[Map] = []
        self._stacks: dict[bytes, bytes] = {}  # those of the run, once it is closed
        self._units: list[LoadedUnit] = []
        self._links: list[Link] = []
        # As words: one aligned 8-byte store each, which programs on other CPUs see whole.
        self._globals: memoryview = memoryview(bytearray(max(plan.globals_size, Globals.USER))).cast("Q")
        self._ring: RingBuffer | None = None
        self._snapshots: Snapshots | None = None
        self.watch: ProcessWatch | None = None  # where addresses of processes are recorded

    def __enter__(self) -> KernelEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> None:
        """Create maps and load programs.

        Raises:
            RightsError, KernelError, VerifierError: See `loader`.
        """
        if self.has_user_probes:
            self.start_keeper()
        create_maps(self.plan, self._maps)
        for index, map_plan in enumerate(self.plan.maps):
            if map_plan.kind is MapKind.GLOBALS:
                self._globals = memoryview(self._maps[index].mmap()).cast("Q")
            elif map_plan.kind is MapKind.RING:
                self._ring = RingBuffer(self._maps[index].fd, self._maps[index].spec.max_entries)
        if ProcessWatch.is_wanted(self.plan):
            self.watch = ProcessWatch(self.plan, self._maps)
        self.set_target(self.target_pid)
        self._set(Globals.TRACER_PID, os.getpid())
        self._set(Globals.WALL_OFFSET_NS, clock.wall_offset_ns())
        for index, unit in enumerate(self.plan.units):
            try:
                self._units.append(load_unit(unit, self._maps))
            except VerifierError:
                if self.plan.late is None or index < self.plan.late.units[0].unit:
                    raise
                self.plan = without_late(self.plan)
                break
        self._snapshots = Snapshots(self.plan, self._maps, self._globals, self._merge)

    def start_keeper(self) -> Keeper:
        """The process that holds probes in programs; started, if need be, before load(), for it would hold maps too."""
        if self.keeper is None:
            from invivo.bpf.link.keeper import Keeper

            self.keeper = Keeper()
        return self.keeper

    @property
    def has_user_probes(self) -> bool:
        """Whether some probe lies in a program."""
        points = (item.point for unit in self.plan.units for item in unit.attachments)
        return self.plan.late is not None or any(isinstance(point, Uprobe) for point in points)

    @property
    def unwinds(self) -> bool:
        """Whether stacks of processes are unwound, by rules to be loaded for the target before it runs."""
        return any(map_plan.kind is MapKind.UNWIND for map_plan in self.plan.maps)

    def halved_buffer(self) -> int:
        """Bytes of the ring buffer, if there was no memory for as many as planned; else 0."""
        for live, plan in zip(self._maps, self.plan.maps, strict=False):
            if plan.kind is MapKind.RING and live.spec.max_entries < plan.max_entries:
                return live.spec.max_entries
        return 0

    def set_target(self, pid: int) -> None:
        """Set `$target`."""
        self.target_pid = pid
        self._set(Globals.TARGET, pid)
        if self.watch is not None and pid:
            self.watch.follow(pid)

    def fill(self, contents: Mapping[str, bytes]) -> None:
        """Set the program's global arrays, by name, before anything fires; bytes as the kernel has them."""
        for name, start in self.plan.arrays:
            if name in contents:
                words = memoryview(contents[name]).cast("Q")
                self._globals[start // 8 : start // 8 + len(words)] = words

    def begin(self) -> None:
        """Run BEGIN's clauses."""
        self._run(Moment.BEGIN)

    def enable(self) -> None:
        """Attach all programs and start all timers, in the plan's order."""
        if self.plan.globs and self.target_pid:
            from invivo.engines.kernel.late import LateLibraries

            self.late = LateLibraries(self.target_pid, self.plan)
        for unit in self._units:
            self.refused += attach(unit, self._links, self.timers, self.keeper)
        if self.plan.late is not None and self.target_pid:
            from invivo.engines.kernel.late_probes import LateProbes

            assert self.keeper is not None, "there is one for such plans"
            self.late_probes = LateProbes(self.plan, self._maps, self._globals, self.keeper, self._units)
            self.late_probes.start(self.target_pid)

    def refusals(self) -> list[str]:
        """A sentence for each place in a program that the kernel does not let be probed."""
        found = []
        for (path, offset, *_), probe, code in self.refused:
            name = ""
            if probe:
                names = self.plan.probes[probe - 1]
                name = f" ({names.provider}:{names.module}:{names.function}:{names.name})"
            reason = "it probes no instruction of that kind" if code == _ENOTSUPP else os.strerror(code)
            found.append(f"invivo: the kernel refuses a probe at {offset:#x} of '{path}'{name}: {reason}")
        return found

    def disable(self) -> None:
        """Detach everything and wait until no program of it still runs."""
        was_enabled = bool(self._links)
        if self.keeper is not None:
            was_enabled |= self.keeper.release()
        close_all(self._links)
        for timer in self.timers:
            timer.close()
        self.timers.clear()
        if was_enabled:
            syscalls.membarrier_global()

    def end(self) -> None:
        """Run END's clauses."""
        self._run(Moment.END)

    def wait(self, poller: select.poll, wait_ms: float) -> set[int]:
        """Wait for descriptors; yields those that are ready. What processes have mapped is taken in first of all."""
        if self.watch is not None:
            return self.watch.wait(poller, wait_ms)
        return {fd for fd, _ in poller.poll(wait_ms)}

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand all complete records to `sink` as runs of ring-buffer frames; returns the bytes read."""
        if self.watch is not None:
            self.watch.take()
        self.take_late()
        return self._ring.read(sink) if self._ring is not None else 0

    @property
    def late_fds(self) -> list[int]:
        """Descriptors that become readable when take_late() has something to do."""
        found = self.late.fds if self.late is not None else []
        return [*found, self.late_probes.fd] if self.late_probes is not None else found

    def take_late(self) -> None:
        """Put probes into what processes have mapped; they wait for it."""
        if self.late is not None:
            self.late.take()
        if self.late_probes is not None:
            self.late_probes.take()

    def messages(self) -> list[str]:
        """What of files that were mapped later was left out, a sentence each."""
        return [text for late in (self.late, self.late_probes) if late is not None for text in late.messages()]

    @property
    def ring_fd(self) -> int:
        """Becomes readable when the ring buffer fills, or an exit() asks for attention; -1 if there is no ring."""
        return self._ring.fd if self._ring is not None else -1

    def await_records(self) -> None:
        """Say that the consumer is about to wait: a program that sees the ring buffer fill wakes it, once."""
        self._set(Globals.WAITING, 1)

    @property
    def exit_code(self) -> int | None:
        """What exit() was given, or None if none was called."""
        if not self._get(Globals.EXITING):
            return None
        code = self._get(Globals.EXIT_CODE) & 0xFFFFFFFF
        return code - (1 << 32) if code >> 31 else code

    def refresh(self) -> None:
        """Merge all aggregations as they stand."""
        if self._snapshots is not None:
            self._snapshots.take()

    def refresh_if_pressing(self) -> None:
        """The same, if a map is about to fill."""
        if self._snapshots is not None and self._snapshots.is_pressing():
            self._snapshots.take()

    def stack(self, identity: int) -> tuple[int, ...]:
        """Addresses of a stack, innermost first; empty if it was not kept. May be asked after close() too."""
        key = struct.pack("<Q", identity)
        live = self._stacks_map()
        value = self._stacks.get(key) if live is None else live.lookup(key)
        if value is None:
            return ()
        words = struct.unpack(f"<{len(value) // 8}Q", value)
        return words[: words.index(0)] if 0 in words else words

    def _stacks_map(self) -> Map | None:
        for live, plan in zip(self._maps, self.plan.maps, strict=False):
            if plan.kind is MapKind.STACKS:
                return live
        return None

    def thread_values(self, name: str) -> dict[int, int]:
        """What each thread's variable `self->name` holds, by thread id, as a 64-bit word; not those that are 0."""
        for live, plan in zip(self._maps, self.plan.maps, strict=False):
            if plan.kind is MapKind.VARIABLE and plan.name == f"v_{name}" and plan.key_size == plan.value_size == 8:
                values = {int.from_bytes(key, "little"): int.from_bytes(value, "little") for key, value in live.items()}
                return {thread: value for thread, value in values.items() if value}
        return {}

    def losses(self) -> Losses:
        """All losses since load()."""
        losses = Losses()
        for cpu in range(Globals.RING_DROPS_CPUS):
            if count := self._get(Globals.RING_DROPS + 8 * cpu):
                losses.records_by_cpu[cpu] = count
        for plan in self.plan.aggregations:
            if count := self._get(plan.drops):
                losses.aggregations[plan.id] = count
            if count := self._get(plan.refused):
                losses.aggregations_refused[plan.id] = count
        losses.variables = self._get(Globals.VARIABLE_DROPS)
        losses.variables_refused = self._get(Globals.VARIABLES_REFUSED)
        losses.stacks = self._get(Globals.STACK_DROPS)
        losses.stacks_refused = self._get(Globals.STACKS_REFUSED)
        if self.watch is not None:
            losses.mappings = self.watch.lost
            losses.files_without_rules = len(self.watch.refused)
        losses.stack_ends = {
            words: self._get(Globals.STACK_ENDS + 8 * end) for end, words in _STACK_ENDS.items()
        }
        losses.faults = self._get(Globals.FAULT_DROPS)
        losses.speculations = self._get(Globals.SPECULATION_DROPS)
        losses.returns = self._get(Globals.MISSED_RETURNS)
        return losses

    def missed_runs(self) -> int:
        """Firings that were not run because the same program was running on that CPU already."""
        skipped = sum(unit.program.info().recursion_misses for unit in self._units)
        return skipped + self._get(Globals.MISSED)

    def close(self) -> None:
        """Undo everything; may be called at any time, and twice."""
        self.disable()
        if self.keeper is not None:
            self.keeper.close()
        for late in (self.late, self.late_probes):
            if late is not None:
                late.close()
        for unit in self._units:
            unit.program.close()
        self._units.clear()
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        if self.watch is not None:
            self.watch.close()
        if (stacks := self._stacks_map()) is not None:
            self._stacks = dict(stacks.items())
        for live in self._maps:
            live.close()
        self._maps.clear()

    def _run(self, moment: Moment) -> None:
        for unit in self._units:
            if any(attachment.point == Once(moment) for attachment in unit.plan.attachments):
                unit.program.test_run()

    def _get(self, offset: int) -> int:
        value: int = self._globals[offset // 8]
        return value

    def _set(self, offset: int, value: int) -> None:
        self._globals[offset // 8] = value & 0xFFFFFFFFFFFFFFFF
