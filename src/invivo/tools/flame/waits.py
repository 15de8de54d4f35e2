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

import time
from typing import NamedTuple

from invivo.flame.profile import Kind, Thread
from invivo.linux import procfs
from invivo.program.aggregates import signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.flame.profile import Profile
    from invivo.session import Session
    from invivo.tools.flame.kinds import Program
    from invivo.tools.flame.stacks import Stacks

__all__ = ["BEFORE", "OpenWaits"]

BEFORE = "[blocked since before tracing began]"
_DEAD = ("Z", "X", None)


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

    `start` is the moment from which on waits count, in ns of CLOCK_MONOTONIC: now, until it is known better.
    """

    def __init__(self, program: Program, pid: int | None, except_pid: int) -> None:
        self._program = program
        self._pid = pid
        self._except = except_pid
        self.start = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self._looked: dict[int, int] = {}  # when threads were found not to be blocked
        self._before = {blocked.thread.tid: blocked for blocked in self._blocked()} if program.waits == "all" else {}

    def _blocked(self) -> list[_Blocked]:
        found = []
        for pid in procfs.pids() if self._pid is None else [self._pid]:
            if pid == self._except:
                continue
            for tid in procfs.threads(pid):
                state, born = procfs.state(tid), procfs.start_time_ns(tid)
                if state is not None and born is not None and state in self._letters():
                    name = procfs.comm(tid) or ""
                    found.append(_Blocked(Thread(pid, tid, name), born, procfs.kernel_stack(tid)))
                else:
                    self._looked[tid] = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        return found

    def _letters(self) -> str:
        """As /proc names the states: an idle thread of the kernel (I) waits as those in D do."""
        return self._program.states.replace("D", "DI").replace("R", "")

    def node(self, thread: Thread, away_ns: int, stacks: Stacks) -> int | None:
        """The stack of a wait that began before tracing did, and went on for so long; None if the thread was ready all
        the time and only waited for a processor, which is not wanted.

        Which it was, is known of those that were not given one before they were looked at. Others count as blocked.
        """
        blocked = self._before.get(thread.tid)
        if blocked is not None:
            functions = _with_module(blocked.functions)
        elif "R" in self._program.states or self.start + away_ns < self._looked.get(thread.tid, 1 << 63):
            functions = []
        else:
            return None
        return stacks.under(stacks.of(thread.pid, BEFORE), functions, Kind.KERNEL)

    def end(self, session: Session, profile: Profile, stacks: Stacks, now: int) -> None:
        """Add the waits that had not ended by `now` (CLOCK_MONOTONIC), when the probes were taken away."""
        if not self._program.waits:
            return
        at, owed, user, kernel = (session.thread_values(name) for name in ("at", "owed", "u", "k"))
        for tid, since in at.items():
            pid = procfs.thread_group(tid)
            if since > 1 and pid is not None and procfs.state(tid) not in _DEAD:
                found = session.stack(user.get(tid, 0), pid), session.stack(kernel.get(tid, 0))
                node = stacks.of(pid, *found)
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


def _with_module(functions: list[str]) -> list[str]:
    """From the outermost on, as stack() names them."""
    return [f"vmlinux`{name}" for name in reversed(functions)]
