"""`invivo strace`: the system calls of one's own processes, decoded, as strace(1) shows them.

    arguments.py    its letters and words, which are strace's
    request.py      what they ask for
"""

from __future__ import annotations

import argparse
import os

from invivo.cli.strace.arguments import add_arguments
from invivo.errors import InvivoError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.strace import Request, Strace
    from invivo.tools.strace.kernel import KernelStrace

__all__ = ["add_arguments", "run"]


def run(namespace: argparse.Namespace) -> int:
    """Carry out `invivo strace`; returns the command's exit status.

    Raises:
        InvivoError: With what to tell the user.
    """
    from invivo.cli.strace.request import change_environment, request_of
    from invivo.cli.streams import OpenOutput, check_writable, stop_on_signals

    if namespace.shows_version:
        import invivo

        os.write(1, f"invivo strace {invivo.__version__}\n".encode())
        return 0
    request = request_of(namespace)
    change_environment(namespace.environment)
    if request.folder:
        check_writable(f"{request.folder}.{os.getpid()}")
    with OpenOutput(None if request.folder else namespace.output, default=2, is_new=not request.appends) as stream:
        fd = stream.fileno()
        try:
            with _tracer(request, fd) as tracer:
                restore = stop_on_signals(tracer)
                try:
                    status = tracer.run()
                finally:
                    restore()
            if request.sums:
                os.write(fd, tracer.summary.text().encode())
        except OSError as error:
            raise InvivoError(f"cannot write to '{namespace.output or 'standard error'}': {error.strerror}") from None
    return status


def _tracer(request: Request, fd: int) -> Strace | KernelStrace:
    """Who follows: the kernel engine where it may and can, else ptrace(2)."""
    from invivo.cli.streams import tell
    from invivo.strace import Strace

    if request.engine != "process":
        from invivo.engines.choice import kernel_engine_refusal
        from invivo.tools.strace.kernel import KernelStrace, cannot

        refusal = kernel_engine_refusal()
        reason = cannot(request)
        if not refusal and not reason:
            return KernelStrace(request, fd, tell)
        if request.engine == "kernel":
            hint = "--engine process can; see: invivo doctor"
            raise UnsupportedError(f"the kernel engine cannot do this: {reason or refusal}", hint)
        if not refusal:
            tell(f"invivo strace: by ptrace, not by the kernel engine: {reason}")
    return Strace(request, fd)
