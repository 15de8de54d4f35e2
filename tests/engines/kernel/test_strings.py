"""Strings in the kernel engine: literals, comparison, every string primitive, at several sizes.

Expected values are those of C's functions and of DTrace's documentation, written out by hand; Python's own string
functions serve as a second source for long inputs.
"""

from __future__ import annotations

import posixpath

import pytest

from invivo.program.nodes import Conditional, Expr
from invivo.program.types import INT, INT64, String
from tests.engines.build import (
    BEGIN,
    END,
    SPAN,
    Builder,
    assign,
    call,
    compare,
    convert,
    number,
    ref,
    results,
    string_call,
    text,
)

pytestmark = pytest.mark.kernel

SIZES = [16, 64, 256, 1024]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    """-x strsize"""
    return int(request.param)


def strings(d: Builder, size: int, *values: bytes) -> list[Expr]:
    return [d.unknown(value, String(size)) for value in values]


def test_assignment_cuts_to_the_variables_size(size: int) -> None:
    d = Builder(strsize=size)
    exact, over = b"x" * (size - 1), b"y" * (size + 5)
    found = results(d, *strings(d, size, b"", b"a", exact, over))
    assert found == ["", "a", exact.decode(), "y" * (size - 1)]


def test_comparison_is_strcmps(size: int) -> None:
    d = Builder(strsize=size)
    long = b"z" * (size - 1)
    values = [b"", b"a", b"ab", b"b", b"\xff", long]
    pairs = [(a, b) for a in values for b in values]
    operators = ["==", "!=", "<", "<=", ">", ">="]
    expressions, expected = [], []
    made = dict(zip(values, strings(d, size, *values), strict=True))
    for index, (a, b) in enumerate(pairs):
        operator = operators[index % 6]
        expressions.append(compare(operator, made[a], made[b]))
        expected.append(int(eval(f"a {operator} b", {"a": a, "b": b})))
    for operator in ("==", "!="):
        for a in values:  # against literals
            for b in (b"", b"a", b"ab", long, b"much longer than sixteen bytes"):
                literal, variable = text(b), made[a]
                expressions.append(compare(operator, variable, literal))
                expressions.append(compare(operator, literal, variable))
                expected += [int((a == b) == (operator == "=="))] * 2
    assert results(d, *expressions) == expected


def test_a_literal_may_be_ordered_against_a_string() -> None:
    d = Builder()
    (m,) = strings(d, 256, b"m")
    expressions = [compare("<", m, text("n")), compare("<", text("n"), m), compare(">=", text("m"), m)]
    assert results(d, *expressions) == [1, 0, 1]


def test_strlen(size: int) -> None:
    d = Builder(strsize=size)
    given = [b"", b"a", b"hello", b"q" * (size - 1)]
    found = results(d, *(call("strlen", s) for s in strings(d, size, *given)), call("strlen", text("four")))
    assert found == [0, 1, 5, size - 1, 4]


def test_strjoin(size: int) -> None:
    d = Builder(strsize=size)
    a, b, empty = strings(d, size, b"usr", b"/bin", b"")
    (full,) = strings(d, size, b"f" * (size - 1))
    found = results(
        d,
        string_call("strjoin", a, b, size=size),
        string_call("strjoin", empty, b, size=size),
        string_call("strjoin", a, empty, size=size),
        string_call("strjoin", text("lit"), b, size=size),
        string_call("strjoin", a, text("-eral"), size=size),
        string_call("strjoin", a, full, size=size),
        string_call("strjoin", full, a, size=size),
        string_call("strjoin", string_call("strjoin", a, b, size=size), a, size=size),
    )
    assert found == [
        "usr/bin", "/bin", "usr", "lit/bin", "usr-eral", "usr" + "f" * (size - 4), "f" * (size - 1), "usr/binusr",
    ]  # fmt: skip


SUBSTR = [  # DTrace's documented behaviour, which is perl's
    (b"foobarbaz", 3, 3, "bar"),
    (b"foobarbaz", 0, 100, "foobarbaz"),
    (b"foobarbaz", 9, 5, ""),
    (b"foobarbaz", 10, 1, ""),
    (b"foobarbaz", -3, 3, "baz"),
    (b"foobarbaz", -3, 2, "ba"),
    (b"foobarbaz", -3, 100, "baz"),
    (b"foobarbaz", 3, 0, ""),
    (b"foobarbaz", 3, -3, "bar"),  # a negative length leaves so many bytes at the end
    (b"foobarbaz", 3, -6, ""),
    (b"foobarbaz", 3, -100, ""),
    (b"foobarbaz", -100, 3, ""),
    (b"foobarbaz", -10, 3, "fo"),  # from one before the start
    (b"", 0, 5, ""),
    (b"x", -1, 5, "x"),
]


def test_substr(size: int) -> None:
    d = Builder(strsize=size)
    expressions = [
        string_call("substr", *strings(d, size, s), d.unknown(i, INT64), d.unknown(n, INT64), size=size)
        for s, i, n, _ in SUBSTR
    ]
    expressions += [
        string_call("substr", *strings(d, size, s), number(i), number(n), size=size) for s, i, n, _ in SUBSTR
    ]
    assert results(d, *expressions) == [row[3] for row in SUBSTR] * 2


LAST = (1 << 63) - 1
INDEX = [
    ("index", b"abcabc", b"c", 0, 2),
    ("index", b"abcabc", b"c", 3, 5),
    ("index", b"abcabc", b"bc", 2, 4),
    ("index", b"abcabc", b"abcabcd", 0, -1),
    ("index", b"abcabc", b"abcabc", 0, 0),
    ("index", b"abcabc", b"x", 0, -1),
    ("index", b"abcabc", b"a", -5, 0),
    ("index", b"abcabc", b"a", 99, -1),
    ("index", b"abcabc", b"", 0, 0),
    ("index", b"", b"a", 0, -1),
    ("index", b"aab", b"ab", 0, 1),
    ("rindex", b"abcabc", b"c", LAST, 5),
    ("rindex", b"abcabc", b"bc", LAST, 4),
    ("rindex", b"abcabc", b"bc", 3, 1),
    ("rindex", b"abcabc", b"bc", 0, -1),
    ("rindex", b"abcabc", b"a", -1, -1),
    ("rindex", b"abcabc", b"x", LAST, -1),
    ("rindex", b"abcabc", b"abcabc", LAST, 0),
]


def test_index_and_rindex(size: int) -> None:
    d = Builder(strsize=size)
    expressions = [
        call(name, *strings(d, size, whole, part), d.unknown(start, INT64)) for name, whole, part, start, _ in INDEX
    ]
    assert results(d, *expressions) == [row[4] for row in INDEX]


def test_index_at_the_very_end(size: int) -> None:
    d = Builder(strsize=size)
    whole = b"x" * (size - 3) + b"yz"
    made, part = strings(d, size, whole, b"yz")
    (over,) = strings(d, size, b"yzz")
    found = results(d, call("index", made, part, number(0)), call("index", made, over, number(0)))
    assert found == [whole.index(b"yz"), -1]


def test_strstr_strchr_strrchr(size: int) -> None:
    d = Builder(strsize=size)
    path, part, absent = strings(d, size, b"a/b/c", b"/b", b"q")
    slash, other = d.unknown(ord("/"), INT), d.unknown(ord("x"), INT)
    found = results(
        d,
        string_call("strstr", path, part, size=size),
        string_call("strstr", path, absent, size=size),
        string_call("strchr", path, slash, size=size),
        string_call("strchr", path, other, size=size),
        string_call("strrchr", path, slash, size=size),
        string_call("strrchr", path, convert(number(ord("/") + 256), INT), size=size),
        string_call("strchr", path, number(0, INT), size=size),
    )
    assert found == ["/b/c", "", "/b/c", "", "/c", "/c", ""]


PATHS = [b"", b"/", b"//", b"a", b"a/", b"/a", b"/a/", b"a/b", b"/a/b", b"a//b//", b"/usr/lib/x.so", b"./x", b"///a"]


def c_basename(path: bytes) -> bytes:
    """basename(3) by posixpath's rules."""
    stripped = path.rstrip(b"/")
    if not stripped:
        return b"/" if path else b"."
    return posixpath.basename(stripped)


def c_dirname(path: bytes) -> bytes:
    stripped = path.rstrip(b"/")
    if not stripped:
        return b"/" if path else b"."
    directory = stripped.rpartition(b"/")
    if not directory[1]:
        return b"."
    return directory[0].rstrip(b"/") or b"/"


def test_basename_and_dirname(size: int) -> None:
    d = Builder(strsize=size)
    paths = [*PATHS, b"/" + b"d" * (size - 5) + b"/f"]
    made = strings(d, size, *paths)
    found = results(d, *(string_call("basename", p, size=size) for p in made),
                    *(string_call("dirname", p, size=size) for p in made))  # fmt: skip
    assert found == [c_basename(p).decode() for p in paths] + [c_dirname(p).decode() for p in paths]


def test_lltostr() -> None:
    d = Builder()
    values = [0, 7, -7, 10, 2**31, -(2**31), 2**63 - 1, -(2**63)]
    found = results(d, *(string_call("lltostr", d.unknown(v, INT64), size=24) for v in values))
    assert found == [str(v) for v in values]


def test_lltostr_cut_to_a_small_strsize() -> None:
    d = Builder(strsize=8)
    assert results(d, string_call("lltostr", d.unknown(123456789, INT64), size=8)) == ["1234567"]


def test_case(size: int) -> None:
    d = Builder(strsize=size)
    every = bytes(range(1, 256))[: size - 1]
    made = strings(d, size, every, b"", b"aZ@[`{", every[::-1])
    found = results(d, *(string_call(name, s, size=size) for name in ("toupper", "tolower") for s in made))
    given = [every, b"", b"aZ@[`{", every[::-1]]
    expected = [s.upper() for s in given] + [s.lower() for s in given]
    assert [str(f).encode("utf-8", "surrogateescape") for f in found] == expected


def test_conditional_strings() -> None:
    d = Builder()
    a, b = strings(d, 256, b"yes", b"no")
    one, zero = d.unknown(1, INT), d.unknown(0, INT)
    kind = String(256)
    found = results(
        d,
        Conditional(one, a, b, kind, SPAN),
        Conditional(zero, a, b, kind, SPAN),
        Conditional(zero, text("literal"), text("other literal"), kind, SPAN),
        call("strlen", Conditional(one, text("three"), b, kind, SPAN)),
    )
    assert found == ["yes", "no", "other literal", 5]


def test_a_result_may_be_assigned_to_its_own_argument() -> None:
    d = Builder()
    kind = String(256)
    v = ref(d.variable("v", kind))
    twice = string_call("strjoin", v, v)
    d.clause(BEGIN, assign(v, text("ab")), assign(v, twice), assign(v, twice))
    d.clause(END, d.printf("%s", v))
    assert d.run().text == "abababab"


def test_five_string_calls_in_one_clause(size: int) -> None:
    d = Builder(strsize=size)
    (path,) = strings(d, size, b"/usr/lib/Debug")
    inner = string_call("basename", path, size=size)
    inner = string_call("tolower", inner, size=size)
    inner = string_call("strjoin", text("<"), inner, size=size)
    inner = string_call("strjoin", inner, text(">"), size=size)
    inner = string_call("substr", inner, number(1), call("index", inner, text("g"), number(0)), size=size)
    assert results(d, inner) == ["debug"]


def test_exotic_bytes_survive() -> None:
    d = Builder()
    data = bytes(range(1, 256))
    (value,) = strings(d, 256, data)
    d.clause(END, d.printf("%s", value))
    assert d.run().text.encode("utf-8", "surrogateescape") == data
