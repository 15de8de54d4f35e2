"""From bytes to values: one decoder a record layout, one a kind of aggregation key, each prepared once.

    fields (pid INT 4 at 8, name INTERNED 4 at 12, path STRING 256 at 16)
    payload 0000 0100 07000000 | d2040000 | 02000000 | "/etc/passwd\\0"   ->   (1234, b"read", b"/etc/passwd")

Integers become int, strings bytes without their NUL, structures bytes, stacks Stack, symbols and pointers int, symbols
of processes UserAddress.
A record may end early in its last string: its length is what the kernel says, never what the layout says.
"""

from __future__ import annotations

import struct
from operator import itemgetter

from invivo.consumer.records import UserAddress
from invivo.program.records import Field, FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invivo.consumer.records import Raw, Value
    from invivo.consumer.resolve import Resolver
    from invivo.program.records import FieldType

    # (data, start, end): `start` is where the record or key begins, header included.
    Decoder = Callable[[bytes, int, int], tuple[Raw, ...]]

__all__ = ["Malformed", "decoder", "to_value"]

_CODES = {(1, False): "B", (1, True): "b", (2, False): "H", (2, True): "h",
          (4, False): "I", (4, True): "i", (8, False): "Q", (8, True): "q"}  # fmt: skip


class Malformed(Exception):
    """A record that is shorter than its layout's fields."""


def decoder(fields: Sequence[Field], strings: Sequence[bytes], resolver: Resolver) -> Decoder:
    """A function that takes the fields out of bytes; it raises Malformed where there are too few."""
    if not fields:
        return lambda data, start, end: ()
    fixed = [index for index, field in enumerate(fields) if _code(field.type)]
    fixed.sort(key=lambda index: fields[index].offset)
    other = [index for index in range(len(fields)) if index not in fixed]
    unpack, size = _fixed_part([fields[index] for index in fixed])
    interned = [place for place, index in enumerate(fixed) if fields[index].type.kind is FieldKind.INTERNED]
    readers = [_reader(fields[index], resolver) for index in other]
    order = fixed + other
    places = [order.index(index) for index in range(len(fields))]
    is_ordered = places == sorted(places)
    permute = itemgetter(*places) if len(places) > 1 else tuple

    def decode(data: bytes, start: int, end: int) -> tuple[Raw, ...]:
        if end - start < size:
            raise Malformed
        values: list[Raw] = list(unpack(data, start))
        for place in interned:
            number = values[place]
            values[place] = strings[number] if number < len(strings) else b"?"  # type: ignore[operator,index]
        for read in readers:
            values.append(read(data, start, end))
        return tuple(values) if is_ordered else permute(values)

    if not interned and len(readers) == 1:  # integers and a string
        read_one = readers[0]

        def decode_string(data: bytes, start: int, end: int) -> tuple[Raw, ...]:
            if end - start < size:
                raise Malformed
            values = (*unpack(data, start), read_one(data, start, end))
            return values if is_ordered else permute(values)

        return decode_string
    if not interned and not readers and is_ordered:  # integers only: the most frequent records

        def decode_integers(data: bytes, start: int, end: int) -> tuple[Raw, ...]:
            if end - start < size:
                raise Malformed
            return unpack(data, start)

        return decode_integers
    return decode


def to_value(raw: Raw, type_: FieldType, resolver: Resolver) -> Value:
    """A decoded value as the public API shows it."""
    if isinstance(raw, bytes):
        return raw if type_.kind is FieldKind.BYTES else raw.decode("utf-8", "surrogateescape")
    if type_.kind is FieldKind.SYMBOL and isinstance(raw, int):
        return resolver.symbol(type_.name, raw)
    if isinstance(raw, UserAddress):
        return resolver.user_symbol(type_.name, raw)
    return raw


def _code(type_: FieldType) -> str:
    """struct's letter of a field of fixed size that needs no help, or ""."""
    match type_.kind:
        case FieldKind.INT:
            return _CODES.get((type_.size, type_.signed), "")
        case FieldKind.INTERNED:
            return "I"
        case FieldKind.SYMBOL | FieldKind.POINTER:
            return "Q"
    return ""


def _fixed_part(fields: list[Field]) -> tuple[Callable[[bytes, int], tuple[int, ...]], int]:
    """unpack_from of all these fields, in offset order, and the bytes it needs from the record's start."""
    text, position = "<", 0
    for field in fields:
        text += f"{field.offset - position}x{_code(field.type)}"
        position = field.offset + field.type.size
    layout = struct.Struct(text)
    return layout.unpack_from, layout.size


def _reader(field: Field, resolver: Resolver) -> Callable[[bytes, int, int], Raw]:
    """What takes one string, structure or stack."""
    offset, type_ = field.offset, field.type
    size, depth = type_.size, type_.depth

    def string(data: bytes, start: int, end: int) -> Raw:
        first = start + offset
        last = first + size
        if last > end:
            last = end
        nul = data.find(b"\0", first, last)
        return data[first : nul if nul >= 0 else last]

    def block(data: bytes, start: int, end: int) -> Raw:
        if start + offset + size > end:
            raise Malformed
        return data[start + offset : start + offset + size]

    def kernel_stack(data: bytes, start: int, end: int) -> Raw:
        if start + offset + 8 > end:
            raise Malformed
        return resolver.stack(_U64.unpack_from(data, start + offset)[0], False, 0, depth)

    def user_stack(data: bytes, start: int, end: int) -> Raw:
        if start + offset + 16 > end:
            raise Malformed
        identity, pid, generation = _OF_PROCESS.unpack_from(data, start + offset)
        return resolver.stack(identity, True, pid, depth, generation)

    def user_address(data: bytes, start: int, end: int) -> Raw:
        if start + offset + 16 > end:
            raise Malformed
        return UserAddress(*_OF_PROCESS.unpack_from(data, start + offset))

    match type_.kind:
        case FieldKind.STRING:
            return string
        case FieldKind.KSTACK:
            return kernel_stack
        case FieldKind.USTACK:
            return user_stack
        case FieldKind.USYMBOL:
            return user_address
    return block


_U64 = struct.Struct("<Q")
_OF_PROCESS = struct.Struct("<QII")
