"""Functions of programs that the Go compiler made: their stacks grow, and move, while they run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import TESTS, invivo

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("go") is None, reason="no Go (apt-get install golang-go)"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GOCACHE": str(place / "cache"), "GO111MODULE": "off", "HOME": str(place)}
    source = TESTS / "triggers/stacks.go"
    subprocess.run(["go", "build", "-o", place / "stacks", source], check=True, env=environment, timeout=300)
    return str(place / "stacks")


def run(text: str, command: str) -> list[list[str]]:
    result = invivo("run", "-q", "-e", text, "-c", command)
    assert result.returncode == 0, result.stderr
    assert "sum 91" in result.stdout, "the program was disturbed"
    return [line.split() for line in result.stdout.splitlines() if line.strip() and "sum" not in line]


def test_a_call_counts_once_although_its_stack_had_to_grow(program: str) -> None:
    text = "pid$target:a.out:main.deep:entry { @e = count(); } pid$target:a.out:main.deep:return { @r = count(); }"
    assert run(text, program) == [["7007"], ["7007"]]


def test_arguments_and_results(program: str) -> None:
    text = """pid$target:a.out:main.add:entry { @a[arg0, arg1] = count(); }
        pid$target:a.out:main.add:return { @r[arg1] = count(); }"""
    expected = [[str(i), "10", "1"] for i in range(7)] + [[str(i + 10), "1"] for i in range(7)]
    assert run(text, program) == expected


def test_every_function_of_the_program_and_its_runtime(program: str) -> None:
    text = 'pid$target:a.out::entry { @[probefunc == "main.deep"] = count(); }'
    result = invivo("run", "-q", "-e", text, "-c", program)
    assert result.returncode == 0, result.stderr
    assert "sum 91" in result.stdout
    assert ["1", "7007"] in [line.split() for line in result.stdout.splitlines()]


def test_a_stripped_program_says_so(program: str, tmp_path: Path) -> None:
    copy = shutil.copy(program, tmp_path / "stripped")
    subprocess.run(["strip", copy], check=True)
    result = invivo("run", "-q", "-e", "pid$target:a.out:main.deep:entry { }", "-c", str(copy))
    assert result.returncode != 0
    assert "is stripped" in result.stderr
