"""Slots: on the stack while they are small and there is room, given back, used again, in order behind each other."""

from __future__ import annotations

from invivo.codegen.ir import Function
from invivo.codegen.storage import Lifetime, Storage


def storage(budget: int = 256) -> tuple[Function, Storage]:
    out = Function("test")
    return out, Storage(out, budget)


def test_small_slots_are_on_the_stack_and_great_ones_are_not() -> None:
    out, s = storage()
    assert s.reserve(16).base.text.startswith("%a")
    assert not s.is_used
    assert s.reserve(256).base.text == "%temp"
    assert s.is_used
    assert out.text().count("alloca") == 1


def test_what_is_given_back_is_used_again() -> None:
    out, s = storage()
    for _ in range(3):
        mark = s.mark()
        places = [s.reserve(16), s.reserve(16), s.reserve(200), s.reserve(100)]
        assert len(set(places)) == 4
        assert [place.offset for place in places[2:]] == [0, 200]
        s.release(mark)
    assert out.text().count("alloca") == 2
    assert s.size == 304


def test_inner_marks_leave_outer_slots_alone() -> None:
    _, s = storage()
    outer = s.mark()
    kept = s.reserve(16), s.reserve(100)
    inner = s.mark()
    lost = s.reserve(16), s.reserve(100)
    s.release(inner)
    again = s.reserve(16), s.reserve(100)
    assert again == lost
    assert not set(kept) & set(again)
    s.release(outer)


def test_a_full_stack_overflows_into_the_scratch_area() -> None:
    _, s = storage(budget=24)
    bases = [s.reserve(16).base.text for _ in range(3)]
    assert bases[1:] == ["%temp", "%temp"]


def test_lifetimes_have_areas_of_their_own() -> None:
    _, s = storage(budget=0)
    mark = s.mark()
    variable = s.reserve(64, Lifetime.UNIT)
    record = s.reserve(40, Lifetime.CLAUSE)
    temporary = s.reserve(8)
    assert [place.base.text for place in (variable, record, temporary)] == ["%scratch", "%frame", "%temp"]
    s.release(mark)
    s.end_clause()
    assert s.reserve(40, Lifetime.CLAUSE) == record
    assert s.reserve(64, Lifetime.UNIT).offset == 64
    assert dict(s.bases) == {"%frame": 128, "%temp": 168}
    assert s.size == 176


def test_a_clauses_stack_slots_survive_its_statements() -> None:
    _, s = storage()
    mark = s.mark()
    record = s.reserve(24, Lifetime.CLAUSE)
    s.release(mark)
    other = s.reserve(24)
    assert other != record
    s.end_clause()
    assert s.reserve(24, Lifetime.CLAUSE) == record
