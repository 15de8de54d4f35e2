"""execname, which programs read straight from the running task, for names of every length."""

from __future__ import annotations

import sys

import pytest

import invivo

CHILD = """
import ctypes, sys
libc = ctypes.CDLL(None)
for name in sys.argv[1:]:
    libc.prctl(15, b"x" * 15)  # PR_SET_NAME, so that something stands behind the next, shorter name
    libc.prctl(15, name.encode())
    libc.getppid()
"""
NAMES = ["", *("abcdefghijklmno"[:length] for length in range(1, 16))]


@pytest.mark.kernel
def test_execname_of_every_length() -> None:
    """A thread that calls itself by 0 to 15 bytes is found by just that name, in records and as a key."""
    program = "syscall::getppid:entry /pid == $target/ { @[execname] = count(); trace(execname); }"
    with invivo.trace(program, command=[sys.executable, "-c", CHILD, *NAMES]) as session:
        records = [value for record in session for value in record.values]
    assert records == NAMES
    assert dict(session.aggregations[""]) == {(name,): 1 for name in NAMES}
