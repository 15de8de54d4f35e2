"""Pages written by `make docs` are what it would write now."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.support import ROOT

MANUAL = sorted((ROOT / "docs" / "man").glob("*.[17]"))


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


@pytest.mark.parametrize("page", MANUAL, ids=lambda path: path.name)
def test_manual_pages_have_no_roff_errors(page: object) -> None:
    if shutil.which("groff") is None:
        pytest.skip("no groff")
    command = ["groff", "-man", "-Tascii", "-ww", str(page)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "SEE ALSO" in result.stdout or "S\bSE" in result.stdout or "SEE" in result.stdout
