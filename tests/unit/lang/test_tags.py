"""Error tags: each that DTrace documents is produced by a case, or the manual says why it never occurs."""

from __future__ import annotations

import re
from pathlib import Path

from invivo.lang.d.tags import TAGS, UNREACHABLE

CASES = Path(__file__).parents[2] / "cases"


def produced() -> set[str]:
    """Of cases that do not compile by their name, of commands by what they print."""
    found = {path.name.split(".")[1] for path in CASES.rglob("err.*.d")}
    for path in CASES.rglob("cmd.*.err"):
        found.update(re.findall(r"\[(D_\w+)\]", path.read_text()))
    return found


def test_there_are_as_many_as_dtrace_has() -> None:
    assert len(TAGS) == len(set(TAGS)) == 212


def test_every_tag_is_produced_or_has_a_reason() -> None:
    found = produced()
    assert [tag for tag in TAGS if tag not in found and tag not in UNREACHABLE] == []
    assert [tag for tag in UNREACHABLE if tag in found or tag not in TAGS] == []


def test_no_other_tags_are_made_up() -> None:
    """But one, for what DTrace refuses without a tag."""
    assert produced() - set(TAGS) == {"D_DESTRUCTIVE"}
