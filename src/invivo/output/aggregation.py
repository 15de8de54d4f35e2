"""Aggregations as printa() and the end of tracing show them.

      bash                                                             12        default: every key, every value
    bash: 12                                                                     printa("%s: %@d\\n", @)

Several aggregations are joined on equal keys; a key that one of them lacks counts 0 there. They are ordered by the
values of the first (or the one that aggsortpos says), then by those of the others, then by keys.
"""

from __future__ import annotations

from invivo.consumer.answers import weight
from invivo.output.escape import escape
from invivo.output.printf import Style, format_one, with_numbers
from invivo.program.aggregates import is_distribution
from invivo.program.format import Literal, parse_format
from invivo.program.records import FieldKind, FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.records import Raw
    from invivo.program.format import Conversion, Segment

    Row = tuple[tuple[Raw, ...], list[list[int] | None]]  # key, and each aggregation's words

__all__ = ["Order", "default_text", "formatted_text", "key_text", "rows"]

_VALUE = FieldType(FieldKind.INT, 8, True, "int64_t")
_KEY_SPECS = {8: b" %16d", 4: b" %8d", 2: b" %5d", 1: b" %3d"}


class Order:
    """How aggregations are shown, from the options: the order of rows (aggsortkey, aggsortrev, aggsortpos,
    aggsortkeypos), and the form of pictures (agghist, aggpack, aggzoom, encoding)."""

    __slots__ = ("by_key", "encoding", "is_descending", "is_histogram", "is_packed", "is_zoomed", "key_place", "place")

    def __init__(self, options: Mapping[str, int | str | bool]) -> None:
        self.by_key = bool(options.get("aggsortkey"))
        self.is_descending = bool(options.get("aggsortrev"))
        self.place = int(options.get("aggsortpos", 0))
        self.key_place = int(options.get("aggsortkeypos", 0))
        self.is_histogram = bool(options.get("agghist"))
        self.is_packed = bool(options.get("aggpack"))
        self.is_zoomed = bool(options.get("aggzoom"))
        self.encoding = str(options.get("encoding", ""))

    def key(self, key: tuple[Raw, ...]) -> tuple[Raw, ...]:
        """What a key is ordered by: its fields from aggsortkeypos on, then those before; from 0 where it has fewer."""
        place = self.key_place if self.key_place < len(key) else 0
        return key[place:] + key[:place] if place else key

    def places(self, count: int) -> Sequence[int]:
        """The places of `count` aggregations in the order in which their values are compared."""
        first = self.place if self.place < count else 0
        return [(first + i) % count for i in range(count)]


def rows(totals: Sequence[Totals], order: Order) -> list[Row]:
    """All keys with each aggregation's words (None where it has no such key), ordered: by values and then keys, or by
    keys and then values."""
    joined: dict[tuple[Raw, ...], list[list[int] | None]] = {}
    for place, part in enumerate(totals):
        for packed, words in part.words.items():
            joined.setdefault(part.key(packed), [None] * len(totals))[place] = words
    places = order.places(len(totals))
    nothing = [
        weight(part.plan, [0] * part.plan.words) if is_distribution(part.plan.function) else 0 for part in totals
    ]

    # DTrace compares keys as the unsigned words that they are made of: -1 comes after all that is not negative.
    signed = [
        (at, (1 << field.type.size * 8) - 1)
        for at, field in enumerate(totals[0].plan.keys)
        if field.type.kind is FieldKind.INT and field.type.signed
    ]

    def unsigned(key: tuple[Raw, ...]) -> tuple[Raw, ...]:
        fields = list(key)
        for at, mask in signed:
            fields[at] &= mask  # type: ignore[operator]
        return tuple(fields)

    def rank(row: Row) -> tuple[object, object]:
        key, all_words = row
        if signed:
            key = unsigned(key)
        values = []
        for place in places:
            words = all_words[place]
            values.append(nothing[place] if words is None else weight(totals[place].plan, words))
        return (order.key(key), values) if order.by_key else (values, order.key(key))

    return sorted(joined.items(), key=rank, reverse=order.is_descending)


def default_text(totals: Sequence[Totals], order: Order, style: Style) -> bytes:
    """Every row in default format: keys, values, newline."""
    if len(totals) == 1 and (order.is_histogram or order.is_packed):
        from invivo.output.packed import is_packable, packed_text

        if is_packable(totals[0].plan.function, order):
            return packed_text(totals[0], rows(totals, order), order, style)
    types = [field.type for field in totals[0].plan.keys]
    parts: list[bytes] = []
    for key, all_words in rows(totals, order):
        parts += [key_text(value, type_, style) for value, type_ in zip(key, types, strict=True)]
        for part, words in zip(totals, all_words, strict=True):
            answer = _answer(part, words, order)
            parts.append(answer if isinstance(answer, bytes) else b" %16d" % answer)
        parts.append(b"\n")
    return b"".join(parts)


def formatted_text(format_: str, totals: Sequence[Totals], order: Order, style: Style) -> bytes:
    """The format once for each row: conversions take the keys in turn, those with `@` the aggregations in turn."""
    segments = parse_format(format_)
    types = [field.type for field in totals[0].plan.keys]
    return b"".join(_row_text(segments, row, totals, types, order, style) for row in rows(totals, order))


def _row_text(
    segments: Sequence[Segment],
    row: Row,
    totals: Sequence[Totals],
    types: Sequence[FieldType],
    order: Order,
    style: Style,
) -> bytes:
    key, all_words = row
    parts: list[bytes] = []
    next_value = 0
    keys = iter(zip(key, types, strict=True))
    for segment in segments:
        if isinstance(segment, Literal):
            parts.append(segment.text)
            continue
        fixed = with_numbers(segment, lambda: next(keys)[0])
        if segment.is_aggregation:
            place = min(next_value, len(totals) - 1)
            next_value += 1
            parts.append(_value_text(fixed, totals[place], all_words[place], order, style))
        else:
            parts.append(format_one(fixed, *next(keys), style))
    return b"".join(parts)


def _value_text(
    conversion: Conversion, totals: Totals, words: list[int] | None, order: Order, style: Style
) -> bytes:
    answer = _answer(totals, words, order)
    return answer if isinstance(answer, bytes) else format_one(conversion, answer, _VALUE, style)


def _answer(totals: Totals, words: list[int] | None, order: Order) -> int | bytes:
    """The value, or the picture of a distribution."""
    if is_distribution(totals.plan.function):
        from invivo.output.histogram import picture

        shown = words or [0] * totals.plan.words
        is_blocks = order.encoding == "utf8"
        return picture(totals.plan, shown, totals.factor, is_zoomed=order.is_zoomed, is_blocks=is_blocks)
    if words is None:
        return 0
    answer = totals.answer(words)
    assert isinstance(answer, int)
    return answer


def key_text(value: Raw, type_: FieldType, style: Style, *, is_packed: bool = False) -> bytes:
    """A key in its type's default format; packed, strings stand on the right of a narrower column."""
    clean = escape if style.is_escaped else bytes
    text = b" %16s" if is_packed else b"  %-50s"
    match type_.kind:
        case FieldKind.STRING | FieldKind.INTERNED if style.is_raw:
            from invivo.output.display import raw_bytes
            from invivo.output.hexdump import hexdump

            return hexdump(raw_bytes(value, type_, style))  # type: ignore[arg-type]
        case FieldKind.STRING | FieldKind.INTERNED:
            return text % clean(value)  # type: ignore[arg-type]
        case FieldKind.SYMBOL:
            name = style.resolver.symbol(type_.name, value)  # type: ignore[arg-type]
            return text % clean(name.encode("utf-8", "surrogateescape"))
        case FieldKind.USYMBOL:
            name = style.resolver.user_symbol(type_.name, value)  # type: ignore[arg-type]
            return text % clean(name.encode("utf-8", "surrogateescape"))
        case FieldKind.KSTACK | FieldKind.USTACK:
            from invivo.output.stacks import stack_text

            return clean(stack_text(value, style.stack_indent))  # type: ignore[arg-type]
        case FieldKind.INT | FieldKind.POINTER:
            return _KEY_SPECS[type_.size] % value  # of its type's own sign, as trace() prints it
    from invivo.output.hexdump import hexdump

    return hexdump(value)  # type: ignore[arg-type]
