"""speedscope's own JSON: frames shared by all profiles of the file, a profile for each thread.

    {"shared": {"frames": [{"name": "main"}]}, "profiles": [{"type": "sampled", "samples": [[0]], "weights": [3] ...}]}

The schema is at https://www.speedscope.app/file-format-schema.json. Files that speedscope makes of a timeline have
"evented" profiles: frames that open and close; the time between two events goes to the stack that is open.
"""

from __future__ import annotations

import json

from invivo.errors import InvivoError
from invivo.flame.formats.json_text import load, mapping, number, sequence, text
from invivo.flame.naming import clean
from invivo.flame.profile import Frame, Kind, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, BinaryIO

__all__ = ["read_speedscope", "write_speedscope"]

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
#            speedscope's unit: ours, and how many of ours it is
_UNITS = {"nanoseconds": ("ns", 1), "microseconds": ("ns", 1000), "milliseconds": ("ns", 1_000_000),
          "seconds": ("ns", 1_000_000_000), "bytes": ("bytes", 1), "none": ("samples", 1)}  # fmt: skip


def read_speedscope(stream: BinaryIO, name: str) -> Profile:
    """The profile of a speedscope file: all its profiles, each a thread.

    Raises:
        InvivoError: If the file is no JSON of that form.
    """
    data = load(stream, name)
    rows = sequence(mapping(data.get("shared")).get("frames"))
    parts = [mapping(part) for part in sequence(data.get("profiles"))]
    units = {str(part.get("unit", "none")) for part in parts}
    if not parts:
        raise InvivoError(f"{name}: no profile is in it")
    if len({_UNITS.get(unit, ("samples", 1))[0] for unit in units}) > 1:
        raise InvivoError(f"{name}: its profiles have different units: {', '.join(sorted(units))}")
    profile = Profile(_UNITS.get(units.pop(), ("samples", 1))[0], clean(str(data.get("name") or "")))
    numbers = [profile.frame(_frame(mapping(row))) for row in rows]
    for place, part in enumerate(parts):
        thread = profile.thread(Thread(0, 0 if len(parts) == 1 else place + 1, text(part.get("name"))))
        factor = _UNITS.get(str(part.get("unit", "none")), ("samples", 1))[1]
        try:
            if part.get("type") == "evented":
                _read_events(profile, part, numbers, thread, factor)
            else:
                _read_samples(profile, part, numbers, thread, factor)
        except IndexError:
            raise InvivoError(f"{name}: a sample names a frame that is not there", "was the file cut?") from None
    return profile


def _frame(row: Mapping[str, Any]) -> Frame:
    name = text(row.get("name"))
    kind = Kind.KERNEL if name.endswith(" [kernel]") else Kind.USER
    name = name.removesuffix(" [kernel]") or "(no name)"
    return Frame(name, "", kind, text(row.get("file")), max(0, number(row.get("line"))))


def _read_samples(profile: Profile, part: Mapping[str, Any], numbers: list[int], thread: int, factor: int) -> None:
    samples = sequence(part.get("samples"))
    weights = sequence(part.get("weights")) or [1] * len(samples)
    for stack, weight in zip(samples, weights, strict=False):
        node = 0
        for frame in stack:
            node = profile.child(node, numbers[frame])
        profile.add(node, round(weight * factor), thread)
    if len(samples) != len(weights):
        profile.notes.append(f"{len(samples)} samples have {len(weights)} weights: those without are left out")


def _read_events(profile: Profile, part: Mapping[str, Any], numbers: list[int], thread: int, factor: int) -> None:
    path = [0]
    last = float(part.get("startValue", 0))
    for event in sequence(part.get("events")):
        at = float(event["at"])
        if at > last and len(path) > 1:
            profile.add(path[-1], round((at - last) * factor), thread)
        last = max(at, last)
        if event["type"] == "O":
            path.append(profile.child(path[-1], numbers[event["frame"]]))
        elif len(path) > 1:
            path.pop()


def write_speedscope(profile: Profile) -> Iterator[bytes]:
    """The profile as speedscope's JSON: a "sampled" profile for each thread."""
    unit = {"ns": "nanoseconds", "bytes": "bytes"}.get(profile.unit, "none")
    frames = []
    for frame in profile.frames:
        row: dict[str, object] = {"name": frame.name + (" [kernel]" if frame.kind is Kind.KERNEL else "")}
        if frame.file or frame.module:
            row["file"] = frame.file or frame.module
        if frame.line:
            row["line"] = frame.line
        frames.append(row)
    stacks: dict[int, list[int]] = {}
    places: dict[int, list[int]] = {}
    for place, thread in enumerate(profile.sample_threads or [0] * len(profile.nodes)):
        places.setdefault(thread, []).append(place)
    head = {"$schema": _SCHEMA, "exporter": "invivo", "name": profile.title or "invivo", "activeProfileIndex": 0}
    yield _json({**head, "shared": {"frames": frames}})[:-1] + b',"profiles":['
    # The busiest thread first: it is what speedscope shows when it opens.
    order = sorted(places, key=lambda thread: -sum(profile.weights[place] for place in places[thread]))
    for count, thread in enumerate(order):
        name = str(profile.threads[thread]) if profile.threads else profile.title or "all"
        chosen = places[thread]
        total = sum(profile.weights[place] for place in chosen)
        yield b'%s{"type":"sampled","name":%s,"unit":"%s","startValue":0,"endValue":%d,"samples":[' % (
            b"," if count else b"", _json(name), unit.encode(), total)  # fmt: skip
        for index, place in enumerate(chosen):
            node = profile.nodes[place]
            stack = stacks.get(node)
            if stack is None:
                stack = stacks[node] = _numbers(profile, node)
            yield (b"," if index else b"") + _json(stack)
        yield b'],"weights":%s}' % _json([profile.weights[place] for place in chosen])
    yield b"]}\n"


def _numbers(profile: Profile, node: int) -> list[int]:
    found = []
    while node > 0:
        found.append(profile.node_frames[node])
        node = profile.parents[node]
    return found[::-1]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
