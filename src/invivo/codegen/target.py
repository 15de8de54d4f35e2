"""LLVM, driven: textual IR in, one BPF object file out.

    declarations + functions (text) ──> parse ──> a few scalar passes ──> ELF bytes

The CPU is `v3`: 32-bit registers and jumps, atomics; no signed division. llvmlite is imported here only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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

_machine: Any = None


def compile_text(symbols: Iterable[str], functions: Iterable[str]) -> bytes:
    """The object file of some functions; `symbols` are the maps' names, which stay undefined in it.

    Raises:
        RuntimeError: LLVM does not take the text: a bug of the generator, whose message it carries.
    """
    import llvmlite.binding as llvm

    machine = _target_machine(llvm)
    declarations = "".join(f"@{name} = external global [4096 x i8], align 8\n" for name in symbols)
    text = _HEADER + declarations + "\n\n".join(functions) + _FOOTER
    module = llvm.parse_assembly(text)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    manager = llvm.create_new_module_pass_manager()
    for name in _PASSES:
        getattr(manager, f"add_{name}_pass")()
    manager.run(module, builder)
    result: bytes = machine.emit_object(module)
    return result


def _target_machine(llvm: Any) -> Any:
    global _machine
    if _machine is None:
        # LLVM ends the process where a function needs more; objects.stack_depth looks instead.
        llvm.set_option("invivo", "-bpf-stack-size=32768")
        llvm.set_option("invivo", "-disable-lsr")
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        target = llvm.Target.from_triple("bpfel")
        _machine = target.create_target_machine(cpu="v3", opt=2, reloc="static")
    return _machine
