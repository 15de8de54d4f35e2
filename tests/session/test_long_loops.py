"""Loops, where the kernel can be told to stop them, and where its verifier follows every round (Linux before 6.9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import invivo
from invivo import rejection
from invivo.bpf import features
from invivo.tools.flame.collect import Collecting
from invivo.tools.flame.kinds import Wanted
from tests.support import trigger

pytestmark = pytest.mark.kernel

# Collatz's numbers: from 27 it takes 111 steps to 1, from 6171 it takes 261 (OEIS A006577). The verifier cannot know.
_STEPS = """
BEGIN { x = %d; for (n = 0; x != 1; n++) { x = x %% 2 ? 3 * x + 1 : x / 2; } exit(n == %d ? 7 : 3); }
ERROR { exit(arg4 == 64 ? 9 : 3); }  /* a loop without end */
"""


@pytest.mark.parametrize(("start", "steps", "status"), [(27, 111, 7), (6171, 261, 9)])
def test_loops_are_shorter_where_the_verifier_follows_each_round(
    start: int, steps: int, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was found out is kept: the second run loads at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(features, "has_may_goto", lambda: features.Answer(features.Outcome.NO))
    refused: list[str] = []
    shorter = rejection.with_shorter_loops

    def counted(*arguments: Any, **keywords: Any) -> Any:
        refused.append("once")
        return shorter(*arguments, **keywords)

    monkeypatch.setattr(rejection, "with_shorter_loops", counted)
    for _ in range(2):
        with invivo.trace(_STEPS % (start, steps)) as session:
            assert session.wait() == status
        assert ["stopped after 256 rounds" in warning for warning in session.warnings] == [True]
    assert refused == ["once"]


@pytest.mark.parametrize(("kind", "command"), [("offcpu", "sleep 0.2"), ("offwake", "sleep 0.2"), ("leak", "{} 300")])
def test_user_stacks_are_walked_where_the_verifier_follows_each_round(
    kind: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The largest walks of 127 frames are within its million instructions: nothing is refused, and stacks are whole."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(features, "has_may_goto", lambda: features.Answer(features.Outcome.NO))
    monkeypatch.setattr(rejection, "with_shorter_loops", lambda *_, **__: pytest.fail("it was refused"))
    profile = Collecting(kind, Wanted(has_target=True), command=command.format(trigger("allocations"))).run()
    assert profile.total > 0
    assert any(frame.name == "_start" for frame in profile.frames)


def test_loops_of_any_length_are_not_told_about() -> None:
    if features.has_may_goto().outcome is not features.Outcome.YES:
        pytest.skip("this kernel has no may_goto")
    with invivo.trace(_STEPS % (6171, 261)) as session:
        assert session.wait() == 7
    assert session.warnings == ()
