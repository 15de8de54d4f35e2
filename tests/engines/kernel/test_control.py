"""Control flow in the kernel engine: loops, conditions, exit(), several clauses on one probe, predicates."""

from __future__ import annotations

import pytest

from invivo.program.nodes import Comma, Conditional, InlineCall, Logical, Scope
from invivo.program.plan import FaultKind
from invivo.program.records import AggFunction
from invivo.program.statements import Block, Break, Continue, Exit, If, Loop, Return
from invivo.program.types import INT, INT64, String
from tests.engines.build import (
    BEGIN,
    END,
    ERROR,
    SPAN,
    Builder,
    assign,
    compare,
    number,
    op,
    ref,
    results,
    string_call,
    tick,
    update,
)

pytestmark = pytest.mark.kernel

SCOPES = [Scope.GLOBAL, Scope.CLAUSE, Scope.THREAD]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("count", [0, 1, 10, 5000])
def test_a_loop_runs_as_often_as_it_says(scope: Scope, count: int) -> None:
    d = Builder()
    i, total = ref(d.variable("i", INT64, scope)), ref(d.variable("total", INT64, scope))
    body = Block((assign(total, op("+", total, i)),))
    loop = Loop(compare("<", i, number(count)), body, update("+", i, number(1)), SPAN)
    d.clause(END, assign(i, number(0)), assign(total, number(0)), loop, d.printf("%d %d", i, total))
    assert d.run().values == [(count, count * (count - 1) // 2)]


@pytest.mark.parametrize("scope", SCOPES)
def test_nested_loops(scope: Scope) -> None:
    """60 x 60 x 10 rounds."""
    d = Builder()
    i, j, k, n = (ref(d.variable(name, INT, scope)) for name in "ijkn")

    def loop(v: object, limit: int, *body: object) -> Block:
        return Block((
            assign(v, number(0, INT)),  # type: ignore[arg-type]
            Loop(compare("<", v, number(limit, INT)), Block(body), update("+", v, number(1, INT)), SPAN),  # type: ignore[arg-type]
        ))  # fmt: skip

    d.clause(END, loop(i, 60, loop(j, 60, loop(k, 10, assign(n, op("+", n, number(1, INT)))))), d.printf("%d", n))
    assert d.run().text == "36000"


def test_break_and_continue() -> None:
    d = Builder()
    i, n = ref(d.variable("i", INT, Scope.CLAUSE)), ref(d.variable("n", INT, Scope.CLAUSE))
    is_odd = op("&", i, number(1, INT))
    body = Block((
        If(is_odd, Block((Continue(SPAN),)), None),
        If(compare(">", i, number(10, INT)), Block((Break(SPAN),)), None),
        assign(n, op("+", n, i)),
    ))  # fmt: skip
    d.clause(END, Loop(None, body, update("+", i, number(1, INT)), SPAN), d.printf("%d %d", i, n))
    assert d.run().values == [(12, 2 + 4 + 6 + 8 + 10)]


def test_a_loop_without_end_is_a_fault() -> None:
    d = Builder(maxloop=1000)
    n = ref(d.variable("n", INT))
    body = Block((assign(n, op("+", n, number(1, INT))),))
    d.clause(END, Loop(None, body, None, SPAN), d.printf("never"))
    d.clause(END, d.printf("%d", n))
    running = d.run()
    assert running.text == "1000"
    assert [(fault.kind, fault.value) for fault in running.faults] == [(FaultKind.LOOP, 1001)]


def test_an_empty_loop_without_end_is_a_fault() -> None:
    d = Builder()
    d.clause(END, Loop(None, Block(()), None, SPAN), d.printf("never"))
    d.clause(ERROR, d.printf("error "))
    d.clause(END, d.printf("on"))
    running = d.run()
    assert running.text == "error on"
    assert [fault.kind for fault in running.faults] == [FaultKind.LOOP]


def test_strings_and_aggregations_in_a_loop() -> None:
    d = Builder()
    a = d.aggregation(AggFunction.COUNT, [])
    i = ref(d.variable("i", INT64, Scope.CLAUSE))
    s = ref(d.variable("s", String(256), Scope.CLAUSE))
    digit = string_call("lltostr", op("%", i, number(10)), size=24)
    body = Block((assign(s, string_call("strjoin", s, digit)), d.aggregate(a)))
    d.clause(END, Loop(compare("<", i, number(300)), body, update("+", i, number(1)), SPAN), d.printf("%s", s))
    running = d.run()
    assert running.text == ("0123456789" * 30)[:255]
    assert running.aggregations[""][()] == 300


def test_records_in_a_loop() -> None:
    d = Builder()
    i = ref(d.variable("i", INT64, Scope.CLAUSE))
    body = d.printf("%d,", i)
    d.clause(END, Loop(compare("<", i, number(100)), body, update("+", i, number(1)), SPAN))
    assert d.run().text == "".join(f"{n}," for n in range(100))


def test_a_loop_in_an_inlined_function_in_a_loop() -> None:
    """The sum of i * i, multiplied by adding."""
    d = Builder()
    x, j, product = (d.variable(name, INT64, Scope.LOCAL) for name in ("x", "j", "product"))
    inner = Loop(compare("<", ref(j), ref(x)), Block((assign(ref(product), op("+", ref(product), ref(x))),)),
                 update("+", ref(j), number(1)), SPAN)  # fmt: skip
    square_body = Block((inner, Return(ref(product), SPAN)))
    i, total = ref(d.variable("i", INT64, Scope.CLAUSE)), ref(d.variable("total", INT64, Scope.CLAUSE))
    square = InlineCall(((x, i),), square_body, INT64, SPAN)
    body = Block((assign(total, op("+", total, square)),))
    d.clause(END, Loop(compare("<", i, number(20)), body, update("+", i, number(1)), SPAN), d.printf("%d", total))
    assert d.run().text == str(sum(n * n for n in range(20)))


def test_if_and_else() -> None:
    d = Builder()
    for value in (0, 1, -1):
        v = d.unknown(value, INT)
        d.clause(END, If(v, d.printf("yes "), d.printf("no ")), If(v, d.printf("again "), None), d.printf("done\n"))
    assert d.run().text == "no done\nyes again done\nyes again done\n"


def test_logical_operators_evaluate_no_more_than_they_need() -> None:
    d = Builder()
    n = ref(d.variable("n", INT))
    one, zero = d.unknown(1, INT), d.unknown(0, INT)
    count = update("+", n, number(1, INT))
    rows = [("&&", one, 1, 1), ("&&", zero, 0, 0), ("||", one, 1, 0), ("||", zero, 1, 1), ("^^", one, 0, 1)]
    for operator, left, _, _ in rows:
        both = Logical(operator, left, count, INT, SPAN)
        d.clause(END, assign(n, number(0, INT)), d.printf("%d", both), d.printf("%d", n))
    found = [value for (value,) in d.run().values]
    assert list(zip(found[::2], found[1::2], strict=True)) == [row[2:] for row in rows]


def test_conditional_evaluates_one_branch() -> None:
    d = Builder()
    n = ref(d.variable("n", INT))
    chosen = Conditional(d.unknown(0, INT), op("/", number(1, INT), d.unknown(0, INT)), number(7, INT), INT, SPAN)
    both = Comma(update("+", n, number(3, INT)), op("*", n, number(2, INT)), INT, SPAN)
    assert results(d, chosen, both) == [7, 6]


def test_predicates() -> None:
    d = Builder()
    for value in (0, 1, 2):
        v = d.unknown(value, INT)
        d.clause(END, d.printf(f"{value}"), when=compare("!=", v, number(1, INT)))
    assert d.run().text == "02"


def test_exit_ends_all_but_end() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("a"), Exit(number(3, INT), SPAN), d.printf("b"))
    d.clause(BEGIN, d.printf("c"))
    d.clause(END, d.printf("d"))
    d.clause(END, d.printf("e"))
    running = d.run()
    assert running.text == "abde"
    assert running.exit_code == 3


def test_the_first_exit_says_the_code_and_end_may_say_another() -> None:
    d = Builder()
    d.clause(tick(1_000_000), Exit(number(4, INT), SPAN))
    d.clause(tick(1_000_000), Exit(number(5, INT), SPAN))

    def events() -> None:
        for timer in running.engine.timers:
            timer.program.test_run()

    with d.start() as running:
        events()
    assert running.exit_code == 4
    e = Builder()
    e.clause(BEGIN, Exit(number(4, INT), SPAN))
    e.clause(END, Exit(number(-1, INT), SPAN))
    assert e.run().exit_code == -1


def test_exit_in_an_error_clause() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%d", op("/", number(1, INT), d.unknown(0, INT))))
    d.clause(ERROR, d.printf("error"), Exit(number(2, INT), SPAN))
    d.clause(BEGIN, d.printf("never"))
    running = d.run()
    assert running.text == "error"
    assert running.exit_code == 2


def test_return_ends_the_clause() -> None:
    d = Builder()
    d.clause(END, d.printf("1"), If(d.unknown(1, INT), Block((Return(None, SPAN),)), None), d.printf("2"))
    d.clause(END, d.printf("3"))
    assert d.run().text == "13"
