"""Clauses grouped into units: which probes share a program, in which order they fire, who is told apart how."""

from __future__ import annotations

from invivo.program.attach import AttachPoint, Moment, Once, PerfClock, RawTracepoint, Timer, Tracepoint, Uprobe
from invivo.program.clauses import Clause, Context, Probe, Reads, Selector
from invivo.program.nodes import Call, ContextBytes, ContextWord, Expr, Load
from invivo.program.passes.units import Firing, Selection, Unit, group_units
from invivo.program.types import LONG, Space
from tests.engines.build import BEGIN, END, SPAN, Builder, number

CONTEXT = Context("x")
ENTER = RawTracepoint("sys_enter")


def key(span: object) -> ContextWord:
    return ContextWord(1, LONG, SPAN)


def probe(point: AttachPoint, name: str = "p", value: int | None = None) -> Probe:
    return Probe("x", "", "", name, point, CONTEXT, None if value is None else Selector(key, value))


def group(*clauses: list[Probe]) -> tuple[tuple[Clause, ...], tuple[Unit, ...]]:
    d = Builder()
    for probes in clauses:
        d.clause(probes, number(1))
    return tuple(d.clauses), group_units(d.program())


def test_two_clauses_of_one_probe_are_one_firing_in_the_order_of_the_text() -> None:
    one = probe(ENTER)
    clauses, (unit,) = group([one], [one])
    (firing,) = unit.steps
    assert isinstance(firing, Firing)
    assert firing.clauses == clauses
    assert not unit.is_shared


def test_selected_probes_share_a_program_and_those_with_the_same_clauses_a_firing() -> None:
    calls = [probe(ENTER, f"c{i}", i) for i in range(5)]
    clauses, (unit,) = group(calls, [calls[3]])
    (selection,) = unit.steps
    assert isinstance(selection, Selection)
    by_value = {value: (firing.clauses, identity) for value, firing, identity in selection.cases}
    assert by_value == {i: (clauses if i == 3 else clauses[:1], i + 1) for i in range(5)}
    assert len(selection.firings) == 2


def test_two_probes_with_one_value_fire_one_after_the_other() -> None:
    first, second, other = probe(ENTER, "a", 7), probe(ENTER, "b", 7), probe(ENTER, "c", 8)
    _, (unit,) = group([first, second, other])
    selections = [step for step in unit.steps if isinstance(step, Selection)]
    assert [[value for value, _, _ in selection.cases] for selection in selections] == [[7, 8], [7]]


def test_tracepoints_with_the_same_clauses_share_a_program_by_cookie() -> None:
    points = [Tracepoint("sched", f"e{i}") for i in range(3)]
    probes = [probe(point, point.name) for point in points]
    _, units = group(probes, [probes[2]])
    shared, single = units
    assert shared.is_shared
    assert shared.points == ((points[0], 1), (points[1], 2))
    assert single.points == ((points[2], 3),)
    (firing,) = shared.steps
    assert isinstance(firing, Firing)
    assert firing.probe_ids == (1, 2)


def test_raw_tracepoints_and_timers_are_programs_of_their_own() -> None:
    points: list[AttachPoint] = [RawTracepoint("a"), RawTracepoint("b"), Timer(5), PerfClock(9)]
    _, units = group([probe(point, f"p{i}") for i, point in enumerate(points)])
    assert [unit.points[0][0] for unit in units] == points
    assert [unit.name for unit in units] == ["a", "b", "tick_5", "profile_9"]


def test_many_raw_tracepoints_share_a_program_where_they_have_cookies() -> None:
    """At each place in the order of the ids; where other clauses are, a program of its own."""
    points = [RawTracepoint(f"e{i}") for i in range(70)]
    twice = [probe(point, f"{point.name}.{i}") for point in points for i in (1, 2)]
    d = Builder()
    d.clause(twice, number(1))
    d.clause([twice[3]], number(1))
    program = d.program()
    shared, single = group_units(program, prefer_raw=True)
    expected = [(point, 2 * i + number) for i, point in enumerate(points) for number in (1, 2) if i != 1]
    assert list(shared.points) == expected
    assert shared.is_shared
    assert single.points == ((points[1], 0),)
    assert len(group_units(program)) == 70


def test_begin_is_first_and_end_last() -> None:
    _, units = group([END], [probe(ENTER)], [BEGIN])
    assert [unit.points[0][0] for unit in units] == [Once(Moment.BEGIN), ENTER, Once(Moment.END)]


def test_names_are_distinct() -> None:
    """Two tracepoints of one name in two categories, and one whose name has signs that C has not."""
    points = [Tracepoint("a", "same"), Tracepoint("b", "same"), Tracepoint("c", "odd-name")]
    _, units = group(*([probe(point, point.category)] for point in points))
    assert [unit.name for unit in units] == ["same", "same_2", "odd_name"]


def test_a_guard_of_its_own_is_a_firing_of_its_own() -> None:
    plain = probe(ENTER, "a", 1)
    guarded = Probe("x", "", "", "b", ENTER, CONTEXT, Selector(key, 2), lambda span: number(1))
    _, (unit,) = group([plain, guarded])
    (selection,) = unit.steps
    assert isinstance(selection, Selection)
    assert [firing.guard for firing in selection.firings] == [None, guarded.guard]


def place_for(*values: Expr) -> AttachPoint:
    """Where a probe lies that may be placed at 1000 and as many as are read, whose clauses compute these values."""

    def placed(reads: Reads) -> Uprobe:
        return Uprobe("f", 1000 + 100 * reads.has_memory + sum(reads.offsets))

    one = Probe("x", "", "", "p", Uprobe("f", 4), CONTEXT, placed=placed)
    d = Builder()
    for value in values:
        d.clause([one], value)
    (unit,) = group_units(d.program())
    return unit.points[0][0]


def test_a_place_depends_on_what_all_clauses_of_the_probe_read() -> None:
    di, si = ContextBytes(16, LONG, SPAN), ContextBytes(8, LONG, SPAN)
    assert place_for(number(1)) == Uprobe("f", 1000)
    assert place_for(di, number(1), si) == Uprobe("f", 1024)
    assert place_for(Load(di, Space.USER, LONG, SPAN)) == Uprobe("f", 1116)
    assert place_for(Load(number(1), Space.KERNEL, LONG, SPAN)) == Uprobe("f", 1000)


def test_who_asks_for_the_stack_is_placed_where_it_is_whole() -> None:
    assert place_for(number(1), Call("ustack_depth", (), LONG, SPAN)) == Uprobe("f", 4)
