"""Files with damaged debug information or notes end in an answer or a clear error: never a crash, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.support import ROOT, TESTS, trigger


def program(name: str) -> str:
    """One in C, or one in C++."""
    if name == "fields":
        return trigger("fields", "-g")
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler (apt-get install g++)")
    path = os.path.join(tempfile.mkdtemp(), name)
    subprocess.run(["c++", "-g", "-O1", "-o", path, str(TESTS / "triggers" / f"{name}.cc")], check=True)
    return path


def check(name: str, seeds: range) -> None:
    # In a process of its own: drgn's threads do not live on in children, and those of this one would wait for them.
    code = (
        "import json; from tests.unit.symbols.fuzz_dwarf import outcomes; "
        f"print(json.dumps(outcomes(open({program(name)!r}, 'rb').read(), {seeds!r})))"
    )
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    assert found.keys() == {"read", "refused"}
    assert min(found.values()) > len(seeds) // 10, "both happen, so that the files are neither all broken nor all whole"


@pytest.mark.parametrize("name", ["fields", "objects"])
def test_forty_damaged_files(name: str) -> None:
    check(name, range(40))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fields", "objects"])
def test_a_thousand_damaged_files(name: str) -> None:
    check(name, range(1000))
