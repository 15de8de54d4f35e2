"""Aggregations with one line a key (agghist, aggpack); pictures zoomed or drawn with blocks. All drawn by hand."""

from __future__ import annotations

import os

import pytest

from invivo.consumer.aggregate import Totals
from invivo.consumer.resolve import Resolver
from invivo.output.aggregation import Order, default_text
from invivo.output.printf import Style
from invivo.program.aggregates import update
from invivo.program.records import KEY_HEADER, AggFunction, FieldKind, FieldType
from tests.unit.consumer.frames import aggregation

STRING = FieldType(FieldKind.STRING, 8, name="string")
INT = FieldType(FieldKind.INT, 4, True, "int")
DISTRIBUTION = "------------- Distribution -------------"


class _Nothing:
    """No names are asked for here."""

    def refresh(self) -> None: ...

    def stack(self, identity: int) -> list[int]:
        return []

    def kernel_symbol(self, address: int) -> str:
        raise AssertionError


def shown(
    function: AggFunction,
    samples: list[tuple[bytes | int, int, int]],
    parameters: tuple[int, ...] = (),
    **options: str | int,
) -> str:
    """The default text of an aggregation with samples (key, value, times); no key is b""."""
    style = Style(Resolver(_Nothing()))  # type: ignore[arg-type]
    key_type = INT if isinstance(samples[0][0], int) else STRING
    plan = aggregation(1, function, [key_type] if samples[0][0] != b"" else [], parameters=parameters)
    totals = Totals(plan, (), style.resolver)
    for key, value, times in samples:
        packed = key.to_bytes(4, "little", signed=True) if isinstance(key, int) else key.ljust(8, b"\0")
        words = update(function, parameters, [0] * plan.words, value, times)
        totals.merge(bytes(KEY_HEADER) + (packed if plan.keys else b""), words)
    return default_text((totals,), Order(options), style).decode()


def test_agghist_measures_all_keys_against_their_sum() -> None:
    """1 and 3 of 4: 10 and 30 of 40 columns."""
    assert shown(AggFunction.SUM, [(b"a", 1, 1), (b"b", 3, 1)], agghist=1) == (
        f"\n{'key':>17} {DISTRIBUTION:>41} count    \n"
        f"                a |{'@' * 10}{' ' * 30} 1        \n"
        f"                b |{'@' * 30}{' ' * 10} 3        \n"
    )


def test_agghist_of_numbers_and_both_signs() -> None:
    """Keys of four bytes have eight columns; -2 and 6 of 8 are 5 and 15 of the 20 on each side."""
    assert shown(AggFunction.SUM, [(7, -2, 1), (12, 6, 1)], agghist=1) == (
        f"\n{'key':>9} {DISTRIBUTION:>41} count    \n"
        f"        7 {' ' * 15}{'@' * 5}|{' ' * 20} -2       \n"
        f"       12 {' ' * 20}|{'@' * 15}{' ' * 5} 6        \n"
    )


def test_agghist_is_for_counts_and_sums() -> None:
    assert shown(AggFunction.MAX, [(b"a", 5, 1)], agghist=1) == shown(AggFunction.MAX, [(b"a", 5, 1)])


def test_agghist_zoomed_fills_nineteen_of_twenty_columns() -> None:
    """40 * 0.95 = 38 for the largest; half of it is 19."""
    text = shown(AggFunction.SUM, [(b"a", 50, 1), (b"b", 100, 1)], agghist=1, aggzoom=1)
    assert [line.count("@") for line in text.splitlines()[2:]] == [19, 38]


def test_aggpack_of_quantize() -> None:
    """1 three times and 4 once: buckets 0, 1, 2, 4, 8. 3/4 of the seven steps is 5.25, 1/4 is 1.75."""
    samples = [(b"k", 1, 3), (b"k", 4, 1)]
    assert shown(AggFunction.QUANTIZE, samples, aggpack=1, encoding="ascii") == (
        f"\n{'key':>17} min .-----. max | count\n                k 0 : x x : 8 | 4\n"
    )
    assert shown(AggFunction.QUANTIZE, samples, aggpack=1, encoding="utf8").splitlines()[2] == (
        "                k 0 : \u2586 \u2583 : 8 | 4"
    )


def test_aggpack_zoomed() -> None:
    """3 of 3/0.95 is 6.65 steps, 1 is 2.2."""
    text = shown(AggFunction.QUANTIZE, [(b"k", 1, 3), (b"k", 4, 1)], aggpack=1, aggzoom=1, encoding="ascii")
    assert text.splitlines()[2] == "                k 0 : X x : 8 | 4"


def test_aggpack_has_the_same_buckets_for_all_keys() -> None:
    """From -32, one below -16, to 2, one above 1; `max` is wider than the 2 below it, as in illumos."""
    text = shown(AggFunction.QUANTIZE, [(b"a", 1, 1), (b"b", -16, 1)], aggpack=1, encoding="ascii")
    assert text == (
        f"\n{'key':>17} min .---------. max | count\n"
        "                b -32 : X       : 2 | 1\n"
        "                a -32 :       X : 2 | 1\n"
    )


def test_aggpack_of_lquantize_without_a_key() -> None:
    """Below 0 once, 0 to 10 twice, 30 and above once: all five buckets; counts of a negative increment point down."""
    samples = [(b"", -1, 1), (b"", 5, 2), (b"", 30, 1)]
    assert shown(AggFunction.LQUANTIZE, samples, (0, 30, 10), aggpack=1, encoding="ascii") == (
        "\n     min .-----. max      | count\n     < 0 :xx  x: >= 30    | 4\n"
    )
    down = shown(AggFunction.LQUANTIZE, [(b"", 5, -3)], (0, 30, 10), aggpack=1, encoding="ascii")
    assert down.splitlines()[2] == "     < 0 : V   : >= 30    | -3"


def test_aggpack_uses_blocks_but_on_plain_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, full in (("xterm", "\u2588"), ("dumb", "X")):
        monkeypatch.setenv("TERM", terminal)
        assert full in shown(AggFunction.QUANTIZE, [(b"k", 1, 1)], aggpack=1)
    assert os.environ["TERM"] == "dumb"


def test_pictures_in_blocks() -> None:
    """1/3 of 40 columns is 13 and 2/8, 2/3 is 26 and 5/8."""
    text = shown(AggFunction.QUANTIZE, [(b"", 1, 1), (b"", 2, 2)], encoding="utf8")
    bars = [line[17:58] for line in text.splitlines()[2:]]
    third, two_thirds = "\u2588" * 13 + "\u258e", "\u2588" * 26 + "\u258b"
    assert bars[1:3] == [f"|{third:<40}", f"|{two_thirds:<40}"]


def test_a_picture_zoomed() -> None:
    """The largest has 38 of 40 columns, half of it 19."""
    text = shown(AggFunction.QUANTIZE, [(b"", 1, 5), (b"", 2, 10)], aggzoom=1)
    assert [line.count("@") for line in text.splitlines()[2:6]] == [0, 19, 38, 0]
