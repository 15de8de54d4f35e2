"""Clauses grouped into units: what becomes one BPF program, and where it is attached.

    syscall:::entry {A}  syscall::read:entry {B}     one unit at raw_syscalls' sys_enter, with one selection on the
                                                     number: 349 values fire A, that of read fires A then B
    sdt:sched:: {C}                                  one unit for each distinct set of clauses, attached at 24 events

A probe's clauses run in the order of the text in one firing; firings at one place come in the order of probe ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from invivo.program.attach import (
    AttachPoint,
    BtfTracepoint,
    Moment,
    Once,
    PerfClock,
    RawTracepoint,
    Timer,
    Tracepoint,
    Uprobe,
)
from invivo.program.clauses import Clause, Probe, Program, Reads
from invivo.program.nodes import Call, ContextAddress, ContextBytes, ContextWord, Expr, Load, Memory, ReadString
from invivo.program.types import Space
from invivo.program.walk import walk
from invivo.source import Span
from invivo.value import node

__all__ = ["Firing", "Selection", "Unit", "group_units", "reads_of"]

# A shared program misses what happens while it runs (an interrupt's tracepoints), but each of their own costs 2 ms.
_MANY_RAW = 64

_Guard = Callable[[Span], Expr]
# Primitives that look at where the process is, at its registers or at its memory; of the latter some besides nothing.
_MEMORY = frozenset(("copyin", "copyinto", "copyout", "copyout_kernel", "copyout_string"))
_REGISTERS = frozenset(("ustack", "ustack_depth", "ucaller", "user_pc", "user_registers"))


@node
class Firing:
    """Probes that run the same clauses. Where there are several, a selection or a cookie says which one fired.

    Where there are none, they are added later, and the cookie says which clauses it is that run (see shared.Late).
    """

    probe_ids: tuple[int, ...]
    clauses: tuple[Clause, ...]
    guard: _Guard | None


@node
class Selection:
    """At most one of `firings`: the one where `key` has a value in `cases`, which are (value, firing, probe id)."""

    key: _Guard
    guard: _Guard | None
    firings: tuple[Firing, ...]
    cases: tuple[tuple[int, Firing, int], ...]


@node
class Unit:
    """One BPF program: its steps are carried out in order, at each of `points`.

    `points` have the probe id that is given by cookie, 0 where the program itself knows.
    """

    name: str
    points: tuple[tuple[AttachPoint, int], ...]
    steps: tuple[Firing | Selection, ...]

    @property
    def is_late(self) -> bool:
        """Whether its probes are added while it runs."""
        return not self.points

    @property
    def is_shared(self) -> bool:
        """Whether only the cookie tells which probe fired."""
        return len(self.points) > 1

    @property
    def firings(self) -> tuple[Firing, ...]:
        return tuple(f for step in self.steps for f in (step.firings if isinstance(step, Selection) else (step,)))


def group_units(program: Program, *, prefer_raw: bool = False) -> tuple[Unit, ...]:
    """The program's units: BEGIN's first, END's last, the others in the order of their first probe's id.

    With `prefer_raw`, clauses that read nothing of a tracepoint's record run at its raw tracepoint, and where there are
    many raw tracepoints a cookie tells which probe fired.
    """
    clauses: dict[Probe, list[Clause]] = {}
    for clause in program.clauses:
        for probe in clause.probes:
            clauses.setdefault(probe, []).append(clause)
    places: dict[AttachPoint, list[Probe]] = {}
    known: dict[tuple[int, ...], Reads | None] = {}  # by the ids of clauses
    for probe in sorted(clauses, key=program.probe_ids.__getitem__):
        if probe.placed is None:
            first = _place(probe, clauses[probe], prefer_raw)
        else:
            same = tuple(map(id, clauses[probe]))
            if same not in known:
                known[same] = reads_of((*clauses[probe], *program.error_clauses))
            reads = known[same]
            first = probe.attach if reads is None else probe.placed(reads)
        for point in (first, *probe.others):
            places.setdefault(point, []).append(probe)

    raw = sum(isinstance(probe.attach, RawTracepoint) for probe in clauses)
    kinds = (Tracepoint, Uprobe, RawTracepoint) if prefer_raw and raw > _MANY_RAW else (Tracepoint, Uprobe)
    units: list[tuple[tuple[int, ...], list[tuple[AttachPoint, int]], tuple[Firing | Selection, ...]]] = []
    shared: dict[object, list[tuple[AttachPoint, int]]] = {}
    for point, probes in places.items():
        ids = program.probe_ids
        if _can_share(point, probes, clauses, kinds):
            probe = probes[0]
            kind = (type(point), tuple(map(id, clauses[probe])), id(probe.guard))
            here = [(point, ids[each]) for each in probes]
            if kind in shared:
                shared[kind] += here
                continue
            shared[kind] = here
            firing = Firing((ids[probe],), tuple(clauses[probe]), probe.guard)
            units.append((_order(point, ids[probe]), here, (firing,)))
        else:
            steps = tuple(_steps(probes, clauses, ids))
            units.append((_order(point, ids[probes[0]]), [(point, 0)], steps))
    units.sort(key=lambda unit: unit[0])
    names = _Names()
    return tuple(Unit(names.of(points), tuple(points), _with_all_ids(points, steps)) for _, points, steps in units)


def _place(probe: Probe, clauses: list[Clause], prefer_raw: bool) -> AttachPoint:
    """Where the probe is attached: at its raw tracepoint, if nothing depends on the record."""
    point = probe.attach
    if not (prefer_raw and isinstance(point, Tracepoint) and point.raw) or probe.guard or probe.selector:
        return point
    return point if any(map(_reads_context, clauses)) else RawTracepoint(point.raw)


def _reads_context(clause: Clause) -> bool:
    return clause.context.current is not None or any(
        isinstance(node, ContextWord | ContextBytes | ContextAddress)
        or (isinstance(node, Call) and node.primitive in ("kernel_pc", "user_pc"))
        for node in walk(clause)
    )


def reads_of(clauses: Iterable[Clause]) -> Reads | None:
    """What clauses read of a process; None if it cannot be told, or is where the process is."""
    offsets: set[int] = set()
    has_memory = False
    for clause in clauses:
        for part in walk(clause):
            match part:
                case ContextBytes(offset):
                    offsets.add(offset)
                case ContextAddress() | ContextWord():
                    return None
                case Call(name) if name in _REGISTERS:
                    return None
                case Load() | Memory() | ReadString():
                    has_memory |= part.space is Space.USER
                case Call(name):
                    has_memory |= name in _MEMORY
    return Reads(frozenset(offsets), has_memory)


def _can_share(
    point: AttachPoint, probes: list[Probe], clauses: dict[Probe, list[Clause]], kinds: tuple[type[AttachPoint], ...]
) -> bool:
    """Whether the cookie may tell which probe fired: of `kinds` that have cookies, all with the same clauses (attached
    once for each, in the order of their ids)."""
    first = probes[0]
    if not isinstance(first.attach, kinds) or (len(probes) > 1 and not isinstance(point, RawTracepoint)):
        return False
    return all(
        probe.selector is None and probe.guard is first.guard and clauses[probe] == clauses[first] for probe in probes
    )


def _order(point: AttachPoint, probe_id: int) -> tuple[int, int]:
    if point == Once(Moment.BEGIN):
        return (0, probe_id)
    return (2 if point == Once(Moment.END) else 1, probe_id)


def _with_all_ids(
    points: list[tuple[AttachPoint, int]], steps: tuple[Firing | Selection, ...]
) -> tuple[Firing | Selection, ...]:
    if len(points) == 1:
        return steps
    firing = steps[0]
    assert isinstance(firing, Firing)
    return (Firing(tuple(probe for _, probe in points), firing.clauses, firing.guard),)


def _steps(
    probes: Iterable[Probe], clauses: dict[Probe, list[Clause]], ids: dict[Probe, int]
) -> Iterable[Firing | Selection]:
    """The probes of one place, as firings and selections in the order of their first probe's id."""
    layers: dict[object, list[dict[int, Probe]]] = {}
    steps: list[Firing | list[dict[int, Probe]]] = []
    for probe in probes:
        if probe.selector is None:
            steps.append(Firing((ids[probe],), tuple(clauses[probe]), probe.guard))
            continue
        selector = probe.selector
        same = (id(selector.key), id(selector.guard))
        if same not in layers:
            layers[same] = []
            steps.append(layers[same])
        for layer in layers[same]:  # two probes with one value fire one after the other
            if selector.value not in layer:
                layer[selector.value] = probe
                break
        else:
            layers[same].append({selector.value: probe})
    for step in steps:
        if isinstance(step, Firing):
            yield step
        else:
            for layer in step:
                yield _selection(layer, clauses, ids)


def _selection(layer: dict[int, Probe], clauses: dict[Probe, list[Clause]], ids: dict[Probe, int]) -> Selection:
    members: dict[object, list[tuple[int, Probe]]] = {}
    for value, probe in layer.items():
        same = (tuple(map(id, clauses[probe])), id(probe.guard))
        members.setdefault(same, []).append((value, probe))
    firings = []
    cases = []
    for group in members.values():
        first = group[0][1]
        firing = Firing(tuple(ids[probe] for _, probe in group), tuple(clauses[first]), first.guard)
        firings.append(firing)
        cases += [(value, firing, ids[probe]) for value, probe in group]
    selector = next(iter(layer.values())).selector
    assert selector is not None
    return Selection(selector.key, selector.guard, tuple(firings), tuple(sorted(cases, key=lambda case: case[0])))


class _Names:
    """Distinct names for units, of letters, digits and underscores, that show in the kernel's lists of programs."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def of(self, points: list[tuple[AttachPoint, int]]) -> str:
        match points[0][0]:
            case Once(moment):
                base = moment.value
            case Tracepoint(category, name, _):
                base = name if len(points) == 1 else category
            case RawTracepoint(name) | BtfTracepoint(name):
                base = name if len(points) == 1 else "tracepoints"
            case PerfClock(period_ns):
                base = f"profile_{period_ns}"
            case Timer(interval_ns):
                base = f"tick_{interval_ns}"
            case Uprobe(path):
                base = path.rpartition("/")[2]
        base = "".join(char if char.isalnum() and char.isascii() else "_" for char in base)
        name, number = base, 2
        while name in self._used:
            name, number = f"{base}_{number}", number + 1
        self._used.add(name)
        return name
