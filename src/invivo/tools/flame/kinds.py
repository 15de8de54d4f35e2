"""The kinds of flame graph, each with its D program.

    kind "syscall", filter "pid == $target"  ->
        syscall:::entry /pid == $target/ { self->t = timestamp; }
        syscall:::return /self->t/ { @[pid, tid, execname, probefunc, ustack()] = sum(timestamp - self->t); ... }

A program answers in one of three shapes. SAMPLES: a record a sample, (timestamp, pid, tid, execname, ustack, stack).
SUMS: aggregations keyed by (pid, tid, execname[, label], ustack, stack), read a few times a second, which gives them
their times. JOINED: records that `join` puts together.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from invivo.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "Kind", "Program", "Shape", "Wanted"]


class Shape(Enum):
    """How a program answers."""

    SAMPLES = auto()
    SUMS = auto()
    JOINED = auto()


class Wanted(NamedTuple):
    """What the command line asks for; times in ns. `by` is "" for the kind's first way to weigh."""

    has_target: bool
    hz: int = 99
    by: str = ""
    state: str = ""
    min_ns: int = 0
    probe: str = ""
    value: str = ""
    allocators: tuple[str, ...] = ()

    @property
    def filter(self) -> str:
        """The predicate that chooses whose events count: the target's, or all but the tracer's own."""
        return "pid == $target" if self.has_target else "pid != $pid && pid != 0"


class Program(NamedTuple):
    """A D program and how to read its answer. `label`: keys have a text that becomes the innermost frame."""

    text: str
    unit: str
    shape: Shape = Shape.SUMS
    has_label: bool = False


class Kind(NamedTuple):
    """One kind: its name, what it shows, the ways to weigh (the first is the default), and its program."""

    name: str
    doc: str
    ways: tuple[str, ...]
    program: Callable[[Wanted], Program]
    needs_target: bool = False
    empty: str = ""  # why it may have found nothing


TICK = "tick-5 { trace(timestamp); }\n"  # a moment to read the aggregations at
_WHO = "pid, tid, execname"
_STACKS = "ustack(), stack()"
_KEYS = f"{_WHO}, {_STACKS}"
_WAITS = "self->at"
# Where a thread that was switched out goes on, with its own stack again. Linux 6.14 has it (4ee40dfa2aa4 and after).
_RESUMED = "rawtp:vmlinux::sched_exit_tp"

#          bit of the kernel's task state: what ps(1) calls it
_STATES = {"S": "curthread->__state & 1", "D": "curthread->__state & 2", "R": ""}


def _cpu(wanted: Wanted) -> Program:
    record = " ".join(f"trace({what});" for what in ("timestamp", "pid", "tid", "execname"))
    return Program(
        f"profile-{wanted.hz} /{wanted.filter}/ {{ {record} ustack(); stack(); }}\n", "samples", Shape.SAMPLES
    )


def _left(wanted: Wanted, more: str = "") -> str:
    """Clauses that note when a thread leaves its processor, in the states that are asked for."""
    chosen = wanted.state.upper() or "SD"
    if unknown := set(chosen) - _STATES.keys():
        raise OptionError(
            f"--state {wanted.state}: there is no state '{min(unknown)}'",
            "S sleeps, D waits for a disk or the kernel, R is ready but not running; SD is the default",
        )
    clauses = []
    asleep = [_STATES[letter] for letter in "SD" if letter in chosen]
    condition = f" && ({' || '.join(asleep)})" if len(asleep) == 1 else ""
    extra = f" && {more}" if more else ""
    if asleep:
        clauses.append(f"sched:::sleep /{wanted.filter}{condition}{extra}/ {{ {_WAITS} = timestamp; }}\n")
    if "R" in chosen:
        clauses.append(f"sched:::preempt /{wanted.filter}{extra}/ {{ {_WAITS} = timestamp; }}\n")
    return "".join(clauses)


def _came_back(wanted: Wanted, action: str) -> str:
    """Clauses that act where the thread goes on, on `this->ns`, the time it was away."""
    least = f"this->ns >= {wanted.min_ns}" if wanted.min_ns else ""
    if not least:
        return f"{_RESUMED} /{_WAITS}/ {{ this->ns = timestamp - {_WAITS}; {_WAITS} = 0; {action} }}\n"
    away = f"timestamp - {_WAITS}"
    return (
        f"{_RESUMED} /{_WAITS} && {away} < {wanted.min_ns}/ {{ {_WAITS} = 0; }}\n"
        f"{_RESUMED} /{_WAITS}/ {{ this->ns = {away}; {_WAITS} = 0; {action} }}\n"
    )


def _offcpu(wanted: Wanted, more: str = "") -> Program:
    sum_ = f"@[{_KEYS}] = count();" if wanted.by == "count" else f"@[{_KEYS}] = sum(this->ns);"
    text = _left(wanted, more) + _came_back(wanted, sum_)
    return Program(text + TICK, "events" if wanted.by == "count" else "ns")


def _wall(wanted: Wanted) -> Program:
    period = 10**9 // wanted.hz
    on = f"profile-{wanted.hz} /{wanted.filter}/ {{ @[{_KEYS}] = sum({period}); }}\n"
    return Program(on + _offcpu(wanted).text, "ns")


_WOKEN = "args[1]->pr_pid"


def _woken(wanted: Wanted) -> str:
    return f"{_WOKEN} == $target" if wanted.has_target else f"{_WOKEN} != $pid"


def _wakeup(wanted: Wanted) -> Program:
    keys = f"{_WOKEN}, args[0]->pr_lwpid, args[1]->pr_fname, execname, {_STACKS}"
    return Program(f"sched:::wakeup /{_woken(wanted)}/ {{ @[{keys}] = count(); }}\n{TICK}", "events", has_label=True)


def _offwake(wanted: Wanted) -> Program:
    wake = (
        f"sched:::wakeup /{_woken(wanted)}/ "
        '{ trace("wake"); trace(args[0]->pr_lwpid); trace(execname); ustack(); stack(); }\n'
    )
    values = ('"back"', "tid", "timestamp", "pid", "execname", "this->ns")
    back = "".join(f"trace({value}); " for value in values) + "ustack(); stack();"
    return Program(_left(wanted) + wake + _came_back(wanted, back), "ns", Shape.JOINED)


def _io(wanted: Wanted) -> Program:
    if wanted.by == "latency":
        return _offcpu(wanted._replace(by=""), "curthread->in_iowait")
    sum_ = "count()" if wanted.by == "count" else "sum(args[0]->b_bcount)"
    text = f"io:::start /{wanted.filter}/ {{ @[{_KEYS}] = {sum_}; }}\n{TICK}"
    return Program(text, "events" if wanted.by == "count" else "bytes")


def _faults(wanted: Wanted) -> Program:
    probes = "sdt:exceptions::page_fault_user, sdt:exceptions::page_fault_kernel"
    return Program(f"{probes} /{wanted.filter}/ {{ @[{_KEYS}] = count(); }}\n{TICK}", "events")


def _syscall(wanted: Wanted) -> Program:
    keys = f"{_WHO}, probefunc, ustack()"
    if wanted.by == "count":
        return Program(
            f"syscall:::entry /{wanted.filter}/ {{ @[{keys}] = count(); }}\n{TICK}", "events", has_label=True
        )
    return Program(
        f"syscall:::entry /{wanted.filter}/ {{ {_WAITS} = timestamp; }}\n"
        f"syscall:::return /{_WAITS}/ {{ @[{keys}] = sum(timestamp - {_WAITS}); {_WAITS} = 0; }}\n{TICK}",
        "ns",
        has_label=True,
    )


def _lock(wanted: Wanted) -> Program:
    # FUTEX_WAIT 0, LOCK_PI 6, WAIT_BITSET 9, WAIT_REQUEUE_PI 11, LOCK_PI2 13: futex(2)
    waits = " || ".join(f"(arg1 & 127) == {operation}" for operation in (0, 6, 9, 11, 13))
    sum_ = "count()" if wanted.by == "count" else f"sum(timestamp - {_WAITS})"
    text = (
        f"syscall::futex:entry /{wanted.filter} && ({waits})/ {{ {_WAITS} = timestamp; }}\n"
        f"syscall::futex:return /{_WAITS}/ {{ @[{_WHO}, ustack()] = {sum_}; {_WAITS} = 0; }}\n{TICK}"
    )
    return Program(text, "events" if wanted.by == "count" else "ns")


#              function of the malloc family: its size in bytes
_ALLOCATORS = {"malloc": "arg0", "calloc": "arg0 * arg1", "realloc": "arg1", "posix_memalign": "arg2",
               "aligned_alloc": "arg1", "memalign": "arg1"}  # fmt: skip


def _allocators(wanted: Wanted) -> dict[str, str]:
    """Functions and the expression of each one's size: the malloc family's, or those named as FUNCTION[:ARGUMENT]."""
    if not wanted.allocators:
        return _ALLOCATORS
    chosen = {}
    for text in wanted.allocators:
        name, colon, place = text.partition(":")
        if not name or (colon and not (place.isdigit() and int(place) < 6)):
            raise OptionError(f"--allocator {text}: it has the form FUNCTION[:ARGUMENT]", "such as my_alloc:1")
        chosen[name] = f"arg{int(place or 0)}"
    return chosen


def _alloc(wanted: Wanted) -> Program:
    keys = f"{_WHO}, ustack()"
    clauses = [
        f"pid$target::{name}:entry {{ @[{keys}] = {'count()' if wanted.by == 'count' else f'sum({size})'}; }}\n"
        for name, size in _allocators(wanted).items()
    ]
    return Program("".join(clauses) + TICK, "events" if wanted.by == "count" else "bytes")


def _leak(wanted: Wanted) -> Program:
    what = "".join(f"trace({value}); " for value in ('"new"', "arg1", "self->size", "timestamp", *_WHO.split(", ")))
    clauses = ["self int inside; self uint64_t size; self uint64_t old;\n"]
    # self->inside is the function that the thread is in: one that calls another is counted once.
    for number, (name, size) in enumerate(_allocators(wanted).items(), 1):
        if name == "posix_memalign":  # what it gives is not what it returns
            continue
        here = f"pid$target::{name}"
        enter = f"self->inside = {number}; self->size = {size}; self->old = arg0;"
        clauses.append(f"{here}:entry /!self->inside/ {{ {enter} }}\n")
        if name == "realloc":
            is_moved = f"self->inside == {number} && self->old && arg1"
            clauses.append(f'{here}:return /{is_moved}/ {{ trace("free"); trace(self->old); }}\n')
        clauses.append(f"{here}:return /self->inside == {number} && arg1/ {{ {what}ustack(); }}\n")
        leave = "self->inside = 0; self->size = 0; self->old = 0;"
        clauses.append(f"{here}:return /self->inside == {number}/ {{ {leave} }}\n")
    clauses.append('pid$target::free:entry /arg0/ { trace("free"); trace(arg0); }\n')
    return Program("".join(clauses), "bytes", Shape.JOINED)


def _probe(wanted: Wanted) -> Program:
    if not wanted.probe:
        raise OptionError("which probe is not said", "invivo flame probe PROBE, such as syscall::write:entry")
    sum_ = f"sum({wanted.value})" if wanted.value else "count()"
    return Program(f"{wanted.probe} /{wanted.filter}/ {{ @[{_KEYS}] = {sum_}; }}\n{TICK}", "events")


_SLEPT = "what was traced used no processor; where it waited: invivo flame offcpu"
_RAN = "nothing blocked; where it computed: invivo flame cpu"

KINDS = {
    kind.name: kind
    for kind in (
        Kind("cpu", "where processors are used, sampled", ("count",), _cpu, empty=_SLEPT),
        Kind("offcpu", "where threads are blocked, by time", ("time", "count"), _offcpu, empty=_RAN),
        Kind("wall", "both on one scale: running, sampled, and blocked", ("time",), _wall),
        Kind("wakeup", "who wakes the threads, by number", ("count",), _wakeup, empty="nothing was woken"),
        Kind("offwake", "where threads are blocked and who woke them, by time", ("time",), _offwake, empty=_RAN),
        Kind("io", "requests to disks: bytes, number, or the time that threads waited",
             ("bytes", "count", "latency"), _io, empty="no request went to a disk: files may have been in the cache"),
        Kind("faults", "page faults, by number", ("count",), _faults, empty="no page was missing"),
        Kind("alloc", "memory that malloc and its kin gave out: bytes or number", ("bytes", "count"), _alloc, True,
             "nothing was allocated; an allocator of its own is named by --allocator"),
        Kind("leak", "memory given out while tracing and not freed at its end, in bytes", ("bytes",), _leak, True,
             "all that was allocated was freed again"),
        Kind("syscall", "system calls: time in them, or number", ("time", "count"), _syscall, empty=_SLEPT),
        Kind("lock", "waits for locks (futex): time or number", ("time", "count"), _lock,
             empty="no lock was waited for"),
        Kind("probe", "any probe: number of firings, or the sum of --value", ("count",), _probe,
             empty="the probe did not fire"),
    )
}  # fmt: skip
