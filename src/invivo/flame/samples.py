"""What was seen, as columns of numbers: a stack, a weight, a thread and a moment for each sample.

    node  thread  time      merge(1 s)      node  thread  time
       3       0  0.10 s                       3       0  0.50 s   weight 2
       4       0  0.30 s        ->             4       0  0.50 s   weight 1
       3       0  0.70 s                       3       0  1.50 s   weight 1
       3       0  1.20 s

A sample takes 24 bytes. A run of hours has so many that `Bounded` adds up those of one stack and thread that lie close
together: no weight changes, only the moments grow coarser.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import groupby, islice, repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bounded", "Samples"]

_MOST = 1_000_000  # samples: what the page shows at once
_LEAST_SLOTS = 500  # of a run's time strip, which has about 300 cells
_FINEST = 8  # how many times as many slots there are at first


class Samples:
    """Columns of samples.

    Attributes:
        nodes, weights: For each sample its stack and weight.
        sample_threads: For each sample its thread; empty if none is known.
        times: For each sample when it was taken, in ns since the first moment; empty if unknown.
    """

    __slots__ = ("nodes", "sample_threads", "times", "weights")

    def __init__(self) -> None:
        self.nodes = array("i")
        self.weights = array("q")
        self.sample_threads = array("i")
        self.times = array("q")

    def add(self, node: int, weight: int, thread: int = -1, time: int = -1) -> None:
        """A sample; `thread` and `time` (ns since the first moment) for all samples or for none."""
        self.nodes.append(node)
        self.weights.append(weight)
        if thread >= 0:
            self.sample_threads.append(thread)
        if time >= 0:
            self.times.append(time)

    def merge(self, slot_ns: int, first: int = 0) -> None:
        """Make one of the samples of a stack and thread within a slot of time, of those from place `first` on.

        They get the middle of the slot as their moment. Samples should be nearly in order of time: of those of a slot
        that others stand between, several remain.
        """
        has_threads, place = bool(self.sample_threads), first
        for slot, sums in self._slots(slot_ns, first):  # in place: a copy would double what is to be saved
            after = place + len(sums)
            self.nodes[place:after] = array("i", (node for node, _ in sums))
            self.weights[place:after] = array("q", sums.values())
            if has_threads:
                self.sample_threads[place:after] = array("i", (thread for _, thread in sums))
            self.times[place:after] = array("q", (slot * slot_ns + slot_ns // 2,)) * len(sums)
            place = after
        for column in (self.nodes, self.weights, self.sample_threads, self.times):
            del column[place:]

    def _slots(self, slot_ns: int, first: int) -> Iterator[tuple[int, dict[tuple[int, int], int]]]:
        """Each slot's number with the sums of its weights by node and thread; read up to the next slot's first."""
        columns = (self.nodes, self.sample_threads or repeat(-1), self.weights)
        rows = zip(islice(self.times, first, None), *(islice(column, first, None) for column in columns), strict=False)
        for slot, group in groupby(rows, lambda row: row[0] // slot_ns):
            sums: dict[tuple[int, int], int] = {}
            for _, node, thread, weight in group:
                sums[node, thread] = sums.get((node, thread), 0) + weight
            yield slot, sums


class Bounded:
    """Keeps the samples of a run about as few as `most`.

    Whenever they are more, those within a slot of time become one, in the shortest slots that make half as many of
    them. But the run keeps at least `least_slots` slots, or if they would be more than four times `most` then, a fifth
    of that; what is left are all stacks of that many moments, and grows with the number of different stacks only.

    Args:
        samples: Which grow, with times, nearly in order of them.
        notes: Where it is told, in one line.
    """

    def __init__(
        self, samples: Samples, notes: list[str], *, most: int = _MOST, least_slots: int = _LEAST_SLOTS
    ) -> None:
        self._samples = samples
        self._notes = notes
        self._note = ""
        self._most = self._limit = most
        self._least = least_slots
        self._merged = 0  # so many samples at the front are merged for good
        self.slot_ns = 0  # 0: samples have the moments that they were added with

    def moment(self, time: int) -> int:
        """The moment of a sample taken at `time`, as it would be when merged."""
        slot = self.slot_ns
        return time - time % slot + slot // 2 if slot else time

    def check(self) -> None:
        """After samples were added: merge them if they are too many."""
        if len(self._samples.nodes) >= self._limit:
            self._shrink()

    def _shrink(self) -> None:
        samples, most = self._samples, self._most
        last = max(samples.times, default=0)
        if self.slot_ns:
            samples.merge(self.slot_ns, self._merged)
        while (count := len(samples.nodes)) > most // 2:
            slot = 2 * self.slot_ns or last // (_FINEST * self._least) + 1
            if last // slot < (self._least if count <= 4 * most else self._least // 5) or last < slot:
                break
            self.slot_ns = slot
            samples.merge(slot)
        self._limit = max(most, 2 * count)
        self._merged = bisect_left(samples.times, samples.times[-1])  # more will come for the last slot
        self._tell()

    def _tell(self) -> None:
        if self._note in self._notes:
            self._notes.remove(self._note)
        if self.slot_ns:
            seconds = self.slot_ns / 1e9
            step = f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
            self._note = f"a long run: times are in steps of {step}, so that it fits into memory; weights are exact"
            self._notes.append(self._note)
