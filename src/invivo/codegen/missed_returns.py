"""The program that counts returns which the kernel will not see: one more unit, of a plan with return probes.

The kernel keeps MAX_URETPROBE_DEPTH returns to come of a thread; a probed function that is called deeper than that
returns without firing, and nothing in the kernel counts it. So at each entry whose return is meant:

    current->utask->depth >= 64     Globals.MISSED_RETURNS += 1

Source: kernel/events/uprobes.c (prepare_uretprobe), include/linux/uprobes.h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from invivo.codegen.emitter import Helper
from invivo.codegen.ir import ZERO, Function, const
from invivo.codegen.module import Module
from invivo.program.attach import Uprobe
from invivo.program.passes.units import Unit
from invivo.program.plan import Attachment
from invivo.program.shared import Globals

__all__ = ["entries_of_returns", "lower_missed_returns"]

_MAX_URETPROBE_DEPTH = 64


def entries_of_returns(units: Iterable[Unit]) -> tuple[Attachment, ...]:
    """Where the functions begin whose returns are probed, each once."""
    return tuple(Attachment(point, 0) for point in dict.fromkeys(_entries(units)))


def _entries(units: Iterable[Unit]) -> Iterator[Uprobe]:
    for unit in units:
        for point, _ in unit.points:
            if isinstance(point, Uprobe) and point.is_return:
                yield point._replace(is_return=False)


def lower_missed_returns(module: Module, name: str) -> str:
    """The LLVM function that counts an entry whose return will be missed."""
    task_at, depth_at = module.traits.uretprobe_depth
    out = Function(name)
    slot = out.alloca(8)
    out.store(ZERO, slot)
    task = out.call(Helper.CURRENT_TASK)
    out.call(Helper.READ_KERNEL, slot, const(8), out.add(task, const(task_at)))
    utask = out.load(slot)
    out.store(ZERO, slot)
    # A thread that has none yet (NULL) has no returns to come: the read fails, and leaves the 0.
    out.call(Helper.READ_KERNEL, slot, const(4), out.add(utask, const(depth_at)))
    count, done = out.new_block("count"), out.new_block("done")
    out.branch_if(out.compare("uge", out.load(slot), const(_MAX_URETPROBE_DEPTH)), count, done, (0, 1))
    out.enter(count)
    out.atomic_add(module.global_address(Globals.MISSED_RETURNS), const(1))
    out.enter(done)
    out.ret()
    return out.text()
