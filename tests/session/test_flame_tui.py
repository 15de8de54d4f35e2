"""`invivo flame --tui` in a terminal of its own: however it ends, the terminal is as it was."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sys
import termios
import time

import pytest

from tests.support import ROOT, trigger

pytestmark = pytest.mark.kernel

# xterm's control sequences: the alternate screen, and reports of the mouse.
SCREEN, SCREEN_BACK, MOUSE_OFF = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?1000l"
DEADLINE = 30.0  # seconds


class Terminal:
    """A command in a pseudo-terminal, and all that it has written."""

    def __init__(self, *words: str) -> None:
        self.written = b""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color"}
        self.pid, self._side = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-m", "invivo", *words], environment)
        self.before = termios.tcgetattr(self._side)

    def read_until(self, text: bytes) -> bool:
        """Whether it came, in time and before the end."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.written and time.monotonic() < deadline:
            if select.select([self._side], [], [], 0.1)[0]:
                try:
                    self.written += os.read(self._side, 65536)
                except OSError:  # the other side is closed
                    break
        return text in self.written

    def type(self, text: bytes) -> None:
        os.write(self._side, text)

    def after(self) -> list[object]:
        return termios.tcgetattr(self._side)

    def status(self) -> int:
        """The exit status; the command must be about to end."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if select.select([self._side], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.written += os.read(self._side, 65536)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("it does not end")


@pytest.mark.parametrize(
    "end", [b"q", b"\x03", signal.SIGINT, signal.SIGTERM], ids=["q", "Ctrl-C", "SIGINT", "SIGTERM"]
)
def test_the_terminal_is_as_it_was(end: bytes | signal.Signals) -> None:
    pytest.importorskip("textual")
    terminal = Terminal("flame", "--tui", "-c", f"{trigger('shares')} 100000000")
    shown = terminal.read_until(SCREEN) and terminal.read_until(b"_start")  # as it grows: the program does not end
    if isinstance(end, bytes):
        terminal.type(end)
    else:
        os.kill(terminal.pid, end)
    status = terminal.status()
    assert shown, terminal.written[-2000:]
    assert status == 0
    assert SCREEN_BACK in terminal.written
    assert MOUSE_OFF in terminal.written
    assert terminal.after() == terminal.before
