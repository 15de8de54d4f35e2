"""Whether the running process is some process or comes from it: a condition for probes that follow children.

    descends_from(types, 4711)    tgid == 4711 || real_parent->tgid == 4711 || ...

A process whose parent has ended is its grandparent's no more: the kernel gives it to init, or to a subreaper.
"""

from __future__ import annotations

from invivo.errors import UnsupportedError
from invivo.program.nodes import Call, Convert
from invivo.program.types import INT, UINT64, Pointer, Space, Struct
from invivo.providers.base import KernelTypeSource
from invivo.providers.expressions import Maker, either, equals, member

__all__ = ["GENERATIONS", "descends_from"]

GENERATIONS = 8  # a shell's pipeline in a script in a make recipe is five


def descends_from(types: KernelTypeSource, pid: int, is_namespaced: bool = False) -> Maker:
    """The condition, for processes up to GENERATIONS below process `pid`, a number of the initial pid namespace or, if
    `is_namespaced`, of invivo's own.

    Raises:
        UnsupportedError: The kernel's BTF does not say where a process's parent is.
    """
    struct = types.struct("struct", "task_struct")
    if not isinstance(struct, Struct):
        raise UnsupportedError("following children needs the kernel's BTF, for 'struct task_struct'")
    pointer = Pointer(struct, Space.KERNEL)

    def task(span: object) -> Convert:
        return Convert(Call("current_task", (), UINT64, span), pointer, span)  # type: ignore[arg-type]

    conditions = []
    for generation in range(GENERATIONS + 1):
        if is_namespaced:
            value, type_ = member(task, struct, "real_parent." * generation + "group_leader.thread_pid")
            conditions.append(equals(_number(value), INT, pid))
        else:
            value, type_ = member(task, struct, "real_parent." * generation + "tgid")
            conditions.append(equals(value, type_, pid))
    result = conditions.pop()
    while conditions:
        result = either(conditions.pop(), result)
    return result


def _number(pid: Maker) -> Maker:
    return lambda span: Call("pid_number", (Convert(pid(span), UINT64, span),), INT, span)
