"""What all units of a plan share: maps, the two data sections, fault sites, interned strings.

module.map_of_variable(x)          index in Plan.maps of x's hash, made on first use
module.rodata(b"dd\\0")             offset of those bytes in the read-only data, kept once
module.counter()                   offset of a fresh 64-bit counter in the globals
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from invivo.codegen.ir import Value
from invivo.codegen.places import Places
from invivo.program.aggregates import words
from invivo.program.attach import Once, Uprobe
from invivo.program.clauses import Program
from invivo.program.layout import field_type, layout_keys, round_up, variable_size
from invivo.program.nodes import Aggregation, Scope, Variable
from invivo.program.passes.units import Unit
from invivo.program.plan import MapKind, MapPlan, Traits
from invivo.program.records import AggregationPlan, Field
from invivo.program.shared import Globals, Late, Process, Unwind
from invivo.program.statements import AggUpdate
from invivo.program.tables import Tables
from invivo.program.types import Enum, Int, Pointer, size_of
from invivo.program.walk import walk

__all__ = ["Module"]

# enum bpf_map_type and map flags of include/uapi/linux/bpf.h
_HASH, _ARRAY, _PERCPU_HASH, _PERCPU_ARRAY, _ARRAY_OF_MAPS, _RINGBUF = 1, 2, 5, 6, 12, 27
_NO_PREALLOC, _RDONLY_PROG, _MMAPABLE = 1 << 0, 1 << 7, 1 << 10

_PAGE = 4096
_LARGEST_RING = 1 << 31  # the size of a map has 32 bits
_SMALL_RING = 1 << 20  # for faults and exit()
_PERCPU_VALUE = 32768  # the kernel's PCPU_MIN_UNIT_SIZE: greater values cannot be per CPU


class Module(Tables):
    """The shared parts of one plan, as they grow while units are generated."""

    def __init__(self, program: Program, traits: Traits, stack_budget: int, places: Places | None = None) -> None:
        super().__init__(program)
        self.places = places
        self.traits = traits
        self.stack_budget = stack_budget
        self.maps: list[MapPlan] = []
        self.aggregations: dict[Aggregation, AggregationPlan] = {}
        self.globals_size = Globals.USER
        self._shared: set[Aggregation] = set()
        self._rodata = bytearray()
        self._constants: dict[bytes, int] = {}
        self._variables: dict[Variable, int] = {}
        self._single: dict[MapKind, int] = {}
        self._structures: int | None = None  # offset of Space.GLOBAL in the globals
        self.sleepable: set[str] = set()  # units that wait for pages of the process

    def note_sharing(self, units: Sequence[Unit]) -> None:
        """Find the aggregations that several units update; ERROR's clauses are in all of them.

        A unit at uprobes counts as several: it runs with preemption on, so that another thread may run it meanwhile on
        the same CPU (kernel/trace/bpf_trace.c, uprobe_prog_run).
        """
        seen: dict[Aggregation, Unit] = {}
        for unit in units:
            is_preemptible = unit.is_late or isinstance(unit.points[0][0], Uprobe)
            for clause in (*(c for firing in unit.firings for c in firing.clauses), *self.program.error_clauses):
                for node in walk(clause):
                    if isinstance(node, AggUpdate) and (
                        seen.setdefault(node.aggregation, unit) is not unit or is_preemptible
                    ):
                        self._shared.add(node.aggregation)

    def is_shared(self, aggregation: Aggregation) -> bool:
        """Whether one program may interrupt another while it updates the aggregation."""
        return aggregation in self._shared

    # --- maps -------------------------------------------------------------------------------------------------------

    def _add(self, plan: MapPlan) -> int:
        self.maps.append(plan)
        return len(self.maps) - 1

    def _one(self, plan: MapPlan) -> int:
        if plan.kind not in self._single:
            self._single[plan.kind] = self._add(plan)
        return self._single[plan.kind]

    def global_address(self, offset: int) -> Value:
        """The address of a byte of the globals map's value."""
        # Its size is set in `finish`, when all variables are known.
        index = self._one(MapPlan("globals", MapKind.GLOBALS, _ARRAY, 4, 0, 1, _MMAPABLE))
        return _at(index, offset)

    def rodata_address(self, offset: int) -> Value:
        """The address of a byte of the read-only data."""
        index = self._one(MapPlan("rodata", MapKind.RODATA, _ARRAY, 4, 0, 1, _RDONLY_PROG))
        return _at(index, offset)

    def ring(self) -> Value:
        """The ring buffer: the size asked for, rounded up to a power of two of at least a page."""
        return _at(self._one(MapPlan("ring", MapKind.RING, _RINGBUF, 0, 0, self.ring_size)))

    @functools.cached_property
    def ring_size(self) -> int:
        """The size asked for, but no more than needed where events make no records: memory takes time to get."""
        wanted = self.number("bufsize")
        often = {c.index for c in self.program.clauses if any(not isinstance(p.attach, Once) for p in c.probes)}
        if not any(layout.clause in often for layout in self.program.records):
            wanted = min(wanted, _SMALL_RING)
        return min(max(1 << (wanted - 1).bit_length(), _PAGE), _LARGEST_RING)

    def stacks(self) -> Value:
        """The map of stacks by id."""
        entries = max(self.number("stacksize"), 1)
        plan = MapPlan("stacks", MapKind.STACKS, _HASH, 8, 8 * self.stack_frames, entries, _NO_PREALLOC)
        return _at(self._one(plan))

    def processes(self) -> Value:
        """The map of processes whose addresses are named."""
        plan = MapPlan(
            "processes", MapKind.PROCESSES, _HASH, Process.KEY, Process.VALUE, Process.ENTRIES, _NO_PREALLOC
        )
        return _at(self._one(plan))

    def unwind_rules(self) -> Value:
        """The array of chunks of unwind rules."""
        return _at(self._one(MapPlan("unwind", MapKind.UNWIND, _ARRAY_OF_MAPS, 4, 4, Unwind.CHUNKS)))

    def requests(self) -> Value:
        """The ring that tells of new ones."""
        return _at(self._one(MapPlan("requests", MapKind.REQUESTS, _RINGBUF, 0, 0, Process.REQUESTS)))

    def late_names(self) -> Value:
        """The address of the table of late probes' names."""
        size = Late.ENTRIES * Late.ROW_SIZE
        return _at(self._one(MapPlan("late_names", MapKind.LATE_NAMES, _ARRAY, 4, size, 1, _MMAPABLE)))

    def late_texts(self) -> Value:
        """That of the table of the same as strings."""
        size = Late.ENTRIES * 2 * Late.TEXT
        return _at(self._one(MapPlan("late_texts", MapKind.LATE_TEXTS, _ARRAY, 4, size, 1, _MMAPABLE)))

    def late_visits(self) -> Value:
        """The ring that tells of processes that have mapped files."""
        return _at(self._one(MapPlan("late_visits", MapKind.LATE_VISITS, _RINGBUF, 0, 0, Late.VISITS)))

    def scratch(self, unit: str, size: int) -> tuple[Value, bool]:
        """A scratch area for each CPU, and whether its key is the CPU's number (else 0).

        Each unit has its own: one may interrupt another, but never itself.
        """
        if size <= _PERCPU_VALUE:
            plan = MapPlan(f"s_{unit}", MapKind.SCRATCH, _PERCPU_ARRAY, 4, size, 1)
        else:
            plan = MapPlan(f"s_{unit}", MapKind.SCRATCH, _ARRAY, 4, size, self.traits.cpus)
        return _at(self._add(plan)), size > _PERCPU_VALUE

    def scratch_areas(self, unit: str, size: int, areas: int) -> Value:
        """Several scratch areas for each CPU: the key is the CPU's number times `areas`, and up to `areas` - 1 more."""
        plan = MapPlan(f"s_{unit}", MapKind.SCRATCH, _ARRAY, 4, size, self.traits.cpus * areas)
        return _at(self._add(plan))

    def aggregation(self, aggregation: Aggregation) -> AggregationPlan:
        """The plan of an aggregation; its map is made on first use."""
        plan = self.aggregations.get(aggregation)
        if plan is None:
            count = words(aggregation.function, aggregation.parameters)
            fields, key_size = layout_keys(aggregation.keys)
            name = f"a_{aggregation.name}"
            if fields:
                space = self.number("aggsize") // (key_size + 8 * count * self.traits.cpus)
                entries = min(max(space, 64), 1 << 18)
                spec = MapPlan(name, MapKind.AGGREGATION, _PERCPU_HASH, key_size, 8 * count, entries, _NO_PREALLOC)
            else:
                spec = MapPlan(name, MapKind.AGGREGATION, _PERCPU_ARRAY, 4, 8 * count, 2)
            plan = AggregationPlan(
                aggregation.id, aggregation.name, aggregation.function, aggregation.parameters, fields, key_size,
                count, self._add(spec), self.counter(), self.counter(), self.counter(),
            )  # fmt: skip
            self.aggregations[aggregation] = plan
        return plan

    def map_address(self, index: int) -> Value:
        """Map `index`, as helpers take it."""
        return _at(index)

    # --- variables --------------------------------------------------------------------------------------------------

    def variable_map(self, variable: Variable) -> int:
        """Index of the hash of an associative array or a thread-local variable."""
        if variable not in self._variables:
            _, key_size = self.variable_keys(variable)
            value_size = variable_size(variable.type)
            entries = min(max(self.number("dynvarsize") // (key_size + value_size), 64), 1 << 20)
            plan = MapPlan(f"v_{variable.name}", MapKind.VARIABLE, _HASH, key_size, value_size, entries, _NO_PREALLOC)
            self._variables[variable] = self._add(plan)
        return self._variables[variable]

    @property
    def thread_scalars(self) -> list[int]:
        """Indexes of the hashes of thread-local scalars."""
        return [i for v, i in self._variables.items() if v.scope is Scope.THREAD and v.keys is None]

    @staticmethod
    def variable_keys(variable: Variable) -> tuple[tuple[Field, ...], int]:
        """Fields and size of a hash's key; those of thread-local variables begin with the thread's u64."""
        header = 8 if variable.scope is Scope.THREAD else 0
        return layout_keys([field_type(key) for key in variable.keys or ()], header)

    def variable_offset(self, variable: Variable) -> int:
        """Offset of a global scalar in the globals."""
        if variable not in self._variables:
            size = size_of(variable.type)
            assert size is not None
            is_scalar = isinstance(variable.type, Int | Enum | Pointer)
            # Strings are compared, and structures copied, eight bytes at a time.
            self.globals_size = round_up(self.globals_size, size if is_scalar else 8)
            self._variables[variable] = self.globals_size
            self.globals_size += size if is_scalar else round_up(size, 8)
        return self._variables[variable]

    def structures_address(self, address: int) -> Value:
        """What Space.GLOBAL calls `address`, in the globals map's value."""
        if self._structures is None:
            self.globals_size = self._structures = round_up(self.globals_size, 8)
            self.globals_size += round_up(self.global_end, 8)
        return self.global_address(self._structures + address)

    @property
    def arrays(self) -> tuple[tuple[str, int], ...]:
        """The program's global structures and arrays: names, and offsets in the globals."""
        start = self._structures
        return () if start is None else tuple((v.name, start + at) for v, at in self.global_places.items())

    def counter(self) -> int:
        """Offset of a new 64-bit counter in the globals, which starts at zero."""
        self.globals_size = round_up(self.globals_size, 8) + 8
        return self.globals_size - 8

    # --- constants --------------------------------------------------------------------------------------------------

    def rodata(self, data: bytes, alignment: int = 8) -> int:
        """Offset of these bytes in the read-only data."""
        if data not in self._constants:
            self._rodata += bytes(-len(self._rodata) % alignment)
            self._constants[data] = len(self._rodata)
            self._rodata += data
        return self._constants[data]

    def zeros(self, size: int) -> Value:
        """The address of `size` zero bytes."""
        return self.constant(bytes(size))

    def constant(self, data: bytes) -> Value:
        """The address of these bytes in the read-only data."""
        return self.rodata_address(self.rodata(data))

    # --- the end ----------------------------------------------------------------------------------------------------

    @property
    def data_maps(self) -> frozenset[int]:
        """The maps whose contents are addressed directly."""
        direct = (MapKind.GLOBALS, MapKind.RODATA, MapKind.LATE_NAMES, MapKind.LATE_TEXTS)
        return frozenset(i for i, plan in enumerate(self.maps) if plan.kind in direct)

    @property
    def globals_bytes(self) -> int:
        return round_up(self.globals_size, 8)

    def finish(self) -> tuple[tuple[MapPlan, ...], bytes]:
        """All maps with their final sizes, and the read-only data."""
        for index, plan in enumerate(self.maps):
            if plan.kind is MapKind.GLOBALS:
                self.maps[index] = plan._replace(value_size=self.globals_bytes)
            elif plan.kind is MapKind.RODATA:
                self.maps[index] = plan._replace(value_size=max(round_up(len(self._rodata), 8), 8))
        return tuple(self.maps), bytes(self._rodata)


def _at(index: int, offset: int = 0) -> Value:
    symbol = f"@map_{index}"
    return Value("ptr", f"getelementptr (i8, ptr {symbol}, i64 {offset})" if offset else symbol)
