"""The thread a probe is about, where that is not the running one (`clauses.Context.current`).

    thread_id(ContextWord(2, Pointer(task_struct)))     Load of `pid` at its offset: an int
    process_id(...), exec_id(...)                       likewise of `tgid` and `self_exec_id`
"""

from __future__ import annotations

from invivo.program.nodes import Binary, Convert, Expr, IntLit, Load
from invivo.program.types import INT, UINT32, UINT64, Int, Pointer, Struct

__all__ = ["exec_id", "process_id", "thread_id"]


def thread_id(task: Expr) -> Expr:
    """`task->pid`: what the kernel calls a thread's id.

    Raises:
        TypeError: `task` is no pointer to a structure that has one.
    """
    return _member(task, "pid", INT)


def process_id(task: Expr) -> Expr:
    """`task->tgid`, with the errors of thread_id()."""
    return _member(task, "tgid", INT)


def exec_id(task: Expr) -> Expr:
    """`task->self_exec_id`, with the errors of thread_id()."""
    return _member(task, "self_exec_id", UINT32)


def _member(task: Expr, name: str, type_: Int) -> Expr:
    if not isinstance(task.type, Pointer) or not isinstance(task.type.target, Struct):
        raise TypeError("a context's current thread is not a pointer to a structure")
    member = task.type.target.find(name)
    if member is None:
        raise TypeError(f"struct task_struct has no member {name}")
    distance = IntLit(member.bit_offset // 8, UINT64, task.span)
    address = Binary("+", Convert(task, UINT64, task.span), distance, UINT64, task.span)
    return Load(address, task.type.space, type_, task.span)
