"""The kernel's traits that the compiler asks for, found by trying."""

from __future__ import annotations

from invivo.bpf import features
from invivo.linux import cpu
from invivo.program.plan import Traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.providers.kernel_types import KernelTypes

__all__ = ["kernel_traits"]


def kernel_traits(types: KernelTypes) -> Traits:
    """Traits of the running kernel. An inconclusive answer counts as yes: loading then says what is wrong."""
    btf_id = types.btf_id("btf_trace_sched_switch")
    return Traits(
        cpus=len(cpu.possible()),
        has_may_goto=features.has_may_goto().outcome is not features.Outcome.NO,
        has_btf_tracepoints=btf_id is not None
        and features.has_btf_tracepoints(btf_id).outcome is not features.Outcome.NO,
    )
