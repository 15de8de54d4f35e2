"""invivo for programs: `invivo.trace`.

    with invivo.trace("syscall:::entry { @[execname] = count(); }", command=["ls"]) as session:
        session.wait()
    session.aggregations[""]        # {("ls",): 112, ...}
"""

from __future__ import annotations

from invivo.compiler import Request
from invivo.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["trace"]


def trace(
    program: str | bytes,
    *,
    command: Sequence[str] | str | None = None,
    pid: int | None = None,
    arguments: Sequence[str] = (),
    options: Mapping[str, str | None] | None = None,
    duration: float | None = None,
    name: str = "<program>",
    engine: str = "",
) -> Session:
    """Prepare to trace with a D program.

    Args:
        program: The program's text.
        command: A command to run, as words or as one string; tracing ends with it, and `$target` is its pid.
        pid: A running process to follow instead; tracing ends when it does.
        arguments: `$1` to `$n`.
        options: As after `-x`, each with its value as text (None for a flag).
        duration: End after so many seconds.
        name: What error messages call the text.
        engine: "kernel" or "process"; by default the kernel's if this process may use it, else the process engine
            for a program that concerns `command` or `pid`.

    Returns:
        A session; nothing is enabled before it is entered.

    Raises:
        CompileError: When entered, if the program is wrong.
        RightsError, TargetError, KernelError: When entered, if tracing cannot start.
    """
    text = program.encode("utf-8", "surrogateescape") if isinstance(program, str) else program
    request = Request(text, name, arguments, options)
    return Session(request, command=command, pid=pid, duration=duration, engine=engine)
