"""How many lines of `invivo strace` are those of Debian's strace(1), to the letter.

What differs from run to run is put out of the way on both sides: addresses, numbers of processes, times, random bytes.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, invivo

pytestmark = pytest.mark.process

_SCRIPT = str(Path(__file__).parents[1] / "scripts" / "decoded.py")
_VARYING = (
    (r"0x[0-9a-f]{6,}", "ADDRESS"), (r"tv_(sec|nsec|usec)=\d+", r"tv_\1=T"), (r"si_([us]time)=\d+", r"si_\1=T"),
    (r"htons\(\d{4,}\)", "htons(PORT)"), (r"\\x[0-9a-f]{2}", "BYTE"),
    (r"(set_tid_address|getp?pid)\((.*)\) = .*", r"\1"),
    (r"(uptime|loads|freeram|sharedram|bufferram|procs|f_bfree|f_bavail|f_ffree)=(\[[\d, ]*\]|\d+)", r"\1=N"),
    (r"/\* \d\.\d\d s \*/", ""), (r"(tms_\w+)=\d+ *", r"\1=T"), (r"(times\(.*\)) = \d+", r"\1"),
    (r"(munmap\(ADDRESS), \d+", r"\1"),
)  # fmt: skip


def lines_of(text: str) -> list[str]:
    """The calls of each thread, those that were interrupted put together, without what varies; threads in the order of
    the programs that they run, and those that run the same one in the order of what they do: not of who came first."""
    begun: dict[str, str] = {}
    threads: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = re.match(r"(\d+) +(.*)", line)
        tid, rest = (match[1], match[2]) if match else ("0", line)
        found = threads.setdefault(tid, [])
        if rest.endswith("<unfinished ...>"):
            begun[tid] = re.sub(r" *<unfinished \.\.\.>$", "", rest)
            continue
        if (resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", rest)) is not None:
            start = begun.pop(tid, "")
            rest = start + (" " if start.endswith(",") and not resumed[1].startswith(")") else "") + resumed[1]
        rest = re.sub(r"\) += ", ") = ", rest)
        for pattern, plain in _VARYING:
            rest = re.sub(pattern, plain, rest)
        found.append(rest)
    numbers = re.compile(rf"\b({'|'.join(threads)})\b")
    groups = [[numbers.sub("PID", line) for line in found] for found in threads.values()]

    def order(group: list[str]) -> tuple[str, list[str]]:
        executed = min((line for line in group if line.startswith("execve")), default="x")
        return executed, sorted(line for line in group if not line.startswith("futex"))

    groups.sort(key=order)
    return [line for group in groups for line in group]


def share(command: list[str], folder: Path, engine: str) -> tuple[float, str]:
    """The share of strace's lines that are ours too, and how the rest differ."""
    if not shutil.which("strace"):
        subprocess.run([str(ROOT / "scripts/apt-get"), "strace"], check=False)
    if not shutil.which("strace"):
        pytest.skip("no strace here to compare with (apt-get install strace)")
    words = ["-f", "-o", str(folder / "theirs"), *command]
    # As invivo() has it: a Python that is traced looks there for its modules.
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(["strace", *words], check=False, capture_output=True, cwd=folder, env=environment)
    words[words.index(str(folder / "theirs"))] = str(folder / "mine")
    done = invivo("strace", "--engine", engine, *words, cwd=folder)
    assert "Traceback" not in done.stderr
    theirs, mine = (lines_of((folder / name).read_text(errors="surrogateescape")) for name in ("theirs", "mine"))
    blocks = difflib.SequenceMatcher(None, theirs, mine, autojunk=False).get_matching_blocks()
    assert len(theirs) > 20
    return sum(b.size for b in blocks) / len(theirs), "\n".join(difflib.unified_diff(theirs, mine, lineterm="", n=0))


KERNEL = pytest.param("kernel", marks=pytest.mark.kernel)


@pytest.mark.parametrize("engine", ["process", KERNEL])
@pytest.mark.parametrize(
    ("command", "least"),
    [
        ([sys.executable, "-S", _SCRIPT, "{}"], 0.96),
        (["ls", "-l", "/etc"], 0.97),
        (["sh", "-c", "echo a b | tr a b | cat; exit 3"], 0.95),
        (["sort", "-o", "{}/sorted", "/etc/passwd"], 0.97),
    ],
    ids=["script", "ls", "sh", "sort"],
)
def test_the_same_lines(command: list[str], least: float, engine: str, tmp_path: Path) -> None:
    found, difference = share([word.replace("{}", str(tmp_path)) for word in command], tmp_path, engine)
    print(f"{100 * found:.1f} % of the lines are the same")
    assert found >= least, difference
