"""A profile as bytes: what a page carries in its inside, and `read_page` takes out again.

    "IVP1"  u32 length  JSON {"title": ..., "frames": ..., "columns": [["parents", "u32", 120, offset], ...]}  columns

Columns are arrays of little-endian numbers, each at a multiple of 8 bytes from the first, in the smallest type that
holds its values, so that a browser reads them in place. All is deflated. Times are steps of `tick` ns from sample to
sample, samples being in order of time: most then fit a byte or two.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from operator import le, sub

from invivo.errors import InvivoError
from invivo.flame.profile import Frame, Kind, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

__all__ = ["pack", "unpack"]

_MAGIC = b"IVP1"
_LIMITS = (("u8", "B", 1 << 8), ("u16", "H", 1 << 16), ("u32", "I", 1 << 32))
_CODES = {"u8": "B", "u16": "H", "u32": "I", "f64": "d"}
_MOST_TICKS = (1 << 32) - 1


def pack(profile: Profile) -> bytes:
    """The profile as deflated bytes."""
    columns: list[tuple[str, str, array[Any]]] = []

    def add(name: str, values: Sequence[int]) -> None:
        type_, code = _type_of(values)
        columns.append((name, type_, array(code, values)))

    order = _order(profile.times)
    modules = sorted({frame.module for frame in profile.frames} | {""})
    files = sorted({frame.file for frame in profile.frames} | {""})
    module_numbers = {module: number for number, module in enumerate(modules)}
    file_numbers = {file: number for number, file in enumerate(files)}
    parents = profile.parents
    add("steps", [0, *(node - parents[node] for node in range(1, len(parents)))])
    add("frames", [0, *profile.node_frames[1:]])
    add("kinds", [frame.kind for frame in profile.frames])
    add("modules", [module_numbers[frame.module] for frame in profile.frames])
    if any(frame.file or frame.line for frame in profile.frames):
        add("files", [file_numbers[frame.file] for frame in profile.frames])
        add("lines", [frame.line for frame in profile.frames])
    add("nodes", _ordered(profile.nodes, order))
    if set(profile.weights) != {1}:
        add("weights", _ordered(profile.weights, order))
    if profile.baseline is not None:
        add("baseline", _ordered(profile.baseline, order))
    if len(profile.threads) > 1:
        add("threads", _ordered(profile.sample_threads, order))
    tick = 0
    if profile.times:
        tick = max(1000, profile.duration_ns // _MOST_TICKS + 1)
        ticks = [time // tick for time in _ordered(profile.times, order)]
        first = ticks[0]
        add("times", [0, *map(sub, ticks[1:], ticks[:-1])])
    else:
        first = 0
    header = {
        "title": profile.title, "unit": profile.unit, "start_ns": str(profile.start_ns), "tick": tick, "first": first,
        "notes": profile.notes, "modules": modules, "files": files,
        "names": [frame.name for frame in profile.frames],
        "threads": [list(thread) for thread in profile.threads],
    }  # fmt: skip
    return zlib.compress(_joined(header, columns), 3)


def unpack(data: bytes, name: str) -> Profile:
    """The profile that `pack` made bytes of; `name` is what errors call it.

    Raises:
        InvivoError: If the bytes are damaged.
    """
    try:
        return _unpack(zlib.decompress(data))
    except (zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise InvivoError(f"{name}: the profile inside is damaged: {error}", "was the file cut?") from None


def _unpack(data: bytes) -> Profile:
    if data[:4] != _MAGIC:
        raise ValueError("it does not begin with IVP1")
    length = int.from_bytes(data[4:8], "little")
    header = json.loads(data[8 : 8 + length])
    start = -(-(8 + length) // 8) * 8
    columns: dict[str, array[Any]] = {}
    for column, type_, count, offset in header["columns"]:
        values: array[Any] = array(_CODES[type_])
        values.frombytes(data[start + offset : start + offset + count * values.itemsize])
        if len(values) != count:
            raise ValueError(f"column {column} is cut")
        if sys.byteorder == "big":
            values.byteswap()
        columns[column] = values
    profile = Profile(header["unit"], header["title"])
    profile.start_ns = int(header["start_ns"])
    profile.notes = list(header["notes"])
    none = array("B", bytes(len(header["names"])))
    for place, text in enumerate(header["names"]):
        frame = Frame(
            text,
            header["modules"][columns["modules"][place]],
            Kind(columns["kinds"][place]),
            header["files"][columns.get("files", none)[place]],
            columns.get("lines", none)[place],
        )
        if profile.frame(frame) != place:
            raise ValueError("a frame is there twice")
    for thread in header["threads"]:
        profile.thread(Thread(*thread))
    for node in range(1, len(columns["steps"])):
        step, frame_number = columns["steps"][node], columns["frames"][node]
        if not 0 < step <= node or frame_number >= len(profile.frames):
            raise ValueError(f"node {node} has no parent or no frame")
        profile.new_child(node - step, frame_number)
    profile.nodes = array("i", columns["nodes"])
    if profile.nodes and max(profile.nodes) >= len(profile.parents):
        raise ValueError("a sample has no node")
    count = len(profile.nodes)
    weights = columns.get("weights")
    profile.weights = array("q", (1,)) * count if weights is None else array("q", map(int, weights))
    if "baseline" in columns:
        profile.baseline = array("q", map(int, columns["baseline"]))
    if profile.threads:
        profile.sample_threads = array("i", columns.get("threads", (0,) * count))
    time = header["first"]
    for step in columns.get("times", ()):
        time += step
        profile.times.append(time * header["tick"])
    return profile


def _joined(header: dict[str, object], columns: Iterable[tuple[str, str, array[Any]]]) -> bytes:
    rows, blocks, offset = [], [], 0
    for name, type_, values in columns:
        if sys.byteorder == "big":
            values.byteswap()
        block = values.tobytes()
        rows.append((name, type_, len(values), offset))
        padding = -len(block) % 8
        blocks.append(block + bytes(padding))
        offset += len(block) + padding
    text = json.dumps({**header, "columns": rows}, separators=(",", ":")).encode()
    return b"".join([_MAGIC, len(text).to_bytes(4, "little"), text, bytes(-(8 + len(text)) % 8), *blocks])


def _type_of(values: Sequence[int]) -> tuple[str, str]:
    high = max(values, default=0)
    if min(values, default=0) >= 0:
        for type_, code, limit in _LIMITS:
            if high < limit:
                return type_, code
    return "f64", "d"  # exact up to 2**53, which is what a browser counts with


def _order(times: Sequence[int]) -> list[int] | None:
    """Places of samples in order of time; None if they are in order, or have no times."""
    if not times or all(map(le, times[:-1], times[1:])):
        return None
    return sorted(range(len(times)), key=times.__getitem__)


def _ordered(values: Sequence[int], order: Sequence[int] | None) -> Sequence[int]:
    return values if order is None else [values[place] for place in order]
