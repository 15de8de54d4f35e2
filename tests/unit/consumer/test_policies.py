"""What becomes of records between the kernel's buffer and the consumer."""

from __future__ import annotations

import struct
from collections.abc import Callable

from invivo.consumer import policies
from invivo.consumer.policies import Buffering

_BUSY = 1 << 31


def frame(number: int, flags: int = 0) -> bytes:
    """A ring buffer's frame with 8 bytes in it."""
    return struct.pack("<IIQ", 8 | flags, 0, number)


def engine(*runs: bytes) -> Callable[[Callable[[memoryview], int]], int]:
    """An engine's read(), which gives a run each time."""
    left = list(runs)
    return lambda feed: feed(memoryview(left.pop(0))) if left else 0


class Consumer:
    """Notes the numbers that it is fed."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def feed(self, frames: memoryview) -> int:
        self.numbers += [number for _, _, number in struct.iter_unpack("<IIQ", frames)]
        return len(frames)


def test_deferred_records_come_when_tracing_has_ended() -> None:
    buffering, consumer = Buffering({}, is_deferred=True), Consumer()
    read = engine(frame(2) + frame(3), frame(5))
    buffering.take(read, consumer.feed)
    buffering.take(read, consumer.feed)
    assert consumer.numbers == []
    buffering.give(consumer.feed)
    assert consumer.numbers == [2, 3, 5]
    buffering.give(consumer.feed)
    assert consumer.numbers == [2, 3, 5]


def test_deferred_records_are_more_than_a_ring_would_keep() -> None:
    buffering, consumer = Buffering({"bufsize": 32, "bufpolicy": "ring"}, is_deferred=True), Consumer()
    read = engine(*(frame(number) for number in range(7)))
    for _ in range(7):
        buffering.take(read, consumer.feed)
    buffering.give(consumer.feed)
    assert consumer.numbers == list(range(7))
    ring, newest = Buffering({"bufsize": 32, "bufpolicy": "ring"}), Consumer()
    read = engine(*(frame(number) for number in range(7)))
    for _ in range(7):
        ring.take(read, newest.feed)
    ring.give(newest.feed)
    assert newest.numbers == [5, 6]


def test_very_many_deferred_records_are_carried_out_before(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(policies, "_DEFERRED_BYTES", 40)
    buffering, consumer = Buffering({}, is_deferred=True), Consumer()
    read = engine(frame(2) + frame(3), frame(5), frame(7))
    buffering.take(read, consumer.feed)
    assert consumer.numbers == []
    buffering.take(read, consumer.feed)
    assert consumer.numbers == [2, 3, 5]
    buffering.take(read, consumer.feed)
    buffering.give(consumer.feed)
    assert consumer.numbers == [2, 3, 5, 7]


def test_a_record_that_is_still_written_is_not_taken() -> None:
    buffering, consumer = Buffering({}, is_deferred=True), Consumer()
    assert buffering.keep(memoryview(frame(2) + frame(3, _BUSY))) == 16
    buffering.give(consumer.feed)
    assert consumer.numbers == [2]


def test_who_defers_looks_seldom() -> None:
    assert Buffering({}).wait_ms(100.0) == 100.0
    assert Buffering({}, is_deferred=True).wait_ms(100.0) >= 1000.0
    assert Buffering({}, is_deferred=True).wait_ms(5000.0) == 5000.0
