"""The state of one unit's code while it is written, and what every lowering needs: slots, helpers, faults, loops.

slot = e.slot(16)                                    16 bytes, on the stack or in the unit's scratch area
e.fault_if(is_zero, FaultKind.DIVZERO, ZERO, span)   leaves the clause where `is_zero`
address = e.string(expr).address                     lowers an expression (see expressions.py, strings.py)
"""

from __future__ import annotations

import enum
import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from invivo.codegen.ir import ZERO, Block, Function, Value, const
from invivo.codegen.module import Module
from invivo.codegen.objects import MAY_GOTO
from invivo.codegen.storage import Lifetime, Place, Storage
from invivo.program.attach import BtfTracepoint, Uprobe
from invivo.program.clauses import Clause
from invivo.program.nodes import Expr, Variable
from invivo.program.plan import FaultKind, ProbeInfo
from invivo.program.records import RecordLayout
from invivo.program.shared import Globals
from invivo.program.statements import Stmt
from invivo.program.types import Enum, Int, Type
from invivo.source import Span

__all__ = ["Emitter", "Fault", "Helper", "Str", "Target"]


class Helper(enum.IntEnum):
    """BPF helpers by number: include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER; bpf-helpers(7)."""

    MAP_LOOKUP = 1
    MAP_UPDATE = 2
    MAP_DELETE = 3
    KTIME = 5
    RANDOM = 7
    CPU = 8
    PID_TGID = 14
    UID_GID = 15
    COMM = 16
    CURRENT_TASK = 35
    WRITE_USER = 36
    GET_STACK = 67
    CGROUP_ID = 80
    NS_PID_TGID = 120
    SEND_SIGNAL = 109
    READ_USER = 112
    READ_KERNEL = 113
    READ_USER_STRING = 114
    READ_KERNEL_STRING = 115
    RINGBUF_OUTPUT = 130
    RINGBUF_QUERY = 134
    COPY_FROM_USER = 148
    CURRENT_TASK_BTF = 158
    SNPRINTF = 165
    TASK_PT_REGS = 175
    COPY_FROM_USER_TASK = 191


class Str(NamedTuple):
    """A NUL-terminated string in memory that the verifier knows to be `capacity` bytes long."""

    address: Value
    capacity: int
    literal: bytes | None = None


class Fault(NamedTuple):
    """One way into the unit's fault code."""

    source: Block
    site: int
    kind: FaultKind
    value: Value
    clause: int  # its index
    resume: int  # index in Emitter.resumes
    probe: Value


class Target(NamedTuple):
    """Where `break` and `continue` go, or `return` with its value's place."""

    block: Block
    result: Value | Str | None = None


class Emitter(ABC):
    """One unit under construction. Lowering functions take it as their first argument."""

    def __init__(self, module: Module, name: str) -> None:
        self.module = module
        self.out = Function(name, module.places)
        self.storage = Storage(self.out, module.stack_budget)
        self.name = name
        self.point: object = None
        self.is_end = False
        self.may_have_exited = False  # whether code before this may have called exit()
        self.probe_ids: tuple[int, ...] = ()  # all that probe_id can be
        self.late_probe: ProbeInfo | None = None  # stands for those that are made later
        self.late_clauses: Value | None = None  # alloca: which clauses run, where the cookie says that
        self.clause: Clause | None = None
        self.fault_info: dict[int, Value] | None = None  # in ERROR clauses: what FaultInfo yields
        self.variables: dict[Variable, Place] = {}  # clause-local and local ones
        self.records: dict[int, Place] = {}  # buffers, by layout id
        self.record_sizes: dict[int, Value] = {}  # allocas: size of a record that ends with a string
        self.changed_in_loops: set[Variable] = set()
        self.firing_init: Block = self.out.block  # runs once a firing, open until the firing's end
        self.firing_zeroed: set[Variable] = set()
        self.timestamp: Value | None = None  # alloca: 0 until the firing asks for the time
        self.has_timestamp = False  # whether this firing's code starts it at 0
        self.pid_tgid: Value | None = None  # the same of the running thread's numbers: see codegen.namespace
        self.has_pid_tgid = False
        self.own_memory: Place | None = None  # what alloca() and copyin() hand out, and how much of it is used
        self.own_used: Value | None = None
        self.own_is_fresh = False  # whether this firing's code starts with all of it unused
        self.returns: list[Target] = []
        self.loops: list[tuple[Block, Block]] = []  # (break, continue)
        self.faults: list[Fault] = []
        self.resumes: list[Block] = []
        self.resume = 0
        self._word: Value | None = None
        self._probe: Value = ZERO  # the probe's id, or the place that holds it
        self._probe_place: Value | None = None
        self._barrier: Value | None = None

    # --- lowering, dispatched in lowering.py ------------------------------------------------------------------------

    @abstractmethod
    def scalar(self, expr: Expr) -> Value:
        """An integer or pointer as an i64, extended from its type."""

    @abstractmethod
    def string(self, expr: Expr) -> Str:
        """A string, by reference: to be used before anything that may change it."""

    @abstractmethod
    def statement(self, stmt: Stmt) -> None:
        """Code for a statement."""

    # --- memory -----------------------------------------------------------------------------------------------------

    def slot(self, size: int) -> Value:
        """`size` bytes (rounded up to 8) until the end of the statement, or of the scalar expression, being lowered."""
        return self.storage.slot(size)

    @contextmanager
    def temporaries(self) -> Iterator[None]:
        """Code whose slots are not needed after it."""
        mark = self.storage.mark()
        yield
        self.storage.release(mark)

    @property
    def word(self) -> Value:
        """Eight bytes of stack for a helper's result that is loaded at once."""
        if self._word is None:
            self._word = self.out.alloca(8)
        return self._word

    @property
    def probe_id(self) -> Value:
        """The id of the probe that fired, an i64."""
        return self.out.load(self._probe) if self._probe.type == "ptr" else self._probe

    def set_probe(self, identity: Value) -> None:
        """At a firing's start. What is no constant goes to memory: after a fault, clauses go on from elsewhere."""
        self._probe = identity
        if identity.text.startswith("%"):
            if self._probe_place is None:
                self._probe_place = self.out.alloca(8, is_zero=True)
            self._probe = self._probe_place
            self.out.store(identity, self._probe)

    def read_global(self, offset: int) -> Value:
        return self.out.load(self.module.global_address(offset))

    def count(self, offset: int, amount: Value | None = None) -> None:
        """Add to a counter in the globals."""
        self.out.atomic_add(self.module.global_address(offset), amount or const(1))

    def count_lost(self, status: Value, full: int, refused: int) -> None:
        """An entry could not be made: count why, by what BPF_MAP_UPDATE answered (kernel/bpf/hashtab.c).

        E2BIG: the map is full. All else is of that moment: EBUSY or EDEADLK, the event came while this CPU was changing
        the map; ENOMEM, entries came faster than the kernel lays memory in for them.
        """
        is_full = self.out.compare("eq", self.out.truncate(status, "i32"), const(-errno.E2BIG, "i32"))
        distance = self.out.select(is_full, const(0), const(refused - full))
        self.out.atomic_add(self.out.offset(self.module.global_address(full), distance), const(1))

    def start_firing(self) -> None:
        """What a firing finds fresh: clause-local variables, own memory, the time."""
        self.firing_init = self.out.block
        body = self.out.new_block("clauses")
        self.firing_zeroed = set()
        self.own_is_fresh = False
        self.has_timestamp = False
        self.has_pid_tgid = False
        # The block stays open: variables met later are cleared in it.
        self.firing_init.tail = f"  br label %{body.label}"
        self.out.enter_after_open(body)

    def clear(self, pointer: Value, size: Value) -> None:
        """Zero bytes (bounded for the verifier): a read of the kernel's that fails fills its buffer with zeros."""
        self.out.call(Helper.READ_KERNEL, pointer, size, ZERO)

    def fill_zero(self, pointer: Value, start: int, end: int) -> None:
        """Zero bytes `start` up to `end` behind a pointer that is aligned to 8."""
        while start < end:
            size = min(start & -start or 8, 8)
            while size > end - start:
                size //= 2
            self.out.store(const(0, f"i{size * 8}"), self.out.offset(pointer, start), size)
            start += size

    # --- values -----------------------------------------------------------------------------------------------------

    def canonical(self, value: Value, type_: Type) -> Value:
        """An i64 wrapped to the type: cut to its width and extended again."""
        if not isinstance(type_, Int | Enum) or type_.size == 8:
            return value
        narrow = self.out.truncate(value, f"i{type_.size * 8}")
        return self.out.extend(narrow, type_.signed)

    def is_true(self, value: Value) -> Value:
        """The i1 of an i64."""
        return self.out.compare("ne", value, ZERO)

    def truth(self, condition: Value) -> Value:
        """0 or 1 of an i1."""
        return self.out.extend(condition, False)

    def opaque(self, value: Value) -> Value:
        """The same value, of which LLVM knows nothing: checks made for the verifier's sake are then not folded away.

        A volatile round trip through the stack; the verifier follows it, and keeps the bounds that it knows.
        """
        if self._barrier is None:
            self._barrier = self.out.alloca(8)
        self.out.store(value, self._barrier, volatile=True)
        return self.out.load(self._barrier, volatile=True)

    def at_most(self, value: Value, maximum: int) -> Value:
        """The value, or `maximum` if it is greater (unsigned), such that the verifier sees the bound."""
        value = self.opaque(value)
        bounded = self.out.select(self.out.compare("ugt", value, const(maximum)), const(maximum), value)
        # LLVM would make an `or` of adding less than 8 to an aligned address, which is not done to pointers.
        return self.opaque(bounded) if maximum < 8 else bounded

    def scalar_of_pointer(self, value: Value) -> Value:
        """A number the verifier takes for a number, from a register that it may know as a pointer.

        Arithmetic on typed pointers is refused, but a negated one is just a number.
        """
        return self.out.sub(ZERO, self.opaque(self.out.sub(ZERO, value)))

    @property
    def may_sleep(self) -> bool:
        """Whether the unit may wait for pages of the process; asked by what would, and remembered."""
        if not isinstance(self.point, Uprobe) or not self.module.traits.has_sleepable_uprobes:
            return False
        self.module.sleepable.add(self.name)
        return True

    @property
    def has_typed_pointers(self) -> bool:
        return isinstance(self.point, BtfTracepoint)

    # --- control ----------------------------------------------------------------------------------------------------

    def fault_if(self, condition: Value, kind: FaultKind, value: Value, span: Span) -> None:
        """Leave the clause with a fault where `condition` (an i1) holds."""
        clause = self.clause.index if self.clause is not None else 0
        site = self.module.site(span, clause)
        raised = self.out.new_block("fault")
        going_on = self.out.new_block("ok")
        self.out.branch_if(condition, raised, going_on, (0, 1))
        self.out.enter(raised)
        self.faults.append(Fault(raised, site, kind, value, clause, self.resume, self.probe_id))
        raised.is_closed = True  # the branch is added when the fault code is written
        self.out.enter(going_on)

    @contextmanager
    def when(self, condition: Value, weights: tuple[int, int] | None = None) -> Iterator[None]:
        """Code that runs where `condition` (an i1) holds."""
        then = self.out.new_block("then")
        after = self.out.new_block("after")
        self.out.branch_if(condition, then, after, weights)
        self.out.enter(then)
        yield
        self.out.branch(after)
        self.out.enter(after)

    @contextmanager
    def in_block(self, block: Block) -> Iterator[None]:
        """Code that goes to the end of another, open block."""
        here, self.out.block = self.out.block, block
        yield
        self.out.block = here

    def may_go_on(self, exit_: Block) -> None:
        """At a loop's head: leaves it where the kernel says that it ran long enough."""
        if not self.module.traits.has_may_goto:
            return
        body = self.out.new_block("go")
        self.out.branch_if(self.out.compare("eq", self.out.call(MAY_GOTO, single=True), ZERO), exit_, body)
        self.out.enter(body)

    def loop_word(self) -> Value:
        """Memory for a number that changes in a loop.

        With may_goto, the verifier takes the second round for all others if it knows no more of it than of the first.
        It does not follow numbers in maps, so they lie there; without may_goto it has to count the rounds itself.
        """
        return self.storage.scratch(8) if self.module.traits.has_may_goto else self.slot(8)

    def carried(self) -> Value:
        """Memory for a result that rounds of a loop leave to the next.

        Where the verifier counts the rounds itself, it would follow every combination of numbers that it knows; of
        those in maps it knows nothing.
        """
        return self.out.alloca(8) if self.module.traits.has_may_goto else self.storage.scratch(8)

    @contextmanager
    def loop(self, limit: int) -> Iterator[tuple[Value, Block]]:
        """A loop over an index from 0 below `limit`: yields (index, block after the loop).

        The index lives in memory, volatile: else LLVM turns it into a running pointer, whose bounds the verifier
        does not find again.
        """
        mark = self.storage.mark()
        counter = self.loop_word()
        self.out.store(ZERO, counter, volatile=True)
        head, body, after = self.out.new_block("head"), self.out.new_block("body"), self.out.new_block("after")
        self.out.enter(head)
        self.may_go_on(after)
        index = self.out.load(counter, volatile=True)
        self.out.branch_if(self.out.compare("ult", index, const(limit)), body, after)
        self.out.enter(body)
        yield index, after
        self.out.store(self.out.add(index, const(1)), counter, volatile=True)
        self.out.branch(head)
        self.out.enter(after)
        self.storage.release(mark)

    # --- records ----------------------------------------------------------------------------------------------------

    def record(self, layout: RecordLayout) -> Value:
        """The buffer in which a record of this layout is built."""
        if layout.id not in self.records:
            self.records[layout.id] = self.storage.reserve(layout.size, Lifetime.CLAUSE)
        return self.storage.at(self.records[layout.id])

    def cpu(self) -> Value:
        return self.out.call(Helper.CPU, pure=True)

    def count_drop(self) -> None:
        """One more record that the ring buffer had no room for."""
        index = self.out.binary("and", self.cpu(), const(Globals.RING_DROPS_CPUS - 1))
        offset = self.out.binary("shl", self.opaque_mask(index, Globals.RING_DROPS_CPUS - 1), const(3))
        self.out.atomic_add(self.out.offset(self.module.global_address(Globals.RING_DROPS), offset), const(1))

    def opaque_mask(self, value: Value, mask: int) -> Value:
        """`value & mask` that LLVM cannot fold away."""
        return self.out.binary("and", self.opaque(value), const(mask))
