"""`invivo flame` as an ordinary user: what the process engine can see becomes a picture, and the rest says why not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from invivo.flame.profile import Profile
from tests.support import as_user, spent, trigger

pytestmark = pytest.mark.process


def flame(tmp_path: Path, *arguments: str) -> Profile:
    """The profile of a run that an ordinary user began."""
    result = as_user("flame", *arguments, "--to", "folded", "-o", "-", timeout=120)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines(True)
    (tmp_path / "out.folded").write_text("".join(line for line in lines if ";" in line))
    (tmp_path / "said").write_text("".join(line for line in lines if ";" not in line))  # by the command
    return read_profile(str(tmp_path / "out.folded"))


def inside(profile: Profile, function: str) -> int:
    """The weight of the stacks that a function is in."""
    return sum(
        weight for node, weight in zip(profile.nodes, profile.weights, strict=True)
        if any(frame.name == function for frame in profile.stack(node))
    )  # fmt: skip


def test_where_a_program_computes(tmp_path: Path) -> None:
    """The trigger tells how much of its time it was in seventy(): of n samples the share's deviation is below
    0.5 / sqrt(n)."""
    profile = flame(tmp_path, "cpu", "-F", "199", "-c", f"{trigger('shares')} 15000")
    assert profile.total > 100
    _, parts = spent((tmp_path / "said").read_text())
    margin = 4 * 0.5 / profile.total**0.5 + 0.01
    assert inside(profile, "seventy") / profile.total == pytest.approx(parts["seventy"], abs=margin)


def test_system_calls_are_counted_exactly(tmp_path: Path) -> None:
    profile = flame(tmp_path, "syscall", "--by", "count", "-c", f"{trigger('syscalls')} 211")
    assert inside(profile, "getppid") == 2 * 211  # the trigger calls it twice a round


def test_allocations_and_what_of_them_is_held(tmp_path: Path) -> None:
    """300 blocks of 1000, of which every third is kept."""
    assert inside(flame(tmp_path, "alloc", "-c", f"{trigger('allocations')} 300"), "malloc") == 300 * 1000
    assert inside(flame(tmp_path, "leak", "-c", f"{trigger('allocations')} 300"), "keep") == 100 * 1000


def test_any_probe_and_any_value(tmp_path: Path) -> None:
    command = "dd if=/dev/zero of=/dev/null bs=4099 count=31 status=none"
    assert flame(tmp_path, "probe", "syscall::write:entry", "--value", "arg2", "-c", command).total == 31 * 4099


def test_waits_for_locks(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        profile = flame(tmp_path, "lock", "-c", f"{trigger('waits')} 200 {place}/file")
    assert inside(profile, "wait_for_lock") > 0
    assert inside(profile, "wait_for_pipe") == inside(profile, "wait_for_time") == 0


@pytest.mark.parametrize("kind", ["offcpu", "wall", "wakeup", "offwake", "io", "faults"])
def test_what_only_the_kernel_sees_is_refused_in_words(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    result = as_user("flame", kind, "--to", "folded", "-o", "-", "-c", "true")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "needs the kernel engine" in result.stderr or "may not be read by this user" in result.stderr
    assert "hint: run" in result.stderr
    assert not out.exists()


def test_the_whole_machine_is_refused_in_words() -> None:
    result = as_user("flame", "cpu", "-a", "-d", "1", "--to", "folded", "-o", "-")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "hint:" in result.stderr
