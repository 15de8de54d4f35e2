"""Folded stacks: a stack a line, outermost frame first, and how often it was seen.

    main;read;vfs_read_[k] 3        ->  node of (main, read, vfs_read), weight 3
    main;write 10 4                 ->  two numbers are a difference: before and after

Brendan Gregg's stackcollapse scripts made this the common tongue; flamegraph.pl, speedscope and inferno read it. It is
read as a stream: what stays in memory is each different stack once, so the file may be larger than memory.
"""

from __future__ import annotations

from array import array
from collections import Counter

from invivo.errors import InvivoError
from invivo.flame.naming import decode, frame_of, label
from invivo.flame.profile import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["looks_folded", "read_folded", "write_folded"]

_CHUNK = 8 << 20
_MANY = 1 << 20  # lines counted at most before they go into the tree


def looks_folded(head: bytes) -> bool:
    """True if the first lines are folded stacks."""
    lines = [line for line in head.split(b"\n")[:20] if line.strip() and not line.startswith(b"#")]
    if b"\n" in head and len(lines) > 1 and not head.endswith(b"\n"):
        lines.pop()
    good = sum(_is_number(line.rstrip().rpartition(b" ")[2]) and not line[:1].isspace() for line in lines)
    return bool(lines) and good * 2 > len(lines)


def read_folded(stream: BinaryIO, name: str) -> Profile:
    """The profile of folded text.

    Raises:
        InvivoError: If no line is a folded stack.
    """
    reading = _Reading()
    counted: Counter[bytes] = Counter()
    rest = b""
    while chunk := stream.read(_CHUNK):
        lines = chunk.split(b"\n")
        lines[0] = rest + lines[0]
        rest = lines.pop()
        counted.update(lines)  # the same line again costs one lookup in C
        if len(counted) > _MANY:
            reading.take(counted)
            counted.clear()
    if rest:
        counted[rest] += 1
    reading.take(counted)
    return reading.finish(name, rest)


class _Reading:
    """The tree as it grows. `_known` finds a stack's node by its text, and a new stack's nearest known caller."""

    def __init__(self) -> None:
        self.profile = Profile()
        self._known: dict[bytes, int] = {}
        self._frames: dict[bytes, int] = {}
        self._sums: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._bad = 0
        self._first_bad = b""

    def take(self, counted: Counter[bytes]) -> None:
        known, sums = self._known, self._sums
        for line, times in counted.items():
            stack, _, number = line.rpartition(b" ")
            node = known.get(stack)
            if node is None or not stack:
                self._take_new(line, times)
                continue
            try:
                sums[node] = sums.get(node, 0) + int(number) * times
            except ValueError:
                self._take_new(line, times)

    def _take_new(self, line: bytes, times: int) -> None:
        """A line whose stack is new, or that is not quite what it should be."""
        line = line.strip()
        if not line or line.startswith(b"#"):
            return
        stack, _, number = line.rpartition(b" ")
        stack = stack.rstrip()
        if not stack or not _is_number(number):
            self._bad += times
            self._first_bad = self._first_bad or line
            return
        weight = int(number) if number.isdigit() else round(float(number))
        head, _, before = stack.rpartition(b" ")
        # A second number is a difference; "epoll_wait 3" as a function's name is none.
        if head and _is_number(before) and b";" not in before:
            node = self._node(head.rstrip())
            self._before[node] = self._before.get(node, 0) + round(float(before)) * times
        else:
            node = self._node(stack)
        self._sums[node] = self._sums.get(node, 0) + weight * times

    def _node(self, stack: bytes) -> int:
        """The node of a stack: most often its caller is known already, so this looks from the leaf outwards."""
        known = self._known
        missing = []
        rest = stack
        node = known.get(rest)
        while node is None:
            above, semicolon, leaf = rest.rpartition(b";")
            missing.append((rest, leaf))
            if not semicolon:
                node = 0
                break
            rest = above
            node = known.get(rest)
        profile, frames = self.profile, self._frames
        parents, node_frames = profile.parents, profile.node_frames
        for text, leaf in reversed(missing):
            frame = frames.get(leaf)
            if frame is None:
                frame = frames[leaf] = profile.frame(frame_of(decode(leaf)))
            parents.append(node)
            node_frames.append(frame)
            node = known[text] = len(parents) - 1
        return node

    def finish(self, name: str, rest: bytes) -> Profile:
        profile = self.profile
        if len(self._frames) > len(profile.frames):  # two texts, such as f+0x10 and f+0x18, are one frame
            self._sums, self._before = _joined(profile, self._sums), _joined(profile, self._before)
            profile.join_equal_nodes()
        if not self._sums:
            if self._bad:
                what = decode(self._first_bad[:80])
                raise InvivoError(
                    f"{name}: no line is a folded stack; the first is '{what}'", "a line is: frame;frame;frame COUNT"
                )
            return profile
        profile.nodes = array("i", self._sums)
        profile.weights = array("q", self._sums.values())
        if self._before:
            profile.baseline = array("q", (self._before.get(node, 0) for node in self._sums))
        if self._bad:
            lines = f"{self._bad} line{'s are' if self._bad > 1 else ' is'} no folded stack and left out"
            cut = " (the file ends inside its last line)" if rest and rest.strip() == self._first_bad else ""
            profile.notes.append(f"{name}: {lines}{cut}: '{decode(self._first_bad[:80])}'")
        return profile


def _joined(profile: Profile, sums: dict[int, int]) -> dict[int, int]:
    """Sums by node, where equal stacks have become one node."""
    places = profile.places_of_joined_nodes()
    joined: dict[int, int] = {}
    for node, weight in sums.items():
        joined[places[node]] = joined.get(places[node], 0) + weight
    return joined


def write_folded(profile: Profile) -> Iterator[bytes]:
    """The lines of a profile, equal stacks of one thread joined; a thread's name is the outermost frame.

    A difference has two numbers a line, before and after.
    """
    sums: dict[tuple[int, int], list[int]] = {}
    threads = profile.sample_threads or array("i", (-1,)) * len(profile.nodes)
    before = profile.baseline or profile.weights
    for node, thread, weight, earlier in zip(profile.nodes, threads, profile.weights, before, strict=True):
        pair = sums.setdefault((thread, node), [0, 0])
        pair[0] += weight
        pair[1] += earlier
    labels = [label(frame).encode("utf-8", "backslashreplace") for frame in profile.frames]
    names = [_thread_label(thread.name) for thread in profile.threads]
    texts = [b""] * len(profile.parents)
    for node in range(1, len(texts)):
        above, own = texts[profile.parents[node]], labels[profile.node_frames[node]]
        texts[node] = above + b";" + own if above else own
    for (thread, node), (weight, earlier) in sums.items():
        stack = texts[node]
        if thread >= 0 and names[thread]:
            stack = names[thread] + b";" + stack if stack else names[thread]
        if profile.baseline is not None:
            yield b"%s %d %d\n" % (stack, earlier, weight)
        elif weight:
            yield b"%s %d\n" % (stack or b"[no stack]", weight)


def _thread_label(name: str) -> bytes:
    return name.replace(";", ":").replace("\n", " ").encode("utf-8", "backslashreplace")


def _is_number(text: bytes) -> bool:
    if text.isdigit():
        return True
    try:
        return float(text) >= 0 and text[-1:].isdigit()
    except ValueError:
        return False
