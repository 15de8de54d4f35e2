"""Whole programs on the reference engine: firings, variables, faults, loops, records, aggregations."""

from __future__ import annotations

import struct

from invivo.engines.reference import ReferenceEngine, SyntheticWorld
from invivo.program.attach import RawTracepoint, Tracepoint
from invivo.program.clauses import Context, Probe, Selector
from invivo.program.layout import field_type
from invivo.program.nodes import (
    Component,
    ContextAddress,
    ContextBytes,
    ContextWord,
    Expr,
    FaultInfo,
    InlineCall,
    IntLit,
    Load,
    Memory,
    ProbeId,
    RuntimeConstant,
    Scope,
    VarRef,
)
from invivo.program.plan import FaultKind
from invivo.program.records import LAYOUT_EXIT, AggFunction
from invivo.program.shared import Globals
from invivo.program.statements import Block, Break, Continue, Exit, ExprStmt, If, Loop, Return
from invivo.program.types import CHAR, INT, INT8, INT64, UINT, UINT64, Array, Member, Pointer, Space, String, Struct
from invivo.source import Span
from tests.engines.build import (
    BEGIN,
    END,
    ERROR,
    INTERNED,
    SPAN,
    Builder,
    assign,
    compare,
    number,
    op,
    probe_name,
    ref,
    text,
    update,
)
from tests.unit.reference.run import run

ENTER = RawTracepoint("sys_enter")
RAW = Context("syscall")
BAD = op("/", number(1), number(0))


def _number_of_call(span: Span) -> Expr:
    return ContextWord(1, INT64, span)


def syscall(name: str, value: int) -> Probe:
    return Probe("syscall", "vmlinux", name, "entry", ENTER, RAW, Selector(_number_of_call, value))


# --- who fires --------------------------------------------------------------------------------------------------------


def test_the_selector_tells_probes_of_one_place_apart() -> None:
    read, write = syscall("read", 0), syscall("write", 1)
    d = Builder()
    d.clause([read, write], d.printf("%s %d;", probe_name(Component.FUNCTION), ProbeId(UINT, SPAN)))
    d.clause(write, d.printf("W;"))
    world = SyntheticWorld(words=(0, 0))
    program = d.program()
    engine = ReferenceEngine(program, world, lambda *_: None)
    assert engine.points == (ENTER,)
    with_words = [SyntheticWorld(words=(0, n)) for n in (0, 1, 2)]
    frames: list[bytes] = []
    engine.fire(ENTER)  # before enable() nothing fires
    engine.enable()
    for each in with_words:
        engine.fire(ENTER, each)
        engine.read(lambda data: frames.append(bytes(data)))
    # Frame: length, page offset; layout, cpu, probe; then number of the name, id. write's second record has no field.
    assert frames[0] == struct.pack("<II HHI II", 16, 0, 0, 0, 1, 0, 1)
    assert frames[1] == struct.pack("<II HHI II II HHI", 16, 0, 0, 0, 2, 1, 2, 8, 0, 1, 0, 2)
    assert len(frames) == 2
    assert engine.plan.strings[:2] == [b"read", b"write"]


def test_a_probe_may_be_fired_by_itself() -> None:
    d = Builder()
    read, write = syscall("read", 0), syscall("write", 1)
    d.clause([read, write], d.printf("%d", ProbeId(UINT, SPAN)))
    engine = ReferenceEngine(d.program(), SyntheticWorld(), lambda *_: None)
    engine.enable()
    engine.fire_probe(write)
    taken: list[bytes] = []
    assert engine.read(lambda data: taken.append(bytes(data))) == 24
    assert taken[0][12:16] == struct.pack("<I", 2)


def test_one_clause_at_many_tracepoints_knows_which_fired() -> None:
    probes = [Probe("sdt", "sched", "", name, Tracepoint("sched", name), Context("sdt")) for name in ("a", "b")]
    d = Builder()
    d.clause(probes, d.printf("%s;", probe_name(Component.NAME)))
    ran = run(d, fire=[Tracepoint("sched", "b"), Tracepoint("sched", "a"), Tracepoint("sched", "c")])
    assert ran.text == "b;a;"


def test_guards_and_predicates_keep_clauses_from_running() -> None:
    guarded = Probe(
        "proc", "", "", "create", ENTER, RAW, guard=lambda span: ContextWord(0, INT64, span)
    )
    d = Builder()
    d.clause(guarded, d.printf("a"), when=compare("==", ContextWord(1, INT64, SPAN), number(5)))
    d.clause(guarded, d.printf("b"))
    for words, expected in (((0, 5), ""), ((1, 5), "ab"), ((1, 4), "b")):
        assert run(d, SyntheticWorld(words=words), [ENTER]).text == expected


def test_exit_stops_all_but_end() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("1"), Exit(number(3, INT), SPAN), d.printf("2"))
    d.clause(BEGIN, d.printf("3"))
    d.clause(END, d.printf("4"))
    ran = run(d)
    assert (ran.text, ran.exit_code) == ("124", 3)


def test_end_may_say_another_exit_code() -> None:
    d = Builder()
    d.clause(BEGIN, Exit(number(3, INT), SPAN), Exit(number(4, INT), SPAN))
    assert run(d).exit_code == 3
    d.clause(END, Exit(number(-1, INT), SPAN))
    assert run(d).exit_code == -1


def test_exit_wakes_the_consumer_with_a_record() -> None:
    d = Builder()
    d.clause(BEGIN, Exit(number(0, INT), SPAN))
    engine = ReferenceEngine(d.program(), SyntheticWorld(cpu=2), lambda *_: None)
    engine.begin()
    taken: list[bytes] = []
    engine.read(lambda data: taken.append(bytes(data)))
    assert taken == [struct.pack("<II HHI", 8, 0, LAYOUT_EXIT, 2, 1)]


# --- variables --------------------------------------------------------------------------------------------------------


def test_clause_variables_live_for_one_firing_of_all_its_clauses() -> None:
    d = Builder()
    x = d.variable("x", INT64, Scope.CLAUSE)
    s = d.variable("s", String(8), Scope.CLAUSE)
    probe = syscall("read", 0)
    d.clause(probe, assign(ref(x), op("+", ref(x), number(1))), assign(ref(s), text("set")))
    d.clause(probe, d.printf("%d %s;", ref(x), ref(s)))
    assert run(d, SyntheticWorld(words=(0, 0)), [ENTER, ENTER]).text == "1 set;1 set;"


def test_thread_variables_are_of_their_thread() -> None:
    d = Builder()
    x = d.variable("x", INT, Scope.THREAD)
    probe = syscall("read", 0)
    d.clause(probe, update("+", ref(x), number(1, INT)), d.printf("%d ", ref(x)))
    program = d.program()
    one, two = SyntheticWorld(tid=1, words=(0, 0)), SyntheticWorld(tid=2, words=(0, 0))
    with run(d) as ran:  # an empty run, whose engine goes on
        pass
    engine = ReferenceEngine(program, one, lambda *_: None)
    engine.enable()
    for world in (one, one, two, one):
        engine.fire(ENTER, world)
    taken: list[bytes] = []
    engine.read(lambda data: taken.append(bytes(data)))
    assert [struct.unpack_from("<i", taken[0], at + 16)[0] for at in range(0, len(taken[0]), 24)] == [1, 2, 1, 3]
    assert ran.text == ""


def test_the_variables_of_a_thread_end_with_it() -> None:
    d = Builder()
    x, a = d.variable("x", INT, Scope.THREAD), d.variable("a", INT, Scope.THREAD, (INT,))
    d.clause(syscall("read", 0), assign(ref(x), number(1, INT)), assign(ref(a, number(5, INT)), number(2, INT)))
    engine = ReferenceEngine(d.program(), SyntheticWorld(), lambda *_: None)
    engine.enable()
    for thread in (1, 2):
        engine.fire(ENTER, SyntheticWorld(tid=thread, words=(0, 0)))
    engine.thread_ended(1)
    assert (engine._compiler.hashes[x], engine._compiler.hashes[a]) == ({(2,): 1}, {(2, 5): 2})


def test_the_idle_threads_are_told_apart_by_cpu() -> None:
    d = Builder()
    x = d.variable("x", INT, Scope.THREAD)
    d.clause(syscall("read", 0), update("+", ref(x), number(1, INT)))
    engine = ReferenceEngine(d.program(), SyntheticWorld(), lambda *_: None)
    engine.enable()
    for cpu in (0, 1, 1):
        engine.fire(ENTER, SyntheticWorld(pid=0, tid=0, cpu=cpu, words=(0, 0)))
    assert engine._compiler.hashes[x] == {(1 << 32,): 1, (2 << 32,): 2}


def test_assigning_zero_deletes_the_element() -> None:
    d = Builder()
    a = d.variable("a", INT, keys=(INT, String(8)))
    d.clause(BEGIN, assign(ref(a, number(1, INT), text("k")), number(5, INT)))
    d.clause(BEGIN, assign(ref(a, number(2, INT), text("k")), number(7, INT)))
    d.clause(END, update("-", ref(a, number(1, INT), text("k")), number(5, INT)))
    ran = run(d)
    assert ran.engine._compiler.hashes[a] == {(2, b"k"): 7}


def test_a_narrow_variable_wraps_when_updated() -> None:
    d = Builder()
    x = d.variable("x", INT8)
    d.clause(BEGIN, assign(ref(x), number(127, INT8)))
    d.clause(BEGIN, d.printf("%d ", update("+", ref(x), number(1, INT), is_postfix=True)), d.printf("%d", ref(x)))
    assert run(d).text == "127 -128"


# --- functions and loops ----------------------------------------------------------------------------------------------


def test_locals_are_new_in_each_call() -> None:
    """f(n) = { total += n; return total }, total being local: f(2) + f(3) = 5, not 7."""
    d = Builder()
    n, total = d.variable("n", INT64, Scope.LOCAL), d.variable("total", INT64, Scope.LOCAL)

    def f(argument: int) -> Expr:
        body = Block((assign(ref(total), op("+", ref(total), ref(n))), Return(ref(total), SPAN)))
        return InlineCall(((n, number(argument)),), body, INT64, SPAN)

    d.clause(BEGIN, d.printf("%d", op("+", f(2), f(3))))
    assert run(d).text == "5"


def test_a_function_without_return_yields_zero() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%d", InlineCall((), Block(()), INT, SPAN)))
    assert run(d).text == "0"


def test_break_continue_and_return_in_loops() -> None:
    """for (i = 0; ; i++) { if (i == 2) continue; if (i == 5) break; printf } and a Return that ends the clause."""
    d = Builder()
    i = d.variable("i", INT64, Scope.CLAUSE)
    body = Block((
        If(compare("==", ref(i), number(2)), Block((Continue(SPAN),)), None),
        If(compare("==", ref(i), number(5)), Block((Break(SPAN),)), None),
        d.printf("%d", ref(i)),
    ))  # fmt: skip
    step = update("+", ref(i), number(1))
    d.clause(BEGIN, Loop(None, body, step, SPAN), d.printf("|"), Return(None, SPAN), d.printf("never"))
    d.clause(BEGIN, d.printf("%d", ref(i)))
    assert run(d).text == "0134|5"


def test_a_loop_runs_maxloop_times_and_no_more() -> None:
    d = Builder(maxloop=10)
    n = d.variable("n", INT64)
    body = Block((ExprStmt(update("+", ref(n), number(1))),))
    d.clause(BEGIN, Loop(compare("<", ref(n), number(10)), body, None, SPAN), d.printf("ended "))
    d.clause(BEGIN, Loop(None, body, None, SPAN), d.printf("never"))
    d.clause(BEGIN, d.printf("%d", ref(n)))
    ran = run(d)
    assert ran.text == "ended 20"
    assert [fault.kind for fault in ran.faults] == [FaultKind.LOOP]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_fault_ends_the_clause_and_error_sees_it() -> None:
    d = Builder()
    x = d.variable("x", INT64, Scope.CLAUSE)
    d.clause(BEGIN, assign(ref(x), number(5)), d.printf("a"), d.printf("%d", BAD), d.printf("never"))
    d.clause(BEGIN, d.printf("x=%d", ref(x)))
    info = [FaultInfo(index, INT64, SPAN) for index in (1, 4, 5)]
    d.clause(ERROR, assign(ref(x), op("+", ref(x), number(1))), d.printf("[%d %d %d]", *info))
    d.clause(ERROR, d.printf("<%d>", ref(x)))
    ran = run(d)
    # ERROR's firing has its own clause variables: its x is 1, and BEGIN's stays 5.
    assert ran.text == "a[1 4 0]<1>x=5"
    (fault,) = ran.faults
    assert (fault.kind, fault.probe_id, fault.site and fault.site.text) == (FaultKind.DIVZERO, 1, "the text")


def test_a_fault_in_error_is_counted() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%d", BAD))
    d.clause(ERROR, d.printf("%d", BAD))
    d.clause(ERROR, d.printf("on"))
    ran = run(d)
    assert ran.text == "on"
    assert [(drop.kind, drop.count) for drop in ran.drops] == [("error", 1)]


def test_a_fault_in_a_predicate_or_a_guard_is_a_fault() -> None:
    guarded = Probe("proc", "", "", "create", ENTER, RAW, guard=lambda span: BAD)
    d = Builder()
    d.clause(BEGIN, d.printf("never"), when=BAD)
    d.clause(guarded, d.printf("never"))
    ran = run(d, fire=[ENTER])
    assert ran.text == ""
    assert [fault.kind for fault in ran.faults] == [FaultKind.DIVZERO] * 2


# --- memory and context -----------------------------------------------------------------------------------------------


def test_loads_of_kernel_memory_and_bit_fields() -> None:
    """Bytes 0xF1 0x02: bits 4..10 are 1111 010 read from the low end: 0b0101111 = 47, as signed 7 bits 47."""
    world = SyntheticWorld(kernel={0xFFFF0000: bytes((0xF1, 0x02, 0xFF))})
    at = number(0xFFFF0000, UINT64)
    d = Builder()
    d.clause(
        BEGIN,
        d.printf(
            "%d %d %d %d",
            Load(at, Space.KERNEL, CHAR, SPAN),
            Load(at, Space.KERNEL, UINT, SPAN, (4, 7)),
            Load(at, Space.KERNEL, INT, SPAN, (4, 4)),
            Load(at, Space.KERNEL, UINT, SPAN, (9, 8)),
        ),
    )  # fmt: skip
    # 0xF1 is -15 as a char; the upper nibble 1111 is -1 signed; bits 9..16 of 0xFF02F1 are 1000 0001 = 0x81.
    assert run(d, world).text == "-15 47 -1 129"


def test_the_context_is_read_by_words_bytes_and_address() -> None:
    world = SyntheticWorld(words=(1, 2**64 - 1), record=struct.pack("<QiH", 0, -5, 65535))
    d = Builder()
    d.clause(
        syscall("any", -1),
        d.printf(
            "%d %d %d %x",
            ContextWord(0, INT64, SPAN),
            ContextBytes(8, INT, SPAN),
            ContextBytes(12, UINT, SPAN),
            Load(ContextAddress(12, Pointer(CHAR), SPAN), Space.KERNEL, CHAR, SPAN),
        ),
    )
    ran = run(d, world, [ENTER])
    assert ran.text == ""  # four bytes at 12 reach beyond the record of 14
    assert [fault.kind for fault in ran.faults] == [FaultKind.BADADDR]
    d = Builder()
    d.clause(syscall("any", -1), d.printf("%d %d", ContextWord(0, INT64, SPAN), ContextBytes(8, INT, SPAN)))
    assert run(d, world, [ENTER]).text == "1 -5"


def test_runtime_constants() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%d", RuntimeConstant(Globals.TARGET, INT, SPAN)))
    assert run(d, SyntheticWorld(target=4321)).text == "4321"


def test_structures_are_copied_into_records_and_keys() -> None:
    pair = Struct("struct", "pair", 4, lambda: (Member("a", CHAR, 0), Member("b", CHAR, 8)))
    world = SyntheticWorld(kernel={0x10: b"\1\2\3\4"})
    inner = Memory(number(0x10, UINT64), Space.KERNEL, pair, SPAN)
    d = Builder()
    counts = d.aggregation(AggFunction.COUNT, (field_type(Array(CHAR, 2)),), "n")
    two = Memory(number(0x12, UINT64), Space.KERNEL, Array(CHAR, 2), SPAN)
    d.clause(BEGIN, d.trace(inner), d.aggregate(counts, two))
    ran = run(d, world)
    assert ran.values == [(b"\1\2\3\4",)]
    assert dict(ran.aggregations["n"]) == {(b"\3\4",): 1}


# --- records and aggregations -----------------------------------------------------------------------------------------


def test_a_long_string_at_the_end_is_sent_up_to_its_nul() -> None:
    d = Builder()
    s = d.unknown(b"four", String(256))
    d.clause(BEGIN, d.printf("%s %d", s, number(1, INT8)))
    engine = ReferenceEngine(d.program(), SyntheticWorld(), lambda *_: None)
    engine.begin()
    taken: list[bytes] = []
    engine.read(lambda data: taken.append(bytes(data)))
    assert taken == [struct.pack("<II HHI b7x5s 3x", 21, 0, 0, 0, 1, 1, b"four\0")]


def test_literals_and_probe_names_in_keys_are_numbers() -> None:
    d = Builder()
    counts = d.aggregation(AggFunction.COUNT, (INTERNED, INTERNED), "n")
    d.clause(BEGIN, d.aggregate(counts, text("key"), probe_name(Component.NAME)))
    ran = run(d)
    assert dict(ran.aggregations["n"]) == {("key", "BEGIN"): 1}
    assert ran.plan.strings == [b"key", b"BEGIN"]


def test_every_aggregating_function_on_a_few_values() -> None:
    """The values are -3, 5, 8: by hand, mean 10/3 -> 3, squares 9 + 25 + 64 = 98 -> 32 - 9 = 23 -> isqrt 4."""
    d = Builder()
    functions = [AggFunction(name) for name in ("count", "sum", "min", "max", "avg", "stddev")]
    made = {f: d.aggregation(f, (), f.value) for f in functions}
    quantize = d.aggregation(AggFunction.QUANTIZE, (), "quantize")
    linear = d.aggregation(AggFunction.LQUANTIZE, (), "lquantize", (0, 8, 4))
    for value in (-3, 5, 8):
        d.clause(
            BEGIN,
            *(
                d.aggregate(agg, value=None if f is AggFunction.COUNT else number(value))
                for f, agg in made.items()
            ),
            d.aggregate(quantize, value=number(value), increment=number(2)),
            d.aggregate(linear, value=number(value)),
        )
    views = run(d).aggregations
    found = {f.value: views[f.value][()] for f in functions}
    assert found == {"count": 3, "sum": 10, "min": -3, "max": 8, "avg": 3, "stddev": 4}
    assert [(b.low, b.high, b.count) for b in views["quantize"][()]] == [(-3, -2, 2), (4, 7, 2), (8, 15, 2)]
    assert [(b.low, b.high, b.count) for b in views["lquantize"][()]] == [(None, -1, 1), (4, 7, 1), (8, None, 1)]


def test_an_unsigned_sample_counts_as_a_signed_one() -> None:
    d = Builder()
    least = d.aggregation(AggFunction.MIN, (), "min")
    d.clause(BEGIN, d.aggregate(least, value=number(2**64 - 1, UINT64)), d.aggregate(least, value=number(3, UINT64)))
    assert run(d).aggregations["min"][()] == -1


def test_a_sum_of_nothing_but_zero_is_a_zero() -> None:
    d = Builder()
    total = d.aggregation(AggFunction.SUM, (field_type(INT),), "s")
    d.clause(BEGIN, d.aggregate(total, number(1, INT), value=number(0)))
    assert dict(run(d).aggregations["s"]) == {(1,): 0}


def test_refreshing_counts_nothing_twice() -> None:
    merged: list[tuple[int, bytes, tuple[int, ...]]] = []
    d = Builder()
    counts = d.aggregation(AggFunction.COUNT, (field_type(INT),), "n")
    d.clause(BEGIN, d.aggregate(counts, number(7, INT)), d.aggregate(counts, number(7, INT)))
    engine = ReferenceEngine(d.program(), SyntheticWorld(), lambda a, k, w: merged.append((a, k, tuple(w))))
    engine.begin()
    engine.refresh()
    engine.refresh()
    # The key: a generation of 0, the int, padding.
    assert merged == [(1, struct.pack("<Qi4x", 0, 7), (2,))]


def test_values_of_locals_do_not_outlive_the_program() -> None:
    """A second engine of the same program begins anew."""
    d = Builder()
    x = d.variable("x", INT64)
    d.clause(BEGIN, update("+", ref(x), number(1)), d.printf("%d", VarRef(x, INT64, SPAN)))
    assert run(d).text == run(d).text == "1"


def test_int_literals_are_wrapped_to_their_type() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%d", IntLit(255, INT8, SPAN)))
    assert run(d).text == "-1"
