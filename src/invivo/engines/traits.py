"""The kernel's traits that the compiler asks for, found by trying."""

from __future__ import annotations

from functools import cached_property

from invivo.bpf import features
from invivo.engines.namespace import kernel_namespace
from invivo.linux import cpu
from invivo.program.plan import HiddenReturns, PidNumbers, Traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.providers.kernel_types import KernelTypes

__all__ = ["kernel_traits"]


class _KernelTraits(Traits):
    """Asks the kernel's BTF only when somebody wants to know: finding a type in a BTF that has not been indexed yet
    takes longer than all the rest of a short program's compilation."""

    types: KernelTypes

    @property
    def has_btf_tracepoints(self) -> bool:
        btf_id = self.types.btf_id("btf_trace_sched_switch")
        return btf_id is not None and features.has_btf_tracepoints(btf_id).outcome is not features.Outcome.NO

    @property
    def has_sleepable_uprobes(self) -> bool:
        return features.has_sleepable_uprobes().outcome is features.Outcome.YES

    @property
    def no_user_writes(self) -> str:
        if features.has_user_writes().outcome is not features.Outcome.NO:
            return ""
        return "the kernel refuses bpf_probe_write_user, as its lockdown does: no program may write into processes"

    @property
    def task_pid(self) -> int:
        return self._offset("pid")

    @property
    def task_comm(self) -> int:
        is_direct = features.has_typed_task().outcome is features.Outcome.YES
        return self._offset("comm") if is_direct else 0

    @property
    def chips(self) -> tuple[int, ...]:
        return cpu.packages()

    @property
    def lgrps(self) -> tuple[int, ...]:
        return cpu.memory_nodes()

    @property
    def has_user_registers(self) -> bool:
        return features.has_user_registers().outcome is features.Outcome.YES

    @cached_property
    def pid_numbers(self) -> PidNumbers | None:
        return kernel_namespace(self.types)

    @property
    def task_exec_id(self) -> int:
        return self._offset("self_exec_id")

    @property
    def uretprobe_depth(self) -> tuple[int, int]:
        return self._offset("utask"), self._offset("depth", "uprobe_task")

    @property
    def hidden_returns(self) -> HiddenReturns | None:
        found = {
            "utask": self._member("task_struct", "utask"),
            "list": self._member("uprobe_task", "return_instances"),
            "stack": self._member("return_instance", "stack"),
            "returns_to": self._member("return_instance", "orig_ret_vaddr"),
            "next": self._member("return_instance", "next"),
            "mm": self._member("task_struct", "mm"),
            "area": self._member("mm_struct", "uprobes_state"),  # whose only member it is
            "address": self._member("xol_area", "vaddr"),
        }
        places = {name: place for name, place in found.items() if place is not None}
        return HiddenReturns(**places) if len(places) == len(found) else None

    def _member(self, struct: str, name: str) -> int | None:
        found = self.types.struct("struct", struct)
        member = found.find(name) if found is not None else None
        return member.bit_offset // 8 if member is not None else None

    def _offset(self, name: str, struct: str = "task_struct") -> int:
        task = self.types.struct("struct", struct)
        member = task.find(name) if task is not None else None
        return member.bit_offset // 8 if member is not None else 0


def kernel_traits(types: KernelTypes) -> Traits:
    """Traits of the running kernel. An inconclusive answer counts as yes: loading then says what is wrong."""
    traits = _KernelTraits(
        cpus=len(cpu.possible()),
        has_may_goto=features.has_may_goto().outcome is not features.Outcome.NO,
        has_raw_cookies=features.has_raw_cookies().outcome is features.Outcome.YES,
    )
    traits.types = types
    return traits
