"""The kinds of flame graph, each with its D program.

    kind "syscall", filter "pid == $target"  ->
        syscall:::entry /pid == $target/ { self->at = timestamp; self->u = ustack(); self->call = id; }
        syscall:::return /self->at > 1/ { @[pid, tid, execname, probefunc, self->u] = sum(timestamp - self->at); ... }

A program answers in one of three shapes. SAMPLES: a record a sample, (timestamp, pid, tid, execname, ustack, stack).
SUMS: aggregations keyed by (pid, tid, execname[, label], ustack, stack), read a few times a second, which gives them
their times. HELD: an aggregation keyed by (tid, ustack), of what is there at the end.

Time blocked. A thread that leaves its processor to wait keeps the moment and its stacks in self->at, self->u and
self->k; when it is given a processor again, the wait is over. So a wait that is still open at the end is found in those
variables (`waits.py`), stacks and all. self->at is 1 while a thread does not wait, and 0 until it is first seen: its
wait, if that is what it was in, began before tracing did, and is counted from there on in @before.

Time in system calls is told likewise: self->at and self->u are of the call's beginning, self->call is which one it is.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from invivo.errors import OptionError
from invivo.tools.flame import wakers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "LOCK_OPERATIONS", "Kind", "Program", "Shape", "Wanted"]


class Shape(Enum):
    """How a program answers."""

    SAMPLES = auto()
    SUMS = auto()
    HELD = auto()


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
    deallocators: tuple[str, ...] = ()

    @property
    def filter(self) -> str:
        """The predicate that chooses whose events count: the target's, or all but the tracer's own."""
        return "pid == $target" if self.has_target else "pid != $pid && pid != 0"


class Program(NamedTuple):
    """A D program and how to read its answer. `has_label`: keys have a text that becomes the innermost frame;
    `has_waker`: they end with who ended the wait, as `wakers` says.

    `waits`: which waits the program leaves to be counted at the end: none; "ended", those that began while tracing;
    "all", those too that began before, in these `states`; "calls", all system calls that threads are blocked in;
    "locks", those of them that wait for a lock.
    """

    text: str
    unit: str
    shape: Shape = Shape.SUMS
    has_label: bool = False
    has_waker: bool = False
    waits: str = ""
    states: str = ""
    min_ns: int = 0


class Kind(NamedTuple):
    """One kind: its name, what it shows, the ways to weigh (the first is the default), its program, and which of what
    `Wanted` has says something to it and to few others."""

    name: str
    doc: str
    ways: tuple[str, ...]
    program: Callable[[Wanted], Program]
    needs_target: bool = False
    empty: str = ""  # why it may have found nothing
    takes: tuple[str, ...] = ()


TICK = "BEGIN, tick-5, END { trace(timestamp); }\n"  # the first moment, some to read the aggregations at, the last
_WHO = "pid, tid, execname"
_STACKS = "ustack(), stack()"
_KEYS = f"{_WHO}, {_STACKS}"
_AT = "self->at"
_RUNTIME = "curthread->se.sum_exec_runtime"  # ns on a processor; up to now where the thread leaves it
_SWITCH = 100_000  # ns that a switch takes at most; what the books miss beyond it was stolen
# FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2: futex(2)
LOCK_OPERATIONS = (0, 6, 9, 11, 13)
_KEPT = "self->u, self->k"  # the stacks of the wait
_STACK_TYPES = "BEGIN /0/ { self->u = ustack(); self->k = stack(); }\n"  # what they are

#          what sched:::leave tells of a thread in what ps(1) calls this state. Before 5.18 it may be TASK_WAKING (512)
#          already, which is what remains of S or D when another processor wakes the thread before this one has left it.
_STATES = {"S": "args[0] & 513", "D": "args[0] & 2", "R": "!args[0]"}

_ALIVE = "!(args[0] & 128)"  # TASK_DEAD: it does not come back, and its stack may be gone


def _cpu(wanted: Wanted) -> Program:
    record = " ".join(f"trace({what});" for what in ("timestamp", "pid", "tid", "execname"))
    return Program(
        f"profile-{wanted.hz} /{wanted.filter}/ {{ {record} ustack(); stack(); }}\n", "samples", Shape.SAMPLES
    )


def _states(wanted: Wanted) -> str:
    """The letters of the states that are asked for."""
    chosen = wanted.state.upper() or "SD"
    if unknown := set(chosen) - _STATES.keys():
        raise OptionError(
            f"--state {wanted.state}: there is no state '{min(unknown)}'",
            "S sleeps, D waits for a disk or the kernel, R is ready but not running; SD is the default",
        )
    return chosen


def _left(wanted: Wanted, more: str = "") -> str:
    """The clause that notes when a thread leaves its processor, and where, in the states that are asked for. With all
    that wait (SD), those count too that are stopped."""
    chosen = "".join(sorted(set(_states(wanted))))
    state = {"DRS": "", "DS": "args[0]"}.get(chosen, f"({' || '.join(_STATES[letter] for letter in chosen)})")
    predicate = " && ".join(filter(None, (wanted.filter, state, _ALIVE, more)))
    return (
        f"sched:::leave /{predicate}/ "
        f"{{ {_AT} = timestamp; self->ran = {_RUNTIME}; self->u = ustack(); self->k = stack(); }}\n"
    )


def _came_back(wanted: Wanted, action: str, keys: str = "", look: Callable[[str], str] | None = None) -> str:
    """Clauses that act when the thread is given a processor, on `this->ns`, the time that it was away. `keys`: those
    under which waits that began before tracing did are summed, if they are. `look(since)`: statements that come first,
    in both. They go before those of _left().

    By the scheduler's books a thread that gets an idle processor runs from when it was made ready, some microseconds
    before the switch (rq_clock_skip_update() in kernel/sched/core.c); and a kernel may run no program while it
    switches away from a thread that it hides from tracing, as some sandboxes' agents: then the one that follows is
    not seen to come. When it leaves again, the books tell how long it ran. What they have more or less is owed to its
    next wait (an aggregation there would be too much for the verifier), so that all its waits are what the books
    have, but for time that a hypervisor stole."""
    first, older = (f"{look(since)} " for since in (_AT, "began")) if look else ("", "")
    away = f"timestamp - {_AT}"
    text = "self uint64_t at;\nself uint64_t back;\nself uint64_t ran;\nself uint64_t owed;\n"
    text += (
        f"sched:::off-cpu /{wanted.filter}/ {{ "
        f"this->more = timestamp - ({_AT} > 1 ? {_AT} : self->back) - ({_RUNTIME} - self->ran); "
        f"self->owed += {_AT} > 1 || (self->back && this->more + {_SWITCH} < {2 * _SWITCH}) ? this->more : 0; "
        f"self->back = 0; {_AT} = 1; }}\n"
    )
    text += "uint64_t began;\nBEGIN { began = timestamp; }\n" if keys else ""
    if wanted.min_ns:
        text += f"sched:::on-cpu /{wanted.filter} && {_AT} > 1 && {away} < {wanted.min_ns}/ {{ {_AT} = 1; }}\n"
    waited = f"this->ns = {away} + self->owed; self->owed = 0; self->back = timestamp; {_AT} = 1;"
    text += f"sched:::on-cpu /{wanted.filter} && {_AT} > 1/ {{ {first}{waited} {action} }}\n"
    if keys:
        least = f" && timestamp - began >= {wanted.min_ns}" if wanted.min_ns else ""
        is_first = f"!{_AT} && curthread->start_time < began{least}"
        sum_ = "count()" if wanted.by == "count" else "sum(timestamp - began)"
        text += f"sched:::on-cpu /{wanted.filter} && {is_first}/ {{ {older}{_AT} = 1; @before[{keys}] = {sum_}; }}\n"
    return text


def _offcpu(wanted: Wanted, more: str = "") -> Program:
    keys = f"{_WHO}, {_KEPT}"
    sum_ = f"@[{keys}] = count();" if wanted.by == "count" else f"@[{keys}] = sum(this->ns);"
    text = _STACK_TYPES + _came_back(wanted, sum_, "" if more else _WHO) + _left(wanted, more)
    unit = "events" if wanted.by == "count" else "ns"
    waits = "ended" if more else "all"
    return Program(text + TICK, unit, waits=waits, states=_states(wanted), min_ns=wanted.min_ns)


def _wall(wanted: Wanted) -> Program:
    period = 10**9 // wanted.hz
    on = f"profile-{wanted.hz} /{wanted.filter}/ {{ @on[{_KEYS}] = sum({period}); }}\n"
    off = _offcpu(wanted)
    return off._replace(text=on + off.text)


_WOKEN = "args[1]->pr_pid"


def _woken(wanted: Wanted) -> str:
    return f"{_WOKEN} == $target" if wanted.has_target else f"{_WOKEN} != $pid"


def _wakeup(wanted: Wanted) -> Program:
    keys = f"{_WOKEN}, args[0]->pr_lwpid, args[1]->pr_fname, execname, {_STACKS}"
    return Program(f"sched:::wakeup /{_woken(wanted)}/ {{ @[{keys}] = count(); }}\n{TICK}", "events", has_label=True)


def _offwake(wanted: Wanted) -> Program:
    who = wakers.keys()
    sum_ = f"@[{_WHO}, {_KEPT}, {who}] = sum(this->ns);"
    back = _came_back(wanted, sum_, f"{_WHO}, {who}", wakers.found)
    text = _STACK_TYPES + wakers.WAKER + back + _left(wanted) + wakers.noted(_woken(wanted))
    return Program(text + TICK, "ns", has_waker=True, waits="all", states=_states(wanted), min_ns=wanted.min_ns)


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
    keys = f"{_WHO}, probefunc"
    if wanted.by == "count":
        text = f"syscall:::entry /{wanted.filter}/ {{ @[{keys}, ustack()] = count(); }}\n{TICK}"
        return Program(text, "events", has_label=True)
    # A command's own execve() is not counted: it begins before tracing does, and is held until that is ready. What an
    # execve() is called from is gone when it returns: its stack is looked at anew.
    exec_ = (
        f"self int is_exec;\nsyscall::execve*:entry /{wanted.filter}/ {{ self->is_exec = 1; }}\n"
        f"syscall::execve*:return /!{_AT}/ {{ {_AT} = 1; }}\n"
    )
    text = _calls(wanted, "", "", f"{_AT} ? self->is_exec :", keys, exec_)
    return Program(text, "ns", has_label=True, waits="calls", states="SD")


def _lock(wanted: Wanted) -> Program:
    entry, register = (_is_lock(where) for where in ("arg1", "uregs[R_RSI]"))
    text = _calls(wanted, "futex", f"&& {entry}", f"!{_AT} && {register} &&", _WHO)
    return Program(text, "events" if wanted.by == "count" else "ns", waits="locks", states="SD")


def _is_lock(operation: str) -> str:
    """The condition that a futex(2) call waits for a lock, with where its second argument is found."""
    return f"({' || '.join(f'({operation} & 127) == {number}' for number in LOCK_OPERATIONS)})"


def _calls(wanted: Wanted, call: str, entered: str, older: str, keys: str, more: str = "") -> str:
    """Clauses that sum up the time in a system call (or in all: ""), those too that began before tracing did.
    `entered` and `older` are more conditions, at a call's beginning and on one that began before; `more` clauses come
    before those of the returns. A program of these takes one stack: two are too much for verifiers before Linux 6.9."""
    sum_ = "count()" if wanted.by == "count" else f"sum(timestamp - {_AT})"
    is_older = f"{wanted.filter} && ({older} curthread->start_time < t0)"
    done = "self->is_exec = 0;" if more else ""
    return (
        "uint64_t t0;\nself uint64_t at;\nself uint64_t call;\nBEGIN { t0 = timestamp; }\n"
        "BEGIN /0/ { self->u = ustack(); }\n"
        f"syscall::{call}:entry /{wanted.filter} {entered}/ "
        f"{{ {_AT} = timestamp; self->u = ustack(); self->call = id; }}\n{more}"
        f"syscall::{call}:return /{is_older}/ "
        f"{{ self->u = ustack(); {_AT} = {_AT} ? {_AT} : t0; {done} }}\n"
        f"syscall::{call}:return /{_AT} > 1/ {{ @[{keys}, self->u] = {sum_}; }}\n"
        f"syscall::{call}:return /{wanted.filter}/ {{ {_AT} = 1; }}\n{TICK}"
    )


#              function of the malloc family: its size in bytes
_ALLOCATORS = {"malloc": "arg0", "calloc": "arg0 * arg1", "realloc": "arg1", "posix_memalign": "arg2",
               "aligned_alloc": "arg1", "memalign": "arg1"}  # fmt: skip
_BY_ADDRESS = "posix_memalign"  # puts the block's address where its first argument leads, and returns 0


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


def _deallocators(wanted: Wanted) -> dict[str, str]:
    """Functions that give memory back, and the expression of each one's address."""
    chosen = {}
    for text in wanted.deallocators or ("free",):
        name, colon, place = text.partition(":")
        if not name or (colon and not (place.isdigit() and int(place) < 6)):
            raise OptionError(f"--deallocator {text}: it has the form FUNCTION[:ARGUMENT]", "such as my_free:1")
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
    """A block that is held is known by its address: how large it is, who asked for it, and where. It is added to the
    sum of that place, and giving it back takes it away again: the sums are what is held. A block that the arrays have
    no room for is in no sum, and told as a loss.

    Clauses of several functions are one clause, for each makes its own program of a stack's walk.
    """
    take = "@[thread[{0}], at[{0}]] = sum(-(int64_t)size[{0}]); size[{0}] = 0; thread[{0}] = 0; at[{0}] = 0;"
    sizes = _allocators(wanted)
    entries = ",\n".join(f"pid$target::{name}:entry" for name in sizes)
    returns = ",\n".join(f"pid$target::{name}:return" for name in sizes)
    plain = ",\n".join(f"pid$target::{name}:return" for name in sizes if name != _BY_ADDRESS)
    clauses = [
        "self int depth; self uint64_t wanted; self uint64_t place; this uintptr_t p;",
        "uint64_t size[uintptr_t]; uint64_t thread[uintptr_t];",
        "BEGIN /0/ { at[(uintptr_t)0] = ustack(); }",  # at[] is an array of stacks
    ]
    for name, place in _deallocators(wanted).items():
        clauses.append(f"pid$target::{name}:entry /size[{place}]/ {{ {take.format(place)} }}")
    if "realloc" in sizes:  # a new block that there is no memory for is left out of account
        clauses.append(f"pid$target::realloc:entry /!self->depth && size[arg0]/ {{ {take.format('arg0')} }}")
    # An allocator that calls another is one: what the outermost returns counts.
    for name, size in sizes.items():
        clauses.append(f"pid$target::{name}:entry /!self->depth/ {{ self->wanted = {size}; self->place = arg0; }}")
    clauses.append(f"{entries} {{ self->depth++; }}")
    clauses.append(f"{returns} /self->depth > 0/ {{ self->depth--; }}")
    if plain:
        clauses.append(f"{plain} /!self->depth/ {{ this->p = arg1; }}")
    if _BY_ADDRESS in sizes:
        block = "*(uintptr_t *)copyin(self->place, sizeof (uintptr_t))"
        clauses.append(f"pid$target::{_BY_ADDRESS}:return /!self->depth && !arg1/ {{ this->p = {block}; }}")
    # One that is held already was given back in a way that nobody saw.
    clauses.append(f"{returns} /this->p && size[this->p]/ {{ {take.format('this->p')} }}")
    keep = "size[this->p] = self->wanted; thread[this->p] = tid; at[this->p] = ustack();"
    clauses.append(f"{returns} /this->p/ {{ {keep} }}")
    add = "@[thread[this->p], at[this->p]] = sum((int64_t)size[this->p]);"
    clauses.append(f"{returns} /this->p && size[this->p]/ {{ {add} }}")
    clauses.append("tick-1 { trace(timestamp); }")
    return Program("\n".join(clauses), "bytes", Shape.HELD)


def _probe(wanted: Wanted) -> Program:
    if not wanted.probe:
        raise OptionError("which probe is not said", "invivo flame probe PROBE, such as syscall::write:entry")
    sum_ = f"sum({wanted.value})" if wanted.value else "count()"
    return Program(f"{wanted.probe} /{wanted.filter}/ {{ @[{_KEYS}] = {sum_}; }}\n{TICK}", "events")


_WAITS = ("state", "min_ns")
_SLEPT = "what was traced used no processor; where it waited: invivo flame offcpu"
_RAN = "nothing blocked; where it computed: invivo flame cpu"

KINDS = {
    kind.name: kind
    for kind in (
        Kind("cpu", "where processors are used, sampled", ("count",), _cpu, empty=_SLEPT),
        Kind("offcpu", "where threads are blocked, by time", ("time", "count"), _offcpu, empty=_RAN, takes=_WAITS),
        Kind("wall", "both on one scale: running, sampled, and blocked", ("time",), _wall, takes=_WAITS),
        Kind("wakeup", "who wakes the threads, by number", ("count",), _wakeup, empty="nothing was woken"),
        Kind("offwake", "where threads are blocked and who woke them, by time", ("time",), _offwake, empty=_RAN,
             takes=_WAITS),
        Kind("io", "requests to disks: bytes, number, or the time that threads waited",
             ("bytes", "count", "latency"), _io, empty="no request went to a disk: files may have been in the cache",
             takes=_WAITS),
        Kind("faults", "page faults, by number", ("count",), _faults, empty="no page was missing"),
        Kind("alloc", "memory that malloc and its kin gave out: bytes or number", ("bytes", "count"), _alloc, True,
             "nothing was allocated; an allocator of its own is named by --allocator", ("allocators",)),
        Kind("leak", "memory given out while tracing and not freed at its end, in bytes", ("bytes",), _leak, True,
             "all that was allocated was freed again", ("allocators", "deallocators")),
        Kind("syscall", "system calls: time in them, or number", ("time", "count"), _syscall, empty=_SLEPT),
        Kind("lock", "waits for locks (futex): time or number", ("time", "count"), _lock,
             empty="no lock was waited for"),
        Kind("probe", "any probe: number of firings, or the sum of --value", ("count",), _probe,
             empty="the probe did not fire", takes=("probe", "value")),
    )
}  # fmt: skip
