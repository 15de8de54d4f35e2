"""What tests share: C programs with a known number of events, and the invivo command."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent

_built: tempfile.TemporaryDirectory[str] | None = None


@functools.cache
def trigger(name: str, *flags: str) -> str:
    """Path of tests/triggers/NAME.c, compiled once a run (removed at its end); `flags` are added to the compiler's."""
    global _built
    if _built is None:
        _built = tempfile.TemporaryDirectory(prefix="invivo-triggers-")
        os.chmod(_built.name, 0o755)
    path = os.path.join(_built.name, "".join((name, *flags)).replace("/", "_"))
    source = TESTS / "triggers" / f"{name}.c"
    subprocess.run(["cc", "-O1", "-pthread", *flags, "-o", path, str(source)], check=True)
    return path


def invivo(*arguments: str, timeout: float = 60, **keywords: object) -> subprocess.CompletedProcess[str]:
    """Run the command with these arguments to its end, its output as text."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "invivo", *arguments],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=timeout,
        check=False,
        **{"env": environment, **keywords},  # type: ignore[call-overload]
    )
