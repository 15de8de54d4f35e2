"""Probes, clauses and the whole typed program, made of the expressions of `nodes` and of `statements`.

    syscall::read:entry /pid == 1/ { ... }    Clause(0, (Probe("syscall", "vmlinux", "read", "entry", ...),), context,
                                                     predicate=Compare("==", ...), body=Block(...))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from invivo.program.attach import AttachPoint
from invivo.program.nodes import Aggregation, Expr, Variable
from invivo.program.records import RecordLayout
from invivo.program.stability import ClauseStability
from invivo.program.statements import Block
from invivo.program.types import Space, Type
from invivo.source import Span
from invivo.value import fresh, node

if TYPE_CHECKING:
    from invivo.program.sources import TypeSource


@node
class ProbeArg:
    """An argument of a probe. `value` computes it from the context; `type` is what D sees in args[].

    Where `translator` is set ("psinfo_t"), args[i] is a pointer to that translated structure made from `value`.
    `raw` (argN) is `value` converted to int64_t.
    """

    name: str
    type: Type
    value: Callable[[Span], Expr]
    translator: str = ""


@node
class Context:
    """What a clause can see at a kind of probe: probes that share a Context object share lowered code.

    `words` are arg0..arg9 (missing ones read 0); `args` are args[0]... with names and types. Both may be lazy
    sequences (their length too is only known by reading a file of the kernel): ask `args` only for a clause that names
    args, and `words` only for one that names an argN.
    `family`, where set: all Contexts with the same family object differ in nothing but `args` (the 350 system calls'
    entries are one family), so a clause that reads no args[] is lowered once for the first Context of the family and
    its Clause.probes holds the probes of all of them.
    `current` gives the thread that the probe is about where that is not the running one (sched:::on-cpu), as a
    `struct task_struct *` expression: pid, tid, execname, curthread and self-> then follow it.
    `has_errno`: arg0 is a syscall's return value (negative errno on failure).
    `types`: the types and variables of the program that runs there; names are looked up in it first.
    `space` is where a number that is cast to a pointer leads: USER at probes in programs.
    """

    name: str
    words: Sequence[Callable[[Span], Expr]] = ()
    args: Sequence[ProbeArg] = ()
    current: Callable[[Span], Expr] | None = None
    has_errno: bool = False
    is_error: bool = False
    family: object | None = None
    types: TypeSource | None = None
    space: Space = Space.KERNEL


@node
class Reads:
    """What clauses read of a probe's context: the `offsets` of fields; `has_memory`: also memory of the process."""

    offsets: frozenset[int]
    has_memory: bool


@node
class Selector:
    """Picks a probe among many at one attach point: it fires where `key` (the same object for all of them, an integer
    expression over the context) equals `value`. `guard` (the same object for all) is tested once, before."""

    key: Callable[[Span], Expr]
    value: int
    guard: Callable[[Span], Expr] | None = None


@node
class Probe:
    """One probe. `attach` says where in the system it is; `selector` picks it among those that share that place
    (the syscall number at raw_syscalls:sys_enter). `guard`, if set, must not be 0 for the probe to fire
    (proc:::create: the new task is no thread). `others` are further places of the same probe: a function may return at
    several instructions. `placed`, if set, gives the place for clauses that read no more than it is told.
    """

    provider: str
    module: str
    function: str
    name: str
    attach: AttachPoint
    context: Context
    selector: Selector | None = None
    guard: Callable[[Span], Expr] | None = None
    others: tuple[AttachPoint, ...] = ()
    placed: Callable[[Reads], AttachPoint] | None = None

    def __str__(self) -> str:
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"


@node
class Clause:
    """One clause lowered for one Context. `index` is its place in the text (from 0); `epid` is index + 1 (DTrace counts
    pairs of clause and probe). `predicate` None is always true."""

    index: int
    probes: tuple[Probe, ...]
    context: Context
    predicate: Expr | None
    body: Block
    span: Span


@node
class Program:
    """A whole typed program. Clauses are in text order; a probe's clauses run in that order in one firing.

    `probe_ids` numbers each probe used, from 1, in listing order; `listed_ids` are their numbers in the list of all
    probes, which `id` yields. `records` are indexed by their id.
    `error_clauses` run, inlined, where a fault happens.
    """

    clauses: tuple[Clause, ...]
    error_clauses: tuple[Clause, ...]
    probe_ids: dict[Probe, int]
    variables: tuple[Variable, ...]
    aggregations: tuple[Aggregation, ...]
    records: tuple[RecordLayout, ...]
    strings: tuple[bytes, ...]  # interned: StrLits stored as INTERNED; engines append the probe names
    options: dict[str, object] = fresh(factory=dict)
    warnings: tuple[object, ...] = ()
    listed_ids: dict[Probe, int] = fresh(factory=dict)
    stability: tuple[ClauseStability, ...] = ()  # by the index of the clause
    late: tuple[Clause, ...] = ()  # for probes in files that processes map later: their probes are patterns
    never_late: tuple[str, ...] = ()  # MODULE:FUNCTION of patterns that some clause has, and cannot have such probes by
