"""Aggregations as printa() and the end of tracing show them.

      bash                                                             12        default: every key, every value
    bash: 12                                                                     printa("%s: %@d\\n", @)

Several aggregations are joined on equal keys, in the order of the first; a key that one of them lacks counts 0 there.
"""

from __future__ import annotations

from invivo.consumer.answers import weight
from invivo.output.escape import escape
from invivo.output.printf import Style, format_one
from invivo.program.aggregates import is_distribution
from invivo.program.format import Literal, parse_format
from invivo.program.plan import FieldKind, FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.records import Raw
    from invivo.program.format import Conversion, Segment

    Row = tuple[tuple[Raw, ...], list[list[int] | None]]  # key, and each aggregation's words

__all__ = ["Order", "default_text", "formatted_text", "rows"]

_VALUE = FieldType(FieldKind.INT, 8, True, "int64_t")
_KEY_SPECS = {8: b" %16d", 4: b" %8d", 2: b" %5d", 1: b" %3d"}


class Order:
    """How rows are ordered: the options aggsortkey and aggsortrev."""

    __slots__ = ("by_key", "is_descending")

    def __init__(self, options: Mapping[str, int | str | bool]) -> None:
        self.by_key = bool(options.get("aggsortkey"))
        self.is_descending = bool(options.get("aggsortrev"))


def rows(totals: Sequence[Totals], order: Order) -> list[Row]:
    """All keys with each aggregation's words (None where it has no such key), ordered."""
    first = totals[0]
    if len(totals) == 1:
        ordered = first.ordered(by_key=order.by_key, descending=order.is_descending)
        return [(key, [words]) for _, key, words in ordered]
    joined: dict[tuple[Raw, ...], list[list[int] | None]] = {}
    for place, part in enumerate(totals):
        for packed, words in part.words.items():
            joined.setdefault(part.key(packed), [None] * len(totals))[place] = words
    nothing = weight(first.plan, [0] * first.plan.words) if is_distribution(first.plan.function) else 0

    def by_value(row: Row) -> tuple[object, tuple[Raw, ...]]:
        words = row[1][0]
        return (nothing if words is None else weight(first.plan, words)), row[0]

    if order.by_key:
        return sorted(joined.items(), key=lambda row: row[0], reverse=order.is_descending)
    return sorted(joined.items(), key=by_value, reverse=order.is_descending)


def default_text(totals: Sequence[Totals], order: Order, style: Style) -> bytes:
    """Every row in default format: keys, values, newline."""
    types = [field.type for field in totals[0].plan.keys]
    parts: list[bytes] = []
    for key, all_words in rows(totals, order):
        parts += [_key_text(value, type_, style) for value, type_ in zip(key, types, strict=True)]
        for part, words in zip(totals, all_words, strict=True):
            answer = _answer(part, words)
            parts.append(answer if isinstance(answer, bytes) else b" %16d" % answer)
        parts.append(b"\n")
    return b"".join(parts)


def formatted_text(format_: str, totals: Sequence[Totals], order: Order, style: Style) -> bytes:
    """The format once for each row: conversions take the keys in turn, those with `@` the aggregations in turn."""
    segments = parse_format(format_)
    types = [field.type for field in totals[0].plan.keys]
    return b"".join(_row_text(segments, row, totals, types, style) for row in rows(totals, order))


def _row_text(
    segments: Sequence[Segment], row: Row, totals: Sequence[Totals], types: Sequence[FieldType], style: Style
) -> bytes:
    key, all_words = row
    parts: list[bytes] = []
    next_key = next_value = 0
    for segment in segments:
        if isinstance(segment, Literal):
            parts.append(segment.text)
        elif segment.is_aggregation:
            place = min(next_value, len(totals) - 1)
            next_value += 1
            parts.append(_value_text(segment, totals[place], all_words[place], style))
        elif next_key < len(key):
            parts.append(format_one(segment, key[next_key], types[next_key], style))
            next_key += 1
    return b"".join(parts)


def _value_text(conversion: Conversion, totals: Totals, words: list[int] | None, style: Style) -> bytes:
    answer = _answer(totals, words)
    return answer if isinstance(answer, bytes) else format_one(conversion, answer, _VALUE, style)


def _answer(totals: Totals, words: list[int] | None) -> int | bytes:
    """The value, or the picture of a distribution."""
    if is_distribution(totals.plan.function):
        from invivo.output.histogram import picture

        return picture(totals.plan, words or [0] * totals.plan.words, totals.factor)
    if words is None:
        return 0
    answer = totals.answer(words)
    assert isinstance(answer, int)
    return answer


def _key_text(value: Raw, type_: FieldType, style: Style) -> bytes:
    clean = escape if style.is_escaped else bytes
    match type_.kind:
        case FieldKind.STRING | FieldKind.INTERNED:
            return b"  %-50s" % clean(value)  # type: ignore[arg-type]
        case FieldKind.SYMBOL:
            name = style.resolver.symbol(type_.name, value)  # type: ignore[arg-type]
            return b"  %-50s" % clean(name.encode("utf-8", "surrogateescape"))
        case FieldKind.USYMBOL:
            name = style.resolver.user_symbol(type_.name, value)  # type: ignore[arg-type]
            return b"  %-50s" % clean(name.encode("utf-8", "surrogateescape"))
        case FieldKind.KSTACK | FieldKind.USTACK:
            from invivo.output.stacks import stack_text

            return clean(stack_text(value, style.stack_indent))  # type: ignore[arg-type]
        case FieldKind.INT | FieldKind.POINTER:
            half = 1 << (type_.size * 8 - 1)
            signed = (value ^ half) - half if not type_.signed else value  # type: ignore[operator]
            return _KEY_SPECS[type_.size] % signed
    from invivo.output.hexdump import hexdump

    return hexdump(value)  # type: ignore[arg-type]
