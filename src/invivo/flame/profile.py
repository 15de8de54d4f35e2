"""A profile: stacks and what was seen on each, as one tree and columns of numbers.

    main;read;vfs_read 3     frames    main  read  vfs_read
    main;write 2             nodes     1 main(0)  2 read(1)  3 vfs_read(2)  4 write(1)      (parent)
                             samples   (node 3, weight 3)  (node 4, weight 2)

A stack is a node of the tree: the node's frame is innermost, its parent is the caller, node 0 is the root and has no
frame. Equal stacks are one node, so a million samples of one stack cost a million numbers and no text. A parent
always comes before its children, so that one pass from the last node to the first adds up totals.
"""

from __future__ import annotations

from array import array
from enum import IntEnum
from typing import NamedTuple

from invivo.flame.samples import Samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    Weight = TypeVar("Weight", int, float)

__all__ = ["UNITS", "Frame", "Kind", "Profile", "Thread"]

# Units of weights, and how one is named to people.
UNITS = {"samples": "samples", "ns": "time", "bytes": "bytes", "events": "events"}


class Kind(IntEnum):
    """Where a frame's code runs."""

    USER = 0
    KERNEL = 1
    INLINED = 2  # inlined into its caller, known from debug information
    JIT = 3  # made at run time, named by a perf map
    WAKER = 4  # of the thread that woke the blocked one, in off-wake stacks


class Frame(NamedTuple):
    """One function in a stack.

    `module` is the file it comes from (``libc.so.6``, ``vmlinux``), empty where unknown; `file` and `line` are the
    source's, empty and 0 where unknown.
    """

    name: str
    module: str = ""
    kind: Kind = Kind.USER
    file: str = ""
    line: int = 0


class Thread(NamedTuple):
    """A thread that samples come from; all three may be unknown (0, 0, "")."""

    pid: int
    tid: int
    name: str

    def __str__(self) -> str:
        numbers = f"{self.pid}/{self.tid}" if self.tid and self.tid != self.pid else str(self.pid or "")
        return " ".join(filter(None, (self.name, numbers))) or "all threads"


class Profile(Samples):
    """Frames, nodes and samples (see Samples for their columns). Filled by `frame`, `thread`, `child` and `add`.

    Args:
        unit: Of the weights: ``samples``, ``ns``, ``bytes`` or ``events``.
        title: What was measured, for people.

    Attributes:
        frames: All different frames.
        parents, node_frames: The tree: each node's parent, and its index in `frames` (-1 for node 0).
        threads: All threads; `sample_threads` are indices into them. Empty if none is known.
        start_ns: The first moment, in ns since 1970; 0 if unknown.
        baseline: For the difference of two profiles each sample's weight before (`weights` are those after); or None.
            The two runs' totals may differ: what is compared is shares.
        notes: What a reader of the picture must know: samples lost, lines that could not be read.
    """

    __slots__ = (
        "_children", "_frame_numbers", "_thread_numbers", "baseline", "frames", "node_frames", "notes", "parents",
        "start_ns", "threads", "title", "unit",
    )  # fmt: skip

    def __init__(self, unit: str = "samples", title: str = "") -> None:
        super().__init__()
        self.unit = unit
        self.title = title
        self.frames: list[Frame] = []
        self.parents = array("i", (-1,))
        self.node_frames = array("i", (-1,))
        self.threads: list[Thread] = []
        self.start_ns = 0
        self.baseline: array[int] | None = None
        self.notes: list[str] = []
        self._frame_numbers: dict[Frame, int] = {}
        self._thread_numbers: dict[Thread, int] = {}
        self._children: dict[tuple[int, int], int] = {}

    # --- filling ------------------------------------------------------------------------------------------------

    def frame(self, frame: Frame) -> int:
        """The number of a frame."""
        number = self._frame_numbers.get(frame)
        if number is None:
            number = self._frame_numbers[frame] = len(self.frames)
            self.frames.append(frame)
        return number

    def thread(self, thread: Thread) -> int:
        """The number of a thread."""
        number = self._thread_numbers.get(thread)
        if number is None:
            number = self._thread_numbers[thread] = len(self.threads)
            self.threads.append(thread)
        return number

    def child(self, parent: int, frame: int) -> int:
        """The node of frame number `frame` called from node `parent`."""
        key = (parent, frame)
        node = self._children.get(key)
        if node is None:
            node = self._children[key] = self.new_child(parent, frame)
        return node

    def new_child(self, parent: int, frame: int) -> int:
        """A new node, where the caller knows that `parent` has no such child yet."""
        node = len(self.parents)
        self.parents.append(parent)
        self.node_frames.append(frame)
        return node

    def node(self, frames: Iterable[Frame]) -> int:
        """The node of a stack, outermost frame first."""
        node = 0
        for frame in frames:
            node = self.child(node, self.frame(frame))
        return node

    def keep(self, places: Sequence[int]) -> None:
        """Remove all samples but those at these places."""
        for name in ("nodes", "weights", "sample_threads", "times", "baseline"):
            column = getattr(self, name)
            if column:
                setattr(self, name, array(column.typecode, (column[place] for place in places)))

    def places_of_joined_nodes(self) -> list[int]:
        """For each node its number once equal stacks are one node."""
        places = [0] * len(self.parents)
        numbers: dict[tuple[int, int], int] = {}
        for node in range(1, len(places)):
            key = (places[self.parents[node]], self.node_frames[node])
            places[node] = numbers.setdefault(key, len(numbers) + 1)
        return places

    def join_equal_nodes(self) -> None:
        """Make equal stacks one node; a reader that makes nodes by text may have made several."""
        places = self.places_of_joined_nodes()
        parents, node_frames = array("i", (-1,)), array("i", (-1,))
        for node in range(1, len(places)):
            if places[node] == len(parents):
                parents.append(places[self.parents[node]])
                node_frames.append(self.node_frames[node])
        self.parents, self.node_frames = parents, node_frames
        self.nodes = array("i", (places[node] for node in self.nodes))
        self._children = {}

    # --- asking -------------------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """The sum of all weights."""
        return sum(self.weights)

    @property
    def duration_ns(self) -> int:
        """From the first sample to the last; 0 where times are unknown."""
        return max(self.times) - min(self.times) if self.times else 0

    def baseline_scale(self) -> float:
        """What multiplies the baseline's weights to give it the total of the weights."""
        before = sum(self.baseline or ())
        return self.total / before if before and self.total else 1.0

    def self_weights(self, weights: Sequence[int] | None = None) -> list[int]:
        """For each node what was seen on exactly its stack. `weights`: others than the profile's own."""
        sums = [0] * len(self.parents)
        for node, weight in zip(self.nodes, self.weights if weights is None else weights, strict=True):
            sums[node] += weight
        return sums

    def totals(self, own: Sequence[Weight] | None = None) -> list[Weight]:
        """For each node its own weight and that of all that it calls. `own`: as self_weights() gives."""
        sums: list[Weight] = list(self.self_weights() if own is None else own)
        parents = self.parents
        for node in range(len(sums) - 1, 0, -1):
            sums[parents[node]] += sums[node]
        return sums

    def stack(self, node: int) -> list[Frame]:
        """The frames of a node, outermost first."""
        found = []
        while node > 0:
            found.append(self.frames[self.node_frames[node]])
            node = self.parents[node]
        found.reverse()
        return found

    def inside(self, frames: Sequence[bool]) -> list[bool]:
        """For each node whether its frame is one of these (by number), or is called by one."""
        found = [False] * len(self.parents)
        for node in range(1, len(found)):
            found[node] = found[self.parents[node]] or frames[self.node_frames[node]]
        return found

    def children(self, nodes: Iterable[int] | None = None) -> dict[int, list[int]]:
        """For each node that has some, its children; with `nodes`, of these only."""
        found: dict[int, list[int]] = {}
        parents = self.parents
        for node in range(1, len(parents)) if nodes is None else nodes:
            found.setdefault(parents[node], []).append(node)
        return found

    def by_function(self) -> dict[int, tuple[int, int]]:
        """For each frame number (weight of its own, weight with all that it calls); recursion is counted once."""
        own = self.self_weights()
        totals = self.totals(own)
        sums: dict[int, list[int]] = {}
        parents, node_frames = self.parents, self.node_frames
        for node in range(1, len(totals)):
            frame = node_frames[node]
            pair = sums.setdefault(frame, [0, 0])
            pair[0] += own[node]
            above = parents[node]
            while above > 0 and node_frames[above] != frame:
                above = parents[above]
            if above <= 0:
                pair[1] += totals[node]
        return {frame: (pair[0], pair[1]) for frame, pair in sums.items()}
