"""The end of tracing: every thread stands still, then each is put right and let go.

    stops = settle(tracer)        no code of the traced processes runs now: breakpoints can be taken back
    release(tracer, stops)        what is being delivered to a thread is delivered, and all go on without a tracer
    proceed(tracer, stops)        or they go on as before, traced

What a thread stands in is asked of the kernel, not remembered: an exception (Ctrl-C in a program that uses the library)
may have come between any two steps of the tracer.
"""

from __future__ import annotations

import signal
import struct
import threading
import time

from invivo.linux import procfs, ptrace
from invivo.linux.ptrace import (
    EVENT_CLONE,
    EVENT_EXEC,
    EVENT_FORK,
    EVENT_STOP,
    EVENT_VFORK,
    PTRACE_CONT,
    SYSCALL_STOP,
    wait_any,
)
from invivo.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from invivo.engines.process.threads import Thread
    from invivo.engines.process.tracer import Tracer

__all__ = ["Stop", "is_held_by_kernel", "proceed", "release", "settle"]

_STOPPED = 0x7F
_SIGTRAP = int(signal.SIGTRAP)
_SI_KERNEL = 0x80  # of an int3; <asm-generic/siginfo.h>
_CREATES = (EVENT_FORK, EVENT_VFORK, EVENT_CLONE)
_PAUSE_S = 0.0001
_ENDS_S = 1.0  # what was killed has ended by then


@value
class Stop:
    """What a thread stands in. `is_known`: the tracer had been told before, and may have handled it in part."""

    status: int
    is_known: bool = False

    @property
    def event(self) -> int:
        return self.status >> 16

    @property
    def number(self) -> int:
        return self.status >> 8 & 0xFF


def settle(tracer: Tracer) -> dict[int, Stop]:
    """Stop all threads, those too that are made meanwhile. Threads that wait in the kernel and cannot be stopped there
    (a vfork(2) whose child has not called execve yet) are not in the answer: they stop before they run any code."""
    stops: dict[int, Stop] = {}
    waiting: set[int] = set()
    fresh = list(tracer.threads)
    while True:
        while fresh:
            fresh += _look(tracer, fresh.pop(), stops, waiting)
        waiting &= tracer.threads.keys()
        if not waiting:
            break
        tid, status = wait_any(has_to_return=True)
        if tid < 0:
            break
        if tid == 0:
            if is_held_by_kernel(waiting):
                break
            time.sleep(_PAUSE_S)
            continue
        waiting.discard(tid)
        if status & 0xFF != _STOPPED:
            tracer.ended(tid, status)
        elif tid in tracer.threads:
            fresh += _noted(tracer, tracer.threads[tid], Stop(status), stops)
        else:
            tracer.early[tid] = status
    return {tid: stop for tid, stop in stops.items() if tid in tracer.threads}


def _look(tracer: Tracer, tid: int, stops: dict[int, Stop], waiting: set[int]) -> list[int]:
    """Note what a thread stands in, or ask it to stop; the threads that are new by what was found."""
    thread = tracer.threads.get(tid)
    if thread is None or tid in stops:
        return []
    status = ptrace.wait_for(tid, has_to_return=True)
    is_known = False
    if status is None:
        is_known = tracer.early.pop(tid, None) is None
        status = ptrace.stop_status(tid)
    elif status & 0xFF != _STOPPED:
        tracer.ended(tid, status)
        return []
    if status is not None:
        return _noted(tracer, thread, Stop(status, is_known), stops)
    if ptrace.interrupt(tid):
        waiting.add(tid)
    else:
        _reap(tracer, thread)
    return []


def _noted(tracer: Tracer, thread: Thread, stop: Stop, stops: dict[int, Stop]) -> list[int]:
    """Take notice of a stop; the threads that are new by it."""
    stops[thread.tid] = stop
    if stop.event in _CREATES:
        child = tracer.add_child(thread)
        return [child.tid] if child is not None else []
    if stop.event == EVENT_EXEC and not stop.is_known:
        tracer.take_exec(thread)
    return []


def is_held_by_kernel(tids: Iterable[int]) -> bool:
    """Whether all these threads wait in the kernel where no stop reaches them. Then none of their own code runs before
    they have stopped, if they were asked to. Nor does any of one that has ended: the end of a process's first thread is
    not told before all others have ended too, who may stand in a stop."""
    return all(procfs.state(tid) in ("D", "Z", "X", None) for tid in tids)


def release(tracer: Tracer, stops: dict[int, Stop]) -> None:
    """Let all threads go; `stops` are those of settle()."""
    for tid, stop in stops.items():
        if (thread := tracer.threads.get(tid)) is not None:
            _let_go(tracer, thread, stop)
    deadline = time.monotonic() + _ENDS_S
    while tracer.threads:
        tid, status = wait_any(has_to_return=True)
        if tid < 0 or (tid == 0 and not any(_is_awaited(each, deadline) for each in tracer.threads)):
            break
        if tid == 0:
            time.sleep(_PAUSE_S)
            continue
        thread = tracer.threads.get(tid)
        if status & 0xFF != _STOPPED:
            tracer.ended(tid, status)
        elif thread is None:
            tracer.early[tid] = status
        else:
            stop = Stop(status)
            for child in _noted(tracer, thread, stop, {}):
                if tracer.early.pop(child, None) is not None and (now := ptrace.stop_status(child)) is not None:
                    _let_go(tracer, tracer.threads[child], Stop(now))
            _let_go(tracer, thread, stop)
    for tid in list(tracer.early):
        ptrace.detach(tid)
    tracer.early.clear()
    for left in list(tracer.threads.values()):
        tracer.forget(left)


def _let_go(tracer: Tracer, thread: Thread, stop: Stop) -> None:
    """Detach a thread that stands in a stop; or have it go on to the one in which it can be put right."""
    tid = thread.tid
    if stop.event and _has_trap(tid) and ptrace.resume(PTRACE_CONT, tid):
        return
    deliver = _signal(tracer, thread, stop)
    # One that has been killed since, as by another thread that executes a program, stands there no more: it stops anew
    # at its end, and the other is held until it is let go from there (ptrace(2), execve under ptrace).
    if ptrace.detach(tid, deliver):
        tracer.forget(thread)


def _is_awaited(tid: int, deadline: float) -> bool:
    """Whether a thread that the caller traces will tell of itself. Whoever executes a program takes over the number of
    the first one, which is silent then; and one that has ended is for as long as others of its process live."""
    status = procfs.status(tid)
    if status.get("TracerPid") != str(threading.get_native_id()):
        return False
    return status["State"][0] not in "ZX" or time.monotonic() < deadline


def _signal(tracer: Tracer, thread: Thread, stop: Stop) -> int:
    """The signal that a thread is to go on with."""
    if stop.event == EVENT_STOP and stop.number != _SIGTRAP:
        return stop.number
    if stop.event or stop.number == SYSCALL_STOP:
        return thread.deliver
    if stop.number == _SIGTRAP and _is_put_right(thread, stop):
        return thread.deliver
    return tracer.hooks.signalled(thread, stop.number) or thread.deliver


def _is_put_right(thread: Thread, stop: Stop) -> bool:
    """Whether a thread that stopped by SIGTRAP has been moved past its breakpoint already."""
    info = ptrace.read_siginfo(thread.tid)
    if info is not None and thread.is_stepping and struct.unpack_from("<i", info, 8)[0] != _SI_KERNEL:
        return True  # that was the single step
    return stop.is_known and bool(thread.trapped) and ptrace.read_registers(thread.tid) != thread.trapped


def _has_trap(tid: int) -> bool:
    """Whether a thread that stopped for another reason has hit a breakpoint before: it goes on to the stop of that
    SIGTRAP, in which it is put right. It would die of it without a tracer.

    The kernel looks for stops that were asked for before it takes signals (get_signal() in kernel/signal.c). A trap of
    the processor is never blocked; one that is was sent by somebody.
    """
    status = procfs.status(tid)
    waiting = int(status.get("SigPnd", "0"), 16) & ~int(status.get("SigBlk", "0"), 16)
    return bool(waiting >> (_SIGTRAP - 1) & 1)


def proceed(tracer: Tracer, stops: dict[int, Stop]) -> None:
    """Let all threads go on, traced."""
    for tid, stop in stops.items():
        thread = tracer.threads.get(tid)
        if thread is None:
            continue
        if stop.is_known and stop.status >> 8 == _SIGTRAP:
            tracer.go(thread, _signal(tracer, thread, stop))
        else:
            tracer.dispatch(tid, stop.status)


def _reap(tracer: Tracer, thread: Thread) -> None:
    """A thread that cannot be interrupted has ended; take notice."""
    status = ptrace.wait_for(thread.tid, has_to_return=True)
    if status is not None and thread.tid == thread.process.pid:
        tracer.statuses[thread.tid] = status
    tracer.forget(thread)
