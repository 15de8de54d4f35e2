"""Attachments made live: each AttachPoint class has its one way in, and a Link (or timer) whose close() undoes it."""

from __future__ import annotations

import os
from typing import NamedTuple

from invivo.bpf.link import perf_event, raw_tracepoint, tracepoint, tracing
from invivo.engines.kernel.loader import LoadedUnit
from invivo.errors import KernelError, UnsupportedError
from invivo.linux import cpu
from invivo.program.attach import BtfTracepoint, Once, PerfClock, RawTracepoint, Timer, Tracepoint, Uprobe
from invivo.program.plan import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from invivo.bpf.link.base import Link
    from invivo.bpf.link.keeper import Keeper
    from invivo.bpf.program import Program

__all__ = ["RefusedProbe", "RunningTimer", "attach"]


class RunningTimer:
    """A tick probe: a timerfd, and the program to run each time it expires."""

    __slots__ = ("fd", "program")

    def __init__(self, fd: int, program: Program) -> None:
        self.fd = fd
        self.program = program

    def fire(self) -> None:
        """Run the program once for each expiration since the last call."""
        try:
            expirations = int.from_bytes(os.read(self.fd, 8), "little")
        except BlockingIOError:
            return
        for _ in range(expirations):
            self.program.test_run()

    def close(self) -> None:
        os.close(self.fd)


def attach(
    unit: LoadedUnit, links: list[Link], timers: list[RunningTimer], keeper: Keeper | None
) -> list[RefusedProbe]:
    """Enable every attachment of a unit, appending to `links` and `timers` as each is made; the keeper holds uprobes.

    Returns:
        Places in programs that the kernel does not let be probed.

    Raises:
        UnsupportedError: The kernel has no such tracepoint any more, or refuses this kind.
        KernelError: Another failure, naming the place.
    """
    if unit.plan.attachments and isinstance(unit.plan.attachments[0].point, Uprobe):
        assert keeper is not None, "the engine has one for such plans"
        return _attach_uprobes(unit, unit.plan.attachments, keeper)
    for attachment in unit.plan.attachments:
        _attach_one(unit, attachment, links, timers)
    return []


class RefusedProbe(NamedTuple):
    """The kernel cannot put a probe at `point`; `probe` is the attachment's probe id."""

    point: Uprobe
    probe: int
    errno: int


def _attach_uprobes(unit: LoadedUnit, attachments: Iterable[Attachment], keeper: Keeper) -> list[RefusedProbe]:
    """One link for all places of a file, entries and returns apart."""
    from invivo.bpf.link import uprobe

    groups: dict[tuple[str, bool, int], list[uprobe.Site]] = {}
    for point, probe in attachments:
        assert isinstance(point, Uprobe)
        site = uprobe.Site(point.offset, probe, point.semaphore)
        groups.setdefault((point.path, point.is_return, point.pid), []).append(site)
    refused = []
    for (path, is_return, pid), sites in groups.items():
        for site, code in keeper.attach(unit.program.fd, path, sites, is_return=is_return, pid=pid):
            refused.append(RefusedProbe(Uprobe(path, site.offset, is_return, site.semaphore, pid), site.cookie, code))
    return refused


def _attach_one(unit: LoadedUnit, attachment: Attachment, links: list[Link], timers: list[RunningTimer]) -> None:
    program = unit.program
    match attachment.point:
        case Once():
            pass  # run by the session at its moment
        case Timer(interval_ns):
            from invivo.linux import syscalls

            timers.append(RunningTimer(syscalls.timerfd(interval_ns), program))
        case BtfTracepoint(name, _):
            links.append(tracing.attach(program.fd, name))
        case RawTracepoint(name):
            links.append(raw_tracepoint.attach(program.fd, name, attachment.probe))
        case Tracepoint(category, name, _):
            from invivo.linux import tracefs

            event_id = tracefs.event_id(category, name)
            links.append(tracepoint.attach(program.fd, event_id, attachment.probe, f"{category}:{name}"))
        case PerfClock(period_ns):
            _attach_clock(program.fd, period_ns, attachment.probe, links)
        case Uprobe():
            raise AssertionError("the attachments of a unit are of one kind")


def _attach_clock(program_fd: int, period_ns: int, cookie: int, links: list[Link]) -> None:
    from invivo.linux import perf_event as events

    for number in cpu.online():
        try:
            fd = events.open_clock(period_ns, number)
        except KernelError as error:
            if error.errno == 19:  # ENODEV: the CPU went offline since the list was read
                continue
            raise UnsupportedError(f"cannot sample CPU {number} each {period_ns} ns: {error}") from error
        links.append(perf_event.attach(program_fd, fd, cookie, f"cpu-clock on CPU {number}"))
