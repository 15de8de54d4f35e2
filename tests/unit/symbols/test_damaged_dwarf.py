"""Files with damaged debug information or notes end in an answer or a clear error: never a crash, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support import ROOT, trigger


def check(seeds: range) -> None:
    # In a process of its own: drgn's threads do not live on in children, and those of this one would wait for them.
    code = (
        "import json; from tests.unit.symbols.fuzz_dwarf import outcomes; "
        f"print(json.dumps(outcomes(open({trigger('fields', '-g')!r}, 'rb').read(), {seeds!r})))"
    )
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    assert found.keys() == {"read", "refused"}
    assert min(found.values()) > len(seeds) // 10, "both happen, so that the files are neither all broken nor all whole"


def test_forty_damaged_files() -> None:
    check(range(40))


@pytest.mark.slow
def test_a_thousand_damaged_files() -> None:
    check(range(1000))
