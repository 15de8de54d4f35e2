"""Waits that were open when tracing began, or are when it ends.

    waits = OpenWaits(program, pid=4711)     who is blocked now, and where in the kernel, by /proc
    ...                                      what the program sums up: all waits that end while tracing
    waits.end(session, profile, stacks, ns)  those that were still open then, as samples

A thread that blocks while it is traced leaves the moment and its stacks in self->at, self->u and self->k, and in
self->owed waits of which the end was not seen; see kinds.py.
Of one that was blocked before, nobody has seen the stack in user space: it gets a frame that says so, and the kernel's
stack of /proc/PID/task/TID/stack.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from invivo.flame.profile import Kind, Thread
from invivo.linux import procfs
from invivo.program.aggregates import signed
from invivo.tools.flame.kinds import LOCK_OPERATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.flame.profile import Profile
    from invivo.session import Session
    from invivo.tools.flame.kinds import Program
    from invivo.tools.flame.stacks import Stacks

__all__ = ["BEFORE", "OpenWaits"]

BEFORE = "[blocked since before tracing began]"
_DEAD = ("Z", "X", None)
_ENTRY = re.compile(r"__[a-z0-9]+_sys_(\w+)$")  # the kernel's function of a system call: __x64_sys_futex


class _Blocked(NamedTuple):
    """A thread that is blocked: who it is, when it was born (ns since boot), and where, innermost function first."""

    thread: Thread
    born: int
    functions: list[str]


class OpenWaits:
    """The waits of one run. `pid`: of this process; None for the whole machine but the tracer itself.

    Args:
        program: Says which waits are wanted, and in which states.
        pid: The process that is traced, or None for all.
        except_pid: Whose threads do not count.
        held: A command that is held until tracing is ready: that wait is not its own.

    `start` is the moment from which on waits count, in ns of CLOCK_MONOTONIC: now, until it is known better.
    """

    def __init__(self, program: Program, pid: int | None, except_pid: int, held: int | None = None) -> None:
        self._program = program
        self._pid = pid
        self._except = except_pid
        self._held = held
        self.start = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self._looked: dict[int, int] = {}  # when threads were found not to be blocked
        is_wanted = program.waits not in ("", "ended")
        self._before = {blocked.thread.tid: blocked for blocked in self._blocked()} if is_wanted else {}

    def _blocked(self) -> list[_Blocked]:
        found = []
        for pid in procfs.pids() if self._pid is None else [self._pid]:
            if pid == self._except:
                continue
            for tid in procfs.threads(pid):
                state, born = procfs.state(tid), procfs.start_time_ns(tid)
                if state is not None and born is not None and state in self._letters():
                    functions = procfs.kernel_stack(tid)
                    if self._program.waits in ("calls", "locks"):
                        functions = self._call(tid, functions)
                        if not functions:
                            continue
                    found.append(_Blocked(Thread(pid, tid, procfs.comm(tid) or ""), born, functions))
                else:
                    self._looked[tid] = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        return found

    def _call(self, tid: int, functions: list[str]) -> list[str]:
        """What stands for the system call that a thread is blocked in; nothing if it is in none that is wanted."""
        call = procfs.system_call(tid)
        if not call:
            return []
        name = next((found[1] for function in functions if (found := _ENTRY.match(function))), "")
        if self._program.waits == "locks" and (name != "futex" or call[2] & 127 not in LOCK_OPERATIONS):
            return []
        return [name or self._name(call[0])]

    @staticmethod
    def _name(number: int) -> str:
        """A system call whose function is not in the kernel's stack: it ended with a jump to another."""
        from invivo.linux.arch import architecture
        from invivo.providers.syscall import Numbers

        table = Numbers(architecture().name).table
        return next((name for name, value in table.items() if value == number), f"[system call {number}]")

    def _letters(self) -> str:
        """As /proc names the states: an idle thread of the kernel (I) waits as those in D do."""
        return self._program.states.replace("D", "DI").replace("R", "")

    def node(self, thread: Thread, away_ns: int, stacks: Stacks) -> int | None:
        """The stack of a wait that began before tracing did, and went on for so long; None if the thread was ready all
        the time and only waited for a processor, which is not wanted.

        Which it was, is known of those that were not given one before they were looked at. Others count as blocked.
        """
        blocked = self._before.get(thread.tid)
        if thread.tid == self._held:
            return None
        if blocked is not None:
            functions = self._names(blocked)
        elif "R" in self._program.states or self.start + away_ns < self._looked.get(thread.tid, 1 << 63):
            functions = []
        else:
            return None
        return stacks.under(stacks.of(thread.pid, BEFORE), functions, Kind.KERNEL)

    def end(self, session: Session, profile: Profile, stacks: Stacks, now: int) -> None:
        """Add the waits that had not ended by `now` (CLOCK_MONOTONIC), when the probes were taken away."""
        if not self._program.waits:
            return
        names = ("at", "owed", "u", "k", "call")
        at, owed, user, kernel, calls = (session.thread_values(name) for name in names)
        for tid, since in at.items():
            pid = procfs.thread_group(tid)
            if since > 1 and pid is not None and procfs.state(tid) not in _DEAD:
                inner = (session.stack(kernel.get(tid, 0)),) if tid in kernel else ()
                label = filter(None, (session.probe_function(calls.get(tid, 0)),)) if self._program.has_label else ()
                node = stacks.of(pid, session.stack(user.get(tid, 0), pid), *inner, *label)
                began = since - signed(owed.get(tid, 0))
                self._add(profile, node, Thread(pid, tid, procfs.comm(tid) or ""), began, now)
        for tid, blocked in self._before.items():
            if tid not in at and procfs.start_time_ns(tid) == blocked.born:
                older = self.node(blocked.thread, now - self.start, stacks)
                assert older is not None
                self._add(profile, older, blocked.thread, self.start, now)

    def _add(self, profile: Profile, node: int, thread: Thread, since: int, now: int) -> None:
        waited = now - since
        if waited > 0 and waited >= self._program.min_ns:
            weight = 1 if profile.unit == "events" else waited
            profile.add(node, weight, profile.thread(thread), max(0, (since + now) // 2 - self.start))

    def _names(self, blocked: _Blocked) -> list[str]:
        """Where a thread is blocked, from the outermost on: the kernel's functions as stack() names them, or a system
        call, as other stacks of the kind have it."""
        if self._program.waits in ("calls", "locks"):
            return blocked.functions if self._program.has_label else []
        return [f"vmlinux`{name}" for name in reversed(blocked.functions)]
