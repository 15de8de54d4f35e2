"""The code generator: a typed program becomes a plan with BPF code, by way of LLVM.

Program ──> units (program/passes/units) ──> LLVM IR (lowering, expressions, ...) ──> object ──> Plan

plan = compile_program(program, Traits(cpus=2))
plan.units[0].code         the instructions of the first BPF program
"""

from __future__ import annotations

from invivo.program.plan import Plan, Traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.codegen.places import Places
    from invivo.program.clauses import Program

__all__ = ["compile_program"]


def compile_program(program: Program, traits: Traits, places: Places | None = None) -> Plan:
    """Generate everything that a run of the program needs; `formatter` and `text` are left to others.

    `places`, where given, learns which instruction comes from where in the text.

    Raises:
        RuntimeError, TypeError, ValueError: The program breaks a rule of program/nodes.py, or there is a bug here.
    """
    from invivo.codegen.generate import generate

    return generate(program, traits, places)
