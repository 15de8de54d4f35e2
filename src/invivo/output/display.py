"""What each data-recording action prints: a layout in, a function for each of its actions out.

    Trace of an int field     not quiet  b"         42"     quiet  b"42"
    Trace of a string field   not quiet  b"  bash                             "     quiet  b"bash"
    Printf, PrintStack, PrintSymbol, Tracemem: the same either way
"""

from __future__ import annotations

from invivo.output.escape import escape
from invivo.output.printf import Style, compile_printf
from invivo.output.stream import script
from invivo.program.actions import Freopen, Print, Printf, PrintStack, PrintSymbol, System, Trace, Tracemem
from invivo.program.format import trace_format
from invivo.program.records import FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.output import Display
    from invivo.consumer.records import Raw
    from invivo.program.actions import Action, Shape
    from invivo.program.records import FieldType, RecordLayout

__all__ = ["displays", "raw_bytes"]


def displays(layout: RecordLayout, style: Style, *, is_quiet: bool) -> tuple[Display | None, ...]:
    """For each action of the layout the function that makes its text; None where it records no data to show."""
    types = tuple(field.type for field in layout.fields)
    return tuple(_display(action, types, style, is_quiet) for action in layout.actions)


def _display(action: Action, types: tuple[FieldType, ...], style: Style, is_quiet: bool) -> Display | None:
    match action:
        case Printf(format_, fields):
            return compile_printf(format_, fields, types, style)
        case Trace(field) | PrintStack(field) | PrintSymbol(field):
            return _default(field, types, style, is_quiet and isinstance(action, Trace))
        case Tracemem(field, None):
            return _dump(field)
        case Tracemem(field, int(limit)):
            return _limited_dump(field, limit)
        case Print(address, data, shape, name):
            return _structure(address, data, shape, name)
        case System(format_, fields):
            return script(format_, fields, types, Style(style.resolver))
        case Freopen(format_, fields):
            return compile_printf(format_, fields, types, Style(style.resolver))
    return None


def _default(field: int, types: tuple[FieldType, ...], style: Style, is_quiet: bool) -> Display:
    """A field in its type's default format."""
    type_ = types[field]
    if type_.kind in (FieldKind.KSTACK, FieldKind.USTACK):
        return _stack(field, style)
    if style.is_raw and type_.kind in (FieldKind.STRING, FieldKind.INTERNED):
        return _raw(field, type_, style)
    format_ = trace_format(type_, is_quiet)
    return compile_printf(format_, (field,), types, style) if format_ else _dump(field)


def _stack(field: int, style: Style) -> Display:
    from invivo.output.stacks import stack_text

    clean = escape if style.is_escaped else bytes
    return lambda values: clean(stack_text(values[field], style.stack_indent))  # type: ignore[arg-type]


def _raw(field: int, type_: FieldType, style: Style) -> Display:
    """A string as the bytes that hold it."""
    from invivo.output.hexdump import hexdump

    return lambda values: hexdump(raw_bytes(values[field], type_, style))  # type: ignore[arg-type]


def raw_bytes(text: bytes, type_: FieldType, style: Style) -> bytes:
    """A string's text as its type holds it: with zeros to the end, of a known string to that of any (strsize)."""
    return text.ljust(type_.size if type_.kind is FieldKind.STRING else style.string_size, b"\0")


def _dump(field: int) -> Display:
    from invivo.output.hexdump import hexdump

    return lambda values: hexdump(values[field])  # type: ignore[arg-type]


def _limited_dump(field: int, limit: int) -> Display:
    """So much of the bytes as the limit says; all of them where they are not so many."""
    from invivo.output.hexdump import hexdump

    def dump(values: tuple[Raw, ...]) -> bytes:
        data, count = values[field], values[limit]
        assert isinstance(data, bytes)
        assert isinstance(count, int)
        shown = data[:count] if 0 <= count <= len(data) else data
        return hexdump(shown) if shown else b""

    return dump


def _structure(address: int | None, data: int, shape: Shape, name: str) -> Display:
    from invivo.output.structure import structure_text

    if address is None:
        return lambda values: structure_text(shape, name, values[data])  # type: ignore[arg-type]
    return lambda values: structure_text(shape, _title(values[address]), values[data])  # type: ignore[arg-type]


def _title(address: object) -> str:
    assert isinstance(address, int)
    return f"{address:#x} = *"
