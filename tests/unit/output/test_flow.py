"""Flow columns: what is worked out by hand from dtrace(1)'s description of -F."""

from __future__ import annotations

from invivo.output.flow import Flow
from invivo.program.plan import ProbeInfo

PROBES = (
    ProbeInfo("pid1", "a.out", "f", "entry"),
    ProbeInfo("pid1", "a.out", "f", "return"),
    ProbeInfo("syscall", "vmlinux", "write", "entry"),
    ProbeInfo("syscall", "vmlinux", "write", "return"),
    ProbeInfo("profile", "", "", "tick-1s"),
)
F, F_RETURN, WRITE, WRITE_RETURN, TICK = range(1, 6)


def columns(*firings: tuple[int, int, int]) -> list[str]:
    """The columns of (probe, clause, CPU), without what pads them."""
    flow = Flow(PROBES)
    return [flow.column(*firing).rstrip() for firing in firings]


def test_entries_indent_and_returns_come_back() -> None:
    shown = columns((F, 0, 0), (WRITE, 1, 0), (TICK, 2, 0), (WRITE_RETURN, 3, 0), (F_RETURN, 4, 0), (TICK, 2, 0))
    assert shown == [" -> f", "   => write", "    | :tick-1s", "   <= write", " <- f", "| :tick-1s"]


def test_each_cpu_has_its_depth() -> None:
    assert columns((F, 0, 0), (F, 0, 1), (WRITE, 1, 0)) == [" -> f", " -> f", "   => write"]


def test_a_second_clause_of_a_firing_has_no_arrow_and_a_second_firing_has() -> None:
    shown = columns((F, 0, 0), (F, 1, 0), (F, 0, 0))
    assert shown == [" -> f", "  | f:entry", "   -> f"]


def test_all_clauses_of_a_return_have_the_arrow_at_one_depth() -> None:
    shown = columns((F, 0, 0), (WRITE, 1, 0), (WRITE_RETURN, 2, 0), (WRITE_RETURN, 3, 0), (F_RETURN, 4, 0))
    assert shown == [" -> f", "   => write", "   <= write", "   <= write", " <- f"]


def test_returns_without_entries_do_not_go_below_the_margin() -> None:
    assert columns((F_RETURN, 0, 0), (F_RETURN, 0, 0)) == [" <- f", " <- f"]


def test_columns_are_padded_and_names_never_cut() -> None:
    assert Flow(PROBES).column(F, 0, 0) == f"{' -> f':<41} "
    flow = Flow(PROBES)
    for _ in range(1000):
        last = flow.column(F, 0, 0)
    assert last == " " * 400 + " -> f "
