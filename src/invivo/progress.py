"""What takes long is told: a line on standard error, if that is a terminal, from the first second on, gone at the end.

    with progress("attaching probes", is_wanted=True):       invivo: attaching probes ... 2 s
        engine.enable()
"""

from __future__ import annotations

import os
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["progress", "wait_readable"]

_PATIENCE_S = 1.0
_CLEAR = b"\r\x1b[K"


def _tell(what: str, seconds: float) -> None:
    os.write(2, _CLEAR + f"invivo: {what} ... {seconds:.0f} s".encode())


def wait_readable(fd: int, what: str) -> None:
    """Wait until a descriptor can be read, telling what is waited for. Starts no thread: the caller may fork."""
    import select
    import time

    poller = select.poll()
    poller.register(fd, select.POLLIN)
    is_told = False
    start = time.monotonic()
    while not poller.poll(_PATIENCE_S * 1000) and os.isatty(2):
        is_told = True
        _tell(what, time.monotonic() - start)
    if is_told:
        os.write(2, _CLEAR)


@contextmanager
def progress(what: str, *, is_wanted: bool) -> Iterator[None]:
    """Tell of a block that takes longer than a second, each second anew."""
    if not is_wanted or not os.isatty(2):
        yield
        return
    import threading
    import time

    is_over = threading.Event()
    start = time.monotonic()
    told: list[bool] = []

    def watch() -> None:
        while not is_over.wait(_PATIENCE_S):
            told.append(True)
            _tell(what, time.monotonic() - start)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
        if told:
            os.write(2, _CLEAR)
