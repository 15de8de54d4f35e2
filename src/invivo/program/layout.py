"""Where fields lie in records and keys, and how a D value is stored.

    layout_keys((INT of 4 bytes, STRING of 16))   fields at 8 and 12, key size 32: KEY_HEADER first, padded to 8
    layout_record((STRING of 16, INT of 8))       the string at 16, the integer at 8: strings last, see records.py
"""

from __future__ import annotations

from invivo.program.records import KEY_HEADER, RECORD_HEADER, Field, FieldKind, FieldType
from invivo.program.types import (
    Array,
    Enum,
    Float,
    Int,
    Pointer,
    Stack,
    String,
    Struct,
    Symbol,
    Type,
    size_of,
    type_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["alignment", "field_type", "layout_keys", "layout_record", "round_up", "variable_size"]


def round_up(size: int, alignment_bytes: int) -> int:
    """`size` rounded up to a multiple of a power of two."""
    return (size + alignment_bytes - 1) & -alignment_bytes


def alignment(field: FieldType) -> int:
    """Natural alignment of a field in bytes. Strings, structures and arrays take 8: they are written in words, and
    the verifier takes only aligned ones in the stack, where keys and small records are made."""
    match field.kind:
        case FieldKind.INT:
            return field.size
        case FieldKind.INTERNED:
            return 4
        case _:
            return 8


def layout_keys(types: Iterable[FieldType], header: int = KEY_HEADER) -> tuple[tuple[Field, ...], int]:
    """Fields of a key in the order written, and the key's size: a multiple of 8. All gaps are zero.

    The keys of aggregations begin with KEY_HEADER; those of associative arrays have no header.
    """
    fields, end = _place(types, header)
    return tuple(fields), max(round_up(end, 8), 8)


def layout_record(types: Sequence[FieldType]) -> tuple[tuple[Field, ...], int]:
    """Fields of a record (indexed as `types`), and its size: a multiple of 8.

    Strings lie at the end, so that a record with one string may be sent only up to its NUL.
    """
    order = sorted(range(len(types)), key=lambda i: types[i].kind is FieldKind.STRING)
    placed, end = _place((types[i] for i in order), RECORD_HEADER)
    fields = dict(zip(order, placed, strict=True))
    return tuple(fields[i] for i in range(len(types))), round_up(end, 8)


def _place(types: Iterable[FieldType], end: int) -> tuple[list[Field], int]:
    fields = []
    for field in types:
        offset = round_up(end, alignment(field))
        fields.append(Field(offset, field))
        end = offset + field.size
    return fields, end


def field_type(type_: Type) -> FieldType:
    """How a value of a D type is stored in a key or record.

    Raises:
        ValueError: The type has no size, or holds no value (void, a function).
    """
    name = type_name(type_)
    match type_:
        case Int(size=size, signed=signed) | Enum(size=size, signed=signed):
            return FieldType(FieldKind.INT, size, signed, name)
        case Pointer():
            return FieldType(FieldKind.POINTER, 8, False, name)
        case String(size):
            return FieldType(FieldKind.STRING, size, False, name)
        case Stack(True, depth):
            return FieldType(FieldKind.USTACK, 16, False, name, depth)
        case Stack(False, depth):
            return FieldType(FieldKind.KSTACK, 8, False, name, depth)
        case Symbol(form):
            is_user = form.startswith("u")
            return FieldType(FieldKind.USYMBOL if is_user else FieldKind.SYMBOL, 16 if is_user else 8, False, form)
        case Struct() | Array() | Float():
            bytes_ = size_of(type_)
            if bytes_ is not None:
                return FieldType(FieldKind.BYTES, bytes_, False, name)
    raise ValueError(f"a value of type {name} cannot be stored")


def variable_size(type_: Type) -> int:
    """Bytes that a variable of this type takes in an associative array: scalars take 8, others a multiple of 8.

    Raises:
        ValueError: The type has no size.
    """
    size = size_of(type_)
    if size is None:
        raise ValueError(f"a variable of type {type_name(type_)} cannot be stored")
    return max(round_up(size, 8), 8)
