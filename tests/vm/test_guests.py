"""Whole commands on other kernels: each boots once, runs all checks, and every check is a test of its own."""

from __future__ import annotations

import functools
import json
import re
import sys
from typing import Any

import pytest

from tests.support import ROOT
from tests.vm.checks import CHECKS, Check
from tests.vm.guest import prepared, run
from tests.vm.kernels import KERNELS, GuestKernel

pytestmark = pytest.mark.guest


@functools.cache
def answers(kernel: GuestKernel) -> dict[str, dict[str, Any]]:
    """What each check's command gave, and "release"."""
    ready = prepared(kernel, ROOT / ".guests")
    output = run(ready, ["sh", "-c", f"uname -r; {sys.executable} -m tests.vm.inside"])
    found: dict[str, dict[str, Any]] = {"release": {"ran": output.split("\n", 1)[0], "wanted": ready.release}}
    for line in output.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            found[row["name"]] = row
    return found


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.series)
def test_the_guest_runs_that_kernel(kernel: GuestKernel) -> None:
    release = answers(kernel)["release"]
    assert release["ran"] == release["wanted"]
    assert release["ran"].startswith(kernel.series + ".")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.series)
def test_command(kernel: GuestKernel, check: Check) -> None:
    answer = answers(kernel)[check.name]
    assert re.fullmatch(check.output, answer["out"]), answer
    assert re.fullmatch(check.error, answer["err"]), answer
    assert answer["status"] == check.status
    assert answer["left"] == 0
