"""Each probe takes a descriptor, and shells give 1,024: invivo takes as many as it may, and what it runs gets the old
limit."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from tests.support import invivo

pytestmark = pytest.mark.kernel

# Some 400 tracepoints, which no system has all.
_EVENTS = "sdt:ext4::,sdt:xfs::,sdt:writeback::,sdt:sched::"
_TEXT = _EVENTS + " { @ = count(); } END { clear(@); }"
_PROGRAM = ("run", "-q", "-x", "zdefs", "-e", _TEXT, "-c", "bash -c 'ulimit -Sn'")


def limited(soft: int, hard: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_is_raised_for_invivo_and_not_for_the_command() -> None:
    result = invivo(*_PROGRAM, preexec_fn=limited(128, 4096))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split()[0] == "128"


def test_where_it_cannot_be_raised_enough_that_is_said() -> None:
    result = invivo(*_PROGRAM, preexec_fn=limited(128, 128))
    assert result.returncode == 1
    assert "Too many open files" in result.stderr
    assert "ulimit -Hn" in result.stderr
    assert "Traceback" not in result.stderr
