"""Chrome's trace events, which Perfetto reads too, and the .cpuprofile of its JavaScript engine.

    {"traceEvents": [{"ph": "X", "name": "read", "ts": 10, "dur": 5, "pid": 1, "tid": 1}, ...]}     microseconds

Events that are open inside each other are stacks; the time of each is its own where no other is open inside it. What
is written: for each thread a row of slices, equal neighbouring stacks joined, at the times of the samples, or where
those are unknown one after the other.
"""

from __future__ import annotations

import itertools
import json

from invivo.errors import InvivoError
from invivo.flame.formats.json_text import load, mapping, number, sequence, text
from invivo.flame.profile import Frame, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, BinaryIO

__all__ = ["read_chrome", "write_chrome"]


def read_chrome(stream: BinaryIO, name: str) -> Profile:
    """The profile of trace events or of a .cpuprofile.

    Raises:
        InvivoError: If the file is neither.
    """
    data = load(stream, name)
    if "nodes" in data and "samples" in data:
        return _read_cpuprofile(data, name)
    events = [mapping(event) for event in sequence(data.get("traceEvents") or data.get(""))]
    profile = Profile("ns")
    names: dict[tuple[int, int], str] = {}
    # Begin, minus end, place in the file: what encloses comes first, of equally long ones the one that began first.
    slices: dict[tuple[int, int], list[tuple[float, float, int, str, str]]] = {}
    opened: dict[tuple[int, int], list[tuple[float, int, str, str]]] = {}
    unended = 0
    for place, event in enumerate(events):
        where = (number(event.get("pid")), number(event.get("tid")))
        what, at = event.get("ph"), event.get("ts")
        if what == "M" and event.get("name") == "thread_name":
            names[where] = text(mapping(event.get("args")).get("name"))
        if not isinstance(at, int | float):
            continue
        row = (text(event.get("name")) or "(no name)", text(event.get("cat")))
        if what == "X":
            slices.setdefault(where, []).append((at, -at - float(event.get("dur") or 0), place, *row))
        elif what == "B":
            opened.setdefault(where, []).append((at, place, *row))
        elif what == "E" and opened.get(where):
            began, order, function, module = opened[where].pop()
            slices.setdefault(where, []).append((began, -at, order, function, module))
    unended = sum(map(len, opened.values()))
    first = min((row[0] for rows in slices.values() for row in rows), default=0.0)
    for where, rows in slices.items():
        thread = profile.thread(Thread(*where, names.get(where, "")))
        _add_slices(profile, thread, sorted(rows), first)
    if not slices:
        raise InvivoError(f"{name}: no slices are in it (events of phase X, or B and E)")
    if unended:
        profile.notes.append(f"{name}: {unended} slices have no end and are left out")
    return profile


def _add_slices(
    profile: Profile, thread: int, rows: list[tuple[float, float, int, str, str]], first: float
) -> None:
    """Slices in order of their beginning; what is open longest is outermost."""
    path: list[tuple[float, int]] = []  # (end, node) of what is open
    at = 0.0

    def pass_time(until: float) -> None:
        nonlocal at
        while path and path[-1][0] <= until:
            end, node = path.pop()
            if end > at:
                profile.add(node, round((end - at) * 1000), thread, round((at - first) * 1000))
                at = end
        if path and until > at:
            profile.add(path[-1][1], round((until - at) * 1000), thread, round((at - first) * 1000))
        at = max(at, until)

    at = rows[0][0]
    for begin, negative_end, _, name, module in rows:
        end = -negative_end
        pass_time(begin)
        node = profile.child(path[-1][1] if path else 0, profile.frame(Frame(name, module)))
        path.append((min(end, path[-1][0]) if path else end, node))
    pass_time(max(-row[1] for row in rows))


def _read_cpuprofile(data: Mapping[str, Any], name: str) -> Profile:
    profile = Profile("ns")
    rows = {number(row.get("id")): row for row in map(mapping, sequence(data["nodes"]))}
    parents = {number(child): parent for parent, row in rows.items() for child in sequence(row.get("children"))}
    nodes: dict[int, int] = {}

    def node_of(row: int) -> int:
        path: list[int] = []
        while row not in nodes and row in rows and len(path) <= len(rows):
            path.append(row)
            row = parents.get(row, -1)
        node = nodes.get(row, 0)
        for one in reversed(path):
            call = mapping(rows[one].get("callFrame"))
            function = text(call.get("functionName")) or "(anonymous)"
            if function != "(root)":
                line = number(call.get("lineNumber")) + 1
                node = profile.child(node, profile.frame(Frame(function, "", file=text(call.get("url")), line=line)))
            nodes[one] = node
        return node

    samples, deltas = sequence(data.get("samples")), sequence(data.get("timeDeltas"))
    if len(samples) != len(deltas):
        raise InvivoError(f"{name}: it has {len(samples)} samples and {len(deltas)} times", "was the file cut?")
    at = 0
    for row, delta in zip(samples, deltas, strict=True):
        ns = max(0, number(delta)) * 1000
        profile.add(node_of(number(row)), ns, -1, at)
        at += ns
    return profile


def write_chrome(profile: Profile) -> Iterator[bytes]:
    """The profile as trace events."""
    threads = profile.sample_threads or [0] * len(profile.nodes)
    places: dict[int, list[int]] = {}
    for place, thread in enumerate(threads):
        places.setdefault(thread, []).append(place)
    yield b'{"displayTimeUnit":"ns","otherData":%s,"traceEvents":[' % _json(
        {"title": profile.title, "by": "invivo", "notes": profile.notes}
    )
    begins = b""
    for thread, chosen in places.items():
        who = profile.threads[thread] if profile.threads else Thread(1, 1, profile.title)
        where = {"pid": who.pid or 1, "tid": who.tid or thread + 1}
        yield begins + _json({"ph": "M", "name": "thread_name", **where, "args": {"name": who.name}})
        begins = b",\n"
        for what, frame, at in _calls(profile, chosen):
            yield begins + _json({"ph": what, "name": frame.name, "cat": frame.module, "ts": at / 1000, **where})
    yield b"]}\n"


def _calls(profile: Profile, places: list[int]) -> Iterator[tuple[str, Frame, int]]:
    """("B", frame, ns) where a call begins, ("E", ...) where it ends: not between samples that share it."""
    opened: list[int] = []  # nodes, outermost first
    last = 0

    def frame_of(node: int) -> Frame:
        return profile.frames[profile.node_frames[node]]

    for begin, end, node in _runs(profile, places):
        path = []
        while node > 0:
            path.append(node)
            node = profile.parents[node]
        path.reverse()
        common = 0
        if begin == last:
            while common < min(len(path), len(opened)) and opened[common] == path[common]:
                common += 1
        for one in reversed(opened[common:]):
            yield "E", frame_of(one), last
        for one in path[common:]:
            yield "B", frame_of(one), begin
        opened = path
        last = end
    for one in reversed(opened):
        yield "E", frame_of(one), last


def _runs(profile: Profile, places: list[int]) -> Iterator[tuple[int, int, int]]:
    """(begin, end, node) in ns, equal neighbours joined."""
    last: tuple[int, int, int] | None = None
    for begin, end, node in _timed(profile, places) if profile.times else _in_a_row(profile, places):
        if last is not None and last[2] == node and last[1] >= begin:
            last = (last[0], max(end, last[1]), node)
            continue
        if last is not None:
            yield last
        last = (begin, end, node)
    if last is not None:
        yield last


def _in_a_row(profile: Profile, places: list[int]) -> Iterator[tuple[int, int, int]]:
    """One after the other; each lasts as long as its weight is."""
    at = 0
    for place in sorted(places, key=profile.nodes.__getitem__):
        length = max(1, profile.weights[place] * (1 if profile.unit == "ns" else 1000))
        yield at, at + length, profile.nodes[place]
        at += length


def _timed(profile: Profile, places: list[int]) -> Iterator[tuple[int, int, int]]:
    """At their times. A sample lasts until the next moment with one, but not much longer than most do: between them
    nothing was seen. A time lasts as long as it is; one that is too long for that began before.
    """
    order = sorted(places, key=profile.times.__getitem__)
    groups = [(at, list(group)) for at, group in itertools.groupby(order, profile.times.__getitem__)]
    gaps = sorted(after - at for (at, _), (after, _) in itertools.pairwise(groups))
    usual = gaps[len(gaps) // 2] if gaps else 1_000_000
    done = 0
    for (at, group), until in zip(groups, [*(at for at, _ in groups[1:]), groups[-1][0] + usual], strict=True):
        weights = [profile.weights[place] for place in group]
        whole = sum(weights)
        if not whole:
            weights, whole = [1] * len(group), len(group)
        begin, length = at, min(until - at, 2 * usual)
        if profile.unit == "ns":
            begin, length = max(done, min(at, until - whole)), whole
        before = 0
        for place, weight in zip(group, weights, strict=True):
            after = before + weight
            yield begin + length * before // whole, begin + length * after // whole, profile.nodes[place]
            before = after
        done = begin + length


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
