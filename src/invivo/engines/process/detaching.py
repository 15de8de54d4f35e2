"""The end of tracing: every thread is stopped and let go, and what is being delivered to one is delivered."""

from __future__ import annotations

import signal

from invivo.linux import procfs, ptrace
from invivo.linux.ptrace import EVENT_CLONE, EVENT_FORK, EVENT_STOP, EVENT_VFORK, PTRACE_CONT, SYSCALL_STOP, wait_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.threads import Thread
    from invivo.engines.process.tracer import Tracer

__all__ = ["detach"]

_STOPPED = 0x7F
_SIGTRAP = int(signal.SIGTRAP)


def detach(tracer: Tracer) -> None:
    """Let all threads of a tracer go."""
    pending = set(tracer.threads)
    for tid in list(pending):
        thread = tracer.threads[tid]
        if thread.is_stopped:
            if not _take_trap(tid):
                ptrace.detach(tid)
                pending.discard(tid)
                tracer.forget(thread)
        elif not ptrace.interrupt(tid):
            _reap(tracer, thread)
            pending.discard(tid)
    while pending:
        tid, status = wait_any()
        if tid < 0:
            break
        known = tracer.threads.get(tid)
        if tid == 0 or known is None:
            if tid > 0 and status & 0xFF == _STOPPED:
                ptrace.detach(tid)  # a child that was made meanwhile
            elif tid > 0:
                tracer.statuses[tid] = status
            continue
        if status & 0xFF != _STOPPED:
            tracer.ended(tid, status)
            pending.discard(tid)
            continue
        thread = known
        event, number = status >> 16, status >> 8 & 0xFF
        if event in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE):
            child = ptrace.event_message(tid)
            if child and child not in tracer.threads:
                tracer.add(child, procfs.thread_group(child) or child)
                if child in tracer.early:
                    del tracer.early[child]
                    ptrace.detach(child)
                    tracer.forget(tracer.threads[child])
                else:
                    pending.add(child)
        if event != 0 and _take_trap(tid):
            continue
        deliver = 0
        if event == 0 and number != SYSCALL_STOP:
            deliver = tracer.hooks.signalled(thread, number) or thread.deliver
        elif event == EVENT_STOP and number != _SIGTRAP:
            deliver = number
        ptrace.detach(tid, deliver)
        tracer.forget(thread)
        pending.discard(tid)
    for left in list(tracer.threads.values()):
        tracer.forget(left)


def _take_trap(tid: int) -> bool:
    """Whether a thread that stopped for another reason has hit a breakpoint before: it goes on to the stop of that
    SIGTRAP, in which it is put right. It would die of it without a tracer.

    The kernel looks for stops that were asked for before it takes signals (get_signal() in kernel/signal.c). A trap of
    the processor is never blocked; one that is was sent by somebody.
    """
    status = procfs.status(tid)
    waiting = int(status.get("SigPnd", "0"), 16) & ~int(status.get("SigBlk", "0"), 16)
    return bool(waiting >> (_SIGTRAP - 1) & 1) and ptrace.resume(PTRACE_CONT, tid)


def _reap(tracer: Tracer, thread: Thread) -> None:
    """A thread that cannot be interrupted has ended; take notice."""
    status = ptrace.wait_for(thread.tid, has_to_return=True)
    if status is not None and thread.tid == thread.process.pid:
        tracer.statuses[thread.tid] = status
    tracer.forget(thread)
