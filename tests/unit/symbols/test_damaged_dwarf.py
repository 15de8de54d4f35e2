"""Files with damaged debug information or notes end in an answer or a clear error: never a crash, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import trigger
from tests.unit.symbols.fuzz_dwarf import outcomes


def check(seeds: range) -> None:
    found = outcomes(Path(trigger("fields", "-g")).read_bytes(), seeds)
    assert found.keys() == {"read", "refused"}
    assert min(found.values()) > len(seeds) // 10, "both happen, so that the files are neither all broken nor all whole"


def test_forty_damaged_files() -> None:
    check(range(40))


@pytest.mark.slow
def test_a_thousand_damaged_files() -> None:
    check(range(1000))
