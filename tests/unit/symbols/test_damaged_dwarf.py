"""Files with damaged debug information or notes end in an answer or a clear error: never a crash, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import ROOT, TESTS, trigger

PLACES = os.sched_getaffinity(0)


def program(name: str, folder: Path) -> str:
    """One in C, or one in C++, which is built in the folder."""
    if name == "fields":
        return trigger("fields", "-g")
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler (apt-get install g++)")
    path = str(folder / name)
    subprocess.run(["c++", "-g", "-O1", "-o", path, str(TESTS / "triggers" / f"{name}.cc")], check=True)
    return path


def check(name: str, seeds: range, folder: Path) -> None:
    # In processes of their own: drgn's threads do not live on in children, and those of this one would wait for them.
    shares = [seeds[first :: len(PLACES)] for first in range(len(PLACES))]
    code = (
        "import json; from tests.unit.symbols.fuzz_dwarf import outcomes; "
        f"print(json.dumps(outcomes(open({program(name, folder)!r}, 'rb').read(), {{}})))"
    )
    found: Counter[str] = Counter()
    with ThreadPoolExecutor(len(shares)) as pool:
        for done in pool.map(lambda share: run(code.format(share)), shares):
            found.update(json.loads(done.splitlines()[-1]))
    assert found.keys() == {"read", "refused"}
    assert found.total() == len(seeds)
    assert min(found.values()) > len(seeds) // 10, "both happen, so that the files are neither all broken nor all whole"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["fields", "objects"])
def test_forty_damaged_files(name: str, tmp_path: Path) -> None:
    check(name, range(40), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fields", "objects"])
def test_a_thousand_damaged_files(name: str, tmp_path: Path) -> None:
    check(name, range(1000), tmp_path)
