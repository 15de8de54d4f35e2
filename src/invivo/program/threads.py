"""The thread a probe is about, where that is not the running one (`clauses.Context.current`).

    thread_id(ContextWord(2, Pointer(task_struct)))     Load of `pid` at its offset: an int
"""

from __future__ import annotations

from invivo.program.nodes import Binary, Convert, Expr, IntLit, Load
from invivo.program.types import INT, UINT64, Pointer, Struct

__all__ = ["thread_id"]


def thread_id(task: Expr) -> Expr:
    """`task->pid`: what the kernel calls a thread's id.

    Raises:
        TypeError: `task` is no pointer to a structure that has one.
    """
    if not isinstance(task.type, Pointer) or not isinstance(task.type.target, Struct):
        raise TypeError("a context's current thread is not a pointer to a structure")
    member = task.type.target.find("pid")
    if member is None:
        raise TypeError("struct task_struct has no member pid")
    distance = IntLit(member.bit_offset // 8, UINT64, task.span)
    address = Binary("+", Convert(task, UINT64, task.span), distance, UINT64, task.span)
    return Load(address, task.type.space, INT, task.span)
