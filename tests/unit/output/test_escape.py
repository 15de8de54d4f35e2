"""What a traced program can do to a terminal: nothing."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo.output.escape import escape, escape_all


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"plain\ttext\n", b"plain\ttext\n"),
        (b"\x1b[31m", b"\\x1b[31m"),
        (b"a\rb\x07\x7f", b"a\\x0db\\x07\\x7f"),
        (b"\xc2\x9b31m", b"\\xc2\\x9b31m"),  # U+009B is the C1 form of ESC [
        (b"\x9b31m", b"\\x9b31m"),  # the same as a lone byte
        (b"\xc3\xa9\xe2\x82\xac", b"\xc3\xa9\xe2\x82\xac"),  # é and the euro sign print
        (b"\xff\xfe", b"\\xff\\xfe"),
        (b"a\xe2\x80\xaeb", b"a\\xe2\\x80\\xaeb"),  # U+202E turns the direction of writing
    ],
)
def test_what_a_terminal_would_obey_is_made_visible(text: bytes, shown: bytes) -> None:
    assert escape(text) == shown


@given(st.binary())
def test_nothing_that_controls_remains(text: bytes) -> None:
    shown = escape(text).decode("utf-8")  # valid, always
    assert all(char in "\t\n" or not (ord(char) < 32 or 0x7F <= ord(char) < 0xA0) for char in shown)


@given(st.binary().map(lambda text: text.replace(b"\0", b"")))
def test_c_literals_are_what_c_reads(text: bytes) -> None:
    """The escapes of a string (which has no NUL) read back, by Python's own rules for bytes literals, give the text."""
    assert ast.literal_eval(f'b"{escape_all(text).decode("ascii")}"') == text
