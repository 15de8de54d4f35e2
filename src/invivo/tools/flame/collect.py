"""A kind's program run, and its answer as a profile.

    collecting = Collecting("cpu", Wanted(has_target=True), pid=1234, duration=10)
    profile = collecting.run()          blocks; collecting.stop() from a signal handler ends it early
"""

from __future__ import annotations

import logging
import os
import threading
import time

import invivo
from invivo.consumer.drops import Drop
from invivo.errors import OptionError
from invivo.flame.profile import Kind, Profile, Thread
from invivo.flame.samples import Bounded, Samples
from invivo.linux import procfs
from invivo.program.aggregates import signed
from invivo.tools.flame.containers import Containers
from invivo.tools.flame.idle import leave_out_idle
from invivo.tools.flame.kinds import KINDS, Shape, Wanted
from invivo.tools.flame.stacks import Stacks
from invivo.tools.flame.waits import OpenWaits
from invivo.tools.flame.wakers import Wakers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.records import Record
    from invivo.tools.flame.kinds import Program

__all__ = ["Collecting", "profile_of_aggregations"]

_OPTIONS = {"quiet": None, "stacksize": "65536", "aggsize": "32m", "dynvarsize": "16m"}
_STOLEN = 0.01  # of the processors' time: what is worth telling
_READS = 0.2  # seconds between two readings of the aggregations, as kinds.TICK says


class Collecting:
    """One run of one kind.

    Args:
        kind: A name of KINDS.
        wanted: What is asked for.
        command, pid: The target, or neither for the whole machine.
        duration: Seconds, or None to run until the target ends or stop() is called.
        hide_idle: Leave out threads that only wait for work.
        options: Options of the D program; those given here go before the kind's own. With srcline, inlined functions
            are frames.

    `ended_ns` is the wall clock's time when tracing ended; what was seen is looked up after it.
    `profile` grows while tracing goes on if somebody wants to see it (`on_change`), and may then be read by who holds
    `lock`. Otherwise all is looked up when tracing has ended: what is traced is disturbed as little as can be.
    """

    def __init__(
        self,
        kind: str,
        wanted: Wanted,
        *,
        command: str | None = None,
        pid: int | None = None,
        duration: float | None = None,
        hide_idle: bool = False,
        options: Mapping[str, str | None] | None = None,
    ) -> None:
        self.kind = KINDS[kind]
        if self.kind.needs_target and not wanted.has_target:
            raise OptionError(f"flame {kind} needs a process", "-p PID or -c CMD")
        if wanted.by and wanted.by not in self.kind.ways:
            raise OptionError(f"flame {kind} cannot weigh by {wanted.by}", f"it can by {', '.join(self.kind.ways)}")
        self.program = self.kind.program(wanted)
        self.profile = Profile(self.program.unit)
        self.ended_ns = 0
        self.lock = threading.Lock()
        self._hide_idle = hide_idle
        self._changed: Callable[[], None] | None = None
        self._containers = Containers()
        self._is_stopped = False
        self._has_command = command is not None
        self._session = invivo.trace(
            self.program.text,
            command=command,
            pid=pid,
            duration=duration,
            options={**_OPTIONS, **(options or {})},
            name=f"<flame {kind}>",
        )
        whom = command if command is not None else f"process {pid}" if pid is not None else "the whole machine"
        self.profile.title = f"{kind}: {whom}"

    def on_change(self, changed: Callable[[], None]) -> None:
        """`changed` is called a few times a second, from the thread that runs, after the profile has grown."""
        self._changed = changed

    def stop(self) -> None:
        """End soon; from any thread or a signal handler."""
        self._is_stopped = True
        self._session.stop()

    def run(self) -> Profile:
        """Trace to the end; returns the profile, losses among its notes."""
        with _Warnings() as warnings:
            try:
                self._run()
            finally:
                self.profile.notes += [message for message in warnings.messages if message not in self.profile.notes]
        if self._hide_idle:
            leave_out_idle(self.profile)
        return self.profile

    def _run(self) -> None:
        self._session.on_process(self._containers.of)
        if self._changed is None and self.program.shape is Shape.SAMPLES:
            self._session.defer()
        with self._session as session:
            self.profile.start_ns = time.time_ns()
            stolen = procfs.stolen_ns()
            changed = self._changed
            held = session.target_pid if self._has_command else None
            waits = OpenWaits(self.program, session.target_pid, os.getpid(), held)
            take = self._taker(time.clock_gettime_ns(time.CLOCK_MONOTONIC), waits)
            if self._is_stopped:  # before there was something to stop
                session.stop()
            told = time.monotonic()
            ended = 0
            for record in session:
                with self.lock:
                    take(record)
                if self.program.shape is Shape.SUMS:
                    if not ended:
                        waits.start = int(record.values[0])  # type: ignore[arg-type]
                    ended = int(record.values[0])  # type: ignore[arg-type]
                if changed is not None and time.monotonic() - told > _READS:
                    told = time.monotonic()
                    changed()
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self.ended_ns = time.time_ns()
            self.profile.notes += _stolen(procfs.stolen_ns() - stolen, self.ended_ns - self.profile.start_ns)
            with self.lock:
                take(None)
                waits.end(session, self.profile, Stacks(self.profile, self._containers), ended or now)
        if self._has_command:
            _leave_out_the_hold(self.profile)
        if changed is not None:
            changed()

    def _taker(self, start: int, waits: OpenWaits) -> Callable[[Record | None], None]:
        """What is called with each record, and at the end with None."""
        match self.program.shape:
            case Shape.SAMPLES:
                return _Samples(self.profile, start, self._containers).take
            case Shape.HELD:
                pid = self._session.target_pid or 0
                return _Held(self.profile, pid, lambda: self._session.aggregations).take
            case Shape.SUMS:
                stacks, wakers = Stacks(self.profile, self._containers), Wakers(self._session.stack)
                # Wakers are looked up by pid, while they are there.
                at_once = self._changed is not None or self.program.has_waker
                read = self._session.take_aggregations
                return _Sums(self.profile, start, read, self.program, waits, wakers, stacks, shows_at_once=at_once).take


class _Samples:
    """A record a sample."""

    def __init__(self, profile: Profile, start: int, containers: Containers) -> None:
        self._profile = profile
        self._start = start
        self._stacks = Stacks(profile, containers)
        self._bounded = Bounded(profile, profile.notes)

    def take(self, record: Record | None) -> None:
        if record is None:
            return
        at, pid, tid, name, user, kernel = record.values
        thread = self._profile.thread(Thread(pid, tid, name))  # type: ignore[arg-type]
        node = self._stacks.of(pid, user, kernel)  # type: ignore[arg-type]
        self._profile.add(node, 1, thread, self._bounded.moment(max(0, at - self._start)))  # type: ignore[operator]
        self._bounded.check()


class _Sums:
    """Aggregations, taken again and again: what was counted since the last time is of the time between. Keys are
    decoded when they are to be shown; until then a sample has the key's number for its node."""

    def __init__(
        self,
        profile: Profile,
        start: int,
        read: Callable[[], list[tuple[Totals, dict[bytes, list[int]]]]],
        program: Program,
        waits: OpenWaits,
        wakers: Wakers,
        stacks: Stacks,
        *,
        shows_at_once: bool,
    ) -> None:
        self._profile = profile
        self._start = start
        self._read = read
        self._shows_at_once = shows_at_once
        self._program = program
        self._waits = waits
        self._wakers = wakers
        self._stacks = stacks
        self._owed: dict[tuple[int, bytes], int] = {}  # sums of negative values, until there is more
        self._numbers: dict[tuple[int, bytes], int] = {}  # of keys: aggregation, key
        self._keys: list[tuple[Totals, bytes]] = []  # by number
        self._places: dict[int, tuple[int, int] | None] = {}  # by number: node and thread
        self._taken = Samples()
        self._bounded = Bounded(profile if shows_at_once else self._taken, profile.notes)
        self._last = 0

    def take(self, record: Record | None) -> None:
        """Note what has come; at the end, or at once, show it."""
        self._bounded.check()
        now = int(record.values[0]) if record else time.clock_gettime_ns(time.CLOCK_MONOTONIC)  # type: ignore[arg-type]
        middle = self._bounded.moment(max(0, (self._last + now - self._start) // 2))
        self._last = now - self._start
        for totals, rows in self._read():
            identity = totals.plan.id
            for key, (word, *_) in rows.items():
                sum_ = signed(word) + (self._owed.pop((identity, key), 0) if self._owed else 0)
                if sum_ > 0:
                    self._taken.add(self._number(totals, identity, key), sum_, time=middle)
                elif sum_ < 0:
                    self._owed[identity, key] = sum_
        if record is None or self._shows_at_once:
            self._show()

    def _number(self, totals: Totals, identity: int, key: bytes) -> int:
        number = self._numbers.get((identity, key))
        if number is None:
            number = self._numbers[identity, key] = len(self._numbers)
            self._keys.append((totals, key))
        return number

    def _show(self) -> None:
        taken, self._taken = self._taken, Samples()
        for number, weight, middle in zip(taken.nodes, taken.weights, taken.times, strict=True):
            if number not in self._places:
                totals, key = self._keys[number]
                self._places[number] = self._place(totals.plan.name, totals.values(key), weight)
            place = self._places[number]
            if place is not None:
                self._profile.add(place[0], weight, place[1], middle)

    def _place(self, name: str, key: tuple[Any, ...], weight: int) -> tuple[int, int] | None:
        """Node and thread of a key; None if it does not count."""
        who = Thread(*key[:3])
        if name == "before":  # a wait that began before tracing did: a thread has one
            older = self._waits.node(who, weight if self._profile.unit == "ns" else 0, self._stacks)
            return None if older is None else (self._woken(older, key[3:]), self._profile.thread(who))
        thread = self._profile.thread(who)
        parts = key[3:]
        if self._program.has_waker:
            return self._woken(self._stacks.of(key[0], *parts[:2]), parts[2:]), thread
        if self._program.has_label:  # a system call is the innermost frame, a waker's name the outermost
            label, *stacks = parts
            parts = (label, *stacks) if len(stacks) > 1 else (*stacks, label)
        return self._stacks.of(key[0], *parts), thread

    def _woken(self, node: int, waker: tuple[int, ...]) -> int:
        """The node of a wait with who ended it."""
        return self._stacks.under(node, self._wakers.names(waker), Kind.WAKER) if waker else node


class _Held:
    """An aggregation of what is held, by thread and stack: read at the end. Threads are named while they are there."""

    def __init__(self, profile: Profile, pid: int, read: Callable[[], Mapping[str, Mapping[Any, Any]]]) -> None:
        self._profile = profile
        self._pid = pid
        self._read = read
        self._names = {pid: procfs.comm(pid) or ""}

    def take(self, record: Record | None) -> None:
        for tid in procfs.threads(self._pid):
            if tid not in self._names:
                self._names[tid] = procfs.comm(tid) or ""
        if record is not None:
            return
        stacks = Stacks(self._profile)
        for view in self._read().values():
            for (tid, stack), weight in view.items():
                if weight > 0:
                    name = self._names.get(tid, self._names[self._pid])
                    thread = self._profile.thread(Thread(self._pid, tid, name))
                    self._profile.add(stacks.of(self._pid, stack), weight, thread)


def profile_of_aggregations(aggregations: Mapping[str, Mapping[Any, Any]], unit: str = "samples") -> Profile:
    """The profile of any program's aggregations: of those with a stack in their keys and numbers as answers.

    A key's other parts are the outermost frames, in order.
    """
    profile = Profile(unit)
    stacks = Stacks(profile)
    for view in aggregations.values():
        for key, answer in view.items():
            found = [part for part in key if hasattr(part, "is_user")]
            if not found or not isinstance(answer, int) or answer <= 0:
                continue
            words = [str(part) for part in key if not hasattr(part, "is_user")]
            found.sort(key=lambda stack: not stack.is_user)  # the process's stack calls the kernel's
            thread = profile.thread(Thread(0, 0, ", ".join(words)))
            profile.add(stacks.node(*found), answer, thread)
    return profile


def _stolen(stolen_ns: int, wall_ns: int) -> list[str]:
    """A note if a hypervisor let this machine wait: it looks as if the threads were running that had a processor."""
    share = stolen_ns / (wall_ns * (os.cpu_count() or 1))
    if share < _STOLEN:
        return []
    return [f"the hypervisor took {share:.1%} of the processors' time: threads that were running seem slower by that"]


def _leave_out_the_hold(profile: Profile) -> None:
    """A command is held by ptrace(2) until tracing is ready: that wait is not its own."""
    names = [frame.name in ("ptrace_stop", "ptrace_signal") for frame in profile.frames]
    if any(names):
        held = profile.inside(names)
        profile.keep([place for place, node in enumerate(profile.nodes) if not held[node]])


class _Warnings(logging.Handler):
    """Losses and errors at run time, which the library logs, kept for the picture's notes; losses as sums."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[object, str | Drop] = {}
        self._logger = logging.getLogger("invivo")

    @property
    def messages(self) -> list[str]:
        return list(map(str, self._told.values()))

    def emit(self, record: logging.LogRecord) -> None:
        drop = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if isinstance(drop, Drop):
            before = self._told.get((drop.kind, drop.place))
            if isinstance(before, Drop):
                drop = drop._replace(count=before.count + drop.count, hint=before.hint or drop.hint)
            self._told[drop.kind, drop.place] = drop
        else:
            message = record.getMessage()
            self._told[message] = message

    def __enter__(self) -> _Warnings:
        self._was = self._logger.propagate
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._was
