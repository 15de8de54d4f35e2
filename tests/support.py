"""What tests share: C programs with a known number of events, and the invivo command."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent

_built: tempfile.TemporaryDirectory[str] | None = None


def _swept(prefix: str) -> None:
    """Remove folders of runs that were killed: nobody holds them. Those that a run may have just made are left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # another user's, or gone
        try:
            is_ours = os.fstat(held).st_uid == os.geteuid() and time.time() - os.fstat(held).st_mtime > 60
            if is_ours:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(held)


@functools.cache
def trigger(name: str, *flags: str) -> str:
    """Path of tests/triggers/NAME.c, compiled once a run (removed at its end); `flags` are added to the compiler's."""
    global _built
    if _built is None:
        _swept("invivo-built-")
        _built = tempfile.TemporaryDirectory(prefix="invivo-built-")
        os.chmod(_built.name, 0o755)
        fcntl.flock(os.open(_built.name, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_SH)  # until this process ends
    path = os.path.join(_built.name, "".join((name, *flags)).replace("/", "_"))
    source = TESTS / "triggers" / f"{name}.c"
    subprocess.run(["cc", "-O1", "-pthread", *flags, "-o", path, str(source)], check=True)
    return path


def spent(output: str) -> tuple[float, dict[str, float]]:
    """What tests/triggers/shares.c says: its seconds on the processor, and the share of each function's."""
    total, *seconds = map(float, output.split())
    parts = dict(zip(("seventy", "twenty", "ten"), seconds, strict=True))
    return total, {name: part / sum(seconds) for name, part in parts.items()}


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


# Keywords of subprocess.run for a user without rights: nobody's, where this is root; else oneself.
ORDINARY_USER: dict[str, object] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


@functools.cache
def python_of_user() -> str:
    """An interpreter that an ordinary user may run: this one, or the system's where root keeps it to itself."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        code = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        try:
            if subprocess.run([candidate, "-c", code], check=False, **ORDINARY_USER).returncode == 0:  # type: ignore[call-overload]
                return candidate
        except OSError:
            continue
    import pytest

    pytest.skip(f"no Python {sys.version_info.major}.{sys.version_info.minor} that an ordinary user may run")


def user_environment() -> dict[str, str]:
    """The environment in which that interpreter finds invivo and what it needs, and no cache of another user's."""
    paths = [str(ROOT / "src"), *(path for path in sys.path if path.endswith("site-packages"))]
    return {**os.environ, "PYTHONPATH": ":".join(paths), "HOME": "/nonexistent", "XDG_CACHE_HOME": ""}


def as_user(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command as an ordinary user, who may load no BPF program and read no tracefs."""
    return subprocess.run(
        [python_of_user(), "-m", "invivo", *arguments],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=timeout,
        check=False,
        env=user_environment(),
        cwd="/",
        **ORDINARY_USER,  # type: ignore[call-overload]
    )
