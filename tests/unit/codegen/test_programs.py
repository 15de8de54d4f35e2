"""Small programs to BPF code, without a kernel: how much code, which relocations, which maps.

Bounds on the number of instructions hold back waste; each was counted once by reading the code, and has a little room.
"""

from __future__ import annotations

import re

import pytest

from invivo.bpf.instructions import decode
from invivo.codegen import compile_program
from invivo.codegen.emitter import Helper
from invivo.program.attach import BtfTracepoint, RawTracepoint, Tracepoint
from invivo.program.clauses import Context, Probe, Selector
from invivo.program.layout import field_type
from invivo.program.nodes import Component, ContextWord, Scope
from invivo.program.plan import MapKind, Plan, Traits, UnitPlan
from invivo.program.records import AggFunction
from invivo.program.statements import Block, If, Loop
from invivo.program.types import INT, INT64, LONG, UINT64, String
from tests.engines.build import (
    BEGIN,
    END,
    INTERNED,
    SPAN,
    Builder,
    assign,
    call,
    compare,
    number,
    op,
    probe_name,
    ref,
    string_call,
    text,
    update,
)
from tests.engines.disassemble import disassemble, instructions

POINT = RawTracepoint("sys_enter")
CONTEXT = Context("calls")


def key(span: object) -> ContextWord:
    return ContextWord(1, LONG, SPAN)


def calls(count: int) -> list[Probe]:
    return [Probe("x", "m", f"f{i}", "entry", POINT, CONTEXT, Selector(key, i)) for i in range(count)]


def plan_of(d: Builder, **traits: object) -> Plan:
    return compile_program(d.program(), Traits(cpus=2, **traits))  # type: ignore[arg-type]


def unit_of(d: Builder) -> UnitPlan:
    (unit,) = plan_of(d).units
    return unit


def helpers(unit: UnitPlan) -> list[str]:
    """The helpers called, in the order of the code."""
    names = {helper.value: helper.name for helper in Helper}
    return [names[one.immediate] for _, one in instructions(unit.code) if one.opcode == 0x85 and one.immediate in names]


def test_a_count_of_one_probe_is_one_lookup() -> None:
    d = Builder()
    d.clause(calls(1)[0], d.aggregate(d.aggregation(AggFunction.COUNT)))
    unit = unit_of(d)
    assert helpers(unit) == ["MAP_LOOKUP"]
    assert len(instructions(unit.code)) <= 34


def test_a_count_by_name_and_probe_reads_each_once() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.COUNT, [field_type(String(16)), INTERNED])
    d.clause(calls(350), d.aggregate(a, string_call("comm", size=16), probe_name(Component.FUNCTION)))
    unit = unit_of(d)
    # The second lookup and the update are the way of a new key.
    assert helpers(unit) == ["COMM", "MAP_LOOKUP", "MAP_UPDATE", "MAP_LOOKUP"]
    assert len(instructions(unit.code)) <= 72


def test_a_printf_is_one_output_and_no_wait() -> None:
    d = Builder()
    ids = call("pid_tgid", type_=UINT64)
    pid, tid = op(">>", ids, number(32, UINT64)), op("&", ids, number(0xFFFFFFFF, UINT64))
    d.clause(calls(1)[0], d.printf("%d %d %s\n", pid, tid, string_call("comm", size=16)))
    unit = unit_of(d)
    assert helpers(unit) == ["PID_TGID", "COMM", "CPU", "RINGBUF_QUERY", "RINGBUF_OUTPUT"]
    assert len(instructions(unit.code)) <= 64


def test_what_is_the_same_in_a_firing_is_asked_once() -> None:
    d = Builder()
    ids = call("pid_tgid", type_=UINT64)
    (probe,) = calls(1)
    for i in range(5):
        limit = number(i, UINT64)
        d.clause(probe, d.printf("%d", op("+", ids, limit)), when=compare(">", ids, limit))
    names = helpers(unit_of(d))
    assert names.count("PID_TGID") == 1
    assert names.count("RINGBUF_OUTPUT") == 5


def test_a_short_literal_is_compared_without_a_loop_or_a_copy() -> None:
    d = Builder()
    d.clause(END, d.printf("%d", compare("==", string_call("comm", size=16), text("dd"))))
    unit = unit_of(d)
    assert helpers(unit) == ["COMM", "CPU", "RINGBUF_QUERY", "RINGBUF_OUTPUT"]
    assert not any(relocation.kind == "may_goto" for relocation in unit.relocations)


def test_every_clause_adds_a_bounded_amount_of_code() -> None:
    def size(clauses: int) -> int:
        d = Builder()
        for i in range(clauses):
            d.clause(END, d.printf("%d %s", number(i), string_call("comm", size=16)))
        return len(instructions(unit_of(d).code))

    assert (size(40) - size(20)) / 20 <= 60


def test_string_functions_are_loops_and_not_unrolled() -> None:
    """Code does not grow with strsize."""

    def size(strsize: int) -> int:
        d = Builder(strsize=strsize)
        v = d.unknown(b"a/b", String(strsize))
        path = string_call("strjoin", string_call("basename", v, size=strsize), text("x"), size=strsize)
        position = call("index", path, v, number(0))
        d.clause(END, d.printf("%d %s", position, string_call("toupper", path, size=strsize)))
        return len(instructions(next(unit for unit in plan_of(d).units if unit.name == "END").code))

    assert size(1024) <= size(64) + 8 <= 700


def test_relocations_name_maps_by_kind() -> None:
    d = Builder()
    a = d.variable("a", INT, keys=(INT,))
    d.clause(BEGIN, assign(ref(a, number(1, INT)), number(2, INT)), d.printf("x"))
    plan = plan_of(d)
    kinds = [map_plan.kind for map_plan in plan.maps]
    assert kinds.count(MapKind.GLOBALS) == kinds.count(MapKind.RING) == kinds.count(MapKind.VARIABLE) == 1
    for relocation in plan.units[0].relocations:
        is_data = kinds[relocation.value] in (MapKind.GLOBALS, MapKind.RODATA)
        assert relocation.kind == ("map_value" if is_data else "map")
        assert decode(plan.units[0].code, relocation.at).opcode == 0x18
        assert is_data or relocation.offset == 0
        assert relocation.offset < max(plan.globals_size, len(plan.rodata)) + 1


def test_a_shared_program_asks_for_its_cookie() -> None:
    d = Builder()
    points = [Tracepoint("g", f"e{i}") for i in range(3)]
    probes = [Probe("sdt", "g", "", p.name, p, Context(p.name)) for p in points]
    d.clause(probes, d.printf("%s", probe_name(Component.NAME)))
    unit = unit_of(d)
    assert [relocation.kind for relocation in unit.relocations].count("cookie") == 1
    assert [(a.point, a.probe) for a in unit.attachments] == [(p, i) for i, p in enumerate(points, 1)]


def loop(d: Builder) -> None:
    i = ref(d.variable("i", INT64, Scope.CLAUSE))
    body = Block((If(compare("==", i, number(3)), d.printf("%d", i), None),))
    d.clause(END, Loop(compare("<", i, number(10)), body, update("+", i, number(1)), SPAN))


def test_a_loop_has_one_may_goto_where_the_kernel_has_it() -> None:
    d = Builder()
    loop(d)
    assert [r.kind for r in plan_of(d).units[0].relocations].count("may_goto") == 1
    e = Builder()
    loop(e)
    assert "may_goto" not in [r.kind for r in plan_of(e, has_may_goto=False).units[0].relocations]


def test_begin_comes_first_and_end_last() -> None:
    d = Builder()
    for probe in (END, calls(1)[0], BEGIN):
        d.clause(probe, d.printf("x"))
    assert [unit.name for unit in plan_of(d).units] == ["BEGIN", "sys_enter", "END"]


def test_no_more_stack_than_the_kernel_has() -> None:
    d = Builder()
    big = [ref(d.variable(f"s{i}", String(64), Scope.CLAUSE)) for i in range(20)]
    small = [ref(d.variable(f"v{i}", INT64, Scope.CLAUSE)) for i in range(60)]
    d.clause(END, *(assign(v, call("pid_tgid")) for v in small), *(assign(s, text("value")) for s in big))
    d.clause(END, d.printf("%d" * 60 + "%s" * 20, *small, *big))
    unit = unit_of(d)
    offsets = [int(n) for n in re.findall(r"r10 -(\d+)\)", disassemble(unit))]
    assert max(offsets, default=0) <= 512


def test_scratch_memory_is_used_again_by_the_next_statement() -> None:
    def scratch(count: int) -> int:
        d = Builder()
        v = d.unknown(b"a", String(256))
        for _ in range(count):
            d.clause(END, d.printf("%d", call("strlen", string_call("strjoin", v, v))))
        return next(p.value_size for p in plan_of(d).maps if p.kind is MapKind.SCRATCH and p.name == "s_END")

    assert scratch(50) == scratch(1)


def test_scratch_memory_beyond_the_kernels_per_cpu_limit_is_an_array_by_cpu() -> None:
    d = Builder(strsize=16384)
    v = d.unknown(b"a", String(16384))
    d.clause(END, d.printf("%s", string_call("strjoin", v, v, size=16384)))
    (plan,) = [p for p in plan_of(d).maps if p.kind is MapKind.SCRATCH and p.value_size > 32768]
    assert (plan.bpf_type, plan.max_entries) == (2, 2)


def test_btf_tracepoints_read_their_arguments_without_a_helper() -> None:
    d = Builder()
    probe = Probe("x", "", "", "e", BtfTracepoint("sys_enter", 1), Context("x"))
    d.clause(probe, d.aggregate(d.aggregation(AggFunction.SUM), value=ContextWord(1, LONG, SPAN)))
    assert helpers(unit_of(d)) == ["MAP_LOOKUP"]


def test_the_same_program_makes_the_same_plan() -> None:
    """The cache relies on it."""

    def made() -> Plan:
        d = Builder()
        d.clause(calls(10), d.printf("%s %d", probe_name(Component.FUNCTION), call("cpu")))
        return plan_of(d)

    assert made() == made()


@pytest.mark.parametrize("name", ["a b", "été", "x-y", ""])
def test_names_of_probes_do_not_reach_the_code(name: str) -> None:
    d = Builder()
    d.clause(Probe("x", "", "", name, RawTracepoint(name), Context("x")), d.printf("%s", probe_name(Component.NAME)))
    plan = plan_of(d)
    assert name.encode() in plan.strings
    assert re.fullmatch(r"\w*", plan.units[0].name, re.ASCII)
