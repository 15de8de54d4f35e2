"""Follows traced threads from stop to stop: what the kernel reports becomes a call of a hook, and the thread goes on.

    tracer = Tracer(hooks)
    tracer.attach(4711)                     every thread of a process; or adopt(pid), a command held at its exec
    tracer.start(filtered=True)             they go on; system calls of a seccomp filter stop
    tracer.run()                            until something wants attention: a signal, an alarm, the end of all
    tracer.detach()                         all threads stopped, and let go

Forks, vforks, clones and threads are followed, and an exec by any thread. A signal is passed on when its hook is done;
a group-stop stays one (PTRACE_LISTEN). Without a filter every system call stops twice (PTRACE_SYSCALL).
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from invivo.errors import KernelError, TargetError
from invivo.linux import procfs, ptrace
from invivo.linux.ptrace import (
    EVENT_CLONE,
    EVENT_EXEC,
    EVENT_EXIT,
    EVENT_FORK,
    EVENT_SECCOMP,
    EVENT_STOP,
    EVENT_VFORK,
    OPTIONS,
    PTRACE_CONT,
    PTRACE_LISTEN,
    PTRACE_SYSCALL,
    SYSCALL_STOP,
    ProcessMemory,
    read_registers,
    resume,
    wait_any,
)

__all__ = ["Hooks", "Process", "Thread", "Tracer"]

_SIGTRAP = int(signal.SIGTRAP)
_STOPPED = 0x7F
_FILTERED = EVENT_SECCOMP << 16 | _SIGTRAP << 8 | _STOPPED
_RETURNED = SYSCALL_STOP << 8 | _STOPPED
_AT_ONCE = 256
_OF_INSTRUCTIONS = frozenset(map(int, (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)))
_NATIVE_ARCH = 0xC000003E


class Process:
    """A thread group. `memory` reads its address space, which a child of vfork shares with its parent."""

    __slots__ = ("memory", "parent", "pid", "threads")

    def __init__(self, pid: int, parent: int) -> None:
        self.pid = pid
        self.parent = parent
        self.threads: dict[int, Thread] = {}
        self.memory = ProcessMemory(pid)


class Thread:
    """A traced thread. `number` is the system call that it is in, as far as it was seen to enter it, or -1; `call` the
    number of the fork or clone that made it, until its first stop; `extra` is the hooks'."""

    __slots__ = ("call", "deliver", "extra", "is_new", "is_stopped", "number", "process", "tid")

    def __init__(self, tid: int, process: Process) -> None:
        self.tid = tid
        self.process = process
        self.number = -1
        self.call = -1
        self.is_new = False  # its first stop has not been seen
        self.is_stopped = False  # and is to be resumed by whoever has stopped it
        self.deliver = 0  # a signal that came while it was stepped
        self.extra: object = None


class Hooks(Protocol):
    """What is told. Every call comes while the thread is stopped; `registers` are as read_registers() gives them."""

    def entered(self, thread: Thread, registers: bytes) -> bool:
        """A system call begins, thread.number. Whether its return is wanted."""
        ...

    def returned(self, thread: Thread, registers: bytes) -> None:
        """The system call has ended; thread.number is what it was."""
        ...

    def forked(self, thread: Thread, child: Thread) -> None:
        """A process, or a thread where child.process is thread.process, is made, and has not run."""
        ...

    def born(self, thread: Thread) -> None:
        """The first stop of a new thread, before its first instruction."""
        ...

    def executed(self, thread: Thread, former: int) -> None:
        """A new program is loaded; `former` is the id of the thread that called execve(2)."""
        ...

    def exiting(self, thread: Thread, status: int) -> None:
        """The thread is about to end; `status` is as wait(2) will give it. It is still there to be read."""
        ...

    def gone(self, thread: Thread) -> None:
        """The thread has ended."""
        ...

    def signalled(self, thread: Thread, number: int) -> int:
        """A signal is about to be delivered. The signal to deliver, or 0."""
        ...

    def interrupted(self, thread: Thread) -> None:
        """It stopped because interrupt() was asked for."""
        ...


class Tracer:
    """See the module's text."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.threads: dict[int, Thread] = {}
        self.processes: dict[int, Process] = {}
        self.mode = PTRACE_CONT  # how threads go on
        self.statuses: dict[int, int] = {}  # wait statuses of processes that ended
        self._early: dict[int, int] = {}  # stops of new threads that came before their parent's event
        self._held: dict[int, int] = {}  # stops of threads that stand still while another is stepped
        self._is_draining = False
        self._options = OPTIONS
        self.should_stop = False
        self.on_entry: Callable[[Thread, bytes], bool] = hooks.entered
        # Without a filter: which calls are worth reading registers.
        self.wants: Callable[[int], bool] = lambda number: True

    # --- beginning ----------------------------------------------------------------------------------------------

    def adopt(self, pid: int, options: int) -> None:
        """Take over a child that was seized with `options` and is stopped."""
        self._options = options
        thread = self._thread(pid, pid)
        thread.is_stopped = True
        if (registers := read_registers(pid)) is not None:
            thread.number = int.from_bytes(registers[120:128], "little")  # execve(2), which has not returned

    def attach(self, pid: int, extra_options: int = 0) -> None:
        """Seize all threads of a process and stop them.

        Raises:
            InvivoError: It cannot be traced; nothing of it is left seized.
        """
        self._options = OPTIONS | extra_options
        waiting: set[int] = set()
        try:
            while True:
                fresh = [tid for tid in procfs.threads(pid) if tid not in self.threads]
                for tid in fresh:
                    self._seize(tid, pid, waiting)
                if not fresh:
                    break
            if not self.threads:
                raise TargetError(f"there is no process {pid}", "see: ps -e")
        except BaseException:
            self.detach()
            raise
        self._await_stops(waiting)

    def _seize(self, tid: int, pid: int, waiting: set[int]) -> None:
        try:
            ptrace.seize(tid, self._options)
        except KernelError as error:
            if tid != pid and error.errno == 3:  # a thread that has ended meanwhile
                return
            ptrace.raise_for_seize(error, pid)
        self._thread(tid, pid)
        if ptrace.interrupt(tid):
            waiting.add(tid)

    def _await_stops(self, waiting: set[int]) -> None:
        """Wait until these threads have stopped for our interrupt (or are gone)."""
        while waiting:
            for tid in list(waiting):
                if tid not in self.threads:
                    waiting.discard(tid)
            if not waiting:
                return
            tid, status = wait_any()
            if tid < 0:
                return
            if tid == 0:
                continue
            if tid in waiting and status & 0xFF == _STOPPED and status >> 16 == EVENT_STOP:
                waiting.discard(tid)
                thread = self.threads[tid]
                if status >> 8 & 0xFF != _SIGTRAP:
                    resume(PTRACE_LISTEN, tid)  # in a group-stop, and stays there
                else:
                    thread.is_stopped = True
            else:
                self._dispatch(tid, status)

    def start(self, mode: int) -> None:
        """Let the threads that attach() or adopt() hold go on."""
        self.mode = mode
        for thread in list(self.threads.values()):
            if thread.is_stopped:
                self._go(thread)

    def _go(self, thread: Thread, number: int = 0) -> None:
        thread.is_stopped = False
        wants_return = thread.number >= 0 and self.wants(thread.number)
        resume(PTRACE_SYSCALL if wants_return else self.mode, thread.tid, number)

    def _thread(self, tid: int, pid: int, parent: int = 0) -> Thread:
        process = self.processes.get(pid)
        if process is None:
            process = self.processes[pid] = Process(pid, parent)
        thread = self.threads[tid] = process.threads[tid] = Thread(tid, process)
        return thread

    # --- running ------------------------------------------------------------------------------------------------

    def run(self) -> bool:
        """Handle stops until a signal comes (an alarm's too), `should_stop` is set or many came in a row, so that who
        calls may look at the clock; False if no thread is left."""
        threads = self.threads
        on_entry, on_return = self.on_entry, self._hooks.returned
        self.should_stop = False
        for _ in range(_AT_ONCE):
            if self.should_stop:
                break
            tid, status = wait_any()
            if tid <= 0:
                return tid == 0 and bool(threads)
            thread = threads.get(tid)
            if thread is not None and not thread.is_new:
                # The two stops that come a hundred thousand times a second, without another call.
                if status == _FILTERED:
                    registers = read_registers(tid)
                    if registers is not None:
                        thread.number = int.from_bytes(registers[120:128], "little")
                        resume(PTRACE_SYSCALL if on_entry(thread, registers) else self.mode, tid)
                    continue
                if status == _RETURNED and thread.number >= 0 and self.mode == PTRACE_CONT:
                    registers = read_registers(tid)
                    if registers is not None:
                        on_return(thread, registers)
                        thread.number = -1
                        resume(PTRACE_CONT, tid)
                    continue
            self._dispatch(tid, status)
        return bool(threads)

    def _dispatch(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        if status & 0xFF != _STOPPED:
            self._ended(tid, status)
            return
        if thread is None:
            self._early[tid] = status  # its parent's event is still to come
            return
        if thread.is_new:
            self._first_stop(thread, status)
            return
        event, number = status >> 16, status >> 8 & 0xFF
        if number == SYSCALL_STOP:
            self._syscall_stop(thread)
        elif event == 0:
            self._signal(thread, number)
        elif event == EVENT_SECCOMP:
            self._seccomp_stop(thread)
        elif event in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE):
            self._forked(thread)
        elif event == EVENT_EXEC:
            self._executed(thread)
        elif event == EVENT_EXIT:
            self._exiting(thread)
        elif event == EVENT_STOP:
            if number != _SIGTRAP:
                resume(PTRACE_LISTEN, tid)
                return
            self._hooks.interrupted(thread)
            self._go(thread)
        else:
            self._go(thread)

    # --- system calls -------------------------------------------------------------------------------------------

    def _seccomp_stop(self, thread: Thread) -> None:
        registers = read_registers(thread.tid)
        if registers is None:
            return
        thread.number = int.from_bytes(registers[120:128], "little")
        wants_return = self.on_entry(thread, registers)
        resume(PTRACE_SYSCALL if wants_return else self.mode, thread.tid)

    def _syscall_stop(self, thread: Thread) -> None:
        """Entry or return, as the kernel says (or in turn, before Linux 5.3)."""
        info = ptrace.syscall_info(thread.tid)
        is_entry = thread.number < 0 if info is None else info.op == 1
        if is_entry:
            number = -1 if info is None else info.number
            if info is not None and (info.arch != _NATIVE_ARCH or not self.wants(number)):
                thread.number = number
            elif (registers := read_registers(thread.tid)) is not None:
                thread.number = int.from_bytes(registers[120:128], "little")
                self.on_entry(thread, registers)
        else:
            is_wanted = thread.number < 0 or self.wants(thread.number)
            if is_wanted and (registers := read_registers(thread.tid)) is not None:
                self._hooks.returned(thread, registers)
            thread.number = -1
        self._go(thread)

    # --- threads begin and end ----------------------------------------------------------------------------------

    def _forked(self, thread: Thread) -> None:
        tid = ptrace.event_message(thread.tid)
        if tid:
            pid = procfs.thread_group(tid) or tid
            child = self.threads.get(tid)
            if child is None:
                child = self._thread(tid, pid, thread.process.pid)
                child.is_new = True
                child.call = thread.number
                if child.call < 0 and (registers := read_registers(thread.tid)) is not None:
                    child.call = int.from_bytes(registers[120:128], "little")
                self._hooks.forked(thread, child)
                if (status := self._early.pop(tid, None)) is not None:
                    self._first_stop(child, status)
        self._go(thread)

    def _first_stop(self, thread: Thread, status: int) -> None:
        thread.is_new = False
        if status >> 16 != EVENT_STOP:
            self._dispatch(thread.tid, status)
            return
        self._hooks.born(thread)
        self._go(thread)

    def _executed(self, thread: Thread) -> None:
        """All other threads of the process are gone, and whichever called execve(2) has the process's number now."""
        former = ptrace.event_message(thread.tid)
        process = thread.process
        caller = process.threads.get(former)
        if caller is not None and caller is not thread:
            thread.number = caller.number
        for other in list(process.threads.values()):
            if other is not thread:
                self._forget(other)
        process.memory = ProcessMemory(process.pid)
        self._hooks.executed(thread, former)
        self._go(thread)  # the call's return comes next: whoever wanted it gets it

    def _exiting(self, thread: Thread) -> None:
        self._hooks.exiting(thread, ptrace.event_message(thread.tid))
        resume(PTRACE_CONT, thread.tid)

    def _ended(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        self._early.pop(tid, None)
        if thread is None:
            self.statuses[tid] = status  # another child of this process
            return
        if tid == thread.process.pid:
            self.statuses[tid] = status
        self._forget(thread)

    def _forget(self, thread: Thread) -> None:
        self.threads.pop(thread.tid, None)
        process = thread.process
        process.threads.pop(thread.tid, None)
        self._hooks.gone(thread)
        if not process.threads:
            self.processes.pop(process.pid, None)

    # --- signals ------------------------------------------------------------------------------------------------

    def _signal(self, thread: Thread, number: int) -> None:
        thread.is_stopped = True  # while others are stepped in its turn, it is not to be waited for
        deliver = self._hooks.signalled(thread, number) or thread.deliver
        thread.deliver = 0
        if thread.tid in self.threads:
            self._go(thread, deliver)

    # --- single steps -------------------------------------------------------------------------------------------

    @contextmanager
    def others_stopped(self, thread: Thread) -> Iterator[None]:
        """The process's other threads stand still meanwhile; what they stopped for is handled afterwards."""
        held = self._held
        for other in list(thread.process.threads.values()):
            if other is thread or other.is_stopped or other.is_new or other.tid in held:
                continue
            if ptrace.interrupt(other.tid) and (status := ptrace.wait_for(other.tid)) is not None:
                held[other.tid] = status
        yield
        if not self._is_draining:  # a stop that is handled here may itself hold others
            self._is_draining = True
            try:
                while held:
                    tid = next(iter(held))
                    self._dispatch(tid, held.pop(tid))
            finally:
                self._is_draining = False

    def step(self, thread: Thread) -> None:
        """Let a stopped thread carry out one instruction. A signal that comes before it is left in thread.deliver; one
        that the instruction itself causes too, and then it has not been carried out."""
        tid = thread.tid
        while resume(ptrace.PTRACE_SINGLESTEP, tid):
            status = ptrace.wait_for(tid)
            if status is None:
                return
            if status & 0xFF != _STOPPED:
                self._ended(tid, status)
                return
            event, number = status >> 16, status >> 8 & 0xFF
            if event == 0 and number == _SIGTRAP:
                return
            if event == 0 and number != SYSCALL_STOP:
                thread.deliver = number
                if number in _OF_INSTRUCTIONS:
                    return
            elif event != EVENT_STOP:
                self._dispatch(tid, status)
                return

    # --- ending -------------------------------------------------------------------------------------------------

    def detach(self) -> None:
        """Stop every thread and let it go. What is being delivered to one is delivered."""
        pending = set(self.threads)
        for tid in list(pending):
            thread = self.threads[tid]
            if thread.is_stopped:
                ptrace.detach(tid)
                pending.discard(tid)
                self._drop(thread)
            elif not ptrace.interrupt(tid):
                self._reap(thread)
                pending.discard(tid)
        while pending:
            tid, status = wait_any()
            if tid < 0:
                break
            known = self.threads.get(tid)
            if tid == 0 or known is None:
                if tid > 0 and status & 0xFF == _STOPPED:
                    ptrace.detach(tid)  # a child that was made meanwhile
                elif tid > 0:
                    self.statuses[tid] = status
                continue
            if status & 0xFF != _STOPPED:
                self._ended(tid, status)
                pending.discard(tid)
                continue
            thread = known
            event, number = status >> 16, status >> 8 & 0xFF
            if event in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE):
                child = ptrace.event_message(tid)
                if child and child not in self.threads:
                    self._thread(child, procfs.thread_group(child) or child)
                    if child in self._early:
                        del self._early[child]
                        ptrace.detach(child)
                        self._drop(self.threads[child])
                    else:
                        pending.add(child)
            deliver = 0
            if event == 0 and number != SYSCALL_STOP:
                deliver = self._hooks.signalled(thread, number) or thread.deliver
            elif event == EVENT_STOP and number != _SIGTRAP:
                deliver = number
            ptrace.detach(tid, deliver)
            self._drop(thread)
            pending.discard(tid)
        for left in list(self.threads.values()):
            self._drop(left)

    def _drop(self, thread: Thread) -> None:
        self._forget(thread)

    def _reap(self, thread: Thread) -> None:
        """A thread that cannot be interrupted has ended; take notice."""
        status = ptrace.wait_for(thread.tid, has_to_return=True)
        if status is not None and thread.tid == thread.process.pid:
            self.statuses[thread.tid] = status
        self._drop(thread)
