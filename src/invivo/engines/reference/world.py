"""What a firing sees of the system: who runs, what time it is, memory, stacks, the probe's context.

    world = SyntheticWorld(pid=7, comm=b"dd", user={0x1000: b"/etc/passwd\\0"}, words=(3, 0x1000))
    world.read(Space.USER, 0x1000, 4)          b"/etc"
    world.read(Space.USER, 0x2000, 4)          None: a fault

An engine asks the world anew for everything; one value of `timestamp` a firing is the engine's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from invivo.program.shared import Globals
from invivo.program.types import Space

__all__ = ["SyntheticWorld", "World"]


class World(Protocol):
    """One moment of the traced system, as the primitives of program/primitives.py and the context nodes ask for it."""

    @property
    def pid_tgid(self) -> int:
        """tgid << 32 | tid of the running thread."""
        ...

    def pid_number(self, pid: int) -> int:
        """The number of a `struct pid` in invivo's own pid namespace, 0 if it has none; asked for in a namespace below
        the initial one only."""
        return 0

    @property
    def uid_gid(self) -> int:
        """gid << 32 | uid."""
        ...

    @property
    def comm(self) -> bytes:
        """The running thread's name, without a NUL."""
        ...

    @property
    def cpu(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """CLOCK_MONOTONIC in ns."""
        ...

    @property
    def current_task(self) -> int:
        """Address of the running thread's struct task_struct."""
        ...

    @property
    def current_cgroup(self) -> int: ...

    @property
    def kernel_pc(self) -> int:
        """The interrupted pc if the kernel was interrupted, else 0."""
        ...

    @property
    def user_pc(self) -> int:
        """The interrupted pc if a process was interrupted, else 0."""
        ...

    @property
    def user_registers(self) -> int:
        """Where the thread's registers in user space lie as struct pt_regs, in KERNEL space; 0 if nowhere."""
        ...

    def cpu_chip(self, cpu: int) -> int:
        """The package that a CPU is part of."""
        ...

    def cpu_lgrp(self, cpu: int) -> int:
        """The memory node that a CPU is part of."""
        ...

    def random(self) -> int:
        """Any bits; 32 of them are used."""
        ...

    def constant(self, offset: int) -> int:
        """The runtime constant at an offset of shared.Globals: $target, $pid, the wall clock's offset."""
        ...

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        """Kernel or user memory; None where it cannot all be read."""
        ...

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        """The bytes before the first NUL, at most `limit` of them; None where they cannot be read."""
        ...

    def write(self, address: int, data: bytes) -> bool:
        """Put bytes into user memory; False where they cannot all be written."""
        ...

    def send_signal(self, signal: int) -> int:
        """Send a signal to the running process; 0, or the errno with which that failed."""
        ...

    def pass_time(self, nanoseconds: int) -> None:
        """Let so much time go by."""
        ...

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        """Addresses of the current stack, innermost first, at most so many; empty where there is none."""
        ...

    def context_word(self, index: int) -> int:
        """Word `index` of a raw tracepoint's context."""
        ...

    def context_address(self) -> int:
        """Where the context structure lies, in KERNEL space."""
        ...


@dataclass(slots=True)
class SyntheticWorld:
    """A world of settable fields, for tests. `kernel` and `user` are memory as address -> bytes.

    `record` is the context structure's bytes, which lie at CONTEXT; `words` its words. The time goes on by `step_ns`
    each time that it is read.
    """

    pid: int = 1000
    tid: int = 1000
    uid: int = 0
    gid: int = 0
    comm: bytes = b"synthetic"
    cpu: int = 0
    now_ns: int = 1_000_000_000
    step_ns: int = 0
    current_task: int = 0xFFFF_8880_0000_1000
    current_cgroup: int = 1
    kernel_pc: int = 0
    user_pc: int = 0
    target: int = 0
    tracer_pid: int = 1
    wall_offset_ns: int = 1_700_000_000_000_000_000
    kernel: Mapping[int, bytes] = field(default_factory=dict)
    user: Mapping[int, bytes] = field(default_factory=dict)
    kernel_stack: Sequence[int] = ()
    user_stack: Sequence[int] = ()
    words: Sequence[int] = ()
    record: bytes = b""
    user_registers: int = 0
    pid_numbers: Mapping[int, int] = field(default_factory=dict)  # of struct pid, by address
    seed: int = 1
    signals: list[int] = field(default_factory=list)  # that were sent to the process

    CONTEXT = 0xFFFF_8880_0000_2000

    def pid_number(self, pid: int) -> int:
        return self.pid_numbers.get(pid, 0)

    @property
    def pid_tgid(self) -> int:
        return self.pid << 32 | self.tid

    @property
    def uid_gid(self) -> int:
        return self.gid << 32 | self.uid

    @property
    def timestamp(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns

    def random(self) -> int:
        """Marsaglia's xorshift: the same numbers in every run."""
        word = self.seed
        word ^= word << 13 & 0xFFFFFFFF
        word ^= word >> 17
        word ^= word << 5 & 0xFFFFFFFF
        self.seed = word
        return word

    def constant(self, offset: int) -> int:
        known = {
            Globals.TARGET: self.target,
            Globals.TRACER_PID: self.tracer_pid,
            Globals.WALL_OFFSET_NS: self.wall_offset_ns,
        }
        return known.get(offset, 0)

    def read(self, space: Space, address: int, size: int) -> bytes | None:
        for start, data in self._memory(space).items():
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        return None

    def read_string(self, space: Space, address: int, limit: int) -> bytes | None:
        for start, data in self._memory(space).items():
            if start <= address < start + len(data):
                rest = data[address - start :]
                if b"\0" not in rest[:limit] and len(rest) < limit:
                    return None  # ran off the end of what can be read
                return rest[:limit].partition(b"\0")[0]
        return None

    def cpu_chip(self, cpu: int) -> int:
        return 0

    def cpu_lgrp(self, cpu: int) -> int:
        return 0

    def write(self, address: int, data: bytes) -> bool:
        for start, old in self.user.items():
            if start <= address and address + len(data) <= start + len(old):
                at = address - start
                self.user = {**self.user, start: old[:at] + data + old[at + len(data) :]}
                return True
        return False

    def send_signal(self, signal: int) -> int:
        self.signals.append(signal)
        return 0

    def pass_time(self, nanoseconds: int) -> None:
        self.now_ns += nanoseconds

    def stack(self, is_user: bool, frames: int) -> Sequence[int]:
        return (self.user_stack if is_user else self.kernel_stack)[:frames]

    def context_word(self, index: int) -> int:
        return self.words[index] if index < len(self.words) else 0

    def context_address(self) -> int:
        return self.CONTEXT

    def _memory(self, space: Space) -> Mapping[int, bytes]:
        if space is Space.USER:
            return self.user
        return {**self.kernel, self.CONTEXT: self.record} if self.record else self.kernel
