"""What was lost: told once each, and in all exactly as much as was counted.

    counted so far: CPU 0: 23     told so far: nothing    ->  "23 drops on CPU 0"
    counted so far: CPU 0: 31     told so far: 23         ->  "8 drops on CPU 0"
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from invivo.consumer.output import Losses

__all__ = ["Drop", "Drops"]

_REFUSED = (
    "the kernel could make no entry at that moment: it was changing that map, or had no memory at hand; "
    "probe fewer events, or make fewer new keys in one"
)

# Kind: (what is counted, what to do about it).
_KINDS = {
    "principal": ("drop", "the ring buffer was full; -x bufsize=SIZE makes it larger"),
    "aggregation": ("aggregation drop", "the aggregation was full; -x aggsize=SIZE makes it larger"),
    "aggregation_refused": ("refused aggregation key", _REFUSED),
    "dynamic": ("dynamic variable drop", "a variable's map was full; -x dynvarsize=SIZE makes it larger"),
    "dynamic_refused": ("refused dynamic variable", _REFUSED),
    "speculative": ("speculative drop", "a speculation was full; -x specsize=SIZE makes it larger"),
    "speculation": ("failed speculation", "no speculation was free; -x nspec=NUMBER gives more"),
    "stack": ("stack drop", "too many distinct stacks; -x stacksize=NUMBER keeps more"),
    "stack_refused": ("refused stack", _REFUSED),
    "truncated": ("truncated user stack", ""),
    "mapping": ("lost mapping record", "processes mapped files faster than they were noted: some names may be missing"),
    "rules": ("unwind table drop", "-x unwindsize=SIZE keeps more"),
    "error": ("unreported error", "the ring buffer was full; -x bufsize=SIZE makes it larger"),
    "missed": ("missed firing", "the probe's program was already running on that CPU"),
    "return": ("missed return", "the kernel sees at most 64 returns to come of a thread"),
    "malformed": ("malformed record", "shorter than its layout, and not shown"),
}


class Drop(NamedTuple):
    """`count` losses of one kind since the last report; `place` says where ("CPU 0", "@name"), `hint` only once."""

    kind: str
    count: int  # type: ignore[assignment]
    place: str
    hint: str

    def __str__(self) -> str:
        noun = _KINDS[self.kind][0]
        plural = noun if self.count == 1 else noun + "s"
        place = f" {self.place}" if self.place else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.count} {plural}{place}{hint}"


class Drops:
    """Compares an engine's counters with what was told before. `names` are the aggregations' names by id."""

    __slots__ = ("_explained", "_names", "_told", "malformed")

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names
        self._told: dict[tuple[str, int], int] = {}
        self._explained: set[str] = set()
        self.malformed = 0

    def news(self, losses: Losses | None, missed: int = 0, speculative: int = 0) -> Iterator[Drop]:
        """One Drop for each counter that has grown."""
        if losses is not None:
            for cpu, count in sorted(losses.records_by_cpu.items()):
                yield from self._grown("principal", cpu, count, f"on CPU {cpu}")
            for number, count in sorted(losses.aggregations.items()):
                yield from self._grown("aggregation", number, count, f"of @{self._names.get(number, number)}")
            for number, count in sorted(losses.aggregations_refused.items()):
                yield from self._grown("aggregation_refused", number, count, f"of @{self._names.get(number, number)}")
            yield from self._grown("dynamic", 0, losses.variables)
            yield from self._grown("dynamic_refused", 0, losses.variables_refused)
            yield from self._grown("stack", 0, losses.stacks)
            yield from self._grown("stack_refused", 0, losses.stacks_refused)
            yield from self._grown("mapping", 0, losses.mappings)
            yield from self._grown("rules", 0, losses.files_without_rules)
            for number, (reason, count) in enumerate(losses.stack_ends.items()):
                yield from self._grown("truncated", number, count, f"({reason})")
            yield from self._grown("error", 0, losses.faults)
            yield from self._grown("speculation", 0, losses.speculations)
            yield from self._grown("return", 0, losses.returns)
        yield from self._grown("speculative", 0, speculative)
        yield from self._grown("missed", 0, missed)
        yield from self._grown("malformed", 0, self.malformed)

    def _grown(self, kind: str, number: int, count: int, place: str = "") -> Iterator[Drop]:
        before = self._told.get((kind, number), 0)
        if count > before:
            self._told[kind, number] = count
            hint = "" if kind in self._explained else _KINDS[kind][1]
            self._explained.add(kind)
            yield Drop(kind, count - before, place, hint)
