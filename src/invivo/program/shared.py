"""What BPF programs and the consumer share in memory: globals, processes, unwind rules.

    plan.globals_size > Globals.USER        bytes 0 to USER of the globals are laid out here, the program's follow
    struct.pack(Process.FORM, generation, rows, chunk, offset)      a process as programs find it
"""

from __future__ import annotations

import enum

__all__ = [
    "Globals",
    "Late",
    "Process",
    "Unwind",
    "UnwindEnd",
]


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
    VARIABLES_REFUSED = 120  # the map had room, but the kernel could make no entry at that moment
    LATE_VISITS = 256  # moments at which a process has mapped files, so far: see Late
    LATE_UNHELD = 264  # those of which nobody took note in time
    LATE_DONE = 272  # Late.SLOTS words: of those moments, the last that was answered
    STACKS_REFUSED = 400  # as VARIABLES_REFUSED
    STACK_ENDS = 128  # counters by UnwindEnd
    SPECULATIONS = 512  # one word for each speculation: odd while it is in use, one more at each change
    SPECULATIONS_MAX = 64
    RING_DROPS = 1024  # one counter a CPU, index cpu & 127
    RING_DROPS_CPUS = 128
    USER = 2048


class Late:
    """Probes that are made while tracing goes on. Their cookies are the probe's id, and from bit CLAUSES on one bit for
    each clause of the unit that it fires. Ids begin at Plan.late.first; the table of names has a ROW for each: u32
    module and u32 function as numbers of Plan.strings, u64 the probe's number in the list of all; the table of texts
    module and function as strings of TEXT bytes each.

    A loader that has mapped files sends a VISIT, u64 tgid << 32 | tid and u64 its number from 1, and waits for at most
    WAIT_NS until the word number & SLOTS - 1 of Globals.LATE_DONE is at least that number. Number 0 is a program that
    was executed, and does not wait.
    """

    ENTRIES = 16384
    CLAUSES = 32
    ROW = "<IIQ"
    ROW_SIZE = 16
    TEXT = 256
    VISIT = "<QQ"
    VISIT_SIZE = 16
    VISITS = 1 << 14  # bytes of their ring
    SLOTS = 16
    WAIT_NS = 200_000_000


class Process:
    """The hash of processes: key u32 pid, u32 exec id; value u32 generation, then where its mappings stand in the
    unwind rules (see Unwind): u32 their number, u32 chunk, u32 offset. A process that executes another program, or a
    new one with an old number, gets a generation of its own, counted from 1. The consumer prepares one under exec id
    ANY, whose mappings the next program that the process is seen to run takes over: if the generation there is not 0,
    only that with exec id generation - 1."""

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
    u32 chunk, u32 flags. `count` rules begin `first` bytes into the chunk: that many u32 of (address - base),
    ascending, then as many u32 of rules as symbols.rules packs them. No rules: frame pointers are followed there, and
    with the flag AWAITED the stack is counted as one whose rules were not there yet.
    """

    CHUNK = 1 << 20
    VALUE = CHUNK + 64
    CHUNKS = 1024
    MAPPING = "<QQQIIII"
    MAPPING_SIZE = 40
    MAPPINGS = 1023  # of a process
    AWAITED = 1
    ROWS = 65535  # of a mapping; a file with more takes several
    KINDS = (  # of a rule
        "none", "sp", "bp", "bp_deref", "sp_deref", "plt", "end", "signal", "register", "unknown", "popped",
        "kept",
    )  # fmt: skip


class UnwindEnd(enum.IntEnum):
    """Why a user stack is not whole; each has a counter in the globals."""

    WHOLE = 0
    DEPTH = 1  # more frames than are kept
    NO_RULES = 2  # code without unwind rules, and no frame pointer there
    UNKNOWN_RULE = 3  # a rule that the walker cannot follow
    UNREADABLE = 4  # stack memory that is not resident, or not mapped
    NEW_PROCESS = 5  # code met before its rules were loaded: frame pointers were followed
    NOT_64_BIT = 6  # a 32-bit program: likewise
    BROKEN = 7  # a frame that does not lie above the one before it
    HIDDEN_RETURN = 8  # a return address that a return probe has replaced, and that was not found
