"""Feature probes: each failure has its outcome, and nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from invivo.bpf.features import FEATURES, Answer, Feature, Outcome
from invivo.errors import InvivoError, KernelError, RightsError, UnsupportedError, VerifierError


def feature(attempt: Callable[[int], None]) -> Feature:
    return Feature("thing", "does something", True, attempt)


def failing(error: InvivoError) -> Callable[[int], None]:
    def attempt(_: int) -> None:
        raise error

    return attempt


def test_an_attempt_that_succeeds_is_yes_and_gets_the_btf_id() -> None:
    given: list[int] = []
    assert feature(given.append).ask(17) == Answer(Outcome.YES)
    assert given == [17]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KernelError(22, "bpf(BPF_MAP_CREATE)", "map 'x'"), Outcome.NO),
        (UnsupportedError("not here"), Outcome.NO),
        (RightsError("not permitted"), Outcome.INCONCLUSIVE),
    ],
)
def test_failures_keep_their_reason(error: InvivoError, expected: Outcome) -> None:
    assert feature(failing(error)).ask() == Answer(expected, error.message)


def test_a_rejection_gives_the_verifiers_line() -> None:
    error = VerifierError(22, "program 'x'", "unknown opcode e5", "0: (e5)\nunknown opcode e5\n")
    assert feature(failing(error)).ask() == Answer(Outcome.NO, "unknown opcode e5")


def test_rows_have_distinct_names_and_say_what_for() -> None:
    names = [row.name for row in FEATURES]
    assert len(set(names)) == len(names)
    assert all(row.gives for row in FEATURES)


def test_a_tracepoint_without_btf_is_no_btf_tracepoint() -> None:
    row = next(row for row in FEATURES if row.name == "BTF tracepoints")
    assert row.ask(0).outcome is Outcome.NO
