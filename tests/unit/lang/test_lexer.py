"""The lexer: tokens, literals, comments, control lines."""

from __future__ import annotations

import pytest

from invivo.diagnostics import Diagnostics
from invivo.lang.d.lexer import Lexer, Token, TokenKind
from invivo.lang.d.syntax import Number, StringLiteral
from invivo.source import SourceFile


def tokens(text: str) -> tuple[list[Token], list[str]]:
    diagnostics = Diagnostics()
    lexer = Lexer(SourceFile("t.d", text), diagnostics)
    found: list[Token] = []
    offset = 0
    while (token := lexer.token(offset)).kind is not TokenKind.END:
        assert token.end > token.start >= offset
        found.append(token)
        offset = token.end
    return found, [d.code for d in diagnostics.found]


def literal(text: str) -> Number | StringLiteral | None:
    (token,), codes = tokens(text)
    assert codes == []
    return token.literal


@pytest.mark.parametrize(
    ("text", "value", "suffix", "is_decimal"),
    [
        ("0", 0, "", True),
        ("42", 42, "", True),
        ("0x1F", 31, "", False),
        ("0XfFuLL", 255, "ull", False),
        ("0777", 511, "", False),
        ("7u", 7, "u", True),
        ("7LU", 7, "ul", True),
        ("7ll", 7, "ll", True),
        ("18446744073709551615", 2**64 - 1, "", True),
        ("00000000000000000000000000000000000000001", 1, "", False),
    ],
)
def test_integers_have_cs_values(text: str, value: int, suffix: str, is_decimal: bool) -> None:
    found = literal(text)
    assert isinstance(found, Number)
    assert (found.value, found.suffix, found.is_decimal) == (value, suffix, is_decimal)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("18446744073709551616", "D_INT_OFLOW"),
        ("0x10000000000000000", "D_INT_OFLOW"),
        ("9" * 5000, "D_INT_OFLOW"),
        ("08", "D_INT_DIGIT"),
        ("12ab", "D_INT_DIGIT"),
        ("0x", "D_INT_DIGIT"),
        ("0xfg", "D_INT_DIGIT"),
        ("1lll", "D_INT_DIGIT"),
        ("1.5", "D_SYNTAX"),
        (".5", "D_SYNTAX"),
        ("1e9", "D_SYNTAX"),
        ("2.5e-3f", "D_SYNTAX"),
        ('"abc', "D_STR_NL"),
        ('"abc\\', "D_STR_NL"),
        ("''", "D_CHR_NULL"),
        ("'abcdefghi'", "D_CHR_OFLOW"),
        ("'a", "D_CHR_NL"),
    ],
)
def test_a_wrong_literal_is_one_error_and_one_token(text: str, code: str) -> None:
    found, codes = tokens(text)
    assert codes == [code]
    assert len(found) == 1


def test_a_string_ends_with_its_line() -> None:
    found, codes = tokens('"ab\nc')
    assert codes == ["D_STR_NL"]
    assert [token.text for token in found] == ['"ab', "c"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\tb\\n"', b"a\tb\n"),
        (r'"\x41\101\0"', b"AA\0"),
        (r'"\"\\\q"', b'"\\q'),
        ('"é"', "é".encode()),
        (r'"\1234"', b"S4"),
        ('"a\\\nb"', b"ab"),
        ('"\udcff"', b"\xff"),
    ],
)
def test_escapes_in_strings_are_cs(text: str, value: bytes) -> None:
    found = literal(text)
    assert isinstance(found, StringLiteral)
    assert found.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("'a'", 97), (r"'\n'", 10), (r"'\0'", 0), (r"'\''", 39), ("'ab'", 0x6162), ("'abcd'", 0x61626364)],
)
def test_characters_are_integers_whose_last_character_is_the_lowest_byte(text: str, value: int) -> None:
    found = literal(text)
    assert isinstance(found, Number)
    assert found.value == value
    assert found.is_char


def test_the_longest_operator_is_taken() -> None:
    found, codes = tokens("a<<=b>>c<=d->e--f^^g&&h!=i...")
    assert codes == []
    signs = [token.text for token in found if token.kind is TokenKind.SIGN]
    assert signs == ["<<=", ">>", "<=", "->", "--", "^^", "&&", "!=", "..."]


def test_names_aggregations_and_macros() -> None:
    found, codes = tokens("vmlinux`jiffies `x 9p`sym @ @big $1 $$12 $target _a1")
    assert codes == []
    assert [(token.kind.value, token.text) for token in found] == [
        ("name", "vmlinux`jiffies"),
        ("name", "`x"),
        ("name", "9p`sym"),
        ("aggregation", ""),
        ("aggregation", "big"),
        ("macro", "1"),
        ("macro", "$12"),
        ("macro", "target"),
        ("name", "_a1"),
    ]


def test_comments_are_passed_over() -> None:
    found, codes = tokens("a /* b\n c */ d // e\n f /**/ g")
    assert codes == []
    assert [token.text for token in found] == ["a", "d", "f", "g"]


def test_an_open_comment_is_an_error_where_it_begins() -> None:
    diagnostics = Diagnostics()
    lexer = Lexer(SourceFile("t.d", "a\n /* b"), diagnostics)
    assert lexer.token(1).kind is TokenKind.END
    assert [(d.code, str(d.span)) for d in diagnostics.found] == [("D_SYNTAX", "t.d:2:2")]


def test_an_error_is_reported_once_however_often_it_is_read() -> None:
    diagnostics = Diagnostics()
    lexer = Lexer(SourceFile("t.d", "08"), diagnostics)
    lexer.token(0)
    lexer.token(0)
    assert len(diagnostics.found) == 1


def test_control_lines() -> None:
    text = '#!/usr/bin/invivo -s\n#pragma D option quiet\n# 12 "x.h"\n#line 5\n#pragma ident "x"\n#pragma once\n#\na'
    diagnostics = Diagnostics()
    lexer = Lexer(SourceFile("t.d", text), diagnostics)
    assert lexer.token(0).text == "a"
    assert diagnostics.found == []
    assert [pragma.words for pragma in lexer.pragmas.values()] == [("option", "quiet"), ("ident", '"x"')]


def test_a_pragma_keeps_quotes_and_joined_lines() -> None:
    lexer = Lexer(SourceFile("t.d", '#pragma D option \\\n x="a b"\n'), Diagnostics())
    lexer.token(0)
    assert [pragma.words for pragma in lexer.pragmas.values()] == [("option", 'x="a b"')]


@pytest.mark.parametrize("line", ["#include <stdio.h>", "#define A 1", "#ifdef X", "#if 1"])
def test_preprocessor_directives_need_the_preprocessor(line: str) -> None:
    diagnostics = Diagnostics()
    assert Lexer(SourceFile("t.d", line + "\na"), diagnostics).token(0).text == "a"
    (found,) = diagnostics.found
    assert (found.code, found.span.text) == ("D_PRAGCTL_INVAL", line)
    assert "-C" in found.hint


def test_characters_without_meaning_are_named_and_passed_over() -> None:
    found, codes = tokens("a “b” # c \x01 $")
    assert [token.text for token in found] == ["a", "b", "c"]
    assert codes == ["D_SYNTAX"] * 5


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("tick-1s{", 7),
        ("syscall::open*:entry /x/", 20),
        ("pid$target:a.out:main:entry,", 27),
        ("pid1:libstdc++.so.6::-", 22),
        ("*[a-z]?:::x!", 12),
        ("12 {", 2),
        (":::", 3),
    ],
)
def test_a_probe_description_is_one_lexeme(text: str, end: int) -> None:
    assert Lexer(SourceFile("t.d", text), Diagnostics()).probe_description(0) == end


@pytest.mark.parametrize("text", ["{", "/x/", "(", "12a"])
def test_what_is_no_probe_description(text: str) -> None:
    assert Lexer(SourceFile("t.d", text), Diagnostics()).probe_description(0) is None
