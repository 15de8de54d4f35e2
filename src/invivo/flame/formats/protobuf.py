"""The wire format of protocol buffers, as far as profiles need it: varints and length-delimited fields.

    list(fields(b"\\x08\\x96\\x01"))   -> [(1, 150)]          encode_int(1, 150) -> b"\\x08\\x96\\x01"

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["encode_bytes", "encode_int", "encode_packed", "fields", "packed", "signed"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with their values: integers (unsigned), or bytes.

    Raises:
        ValueError: If the bytes end inside a field, or are no protocol buffer.
    """
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == _BYTES:
            size, place = _varint(data, place)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"a field of unknown kind {wire} at byte {place}")
        if number == 0 or place + size > end:
            raise ValueError(f"it ends inside a field at byte {place}")
        chunk = data[place : place + size]
        yield number, chunk if wire == _BYTES else int.from_bytes(chunk, "little")
        place += size


def packed(value: int | bytes) -> list[int]:
    """The integers of a repeated field, packed or single."""
    if isinstance(value, int):
        return [value]
    found, place = [], 0
    while place < len(value):
        number, place = _varint(value, place)
        found.append(number)
    return found


def signed(value: int) -> int:
    """An int64 of its 64 bits."""
    return value - (1 << 64) if value >> 63 else value


def encode_int(number: int, value: int) -> bytes:
    """An integer field; nothing for 0, which is the default."""
    return _encode_varint(number << 3) + _encode_varint(value & (1 << 64) - 1) if value else b""


def encode_bytes(number: int, value: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return _encode_varint(number << 3 | _BYTES) + _encode_varint(len(value)) + value


def encode_packed(number: int, values: Iterable[int]) -> bytes:
    """A repeated field of integers."""
    return encode_bytes(number, b"".join(_encode_varint(value & (1 << 64) - 1) for value in values))


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError(f"it ends inside a number at byte {place}")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, place
        shift += 7


def _encode_varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
