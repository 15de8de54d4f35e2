"""Rights that tests need, runs that ran nothing, and children that a test left behind.

In: the markers `kernel`, `process`, `guest` and `browser`, and INVIVO_REQUIRE in the environment (`kernel,process`).
Out: a skip with the reason where the right is absent; a failure instead, where INVIVO_REQUIRE names the marker.

    tests/session/test_one_liners.py::test_sizes_of_reads_of_dd SKIPPED (kernel: test runs: Operation not permitted)
    INVIVO_REQUIRE=kernel   the same test FAILS: INVIVO_REQUIRE names 'kernel', but ...
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from invivo.bpf import features

# A machine that is busy is no fault of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

_PTRACE_SEIZE, _PTRACE_DETACH = 0x4206, 17
_INSTALLABLE = "apt-get install"  # what the reason of a skip says that an installation mends
_ran = 0


@functools.cache
def missing_for_kernel() -> str:
    """Why BPF programs cannot be loaded and run by this process; empty if they can."""
    for feature in features.FEATURES:
        if feature.is_needed and (answer := feature.ask()).outcome is not features.Outcome.YES:
            return f"{feature.name}: {answer.reason}"
    if os.geteuid() != 0 and not os.access("/sys/kernel/tracing/events", os.R_OK):
        return "tracefs cannot be read"
    return ""


@functools.cache
def missing_for_process() -> str:
    """Why this process cannot trace a child of its own; empty if it can."""
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        if ptrace(_PTRACE_SEIZE, child, None, None) == 0:
            return ""
        return f"ptrace(PTRACE_SEIZE) of a child: {os.strerror(ctypes.get_errno())}"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@functools.cache
def missing_for_guest() -> str:
    """Why no guest kernel can be booted here; empty if one can."""
    return "" if shutil.which("qemu-system-x86_64") else "no qemu-system-x86_64 (apt-get install qemu-system-x86)"


@functools.cache
def missing_for_browser() -> str:
    """Why no page can be looked at here; empty if one can."""
    from tests.browser.browser import missing

    return missing()


RIGHTS: dict[str, Callable[[], str]] = {
    "kernel": missing_for_kernel,
    "process": missing_for_process,
    "guest": missing_for_guest,
    "guest_cases": missing_for_guest,
    "browser": missing_for_browser,
}


def required() -> set[str]:
    """The markers that INVIVO_REQUIRE names: their tests may not be skipped."""
    names = {name.strip() for name in os.environ.get("INVIVO_REQUIRE", "").split(",")} - {""}
    if unknown := names - RIGHTS.keys():
        raise pytest.UsageError(f"INVIVO_REQUIRE names {sorted(unknown)}; there are {sorted(RIGHTS)}")
    return names


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a misspelt INVIVO_REQUIRE before the first test."""
    required()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, a test whose right is absent."""
    for name, missing in RIGHTS.items():
        if item.get_closest_marker(name) is not None and (reason := missing()):
            if name in required():
                pytest.fail(f"INVIVO_REQUIRE names '{name}', but {reason}", pytrace=False)
            pytest.skip(f"{name}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a marker of the test is required, a program that can be installed may not be missing either."""
    report = yield
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
    marked = sorted(name for name in required() if item.get_closest_marker(name) is not None)
    if report.skipped and marked and _INSTALLABLE in reason:
        report.outcome = "failed"
        report.longrepr = f"INVIVO_REQUIRE names '{marked[0]}', but the test was skipped: {reason}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests whose body ran."""
    global _ran
    _ran += report.when == "call" and not report.skipped


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which no test ran has shown nothing: it is an error, not a success."""
    is_listing = session.config.option.collectonly
    if not is_listing and not _ran and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def children() -> dict[int, str]:
    """The child processes of this one, zombies too: pid and name. Not every kernel has /proc/PID/task/TID/children."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                name, _, rest = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(") ")
            except OSError:
                continue  # ended meanwhile
            if int(rest.split()[1]) == os.getpid():
                found[int(entry)] = name.partition("(")[2]
    return found


@pytest.fixture(autouse=True)
def lingering(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that traces leaves no child process: neither running nor unwaited."""
    if not {"kernel", "process"} & {mark.name for mark in request.node.iter_markers()}:
        yield
        return
    before = children()
    yield
    deadline = time.monotonic() + 2
    while (left := children().items() - before.items()) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert not left, f"children left behind: {left}"
