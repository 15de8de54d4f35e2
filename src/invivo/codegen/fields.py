"""Values put into fields of records, aggregation keys and array keys, as records.FieldKind says.

INT of 4 at 12        store i32 of the value
STRING of 16 at 16    the bytes read straight into place, zero-filled in keys
INTERNED at 8         the index of the probe's name in Plan.strings, from a table in the read-only data
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.codegen import names, processes, strings, structures
from invivo.codegen.emitter import Emitter
from invivo.codegen.ir import ZERO, Value, const
from invivo.program.nodes import Expr, Memory, ProbeName, StrLit
from invivo.program.records import Field, FieldKind

__all__ = ["build_key", "store_field"]


def build_key(
    e: Emitter, fields: Sequence[Field], size: int, exprs: Sequence[Expr], header: Value | None = None, *,
    has_header: bool = False,
) -> Value:  # fmt: skip
    """A key of `size` bytes in a slot of its own: the header word (which the caller sets later, with `has_header`),
    then the fields, all gaps zero."""
    key = e.slot(size)
    position = 0
    if header is not None:
        e.out.store(header, key)
    if header is not None or has_header:
        position = 8
    for field, expr in zip(fields, exprs, strict=True):
        e.fill_zero(key, position, field.offset)
        store_field(e, key, field, expr, is_key=True)
        position = field.offset + field.type.size
    e.fill_zero(key, position, size)
    return key


def store_field(e: Emitter, base: Value, field: Field, expr: Expr, *, is_key: bool = False) -> Value | None:
    """Store one field; for a string yields its length with the NUL, where that is known."""
    offset, type_ = field
    place = e.out.offset(base, offset)
    match type_.kind:
        case FieldKind.STRING:
            if is_key:
                strings.zero_before(e, expr, base, offset, type_.size)
            return strings.string_into(e, expr, place, type_.size)
        case FieldKind.BYTES:
            if not isinstance(expr, Memory):
                raise TypeError(f"{type(expr).__name__} is not a structure or array in memory")
            structures.read_bytes(e, place, type_.size, expr)
        case FieldKind.INTERNED:
            e.out.store(_interned(e, expr), place)
        case FieldKind.USTACK | FieldKind.USYMBOL:
            value = e.scalar(expr)
            process = e.out.offset(base, offset + 8)
            e.out.store(value, place)
            e.out.store(ZERO, process)
            with e.when(e.out.compare("ne", value, ZERO)):  # threads of the kernel have no stack there
                e.out.store(processes.identity(e), process)
        case FieldKind.INT | FieldKind.KSTACK | FieldKind.SYMBOL | FieldKind.POINTER:
            e.out.store(e.out.truncate(e.scalar(expr), f"i{min(type_.size, 8) * 8}"), place)
    return None


def _interned(e: Emitter, expr: Expr) -> Value:
    if isinstance(expr, StrLit):
        return const(e.module.intern(expr.value), "i32")
    if isinstance(expr, ProbeName):
        return names.interned_index(e, expr.component)
    raise TypeError(f"{type(expr).__name__} is not an interned string")
