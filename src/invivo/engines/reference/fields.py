"""Values put into fields of records and aggregation keys, as records.FieldKind says: the same bytes as the kernel's.

    INT of 4 at 12        the value's four low bytes, little-endian
    STRING of 16 at 16    the bytes and zeros
    INTERNED at 8         the string's number in Plan.strings
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.engines.reference import memory
from invivo.engines.reference.compiler import Compiler, Scalar
from invivo.engines.reference.firing import Firing
from invivo.program.nodes import Component, Expr, Memory, ProbeName, StrLit
from invivo.program.records import Field, FieldKind
from invivo.program.tables import Tables, probe_name

__all__ = ["Store", "build_key", "storer"]

Store = Callable[[Firing, bytearray], None]


def build_key(c: Compiler, fields: Sequence[Field], size: int, exprs: Sequence[Expr]) -> Callable[[Firing], bytes]:
    """A key of `size` bytes, its header and all gaps zero."""
    stores = [storer(c, field, expr) for field, expr in zip(fields, exprs, strict=True)]

    def key(f: Firing) -> bytes:
        data = bytearray(size)
        for store in stores:
            store(f, data)
        return bytes(data)

    return key


def storer(c: Compiler, field: Field, expr: Expr) -> Store:
    """What evaluates `expr` and puts its value into a record or key."""
    offset, type_ = field
    size, end = type_.size, offset + type_.size
    match type_.kind:
        case FieldKind.STRING:
            text = c.string(expr)

            def store_string(f: Firing, data: bytearray) -> None:
                data[offset:end] = text(f)[: size - 1].ljust(size, b"\0")

            return store_string
        case FieldKind.BYTES:
            if not isinstance(expr, Memory):
                raise TypeError(f"{type(expr).__name__} is not a structure or array in memory")
            block = memory.read_bytes(c, expr, size)

            def store_bytes(f: Firing, data: bytearray) -> None:
                data[offset:end] = block(f)

            return store_bytes
        case FieldKind.INTERNED:
            return _integer(_interned(c, expr), offset, size)
        case FieldKind.USTACK | FieldKind.USYMBOL:
            identity = _integer(c.scalar(expr), offset, 8)
            process = _integer(lambda f: f.world.pid_tgid >> 32, offset + 8, 8)

            def store_stack(f: Firing, data: bytearray) -> None:
                identity(f, data)
                process(f, data)

            return store_stack
        case FieldKind.INT | FieldKind.KSTACK | FieldKind.SYMBOL | FieldKind.POINTER:
            return _integer(c.scalar(expr), offset, size)


def _integer(value: Scalar, offset: int, size: int) -> Store:
    end, mask = offset + size, (1 << 8 * size) - 1

    def store(f: Firing, data: bytearray) -> None:
        data[offset:end] = (value(f) & mask).to_bytes(size, "little")

    return store


def _interned(c: Compiler, expr: Expr) -> Scalar:
    if isinstance(expr, StrLit):
        number = c.tables.intern(expr.value)
        return lambda f: number
    if isinstance(expr, ProbeName):
        # Only this clause's probes are named, as the kernel's tables do; ERROR's clauses have ERROR's.
        probes = c.clause.probes if c.clause is not None else ()
        numbers = _Numbers(c.tables, expr.component)
        for probe in probes:
            if probe in c.program.probe_ids:
                numbers.__missing__(c.program.probe_ids[probe])
        return lambda f: numbers[f.probe_id]
    raise TypeError(f"{type(expr).__name__} is not an interned string")


class _Numbers(dict[int, int]):
    """By probe id, a component of its name as a number of Plan.strings; of probes that are made later on demand."""

    def __init__(self, tables: Tables, component: Component) -> None:
        super().__init__()
        self._tables = tables
        self._component = component

    def __missing__(self, identity: int) -> int:
        number = self[identity] = self._tables.intern(
            probe_name(self._tables.probes[identity - 1], self._component)
        )
        return number
