"""pprof's protocol buffer: samples of locations, innermost first; locations have lines, of functions, of mappings.

    sample {location_id: [3, 2, 1], value: [1, 10101010]}   location 3 {line {function_id: 7}}   function 7 {name: 12}

https://github.com/google/pprof/blob/main/proto/profile.proto has the schema. A location with several lines is a call
with others inlined into it, innermost first. Of several values the last is taken, as pprof does; labels `thread` and
`pid` and the like name the thread.
"""

from __future__ import annotations

import gzip
import time

from invivo.errors import InvivoError
from invivo.flame.formats.protobuf import encode_bytes, encode_int, encode_packed, fields, packed, signed
from invivo.flame.naming import decode, is_kernel_module
from invivo.flame.profile import Frame, Kind, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    Message = dict[int, list[int | bytes]]

__all__ = ["read_pprof", "write_pprof"]

# Numbers of fields.
_SAMPLE_TYPE, _SAMPLE, _MAPPING, _LOCATION, _FUNCTION, _STRINGS = 1, 2, 3, 4, 5, 6
_TIME, _DURATION, _COMMENT = 9, 10, 13
_UNITS = {"nanoseconds": ("ns", 1), "microseconds": ("ns", 1000), "milliseconds": ("ns", 10**6),
          "seconds": ("ns", 10**9), "bytes": ("bytes", 1)}  # fmt: skip


def read_pprof(stream: BinaryIO, name: str) -> Profile:
    """The profile of pprof's bytes (gzip is undone already).

    Raises:
        InvivoError: If they are none, or cut.
    """
    try:
        return _Reading(_message(stream.read())).profile
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InvivoError(f"{name}: it is no profile of pprof's: {error}", "was the file cut?") from None


def _message(data: bytes) -> Message:
    found: Message = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def _int(message: Message, number: int) -> int:
    value = message.get(number, [0])[-1]
    if not isinstance(value, int):
        raise ValueError(f"field {number} is no number")
    return signed(value)


def _messages(message: Message, number: int) -> Iterator[Message]:
    for value in message.get(number, ()):
        if not isinstance(value, bytes):
            raise ValueError(f"field {number} is no message")
        yield _message(value)


def _ints(message: Message, number: int) -> list[int]:
    return [one for value in message.get(number, ()) for one in packed(value)]


class _Reading:
    def __init__(self, top: Message) -> None:
        self._strings = [decode(value) for value in top.get(_STRINGS, ()) if isinstance(value, bytes)]
        types = [(self._text(row, 1), self._text(row, 2)) for row in _messages(top, _SAMPLE_TYPE)]
        if not types:
            raise ValueError("it has no sample types")
        unit, factor = _UNITS.get(types[-1][1], ("samples" if types[-1][0] == "samples" else "events", 1))
        self.profile = profile = Profile(unit, types[-1][0])
        profile.start_ns = _int(top, _TIME)
        profile.notes = [self._strings[number] for number in _ints(top, _COMMENT)]
        modules = {_int(row, 1): self._text(row, 5) for row in _messages(top, _MAPPING)}
        functions = {_int(row, 1): row for row in _messages(top, _FUNCTION)}
        self._locations = {
            _int(row, 1): self._frames(row, modules, functions) for row in _messages(top, _LOCATION)
        }
        for sample in _messages(top, _SAMPLE):
            node = 0
            for location in reversed(_ints(sample, 1)):
                for frame in reversed(self._locations[location]):
                    node = profile.child(node, frame)
            profile.add(node, signed(_ints(sample, 2)[-1]) * factor, profile.thread(self._thread(sample)))
        if profile.threads == [Thread(0, 0, "")]:
            profile.threads = []
            profile.sample_threads = type(profile.sample_threads)("i")

    def _text(self, message: Message, number: int) -> str:
        return self._strings[_int(message, number)]

    def _frames(self, location: Message, modules: dict[int, str], functions: dict[int, Message]) -> list[int]:
        """Frame numbers of a location, innermost first."""
        file = modules.get(_int(location, 2), "")
        module = file.rpartition("/")[2]
        lines = list(_messages(location, 4))
        kind = Kind.KERNEL if is_kernel_module(module) else Kind.USER
        if not lines:
            return [self.profile.frame(Frame(f"{_int(location, 3) & (1 << 64) - 1:#x}", module, kind))]
        found = []
        for place, line in enumerate(lines):
            function = functions[_int(line, 1)]
            is_inlined = place < len(lines) - 1 and kind is Kind.USER
            name = self._text(function, 2) or self._text(function, 3) or "(no name)"
            frame = Frame(
                name, module, Kind.INLINED if is_inlined else kind, self._text(function, 4), max(0, _int(line, 2))
            )
            found.append(self.profile.frame(frame))
        return found

    def _thread(self, sample: Message) -> Thread:
        pid = tid = 0
        name = ""
        for label in _messages(sample, 3):
            key = self._text(label, 1)
            if key in ("pid", "process_id"):
                pid = _int(label, 3)
            elif key in ("tid", "thread_id"):
                tid = _int(label, 3)
            elif key in ("thread", "comm", "thread_name"):
                name = self._text(label, 2)
        return Thread(pid, tid, name)


def write_pprof(profile: Profile) -> Iterator[bytes]:
    """The profile as pprof's bytes, gzipped as its tools expect: a location a frame, a mapping a module."""
    strings: dict[str, int] = {"": 0}

    def text(value: str) -> int:
        return strings.setdefault(value, len(strings))

    unit = {"ns": "nanoseconds", "bytes": "bytes"}.get(profile.unit, "count")
    what = {"ns": "time", "bytes": "space"}.get(profile.unit, profile.unit)
    parts = [encode_bytes(_SAMPLE_TYPE, encode_int(1, text(what)) + encode_int(2, text(unit)))]
    sums: dict[tuple[int, int], int] = {}
    for node, thread, weight in zip(
        profile.nodes, profile.sample_threads or [-1] * len(profile.nodes), profile.weights, strict=True
    ):
        sums[thread, node] = sums.get((thread, node), 0) + weight
    labels = [_labels(thread, text) for thread in profile.threads]
    for (thread, node), weight in sums.items():
        locations = []
        while node > 0:  # innermost first
            locations.append(profile.node_frames[node] + 1)
            node = profile.parents[node]
        sample = encode_packed(1, locations) + encode_packed(2, (weight,)) + (labels[thread] if thread >= 0 else b"")
        parts.append(encode_bytes(_SAMPLE, sample))
    modules: dict[str, int] = {}
    for number, frame in enumerate(profile.frames, 1):
        module = frame.module or ("[kernel.kallsyms]" if frame.kind is Kind.KERNEL else "")
        mapping = modules.setdefault(module, len(modules) + 1)
        line = encode_int(1, number) + encode_int(2, frame.line)
        parts.append(
            encode_bytes(_LOCATION, encode_int(1, number) + encode_int(2, mapping) + encode_bytes(4, line))
            + encode_bytes(
                _FUNCTION,
                encode_int(1, number) + encode_int(2, text(frame.name)) + encode_int(3, text(frame.name))
                + encode_int(4, text(frame.file)),
            )
        )  # fmt: skip
    for module, number in modules.items():
        parts.append(encode_bytes(_MAPPING, encode_int(1, number) + encode_int(5, text(module)) + encode_int(7, 1)))
    comments = [text(note) for note in profile.notes]
    parts.extend(encode_bytes(_STRINGS, string.encode("utf-8", "backslashreplace")) for string in strings)
    parts.append(encode_int(_TIME, profile.start_ns or time.time_ns()) + encode_int(_DURATION, profile.duration_ns))
    if comments:
        parts.append(encode_packed(_COMMENT, comments))
    yield gzip.compress(b"".join(parts), 6)


def _labels(thread: Thread, text: Callable[[str], int]) -> bytes:
    found = b""
    if thread.name:
        found += encode_bytes(3, encode_int(1, text("thread")) + encode_int(2, text(thread.name)))
    for key, value in (("pid", thread.pid), ("tid", thread.tid)):
        if value:
            found += encode_bytes(3, encode_int(1, text(key)) + encode_int(3, value))
    return found
