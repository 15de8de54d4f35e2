"""`invivo flame` and what it shows, against commands whose doings are known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from invivo.flame.profile import Kind, Profile
from tests.support import invivo, spent, trigger

pytestmark = pytest.mark.kernel


def flame(tmp_path: Path, *arguments: str) -> Profile:
    """The profile of a run, read back from its page."""
    path = tmp_path / "out.html"
    result = invivo("flame", *arguments, "-o", str(path), timeout=60)
    assert result.returncode == 0, result.stderr
    return read_profile(str(path))


def share(profile: Profile, matches: Callable[[str], bool]) -> float:
    """The part of the weight whose innermost frame of the program is one of those."""
    found = 0
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        users = [frame for frame in profile.stack(node) if frame.kind is Kind.USER]
        found += weight * bool(users and matches(users[-1].name))
    return found / profile.total


def test_shares_of_three_functions_are_those_of_their_time(tmp_path: Path) -> None:
    """The trigger reads the clock of its time on the processor; of n samples the share's deviation is below
    0.5 / sqrt(n)."""
    result = invivo("flame", "cpu", "-F", "997", "-o", str(tmp_path / "out.html"), "-c", f"{trigger('shares')} 15000")
    assert result.returncode == 0, result.stderr
    profile = read_profile(str(tmp_path / "out.html"))
    assert profile.unit == "samples"
    margin = 4 * 0.5 / len(profile.nodes) ** 0.5 + 0.01
    for name, part in spent(result.stdout)[1].items():
        assert share(profile, name.__eq__) == pytest.approx(part, abs=margin), name


def test_samples_are_as_many_as_the_time_on_the_processor_says(tmp_path: Path) -> None:
    """The trigger prints its own time on the processor, from getrusage(2)."""
    result = invivo("flame", "cpu", "-F", "997", "--to", "folded", "-o", str(tmp_path / "out"), "-c",
                    f"{trigger('shares')} 15000", timeout=60)  # fmt: skip
    seconds, _ = spent(result.stdout)
    assert read_profile(str(tmp_path / "out")).total == pytest.approx(997 * seconds, rel=0.1, abs=20)


def test_samples_have_times_and_threads(tmp_path: Path) -> None:
    profile = flame(tmp_path, "cpu", "-F", "499", "-c", f"{trigger('shares')} 15000")
    assert len(profile.times) == len(profile.nodes) == len(profile.sample_threads)
    assert list(profile.times) == sorted(profile.times)
    assert {thread.name for thread in profile.threads} == {"shares"}
    assert abs(profile.start_ns / 1e9 - time.time()) < 60


def test_system_calls_are_counted_exactly(tmp_path: Path) -> None:
    profile = flame(tmp_path, "syscall", "--by", "count", "-c", f"{trigger('syscalls')} 1009")
    counts: dict[str, int] = {}
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        name = profile.stack(node)[-1].name
        counts[name] = counts.get(name, 0) + weight
    assert counts["getppid"] == 2 * 1009  # the trigger calls it twice a round
    assert profile.unit == "events"


def test_any_probe_and_any_value(tmp_path: Path) -> None:
    command = f"dd if=/dev/zero of={tmp_path}/x bs=4099 count=31 status=none"
    profile = flame(tmp_path, "probe", "syscall::write:entry", "--value", "arg2", "-c", command)
    assert profile.total == 31 * 4099


def test_page_faults_are_those_of_getrusage(tmp_path: Path) -> None:
    script = (
        "import mmap, resource; m = mmap.mmap(-1, 4096 * 1000); "
        "a = resource.getrusage(0).ru_minflt; [m.__setitem__(4096 * i, 1) for i in range(1000)]; "
        "print(resource.getrusage(0).ru_minflt - a)"
    )
    result = invivo("flame", "faults", "-o", str(tmp_path / "out.folded"), "-c", f"{sys.executable} -S -c '{script}'")
    assert result.returncode == 0, result.stderr
    assert read_profile(str(tmp_path / "out.folded")).total >= int(result.stdout) >= 1


def test_leaks_are_what_was_not_freed(tmp_path: Path) -> None:
    """The trigger keeps every third block of 1000 of its 300 and frees the others."""
    profile = flame(tmp_path, "leak", "-c", f"{trigger('allocations')} 300")
    kept = sum(
        weight for node, weight in zip(profile.nodes, profile.weights, strict=True)
        if any(frame.name == "keep" for frame in profile.stack(node))
    )  # fmt: skip
    assert kept == 100 * 1000


def held_in(profile: Profile, *functions: str) -> list[int]:
    """What is held of what each of these functions took."""
    return [
        sum(
            weight for node, weight in zip(profile.nodes, profile.weights, strict=True)
            if any(frame.name == function for frame in profile.stack(node))
        )
        for function in functions
    ]  # fmt: skip


def test_what_is_held_is_counted_in_all_ways_of_the_c_library(tmp_path: Path) -> None:
    """The trigger's comment counts; what it gives back (by another thread, by realloc) is not there."""
    profile = flame(tmp_path, "leak", "-c", f"{trigger('blocks')} 1000")
    held = held_in(profile, "keep_zeroed", "keep_grown", "keep_aligned", "keep_own", "keep_small", "churn")
    assert held == [7000, 5500, 5 * 4096, 0, 24 * 1000, 0]
    assert {thread.name for thread in profile.threads} == {"blocks"}


def test_an_allocator_of_ones_own_is_followed(tmp_path: Path) -> None:
    options = ["--allocator", "own_alloc:1", "--deallocator", "own_free:1"]
    profile = flame(tmp_path, "leak", *options, "-c", trigger("blocks"))
    assert held_in(profile, "keep_own") == [3 * 77] == [profile.total]


@pytest.mark.slow
def test_more_blocks_than_there_is_room_for_are_told(tmp_path: Path) -> None:
    """Those counted and those lost are all: the arrays take 1,048,576 entries at most."""
    out = tmp_path / "out.html"
    result = invivo("flame", "leak", "-o", str(out), "-c", f"{trigger('blocks')} 1300000", timeout=120)
    assert result.returncode == 0, result.stderr
    (counted,) = held_in(read_profile(str(out)), "keep_small")
    assert 24_000_000 < counted < 24 * 1_300_000
    assert "dynamic variable drops" in result.stderr


def test_the_hint_on_lost_blocks_names_what_helps(tmp_path: Path) -> None:
    """With little room blocks are lost, and the option that the hint names gives room for all 20,000 of them."""
    words = ["leak", "-c", f"{trigger('blocks')} 20000"]
    out = str(tmp_path / "out.html")
    little = invivo("flame", *words, "-x", "dynvarsize=64k", "-o", out, timeout=60)
    assert "dynamic variable drops" in little.stderr
    assert "-x dynvarsize=" in little.stderr
    assert held_in(read_profile(out), "keep_small")[0] < 24 * 20_000
    enough = flame(tmp_path, *words, "-x", "dynvarsize=8m")
    assert held_in(enough, "keep_small") == [24 * 20_000]


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    result = invivo("flame", "cpu", "-x", "nosuch=1", "-c", "true", "-o", str(tmp_path / "out.html"))
    assert result.returncode != 0
    assert "nosuch" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out.html").exists()


def test_allocations_are_added_up(tmp_path: Path) -> None:
    profile = flame(tmp_path, "alloc", "-c", f"{trigger('allocations')} 300")
    assert profile.unit == "bytes"
    assert profile.total == 300 * 1000
    assert {profile.stack(node)[-1].name for node in profile.nodes} == {"malloc"}


def test_a_running_process_for_some_seconds(tmp_path: Path) -> None:
    """As many samples as the scheduler's books have time of it at most, which begins earlier and ends later."""
    with subprocess.Popen([trigger("shares"), "1000000"], stdout=subprocess.DEVNULL) as process:
        try:
            profile = flame(tmp_path, "cpu", "-p", str(process.pid), "-d", "0.5")
            used_ns = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
        finally:
            process.kill()
    assert 0 < profile.total <= 99 * used_ns / 1e9 + 2
    assert profile.title == f"cpu: process {process.pid}"


def test_the_whole_machine_without_the_tracer(tmp_path: Path) -> None:
    with subprocess.Popen([trigger("shares"), "1000000"], stdout=subprocess.DEVNULL) as process:
        try:
            profile = flame(tmp_path, "cpu", "-a", "-d", "0.5")
        finally:
            process.kill()
    assert process.pid in {thread.pid for thread in profile.threads}
    assert os.getpid() not in {thread.pid for thread in profile.threads}


def test_an_empty_profile_says_why(tmp_path: Path) -> None:
    result = invivo("flame", "offcpu", "--min", "10s", "-o", str(tmp_path / "out.svg"), "-c", "true")
    assert result.returncode == 1
    assert "flame offcpu: nothing was seen" in result.stderr
    assert "invivo flame cpu" in result.stderr
    assert not (tmp_path / "out.svg").exists()


def test_what_cannot_be_written_is_kept(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    result = invivo("flame", "syscall", "--to", "html", "-o", "/dev/full", "-c", "true", env=environment)
    assert result.returncode == 1
    assert "cannot write to '/dev/full': No space left on device" in result.stderr
    kept = list(tmp_path.glob("invivo-flame-*.html"))
    assert len(kept) == 1
    assert str(kept[0]) in result.stderr
    assert read_profile(str(kept[0])).total > 0


def test_stacks_of_any_program_become_a_picture(tmp_path: Path) -> None:
    result = invivo("run", "-q", "-e", "syscall::getppid:entry /pid == $target/ { @[execname, stack()] = count(); }",
                    "-c", f"{trigger('syscalls')} 503", "--flame", str(tmp_path / "out.folded"))  # fmt: skip
    assert result.returncode == 0, result.stderr
    profile = read_profile(str(tmp_path / "out.folded"))
    assert profile.total == 2 * 503
    assert profile.stack(profile.nodes[0])[0].name == "syscalls"


def test_the_hottest_functions_as_text() -> None:
    result = invivo("flame", "cpu", "--top", "-F", "997", "-c", f"{trigger('shares')} 15000", timeout=60)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if "%" in line]
    assert [row[2] for row in rows[:2]] == ["shares`seventy", "shares`twenty"]


@pytest.fixture
def control_group() -> Iterator[Path]:
    """A control group named as docker names those of its containers."""
    roots = [root for root in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")) if (root / "cgroup.procs").exists()]
    if not roots:
        pytest.skip("no control groups")
    place = roots[0] / f"docker-{'ab' * 32}.scope"
    try:
        place.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        yield place
    finally:
        place.rmdir()


@pytest.mark.parametrize("kind", ["cpu", "offcpu"])
def test_the_outermost_frame_is_the_container(kind: str, control_group: Path, tmp_path: Path) -> None:
    doing = "while True: time.sleep(0.01); sum(range(100000))"
    with subprocess.Popen([sys.executable, "-S", "-c", f"import time\n{doing}"]) as process:
        try:
            (control_group / "cgroup.procs").write_text(str(process.pid))
            profile = flame(tmp_path, kind, "-F", "499", "-p", str(process.pid), "-d", "1")
        finally:
            process.kill()
    assert {profile.stack(node)[0].name for node in profile.nodes} == {"[container abababababab]"}
