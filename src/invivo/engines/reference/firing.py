"""One firing of one probe, and the fault that may end a clause of it.

    f = Firing(world, probe_id=7, locals_=3, own_bytes=4096)
    start = f.allocate(16)            offset 8 of the firing's own memory: 0 is NULL
    f.own(start, 16)                  where those bytes lie in f.memory, or a fault
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from invivo.program.plan import FaultKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.reference.world import World

__all__ = ["Effect", "Firing", "Raised", "Speculations"]

_FIRST = 8  # offset 0 of scratch memory is NULL


class Effect(NamedTuple):
    """What a statement did to an aggregation's words, `counts`, so that it can be done again."""

    counts: dict[bytes, list[int]]
    key: bytes
    update: Callable[[list[int] | None], list[int]]


class Raised(Exception):
    """A fault on its way out of the clause. `site` is -1 until the expression that raised it has said where it is."""

    def __init__(self, kind: FaultKind, value: int = 0, site: int = -1) -> None:
        super().__init__(kind, value)
        self.kind = kind
        self.value = value
        self.site = site


class Speculations:
    """The states of all speculations by number from 1: odd while in use, one more at each change."""

    __slots__ = ("failed", "states")

    def __init__(self) -> None:
        self.states: dict[int, int] = {}
        self.failed = 0


class Firing:
    """What lives as long as a firing: CLAUSE and LOCAL variables by slot, records under construction, own memory.

    `fault_info` is set in ERROR's firing. `result` is what the Return that was just carried out yields.
    """

    __slots__ = (
        "_total", "effects", "fault_info", "locals", "memory", "probe_id", "records", "result", "speculations", "time",
        "used", "world",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        probe_id: int,
        locals_: list[int | bytes],
        own_bytes: int,
        speculations: Speculations | None = None,
        first: int = _FIRST,
    ) -> None:
        self.world = world
        self.probe_id = probe_id
        self.locals = locals_
        self.records: dict[int, bytearray] = {}
        self.memory = bytearray()
        self.used = first  # structures and arrays come before it
        self.time = 0
        self.result: int | bytes = 0
        self.fault_info: dict[int, int] = {}
        self.effects: list[Effect] | None = None  # what is done to aggregations, where somebody asks for it
        self.speculations = speculations or Speculations()
        self._total = own_bytes

    def timestamp(self) -> int:
        """The time, read when first asked for in a firing."""
        if not self.time:
            self.time = self.world.timestamp
        return self.time

    def allocate(self, size: int) -> int:
        """The offset of so many zeroed bytes of the firing's own memory.

        Raises:
            Raised: NOSCRATCH, with the size, where there are not so many left.
        """
        end = self.used + (size + 7 & ~7)
        if not 0 <= size <= self._total or end > self._total:
            raise Raised(FaultKind.NOSCRATCH, size)
        start, self.used = self.used, end
        place = self.own(start, size)
        self.memory[place : place + size] = bytes(size)
        return start

    def own(self, offset: int, size: int) -> int:
        """The index in `memory` of `size` bytes at an offset.

        Raises:
            Raised: BADADDR, with the offset, where they do not all lie in it.
        """
        if not _FIRST <= offset <= offset + size <= self._total:
            raise Raised(FaultKind.BADADDR, offset)
        if not self.memory:
            self.memory = bytearray(self._total)
        return offset
