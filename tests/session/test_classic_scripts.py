"""Scripts in the manner of those written for Solaris and macOS, run as they stand by `invivo dtrace -s`.

Each is in tests/scripts. What it must print comes from triggers with known events, from /proc and stat, from the shell.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT, invivo, trigger

pytestmark = pytest.mark.kernel

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(name: str, *words: str, command: str = "") -> list[str]:
    """The lines that a script prints; its letters are those of its own first line."""
    path = SCRIPTS / name
    letters = path.read_text().partition("\n")[0].split()[1:]
    target = ["-c", command] if command else []
    result = invivo("dtrace", *target, *letters, str(path), *words)
    assert result.returncode == 0, result.stderr
    faults = [line for line in result.stderr.splitlines() if line.startswith("dtrace: error")]
    # A page that the process has not touched yet cannot be read at the call's entry.
    assert [line for line in faults if "invalid address (0x" not in line] == []
    return result.stdout.splitlines()


def row(lines: list[str], *first: str) -> list[str]:
    """The words after `first` of the one line that begins with them."""
    (found,) = (line.split() for line in lines if line.split()[: len(first)] == [*first])
    return found[len(first) :]


def test_every_script_is_run_here_and_only_names_providers_of_all_systems() -> None:
    text = Path(__file__).read_text()
    for path in SCRIPTS.glob("*.d"):
        assert f'"{path.name}"' in text
        probes = re.findall(r"^(?:[a-z]+)(?=:[\w:$*-]*(?:,?$| *when))", path.read_text(), re.M)
        assert set(probes) <= {"dtrace", "syscall", "proc", "sched", "io", "profile"}, path


def test_system_calls_by_name() -> None:
    lines = run("syscallsbyname.d", command=f"{trigger('syscalls')} 23")
    assert lines[0] == "Tracing... Hit Ctrl-C to end."
    assert row(lines, "syscalls", "getppid") == ["46"]
    counts = [int(line.split()[2]) for line in lines[2:] if line]
    assert counts == sorted(counts)


def test_errors_by_number() -> None:
    """ENOENT is 2; cat opens its one operand once."""
    lines = run("errs.d", command="cat /nonexistent/x")
    assert row(lines, "cat", "openat", "2") >= ["1"]


def test_sizes_from_an_argument_on() -> None:
    """17 reads of 300 bytes are in the bucket of 256."""
    command = f"{trigger('reads')} 17 300"
    lines = run("sizes.d", "300", command=command)
    assert row([line.replace("@", "") for line in lines], "256", "|")[:1] == ["17"]
    assert any(line.endswith(" CMD: reads") for line in lines)


def test_sizes_without_the_argument_count_all() -> None:
    lines = run("sizes.d", command=f"{trigger('reads')} 17 40")
    assert row([line.replace("@", "") for line in lines], "32", "|")[:1] == ["17"]


def test_a_usage_message_and_its_status() -> None:
    path = str(SCRIPTS / "usage.d")
    result = invivo("dtrace", "-s", path)
    assert (result.returncode, result.stdout) == (1, f"USAGE: {path} seconds [message]\n\n")
    assert run("usage.d", "3", "lift off") == ["3...", "2...", "1...", "lift off", ""]
    assert run("usage.d", "1") == ["1...", "ignition", ""]


def test_new_processes_with_their_arguments() -> None:
    lines = run("newprocs.d", command="env ls -d / /tmp")
    assert lines[0] == "  UID  PPID ARGS" or "  UID  PPID ARGS" in lines
    assert any(line.endswith("ls -d / /tmp") for line in lines)


def test_exits_by_reason() -> None:
    """lives forks 5 children, and ends itself."""
    lines = run("exits.d", command=f"{trigger('lives')} 5 0")
    assert row(lines, "lives", "exited") == ["6"]


def test_signals_by_sender_and_recipient() -> None:
    """SIGUSR1 is 10 (signal(7)); lives sends 6 to itself."""
    lines = run("kill.d", command=f"{trigger('lives')} 0 6")
    assert row(lines, "lives", "lives", "10") == ["6"]


def test_times_of_calls() -> None:
    lines = run("calltime.d", command=f"{trigger('syscalls')} 23")
    count, average, least, most = (int(word) for word in row(lines, "getppid"))
    assert count == 46
    assert 0 < least <= average <= most


def test_time_on_cpu_is_what_the_process_used() -> None:
    """times(2), as bash tells it of the same work, is the second source; its clock ticks at 100 Hz."""
    lines = run("oncpu.d", command=f"{trigger('loop')} 200000")
    total_us = int(row(lines, "total")[0])
    words = ["bash", "-c", f"{trigger('loop')} 200000 >/dev/null; times"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    minutes = re.findall(r"(\d+)m([\d.]+)s", shown.stdout.splitlines()[-1])
    assert total_us > 0
    assert sum(int(count) * 60 + float(seconds) for count, seconds in minutes) * 1e6 < total_us * 100


def test_samples_by_mode() -> None:
    lines = run("prof.d", command=f"{trigger('syscalls')} 1500000")
    samples = [line.split() for line in lines if line.startswith("syscalls")]
    assert {words[1] for words in samples} <= {"kernel", "user"}
    assert sum(int(words[2]) for words in samples) == int(row(lines, "all")[0]) > 0


def test_speculation_with_a_header_of_macros(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("x")
    lines = run("specopen.d", command=f"cat {there} /nonexistent/x")
    assert "/nonexistent/x -> error 2" in lines
    assert not any(str(there) in line for line in lines)


def test_bytes_by_file() -> None:
    lines = run("rwbyfile.d", command=f"{trigger('reads')} 17 300")
    assert row(lines, "R", "/dev/zero") == ["5100"]


def test_intervals() -> None:
    lines = run("intervals.d", "30", "2", command=f"{trigger('syscalls')} 3000000")
    assert [line for line in lines if line.startswith("---")] == ["--- 1 left", "--- 0 left"]
    assert [line.split()[0] for line in lines if line.startswith("getppid")] == ["getppid"] * 2
    assert int(row(lines, "tens")[0]) == int(row(lines, "ones")[0]) // 10 > 0


def test_block_io_of_a_copy_that_is_synchronised(tmp_path: Path) -> None:
    """dd writes 192 KiB through to the device that the file's system is on, if it is on one."""
    device = subprocess.run(["stat", "-c", "%d", ROOT], capture_output=True, text=True, check=True).stdout
    if int(device) >> 8 == 0:
        pytest.skip("the files of this checkout are on no block device")
    target = ROOT / ".io-test"
    try:
        lines = run("iosize.d", command=f"dd if=/dev/zero of={target} bs=64k count=3 conv=fsync status=none")
    finally:
        target.unlink(missing_ok=True)
    written = [int(line.split()[2]) for line in lines if line.split()[1:2] == ["W"]]
    assert sum(written) >= 3 * 65536
    assert int(row(lines, "I/O", "operations:")[0]) > 0


def test_lifetimes_of_children() -> None:
    lines = run("lifetimes.d", command=f"{trigger('lives')} 5 0")
    assert row(lines, "child") == ["5"]
