"""Variables about the running thread: pid, tid, execname ...

pid        Convert(Call("pid_tgid") >> 32, pid_t); at sched:::on-cpu, that of the thread that comes
ppid       curthread->real_parent->tgid, read through BTF
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Binary, Call, Convert, Expr, IntLit, ReadString
from invivo.program.types import UINT32, ULONG, Int, String

__all__: list[str] = []

_PID = Int("pid_t", 4, True)
_UID = Int("uid_t", 4, False)
_GID = Int("gid_t", 4, False)


def _half(b: Builder, primitive: str, is_high: bool, type_: Int) -> Expr:
    pair = Call(primitive, (), ULONG, b.span)
    if is_high:
        return Convert(Binary(">>", pair, IntLit(32, ULONG, b.span), ULONG, b.span), type_, b.span)
    return Convert(pair, type_, b.span)


def _id(member: str, is_high: bool) -> Callable[[Builder], Expr]:
    def rewrite(b: Builder) -> Expr:
        if b.context.current is not None:
            return Convert(b.member(b.task(), member), _PID, b.span)
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


def _ppid(b: Builder) -> Expr:
    return Convert(b.member(b.task(), "real_parent.tgid"), _PID, b.span)


register(
    Builtin("pid", Kind.VARIABLE, "pid_t pid", "process id (thread group) of the running thread", _id("tgid", True)),
    Builtin("tid", Kind.VARIABLE, "pid_t tid", "thread id of the running thread", _id("pid", False)),
    Builtin("ppid", Kind.VARIABLE, "pid_t ppid", "process id of the parent of the running process", _ppid),
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
