"""What DTrace has and invivo has not: told to the person who uses it, and in the manual."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from invivo.builtins import BUILTINS
from invivo.builtins.absent import ABSENT

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "how-it-differs-from-dtrace.md"


def test_nothing_that_is_there_is_called_absent() -> None:
    assert ABSENT.keys() & BUILTINS.keys() == set()


def test_the_manual_lists_what_is_absent() -> None:
    section = PAGE.read_text().partition("## What invivo does not have")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(\w+)`", section.partition("- Destructive")[2].partition("- The C preprocessor")[0]))
    assert listed == set(ABSENT)


@pytest.mark.parametrize(("name", "hint"), [("panic", "bring the system down"), ("ddi_pathname", "see fds[]")])
def test_a_hint_says_what_to_do_instead(name: str, hint: str) -> None:
    assert hint in ABSENT[name]
