"""What commands that trace share: where output goes, messages on standard error, signals that end tracing."""

from __future__ import annotations

import os
import signal

from invivo.errors import InvivoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, Self

    class Stoppable(Protocol):
        """What a signal can end: a session, a tracer."""

        def stop(self) -> None: ...

__all__ = ["OpenOutput", "check_readable", "check_writable", "stop_on_signals", "tell"]


def check_writable(path: str) -> None:
    """
    Raises:
        InvivoError: No file can be written there, which is better said before tracing than after.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.path.isdir(folder):
        raise InvivoError(f"cannot write to '{path}': {'it is a folder' if os.path.isdir(path) else 'no such folder'}")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise InvivoError(f"cannot write to '{path}': no permission")


def check_readable(path: str) -> None:
    """
    Raises:
        InvivoError: There is no file, or it may not be read.
    """
    try:
        with open(path, "rb") as stream:
            stream.read(1)
    except OSError as error:
        raise InvivoError(f"cannot read '{path}': {error.strerror}") from None


class OpenOutput:
    """The file that `-o` names, appended to or with `is_new` emptied first, or descriptor `default` (which stays open):
    a context manager.

    Raises:
        InvivoError: When entered, if the file cannot be written to.
    """

    def __init__(self, path: str | None, *, default: int = 1, is_new: bool = False) -> None:
        self._path = path
        self._fd = default
        self._mode = os.O_TRUNC if is_new else os.O_APPEND

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | self._mode | os.O_CLOEXEC, 0o666)
            except OSError as error:
                raise InvivoError(f"cannot write to '{self._path}': {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            os.close(self._fd)

    def fileno(self) -> int:
        """The descriptor to write to."""
        return self._fd


def tell(message: str) -> None:
    """A message on standard error, its control characters made visible."""
    from invivo.output.escape import escape

    os.write(2, escape(message.encode("utf-8", "surrogateescape")) + b"\n")


def stop_on_signals(session: Stoppable) -> Callable[[], None]:
    """SIGINT, SIGTERM and SIGHUP end the session in good order; returns what undoes that."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: session.stop()) for number in numbers]

    def restore() -> None:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

    return restore
