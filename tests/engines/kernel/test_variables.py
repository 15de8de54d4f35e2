"""Variables of every scope, and associative arrays, in the kernel engine."""

from __future__ import annotations

import ctypes
import os
import struct
import threading

import pytest

from invivo.engines.kernel.engine import KernelEngine
from invivo.program.clauses import Probe
from invivo.program.nodes import Expr, InlineCall, Scope, Update
from invivo.program.plan import MapKind
from invivo.program.shared import Globals
from invivo.program.types import INT, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, Pointer, String, Type
from tests.engines.build import (
    BEGIN,
    END,
    SPAN,
    Builder,
    assign,
    call,
    catalog,
    compare,
    number,
    op,
    ref,
    results,
    text,
    update,
)

pytestmark = pytest.mark.kernel

WIDTHS: list[Type] = [INT8, UINT8, INT16, UINT16, INT32, UINT32, INT64, UINT64]


def getppid_entry() -> Probe:
    from invivo.program.sources import ProbePattern

    (probe,) = catalog().match(ProbePattern("syscall", "", "getppid", "entry"))
    return probe


def test_globals_start_at_zero_and_keep_their_width() -> None:
    d = Builder()
    zero = [ref(d.variable(f"z{i}", t)) for i, t in enumerate(WIDTHS)]
    empty = ref(d.variable("empty", String(64)))
    ones = [d.unknown(-1, t) for t in WIDTHS]
    assert results(d, *zero, empty, *ones) == [0] * 8 + [""] + [-1, 255, -1, 65535, -1, 2**32 - 1, -1, 2**64 - 1]


def test_neighbouring_globals_do_not_touch() -> None:
    d = Builder()
    variables = [ref(d.variable(f"n{i}", t)) for i, t in enumerate([UINT8, UINT8, UINT16, UINT8, UINT32, UINT8])]
    d.clause(BEGIN, *(assign(v, number(-1 if i % 2 else 0, v.type)) for i, v in enumerate(variables)))
    d.clause(END, d.printf("%d %d %d %d %d %d", *variables))
    assert d.run().values == [(0, 255, 0, 255, 0, 255)]


@pytest.mark.parametrize("scope", [Scope.GLOBAL, Scope.THREAD, Scope.CLAUSE])
def test_updates_yield_the_new_value_or_the_old(scope: Scope) -> None:
    d = Builder()
    statements, shown = [], []
    for type_, expected in ((INT8, -128), (UINT8, 128), (INT32, 128), (INT64, 128)):
        v = ref(d.variable(f"v{len(shown)}", type_, scope))
        statements.append(assign(v, number(127, type_)))
        shown.append((v, expected))
    for v, expected in shown:
        statements.append(d.printf("%d %d", update("+", v, number(1, v.type), is_postfix=True), v))
        statements.append(d.printf("%d %d", update("-", v, number(1, v.type)), number(expected)))
    d.clause(END, *statements)
    rows = d.run().values
    assert rows[0::2] == [(127, expected) for _, expected in shown]
    assert rows[1::2] == [(127, expected) for _, expected in shown]


def test_compound_assignments() -> None:
    d = Builder()
    cases = [("*", 6, 7, 42), ("/", 42, 5, 8), ("%", 42, 5, 2), ("<<", 3, 4, 48), (">>", -16, 2, -4), ("&", 12, 10, 8),
             ("|", 12, 10, 14), ("^", 12, 10, 6)]  # fmt: skip
    for scope in (Scope.GLOBAL, Scope.THREAD, Scope.CLAUSE):
        for operator, start, amount, _ in cases:
            v = ref(d.variable("v", INT, scope))
            d.clause(END, assign(v, number(start, INT)), update(operator, v, number(amount, INT)), d.printf("%d", v))
    assert [row[0] for row in d.run().values] == [case[3] for case in cases] * 3


def test_a_wide_amount_in_a_narrow_variable() -> None:
    d = Builder()
    v = ref(d.variable("v", UINT8))
    total = Update("+", v, number(1000, INT64), False, UINT8, SPAN)
    assert results(d, total, v) == [232, 232]


def test_clause_locals_live_for_one_firing_and_are_shared_by_its_clauses() -> None:
    d = Builder()
    x, s = ref(d.variable("x", INT, Scope.CLAUSE)), ref(d.variable("s", String(64), Scope.CLAUSE))
    d.clause((BEGIN, END), d.printf("%d %s|", x, s), assign(x, number(5, INT)), assign(s, text("set")))
    d.clause((BEGIN, END), update("+", x, number(1, INT)), d.printf("%d %s|", x, s))
    assert d.run().text == "0 |6 set|" * 2


def test_many_clause_locals() -> None:
    d = Builder()
    variables = [ref(d.variable(f"x{i}", INT64, Scope.CLAUSE)) for i in range(100)]
    d.clause(END, *(assign(v, op("+", call("pid_tgid"), number(i))) for i, v in enumerate(variables)))
    total: Expr = number(0)
    for v in variables:
        total = op("+", total, op("-", v, call("pid_tgid")))
    d.clause(END, d.printf("%d", total))
    assert d.run().text == "4950"


def test_thread_variables_are_the_threads_own() -> None:
    libc = ctypes.CDLL(None)
    d = Builder()
    probe = getppid_entry()
    mine = compare("==", op(">>", call("pid_tgid"), number(32)), number(os.getpid()))
    v = ref(d.variable("v", INT, Scope.THREAD))
    s = ref(d.variable("s", String(32), Scope.THREAD))
    shown = d.printf("%d %d %s\n", call("pid_tgid"), v, s)
    d.clause(probe, update("+", v, number(1, INT)), shown, assign(s, text("seen")), when=mine)

    def three() -> None:
        for _ in range(3):
            libc.getppid()

    def events() -> None:
        threads = [threading.Thread(target=three) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    seen: dict[object, list[tuple[object, object]]] = {}
    for thread, count, label in d.run(events).values:
        seen.setdefault(thread, []).append((count, label))
    assert list(seen.values()) == [[(1, ""), (2, "seen"), (3, "seen")]] * 4


def test_an_associative_array_with_mixed_keys() -> None:
    d = Builder()
    kind = (INT8, String(256), UINT64, INT)
    a = d.variable("a", INT64, keys=kind)
    same = (number(-1, INT8), text("key"), number(1 << 63, UINT64), number(7, INT))
    computed = (d.unknown(-1, INT8), d.unknown(b"key", String(256)), d.unknown(1 << 63, UINT64), d.unknown(7, INT))
    other = (number(1, INT8), text("key"), number(1 << 63, UINT64), number(7, INT))
    d.clause(END, assign(ref(a, *same), number(42)))
    d.clause(END, d.printf("%d %d %d", ref(a, *same), ref(a, *computed), ref(a, *other)))
    d.clause(END, update("+", ref(a, *computed), number(1)), d.printf("%d %d %d", *(ref(a, *same),) * 3))
    assert d.run().values == [(42, 42, 0), (43, 43, 43)]


def test_what_lay_behind_a_shorter_string_is_no_part_of_the_key() -> None:
    d = Builder()
    a = d.variable("a", INT, keys=(String(64),))
    v = ref(d.variable("v", String(64)))
    d.clause(BEGIN, assign(v, text("a long string before")), assign(ref(a, text("ab")), number(1, INT)))
    d.clause(END, assign(v, text("ab")), d.printf("%d %d", ref(a, v), ref(a, call_join(text("a"), text("b")))))
    assert d.run().values == [(1, 1)]


def call_join(left: Expr, right: Expr) -> Expr:
    from tests.engines.build import string_call

    return string_call("strjoin", left, right, size=64)


def test_arrays_of_strings() -> None:
    d = Builder()
    a = d.variable("a", String(64), keys=(INT,))
    one, two = ref(a, number(1, INT)), ref(a, number(2, INT))
    d.clause(BEGIN, assign(one, text("first")), assign(two, one), assign(one, text("1st")))
    d.clause(END, d.printf("%s %s [%s]", one, two, ref(a, number(3, INT))))
    assert d.run().text == "1st first []"


def entries(engine: KernelEngine) -> int:
    index = next(i for i, plan in enumerate(engine.plan.maps) if plan.kind is MapKind.VARIABLE)
    return len(engine._maps[index].items())


def test_assigning_zero_deletes_the_element() -> None:
    d = Builder()
    a = d.variable("a", INT, keys=(INT,))
    d.clause(BEGIN, *(assign(ref(a, number(i, INT)), number(i, INT)) for i in range(5)))  # 0 is never made
    d.clause(BEGIN, update("-", ref(a, number(4, INT)), number(4, INT)))
    with d.start() as running:
        assert entries(running.engine) == 3
    e = Builder()
    a = e.variable("a", INT, keys=(INT,))
    e.clause(BEGIN, *(assign(ref(a, number(i, INT)), number(1, INT)) for i in range(5)))
    e.clause(BEGIN, *(assign(ref(a, number(i, INT)), e.unknown(0, INT)) for i in range(5)))
    with e.start() as running:
        assert entries(running.engine) == 0


def test_a_full_array_counts_what_it_could_not_keep() -> None:
    d = Builder(dynvarsize=1024)  # 64 elements at least
    a = d.variable("a", INT, keys=(INT,))
    for start in range(0, 100, 20):
        d.clause(BEGIN, *(assign(ref(a, number(i, INT)), number(1, INT)) for i in range(start, start + 20)))
    with d.start() as running:
        kept = entries(running.engine)
    assert kept == 64
    assert [(drop.count) for drop in running.drops] == [36]


def test_atomic_updates_from_two_threads_are_exact() -> None:
    libc = ctypes.CDLL(None)
    probe = getppid_entry()
    mine = compare("==", op(">>", call("pid_tgid"), number(32)), number(os.getpid()))
    d = Builder()
    n, a = ref(d.variable("n", INT)), ref(d.variable("a", INT64, keys=(INT,)), number(1, INT))
    d.clause(probe, update("+", n, number(1, INT)), update("+", a, number(2)), when=mine)
    d.clause(END, d.printf("%d %d", n, a))

    def storm() -> None:
        for _ in range(20000):
            libc.getppid()

    def events() -> None:
        threads = [threading.Thread(target=storm) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert d.run(events).values == [(60000, 120000)]


def test_an_inlined_function_with_locals() -> None:
    from invivo.program.statements import Block, If, Return

    d = Builder()
    x = d.variable("x", INT, Scope.LOCAL)
    y = d.variable("y", INT, Scope.LOCAL)
    body = Block((
        If(compare("<", ref(x), number(0, INT)), Block((Return(op("-", number(0, INT), ref(x)), SPAN),)), None),
        assign(ref(y), op("+", ref(y), ref(x))),  # y is new, so 0, at each call
        Return(ref(y), SPAN),
    ))  # fmt: skip
    calls = [InlineCall(((x, d.unknown(v, INT)),), body, INT, SPAN) for v in (-5, 5, 7)]
    assert results(d, *calls, op("+", calls[0], calls[2])) == [5, 5, 7, 12]


def test_an_inlined_function_that_returns_a_string() -> None:
    from invivo.program.statements import Block, If, Return

    d = Builder()
    s = d.variable("s", String(64), Scope.LOCAL)
    body = Block((
        If(compare("==", ref(s), text("a")), Block((Return(text("was a"), SPAN),)), None),
        Return(call_join(text("not "), ref(s)), SPAN),
    ))  # fmt: skip
    calls = [InlineCall(((s, d.unknown(v, String(64))),), body, String(64), SPAN) for v in (b"a", b"b")]
    assert results(d, *calls) == ["was a", "not b"]


def test_pointers_are_kept_whole() -> None:
    d = Builder()
    v = d.unknown(0xFFFF_8880_0000_1234, Pointer(INT))
    assert results(d, v) == [0xFFFF_8880_0000_1234]


def test_runtime_constants_come_from_the_session() -> None:
    from invivo.program.nodes import RuntimeConstant

    d = Builder()
    values = [RuntimeConstant(offset, INT64, SPAN) for offset in (Globals.TRACER_PID, Globals.TARGET)]
    assert results(d, *values) == [os.getpid(), 0]
    assert struct.calcsize("q") == 8
