"""Aggregations read while the probes go on, with nothing lost and nothing counted twice.

Every key in the kernel begins with a generation number, which programs read from the globals. To take a snapshot, the
consumer advances it and waits until no program runs that may have read the old one (membarrier(2)'s GLOBAL command is
a full RCU grace period, and tracing programs run with preemption off). The old generation is then frozen: it is
read, removed from the map, and merged into totals that live in user space. So maps are emptied as they are read, and
clear() and trunc() act on the totals without a race.
"""

from __future__ import annotations

import struct

from invivo.bpf.map import Map
from invivo.linux import syscalls
from invivo.program.plan import Plan
from invivo.program.records import AggregationPlan
from invivo.program.shared import Globals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.base import Merge

__all__ = ["Snapshots"]


class Snapshots:
    """Reads one plan's aggregations. `merge(aggregation id, key, words)` is called once for each key and CPU."""

    __slots__ = ("_globals", "_maps", "_merge", "_plan", "_read_inserted")

    def __init__(self, plan: Plan, maps: list[Map], globals_view: memoryview, merge: Merge) -> None:
        self._plan = plan
        self._maps = maps
        self._globals = globals_view
        self._merge = merge
        self._read_inserted = [0] * len(plan.aggregations)

    def take(self) -> None:
        """Merge everything counted so far."""
        plans = self._plan.aggregations
        if not plans:
            return
        generation = self._globals[Globals.GENERATION // 8]
        self._globals[Globals.GENERATION // 8] = generation + 1
        syscalls.membarrier_global()
        for index, plan in enumerate(plans):
            inserted = self._globals[plan.inserted // 8]
            if plan.keys:
                self._take_keyed(plan, generation + 1)
            elif inserted or self._read_inserted[index]:
                # Set again by the next update; should that be just now, its value still tells.
                self._globals[plan.inserted // 8] = 0
                self._take_single(plan, generation, is_used=bool(inserted))
                inserted = 1
            self._read_inserted[index] = inserted

    def is_pressing(self) -> bool:
        """Whether a map is half full of keys that were not read yet."""
        for index, plan in enumerate(self._plan.aggregations):
            if plan.keys:
                inserted = self._globals[plan.inserted // 8]
                if (inserted - self._read_inserted[index]) * 2 > self._plan.maps[plan.map].max_entries:
                    return True
        return False

    def _take_keyed(self, plan: AggregationPlan, next_generation: int) -> None:
        """Older generations too: a program that may sleep is not waited for, and may have come late."""
        live = self._maps[plan.map]
        running = struct.pack("<Q", next_generation)
        old = []
        for key, value in live.items():
            if key[:8] != running:
                old.append(key)
                self._merge_cpus(plan, key, value)
        live.delete_many(old)

    def _take_single(self, plan: AggregationPlan, generation: int, *, is_used: bool) -> None:
        live = self._maps[plan.map]
        key = struct.pack("<I", generation & 1)
        value = live.lookup(key)
        if value is not None and (is_used or any(value)):
            self._merge_cpus(plan, bytes(plan.key_size), value)
            live.update(key, bytes(len(value)))

    def _merge_cpus(self, plan: AggregationPlan, key: bytes, value: bytes) -> None:
        """A CPU that never saw the key has all words zero, which is neutral; if all have, it is a sum of zeros."""
        size = plan.words * 8
        parts = [value[start : start + size] for start in range(0, len(value), size)]
        for part in [part for part in parts if part.count(0) != size] or parts[:1]:
            self._merge(plan.id, key, struct.unpack(f"<{plan.words}Q", part))


