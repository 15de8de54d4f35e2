"""What takes longer than a second is told, on a terminal and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from invivo.progress import progress
from tests.support import ROOT

pytestmark = pytest.mark.kernel

# Some thousand statements that no pass can fold together.
SLOW = "BEGIN { " + "".join(f"@[{i}] = sum(timestamp % {i + 2}); " for i in range(900)) + "exit(0); }"


def words(script: Path) -> list[str]:
    return [sys.executable, "-m", "invivo", "run", "-q", "--no-cache", str(script)]


def test_compiling_is_told_on_a_terminal_and_cleared(tmp_path: Path) -> None:
    script = tmp_path / "slow.d"
    script.write_text(SLOW)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    master, slave = pty.openpty()
    done = subprocess.run(words(script), stdout=subprocess.DEVNULL, stderr=slave, env=environment, check=False)
    os.close(slave)
    told = os.read(master, 1 << 16)
    os.close(master)
    assert done.returncode == 0
    assert re.search(rb"invivo: compiling \.\.\. \d+ s", told)
    assert told.rstrip().endswith(b"\r\x1b[K")


def test_nothing_is_told_elsewhere(tmp_path: Path) -> None:
    script = tmp_path / "slow.d"
    script.write_text(SLOW)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(words(script), capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_short_block_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    with progress("nothing", is_wanted=True):
        pass
    assert capfd.readouterr().err == ""
