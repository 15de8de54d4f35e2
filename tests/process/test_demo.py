"""`make demo` in a fresh clone, as an ordinary user without any right."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ORDINARY_USER, ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of the user's own."""
    path = Path(tempfile.mkdtemp(prefix="invivo-demo-"))
    yield path
    shutil.rmtree(path)


def test_make_demo(home: Path) -> None:
    clone = home / "clone"
    cloned = subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=False, capture_output=True)
    if cloned.returncode != 0:
        pytest.skip("this is no git repository, or there is no git")
    user = ORDINARY_USER.get("user", os.geteuid())
    subprocess.run(["chown", "-R", f"{user}:{ORDINARY_USER.get('group', os.getegid())}", str(home)], check=True)
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), **settings}
    result = subprocess.run(
        ["make", "demo"], cwd=clone, env=environment, capture_output=True, text=True, timeout=500, check=False,
        **ORDINARY_USER,
    )  # type: ignore[call-overload]  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the process engine traces the command, by ptrace(2)" in result.stdout
    (words,) = [line for line in result.stdout.splitlines() if line.startswith("In plain words: find asked the kernel")]
    assert int(words.split()[7]) > 100
    assert "openat" in result.stdout
