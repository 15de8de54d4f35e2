"""What becomes of records between the kernel's buffer and the consumer: the option bufpolicy, and the rates.

    switch   they are carried out as they come
    fill     they stay in the buffer; when it is full, tracing ends, and they are carried out
    ring     the newest `bufsize` bytes of them are kept, and carried out when tracing has ended
    (defer)  all are kept, and carried out when tracing has ended, or when they have become many; no option's value

In: an engine's `read` and the consumer's `feed`. Out: whether tracing should end; what was kept, at the end.
"""

from __future__ import annotations

import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from invivo.consumer.output import Losses

    Feed = Callable[[memoryview], int]

__all__ = ["Buffering", "Every"]

_BUSY = 1 << 31
_LENGTH = (1 << 30) - 1
_DEFERRED_BYTES = 64 << 20
_DEFERRED_WAIT_MS = 1000.0


class Every:
    """Says yes once in so many nanoseconds, by the clock; never if 0."""

    __slots__ = ("_interval_s", "_next")

    def __init__(self, interval_ns: int) -> None:
        self._interval_s = interval_ns / 1e9
        self._next = time.monotonic() + self._interval_s

    def is_due(self) -> bool:
        now = time.monotonic()
        if not self._interval_s or now < self._next:
            return False
        self._next = now + self._interval_s
        return True


class Buffering:
    """The policy of one run."""

    __slots__ = ("_kept", "_kept_bytes", "_limit_bytes", "_status", "policy")

    def __init__(self, options: Mapping[str, int | str | bool], *, is_deferred: bool = False) -> None:
        self.policy = "defer" if is_deferred else str(options.get("bufpolicy", "switch"))
        self._limit_bytes = int(options.get("bufsize", 1 << 22))
        self._status = Every(int(options.get("statusrate", 10**9)))
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0

    def take(self, read: Callable[[Feed], int], feed: Feed) -> None:
        """While tracing: do with the records so far what the policy says."""
        if self.policy == "switch":
            read(feed)
        elif self.policy == "ring":
            read(self.keep)
        elif self.policy == "defer":
            read(self.keep)
            if self._kept_bytes > _DEFERRED_BYTES:
                self.give(feed)

    def wait_ms(self, switch_ms: float) -> float:
        """How long at most to wait for records, where the option switchrate says `switch_ms`."""
        return max(switch_ms, _DEFERRED_WAIT_MS) if self.policy == "defer" else switch_ms

    def is_over(self, losses: Callable[[], Losses]) -> bool:
        """Whether the buffer has filled, and nothing more can come into it; looked at once a statusrate."""
        return self.policy == "fill" and self._status.is_due() and bool(losses().records_by_cpu)

    def give(self, feed: Feed) -> None:
        """After tracing: carry out what was kept, the oldest that is more than the limit left out."""
        over = self._kept_bytes - self._limit_bytes if self.policy == "ring" else 0
        for run in self._kept:
            start = 0
            while over > 0 and (size := _frame_size(run, start)):
                start += size
                over -= size
            if start < len(run):
                feed(memoryview(run)[start:])
        self._kept.clear()
        self._kept_bytes = 0

    def keep(self, frames: memoryview) -> int:
        """Take complete frames, and forget old ones that are not wanted any more; returns the bytes taken."""
        position = 0
        while size := _frame_size(frames, position):
            position += size
        if position:
            self._kept.append(bytes(frames[:position]))
            self._kept_bytes += position
        while self.policy == "ring" and self._kept and self._kept_bytes - len(self._kept[0]) >= self._limit_bytes:
            self._kept_bytes -= len(self._kept.popleft())
        return position


def _frame_size(frames: memoryview | bytes, position: int) -> int:
    """Bytes of the complete frame at a position of a run; 0 if there is none. See bpf.ringbuf for what a frame is."""
    if position + 8 > len(frames):
        return 0
    word = int.from_bytes(frames[position : position + 4], "little")
    size = 8 + ((word & _LENGTH) + 7 & ~7)
    return 0 if word & _BUSY or position + size > len(frames) else size
