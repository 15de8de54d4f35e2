"""A plan's programs as text, for people who want to see what was generated.

    plan_text(plan)

    program on_sys_enter, 61 instructions, at BtfTracepoint sys_enter:
       0: r6 = r1
       1: r1 = map globals + 0
       ...

Loads of maps and calls are shown by name, as they are before the program is loaded.
"""

from __future__ import annotations

from invivo.bpf.disassembler import disassemble
from invivo.codegen.emitter import Helper
from invivo.codegen.objects import COOKIE, MAY_GOTO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.plan import Attachment, Plan, Relocation, UnitPlan

__all__ = ["plan_text", "unit_text"]

_CALLS = {MAY_GOTO: "may_goto", COOKIE: "cookie", **{helper.value: helper.name.lower() for helper in Helper}}
_PLACES = 8  # of a program that are named


def plan_text(plan: Plan) -> str:
    """All programs of the plan, each with where it is attached."""
    return "\n\n".join(f"{_heading(unit)}:\n{unit_text(unit, plan)}" for unit in plan.units)


def unit_text(unit: UnitPlan, plan: Plan | None = None) -> str:
    """One program; with its plan, maps are named."""
    loads = {relocation.at: _load(relocation, plan) for relocation in unit.relocations}
    return disassemble(unit.code, calls=_CALLS, loads=loads)


def _load(relocation: Relocation, plan: Plan | None) -> str:
    known = plan is not None and 0 <= relocation.value < len(plan.maps)
    name = plan.maps[relocation.value].name if plan is not None and known else str(relocation.value)
    return f"map {name}" if relocation.kind == "map" else f"value of map {name} + {relocation.offset}"


def _heading(unit: UnitPlan) -> str:
    places = [_place(attachment) for attachment in unit.attachments[:_PLACES]]
    if len(unit.attachments) > _PLACES:
        places.append(f"and {len(unit.attachments) - _PLACES} more")
    return f"program {unit.name}, {len(unit.code) // 8} instructions, at {', '.join(places)}"


def _place(attachment: Attachment) -> str:
    point = attachment.point
    values = [str(getattr(value, "value", value)) for value in point]
    return f"{type(point).__name__} {' '.join(values)}".rstrip()
