"""Who woke a thread, in the keys of an aggregation: the D text that keeps it, and the frames of what it kept.

    WAKER, noted(filter), keys("self->at")     sched:::wakeup /filter/ { ... by[tid] = this->w; }
    Wakers(session.stack).names(key[5:])       ["-- woken by --", "vmlinux`try_to_wake_up+0x1", ..., "redis-server"]

A waker's stacks are kept as their identities, with its pid: a key's own user stack is one of the thread that the probe
is about. The last that woke a thread is who ended its wait, if it did so since that began.
"""

from __future__ import annotations

import struct

from invivo.tools.flame.stacks import untraced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.consumer.records import Stack

__all__ = ["WAKER", "Wakers", "found", "keys", "noted"]

# Elements stay until tracing ends: one for each thread that was woken.
WAKER = (
    "struct waker { uint64_t at; uint64_t user; uint64_t kernel; uint64_t name[2]; int pid; };\n"
    "this struct waker w;\nstruct waker by[int];\n"
)
_NOT_SEEN = "[nobody was seen to wake it]"
_FIELDS = ("pid", "user", "kernel", "name[0]", "name[1]")


def noted(condition: str) -> str:
    """The clause that notes who wakes a thread, for those that the predicate `condition` lets through."""
    values = {
        "at": "timestamp", "user": "(uint64_t)ustack()", "kernel": "(uint64_t)stack()", "pid": "pid",
        "name[0]": "((uint64_t *)curthread->comm)[0]", "name[1]": "((uint64_t *)curthread->comm)[1]",
    }  # fmt: skip
    text = " ".join(f"this->w.{name} = {value};" for name, value in values.items())
    return f"sched:::wakeup /{condition}/ {{ {text} by[args[0]->pr_lwpid] = this->w; }}\n"


def found(since: str) -> str:
    """The statements that look up who woke the running thread after `since`."""
    return f"this->w = by[tid]; this->is_woken = this->w.at > {since};"


def keys() -> str:
    """Keys that tell it, after those statements: all 0 where nobody was seen."""
    return ", ".join(f"this->w.{name} * this->is_woken" for name in _FIELDS)


class Wakers:
    """Names what keys tell. `stack(identity, pid)` gives an identity's stack, of a process or (None) of the kernel."""

    def __init__(self, stack: Callable[[int, int | None], Stack]) -> None:
        self._stack = stack

    def names(self, key: tuple[int, ...]) -> tuple[str, ...]:
        """The frames from the blocked stack outwards: the waker's innermost first, its name last."""
        pid, user, kernel, *name = (value & (1 << 64) - 1 for value in key)
        called = struct.pack("=2Q", *name).split(b"\0")[0].decode("utf-8", "surrogateescape")
        if not called:
            return ("-- woken by --", _NOT_SEEN)
        frames = (*untraced(self._stack(kernel, None).names), *self._stack(user, pid).names)
        return ("-- woken by --", *frames, called)
