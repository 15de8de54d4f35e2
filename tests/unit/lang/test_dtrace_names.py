"""The table of DTrace's names in the manual: none is missing, and what works has a case."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from invivo.lang.d.dtrace_names import NAMES, State, note_of, state_of

TESTS = Path(__file__).parents[2]
ALL = [(kind, name) for kind, names in NAMES.items() for name in names]
# Shown where a running target is the second source: outside of tests/cases.
ELSEWHERE = {"ucaller", "ustack", "ustackdepth"}


@functools.cache
def words(folder: str) -> frozenset[str]:
    """All words of the programs in a folder: of its D files, and of its tests, which have programs in them."""
    found: set[str] = set()
    for path in (TESTS / folder).rglob("*"):
        if path.suffix == ".d" and not path.name.startswith("err."):
            text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8", "replace"), flags=re.S)
            found.update(re.findall(r"\w+", text))
        elif path.suffix == ".py" and folder != "cases":
            found.update(re.findall(r"\w+", path.read_text()))
    return frozenset(found)


def test_the_lists_have_what_dtrace_has() -> None:
    """As many as DTrace's own tables have; of its 46 subroutines, two are listed as actions here."""
    assert len(NAMES["aggregating function"]) == 9
    assert len(NAMES["subroutine"]) == 44
    assert len(NAMES["pragma"]) == 7
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_name_has_a_state_and_what_is_not_as_in_dtrace_a_reason(kind: str, name: str) -> None:
    assert (note_of(kind, name) == "") is (state_of(kind, name) is State.WORKS)


@pytest.mark.parametrize(("kind", "name"), [each for each in ALL if each[0] not in ("option", "pragma")])
def test_what_works_has_a_case(kind: str, name: str) -> None:
    if state_of(kind, name) is not State.CANNOT:
        folders = ("cases", "session") if name in ELSEWHERE else ("cases",)
        assert any(name in words(folder) for folder in folders)
