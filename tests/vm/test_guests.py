"""Whole commands on other kernels: each boots once and runs all checks; every check is a test.

All of tests/cases runs there too, in a boot of its own: `make test-guest-cases`, which takes a quarter of an hour.
One kernel at a time: an emulated processor that waits for another one spins, and two guests of two processors each
took twice as long side by side as one after the other.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cases.test_cases import GOOD, comment, title
from tests.support import ROOT
from tests.vm.cases import TOO_MUCH
from tests.vm.checks import CHECKS, Check
from tests.vm.guest import prepared, run
from tests.vm.kernels import KERNELS, GuestKernel

Answers = Callable[..., dict[str, dict[str, Any]]]


def asked(kernel: GuestKernel, module: str) -> dict[str, dict[str, Any]]:
    """What each row of the module's output says, by its name, and "release"."""
    ready = prepared(kernel, ROOT / ".guests")
    output = run(ready, ["sh", "-c", f"uname -r; {sys.executable} -m {module}"], timeout_s=1800)
    found: dict[str, dict[str, Any]] = {"release": {"ran": output.split("\n", 1)[0], "wanted": ready.release}}
    for line in output.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            found[row["name"]] = row
    return found


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """A function that gives what a kernel says to a module; it boots at the first call for it, and a boot that failed
    is not tried again.
    """
    with ThreadPoolExecutor(1) as pool:
        running = functools.cache(functools.partial(pool.submit, asked))
        yield lambda kernel, module="tests.vm.inside": running(kernel, module).result()


@pytest.mark.guest
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.series)
def test_the_guest_runs_that_kernel(kernel: GuestKernel, answers: Answers) -> None:
    release = answers(kernel)["release"]
    assert release["ran"] == release["wanted"]
    assert release["ran"].startswith(kernel.series + ".")


@pytest.mark.guest
@pytest.mark.parametrize(
    ("kernel", "check"),
    [(kernel, check) for kernel in KERNELS for check in CHECKS if check.is_for(f"{kernel.series}.")],
    ids=lambda value: value.series if isinstance(value, GuestKernel) else value.name,
)
def test_command(kernel: GuestKernel, check: Check, answers: Answers) -> None:
    answer = answers(kernel)[check.name]
    assert re.fullmatch(check.output, answer["out"]), answer
    assert re.fullmatch(check.error, answer["err"]), answer
    assert answer["status"] == check.status
    assert answer["left"] == 0


@pytest.mark.guest_cases
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.series)
def test_cases(kernel: GuestKernel, answers: Answers) -> None:
    """All cases do there what they do here, but for what needs a feature that the kernel lacks."""
    rows = {name: row for name, row in answers(kernel, "tests.vm.cases").items() if "result" in row}
    assert set(rows) == {title(path) for path in GOOD}
    with_feature = {title(path) for path in GOOD if comment(path, "feature") is not None}
    too_much = TOO_MUCH if not kernel.has_may_goto else set()
    wrong = {
        name: row["detail"]
        for name, row in rows.items()
        if (row["result"] not in ("refused", "unsupported") if name in too_much else row["result"] != "passed")
        and not (row["result"] == "unsupported" and name in with_feature)
    }
    assert wrong == {}
    told = ("no loops bounded by time", "more than the verifier follows", "too many clauses on one probe")
    assert all(any(words in rows[name]["detail"] for words in told) for name in too_much)
