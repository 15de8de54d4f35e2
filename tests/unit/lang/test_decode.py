"""Program text from bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo.errors import CompileError
from invivo.lang.d.decode import read_source


def refused(data: bytes) -> tuple[str, str, str]:
    with pytest.raises(CompileError) as caught:
        read_source("t.d", data)
    (found,) = caught.value.diagnostics
    assert found.code == "D_SYNTAX"
    return str(found.span), found.message, found.hint


def test_utf_8_is_read_and_a_byte_order_mark_dropped() -> None:
    assert read_source("t.d", "BEGIN { trace(\"é\") }".encode()).text == 'BEGIN { trace("é") }'
    assert read_source("t.d", b"\xef\xbb\xbfBEGIN").text == "BEGIN"
    assert read_source("t.d", b"").text == ""


def test_the_first_bad_byte_is_pointed_at_in_characters_not_bytes() -> None:
    place, message, hint = refused("a\né = ".encode() + b"\xff\xfe")
    assert place == "t.d:2:5"
    assert "0xff" in message
    assert "iconv" in hint


def test_a_text_that_ends_within_a_character() -> None:
    place, message, _ = refused(b"ab\xe2\x82")
    assert place == "t.d:1:3"
    assert "0xe2" in message


def test_nul_is_refused_where_it_comes_first() -> None:
    assert refused(b"a\nb\0\xff")[:2] == ("t.d:2:2", "byte 0x00 (NUL) has no place in program text")
    assert refused(b"\xff\0")[0] == "t.d:1:1"


@pytest.mark.parametrize(
    ("data", "word"),
    [("BEGIN".encode("utf-16"), "UTF-16"), (b"\x7fELF\x02\x01\x01\0", "binary"), (b"\xe9", "ISO-8859-1")],
)
def test_the_hint_fits_what_the_bytes_look_like(data: bytes, word: str) -> None:
    assert word in refused(data)[2]


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_text_or_a_compile_error(data: bytes) -> None:
    try:
        text = read_source("t.d", data).text
    except CompileError as error:
        printed = str(error)
    else:
        printed = ""
        assert text.encode() == data.removeprefix(b"\xef\xbb\xbf")
    assert printed.startswith("t.d:" if printed else "")
