"""The Firefox Profiler's processed format: for each thread tables of strings, functions, frames, stacks and samples.

    "stackTable": {"frame": [0, 1], "prefix": [null, 0]}      stack 1 is frame 1 called from stack 0
    "samples": {"stack": [1, 1], "time": [0, 1.5], "weight": [1, 1]}        milliseconds

https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-format.md. Tables may be each thread's
own, or (from version 56 on) shared by all, under "shared".
"""

from __future__ import annotations

import json

from invivo.errors import InvivoError
from invivo.flame.formats.json_text import load, mapping, number, sequence, text
from invivo.flame.profile import Frame, Kind, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, BinaryIO

__all__ = ["read_firefox", "write_firefox"]

_VERSION = 49  # preprocessed format: newer profilers upgrade what is older
_CATEGORIES = [
    {"name": "User", "color": "yellow", "subcategories": ["Other"]},
    {"name": "Kernel", "color": "orange", "subcategories": ["Other"]},
    {"name": "Inlined", "color": "lightblue", "subcategories": ["Other"]},
    {"name": "JIT", "color": "green", "subcategories": ["Other"]},
    {"name": "Waker", "color": "blue", "subcategories": ["Other"]},
    {"name": "Other", "color": "grey", "subcategories": ["Other"]},
]


def read_firefox(stream: BinaryIO, name: str) -> Profile:
    """The profile of a processed profile of Firefox's: all its threads.

    Raises:
        InvivoError: If it is none.
    """
    data = load(stream, name)
    threads = [mapping(thread) for thread in sequence(data.get("threads"))]
    shared = mapping(data.get("shared"))
    kinds = {str(mapping(row).get("name")).lower(): place
             for place, row in enumerate(sequence(mapping(data.get("meta")).get("categories")))}  # fmt: skip
    if not threads:
        raise InvivoError(f"{name}: no threads are in it", "processed profiles are read, as the profiler saves them")
    profile = Profile("samples", text(mapping(data.get("meta")).get("product")))
    profile.start_ns = round(float(mapping(data.get("meta")).get("startTime") or 0) * 1e6)
    units = set()
    has_all_times = True
    for part in threads:
        tables = {**part, **shared}
        try:
            nodes = _nodes(profile, tables, kinds)
            samples = mapping(part.get("samples"))
            times = _times(samples)
            weights = samples.get("weight") or [1] * len(sequence(samples.get("stack")))
            units.add(samples.get("weightType", "samples"))
            factor = 10**6 if samples.get("weightType") == "tracing-ms" else 1
            pid, tid = (number(_as_number(part.get(key))) for key in ("pid", "tid"))
            who = Thread(pid, tid, text(part.get("name")))
            thread = profile.thread(who)
            has_all_times = has_all_times and len(times) == len(samples["stack"])
            for place, stack in enumerate(samples["stack"]):
                if stack is not None:
                    at = round(max(0.0, times[place]) * 1e6) if has_all_times else -1
                    profile.add(nodes[stack], round(weights[place] * factor), thread, at)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InvivoError(f"{name}: its tables do not fit together: {error!r}", "was the file cut?") from None
    if not has_all_times:
        profile.times = type(profile.times)("q")
    if units == {"bytes"}:
        profile.unit = "bytes"
    elif units == {"tracing-ms"}:
        profile.unit = "ns"
    return profile


def _as_number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _times(samples: Mapping[str, Any]) -> list[float]:
    if "time" in samples:
        return [float(time) for time in samples["time"]]
    found, at = [], 0.0
    for delta in sequence(samples.get("timeDeltas")):
        at += delta
        found.append(at)
    return found


def _nodes(profile: Profile, tables: Mapping[str, Any], kinds: Mapping[str, int]) -> list[int]:
    """For each stack of a thread its node."""
    strings = tables.get("stringArray") or tables["stringTable"]
    functions, frames, stacks = tables["funcTable"], tables["frameTable"], tables["stackTable"]
    resources = mapping(tables.get("resourceTable"))
    categories = frames.get("category") or stacks.get("category") or []
    numbers = []
    for place, function in enumerate(frames["func"]):
        resource = functions.get("resource", [-1] * (function + 1))[function]
        module = strings[resources["name"][resource]] if resource is not None and resource >= 0 else ""
        file = functions.get("fileName", [None] * (function + 1))[function]
        line = frames.get("line", [None] * (place + 1))[place]
        category = categories[place] if place < len(categories) else None
        kind = Kind.KERNEL if category is not None and category == kinds.get("kernel") else Kind.USER
        if (frames.get("inlineDepth") or [0] * (place + 1))[place]:
            kind = Kind.INLINED
        if category is not None and category == kinds.get("jit"):
            kind = Kind.JIT
        frame = Frame(
            text(strings[functions["name"][function]]) or "(no name)", text(module), kind,
            text(strings[file]) if file is not None else "", number(line),
        )  # fmt: skip
        numbers.append(profile.frame(frame))
    nodes: list[int] = []
    for frame_number, prefix in zip(stacks["frame"], stacks["prefix"], strict=True):
        nodes.append(profile.child(0 if prefix is None else nodes[prefix], numbers[frame_number]))
    return nodes


def write_firefox(profile: Profile) -> Iterator[bytes]:
    """The profile in the processed format. Where times are unknown, samples are a millisecond apart."""
    places: dict[int, list[int]] = {}
    for place, thread in enumerate(profile.sample_threads or [0] * len(profile.nodes)):
        places.setdefault(thread, []).append(place)
    meta = {
        "interval": 1, "startTime": profile.start_ns / 1e6, "processType": 0, "product": profile.title or "invivo",
        "stackwalk": 1, "version": 29, "preprocessedProfileVersion": _VERSION, "symbolicated": True,
        "categories": _CATEGORIES, "markerSchema": [], "debug": False, "importedFrom": "invivo",
        "usesOnlyOneStackType": True, "doesNotUseFrameImplementation": True, "sourceCodeIsNotOnSearchfox": True,
    }  # fmt: skip
    yield b'{"meta":%s,"libs":[],"pages":[],"counters":[],"profilerOverhead":[],"threads":[' % _json(meta)
    for count, (thread, chosen) in enumerate(places.items()):
        who = profile.threads[thread] if profile.threads else Thread(0, 0, profile.title or "all")
        yield (b"," if count else b"") + _json(_thread(profile, who, chosen, is_first=count == 0))
    yield b"]}\n"


def _thread(profile: Profile, who: Thread, places: Sequence[int], *, is_first: bool) -> dict[str, object]:
    used, frames = _used(profile, places)
    strings: dict[str, int] = {}

    def string(value: str) -> int:
        return strings.setdefault(value, len(strings))

    functions = [profile.frames[frame] for frame in frames]
    modules = {module: place for place, module in enumerate(dict.fromkeys(f.module for f in functions if f.module))}
    count = len(functions)
    function_table = {
        "length": count, "name": [string(f.name) for f in functions], "isJS": [False] * count,
        "relevantForJS": [False] * count, "resource": [modules.get(f.module, -1) for f in functions],
        "fileName": [string(f.file) if f.file else None for f in functions],
        "lineNumber": [f.line or None for f in functions], "columnNumber": [None] * count,
    }  # fmt: skip
    frame_table = {
        "length": count, "func": list(range(count)), "category": [int(f.kind) for f in functions],
        "subcategory": [0] * count, "address": [-1] * count, "nativeSymbol": [None] * count,
        "inlineDepth": [int(f.kind is Kind.INLINED) for f in functions], "innerWindowID": [0] * count,
        "implementation": [None] * count, "line": [f.line or None for f in functions], "column": [None] * count,
    }  # fmt: skip
    frame_places = {frame: place for place, frame in enumerate(frames)}
    stack_places = {node: place for place, node in enumerate(used)}
    stack_frames = [frame_places[profile.node_frames[node]] for node in used]
    stack_table = {
        "length": len(used), "frame": stack_frames,
        "prefix": [stack_places.get(profile.parents[node]) for node in used],
        "category": [int(functions[frame].kind) for frame in stack_frames], "subcategory": [0] * len(used),
    }  # fmt: skip
    if profile.times:
        places = sorted(places, key=profile.times.__getitem__)
        times = [profile.times[place] / 1e6 for place in places]
    else:
        times = [float(count) for count in range(len(places))]
    is_time = profile.unit == "ns"
    weights = [profile.weights[place] / 1e6 if is_time else profile.weights[place] for place in places]
    samples = {
        "length": len(places), "stack": [stack_places.get(profile.nodes[place]) for place in places], "time": times,
        "weight": weights, "weightType": {"ns": "tracing-ms", "bytes": "bytes"}.get(profile.unit, "samples"),
        "eventDelay": [None] * len(places),
    }  # fmt: skip
    empty_markers = {"length": 0, "category": [], "data": [], "endTime": [], "name": [], "phase": [], "startTime": []}
    resource_table = {
        "length": len(modules), "lib": [None] * len(modules), "name": [string(module) for module in modules],
        "host": [None] * len(modules), "type": [1] * len(modules),
    }  # fmt: skip
    return {
        "name": who.name or "thread", "isMainThread": is_first or who.pid == who.tid, "processType": "default",
        "processName": who.name, "pid": str(who.pid), "tid": who.tid, "processStartupTime": 0,
        "processShutdownTime": None, "registerTime": 0, "unregisterTime": None, "pausedRanges": [],
        "showMarkersInTimeline": False, "stringArray": list(strings), "funcTable": function_table,
        "frameTable": frame_table, "stackTable": stack_table, "resourceTable": resource_table,
        "nativeSymbols": {"length": 0, "libIndex": [], "address": [], "name": [], "functionSize": []},
        "samples": samples, "markers": empty_markers,
    }  # fmt: skip


def _used(profile: Profile, places: Sequence[int]) -> tuple[list[int], list[int]]:
    """The nodes of these samples and their callers, callers first; and the frames that these have."""
    seen: set[int] = set()
    for place in places:
        node = profile.nodes[place]
        while node > 0 and node not in seen:
            seen.add(node)
            node = profile.parents[node]
    used = sorted(seen)
    return used, sorted({profile.node_frames[node] for node in used})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
