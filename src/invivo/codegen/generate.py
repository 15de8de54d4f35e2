"""All units of a program to one plan."""

from __future__ import annotations

from invivo.codegen.lowering import lower_unit
from invivo.codegen.module import Module
from invivo.codegen.objects import Code, read_object
from invivo.codegen.target import compile_text
from invivo.program.nodes import Program
from invivo.program.passes.units import Unit, group_units
from invivo.program.plan import Attachment, Plan, Traits, UnitPlan

__all__ = ["generate"]


def generate(program: Program, traits: Traits) -> Plan:
    """See `codegen.compile_program`."""
    units = group_units(program)
    module = Module(program, traits)
    module.note_sharing(units)
    functions = [lower_unit(module, unit) for unit in units]
    for aggregation in program.aggregations:  # also those that are only printed
        module.aggregation(aggregation)
    codes: dict[str, Code] = {}
    if functions:
        symbols = [f"map_{index}" for index in range(len(module.maps))]
        codes = read_object(compile_text(symbols, functions), module.data_maps)
    maps, rodata = module.finish()
    return Plan(
        text="",
        units=tuple(_unit_plan(unit, codes) for unit in units),
        maps=maps,
        globals_size=module.globals_bytes,
        rodata=rodata,
        probes=module.probes,
        records=program.records,
        aggregations=tuple(module.aggregations[aggregation] for aggregation in program.aggregations),
        faults=tuple(module.faults),
        strings=tuple(module.strings),
        options=module.options,
    )


def _unit_plan(unit: Unit, codes: dict[str, Code]) -> UnitPlan:
    attachments = tuple(Attachment(point, probe) for point, probe in unit.points)
    return UnitPlan(unit.name, *codes[unit.name], attachments)
