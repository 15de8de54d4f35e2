"""probeprov, probemod, probefunc and probename of the probe that fired, by its id.

one probe           a constant
many, as a field    a load from a table in the read-only data: index in Plan.strings by probe id
probefunc == "x"    the table's index against that of "x"
not known yet       module and function from tables that the consumer fills (shared.Late); the others are constants
"""

from __future__ import annotations

import struct

from invivo.codegen.emitter import Emitter, Str
from invivo.codegen.ir import Value, const
from invivo.program.nodes import Component
from invivo.program.shared import Late
from invivo.program.tables import probe_name

__all__ = ["interned_index", "is_name", "listed_id", "name_string"]


def _is_late(e: Emitter, component: Component | None = None) -> bool:
    """Whether the probes that can fire here are made later, and differ in this component of their names."""
    return e.late_clauses is not None and e.fault_info is None and component not in (
        Component.PROVIDER, Component.NAME
    )  # fmt: skip


def _late_place(e: Emitter, table: Value, size: int) -> Value:
    """The row of the probe that fired in a table for late probes."""
    index = e.at_most(e.out.sub(e.probe_id, const(len(e.module.probes) + 1)), Late.ENTRIES - 1)
    return e.out.offset(table, e.out.binary("mul", index, const(size)))


def _names(e: Emitter, component: Component) -> dict[int, bytes]:
    if e.late_probe is not None and e.fault_info is None:
        return {0: probe_name(e.late_probe, component)}
    return {probe: probe_name(e.module.probes[probe - 1], component) for probe in e.probe_ids}


def _bounded_id(e: Emitter) -> tuple[Value, int]:
    """The probe's id, from 0 where the verifier has no bound of it, and the greatest id."""
    last = len(e.module.probes)
    return e.at_most(e.probe_id, last), last


def _lookup(e: Emitter, component: Component) -> Value:
    """The name's index in Plan.strings, from a table of this component by probe id."""
    if _is_late(e, component):
        row = _late_place(e, e.module.late_names(), Late.ROW_SIZE)
        return e.out.load(e.out.offset(row, 0 if component is Component.MODULE else 4), "i32")
    identity, last = _bounded_id(e)
    numbers = [0] * (last + 1)
    for probe, name in _names(e, component).items():
        numbers[probe] = e.module.intern(name)
    table = e.module.constant(struct.pack(f"<{last + 1}I", *numbers))
    return e.out.load(e.out.offset(table, e.out.binary("shl", identity, const(2))), "i32")


def interned_index(e: Emitter, component: Component) -> Value:
    """Index of the name in Plan.strings, as an i32."""
    if _is_late(e, component):
        return _lookup(e, component)
    distinct = set(_names(e, component).values())
    if len(distinct) == 1:
        return const(e.module.intern(distinct.pop()), "i32")
    return _lookup(e, component)


def listed_id(e: Emitter) -> Value:
    """The probe's number in the list of all probes, as an i64."""
    if _is_late(e):
        return e.out.load(e.out.offset(_late_place(e, e.module.late_names(), Late.ROW_SIZE), 8))
    if len(e.probe_ids) == 1:
        return const(e.module.probes[e.probe_ids[0] - 1].id)
    identity, _ = _bounded_id(e)
    table = e.module.constant(struct.pack(f"<{len(e.module.probes) + 1}Q", 0, *(p.id for p in e.module.probes)))
    return e.out.load(e.out.offset(table, e.out.binary("shl", identity, const(3))))


def is_name(e: Emitter, component: Component, name: bytes) -> Value:
    """An i1: whether the name is this one."""
    if _is_late(e, component):
        return e.out.compare("eq", _lookup(e, component), const(e.module.intern(name), "i32"))
    distinct = set(_names(e, component).values())
    if name not in distinct or len(distinct) == 1:
        return const(int(name in distinct), "i1")
    index = const(e.module.intern(name), "i32")
    return e.out.compare("eq", _lookup(e, component), index)


def name_string(e: Emitter, component: Component) -> Str:
    """The name as a string in the read-only data."""
    if _is_late(e, component):
        row = _late_place(e, e.module.late_texts(), 2 * Late.TEXT)
        return Str(e.out.offset(row, 0 if component is Component.MODULE else Late.TEXT), Late.TEXT)
    distinct = _names(e, component)
    longest = max(len(name) for name in distinct.values()) + 1
    if len(set(distinct.values())) == 1:
        name = next(iter(distinct.values()))
        return Str(e.module.constant(name + b"\0"), longest, name)
    # The names lie one after the other, each in as many bytes as the longest takes.
    stride = (longest + 7) & ~7
    identity, last = _bounded_id(e)
    table = b"".join(distinct.get(probe, b"").ljust(stride, b"\0") for probe in range(last + 1))
    address = e.out.offset(e.module.constant(table), e.out.binary("mul", identity, const(stride)))
    return Str(address, stride)
