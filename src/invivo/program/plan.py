"""What runs: the values between compiler, engine and consumer. Light and picklable, for they are cached on disk.

A `Plan` is everything that a run needs and nothing that the compiler needed: BPF programs as bytes, the maps to make,
where to attach, how to decode records and aggregations, what to print. A warm run reads one from the cache and imports
neither LLVM nor BTF nor the front end; therefore these are named tuples (a dataclass costs five times the start-up).

Ring-buffer record   | layout u16 | cpu u16 | probe id u32 | fields ... |        (RECORD_HEADER bytes, then fields)
Aggregation key      | generation u64 | fields ... |                              (KEY_HEADER bytes, then fields)
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = [
    "KEY_HEADER",
    "LAYOUT_EXIT",
    "LAYOUT_FAULT",
    "RECORD_HEADER",
    "Action",
    "AggFunction",
    "AggregationPlan",
    "AttachPoint",
    "Attachment",
    "ClauseInfo",
    "Component",
    "FaultKind",
    "FaultSite",
    "Field",
    "FieldKind",
    "FieldType",
    "Globals",
    "MapKind",
    "MapPlan",
    "Plan",
    "ProbeInfo",
    "Process",
    "RecordLayout",
    "Relocation",
    "Traits",
    "UnitPlan",
    "Unwind",
    "UnwindEnd",
    "Uprobe",
]  # fmt: skip

RECORD_HEADER = 8
KEY_HEADER = 8
LAYOUT_FAULT = 0xFFFF  # u32 site index, u32 FaultKind value, u64 value
LAYOUT_EXIT = 0xFFFE  # no fields; wakes the consumer


# --- attach points (made by providers, carried out by engines) ------------------------------------------------------


class Moment(enum.Enum):
    BEGIN = "BEGIN"
    END = "END"
    ERROR = "ERROR"


class Once(NamedTuple):
    """BEGIN, END (run by BPF_PROG_TEST_RUN, no context) and ERROR (inlined at every fault)."""

    moment: Moment


class Tracepoint(NamedTuple):
    """A perf tracepoint; the context is its record, at the offsets of its tracefs format file.

    `raw`, where not empty, is the raw tracepoint that fires with it: programs that do not read the record are attached
    there instead, for perf takes two grace periods, some 75 ms, to let go of each tracepoint.
    """

    category: str
    name: str
    raw: str = ""


class RawTracepoint(NamedTuple):
    """A raw tracepoint; the context is an array of 64-bit argument words."""

    name: str


class BtfTracepoint(NamedTuple):
    """A raw tracepoint with BTF types (tp_btf): like RawTracepoint, and pointers among the words are TRUSTED.

    `btf_id` is that of the typedef btf_trace_NAME in the kernel's BTF (plans are cached by kernel, so it may be kept).
    """

    name: str
    btf_id: int


class PerfClock(NamedTuple):
    """perf's cpu-clock on every CPU, each `period_ns`; the context is bpf_perf_event_data (pt_regs first)."""

    period_ns: int


class Timer(NamedTuple):
    """A timer of the consumer: the program is run by BPF_PROG_TEST_RUN each `interval_ns`, no context."""

    interval_ns: int


class Uprobe(NamedTuple):
    """An instruction of a file that processes map; the context is their registers (struct pt_regs).

    `path` is the file as this process opens it (/proc/PID/root/... for one in another mount namespace), `offset` where
    the instruction lies in it. With `is_return` the firing is at the return of the function that begins there.
    `semaphore` is the file offset of a USDT reference counter, or 0. `pid` 0 means all processes that run the file.
    """

    path: str
    offset: int
    is_return: bool = False
    semaphore: int = 0
    pid: int = 0


AttachPoint = Once | Tracepoint | RawTracepoint | BtfTracepoint | PerfClock | Timer | Uprobe


# --- fields of records and keys -------------------------------------------------------------------------------------


class FieldKind(enum.Enum):
    INT = "int"  # size 1, 2, 4, 8
    STRING = "string"  # NUL-terminated in `size` bytes; in keys the rest is zero, in records the rest is undefined
    BYTES = "bytes"  # a structure or array, copied
    INTERNED = "interned"  # u32: an index in Plan.strings
    KSTACK = "kstack"  # u64: key in the stacks map (0: no stack)
    USTACK = "ustack"  # u64 key, then u32 pid, u32 generation (see MapKind.PROCESSES): 16 bytes
    SYMBOL = "symbol"  # u64 address in the kernel; `name` is the form: sym func mod
    USYMBOL = "usymbol"  # u64 address, then u32 pid, u32 generation: 16 bytes; `name` is: usym ufunc umod uaddr
    POINTER = "pointer"  # u64 that is an address


class FieldType(NamedTuple):
    kind: FieldKind
    size: int
    signed: bool = False
    name: str = ""  # the type as D writes it, or the symbol's form
    depth: int = 0  # stacks: frames wanted


class Field(NamedTuple):
    """A field at `offset` from the record's (or key's) start, header included."""

    offset: int
    type: FieldType


class Component(enum.Enum):
    PROVIDER = "probeprov"
    MODULE = "probemod"
    FUNCTION = "probefunc"
    NAME = "probename"


# --- what the consumer does with a record ---------------------------------------------------------------------------


class Trace(NamedTuple):
    """trace(): print the field in its type's default format."""

    field: int


class Tracemem(NamedTuple):
    """tracemem() and byte arrays: a hex dump of the field, or of as many of its bytes as the field `limit` says."""

    field: int
    limit: int | None = None


class Shape(NamedTuple):
    """A C type as print() needs it: `name` is the type as C writes it.

    kind "int" "char" "enum" "pointer" "float": a scalar; `names` are an enumeration's (value, name).
    kind "array": of `element`.  kind "struct": `members`, each (name, offset in bits, bits or 0, its shape).
    """

    kind: str
    name: str
    size: int
    signed: bool = False
    element: Shape | None = None
    members: tuple[tuple[str, int, int, Shape], ...] = ()
    names: tuple[tuple[int, str], ...] = ()


class Print(NamedTuple):
    """print(): what lies at the address in field `address`; field `data` has its bytes, or the first of them."""

    address: int
    data: int
    shape: Shape


class Printf(NamedTuple):
    """printf(): `format` as written; `fields` are its arguments, `*` widths included, in order."""

    format: str
    fields: tuple[int, ...]


class Printa(NamedTuple):
    """printa(): aggregation ids; `format` None is the default format."""

    aggregations: tuple[int, ...]
    format: str | None


class PrintStack(NamedTuple):
    field: int


class PrintSymbol(NamedTuple):
    field: int


class Clear(NamedTuple):
    aggregation: int


class Trunc(NamedTuple):
    """`field` is None for "all": trunc(@a)."""

    aggregation: int
    field: int | None


class Normalize(NamedTuple):
    aggregation: int
    field: int


class Denormalize(NamedTuple):
    aggregation: int


class Speculate(NamedTuple):
    """First in a record: hold it back in the speculation that field `id` names, if `state` (of that moment) is odd."""

    id: int
    state: int


class Commit(NamedTuple):
    """Show what is held back in a speculation, in the order in which it came, and forget it."""

    id: int
    state: int


class Discard(NamedTuple):
    """Forget what is held back in a speculation."""

    id: int
    state: int


class SetOpt(NamedTuple):
    """setopt(): the fields that hold the option's name and its value as text; `value` None: given without one."""
    name: int
    value: int | None


class System(NamedTuple):
    """system(): a command for the shell, by a format as in Printf."""

    format: str
    fields: tuple[int, ...]


class Freopen(NamedTuple):
    """freopen(): the output goes on in the file that the format names; an empty name: where it went at first."""

    format: str
    fields: tuple[int, ...]


class Ftruncate(NamedTuple):
    """ftruncate(): forget what the output file holds."""


class Stopped(NamedTuple):
    """stop(): the process whose pid is in the field has been stopped, and the user is told how it goes on."""

    pid: int


class ExitAction(NamedTuple):
    """Nothing to print; the record still ends its line."""


Action = (
    Trace | Tracemem | Printf | Printa | PrintStack | PrintSymbol | Clear | Trunc | Normalize | Denormalize | ExitAction
    | Speculate | Commit | Discard | Print | SetOpt | System | Freopen | Ftruncate | Stopped
)  # fmt: skip


class RecordLayout(NamedTuple):
    """One kind of ring record. `size` includes the header and is a multiple of 8; `clause` is its Clause.index."""

    id: int
    clause: int
    size: int
    fields: tuple[Field, ...]
    actions: tuple[Action, ...]


# --- aggregations ---------------------------------------------------------------------------------------------------


class AggFunction(enum.Enum):
    """Each value is an array of 64-bit words per key and CPU, all zero at first; CPUs combine word by word by addition,
    except MIN and MAX by unsigned maximum.

    COUNT [n] · SUM [total] · AVG [n, total] · STDDEV [n, total, low and high half of the 128-bit sum of squares]
    MAX [value ^ 1<<63] · MIN [~(value ^ 1<<63)]: so the maximum of the words is the answer and 0 is neutral
    QUANTIZE 127 words: [63] is 0, [63+k] is 2^(k-1) <= v < 2^k (k 1..63), [63-k] the same of -v
    LQUANTIZE levels+2 words: [0] below base, [1+i] base+i*step, [levels+1] at or above the limit
    LLQUANTIZE: see program.aggregates, which computes bucket indexes and bounds for all three.
    """

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    STDDEV = "stddev"
    QUANTIZE = "quantize"
    LQUANTIZE = "lquantize"
    LLQUANTIZE = "llquantize"


class AggregationPlan(NamedTuple):
    """Storage of one aggregation. `keys` have offsets from the key's start; `key_size` includes KEY_HEADER.

    Keyed: map `map` is a per-CPU hash. Unkeyed: a per-CPU array of two entries, indexed by generation & 1.
    `words` is the number of 64-bit words of a value. `inserted` and `drops` are offsets in the globals of its counters.
    """

    id: int
    name: str
    function: AggFunction
    parameters: tuple[int, ...]
    keys: tuple[Field, ...]
    key_size: int
    words: int
    map: int
    inserted: int
    drops: int


# --- faults ---------------------------------------------------------------------------------------------------------


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


# --- what the kernel can do -----------------------------------------------------------------------------------------


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
    chips: tuple[int, ...] = ()  # by CPU: its package; and its memory node
    lgrps: tuple[int, ...] = ()
    has_user_registers: bool = False  # Linux 5.15 (dd6e10fbd9fb): the running thread's registers in user space
    task_exec_id: int = 0  # likewise `self_exec_id`: a thread's number of execs, its ancestors' included


# --- maps, programs, attachments ------------------------------------------------------------------------------------


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


class Process:
    """The hash of processes: key u32 pid, u32 exec id; value u32 generation, then where its mappings stand in the
    unwind rules (see Unwind): u32 their number, u32 chunk, u32 offset. A process that executes another program, or a
    new one with an old number, gets a generation of its own, counted from 1. The consumer prepares one under exec id
    ANY, whose mappings the next program that the process is seen to run takes over."""

    KEY = 8
    VALUE = 16
    FORM = "<IIII"
    ANY = 0xFFFFFFFF
    ENTRIES = 16384
    REQUEST = "<IIIIQ"  # generation, pid, exec id, 0, time by CLOCK_MONOTONIC
    REQUEST_SIZE = 24
    REQUESTS = 1 << 16  # bytes of their ring


class Unwind:
    """Unwind rules in the kernel: chunks of CHUNK bytes, each an array map of one value, in an array of maps.

    A process's mappings are rows of MAPPING in order of address: u64 start, u64 end, u64 base, u32 first, u32 count,
    u32 chunk, u32 0. `count` rules begin `first` bytes into the chunk: that many u32 of (address - base), ascending,
    then as many u32 of rules as symbols.unwind packs them. No rules: frame pointers are followed there.
    """

    CHUNK = 1 << 20
    VALUE = CHUNK + 64
    CHUNKS = 1024
    MAPPING = "<QQQIIII"
    MAPPING_SIZE = 40
    MAPPINGS = 1023  # of a process
    ROWS = 65535  # of a mapping; a file with more takes several
    KINDS = ("none", "sp", "bp", "bp_deref", "sp_deref", "plt", "end", "signal", "register", "unknown")  # of a rule


class UnwindEnd(enum.IntEnum):
    """Why a user stack is not whole; each has a counter in the globals."""

    WHOLE = 0
    DEPTH = 1  # more frames than are kept
    NO_RULES = 2  # code without unwind rules, and no frame pointer there
    UNKNOWN_RULE = 3  # a rule that the walker cannot follow
    UNREADABLE = 4  # stack memory that is not resident, or not mapped
    NEW_PROCESS = 5  # met before its rules were loaded: frame pointers were followed
    NOT_64_BIT = 6  # a 32-bit program: likewise
    BROKEN = 7  # a frame that does not lie above the one before it


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
    """A clause: where it begins in the text (in characters), and how many probes its descriptions match."""

    start: int
    matched: int


class Globals:
    """Byte offsets in the globals map's value. All entries are u64. The program's own variables follow at USER."""

    EXITING = 0  # not 0: only END may still run
    EXIT_CODE = 8
    GENERATION = 16  # of aggregation keys; the consumer advances it to take a consistent snapshot
    TARGET = 24  # $target
    WALL_OFFSET_NS = 32  # add to CLOCK_MONOTONIC for nanoseconds since the epoch
    TRACER_PID = 40  # $pid
    STACK_DROPS = 48  # the stacks map was full
    VARIABLE_DROPS = 56  # a variable's map was full (dynamic variable drops)
    FAULT_DROPS = 64  # a fault could not be sent
    WAITING = 72  # not 0: the consumer waits for the ring buffer; who wakes it sets 0
    SPECULATION_DROPS = 80  # speculation() found none free
    RECORDS = 88  # records sent, more or less: only now and then one looks how full the ring buffer is
    PROCESSES = 96  # generations of processes given so far
    MISSED = 104  # firings for which no scratch area was free
    MISSED_RETURNS = 112  # calls whose returns the kernel will not see
    STACK_ENDS = 128  # counters by UnwindEnd
    SPECULATIONS = 512  # one word for each speculation: odd while it is in use, one more at each change
    SPECULATIONS_MAX = 64
    RING_DROPS = 1024  # one counter a CPU, index cpu & 127
    RING_DROPS_CPUS = 128
    USER = 2048


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
    probes: tuple[ProbeInfo, ...]  # index is probe id - 1
    records: tuple[RecordLayout, ...]
    aggregations: tuple[AggregationPlan, ...]
    faults: tuple[FaultSite, ...]
    strings: tuple[bytes, ...]
    options: dict[str, int | str | bool]
    warnings: tuple[str, ...] = ()  # rendered diagnostics
    formatter: bytes | None = None
    stability: tuple[int, int, int] = (6, 6, 5)  # program.stability.Attributes of what statements use: Stable, Common
    clauses: tuple[ClauseInfo, ...] = ()  # those that have probes, in the order of the text

    @property
    def matched(self) -> int:
        """Probes that all clauses match, one that several match counted for each."""
        return sum(clause.matched for clause in self.clauses)
