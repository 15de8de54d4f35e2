"""What runs: the values between compiler, engine and consumer. Light and picklable, for they are cached on disk.

A `Plan` is everything that a run needs and nothing that the compiler needed: BPF programs as bytes, the maps to make,
where to attach, how to decode records and aggregations, what to print. A warm run reads one from the cache and imports
neither LLVM nor BTF nor the front end; therefore these are named tuples (a dataclass costs five times the start-up).

Its parts: `attach` (where), `records` and `actions` (what comes, what is done with it), `shared` (common memory).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

from invivo.dependencies import Dependencies
from invivo.program.attach import AttachPoint
from invivo.program.records import AggregationPlan, RecordLayout

__all__ = [
    "Attachment",
    "ClauseInfo",
    "FaultKind",
    "FaultSite",
    "LatePlan",
    "LateUnit",
    "MapKind",
    "MapPlan",
    "PidNumbers",
    "Plan",
    "ProbeInfo",
    "Relocation",
    "Traits",
    "UnitPlan",
    "without_late",
]

# --- faults -----------------------------------------------------------------------------------------------------------


class FaultKind(enum.Enum):
    """DTrace's fault numbers, and our own from 64."""

    BADADDR = 1
    BADALIGN = 2
    ILLOP = 3
    DIVZERO = 4
    NOSCRATCH = 5
    KPRIV = 6
    UPRIV = 7
    TUPOFLOW = 8
    BADSTACK = 9
    BADSIZE = 10
    BADINDEX = 11
    LOOP = 64


class FaultSite(NamedTuple):
    """Where in the text a fault can happen: "script.d", line, column, the expression's text, the clause's index."""

    file: str
    line: int
    column: int
    text: str
    clause: int


# --- what the kernel can do -------------------------------------------------------------------------------------------


class PidNumbers(NamedTuple):
    """How tasks are numbered where invivo does not run in the initial pid namespace: which namespace it is in, and the
    offsets by which the numbers there are found: task -> struct pid (of the thread, and by its signal_struct of the
    process) -> its number at the namespace's level; that namespace -> inode."""

    device: int
    inode: int
    level: int
    thread_pid: int  # in struct task_struct
    signal: int
    process_pid: int  # in struct signal_struct
    pid_level: int  # in struct pid: how deep its own namespace lies
    number: int  # that of `level`
    namespace: int
    namespace_inode: int  # in struct pid_namespace


class HiddenReturns(NamedTuple):
    """Offsets by which return addresses are found that return probes have replaced: from struct task_struct to struct
    uprobe_task, to the first struct return_instance, in that; and from task_struct to the trampoline's address."""

    utask: int
    list: int
    stack: int  # where on the stack the address was
    returns_to: int
    next: int
    mm: int
    area: int  # in struct mm_struct
    address: int


class Traits(NamedTuple):
    """What the compiler must know of the kernel that will run the plan; asked of the kernel, never of its version.

    The plan cache is keyed by kernel, so a plan may depend on these.
    """

    cpus: int = 1  # possible CPUs
    has_may_goto: bool = True  # Linux 6.9
    has_btf_tracepoints: bool = True  # Linux 5.5, where lockdown and BTF allow
    has_raw_cookies: bool = False  # Linux 6.10 (68ca5d4eebb8): one program at many raw tracepoints
    has_sleepable_uprobes: bool = False  # Linux 6.6, with uprobe_multi links
    # Why programs may not write into processes (bpf_probe_write_user); empty where they may.
    no_user_writes: str = ""
    task_pid: int = 0  # where `pid` lies in struct task_struct; 0 if that is not known
    task_comm: int = 0  # the same of `comm`, where programs may read the running task directly
    uretprobe_depth: tuple[int, int] = (0, 0)  # where `utask` lies in it, and `depth` in struct uprobe_task
    hidden_returns: HiddenReturns | None = None
    chips: tuple[int, ...] = ()  # by CPU: its package; and its memory node
    lgrps: tuple[int, ...] = ()
    has_user_registers: bool = False  # Linux 5.15 (dd6e10fbd9fb): the running thread's registers in user space
    pid_numbers: PidNumbers | None = None  # None: those of the initial pid namespace
    task_exec_id: int = 0  # likewise `self_exec_id`: a thread's number of execs, its ancestors' included


# --- maps, programs, attachments --------------------------------------------------------------------------------------


class MapKind(enum.Enum):
    """Roles that engine and consumer must find."""

    GLOBALS = "globals"  # array, one entry, memory-mapped; see Globals
    RODATA = "rodata"  # array, one entry, filled from Plan.rodata, then frozen
    RING = "ring"
    SCRATCH = "scratch"  # per-CPU array
    AGGREGATION = "aggregation"
    VARIABLE = "variable"  # hash of an associative array or a thread-local variable
    STACKS = "stacks"  # hash: u64 id -> depth x u64 addresses
    PROCESSES = "processes"  # hash: see Process; who was met, so that addresses are named by what it had mapped then
    UNWIND = "unwind"  # array of maps: see Unwind
    REQUESTS = "requests"  # ring of Request: a process was met for the first time
    LATE_NAMES = "late names"  # array, one entry, memory-mapped; see Late
    LATE_TEXTS = "late texts"  # the same
    LATE_VISITS = "late visits"  # ring


class MapPlan(NamedTuple):
    """bpf_type is the kernel's number of BPF_MAP_TYPE_*."""

    name: str
    kind: MapKind
    bpf_type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0


class Relocation(NamedTuple):
    """Patch of the instruction at index `at`.

    kind "map": ld_imm64 of map `value`'s descriptor. kind "map_value": ld_imm64 of the address of map `value`'s only
    entry, plus `offset`. kind "cookie": the call becomes bpf_get_attach_cookie, or a constant.
    kind "may_goto": the call and the jump on its result after it become one may_goto, or are counted otherwise.
    """

    at: int
    kind: str
    value: int = 0
    offset: int = 0


class Attachment(NamedTuple):
    """`probe` is the probe id that fires here, given by cookie; 0 where the program finds it by selector."""

    point: AttachPoint
    probe: int


class UnitPlan(NamedTuple):
    """One BPF program and all the places where it is attached (all of one AttachPoint class).

    `code` is an array of 8-byte instructions. `is_sleepable`: it brings in pages of the process, which takes time.
    """

    name: str
    code: bytes
    relocations: tuple[Relocation, ...]
    attachments: tuple[Attachment, ...]
    is_sleepable: bool = False


class ProbeInfo(NamedTuple):
    """A probe as messages and default output name it; `id` is its number in the list of all probes."""

    provider: str
    module: str
    function: str
    name: str
    id: int = 0

    def __str__(self) -> str:
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"


class ClauseInfo(NamedTuple):
    """A clause: where it begins in the text (in characters), and how many probes its descriptions match.

    `description` and `statement` are program.stability.Attributes as numbers (first: Stable/Stable/Common),
    `described` each description and how many probes it matches.
    """

    start: int
    matched: int
    description: tuple[int, int, int] = (6, 6, 5)
    statement: tuple[int, int, int] = (6, 6, 5)
    described: tuple[tuple[str, int], ...] = ()


class LateUnit(NamedTuple):
    """A unit that probes are added to while it runs: those of `provider`, attached in process `pid` (0: in all), called
    `name`. Each of its clauses has the descriptions, as (module, function), of what it means. `offsets` and
    `has_memory` are program.clauses.Reads of all of them; None where that cannot be told."""

    unit: int  # its index in Plan.units
    provider: str
    pid: int
    name: str
    clauses: tuple[tuple[tuple[str, str], ...], ...]
    offsets: frozenset[int] | None
    has_memory: bool


class LatePlan(NamedTuple):
    """What is needed for probes in files that processes map while they are traced; see shared.Late. `known` are files
    that have been looked at when the program was compiled. Units and maps by index; -1: there is none."""

    units: tuple[LateUnit, ...]
    first: int  # probe id
    watch: int  # the unit that waits in the loader
    missed_returns: int
    known: tuple[str, ...] = ()


class Plan(NamedTuple):
    """A compiled program, ready to load. `globals_size` and `rodata` size the two data maps.

    `formatter` is position-independent machine code that formats whole batches of records, or None (see
    codegen.formatter). `options` are the run-time options (sizes in bytes, times in ns) by name.
    """

    text: str  # the program's beginning, for "description '...' matched N probes"
    units: tuple[UnitPlan, ...]
    maps: tuple[MapPlan, ...]
    globals_size: int
    rodata: bytes
    probes: Sequence[ProbeInfo]  # index is probe id - 1
    records: tuple[RecordLayout, ...]
    aggregations: tuple[AggregationPlan, ...]
    faults: tuple[FaultSite, ...]
    strings: Sequence[bytes]
    options: dict[str, int | str | bool]
    warnings: tuple[str, ...] = ()  # rendered diagnostics
    formatter: bytes | None = None
    clauses: tuple[ClauseInfo, ...] = ()  # those that have probes, in the order of the text
    arrays: tuple[tuple[str, int], ...] = ()  # global structures and arrays: name, offset in the globals
    globs: tuple[str, ...] = ()  # MODULE:FUNCTION that may mean what the traced process loads later
    late: LatePlan | None = None  # None: no probes are added; else `probes` and `strings` grow
    dependencies: Dependencies | None = None  # which files it was made from; None: that was not recorded

    @property
    def matched(self) -> int:
        """Probes that all clauses match, one that several match counted for each."""
        return sum(clause.matched for clause in self.clauses)


def without_late(plan: Plan) -> Plan:
    """The plan without units that probes are added to: what those meant is told when it comes."""
    assert plan.late is not None
    globs = (f"{module}:{function}" for unit in plan.late.units for row in unit.clauses for module, function in row)
    units = plan.units[: plan.late.units[0].unit]
    return plan._replace(units=units, late=None, globs=tuple(dict.fromkeys((*plan.globs, *globs))))
