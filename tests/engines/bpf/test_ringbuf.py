"""The ring buffer with records of a real program: order, wrapping, a full buffer, a consumer that takes a part."""

from __future__ import annotations

import struct

import pytest

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.map import Map, MapSpec
from invivo.bpf.program import Program, ProgramSpec
from invivo.bpf.ringbuf import RingBuffer

pytestmark = pytest.mark.kernel

SIZE = 4096


def writer(ring: Map, length: int) -> ProgramSpec:
    """A program that outputs `length` bytes: its first context word, then zeros; returns what the helper says."""
    start = -(length + 7 & ~7)
    words = [Instruction(0x7A, 10, 0, offset, 0) for offset in range(start, 0, 8)]  # *(u64 *)(r10 + offset) = 0
    code = [
        *words,
        Instruction(0x79, 1, 1, 0), Instruction(0x7B, 10, 1, start),  # the first word
        Instruction(0x18, 1, uapi.BPF_PSEUDO_MAP_FD, 0, ring.fd), Instruction(0),
        Instruction(0xBF, 2, 10), Instruction(0x07, 2, 0, 0, start),
        Instruction(0xB7, 3, 0, 0, length), Instruction(0xB7, 4, 0, 0, 1),  # BPF_RB_NO_WAKEUP
        Instruction(0x85, immediate=130),  # ringbuf_output
        Instruction(0x95),
    ]  # fmt: skip
    return ProgramSpec("invivo_write", uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, b"".join(map(encode, code)))


class Ring:
    """A ring buffer of one page, its writer, and all that was read."""

    def __init__(self, length: int) -> None:
        self.map = Map.create(MapSpec("invivo_ring", uapi.BPF_MAP_TYPE_RINGBUF, 0, 0, SIZE))
        self.program = Program.load(writer(self.map, length))
        self.ring = RingBuffer(self.map.fd, SIZE)
        self.read: list[int] = []
        self.next = 0

    def __enter__(self) -> Ring:
        return self

    def __exit__(self, *_: object) -> None:
        self.ring.close()
        self.ring.close()
        self.program.close()
        self.map.close()

    def write(self) -> bool:
        """One record, numbered; whether there was room."""
        kept = self.program.test_run(struct.pack("<Q", self.next)) == 0
        self.next += kept
        return kept

    def take(self, limit: int = 1 << 30) -> int:
        """Read; the sink takes at most `limit` frames of each run."""

        def sink(frames: memoryview) -> int:
            position = 0
            for _ in range(limit):
                if position + 8 > len(frames):
                    break
                (length,) = struct.unpack_from("<I", frames, position)
                size = 8 + (length + 7 & ~7)
                if position + size > len(frames):
                    break
                self.read.append(struct.unpack_from("<Q", frames, position + 8)[0])
                position += size
            return position

        return self.ring.read(sink)


def test_records_come_in_order() -> None:
    with Ring(16) as ring:
        assert [ring.write() for _ in range(5)] == [True] * 5
        assert ring.ring.available() == 5 * 24
        assert ring.take() == 5 * 24
        assert ring.take() == 0
        assert ring.read == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("length", [8, 12, 40, 100, 400])
def test_nothing_is_lost_or_changed_when_the_buffer_wraps(length: int) -> None:
    """Frames of 16 to 408 bytes, 2000 of them through a page: some lie across its end."""
    with Ring(length) as ring:
        for number in range(2000):
            assert ring.write()
            if number % 7 == 0:
                ring.take()
        ring.take()
        assert ring.read == list(range(2000))


def test_a_full_buffer_refuses_and_takes_again_after_reading() -> None:
    with Ring(40) as ring:
        kept = 0
        while ring.write():
            kept += 1
        # Linux 6.18 keeps a byte free, and so the last of 85 frames of 48 bytes still fits into 4096.
        assert kept == SIZE // 48
        assert not ring.write()
        ring.take()
        assert ring.write()
        ring.take()
        assert ring.read == list(range(kept + 1))


def test_a_sink_may_take_a_part() -> None:
    with Ring(40) as ring:
        for _ in range(200):
            assert ring.write()
            ring.take(limit=1)
        while ring.take(limit=1):
            pass
        assert ring.read == list(range(200))


def test_a_closed_ring_gives_back_its_memory() -> None:
    with open("/proc/self/maps") as stream:
        before = stream.read().count("anon_inode:bpf-map")
    with Ring(8) as ring:
        ring.write()
        ring.take()
    with open("/proc/self/maps") as stream:
        assert stream.read().count("anon_inode:bpf-map") == before
