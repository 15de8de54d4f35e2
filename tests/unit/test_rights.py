"""tests/conftest.py itself: what becomes of tests whose right is absent, and of runs in which nothing ran."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFUSED = 'RIGHTS["kernel"] = lambda: "refused for the sake of this test"\n'


def run_tests(place: Path, text: str, *, conftest: str = "", require: str = "") -> subprocess.CompletedProcess[str]:
    """Run a file of tests below our conftest.py and configuration."""
    (place / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text() + conftest)
    (place / "test_it.py").write_text("import os, pytest, subprocess\n" + text)
    environment = {key: value for key, value in os.environ.items() if key != "INVIVO_REQUIRE"}
    environment |= {"INVIVO_REQUIRE": require} if require else {}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", place, "-p", "no:cacheprovider",
         "-rs", place],
        capture_output=True, text=True, check=False, env=environment, cwd=place,
    )  # fmt: skip


KERNEL = "@pytest.mark.kernel\ndef test_k(): pass\n"
PLAIN = "def test_plain(): pass\n"


def test_an_absent_right_skips_with_its_reason(tmp_path: Path) -> None:
    result = run_tests(tmp_path, KERNEL + PLAIN, conftest=REFUSED)
    assert result.returncode == 0
    assert "kernel: refused for the sake of this test" in result.stdout
    assert "1 passed, 1 skipped" in result.stdout


def test_a_required_right_that_is_absent_fails(tmp_path: Path) -> None:
    result = run_tests(tmp_path, KERNEL + PLAIN, conftest=REFUSED, require="process,kernel")
    assert result.returncode == 1
    assert "INVIVO_REQUIRE names 'kernel', but refused" in result.stdout


MISSING = "@pytest.mark.kernel\ndef test_m(): pytest.skip('no frob here (apt-get install frob)')\n"


@pytest.mark.parametrize(("require", "status"), [("", 0), ("kernel", 1), ("process", 0)])
def test_a_program_that_could_be_installed_may_be_missing_only_where_nothing_is_required(
    require: str, status: int, tmp_path: Path
) -> None:
    result = run_tests(tmp_path, MISSING + PLAIN, conftest='RIGHTS["kernel"] = lambda: ""\n', require=require)
    assert result.returncode == status
    assert ("INVIVO_REQUIRE names 'kernel', but the test was skipped" in result.stdout) is bool(status)


def test_a_misspelt_requirement_is_an_error(tmp_path: Path) -> None:
    result = run_tests(tmp_path, PLAIN, require="kernal")
    assert result.returncode == 4
    assert "kernal" in result.stderr


@pytest.mark.parametrize(
    "text",
    ["", "@pytest.mark.slow\n" + PLAIN, "@pytest.mark.skip\n" + PLAIN, KERNEL],
    ids=["none", "deselected", "skipped", "refused"],
)
def test_a_run_of_nothing_is_no_success(text: str, tmp_path: Path) -> None:
    assert run_tests(tmp_path, text, conftest=REFUSED).returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_no_cases_is_an_error(tmp_path: Path) -> None:
    result = run_tests(tmp_path, PLAIN + "@pytest.mark.parametrize('case', [])\ndef test_cases(case): pass\n")
    assert result.returncode == 2
    assert "empty parameter set" in result.stdout.lower()


def test_a_child_left_behind_fails_the_test(tmp_path: Path) -> None:
    left = "@pytest.mark.kernel\ndef test_it():\n    global child\n    child = subprocess.Popen(['sleep', '60'])\n"
    result = run_tests(tmp_path, left + PLAIN, conftest='RIGHTS["kernel"] = lambda: ""\n')
    assert result.returncode == 1
    assert "children left behind" in result.stdout
    assert "sleep" in result.stdout
