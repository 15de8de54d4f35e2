"""The consumer's fast path: a plan's record formats compiled to machine code of this host.

    layout 0: Printf("%d %s\\n", (0, 1))   ->   check the record's length, put the integer, put the string, next frame

The code formats whole batches of ring-buffer frames (see consumer.native for how it is called). It covers layouts that
only trace() and printf() integers and strings with plain conversions; at any other frame, or a record that is not as
its layout says, it stops, and Python does that one. It touches nothing but its arguments: no relocations, no calls out,
no constants but those in its instructions and in the table behind it.

    table  | probes: u32 offset, u32 bytes of the text between CPU and data | strings: the same | their bytes | zeros |
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from invivo.codegen.formatter_ir import RUNTIME, SLACK
from invivo.codegen.host_code import machine_code
from invivo.program.actions import ExitAction, Printf, Trace
from invivo.program.format import Conversion, FormatError, Literal, parse_format, probe_column, trace_format
from invivo.program.plan import Plan
from invivo.program.records import RECORD_HEADER, Field, FieldKind, RecordLayout

__all__ = ["compile_formatter"]

_MAGIC = b"invivoF1"
_HEADER = struct.Struct("<8sII")
_MACHINE = "x86_64"
_MAX_WIDTH = 1024
_MAX_TEXT = 1 << 16  # bytes that one record may become
_HOSTILE = 1 << 31  # of a string's length in the table: not only printing ASCII
_INTEGERS = (FieldKind.INT, FieldKind.POINTER)
_STRINGS = (FieldKind.STRING, FieldKind.INTERNED)


class _Unfit(Exception):
    """The layout is left to Python."""


class _Put(NamedTuple):
    """One conversion with its field."""

    conversion: Conversion
    field: Field


def compile_formatter(plan: Plan) -> bytes | None:
    """The formatter for Plan.formatter; None where the plan has nothing worth compiling, or this is no x86-64."""
    if os.uname().machine != _MACHINE or plan.options.get("rawbytes"):
        return None
    pieces = {}
    for layout in plan.records:
        try:
            parts = _pieces(layout, bool(plan.options.get("quiet")))
        except (_Unfit, FormatError):
            continue
        if _longest(plan, parts) <= _MAX_TEXT:
            pieces[layout.id] = (layout, parts)
    if not any(not layout.actions or parts for layout, parts in pieces.values()):
        return None
    table, strings_at = _table(plan)
    code = machine_code(_Module(plan, strings_at).text(list(pieces.values())))
    return None if code is None else _HEADER.pack(_MAGIC, len(code), len(table)) + code + table


def _pieces(layout: RecordLayout, is_quiet: bool) -> list[bytes | _Put]:
    """What a layout's records print, in order."""
    parts: list[bytes | _Put] = []
    for action in layout.actions:
        match action:
            case Printf(format_, fields):
                parts += _printf(format_, [layout.fields[index] for index in fields])
            case Trace(index):
                field = layout.fields[index]
                if field.type.kind not in _INTEGERS + _STRINGS:
                    raise _Unfit
                parts += _printf(trace_format(field.type, is_quiet), [field])
            case ExitAction():
                pass
            case _:
                raise _Unfit
    return parts


def _printf(format_: str, fields: list[Field]) -> list[bytes | _Put]:
    parts: list[bytes | _Put] = []
    arguments = iter(fields)
    for segment in parse_format(format_):
        if isinstance(segment, Literal):
            parts.append(segment.text)
        else:
            field = next(arguments, None)
            if field is None:
                raise _Unfit
            _check(segment, field)
            parts.append(_Put(segment, field))
    return parts


def _check(conversion: Conversion, field: Field) -> None:
    """Raise _Unfit unless the conversion is one of those compiled here."""
    kind, width, precision = field.type.kind, conversion.width, conversion.precision
    is_number = conversion.conv in "diuxXop" and kind in _INTEGERS and precision is None and "#" not in conversion.flags
    is_char = conversion.conv == "c" and kind in _INTEGERS
    is_string = conversion.conv == "s" and kind in _STRINGS and precision != "*"
    if not (is_number or is_char or is_string) or "'" in conversion.flags or conversion.is_aggregation:
        raise _Unfit
    if width == "*" or (width or 0) > _MAX_WIDTH or (kind in _INTEGERS and field.type.size not in (1, 2, 4, 8)):
        raise _Unfit


def _table(plan: Plan) -> tuple[bytes, int]:
    """The table, and where its strings' entries begin."""
    columns = _columns(plan)
    texts = [*columns, *plan.strings]
    strings_at = 8 * len(columns)
    offset = 8 * len(texts)
    entries = b""
    for number, text in enumerate(texts):
        is_plain = number < len(columns) or all(0x20 <= byte < 0x7F or byte in b"\t\n" for byte in text)
        entries += struct.pack("<II", offset, len(text) | (0 if is_plain else _HOSTILE))
        offset += len(text)
    return entries + b"".join(texts) + bytes(8), strings_at


def _columns(plan: Plan) -> list[bytes]:
    """For each probe the text between CPU and data."""
    return [probe_column(probe).encode("utf-8", "surrogateescape") for probe in plan.probes]


def _longest(plan: Plan, parts: list[bytes | _Put]) -> int:
    """Bytes that a record can become at most, what is written beyond included."""
    strings = max((len(text) for text in plan.strings), default=0)
    total = SLACK + 16 + max(map(len, _columns(plan)), default=0)
    for part in parts:
        if isinstance(part, bytes):
            total += len(part)
        else:
            type_ = part.field.type
            sizes = {FieldKind.STRING: type_.size, FieldKind.INTERNED: strings}
            total += max(_width(part.conversion), sizes.get(type_.kind, 24))
    return total


class _Module:
    """The IR of one formatter. `%name` temporaries are numbered; `self._lines` is the text so far."""

    def __init__(self, plan: Plan, strings_at: int) -> None:
        self._plan = plan
        self._strings_at = strings_at
        self._is_quiet = bool(plan.options.get("quiet"))
        self._lines: list[str] = []
        self._count = 0
        self._dst = ""

    def text(self, layouts: list[tuple[RecordLayout, list[bytes | _Put]]]) -> str:
        """The whole module. Function `format` comes first, so that the code begins with it."""
        self._lines = [_PROLOGUE]
        for layout, _ in layouts:
            test = self._value(f"icmp eq i16 %layout, {layout.id}")
            self._lines += [f"  br i1 {test}, label %layout{layout.id}, label %not{layout.id}", f"not{layout.id}:"]
        self._lines.append("  br label %stop")
        ends = []
        for layout, parts in layouts:
            ends.append(self._layout(layout, parts))
        incoming = "".join(f", [ {end}, %end{layout.id} ]" for end, (layout, _) in zip(ends, layouts, strict=True))
        self._lines.append(_EPILOGUE.format(incoming=incoming))
        return "\n".join(self._lines) + RUNTIME

    def _layout(self, layout: RecordLayout, parts: list[bytes | _Put]) -> str:
        """The block of a layout; returns the name of the pointer behind its text."""
        fixed = [field for field in layout.fields if field.type.kind is not FieldKind.STRING]
        needed = max([RECORD_HEADER, *(field.offset + field.type.size for field in fixed)])
        self._lines.append(f"layout{layout.id}:")
        self._stop_if(f"icmp ult i64 %length, {needed}")
        self._stop_if(f"icmp ult i64 %room, {_longest(self._plan, parts)}")
        self._dst = "%dst"
        if not self._is_quiet:
            self._prefix()
        for part in parts:
            if isinstance(part, bytes):
                self._literal(part)
            else:
                self._put(part)
        if not self._is_quiet:
            self._literal(b"\n")
        self._lines += [f"  br label %end{layout.id}", f"end{layout.id}:", "  br label %next"]
        return self._dst

    # --- pieces ---------------------------------------------------------------------------------------------------

    def _prefix(self) -> None:
        """CPU, probe id and name."""
        self._call("put_decimal", "i64 %cpu, i64 0, i64 3, i64 0")
        index = self._value("sub i64 %probe, 1")
        self._stop_if(f"icmp uge i64 {index}, {len(self._plan.probes)}")
        text, size, _ = self._entry(index, 0)
        self._call("copy", f"ptr {text}, i64 {size}")

    def _literal(self, text: bytes) -> None:
        """Text as eight-byte stores of constants."""
        for start in range(0, len(text), 8):
            word = int.from_bytes(text[start : start + 8], "little")
            at = self._value(f"getelementptr i8, ptr {self._dst}, i64 {start}")
            self._lines.append(f"  store i64 {word}, ptr {at}, align 1")
        self._dst = self._value(f"getelementptr i8, ptr {self._dst}, i64 {len(text)}")

    def _put(self, part: _Put) -> None:
        conversion, field = part
        if field.type.kind is FieldKind.STRING:
            self._string(conversion, field)
        elif field.type.kind is FieldKind.INTERNED:
            self._interned(conversion, field)
        elif conversion.conv == "c":
            self._character(conversion, field)
        else:
            self._number(conversion, field)

    def _number(self, conversion: Conversion, field: Field) -> None:
        conv, flags = conversion.conv, conversion.flags
        is_signed = conv in "di" and (field.type.signed or bool(conversion.size))
        value = self._integer(field, is_signed)
        place = f"i64 {_width(conversion)}, i64 {_mode(flags)}"
        plus = ord("+") if "+" in flags else ord(" ") if " " in flags else 0
        if is_signed:
            self._call("put_signed", f"i64 {value}, i64 {plus}, {place}")
        elif conv in "diu":
            self._call("put_decimal", f"i64 {value}, i64 {plus if conv in 'di' else 0}, {place}")
        else:
            letters = ord("A") - 10 if conv == "X" else ord("a") - 10
            self._call("put_radix", f"i64 {value}, i64 {3 if conv == 'o' else 4}, i64 {letters}, {place}")

    def _character(self, conversion: Conversion, field: Field) -> None:
        byte = self._value(f"trunc i64 {self._integer(field, False)} to i8")
        hostile = self._value(f"call fastcc i64 @is_hostile(i8 {byte})")
        refused = self._value(f"and i64 {hostile}, %is_escaped")
        self._stop_if(f"icmp ne i64 {refused}, 0")
        pad = max(_width(conversion) - 1, 0)
        is_left = "-" in conversion.flags
        self._literal(b"" if is_left else b" " * pad)
        self._lines.append(f"  store i8 {byte}, ptr {self._dst}, align 1")
        self._dst = self._value(f"getelementptr i8, ptr {self._dst}, i64 1")
        self._literal(b" " * pad if is_left else b"")

    def _string(self, conversion: Conversion, field: Field) -> None:
        """A string in the record: up to its NUL, its field's end, or the record's."""
        size = field.type.size
        if isinstance(conversion.precision, int):
            size = min(size, conversion.precision)
        left = self._value(f"sub i64 %length, {field.offset}")
        is_short = self._value(f"icmp slt i64 {left}, {size}")
        limit = self._value(f"select i1 {is_short}, i64 {left}, i64 {size}")
        source = self._value(f"getelementptr i8, ptr %record, i64 {field.offset}")
        place = f"i64 {_width(conversion)}, i64 {_mode(conversion.flags) & 1}"
        self._call("put_string", f"ptr {source}, i64 {limit}, {place}, i64 %is_escaped")
        self._stop_if(f"icmp eq ptr {self._dst}, null")

    def _interned(self, conversion: Conversion, field: Field) -> None:
        number = self._integer(field, False)
        self._stop_if(f"icmp uge i64 {number}, {len(self._plan.strings)}")
        text, size, hostile = self._entry(number, self._strings_at)
        refused = self._value(f"and i64 {hostile}, %is_escaped")
        self._stop_if(f"icmp ne i64 {refused}, 0")
        if isinstance(conversion.precision, int):
            is_long = self._value(f"icmp ugt i64 {size}, {conversion.precision}")
            size = self._value(f"select i1 {is_long}, i64 {conversion.precision}, i64 {size}")
        place = f"i64 {_width(conversion)}, i64 {_mode(conversion.flags) & 1}"
        self._call("put_padded", f"ptr {text}, i64 {size}, {place}")

    def _entry(self, index: str, start: int) -> tuple[str, str, str]:
        """(address, length, 1 if hostile) of an entry of the table."""
        scaled = self._value(f"shl i64 {index}, 3")
        place = self._value(f"add i64 {scaled}, {start}")
        at = self._value(f"getelementptr i8, ptr %table, i64 {place}")
        offset = self._value(f"zext i32 {self._value(f'load i32, ptr {at}, align 4')} to i64")
        at_size = self._value(f"getelementptr i8, ptr {at}, i64 4")
        word = self._value(f"zext i32 {self._value(f'load i32, ptr {at_size}, align 4')} to i64")
        size = self._value(f"and i64 {word}, {_HOSTILE - 1}")
        hostile = self._value(f"lshr i64 {word}, 31")
        return self._value(f"getelementptr i8, ptr %table, i64 {offset}"), size, hostile

    def _integer(self, field: Field, is_signed: bool) -> str:
        """A field as a 64-bit value."""
        at = self._value(f"getelementptr i8, ptr %record, i64 {field.offset}")
        bits = 8 * field.type.size
        loaded = self._value(f"load i{bits}, ptr {at}, align 1")
        return loaded if bits == 64 else self._value(f"{'sext' if is_signed else 'zext'} i{bits} {loaded} to i64")

    # --- text of IR -----------------------------------------------------------------------------------------------

    def _value(self, operation: str) -> str:
        self._count += 1
        self._lines.append(f"  %v{self._count} = {operation}")
        return f"%v{self._count}"

    def _call(self, name: str, arguments: str) -> None:
        self._dst = self._value(f"call fastcc ptr @{name}(ptr {self._dst}, {arguments})")

    def _stop_if(self, condition: str) -> None:
        """Leave this frame to Python where the condition holds."""
        test = self._value(condition)
        self._count += 1
        self._lines += [f"  br i1 {test}, label %stop, label %go{self._count}", f"go{self._count}:"]


def _width(conversion: Conversion) -> int:
    width = conversion.width if isinstance(conversion.width, int) else 0
    return width or 16 if "?" in conversion.flags else width


def _mode(flags: str) -> int:
    return 1 if "-" in flags else 2 if "0" in flags else 0


_PROLOGUE = """
define i64 @format(ptr %frames, i64 %size, ptr %out, i64 %out_size, ptr %table, ptr %state) #0 {
entry:
  %at_flags = getelementptr i8, ptr %state, i64 8
  %flags = load i64, ptr %at_flags, align 8
  %is_escaped = and i64 %flags, 1
  br label %frame
frame:
  %position = phi i64 [ 0, %entry ], [ %end, %next ]
  %dst = phi ptr [ %out, %entry ], [ %written, %next ]
  %behind_header = add i64 %position, 8
  %has_header = icmp ule i64 %behind_header, %size
  br i1 %has_header, label %header, label %stop
header:
  %at_frame = getelementptr i8, ptr %frames, i64 %position
  %word = load i32, ptr %at_frame, align 4
  %is_busy = icmp slt i32 %word, 0
  br i1 %is_busy, label %stop, label %complete
complete:
  %length32 = and i32 %word, 1073741823
  %length = zext i32 %length32 to i64
  %padded = add i64 %length, 7
  %whole = and i64 %padded, -8
  %end = add i64 %behind_header, %whole
  %fits = icmp ule i64 %end, %size
  br i1 %fits, label %inside, label %stop
inside:
  %discarded = and i32 %word, 1073741824
  %is_discarded = icmp ne i32 %discarded, 0
  br i1 %is_discarded, label %next, label %kept
kept:
  %is_record = icmp uge i64 %length, 8
  br i1 %is_record, label %dispatch, label %stop
dispatch:
  %record = getelementptr i8, ptr %frames, i64 %behind_header
  %layout = load i16, ptr %record, align 2
  %at_cpu = getelementptr i8, ptr %record, i64 2
  %cpu16 = load i16, ptr %at_cpu, align 2
  %cpu = zext i16 %cpu16 to i64
  %at_probe = getelementptr i8, ptr %record, i64 4
  %probe32 = load i32, ptr %at_probe, align 4
  %probe = zext i32 %probe32 to i64
  %dst_bits = ptrtoint ptr %dst to i64
  %out_bits = ptrtoint ptr %out to i64
  %used = sub i64 %dst_bits, %out_bits
  %room = sub i64 %out_size, %used"""

_EPILOGUE = """next:
  %written = phi ptr [ %dst, %inside ]{incoming}
  br label %frame
stop:
  %last = ptrtoint ptr %dst to i64
  %first = ptrtoint ptr %out to i64
  %text_bytes = sub i64 %last, %first
  store i64 %text_bytes, ptr %state, align 8
  ret i64 %position
}}
"""
