"""Units for probes that are made while tracing goes on: one for the entries, one for the returns of each provider.

    pid$target:lib*:foo*:entry {A}  pid$target::foo1:entry {B}     one unit with the clauses A and B; of a probe that is
                                                                   made later, the cookie says that it fires both

So the clauses of one firing stay together and in order, whichever descriptions mean the probe.
"""

from __future__ import annotations

from typing import NamedTuple

from invivo.program.attach import Uprobe
from invivo.program.clauses import Clause, Probe, Program
from invivo.program.passes.units import Firing, Unit, reads_of
from invivo.program.plan import LateUnit

__all__ = ["Growing", "late_units"]


class Growing(NamedTuple):
    """A unit without places, and how it is found for new probes; `probe` stands for all of them."""

    unit: Unit
    probe: Probe
    late: LateUnit


def late_units(program: Program) -> list[Growing]:
    """The units of `program.late`; `late.unit` is their place in this list. There are at most Late.CLAUSES clauses
    for a provider's entries, or returns."""
    groups: dict[tuple[str, str], list[Clause]] = {}
    for clause in program.late:
        probe = clause.probes[0]
        groups.setdefault((probe.provider, probe.name), []).append(clause)
    found: list[Growing] = []
    for (provider, name), clauses in groups.items():
        probe = clauses[0].probes[0]
        assert isinstance(probe.attach, Uprobe)
        unit = Unit(f"late_{provider}_{name}", (), (Firing((), tuple(clauses), probe.guard),))
        meant = tuple(tuple((p.module, p.function) for p in clause.probes) for clause in clauses)
        reads = reads_of((*clauses, *program.error_clauses))
        late = LateUnit(
            len(found), provider, probe.attach.pid, name, meant, None if reads is None else reads.offsets,
            reads is None or reads.has_memory,
        )  # fmt: skip
        found.append(Growing(unit, probe, late))
    return found
