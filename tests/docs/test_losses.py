"""The manual names every kind of loss that invivo can tell of."""

from __future__ import annotations

import re

from invivo.consumer.drops import _KINDS
from tests.support import ROOT

GUIDE = ROOT / "docs" / "guide"


def test_losses_has_a_row_for_each_message() -> None:
    rows = re.findall(r"^\| `N ([a-z ]+?)s?(?: on CPU C| of @name)?` \|", (GUIDE / "losses.md").read_text(), re.M)
    assert sorted(rows) == sorted(noun for noun, _ in _KINDS.values())


def test_json_lists_the_kinds() -> None:
    section = (GUIDE / "json.md").read_text().partition("## drop")[2].partition("`count`")[0]
    assert set(re.findall(r"`(\w+)`", section)) - {"kind"} == set(_KINDS)
