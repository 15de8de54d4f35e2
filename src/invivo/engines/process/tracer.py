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

import errno
import signal
import threading
import time
from collections.abc import Callable

from invivo.engines.process.delays import Delays
from invivo.engines.process.detaching import Stop, is_held_by_kernel, proceed, release, settle
from invivo.engines.process.native import loop_ir as loop
from invivo.engines.process.native.capture import Capture
from invivo.engines.process.stepping import Stepper
from invivo.engines.process.threads import Hooks, Process, Thread
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
_AT_ONCE = 256
_PAUSE_S = 0.0001
_ATTEMPTS = 100
_RECORDS_AT_ONCE = 4096  # some 50 ms at the most
_NATIVE_ARCH = 0xC000003E


class Tracer:
    """See the module's text."""

    def __init__(
        self, hooks: Hooks, capture: Capture | None = None, drain: Callable[[], None] = lambda: None
    ) -> None:
        self.hooks = hooks
        self._capture = capture
        self._drain = drain
        self.threads: dict[int, Thread] = {}
        self.processes: dict[int, Process] = {}
        self.mode = PTRACE_CONT  # how threads go on
        self.statuses: dict[int, int] = {}  # wait statuses of processes that ended
        self.early: dict[int, int] = {}  # stops of new threads that came before their parent's event
        self._options = OPTIONS
        self._is_started = False
        self.should_stop = False
        self.stepper = Stepper(self)
        self._delays = Delays(self)
        self.delay = self._delays.add
        self.end_delays = self._delays.end
        # Without a filter: which calls are worth reading registers.
        self.wants: Callable[[int], bool] = lambda number: True

    # --- beginning ----------------------------------------------------------------------------------------------

    def adopt(self, pid: int, options: int) -> None:
        """Take over a child that was seized with `options` and is stopped."""
        self._options = options
        thread = self.add(pid, pid)
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
        seen: set[int] = set()
        try:
            while True:
                fresh = [tid for tid in procfs.threads(pid) if tid not in seen]
                seen.update(fresh)
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
        for attempt in range(_ATTEMPTS, -1, -1):
            try:
                ptrace.seize(tid, self._options)
                break
            except KernelError as error:
                status = procfs.status(tid)
                if tid != pid and (error.errno == errno.ESRCH or status.get("State", "Z")[0] in "ZX"):
                    return  # a thread that has ended meanwhile
                if tid != pid and status.get("TracerPid") == str(threading.get_native_id()):
                    return  # made by one that was seized already, whose stop will tell
                if error.errno != errno.EPERM or not attempt:
                    ptrace.raise_for_seize(error, pid)
                time.sleep(_PAUSE_S)  # while a thread calls execve(2), the others and the first are on their way out
        self.add(tid, pid)
        if ptrace.interrupt(tid):
            waiting.add(tid)

    def _await_stops(self, waiting: set[int]) -> None:
        """Wait until these threads have stopped, for our interrupt or something else (or are gone); not for those that
        the kernel holds where no stop reaches them: they stop before they run any code of theirs."""
        while waiting := waiting & self.threads.keys():
            tid, status = wait_any(has_to_return=True)
            if tid < 0:
                return
            if tid == 0:
                if is_held_by_kernel(waiting):
                    return
                time.sleep(_PAUSE_S)
                continue
            waiting.discard(tid)
            self.dispatch(tid, status)  # it does not go on before start()

    def start(self, mode: int) -> None:
        """Let the threads that attach() or adopt() hold go on."""
        self.mode = mode
        self._is_started = True
        if self._capture is not None:
            self._capture.start(mode)
        for thread in list(self.threads.values()):
            if not thread.is_new:
                self._admit(thread)
            if thread.is_stopped:
                self.go(thread, thread.deliver)

    def go(self, thread: Thread, number: int = 0) -> None:
        """Let a stopped thread go on, with a signal; before start() it waits for that."""
        if not self._is_started:
            thread.is_stopped, thread.deliver = True, number
            return
        thread.is_stopped, thread.deliver = False, 0
        wants_return = thread.number >= 0 and self.wants(thread.number)
        request = PTRACE_SYSCALL if wants_return else self.mode
        if self._delays and self._delays.takes(thread, request, number):
            return
        resume(request, thread.tid, number)
        thread.trapped = b""
        if thread.later:
            thread.send_later()

    def add(self, tid: int, pid: int, parent: int = 0) -> Thread:
        process = self.processes.get(pid)
        if process is None:
            process = self.processes[pid] = Process(pid, parent)
        slot = self._capture.slot(tid, pid) if self._capture is not None else None
        thread = self.threads[tid] = process.threads[tid] = Thread(tid, process, slot)
        if self._capture is not None and len(process.threads) == 2:
            for each in process.threads.values():
                self._capture.join(each.slot)
        return thread

    @property
    def shortest_delay_ns(self) -> int | None:
        """How long until the first thread of delay() goes on; None if none waits."""
        return self._delays.shortest_ns

    def _admit(self, thread: Thread) -> None:
        """The loop may handle its stops from now on."""
        if self._capture is not None:
            self._capture.admit(thread.slot, is_alone=len(thread.process.threads) == 1)

    # --- running ------------------------------------------------------------------------------------------------

    def run(self) -> bool:
        """Handle stops until a signal comes (an alarm's too), `should_stop` is set or many came in a row, so that who
        calls may look at the clock; False if no thread is left."""
        self.should_stop = False
        if self._capture is not None:
            return self._run_loop(self._capture)
        for _ in range(_AT_ONCE):
            if self.should_stop:
                break
            if self._delays:
                self._delays.go_on()
            tid, status = wait_any()
            if tid <= 0:
                return tid == 0 and bool(self.threads)
            self.dispatch(tid, status)
        return bool(self.threads)

    def _run_loop(self, capture: Capture) -> bool:
        """The same, where the loop in machine code handles the stops that it was made for."""
        for _ in range(_AT_ONCE):
            match capture.run(_RECORDS_AT_ONCE):
                case loop.HANDED:
                    self._drain()  # a stop that is seen here comes after those that were written down
                    self.dispatch(*capture.stop)
                case loop.FULL:
                    self._drain()
                case loop.CHILDLESS:
                    return False
                case _:
                    break
            if self.should_stop:
                break
        return bool(self.threads)

    def dispatch(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        if status & 0xFF != _STOPPED:
            self.ended(tid, status)
            return
        if thread is None:
            self.early[tid] = status  # its parent's event is still to come
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
            self.hooks.interrupted(thread)
            self.go(thread)
        else:
            self.go(thread)

    # --- system calls -------------------------------------------------------------------------------------------

    def _seccomp_stop(self, thread: Thread) -> None:
        registers = read_registers(thread.tid)
        if registers is None:
            return
        thread.number = int.from_bytes(registers[120:128], "little")
        wants_return = self.hooks.entered(thread, registers)
        request = PTRACE_SYSCALL if wants_return else self.mode
        if not self._delays or not self._delays.takes(thread, request, 0):
            resume(request, thread.tid)

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
                self.hooks.entered(thread, registers)
        else:
            is_wanted = thread.number < 0 or self.wants(thread.number)
            if is_wanted and (registers := read_registers(thread.tid)) is not None:
                self.hooks.returned(thread, registers)
            thread.number = -1
        self.go(thread)

    # --- threads begin and end ----------------------------------------------------------------------------------

    def _forked(self, thread: Thread) -> None:
        child = self.add_child(thread)
        if child is not None and (status := self.early.pop(child.tid, None)) is not None:
            self._first_stop(child, status)
        self.go(thread)

    def add_child(self, thread: Thread) -> Thread | None:
        """Take notice of the thread that another one has just made; None if that has been done."""
        tid = ptrace.event_message(thread.tid)
        if not tid or tid in self.threads:
            return None
        child = self.add(tid, procfs.thread_group(tid) or tid, thread.process.pid)
        child.is_new = True
        child.call = thread.number
        if child.call < 0 and (registers := read_registers(thread.tid)) is not None:
            child.call = int.from_bytes(registers[120:128], "little")
        self.hooks.forked(thread, child)
        return child

    def _first_stop(self, thread: Thread, status: int) -> None:
        thread.is_new = False
        self._admit(thread)
        if status >> 16 != EVENT_STOP:
            self.dispatch(thread.tid, status)
            return
        self.hooks.born(thread)
        self.go(thread)

    def _executed(self, thread: Thread) -> None:
        self.take_exec(thread)
        self.go(thread)  # the call's return comes next: whoever wanted it gets it

    def take_exec(self, thread: Thread) -> None:
        """All other threads of the process are gone, and whichever called execve(2) has the process's number now."""
        former = ptrace.event_message(thread.tid)
        process = thread.process
        caller = process.threads.get(former)
        if caller is not None and caller is not thread:
            thread.number = caller.number
        for other in list(process.threads.values()):
            if other is not thread:
                self.forget(other)
        process.memory = ProcessMemory(process.pid)
        if self._capture is not None:
            self._capture.executed(thread.slot)
        self.hooks.executed(thread, former)

    def _exiting(self, thread: Thread) -> None:
        self.hooks.exiting(thread, ptrace.event_message(thread.tid))
        resume(PTRACE_CONT, thread.tid)

    def ended(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        self.early.pop(tid, None)
        if thread is None:
            self.statuses[tid] = status  # another child of this process
            return
        if tid == thread.process.pid:
            self.statuses[tid] = status
        self.forget(thread)

    def forget(self, thread: Thread) -> None:
        self.threads.pop(thread.tid, None)
        process = thread.process
        process.threads.pop(thread.tid, None)
        self.hooks.gone(thread)
        if self._capture is not None:
            self._capture.forget(thread.slot)
        if not process.threads:
            self.processes.pop(process.pid, None)

    # --- signals ------------------------------------------------------------------------------------------------

    def _signal(self, thread: Thread, number: int) -> None:
        thread.is_stopped = True  # while others are stepped in its turn, it is not to be waited for
        deliver = self.hooks.signalled(thread, number) or thread.deliver
        if thread.tid in self.threads and thread.is_stopped:
            self.go(thread, deliver)

    # --- ending -------------------------------------------------------------------------------------------------

    def settle(self) -> dict[int, Stop]:
        """Have all threads stand still, for detach() or proceed()."""
        return settle(self)

    def proceed(self, stops: dict[int, Stop]) -> None:
        """Let all threads go on after settle(), traced."""
        proceed(self, stops)

    def detach(self, stops: dict[int, Stop] | None = None) -> None:
        """Stop every thread, unless settle() has, and let it go. What is being delivered to one is delivered."""
        release(self, settle(self) if stops is None else stops)
