"""printf()'s formats made into functions: a format and its fields' types in, a function from values to bytes out.

    compiled = compile_printf("%s: %d\\n", (0, 1), types, options)
    compiled((b"cat", 3))  ->  b"cat: 3\\n"

Conversions mean what they mean in C, with D's additions (see program.format). The size of an argument is that of its
type, never what `l` or `h` says. Most formats become one bytes % tuple; what Python's % does otherwise than C (`#`,
`'`, a precision on integers, `*`) is formatted here piece by piece.
"""

from __future__ import annotations

from operator import itemgetter

from invivo.consumer.floats import number_of
from invivo.consumer.records import UserAddress
from invivo.output.escape import escape, escape_all
from invivo.program.format import FLOATS, Conversion, Literal, parse_format
from invivo.program.records import FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from invivo.consumer.records import Raw
    from invivo.consumer.resolve import Resolver
    from invivo.program.records import FieldType

    # One argument to what % takes.
    Adapter = Callable[[Raw], Any]

__all__ = ["Style", "compile_printf", "format_one", "format_pieces", "needed", "with_numbers"]

_POINTER_WIDTH = 16
_UNSIGNED = "uxXop"
_NUMBERS = "diuxXopYT" + FLOATS


class Style:
    """How values are made text: whether a terminal reads it (`is_escaped`), `stack_indent` columns before frames,
    whether strings are dumped (`is_raw`: option rawbytes), to the end of the `string_size` bytes that one has."""

    __slots__ = ("is_escaped", "is_raw", "resolver", "stack_indent", "string_size")

    def __init__(
        self,
        resolver: Resolver,
        *,
        is_escaped: bool = False,
        stack_indent: int = 14,
        is_raw: bool = False,
        string_size: int = 1,
    ) -> None:
        self.is_raw = is_raw
        self.string_size = string_size
        self.resolver = resolver
        self.is_escaped = is_escaped
        self.stack_indent = stack_indent


def needed(conversion: Conversion) -> int:
    """How many arguments a conversion takes."""
    return 1 + (conversion.width == "*") + (conversion.precision == "*")


def compile_printf(
    format_: str, fields: Sequence[int], types: Sequence[FieldType], style: Style
) -> Callable[[tuple[Raw, ...]], bytes]:
    """A function from a record's values to the text of one printf(). `types` are those of all fields of the record."""
    segments = parse_format(format_)
    template = b""
    adapters: list[tuple[int, Adapter]] = []
    next_field = 0
    for segment in segments:
        if isinstance(segment, Literal):
            template += segment.text.replace(b"%", b"%%")
        elif "*" in (segment.width, segment.precision):
            return _piecewise(segments, fields, types, style)
        else:
            field = fields[next_field]
            next_field += 1
            spec, adapter = _simple(segment, types[field], style)
            template += spec
            adapters.append((field, adapter))
    return _whole(template, adapters)


def format_pieces(
    format_: str, fields: Sequence[int], types: Sequence[FieldType], style: Style
) -> list[bytes | Callable[[tuple[Raw, ...]], tuple[bytes, bool]]]:
    """A format's literals, and for each conversion a function: its text, and whether that is nothing but a number or a
    time of day, in which no traced string can stand."""
    pieces: list[bytes | Callable[[tuple[Raw, ...]], tuple[bytes, bool]]] = []
    place = 0
    for segment in parse_format(format_):
        if isinstance(segment, Literal):
            pieces.append(segment.text)
        else:
            count = needed(segment)
            pieces.append(_piece(segment, fields[place : place + count], types, style))
            place += count
    return pieces


def _piece(
    segment: Conversion, fields: Sequence[int], types: Sequence[FieldType], style: Style
) -> Callable[[tuple[Raw, ...]], tuple[bytes, bool]]:
    one = _piecewise((segment,), fields, types, style)
    return lambda values: (one(values), segment.conv in _NUMBERS)


def format_one(conversion: Conversion, value: Raw, type_: FieldType, style: Style) -> bytes:
    """The text of one conversion without `*`."""
    spec, adapter = _simple(conversion, type_, style)
    return spec % (adapter(value),)


def _whole(template: bytes, adapters: list[tuple[int, Adapter]]) -> Callable[[tuple[Raw, ...]], bytes]:
    if not adapters:
        text = template % ()
        return lambda values: text
    if all(adapter is _same for _, adapter in adapters):
        indexes = [index for index, _ in adapters]
        if len(indexes) == 1:
            only = indexes[0]
            return lambda values: template % (values[only],)
        chosen = itemgetter(*indexes)
        return lambda values: template % chosen(values)
    return lambda values: template % tuple([adapter(values[index]) for index, adapter in adapters])


def _piecewise(
    segments: Sequence[Literal | Conversion], fields: Sequence[int], types: Sequence[FieldType], style: Style
) -> Callable[[tuple[Raw, ...]], bytes]:
    """For formats with `*`: every conversion is made when its width is known."""

    def text(values: tuple[Raw, ...]) -> bytes:
        arguments = iter(fields)
        parts = []
        for segment in segments:
            if isinstance(segment, Literal):
                parts.append(segment.text)
                continue
            fixed = with_numbers(segment, lambda: values[next(arguments)])
            field = next(arguments)
            parts.append(format_one(fixed, values[field], types[field], style))
        return b"".join(parts)

    return text


def with_numbers(conversion: Conversion, following: Callable[[], Raw]) -> Conversion:
    """The conversion with the numbers that each `*` of it stands for: the values that come before its own."""
    width, precision, flags = conversion.width, conversion.precision, conversion.flags
    if width == "*":
        width = _number(following())
        if width < 0:  # as in C: a negative width means the flag -
            width, flags = -width, flags + "-"
    if precision == "*":
        precision = _number(following())
        precision = None if precision < 0 else min(precision, 65535)
    width = None if width is None else min(width, 65535)
    return conversion._replace(width=width, precision=precision, flags=flags)


def _number(value: Raw) -> int:
    if isinstance(value, UserAddress):
        return value.address
    return value if isinstance(value, int) else 0


def _same(value: Raw) -> int | bytes:
    return value  # type: ignore[return-value]


def _simple(conversion: Conversion, type_: FieldType, style: Style) -> tuple[bytes, Adapter]:
    """The piece of a % template for a conversion without `*`, and what makes its argument."""
    flags, conv = conversion.flags, conversion.conv
    width = conversion.width if conversion.width != "*" else None
    precision = conversion.precision if conversion.precision != "*" else None
    if "?" in flags:
        width = width or _POINTER_WIDTH
    if conv in "diuxXop" and type_.kind in (FieldKind.INT, FieldKind.POINTER, FieldKind.SYMBOL, FieldKind.USYMBOL):
        integer = _integer_adapter(conversion, type_)
        if precision is None and not set(flags) & set("#'"):
            kept = "".join(flag for flag in flags if flag in ("-+ 0" if conv in "di" else "-0"))
            letter = {"i": "d", "u": "d", "p": "x"}.get(conv, conv)
            return f"%{kept}{_text(width)}{letter}".encode(), integer
        return b"%s", lambda value: _c_integer(integer(value), flags, width, precision, conv)
    if conv in FLOATS:
        kept = "".join(flag for flag in flags if flag in "-+ 0#")
        point = "" if precision is None else f".{precision}"
        return f"%{kept}{_text(width)}{point}{conv}".encode(), number_of
    left = "-" if "-" in flags else ""
    if conv in "sS" and precision is not None:
        return f"%{left}{_text(width)}.{precision}s".encode(), _string_adapter(conv, type_, style)
    return f"%{left}{_text(width)}s".encode(), _string_adapter(conv, type_, style)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _integer_adapter(conversion: Conversion, type_: FieldType) -> Adapter:
    """%d prints by the argument's own sign, %ld and its kin as signed, %u %x %o as unsigned, all of the type's size."""
    if type_.kind is FieldKind.USYMBOL:
        return _number
    mask = (1 << type_.size * 8) - 1 if type_.kind is FieldKind.INT else 0xFFFF_FFFF_FFFF_FFFF
    half = (mask + 1) >> 1
    if conversion.conv in _UNSIGNED:
        return (lambda value: value & mask) if type_.signed else _same  # type: ignore[operator]
    if conversion.size and not type_.signed:
        return lambda value: (value ^ half) - half  # type: ignore[operator]
    return _same


def _c_integer(value: Raw, flags: str, width: int | None, precision: int | None, conv: str) -> bytes:
    """An integer with C's `#`, precision, and POSIX's thousands separator."""
    assert isinstance(value, int)
    digits = f"{abs(value):{ {'x': 'x', 'p': 'x', 'X': 'X', 'o': 'o'}.get(conv, 'd') }}"
    if precision == 0 and value == 0:
        digits = ""
    if "'" in flags and conv in "diu":
        digits = f"{int(digits or '0'):,}" if digits else ""
    digits = digits.rjust(precision or 0, "0")
    sign = ""
    if conv in "di":
        sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    elif "#" in flags and value and conv in "xXp":
        sign = "0X" if conv == "X" else "0x"
    elif "#" in flags and conv == "o" and not digits.startswith("0"):
        digits = "0" + digits
    room = (width or 0) - len(sign)
    if "-" in flags:
        return (sign + digits).ljust(width or 0).encode()
    if "0" in flags and precision is None:
        return (sign + digits.rjust(room, "0")).encode()
    return (sign + digits).rjust(width or 0).encode()


def _string_adapter(conv: str, type_: FieldType, style: Style) -> Adapter:
    """What makes the bytes of conversions that print text."""
    resolver = style.resolver
    clean = escape if style.is_escaped else _same

    def plain(value: Raw) -> bytes:
        if isinstance(value, bytes):
            text = value.partition(b"\0")[0] if type_.kind is FieldKind.BYTES else value
            return clean(text)  # type: ignore[return-value]
        if type_.kind is FieldKind.SYMBOL:
            return clean(resolver.symbol(type_.name, _number(value)).encode("utf-8",
            "surrogateescape"))  # type: ignore[return-value]
        if isinstance(value, UserAddress):
            return clean(resolver.user_symbol(type_.name, value).encode("utf-8",
            "surrogateescape"))  # type: ignore[return-value]
        if isinstance(value, int):
            return b"%d" % value
        return stack(value)

    def character(value: Raw) -> bytes:
        return clean(bytes((_number(value) & 0xFF,)))  # type: ignore[return-value]

    def address(value: Raw) -> bytes:
        if isinstance(value, UserAddress):
            text = resolver.user_place(*value)
        elif conv == "a":
            text = resolver.kernel_name(_number(value) & 0xFFFF_FFFF_FFFF_FFFF)
        else:
            text = f"{_number(value) & 0xFFFF_FFFF_FFFF_FFFF:#x}"
        return clean(text.encode("utf-8", "surrogateescape"))  # type: ignore[return-value]

    def stack(value: Raw) -> bytes:
        from invivo.output.stacks import stack_text

        return clean(stack_text(value, style.stack_indent))  # type: ignore[return-value, arg-type]

    match conv:
        case "c":
            return character
        case "C":
            return lambda value: escape_all(bytes((_number(value) & 0xFF,)))
        case "S":
            return lambda value: escape_all(value) if isinstance(value, bytes) else plain(value)
        case "a" | "A":
            return address
        case "Y":
            return _local_time
        case "T":
            return _utc_time
        case "k":
            return stack
    if type_.kind is FieldKind.STRING or type_.kind is FieldKind.INTERNED:
        return clean  # type: ignore[return-value]
    return plain


def _local_time(value: Raw) -> bytes:
    """2023 Nov 14 22:13:20"""
    import time

    moment = time.localtime(_seconds(value))
    return f"{moment.tm_year} {_MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2d} {_clock(moment)}".encode()


def _utc_time(value: Raw) -> bytes:
    """Tue, 14 Nov 2023 22:13:20 UTC"""
    import time

    moment = time.gmtime(_seconds(value))
    month = _MONTHS[moment.tm_mon - 1]
    return f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02d} {month} {moment.tm_year} {_clock(moment)} UTC".encode()


def _seconds(value: Raw) -> int:
    nanoseconds = _number(value)
    nanoseconds -= (nanoseconds >> 63 & 1) << 64 if nanoseconds > 0 else 0
    return nanoseconds // 1_000_000_000


def _clock(moment: object) -> str:
    hour, minute, second = moment[3:6]  # type: ignore[index]
    return f"{hour:02d}:{minute:02d}:{second:02d}"


# Not strftime's names: those follow the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
