"""What is written for pprof, read back by pprof itself: the one that comes with Go."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.flame.files import write_profile
from invivo.flame.profile import Frame, Kind, Profile, Thread


def pprof(path: Path, *options: str) -> str:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no go, whose pprof reads it back: apt-get install golang-go")
    environment = {**os.environ, "HOME": str(path.parent), "PPROF_TMPDIR": str(path.parent)}
    command = [go, "tool", "pprof", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """70 ms in main;work;read, 20 ms in main;work;parse, 10 ms in main."""
    profile = Profile("ns", "example")
    main, work = Frame("main", "prog"), Frame("work", "prog", Kind.USER, "work.c", 42)
    stacks = [[main, work, Frame("read", "libc.so.6")]] * 70 + [[main, work, Frame("parse")]] * 20 + [[main]] * 10
    thread = profile.thread(Thread(100, 101, "worker"))
    for place, stack in enumerate(stacks):
        profile.add(profile.node(stack), 1_000_000, thread, place * 1_000_000)
    write_profile(profile, str(tmp_path / "x.pb.gz"))
    return tmp_path / "x.pb.gz"


def test_pprof_tells_own_and_total_of_each_function(written: Path) -> None:
    rows = [line.split() for line in pprof(written, "-top").splitlines() if line.count("%") == 3 and "flat" not in line]
    assert {row[-1]: (row[0], row[3]) for row in rows} == {
        "read": ("70ms", "70ms"), "parse": ("20ms", "20ms"), "main": ("10ms", "100ms"), "work": ("0", "90ms")
    }  # fmt: skip


def test_pprof_finds_threads_files_lines_and_time(written: Path) -> None:
    raw = pprof(written, "-raw")
    assert re.search(r"^time/nanoseconds$", raw, re.MULTILINE)
    assert len(re.findall(r"thread:\[worker\]\n\s+pid:\[100\] tid:\[101\]", raw)) == 3  # a sample for each stack
    assert re.search(r"work work\.c:42 ", raw)
    assert re.search(r"^\d+: 0x0/0x0/0x0 libc\.so\.6 ", raw, re.MULTILINE)
    only = pprof(written, "-top", "-tagfocus=thread=worker")
    assert "100% of 100ms total" in only
    assert "main" not in pprof(written, "-top", "-tagfocus=thread=another")
