"""A plan of one process's probes, for another process that has the same files.

    retargeted(plan, 4711, 4802)    pid4711:libc.so.6:malloc:entry is pid4802:libc.so.6:malloc:entry, its Uprobe is of
                                    process 4802
    anonymous(plan, 4711)           the same for NOBODY; None where the number is in more than such places

A plan names the process in its uprobes, in names of providers (pid4711, python4711), in descriptions of clauses, and in
the labels of programs that probes are added to, and of their memory.
"""

from __future__ import annotations

import pickle

from invivo.program.attach import Uprobe
from invivo.program.plan import ClauseInfo, Plan, UnitPlan

__all__ = ["NOBODY", "anonymous", "retargeted"]

NOBODY = -1  # stands for the process in a plan that is kept


def anonymous(plan: Plan, pid: int) -> Plan | None:
    """The plan for no process in particular; None where the program's code or texts hold a name with the number."""
    made = retargeted(plan, pid, NOBODY)
    kept = pickle.dumps(made)
    if any(name.encode() in kept for name in _names(plan, pid)) or any(str(pid) in text for text in plan.warnings):
        return None
    return made


def retargeted(plan: Plan, old: int, new: int) -> Plan:
    """`plan` with process `new` for process `old`; see the module's text."""
    renamed = {name: f"{name.removesuffix(str(old))}{new}" for name in _names(plan, old)}
    late = plan.late
    if late is not None:
        units = tuple(
            unit._replace(provider=renamed[unit.provider], pid=new) if unit.pid == old else unit for unit in late.units
        )
        late = late._replace(units=units)
    return plan._replace(
        units=tuple(_unit(unit, renamed, old, new) for unit in plan.units),
        maps=tuple(map_._replace(name=_label(map_.name, renamed)) for map_ in plan.maps),
        probes=tuple(probe._replace(provider=renamed.get(probe.provider, probe.provider)) for probe in plan.probes),
        clauses=tuple(_clause(clause, renamed) for clause in plan.clauses),
        late=late,
    )


def _names(plan: Plan, pid: int) -> set[str]:
    """The providers of the process."""
    names = {probe.provider for probe in plan.probes if probe.provider.endswith(str(pid))}
    return names | {unit.provider for unit in (plan.late.units if plan.late is not None else ()) if unit.pid == pid}


def _unit(unit: UnitPlan, renamed: dict[str, str], old: int, new: int) -> UnitPlan:
    attachments = tuple(
        item._replace(point=item.point._replace(pid=new))
        if isinstance(item.point, Uprobe) and item.point.pid == old
        else item
        for item in unit.attachments
    )
    return unit._replace(name=_label(unit.name, renamed), attachments=attachments)


def _label(name: str, renamed: dict[str, str]) -> str:
    """That of a program for files that are mapped later (passes/late), or of its scratch memory."""
    for provider, other in renamed.items():
        if f"late_{provider}_" in name:
            return name.replace(provider, other, 1)
    return name


def _clause(clause: ClauseInfo, renamed: dict[str, str]) -> ClauseInfo:
    described = []
    for text, count in clause.described:
        provider, colon, rest = text.partition(":")
        described.append((f"{renamed.get(provider, provider)}{colon}{rest}", count))
    return clause._replace(described=tuple(described))
