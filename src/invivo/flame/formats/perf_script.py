"""The text that `perf script` prints: a heading for each sample, its frames innermost first, an empty line.

    redis-server  1234/1235 [001]   100.123456:   10101010 cpu-clock:
            ffffffff8120001c vfs_read+0x1c ([kernel.kallsyms])
                      7f3a10 read+0x10 (/usr/lib/x86_64-linux-gnu/libc.so.6)
                      55d0c1 inner (inlined)

The period is the weight: of clock events it is nanoseconds. Samples keep their time and thread.
"""

from __future__ import annotations

import re

from invivo.errors import InvivoError
from invivo.flame.naming import clean, decode, is_kernel_module
from invivo.flame.profile import Frame, Kind, Profile, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["read_perf"]

_HEAD = re.compile(
    rb"^(?P<comm>\S.*?)\s+(?P<pid>-?\d+)(?:/(?P<tid>-?\d+))?\s+(?:\[\d+\]\s+)?(?:\S+\s+)??(?P<s>\d+)\.(?P<part>\d+):\s+"
    rb"(?:(?P<period>\d+)\s+)?(?P<event>\S+?):?(?:\s|$)"
)
_FRAME = re.compile(rb"^\s+(?P<address>[0-9a-f]+)\s+(?P<symbol>.*?)(?:\s+\((?P<place>[^()]*(?:\([^()]*\)[^()]*)*)\))?$")
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")
_CLOCKS = (b"cpu-clock", b"task-clock")


def read_perf(stream: BinaryIO, name: str) -> Profile:
    """The profile of perf script's text.

    Raises:
        InvivoError: If no sample with a stack is in it.
    """
    profile = Profile("samples")
    frames: dict[bytes, int] = {}
    head: re.Match[bytes] | None = None
    stack: list[int] = []
    first = -1
    bare = bad = 0
    period_known = True
    events: set[bytes] = set()

    def finish() -> None:
        nonlocal first, bare, period_known
        if head is None:
            return
        bare += not stack
        time = int(head["s"]) * 1_000_000_000 + int(head["part"].ljust(9, b"0")[:9])
        if first < 0:
            first = time
        pid = int(head["pid"])
        # Without a slash perf prints the thread's number only.
        thread = profile.thread(Thread(pid, int(head["tid"] or pid), decode(head["comm"])))
        events.add(head["event"].split(b":")[0] if b":" in head["event"] else head["event"])
        period_known = period_known and head["period"] is not None
        node = 0
        for frame in reversed(stack):
            node = profile.child(node, frame)
        profile.add(node, int(head["period"] or 1), thread, max(0, time - first))

    for line in stream:
        text = line.rstrip()
        if not text:
            finish()
            head, stack = None, []
        elif not text[:1].isspace():
            if text.startswith(b"#"):
                continue
            finish()
            head, stack = _HEAD.match(text), []
            bad += head is None
        elif head is not None:
            number = frames.get(text)
            if number is None:
                number = frames[text] = profile.frame(_frame(text))
            stack.append(number)
    finish()
    if not profile.nodes:
        raise InvivoError(f"{name}: no sample of perf script is in it", "perf script's own columns are needed: no -F")
    if period_known and events and all(event.split(b":")[0] in _CLOCKS for event in events):
        profile.unit = "ns"
    elif len(events) > 1 or not period_known:
        profile.weights = type(profile.weights)("q", (1,)) * len(profile.nodes)
    else:
        profile.unit = "events"
    profile.title = decode(b", ".join(sorted(events)))
    if bad:
        profile.notes.append(f"{name}: lines that could not be read, and are left out: {bad}")
    if bare:
        of = f"{bare} of {len(profile.nodes)}"
        profile.notes.append(f"{name}: {of} samples have no stack: was perf record run with -g?")
    return profile


def _frame(text: bytes) -> Frame:
    match = _FRAME.match(text)
    if match is None:
        return Frame(decode(text.strip()))
    symbol = _OFFSET.sub("", decode(match["symbol"]))
    place = decode(match["place"] or b"")
    address = int(match["address"], 16)
    if place == "inlined":
        return Frame(symbol, "", Kind.INLINED)
    kind = Kind.KERNEL if is_kernel_module(place) or (place in ("", "[unknown]") and address >> 63) else Kind.USER
    module = place.rpartition("/")[2]
    if place.startswith(("[kernel.kallsyms]", "[guest.kernel.kallsyms]")):
        module = "vmlinux"
    if place.startswith(("/tmp/perf-", "/tmp/jit")) or module.startswith("jitted-"):
        kind = Kind.JIT
    if kind is Kind.KERNEL:
        module = module.strip("[]")
    if symbol in ("", "[unknown]"):
        symbol = f"[unknown in {module}]" if module and module != "[unknown]" else "[unknown]"
    return Frame(clean(symbol), "" if module == "[unknown]" else module, kind)
