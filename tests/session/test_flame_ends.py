"""However `invivo flame` ends, nothing is left of it; and a picture of what was seen is kept where it may be."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invivo.errors import InvivoError
from invivo.flame.files import read_profile, write_profile
from invivo.flame.profile import Frame, Profile
from tests.session.test_nothing_left import NOTHING, kernel_objects, new_objects, started, wait_until_gone
from tests.support import invivo, trigger


@contextmanager
def spinning() -> Iterator[int]:
    with subprocess.Popen([trigger("shares"), "100000000"], stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
            assert process.poll() is None, "the traced process died"
            assert "TracerPid:\t0" in Path(f"/proc/{process.pid}/status").read_text()
        finally:
            process.kill()


@pytest.mark.kernel
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_with_the_picture_of_what_was_seen(number: signal.Signals, tmp_path: Path) -> None:
    before, out = kernel_objects(), tmp_path / "out.html"
    with spinning() as pid:
        tracer = started("flame", "cpu", "-F", "499", "-p", str(pid), "-o", str(out), stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while not new_objects(before, tracer.pid)["links"] and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        tracer.send_signal(number)
        _, errors = tracer.communicate(timeout=60)
        assert tracer.returncode == 0, errors
        assert wait_until_gone(before, tracer.pid) == NOTHING
    profile = read_profile(str(out))
    assert profile.total > 10
    assert any(frame.name == "seventy" for frame in profile.frames)
    assert os.listdir(tmp_path) == ["out.html"]


@pytest.mark.kernel
@pytest.mark.parametrize("kind", ["cpu", "offcpu", "offwake", "wall", "leak"])
@pytest.mark.parametrize("moment", range(3))
def test_kill_at_a_random_moment(kind: str, moment: int, tmp_path: Path) -> None:
    before = kernel_objects()
    with spinning() as pid:
        tracer = started("flame", kind, "-p", str(pid), "-o", str(tmp_path / "out.html"), stderr=subprocess.DEVNULL)
        time.sleep(random.Random(f"{kind}{moment}").random() * 2)
        tracer.kill()
        tracer.wait()
        assert wait_until_gone(before, tracer.pid) == NOTHING
    assert os.listdir(tmp_path) == []


# --- files ------------------------------------------------------------------------------------------------------------

_WRITES = """
import sys, time
from invivo.flame.files import write_pieces
def pieces():
    yield b"the first part"
    print("written", flush=True)
    time.sleep(600)
write_pieces(pieces(), sys.argv[1])
"""


def test_kill_while_a_file_is_written_leaves_the_old_one_alone(tmp_path: Path) -> None:
    """The file is not complete yet: what was there stays, and nothing is beside it."""
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("no files without a name here")
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except OSError as error:
        pytest.skip(f"no files without a name here: {error}")
    out = tmp_path / "out.html"
    out.write_text("the old one")
    with subprocess.Popen([sys.executable, "-c", _WRITES, str(out)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert os.listdir(tmp_path) == ["out.html"]
    assert out.read_text() == "the old one"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)], check=False,
                             capture_output=True)  # fmt: skip
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def large() -> Profile:
    """A profile whose page is larger than that."""
    profile, source = Profile(), random.Random(1)
    for _ in range(40_000):
        names = (f"function_{source.getrandbits(60):x}" for _ in range(3))
        profile.add(profile.node(Frame(name) for name in names), 1)
    return profile


@pytest.mark.parametrize("ending", ["html", "folded", "speedscope.json", "pb.gz", "firefox.json", "trace.json"])
def test_a_full_disk_is_told_and_keeps_what_was_there(ending: str, small_disk: Path) -> None:
    path = small_disk / f"out.{ending}"
    path.write_bytes(b"before")
    with pytest.raises(InvivoError, match="No space left on device"):
        write_profile(large(), str(path))
    assert path.read_bytes() == b"before"
    assert os.listdir(small_disk) == [path.name]


@pytest.mark.kernel
def test_what_a_full_disk_takes_not_is_kept_elsewhere(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "fill").write_bytes(bytes(8 << 10))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    out = small_disk / "out.html"
    result = invivo("flame", "syscall", "-o", str(out), "-c", "ls /", env=environment)
    assert result.returncode == 1
    assert f"cannot write to '{out}': No space left on device" in result.stderr
    (kept,) = tmp_path.glob("invivo-flame-*.html")
    assert str(kept) in result.stderr
    assert read_profile(str(kept)).total > 0
    assert os.listdir(small_disk) == ["fill"]


@pytest.mark.slow
def test_a_gigabyte_of_folded_stacks_is_read(tmp_path: Path) -> None:
    """Ten million lines of 100 stacks; the sum is counted here. Memory stays within what stacks and weights take."""
    path = tmp_path / "large.folded"
    stacks = [";".join(f"a_function_of_{stack}_at_depth_{depth}" for depth in range(4)) for stack in range(100)]
    block = "".join(f"{stack} {weight % 9 + 1}\n" for weight, stack in enumerate(stacks * 1000)).encode()
    written = 0
    with path.open("wb") as stream:
        while written < 1 << 30:
            written += stream.write(block)
    total = sum(weight % 9 + 1 for weight in range(100_000)) * (written // len(block))
    out = tmp_path / "out.folded"
    code = (
        "import resource, sys; from invivo.cli.main import main; status = main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", code, "flame", "convert", str(path), "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    assert read_profile(str(out)).total == total
    assert int(result.stderr.split()[-1]) < 1 << 20, "KiB resident"


@pytest.mark.parametrize("ending", ["html", "folded", "speedscope.json", "pb.gz", "firefox.json", "trace.json"])
def test_a_truncated_file_is_told(ending: str, tmp_path: Path) -> None:
    """Cut in the middle: what can be read of it is read and told, or an error says that it is damaged; no traceback."""
    path = tmp_path / f"x.{ending}"
    write_profile(large(), str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    result = invivo("flame", "convert", str(path), "-o", str(tmp_path / "out.folded"))
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr
    assert str(path) in result.stderr or "cut" in result.stderr, result.stderr
    if ending != "folded":
        assert result.returncode == 1
        assert not (tmp_path / "out.folded").exists()
    else:
        assert 0 < read_profile(str(tmp_path / "out.folded")).total < 40_000
