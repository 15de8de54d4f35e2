"""Probes of programs by breakpoints, as an ordinary user: libraries opened late, other programs, USDT."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import TESTS, as_user, trigger

pytestmark = pytest.mark.process


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A library that the trigger `loads` opens at run time, where an ordinary user can read it."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="invivo-test-"))
    place.chmod(0o755)
    path = place / "libplugin.so.2"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(path), str(TESTS / "triggers/plugin.c")], check=True)
    path.chmod(0o755)
    yield path  # type: ignore[misc]
    shutil.rmtree(place)


def test_a_library_opened_later_is_probed_from_its_first_call_on(plugin: Path) -> None:
    program = f"pid$target:{plugin}:plugin_work:return {{ @n = count(); @m = max(arg1); }}"
    result = as_user("run", "-q", "-e", program, "-c", f"{trigger('loads')} {plugin}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["123", "23", "123"]


def test_usdt_arguments_and_semaphores() -> None:
    untraced = subprocess.run([trigger("usdt"), "17"], capture_output=True, text=True, check=True)
    assert untraced.stdout.split()[-1] == "0"  # nobody raised its semaphore
    program = (
        'demo$target:::sites { @sites = sum(args[0] < 0 ? -args[0] : args[0]); @n = count(); } '
        "demo$target:::guarded { @guarded = count(); } "
        'demo$target:::sites /args[0] == 16/ { printf("%s\\n", copyinstr((uintptr_t)arg1)); }'
    )
    result = as_user("run", "-q", "-e", program, "-c", f"{trigger('usdt')} 17")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.split("\n")
    assert "guarded 17" in lines
    assert "a text" in lines
    assert result.stdout.split()[-3:] == [str(2 * sum(range(17))), "34", "17"]


def test_programs_executed_later_are_probed_in_their_libraries_too() -> None:
    """The shell becomes the trigger, whose C library is mapped after exec; the other trigger runs in a child."""
    usdt = trigger("usdt")
    program = (
        f"usdt:{usdt}:demo:forms {{ @forms = count(); }} pid$target:libc.so.6:usleep:entry {{ @sleeps = count(); }}"
    )
    result = as_user("run", "-q", "-e", program, "-c", f"sh -c '{usdt} 29; exec {usdt} 31 1'")
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()[-2:], key=int) == ["31", "60"]
