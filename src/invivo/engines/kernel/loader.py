"""Maps and programs of a plan, made live: code is patched with map descriptors and what this kernel offers, and loaded.

    Relocation(at=4, kind="map", value=2)   ld_imm64 r1, 0   becomes   ld_imm64 r1, map_fd(9)
"""

from __future__ import annotations

import errno
import os

from invivo.bpf import instructions, uapi
from invivo.bpf.map import Map, MapSpec
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import KernelError, VerifierError
from invivo.linux import cpu
from invivo.program.attach import AttachPoint, BtfTracepoint, Once, PerfClock, RawTracepoint, Timer, Tracepoint, Uprobe
from invivo.program.plan import MapKind, MapPlan, Plan, Relocation, UnitPlan

__all__ = ["LoadedUnit", "create_maps", "load_unit"]

_LEAST_RING = 4096
_SMALL_ELEMENT = 200  # bytes of key and value, of which the kernel keeps several ready (kernel/bpf/memalloc.c)


class LoadedUnit:
    """A unit with its loaded program."""

    __slots__ = ("plan", "program")

    def __init__(self, plan: UnitPlan, program: Program) -> None:
        self.plan = plan
        self.program = program


def create_maps(plan: Plan, into: list[Map]) -> None:
    """Create the plan's maps, in its order, appending each to `into` (so that a failure leaves the list to be closed).

    Raises:
        KernelError, RightsError: The kernel refuses.
    """
    for map_plan in plan.maps:
        if map_plan.kind is MapKind.UNWIND:
            live = _create_chunked(map_plan)
        elif map_plan.kind is MapKind.RING:
            live = _create_ring(map_plan, is_halved=plan.options.get("bufresize") != "manual")
        else:
            live = Map.create(_map_spec(map_plan))
        into.append(live)
        if map_plan.kind is MapKind.RODATA and plan.rodata:
            live.update(b"\0\0\0\0", plan.rodata.ljust(map_plan.value_size, b"\0"))
            live.freeze()
    _fill_allocators([live for live in into if _is_large_hash(live.spec)])


def _create_chunked(plan: MapPlan) -> Map:
    """An array of maps, of the kind that unwind rules are put in."""
    from invivo.engines.kernel.unwinding import CHUNK_SPEC

    with Map.create(CHUNK_SPEC) as like:
        return Map.create(_map_spec(plan)._replace(inner_fd=like.fd))


def _create_ring(plan: MapPlan, *, is_halved: bool) -> Map:
    """The ring buffer; where there is no memory for it, half of it, and so on (option bufresize)."""
    spec = _map_spec(plan)
    while True:
        try:
            return Map.create(spec)
        except KernelError as error:
            if error.errno not in (errno.ENOMEM, errno.E2BIG) or not is_halved or spec.max_entries <= _LEAST_RING:
                raise
            spec = spec._replace(max_entries=spec.max_entries // 2)


def _is_large_hash(spec: MapSpec) -> bool:
    return spec.flags & uapi.BPF_F_NO_PREALLOC != 0 and spec.key_size + spec.value_size > _SMALL_ELEMENT


def _fill_allocators(maps: list[Map]) -> None:
    """Have the kernel keep memory ready for new elements, on every CPU.

    It keeps one large element ready for each CPU at first, and gets more after that is taken, but not while interrupts
    are off: the first sample, which has a kernel and a user stack, would lose one of them.
    """
    if not maps:
        return
    affinity = os.sched_getaffinity(0)
    try:
        for number in cpu.online():
            os.sched_setaffinity(0, {number})
            for live in maps:
                key = bytes(live.spec.key_size)
                live.update(key, bytes(live.value_bytes))
                live.delete(key)
    except OSError:
        pass  # a CPU that this process may not use; what is lost is counted
    finally:
        os.sched_setaffinity(0, affinity)


def _map_spec(plan: MapPlan) -> MapSpec:
    return MapSpec(plan.name[:15], plan.bpf_type, plan.key_size, plan.value_size, plan.max_entries, plan.flags)


def load_unit(unit: UnitPlan, maps: list[Map]) -> LoadedUnit:
    """Patch and load one unit's program.

    Raises:
        VerifierError: The kernel's verifier rejects the code (a bug of the generator; the log says where).
        KernelError, RightsError: The kernel refuses.
    """
    code = _relocate(unit.code, unit.relocations, maps)
    point: AttachPoint = unit.attachments[0].point if unit.attachments else Uprobe("", 0)  # those that come later
    added = 0
    if isinstance(point, Uprobe):
        from invivo.engines.kernel import task_stack

        code, added = task_stack.on_task_stack(code), task_stack.LENGTH
    kind, expected, btf_id = _program_type(point)
    name = "".join(char if char.isalnum() or char == "_" else "_" for char in unit.name)[:15]
    spec = ProgramSpec(
        name=name, type=kind, code=code, expected_attach_type=expected, attach_btf_id=btf_id,
        flags=uapi.BPF_F_SLEEPABLE if unit.is_sleepable else 0,
    )  # fmt: skip
    try:
        return LoadedUnit(unit, Program.load(spec))
    except VerifierError as error:
        error.unit = unit.name
        error.instruction = max(error.instruction - added, -1)
        raise


def _program_type(point: AttachPoint) -> tuple[int, int, int]:
    match point:
        case Once() | Timer() | RawTracepoint():
            return uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0
        case BtfTracepoint(_, btf_id):
            return uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_RAW_TP, btf_id
        case Tracepoint():
            return uapi.BPF_PROG_TYPE_TRACEPOINT, 0, 0
        case PerfClock():
            return uapi.BPF_PROG_TYPE_PERF_EVENT, 0, 0
        case Uprobe():
            from invivo.bpf.link import uprobe

            return uapi.BPF_PROG_TYPE_KPROBE, uprobe.expected_attach_type(), 0


def _relocate(code: bytes, relocations: tuple[Relocation, ...], maps: list[Map]) -> bytes:
    patched = bytearray(code)
    for relocation in relocations:
        match relocation.kind:
            case "map":
                instructions.patch_map_fd(patched, relocation.at, maps[relocation.value].fd)
            case "map_value":
                instructions.patch_map_value(patched, relocation.at, maps[relocation.value].fd, relocation.offset)
            case "cookie":
                instructions.patch_call(patched, relocation.at, uapi.BPF_FUNC_get_attach_cookie)
            case "may_goto":
                instructions.rewrite_may_goto(patched, relocation.at)
            case other:
                raise AssertionError(f"unknown relocation {other}")
    return bytes(patched)
