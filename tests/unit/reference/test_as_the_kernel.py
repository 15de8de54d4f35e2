"""What the kernel engine must do by its own tests, the reference engine does too: the same tests, run on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engines import build
from tests.engines.kernel.test_arithmetic import *  # noqa: F403
from tests.engines.kernel.test_strings import *  # noqa: F403
from tests.unit.reference.run import Ran

pytestmark: list[pytest.MarkDecorator] = []  # not the kernel's: no rights are needed


@pytest.fixture(autouse=True)
def _on_the_reference_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(d: build.Builder, events: Callable[[], object] = lambda: None) -> Ran:
        with Ran(d.program()) as ran:
            events()
        return ran

    monkeypatch.setattr(build.Builder, "run", run)
    monkeypatch.setattr(build.Builder, "start", lambda d: Ran(d.program()))
    monkeypatch.setattr(build.Builder, "plan", lambda d: pytest.fail("this test is about the kernel's plan"))
