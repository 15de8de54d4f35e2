"""`invivo strace`: the system calls of one's own processes, decoded, as strace(1) shows them."""

from __future__ import annotations

import argparse
import os
import signal

from invivo.errors import OptionError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.strace import Request, Strace
    from invivo.tools.strace import KernelStrace

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo strace`; they are those of strace(1)."""
    add = parser.add_argument
    add("-f", dest="follows", action="count", default=0, help="follow threads and child processes too; -ff: with -o, "
        "each into a file of its own, FILE.PID")  # fmt: skip
    add("-e", dest="expressions", action="append", default=[], metavar="EXPR",
        help="trace=CALL,... or a class (%%file %%desc %%network %%process %%signal %%memory), ! before it for all "
        "others; signal=NAME,... or none")  # fmt: skip
    add("-p", dest="pids", action="append", type=int, default=[], metavar="PID", help="a process that runs already")
    add("-o", dest="output", metavar="FILE", help="write to a file instead of standard error")
    add("-c", dest="counts", action="store_true", help="count calls, errors and time instead")
    add("-T", dest="shows_durations", action="store_true", help="show the time that each call took, in seconds")
    add("-t", dest="stamps", action="count", default=0, help="the time of day before each line; -tt: with "
        "microseconds; -ttt: since 1970")  # fmt: skip
    add("-r", dest="is_relative", action="store_true", help="the time since the last line before each")
    add("-y", dest="paths", action="count", default=0, help="show the paths of descriptors; -yy: the ends of sockets "
        "and numbers of devices too")  # fmt: skip
    add("-k", dest="stacks", action="store_true", help="the stack of each call below it")
    add("-s", dest="limit", type=int, default=32, metavar="BYTES", help="of strings to show (32)")
    add("-z", dest="only_successful", action="store_true", help="only calls that succeeded")
    add("-Z", dest="only_failed", action="store_true", help="only calls that failed")
    add("--engine", choices=("kernel", "process"), default="", help="kernel: eBPF, nothing stops; process: ptrace, "
        "needs no rights")  # fmt: skip
    add("--no-pin", dest="is_pinned", action="store_false", help="do not let a command share a CPU with invivo")
    add("command", nargs=argparse.REMAINDER, metavar="COMMAND [ARGUMENT ...]", help="a command to run")


def run(namespace: argparse.Namespace) -> int:
    """Carry out `invivo strace`; returns the command's exit status.

    Raises:
        InvivoError: With what to tell the user.
    """
    from invivo.cli.streams import OpenOutput, stop_on_signals
    request = _request(namespace)
    with OpenOutput(None if request.folder else namespace.output, default=2, is_new=True) as stream:
        fd = stream.fileno()
        with _tracer(request, fd) as tracer:
            restore = stop_on_signals(tracer)
            try:
                status = tracer.run()
            finally:
                restore()
        if request.counts:
            os.write(fd, tracer.summary.text().encode())
    return status


def _tracer(request: Request, fd: int) -> Strace | KernelStrace:
    """Who follows: the kernel engine where it may and can, else ptrace(2)."""
    from invivo.cli.streams import tell
    from invivo.strace import Strace

    if request.engine != "process":
        from invivo.tools.strace import KernelStrace, refusal

        reason = refusal(request)
        if not reason:
            return KernelStrace(request, fd, tell)
        if request.engine == "kernel":
            hint = "--engine process can; see: invivo doctor"
            raise UnsupportedError(f"the kernel engine cannot do this: {reason}", hint)
        if request.stacks:
            tell(f"invivo strace: by ptrace, not by the kernel engine: {reason}")
    return Strace(request, fd)


def _request(namespace: argparse.Namespace) -> Request:
    from invivo.strace import Request

    command = namespace.command[1:] if namespace.command[:1] == ["--"] else namespace.command
    if bool(command) == bool(namespace.pids):
        raise OptionError("give a command, or -p PID, and not both", "invivo strace ls; or: invivo strace -p 4711")
    if namespace.follows > 1 and namespace.output is None:
        raise OptionError("-ff writes a file for each process, and none is named", "invivo strace -ff -o FILE ...")
    if namespace.limit < 0:
        raise OptionError(f"-s {namespace.limit}: a string cannot have fewer than no bytes")
    if namespace.only_failed and namespace.only_successful:
        raise OptionError("-z and -Z leave nothing to show: give one of them")
    calls, signals, statuses = _expressions(namespace.expressions)
    if namespace.only_successful:
        statuses = frozenset(("successful",))
    elif namespace.only_failed:
        statuses = frozenset(("failed",))
    is_file = namespace.output is not None
    return Request(
        command=tuple(command),
        pids=tuple(dict.fromkeys(namespace.pids)),
        calls=calls,
        signals=signals,
        follows=bool(namespace.follows),
        limit=namespace.limit,
        paths=namespace.paths,
        shows_durations=namespace.shows_durations,
        stamp="r" if namespace.is_relative else "t" * min(namespace.stamps, 3),
        counts=namespace.counts,
        statuses=statuses,
        pid_form="{:<5} " if is_file else "[pid {:5}] ",
        is_pinned=namespace.is_pinned,
        engine=namespace.engine,
        stacks=namespace.stacks,
        folder=namespace.output if namespace.follows > 1 else "",
        always_pid=is_file and bool(namespace.follows),
    )


_STATUSES = ("successful", "failed", "unfinished")


def _expressions(
    expressions: list[str],
) -> tuple[frozenset[int] | None, frozenset[int] | None, frozenset[str] | None]:
    """The calls, signals and statuses to show; None for all."""
    calls: frozenset[int] | None = None
    signals: frozenset[int] | None = None
    statuses: frozenset[str] | None = None
    for expression in expressions:
        key, equals, value = expression.partition("=")
        if not equals:
            key, value = "trace", expression
        if key in ("trace", "t"):
            calls = _calls(value)
        elif key in ("signal", "signals", "s"):
            signals = _signals(value)
        elif key == "status":
            statuses = _statuses(value)
        else:
            raise OptionError(f"-e {expression}: there is no '{key}'", "there are trace=..., signal=... and status=...")
    return calls, signals, statuses


def _statuses(value: str) -> frozenset[str] | None:
    words = frozenset(filter(None, value.lstrip("!").split(",")))
    if unknown := words - {*_STATUSES, "all", "none"}:
        raise OptionError(f"there is no status '{min(unknown)}'", f"there are {', '.join(_STATUSES)}")
    chosen = frozenset(_STATUSES) if "all" in words else words - {"none"}
    chosen = frozenset(_STATUSES) - chosen if value.startswith("!") else chosen
    return None if len(chosen) == len(_STATUSES) else chosen


def _calls(value: str) -> frozenset[int] | None:
    from invivo.strace.calls import CLASSES, call, numbers

    table = numbers()
    is_negated = value.startswith("!")
    if value.lstrip("!") == "all":
        return frozenset() if is_negated else None
    found: set[int] = set()
    for word in filter(None, value.lstrip("!").split(",")):
        if word.startswith("%"):
            if word[1:] not in CLASSES:
                raise OptionError(f"there is no class of system calls '{word}'", "there are " + ", ".join(
                    f"%{name}" for name in CLASSES))  # fmt: skip
            found.update(number for number in table.values() if CLASSES[word[1:]](call(number)))
        elif word in table:
            found.add(table[word])
        elif word not in ("none",):
            import difflib

            close = difflib.get_close_matches(word, table, 1)
            raise OptionError(
                f"there is no system call '{word}'", f"did you mean {close[0]}?" if close else "see: man 2 syscalls"
            )
    return frozenset(table.values()) - found if is_negated else frozenset(found)


def _signals(value: str) -> frozenset[int]:
    is_negated = value.startswith("!")
    every = frozenset(range(1, 65))
    found: set[int] = set()
    for word in filter(None, value.lstrip("!").split(",")):
        if word == "all":
            found |= every
        elif word != "none":
            name = word.upper() if word.upper().startswith("SIG") else f"SIG{word.upper()}"
            if name not in signal.Signals.__members__:
                raise OptionError(f"there is no signal '{word}'", "see: kill -l")
            found.add(int(signal.Signals[name]))
    return every - found if is_negated else frozenset(found)
