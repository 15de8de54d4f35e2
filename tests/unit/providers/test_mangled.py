"""Functions of C++ and Rust, named as they are written."""

from __future__ import annotations

import pytest

from invivo.providers.mangled import unmangled

NAMES = ["main", "place", "_ZN4Shop5placeERKi", "_ZN4Shop7replaceEv", "_RNvCs1234_7mycrate3foo", "_ZN9workplace3runEv"]


@pytest.mark.parametrize(
    ("wanted", "pattern", "function"),
    [
        ("Shop*place*", "*Shop*place*", "2 functions, such as Shop::"),
        ("Shop*place?RKi", "*Shop*place?RKi*", "Shop::place(int const&)"),
        ("place", "*5place*", "Shop::place(int const&)"),
        ("foo", "*3foo*", "mycrate::foo"),
    ],
)
def test_the_pattern_that_would_match_is_told(wanted: str, pattern: str, function: str) -> None:
    hint = unmangled(wanted, NAMES)
    assert f"names of C++ and Rust are mangled in the file: {pattern} matches {function}" in hint


@pytest.mark.parametrize("wanted", ["", "*", "plac", "nothing*"])
def test_where_none_would_nothing_is_said(wanted: str) -> None:
    assert unmangled(wanted, NAMES) == ""
