"""The kernel's traits that the compiler asks for, found by trying."""

from __future__ import annotations

from invivo.bpf import features
from invivo.linux import cpu
from invivo.program.plan import Traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.providers.kernel_types import KernelTypes

__all__ = ["kernel_traits"]


class _KernelTraits(Traits):
    """Asks the kernel about BTF tracepoints only when a probe wants to know: finding a type's id in a BTF that has not
    been indexed yet takes longer than all the rest of a short program's compilation."""

    types: KernelTypes

    @property
    def has_btf_tracepoints(self) -> bool:
        btf_id = self.types.btf_id("btf_trace_sched_switch")
        return btf_id is not None and features.has_btf_tracepoints(btf_id).outcome is not features.Outcome.NO


def kernel_traits(types: KernelTypes) -> Traits:
    """Traits of the running kernel. An inconclusive answer counts as yes: loading then says what is wrong."""
    traits = _KernelTraits(
        cpus=len(cpu.possible()),
        has_may_goto=features.has_may_goto().outcome is not features.Outcome.NO,
    )
    traits.types = types
    return traits
