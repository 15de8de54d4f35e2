"""Aggregations in user space: the kernel's words are added up here, ordered, normalised, cleared and truncated.

    merge(1, generation + b"bash\\0...", (3,))   CPU 0
    merge(1, generation + b"bash\\0...", (4,))   CPU 1
    views()["calls"]                            {("bash",): 7}

Totals are kept as the kernel's 64-bit words (see records.AggFunction), so that merging is exact at any time; answers
are made from them when asked for. The generation in front of a key is the snapshot's business and left out here.
"""

from __future__ import annotations

from collections.abc import Mapping

from invivo.consumer.answers import Answer, answer, weight
from invivo.consumer.decode import decoder, to_value
from invivo.program.records import KEY_HEADER, AggFunction, FieldKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invivo.consumer.records import Raw, Value
    from invivo.consumer.resolve import Resolver
    from invivo.program.plan import Plan
    from invivo.program.records import AggregationPlan

__all__ = ["AggregationView", "Aggregations", "Totals"]

_WORD = 0xFFFF_FFFF_FFFF_FFFF


class Totals:
    """One aggregation. `words` holds each key's (without its header); `factor` is normalize()'s; a picture or answer
    is made by `answers`. `is_printed`: printa() has shown it, so the end does not."""

    __slots__ = (
        "_canonical", "_decode", "_is_maximum", "_resolver", "_symbols", "factor", "is_printed", "plan", "words",
    )  # fmt: skip

    def __init__(self, plan: AggregationPlan, strings: Sequence[bytes], resolver: Resolver) -> None:
        self.plan = plan
        self.words: dict[bytes, list[int]] = {}
        self.factor = 1
        self.is_printed = False
        self._decode = decoder(plan.keys, strings, resolver)
        self._is_maximum = plan.function in (AggFunction.MIN, AggFunction.MAX)
        self._canonical = _canonical(plan, strings)
        self._resolver = resolver
        self._symbols = [field for field in plan.keys if field.type.kind in (FieldKind.SYMBOL, FieldKind.USYMBOL)]

    def merge(self, key: bytes, words: Sequence[int]) -> None:
        """Add a key's words, of one CPU or of several in a row."""
        short = bytes(key[KEY_HEADER:])
        if self._canonical is not None:
            short = _with_canonical_strings(self.plan, self._canonical, short)
        if self._symbols:
            short = self._with_one_address(short)
        size = self.plan.words
        before = self.words.get(short)
        first = 0
        if before is None:
            before = self.words[short] = list(words[:size])
            first = size
        for start in range(first, len(words), size):
            if self._is_maximum:
                before[0] = max(before[0], words[start])
            elif size == 1:
                before[0] = (before[0] + words[start]) & _WORD
            elif self.plan.function is AggFunction.STDDEV:
                _add_stddev(before, words[start : start + 4])
            else:
                for index in range(size):
                    if word := words[start + index]:
                        before[index] = (before[index] + word) & _WORD

    def _with_one_address(self, key: bytes) -> bytes:
        """Addresses that have the same name are one key: calls from anywhere in a function, say, by func()."""
        changed = bytearray(key)
        for field in self._symbols:
            start, end = field.offset - KEY_HEADER, field.offset - KEY_HEADER + field.type.size
            changed[start:end] = self._resolver.representative(field.type.name, bytes(key[start:end]))
        return bytes(changed)

    def clear(self) -> None:
        """Keep the keys, forget their values."""
        for words in self.words.values():
            words[:] = [0] * len(words)

    def trunc(self, count: int | None) -> None:
        """Remove all keys, or all but the `count` with the highest values (the lowest, if negative)."""
        if not count:
            self.words.clear()
            return
        ordered = self.ordered(by_key=False, descending=False)
        kept = ordered[-count:] if count > 0 else ordered[:-count]
        self.words = {key: words for key, _, words in kept}

    def ordered(self, *, by_key: bool, descending: bool) -> list[tuple[bytes, tuple[Raw, ...], list[int]]]:
        """(key, decoded key, words), by value and then key, or by key alone; ascending or descending."""
        rows = [(key, self.key(key), words) for key, words in self.words.items()]
        if by_key:
            # Numbers compare as numbers, strings byte by byte, stacks frame by frame.
            rows.sort(key=lambda row: row[1], reverse=descending)
        else:
            rows.sort(key=lambda row: (weight(self.plan, row[2]), row[1]), reverse=descending)
        return rows

    def key(self, key: bytes) -> tuple[Raw, ...]:
        """A key's decoded fields."""
        padded = bytes(KEY_HEADER) + key
        return self._decode(padded, 0, len(padded))

    def values(self, key: bytes) -> tuple[Value, ...]:
        """A key as the public API shows it."""
        types = (field.type for field in self.plan.keys)
        return tuple(to_value(raw, type_, self._resolver) for raw, type_ in zip(self.key(key), types, strict=True))

    def answer(self, words: list[int]) -> Answer:
        """What the aggregating function answers, normalised."""
        return answer(self.plan, words, self.factor)


class AggregationView(Mapping["tuple[Value, ...]", Answer]):
    """An aggregation as a mapping from key tuples to answers: int, or Histogram. Without keys, the key is ().

    In ascending order of the answers. It shows the state when it was made.
    """

    __slots__ = ("_rows", "function", "name")

    def __init__(self, name: str, function: str, rows: dict[tuple[Value, ...], Answer]) -> None:
        self.name = name
        self.function = function
        self._rows = rows

    def __getitem__(self, key: tuple[Value, ...]) -> Answer:
        return self._rows[key]

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"AggregationView(@{self.name} = {self.function}(): {self._rows!r})"


class Aggregations:
    """All aggregations of a plan, by id."""

    __slots__ = ("_resolver", "_totals")

    def __init__(self, plan: Plan, resolver: Resolver) -> None:
        self._resolver = resolver
        self._totals = {row.id: Totals(row, plan.strings, resolver) for row in plan.aggregations}

    def __getitem__(self, identity: int) -> Totals:
        return self._totals[identity]

    def merge(self, identity: int, key: bytes, words: Sequence[int]) -> None:
        """Add what the kernel counted under `key` (its header included): the words of one CPU, or of several."""
        self._totals[identity].merge(key, words)

    def all(self) -> list[Totals]:
        """All of them, in order of declaration."""
        return [self._totals[identity] for identity in sorted(self._totals)]

    def view(self, totals: Totals) -> AggregationView:
        """One aggregation as it stands."""
        kinds = [field.type for field in totals.plan.keys]
        rows: dict[tuple[Value, ...], Answer] = {}
        for _, raw, words in totals.ordered(by_key=False, descending=False):
            key = tuple(to_value(value, kind, self._resolver) for value, kind in zip(raw, kinds, strict=True))
            rows[key] = totals.answer(words)
        return AggregationView(totals.plan.name, totals.plan.function.value, rows)

    def taken(self) -> list[tuple[Totals, dict[bytes, list[int]]]]:
        """What each of them holds, not decoded and in no order; they are emptied: what is counted from here on is in
        the next answer."""
        found = []
        for totals in self.all():
            found.append((totals, totals.words))
            totals.words = {}
        return found

    def views(self) -> dict[str, AggregationView]:
        """All of them by name (without the `@`), as they stand."""
        return {totals.plan.name: self.view(totals) for totals in self.all()}


def _add_stddev(before: list[int], words: Sequence[int]) -> None:
    """Count and total by 64 bits, the sum of squares by 128."""
    before[0] = (before[0] + words[0]) & _WORD
    before[1] = (before[1] + words[1]) & _WORD
    squares = before[2] + words[2] + ((before[3] + words[3]) << 64)
    before[2] = squares & _WORD
    before[3] = squares >> 64 & _WORD


def _canonical(plan: AggregationPlan, strings: Sequence[bytes]) -> dict[int, int] | None:
    """For keys that hold string numbers, where two numbers mean the same string: number -> first such number."""
    if not any(field.type.kind is FieldKind.INTERNED for field in plan.keys):
        return None
    first: dict[bytes, int] = {}
    numbers = {number: first.setdefault(text, number) for number, text in enumerate(strings)}
    return numbers if len(first) < len(numbers) else None


def _with_canonical_strings(plan: AggregationPlan, canonical: dict[int, int], key: bytes) -> bytes:
    changed = bytearray(key)
    for field in plan.keys:
        if field.type.kind is FieldKind.INTERNED:
            at = field.offset - KEY_HEADER
            number = int.from_bytes(changed[at : at + 4], "little")
            changed[at : at + 4] = canonical.get(number, number).to_bytes(4, "little")
    return bytes(changed)
