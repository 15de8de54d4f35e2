"""Entries that the kernel does not make though there is room: told as that, and not as a map that is full.

A timer's interrupt that makes many new entries at once uses up what the kernel lays in for them (four at first:
prefill_mem_cache() in kernel/bpf/memalloc.c), and cannot get more before it ends.
"""

from __future__ import annotations

import re

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel

ENTRIES = 199


def burst(statements: str, end: str) -> tuple[str, str]:
    """Standard output and error of a program whose first timer interrupt within a busy process runs `statements`."""
    program = f"profile-997 /pid == $target && !done/ {{ done = 1; {statements} }} END {{ {end} }}"
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('shares')} 3000")
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr


def lost(errors: str, noun: str) -> int:
    """How many of them were lost, as the message says, which is the only one of losses."""
    (line,) = [line for line in errors.splitlines() if line.startswith("invivo: ")]
    found = re.fullmatch(rf"invivo: (\d+) refused {noun} \(the kernel could make no entry .*; .*\)", line)
    assert found is not None, line
    assert "full" not in line
    return int(found[1])


def test_keys_of_an_aggregation() -> None:
    """Those kept and those told as refused are all."""
    keys = " ".join(f"@[{number}] = count();" for number in range(ENTRIES))
    output, errors = burst(keys, 'printa("kept %d %@d\\n", @);')
    kept = re.findall(r"^kept \d+ 1$", output, re.M)
    assert kept
    assert len(kept) + lost(errors, "aggregation keys? of @") == ENTRIES


def test_elements_of_an_array() -> None:
    assignments = " ".join(f"a[{number}] = 1;" for number in range(ENTRIES))
    total = " + ".join(f"a[{number}]" for number in range(ENTRIES))
    output, errors = burst(assignments, f'printf("kept %d\\n", {total});')
    kept = int(re.findall(r"^kept (\d+)$", output, re.M)[0])
    assert kept
    assert kept + lost(errors, "dynamic variables?") == ENTRIES
