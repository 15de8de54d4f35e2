"""LLVM, driven: textual IR in, one BPF object file out.

    declarations + functions (text) ──> parse ──> a few scalar passes ──> ELF bytes

The CPU is `v4`, which has jumps of any length, or `v3` for kernels without it. llvmlite is imported here, and in the
formatter, only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from invivo.codegen.places import Places
from invivo.errors import UnsupportedError

__all__ = ["compile_text"]

_HEADER = 'target triple = "bpfel"\ntarget datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"\n'

# What calls of helpers may be taken for: group 0 touches memory, group 1 gives the same answer in one run, group 2 must
# stay in its one place (a loop's condition, which is found again by the jump on it).
_FOOTER = """
attributes #0 = { nounwind }
attributes #1 = { nounwind willreturn memory(none) }
attributes #2 = { nounwind noduplicate }
!0 = !{!"branch_weights", i32 4000, i32 1}
!1 = !{!"branch_weights", i32 1, i32 4000}
"""

# The whole -O2 takes twice the time for the same code, and would rewrite loops, which the verifier likes as they are.
_PASSES = (
    "sroa", "instruction_combine", "simplify_cfg", "jump_threading", "new_gvn", "dead_store_elimination",
    "aggressive_dce", "instruction_combine", "simplify_cfg",
)  # fmt: skip

_CPU, _OLD_CPU = "v4", "v3"
_OLD_LIMIT = 24_000  # lines of IR of a function, which make fewer instructions: jumps reach 32767 of them

# Set before LLVM starts, for all that this process compiles.
_SETTINGS = (
    "-bpf-stack-size=32768",  # LLVM ends the process where a function needs more; objects.stack_depth looks instead
    "-pre-RA-sched=source",  # loads stay where they are needed, and do not fill the stack with spilled registers
    "-bpf-min-jump-table-entries=1000000",  # jumps through tables came with Linux 6.19
    "-disable-lsr",
    "-disable-ldsx",  # the verifier does not take it of every memory
)

_machines: dict[str, Any] = {}


def compile_text(
    symbols: Iterable[str], functions: Sequence[str], *, has_long_jumps: bool = True, places: Places | None = None
) -> bytes:
    """The object file of some functions.

    Args:
        symbols: The maps' names, which stay undefined in it.
        functions: Their IR.
        has_long_jumps: Whether the kernel knows version 4 of the instruction set (Linux 6.6).
        places: What the functions were made with, where they carry places in the text.

    Raises:
        RuntimeError: LLVM does not take the text: a bug of the generator, whose message it carries.
        UnsupportedError: A function is too large for the old instruction set.
    """
    import llvmlite.binding as llvm

    if not has_long_jumps and any(function.count("\n") > _OLD_LIMIT for function in functions):
        raise UnsupportedError(
            "too many clauses on one probe for this kernel: jumps would be too long",
            "use fewer clauses, or a kernel from 6.9 on",
        )
    machine = _target_machine(llvm, _CPU if has_long_jumps else _OLD_CPU)
    declarations = "".join(f"@{name} = external global [4096 x i8], align 8\n" for name in symbols)
    text = _HEADER + declarations + "\n\n".join(functions) + _FOOTER
    if places is not None:
        text += places.metadata()
    module = llvm.parse_assembly(text)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    manager = llvm.create_new_module_pass_manager()
    for name in _PASSES:
        getattr(manager, f"add_{name}_pass")()
    manager.run(module, builder)
    if any(_MIN_MAX.match(function.name) for function in module.functions):
        module = llvm.parse_assembly(_MIN_MAX_CALL.sub(_as_select, str(module)))
    result: bytes = machine.emit_object(module)
    return result


# LLVM's BPF target moves min and max from before a loop into comparisons in it: x < smax(a, b) becomes x < a || x < b,
# also where the comparison is unsigned, which is wrong. So there are no signed ones when it comes to that.
_MIN_MAX = re.compile(r"llvm\.s(?:min|max)\.")
_MIN_MAX_CALL = re.compile(
    r"^ *%(?P<name>[\w.]+) = (?:tail )?call (?P<type>i\d+) @llvm\.sm(?P<kind>in|ax)\.i\d+"
    r"\(i\d+ (?P<a>[%\w.-]+), i\d+ (?P<b>[%\w.-]+)\).*$",
    re.MULTILINE,
)


def _as_select(call: re.Match[str]) -> str:
    name, type_, kind, a, b = call.group("name", "type", "kind", "a", "b")
    order = "slt" if kind == "in" else "sgt"
    return f"  %mm.{name} = icmp {order} {type_} {a}, {b}\n  %{name} = select i1 %mm.{name}, {type_} {a}, {type_} {b}"



def _target_machine(llvm: Any, cpu: str) -> Any:
    if not _machines:
        for setting in _SETTINGS:
            llvm.set_option("invivo", setting)
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    if cpu not in _machines:
        target = llvm.Target.from_triple("bpfel")
        _machines[cpu] = target.create_target_machine(cpu=cpu, opt=2, reloc="static")
    return _machines[cpu]
