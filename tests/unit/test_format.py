"""program.format: what printf's formats are made of."""

from __future__ import annotations

import pytest

from invivo.program.format import Conversion, FormatError, Literal, conversions, parse_format


def test_literals_and_percent_signs_are_joined() -> None:
    assert parse_format("100%% of it\n") == (Literal(b"100% of it\n"),)
    assert parse_format("") == ()


def test_every_part_of_a_conversion_is_kept() -> None:
    assert parse_format("a%-08.3lldb") == (
        Literal(b"a"),
        Conversion("-0", 8, 3, "ll", "d", False, 1, 9),
        Literal(b"b"),
    )


def test_star_takes_width_and_precision_from_arguments() -> None:
    (conversion,) = conversions(parse_format("%*.*s"))
    assert (conversion.width, conversion.precision, conversion.conv) == ("*", "*", "s")


def test_a_lone_dot_is_precision_zero() -> None:
    assert conversions(parse_format("%.s"))[0].precision == 0


def test_at_sign_marks_the_value_of_an_aggregation() -> None:
    key, value = conversions(parse_format("%s %@16u\n"))
    assert not key.is_aggregation
    assert value.is_aggregation
    assert (value.flags, value.width, value.conv) == ("", 16, "u")


def test_bytes_that_are_not_utf8_survive() -> None:
    assert parse_format("\udcff\u00e9") == (Literal(b"\xff\xc3\xa9"),)


@pytest.mark.parametrize(
    ("text", "offset", "length", "word"),
    [
        ("ab%", 2, 1, "ends"),
        ("x %-5", 2, 3, "ends"),
        ("%q", 0, 2, "'%q' is not a conversion"),
        ("a%5.2Kz", 1, 5, "unknown"),
        ("%70000d", 1, 5, "too large"),
    ],
)
def test_errors_say_where_and_why(text: str, offset: int, length: int, word: str) -> None:
    with pytest.raises(FormatError, match=word) as caught:
        parse_format(text)
    assert (caught.value.offset, caught.value.length) == (offset, length)
