"""The case files that need nothing of the kernel, run by the process engine: the same output as everywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import run
from tests.cases.test_cases import GOOD, comment, compiled, expected, text_of, title

pytestmark = pytest.mark.process


@pytest.mark.parametrize("path", [path for path in GOOD if comment(path, "needs") is None], ids=title)
def test_process_engine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "option quiet" not in text_of(path):
        monkeypatch.setenv("_DTRACE_TESTING", "1")  # leaves out the CPU and the probe's id
    assert run.by_ptrace(compiled(path)) == expected(path)
