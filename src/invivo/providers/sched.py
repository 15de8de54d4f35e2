"""The sched provider: threads get a processor, lose it, and are woken.

In: the scheduler's raw tracepoints. Out: DTrace's probes with DTrace's arguments.

    sched:::off-cpu { self->ts = timestamp; }                      sched_switch, in the thread that leaves
    sched:::on-cpu /self->ts/ { @[execname] = quantize(timestamp - self->ts); self->ts = 0; }
    sched:::wakeup { @[execname, args[1]->pr_fname] = count(); }   sched_waking, in the thread that wakes another
"""

from __future__ import annotations

from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.plan import Traits
from invivo.program.types import BOOL, Type, is_integral
from invivo.providers.base import KernelTypeSource
from invivo.providers.expressions import (
    Maker,
    both,
    choose,
    compare,
    either,
    equals,
    literal,
    member,
    word,
)
from invivo.providers.table import MODULE, NO_ARGUMENTS, Kernel, Row, TableProvider, absent, context

__all__ = ["provider"]

_PREVIOUS, _NEXT, _PREVIOUS_STATE = 1, 2, 3  # words of sched_switch


class _Rows:
    def __init__(self, types: KernelTypeSource) -> None:
        self._kernel = Kernel(types)

    def rows(self) -> list[Row]:
        # off-cpu comes before on-cpu: at one switch, what a clause of off-cpu does is done when on-cpu's runs. What
        # takes its time about the thread that leaves, such as its stack, goes after on-cpu, into the others.
        return [
            Row("off-cpu", self.off_cpu),
            Row("on-cpu", self.on_cpu),
            Row("leave", self.leave),
            Row("preempt", self.preempt),
            Row("remain-cpu", self.remain_cpu),
            Row("sleep", self.sleep),
            Row("surrender", self.surrender),
            Row("wakeup", self.wakeup),
            Row("change-pri", absent("no tracepoint tells of a changed priority; it needs a kprobe")),
            Row("dequeue", absent("no tracepoint tells which thread leaves a run queue; it needs a kprobe")),
            Row("enqueue", absent("no tracepoint tells which thread joins a run queue; it needs a kprobe")),
            Row("schedctl-nopreempt", absent("Linux has no schedctl")),
            Row("schedctl-preempt", absent("Linux has no schedctl")),
            Row("schedctl-yield", absent("Linux has no schedctl")),
            Row("tick", absent("no tracepoint tells of the scheduler's tick; it needs a kprobe (see also profile-N)")),
        ]

    def off_cpu(self) -> Probe:
        """In the thread that leaves; args tell of the one that follows."""
        args = self._kernel.thread(self._kernel.pointer(_NEXT, "task_struct"))
        return self._switch("off-cpu", context("sched:::off-cpu", *args))

    def on_cpu(self) -> Probe:
        """Of the thread that comes. The kernel still runs the one that leaves, but pid and self-> are the next's."""
        following = self._kernel.pointer(_NEXT, "task_struct")
        return self._switch("on-cpu", context("sched:::on-cpu", current=following))

    def leave(self) -> Probe:
        """As off-cpu, but after the on-cpu of the thread that comes; args[0] is the kernel's task state: 0 of a thread
        that could go on, and else what kind of wait it is. (In the task itself that may be gone: another processor may
        be waking the thread already.)"""
        state, type_ = self._state()
        waits = choose(compare("!=", word(0, BOOL), BOOL, 0), literal(0, type_), state, type_)
        return self._switch("leave", context("sched:::leave", ProbeArg("state", type_, waits)))

    def preempt(self) -> Probe:
        """In a thread that leaves although it could go on: preempted, out of time, or yielding."""
        state, type_ = self._state()
        task = self._kernel.struct("task_struct")
        pid, pid_type = member(self._kernel.pointer(_PREVIOUS, "task_struct"), task, "pid")
        # One that was about to wait and is preempted stays ready: its state does not tell.
        is_runnable = either(equals(state, type_, 0), compare("!=", word(0, BOOL), BOOL, 0))
        guard = both(is_runnable, compare("!=", pid, pid_type, 0))  # the idle thread always gives way
        return self._switch("preempt", NO_ARGUMENTS, guard)

    def sleep(self) -> Probe:
        """In a thread that leaves to wait for something."""
        state, type_ = self._state()
        guard = both(compare("!=", state, type_, 0), equals(word(0, BOOL), BOOL, 0))
        return self._switch("sleep", NO_ARGUMENTS, guard)

    def _state(self) -> tuple[Maker, Type]:
        """The leaving thread's state: a word since Linux 5.18 (fa2c3254d7cf), read from the task before."""
        _, prototype = self._kernel.raw_tracepoint("sched_switch")
        if len(prototype) > _PREVIOUS_STATE and is_integral(prototype[_PREVIOUS_STATE][1]):
            type_ = prototype[_PREVIOUS_STATE][1]
            return word(_PREVIOUS_STATE, type_), type_
        task = self._kernel.struct("task_struct")
        name = "__state" if task.find("__state") is not None else "state"  # renamed in 5.14
        return member(self._kernel.pointer(_PREVIOUS, "task_struct"), task, name)

    def remain_cpu(self) -> Probe:
        """In a thread that the scheduler, asked, lets go on."""
        attach, _ = self._kernel.raw_tracepoint("sched_exit_tp")
        stays = equals(word(0, BOOL), BOOL, 0)
        return Probe("sched", MODULE, "", "remain-cpu", attach, NO_ARGUMENTS, None, stays)

    def surrender(self) -> Probe:
        """Where a thread that runs is told to give way; args tell of it."""
        attach, _ = self._kernel.raw_tracepoint("sched_set_need_resched_tp")
        args = self._kernel.thread(self._kernel.pointer(0, "task_struct"))
        return Probe("sched", MODULE, "", "surrender", attach, context("sched:::surrender", *args))

    def wakeup(self) -> Probe:
        """In the thread that wakes another; args tell of the one that is woken. (sched_wakeup may come later, on the
        other's processor and in whatever runs there.)"""
        attach, _ = self._kernel.raw_tracepoint("sched_waking")
        args = self._kernel.thread(self._kernel.pointer(0, "task_struct"))
        return Probe("sched", MODULE, "", "wakeup", attach, context("sched:::wakeup", *args))

    def _switch(self, name: str, seen: Context, guard: Maker | None = None) -> Probe:
        attach, _ = self._kernel.raw_tracepoint("sched_switch")
        return Probe("sched", MODULE, "", name, attach, seen, None, guard)


def provider(types: KernelTypeSource, traits: Traits) -> TableProvider:
    return TableProvider("sched", _Rows(types).rows())
