"""All units of a program to one plan."""

from __future__ import annotations

from invivo.codegen.late_watch import EXEC, lower_late_exec, lower_late_watch
from invivo.codegen.loop_heads import jump_into_loops
from invivo.codegen.lowering import lower_unit
from invivo.codegen.missed_returns import entries_of_returns, lower_missed_returns
from invivo.codegen.module import Module
from invivo.codegen.objects import Code, read_lines, read_object, stack_depth
from invivo.codegen.places import Places
from invivo.codegen.storage import STACK_BUDGET
from invivo.codegen.target import compile_text
from invivo.codegen.thread_end import ATTACHMENT, lower_thread_end
from invivo.errors import UnsupportedError
from invivo.program.clauses import Program
from invivo.program.passes.late import late_units
from invivo.program.passes.units import Unit, group_units
from invivo.program.plan import Attachment, LatePlan, Plan, Traits, UnitPlan
from invivo.value import replaced

__all__ = ["generate"]

_STACK = 512  # bytes: the kernel's MAX_BPF_STACK
# No name of a unit of the program has a dot.
_THREAD_END, _MISSED_RETURNS, _LATE_WATCH, _LATE_EXEC = "thread.end", "missed.returns", "late.watch", "late.exec"


def generate(program: Program, traits: Traits, places: Places | None = None) -> Plan:
    """See `codegen.compile_program`."""
    units = group_units(program, prefer_raw=traits.has_raw_cookies)
    for budget in (STACK_BUDGET, 0):
        plan = _generate(program, traits, units, budget, places)
        unit, depth = max(((u.name, stack_depth(u.code)) for u in plan.units), key=lambda row: row[1], default=("", 0))
        if depth <= _STACK:
            return plan
    if program.late:  # whose clauses share a unit, which those of other probes may not
        return generate(replaced(program, late=()), traits, places)
    raise UnsupportedError(
        f"the clauses of {unit} are too large for one BPF program: they need {depth} bytes of stack, not {_STACK}",
        "split long clauses, and nest expressions and loops less deeply",
    )


def _generate(
    program: Program, traits: Traits, units: tuple[Unit, ...], stack_budget: int, places: Places | None
) -> Plan:
    module = Module(program, traits, stack_budget, places)
    growing = late_units(program)
    module.note_sharing([*units, *(each.unit for each in growing)])
    functions = [lower_unit(module, unit) for unit in units]
    functions += [lower_unit(module, each.unit, each.probe) for each in growing]
    if growing:
        functions.append(lower_late_watch(module, _LATE_WATCH, growing[0].probe))
        if growing[0].late.pid == 0:
            functions.append(lower_late_exec(module, _LATE_EXEC, growing[0].probe))
        module.late_names()
    for aggregation in program.aggregations:  # also those that are only printed
        module.aggregation(aggregation)
    ends_threads = bool(module.thread_scalars) and traits.task_pid > 0
    if ends_threads:
        functions.append(lower_thread_end(module, _THREAD_END, module.thread_scalars))
    entries = entries_of_returns(units)
    if (entries or any(each.probe.name == "return" for each in growing)) and all(traits.uretprobe_depth):
        functions.append(lower_missed_returns(module, _MISSED_RETURNS))
    codes: dict[str, Code] = {}
    if functions:
        symbols = [f"map_{index}" for index in range(len(module.maps))]
        # Linux 6.9, which brought may_goto, has the long jumps of 6.6 too.
        code = compile_text(symbols, functions, has_long_jumps=traits.has_may_goto, places=places)
        codes = read_object(code, module.data_maps)
        if not traits.has_may_goto:
            codes = {name: jump_into_loops(each) for name, each in codes.items()}
        if places is not None:
            places.lines = read_lines(code)
    maps, rodata = module.finish()
    unit_plans = [_unit_plan(unit, codes, unit.name in module.sleepable) for unit in units]
    if ends_threads:
        unit_plans.append(UnitPlan(_THREAD_END, *codes[_THREAD_END], (ATTACHMENT,)))
    if _MISSED_RETURNS in codes:
        unit_plans.append(UnitPlan(_MISSED_RETURNS, *codes[_MISSED_RETURNS], entries))
    late = None
    if growing:
        first = len(unit_plans)
        unit_plans += [_unit_plan(each.unit, codes, each.unit.name in module.sleepable) for each in growing]
        unit_plans.append(UnitPlan(_LATE_WATCH, *codes[_LATE_WATCH], (), _LATE_WATCH in module.sleepable))
        watch = len(unit_plans) - 1
        if _LATE_EXEC in codes:
            unit_plans.append(UnitPlan(_LATE_EXEC, *codes[_LATE_EXEC], (EXEC,)))
        late = LatePlan(
            tuple(each.late._replace(unit=first + each.late.unit) for each in growing), len(module.probes) + 1,
            watch, next((i for i, unit in enumerate(unit_plans) if unit.name == _MISSED_RETURNS), -1),
        )  # fmt: skip
    return Plan(
        text="",
        units=tuple(unit_plans),
        maps=maps,
        globals_size=module.globals_bytes,
        rodata=rodata,
        probes=tuple(module.probes),
        records=program.records,
        aggregations=tuple(module.aggregations[aggregation] for aggregation in program.aggregations),
        faults=tuple(module.faults),
        strings=tuple(module.strings),
        options=module.options,
        late=late,
        arrays=module.arrays,
    )


def _unit_plan(unit: Unit, codes: dict[str, Code], is_sleepable: bool) -> UnitPlan:
    attachments = tuple(Attachment(point, probe) for point, probe in unit.points)
    return UnitPlan(unit.name, *codes[unit.name], attachments, is_sleepable)
