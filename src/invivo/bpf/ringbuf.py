"""The consumer's side of a BPF ring buffer.

    ring = RingBuffer(map_fd, 16 << 20)
    ring.read(sink)          sink(view) gets runs of complete frames

A frame is u32 length (bit 31: still being written; bit 30: discarded), u32 page offset, and the payload padded to 8
bytes. The data area is mapped once, not twice in a row as the kernel offers: half the resident memory, for the price
of joining the rare frame that wraps.
Source: kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst.
"""

from __future__ import annotations

import mmap
import struct

from invivo.bpf.uapi import BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["RingBuffer"]

_HEADER = 8  # bytes before a frame's payload
_STEP = 1 << 20  # bytes handed over at once, so that producers soon have room again


class RingBuffer:
    """Reads the ring buffer map `fd` of `size` bytes (its max_entries). Owns its mappings, not the descriptor."""

    __slots__ = ("_consumer", "_data", "_position", "_producer", "_words", "fd", "size")

    def __init__(self, fd: int, size: int) -> None:
        page = mmap.PAGESIZE
        self.fd = fd
        self.size = size
        self._consumer = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        shared = mmap.mmap(fd, page + size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._producer = shared
        whole = memoryview(shared)
        self._words = whole[:8].cast("Q")
        self._data = whole[page:]
        self._position = memoryview(self._consumer)[:8].cast("Q")

    def available(self) -> int:
        """Bytes between consumer and producer, frames still being written included."""
        return int(self._words[0] - self._position[0])

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand over all frames written by now (not those that come meanwhile); returns their bytes.

        `sink` gets a run of frames and says how many bytes of it it took: up to the first frame that is still being
        written or that the run holds only in part.
        """
        end = int(self._words[0])
        start = begin = int(self._position[0])
        while start < end:
            offset = start & (self.size - 1)
            run = min(end - start, _STEP, self.size - offset)
            with self._data[offset : offset + run] as view:
                done = sink(view)
            if not done and (joined := self._wrapping_frame(offset, end - start)) is not None:
                done = sink(memoryview(joined))
            if not done:
                break
            start += done
            # One aligned 8-byte store; x86 and the kernel's acquire on its side keep it after the reads above.
            self._position[0] = start
        return start - begin

    def unpack(self, form: struct.Struct) -> list[tuple[Any, ...]]:
        """All complete records, where all have one form."""
        found: list[tuple[Any, ...]] = []
        size = _HEADER + (form.size + 7 & ~7)

        def take(frames: memoryview) -> int:
            position = 0
            while position + size <= len(frames):
                if int.from_bytes(frames[position : position + 4], "little") & BPF_RINGBUF_BUSY_BIT:
                    break
                found.append(form.unpack_from(frames, position + _HEADER))
                position += size
            return position

        self.read(take)
        return found

    def _wrapping_frame(self, offset: int, available: int) -> bytes | None:
        """The frame at `offset` which goes on at the start of the data area, if it is complete."""
        length = int.from_bytes(self._data[offset : offset + 4], "little")
        size = _frame_size(length)
        if length & BPF_RINGBUF_BUSY_BIT or size > available or offset + size <= self.size:
            return None
        return bytes(self._data[offset:]) + bytes(self._data[: size - (self.size - offset)])

    def close(self) -> None:
        """Unmap; may be called twice."""
        for view in (self._words, self._data, self._position):
            view.release()
        try:
            self._producer.close()
            self._consumer.close()
        except BufferError:
            pass  # someone still holds a view; it is unmapped with that


def _frame_size(length: int) -> int:
    return 8 + ((length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)) + 7 & ~7)
