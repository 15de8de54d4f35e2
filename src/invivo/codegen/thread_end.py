"""The program that forgets a thread's variables when the thread is gone: one more unit, of a plan that has some.

self->t = timestamp     at raw tracepoint sched_process_free, whose argument is the task: delete t[task->pid]

The tracepoint comes after all others that the thread can fire, and before its number is given to another thread. The
elements of thread-local arrays stay, for a hash cannot be asked for the keys that begin with a number.
"""

from __future__ import annotations

from collections.abc import Iterable

from invivo.codegen.emitter import Helper
from invivo.codegen.ir import ZERO, Function, const
from invivo.codegen.module import Module
from invivo.program.attach import RawTracepoint
from invivo.program.plan import Attachment

__all__ = ["ATTACHMENT", "lower_thread_end"]

ATTACHMENT = Attachment(RawTracepoint("sched_process_free"), 0)


def lower_thread_end(module: Module, name: str, maps: Iterable[int]) -> str:
    """The LLVM function that deletes the thread's entry from each of these maps."""
    out = Function(name, module.places)
    thread = out.alloca(8)
    out.store(ZERO, thread)
    number = out.add(out.load(out.context), const(module.traits.task_pid))
    out.call(Helper.READ_KERNEL, thread, const(4), number)
    for index in maps:
        out.call(Helper.MAP_DELETE, module.map_address(index), thread)
    out.ret()
    return out.text()
