"""A thread that is prompt: its scheduling as the kernel tells it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from invivo.linux import prompt
from invivo.linux.prompt import Promptness

_POLICY = "import os; print(os.sched_getscheduler(0), os.nice(0))"


def policy() -> int:
    return os.sched_getscheduler(0)


@pytest.fixture
def prompter() -> Promptness:
    made = Promptness()
    made.begin()
    if policy() != os.SCHED_RR | os.SCHED_RESET_ON_FORK:
        pytest.skip("no right to be a real-time thread")
    made.calm()
    return made


def test_it_is_prompt_until_it_is_calm(prompter: Promptness) -> None:
    before = policy()
    prompter.begin()
    assert policy() == os.SCHED_RR | os.SCHED_RESET_ON_FORK
    prompter.begin()
    assert policy() == os.SCHED_RR | os.SCHED_RESET_ON_FORK
    prompter.calm()
    assert policy() == before
    prompter.calm()
    assert policy() == before


def test_what_it_starts_is_not_prompt(prompter: Promptness) -> None:
    calm = subprocess.run([sys.executable, "-c", _POLICY], capture_output=True, check=True).stdout
    prompter.begin()
    try:
        assert subprocess.run([sys.executable, "-c", _POLICY], capture_output=True, check=True).stdout == calm
    finally:
        prompter.calm()


def test_who_works_much_is_not_prompt(prompter: Promptness, monkeypatch: pytest.MonkeyPatch) -> None:
    before = policy()
    prompter.begin()
    assert policy() != before
    prompter._window_ends = 1e18  # this second does not end
    monkeypatch.setattr(prompt, "_MOST_S", -1e9)
    prompter.begin()
    assert policy() == before
    prompter._window_ends = 0.0  # the next one
    monkeypatch.setattr(prompt, "_MOST_S", 1e9)
    prompter.begin()
    assert policy() == os.SCHED_RR | os.SCHED_RESET_ON_FORK
    prompter.calm()


def test_another_thread_may_calm_it(prompter: Promptness) -> None:
    before = policy()
    prompter.begin()
    other = threading.Thread(target=prompter.calm)
    other.start()
    other.join()
    assert policy() == before


def test_a_thread_that_waits_on_is_prompt_in_place_of_the_last(prompter: Promptness) -> None:
    before = policy()
    prompter.begin()
    found = []

    def wait() -> None:
        prompter.begin()
        found.append(policy())
        prompter.calm()
        found.append(policy())

    other = threading.Thread(target=wait)  # a thread is a task of its own, begun with its maker's policy reset
    other.start()
    other.join()
    assert found == [os.SCHED_RR | os.SCHED_RESET_ON_FORK, before]
    assert policy() == before


def test_without_the_right_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    before = policy()
    made = Promptness()
    made.begin()
    made.begin()
    made.calm()
    assert policy() == before
