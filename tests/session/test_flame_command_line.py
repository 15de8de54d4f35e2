"""What `invivo flame` takes for granted, and which options it refuses instead of passing over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from tests.support import invivo, trigger


@pytest.mark.kernel
def test_without_a_kind_it_is_cpu(tmp_path: Path) -> None:
    """The trigger computes in three functions; nothing else of it is to be seen by samples."""
    out = tmp_path / "out.html"
    result = invivo("flame", "-F", "999", "-c", f"{trigger('shares')} 300", "-o", str(out))
    assert result.returncode == 0, result.stderr
    profile = read_profile(str(out))
    assert profile.unit == "samples"
    assert any(frame.name == "seventy" for frame in profile.frames)


@pytest.mark.kernel
def test_top_without_a_target_is_of_the_whole_machine() -> None:
    result = invivo("flame", "--top", "-d", "1")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("cpu: the whole machine: ")
    assert "FUNCTION" in result.stdout.splitlines()[1]


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["cpu", "--min", "1ms"], "flame cpu takes no --min", "that is for offcpu, wall, offwake, io"),
        (["lock", "--state", "S"], "flame lock takes no --state", "that is for offcpu, wall, offwake, io"),
        (["syscall", "--value", "arg0"], "flame syscall takes no --value", "that is for probe"),
        (["--allocator", "f:1"], "flame cpu takes no --allocator", "that is for alloc, leak"),
        (["alloc", "--deallocator", "f"], "flame alloc takes no --deallocator", "that is for leak"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_says_nothing_to_a_kind_is_refused(arguments: list[str], message: str, hint: str) -> None:
    result = invivo("flame", *arguments, "-c", "true")
    assert result.returncode == 2
    assert message in result.stderr
    assert f"hint: {hint}" in result.stderr
    assert result.stdout == ""
