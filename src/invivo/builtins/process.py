"""Variables about the running thread: pid, tid, execname ...

pid        Convert(Call("pid_tgid") >> 32, pid_t); at sched:::on-cpu, that of the thread that comes
ppid       curthread->real_parent->tgid, read through BTF; in a pid namespace, the number that it has there
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Binary, Call, Convert, Expr, IntLit, Memory, ReadString
from invivo.program.types import UINT32, ULONG, Int, Pointer, Space, String, Struct

__all__: list[str] = []

_PID = Int("pid_t", 4, True)
_UID = Int("uid_t", 4, False)
_GID = Int("gid_t", 4, False)


def _half(b: Builder, primitive: str, is_high: bool, type_: Int) -> Expr:
    pair = Call(primitive, (), ULONG, b.span)
    if is_high:
        return Convert(Binary(">>", pair, IntLit(32, ULONG, b.span), ULONG, b.span), type_, b.span)
    return Convert(pair, type_, b.span)


def _id(of_task: Callable[[Builder, Expr], Expr], is_high: bool) -> Callable[[Builder], Expr]:
    def rewrite(b: Builder) -> Expr:
        if b.context.current is not None:
            return of_task(b, b.task())
        return _half(b, "pid_tgid", is_high, _PID)

    return rewrite


def _owner(member: str, is_high: bool, type_: Int) -> Callable[[Builder], Expr]:
    def rewrite(b: Builder) -> Expr:
        if b.context.current is not None:
            return Convert(b.member(b.task(), f"cred.{member}.val"), type_, b.span)
        return _half(b, "uid_gid", is_high, type_)

    return rewrite


def _execname(b: Builder) -> Expr:
    if b.context.current is None:
        return Call("comm", (), String(16), b.span)
    comm = b.member(b.task(), "comm")
    return ReadString(getattr(comm, "address"), getattr(comm, "space"), String(16), b.span)  # noqa: B009


def _thread(b: Builder, task: Expr) -> Expr:
    """A task's thread id. The kernel's task->pid is that of the initial namespace."""
    if b.is_namespaced:
        return _number(b, b.member(task, "thread_pid"))
    return Convert(b.member(task, "pid"), _PID, b.span)


def _process(b: Builder, task: Expr) -> Expr:
    """A task's process id."""
    if b.is_namespaced:
        return _number(b, b.member(task, "group_leader.thread_pid"))
    return Convert(b.member(task, "tgid"), _PID, b.span)


def _number(b: Builder, pid: Expr) -> Expr:
    """The number of a struct pid."""
    if b.is_namespaced:
        return Call("pid_number", (Convert(pid, ULONG, b.span),), _PID, b.span)
    numbers = b.member(pid, "numbers")
    assert isinstance(numbers, Memory)
    upid = b.struct("upid")
    return Convert(b.member(Convert(numbers.address, Pointer(upid, numbers.space), b.span), "nr"), _PID, b.span)


def _of(struct: str, rewrite: Callable[[Builder, Expr], Expr]) -> Callable[[Builder, list[Expr]], Expr]:
    """As a subroutine whose argument is a pointer to such a structure."""

    def subroutine(b: Builder, arguments: list[Expr]) -> Expr:
        (given,) = arguments
        if not (isinstance(given.type, Pointer) and isinstance(given.type.target, Struct)):
            given = Convert(given, Pointer(b.struct(struct), Space.KERNEL), b.span)
        return rewrite(b, given)

    return subroutine


register(
    Builtin("pid", Kind.VARIABLE, "pid_t pid", "process id (thread group) of the running thread", _id(_process, True)),
    Builtin("tid", Kind.VARIABLE, "pid_t tid", "thread id of the running thread", _id(_thread, False)),
    Builtin("ppid", Kind.VARIABLE, "pid_t ppid", "process id of the parent of the running process",
            lambda b: _process(b, b.member(b.task(), "real_parent"))),
    Builtin("__pid_of", Kind.SUBROUTINE, "pid_t __pid_of(void *task)", "process id of a task",
            subroutine=_of("task_struct", _process)),
    Builtin("__tid_of", Kind.SUBROUTINE, "pid_t __tid_of(void *task)", "thread id of a task",
            subroutine=_of("task_struct", _thread)),
    Builtin("__pid_number", Kind.SUBROUTINE, "pid_t __pid_number(void *pid)", "number of a struct pid",
            subroutine=_of("pid", _number)),
    Builtin("uid", Kind.VARIABLE, "uid_t uid", "user id of the running thread", _owner("uid", False, _UID)),
    Builtin("gid", Kind.VARIABLE, "gid_t gid", "group id of the running thread", _owner("gid", True, _GID)),
    Builtin("execname", Kind.VARIABLE, "string execname", "name of the running thread (at most 15 bytes)", _execname),
    Builtin(
        "curthread",
        Kind.VARIABLE,
        "struct task_struct * curthread",
        "the kernel's structure of the running thread",
        lambda b: b.task(),
    ),
    Builtin(
        "cpu",
        Kind.VARIABLE,
        "processorid_t cpu",
        "number of the CPU on which the probe fired",
        lambda b: Convert(Call("cpu", (), UINT32, b.span), Int("processorid_t", 4, True), b.span),
    ),
)
