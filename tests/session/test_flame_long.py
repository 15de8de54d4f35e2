"""What long runs fill: memory, and the kernel's maps. Every call of the trigger is counted, or told as lost.

`paths D R` calls getppid(2) at the end of 2^D different stacks, R times each.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from invivo.flame.profile import Profile
from invivo.flame.samples import Bounded
from invivo.tools.flame.collect import Collecting
from invivo.tools.flame.kinds import Wanted
from tests.support import invivo, spent, trigger

pytestmark = pytest.mark.kernel


def paths(tmp_path: Path, option: str) -> tuple[Profile, int, str]:
    """The profile of 2048 stacks with little room for something, how many losses are told, and of what."""
    out = str(tmp_path / "out.html")
    words = ["probe", "syscall::getppid:entry", "-x", option, "-c", f"{trigger('paths')} 11", "-o", out]
    result = invivo("flame", *words)
    assert result.returncode == 0, result.stderr
    profile = read_profile(out)
    told = [match for note in profile.notes if (match := re.match(r"(\d+) ((?:aggregation|stack) drops?)\b", note))]
    assert told, profile.notes
    assert all(note in result.stderr for note in profile.notes)
    assert len(told) == 1
    return profile, int(told[0][1]), told[0].string


def test_stacks_that_find_no_room_in_an_aggregation_are_told(tmp_path: Path) -> None:
    """Whatever the least size of an aggregation is, 2048 keys at once are more."""
    profile, lost, note = paths(tmp_path, "aggsize=1k")
    assert lost > 0
    assert profile.total + lost == 2048
    assert "-x aggsize=" in note


def test_stacks_that_are_too_many_keep_their_weight_and_are_told(tmp_path: Path) -> None:
    profile, lost, note = paths(tmp_path, "stacksize=100")
    assert profile.total == 2048
    named = [any(frame.name == "main" for frame in profile.stack(node)) for node in profile.nodes]
    assert lost == sum(weight for weight, is_named in zip(profile.weights, named, strict=True) if not is_named) > 1900
    assert "-x stacksize=" in note


@pytest.mark.parametrize("is_live", [False, True])
def test_a_run_with_more_rows_than_the_bound_has_the_same_sums(is_live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 stacks in each of some ten readings, where 40 rows are allowed: in each of the stacks 20 calls."""
    monkeypatch.setitem(Bounded.__init__.__kwdefaults__, "most", 40)
    monkeypatch.setitem(Bounded.__init__.__kwdefaults__, "least_slots", 2)
    wanted = Wanted(has_target=True, probe="syscall::getppid:entry")
    collecting = Collecting("probe", wanted, command=f"{trigger('paths')} 4 20 100000")
    if is_live:
        collecting.on_change(lambda: None)
    profile = collecting.run()
    sums: dict[tuple[str, ...], int] = {}
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        path = tuple(frame.name for frame in profile.stack(node) if frame.name in ("left", "right"))
        sums[path] = sums.get(path, 0) + weight
    assert len(sums) == 16
    assert set(sums.values()) == {20}
    assert any("times are in steps of" in note for note in profile.notes), profile.notes
    assert len(profile.nodes) < 10 * 16
    assert max(profile.times) < 10**11


def test_a_long_run_of_samples_has_as_many_as_the_time_on_the_processor_says(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The trigger prints its own time on the processor, from getrusage(2); 100 rows are allowed."""
    monkeypatch.setitem(Bounded.__init__.__kwdefaults__, "most", 100)
    monkeypatch.setitem(Bounded.__init__.__kwdefaults__, "least_slots", 4)
    collecting = Collecting("cpu", Wanted(has_target=True, hz=997), command=f"{trigger('shares')} 15000")
    profile = collecting.run()
    seconds, _ = spent(capfd.readouterr().out)
    assert profile.total == pytest.approx(997 * seconds, rel=0.1, abs=20)
    assert len(profile.nodes) < profile.total / 2
    assert any("times are in steps of" in note for note in profile.notes), profile.notes
