"""Whatever text the front end gets, it answers with a program or with diagnostics. See bench/fuzz_front_end.py too."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from invivo.errors import CompileError, InvivoError
from tests.cases.run import compiled
from tests.property.programs import near_d, seeds

pytestmark = pytest.mark.kernel  # the names of the kernel's probes and types are asked for

_SEEDS = seeds()


@settings(max_examples=600, deadline=10_000, database=None, phases=[Phase.generate],
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
@given(st.integers(0, 2**64))
def test_any_text_ends_in_a_program_or_in_diagnostics(seed: int) -> None:
    text = near_d(Random(seed), _SEEDS)
    found: InvivoError | None = None
    try:
        compiled(text.encode("utf-8", "surrogateescape"), "near.d")
    except InvivoError as error:
        found = error
    if isinstance(found, CompileError):
        assert all(each.message and each.code for each in found.diagnostics), repr(text)
        other = "#" in text  # a line such as `# 19 "file"`, which names another place
        assert re.match(r".*?:\d+:\d+: " if other else r"near\.d:", str(found)), repr(text)
    elif found is not None:
        assert found.message, repr(text)


def test_texts_are_of_all_kinds() -> None:
    """Among 300 texts some are programs, and their errors are of many kinds: the generator is near to the language."""
    outcomes = []
    for seed in range(300):
        try:
            compiled(near_d(Random(seed), _SEEDS).encode("utf-8", "surrogateescape"), "near.d")
            outcomes.append("program")
        except CompileError as error:
            outcomes.append(error.diagnostics[0].code)
        except InvivoError:
            outcomes.append("other")
    assert outcomes.count("program") >= 10
    assert len(set(outcomes)) >= 15
