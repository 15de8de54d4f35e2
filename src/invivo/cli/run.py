"""`invivo run`: a D program from the command line or a file, its output as dtrace(1) prints it."""

from __future__ import annotations

import argparse
import sys

from invivo.cli.streams import OpenOutput, check_readable, check_writable, stop_on_signals, tell
from invivo.compiler import Request
from invivo.engines.choice import is_process_engine
from invivo.errors import InvivoError, OptionError
from invivo.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.consumer.output import Output
    from invivo.program.plan import Plan

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo run`."""
    add = parser.add_argument
    target = parser.add_mutually_exclusive_group().add_argument
    add("-e", dest="program", metavar="PROGRAM", help="the program's text; otherwise it is read from a file")
    target("-c", dest="command", metavar="CMD", help="run a command, trace until it ends; $target is its pid")
    target("-p", dest="pid", type=_pid, metavar="PID", help="trace until this process ends; $target is its pid")
    add("-q", dest="quiet", action="store_true", help="print only what the program prints")
    add("--types", action="append", default=[], metavar="FILE", help="a file with debug information or BTF: types for "
        "programs that have none of their own")
    add("-x", dest="options", action="append", default=[], metavar="OPTION[=VALUE]", help="see: invivo help options")
    add("-w", dest="destructive", action="store_true", help="allow destructive actions: raise, stop, system ...")
    add("-o", dest="output", metavar="FILE", help="write to a file instead of standard output")
    add("--format", choices=("text", "json"), default="text", help="json: one object a line")
    add("-d", "--duration", type=_seconds, metavar="SECONDS", help="end after so many seconds (or 500ms, 5m ...)")
    add("--engine", choices=("kernel", "process"), default="", help="kernel: eBPF; process: ptrace, needs no rights")
    add("--no-pin", dest="is_pinned", action="store_false", help="process engine: leave the target on its own CPUs")
    add("--no-filter", dest="has_filter", action="store_false", help="process engine: no seccomp filter for -c")
    add("--consistent", action="store_true", help="dump: stop the process while it is looked at")
    add("--flame", metavar="FILE", help="a flame graph of the aggregations that have a stack in their keys")
    add("--no-cache", dest="use_cache", action="store_false", help="compile anew, keep nothing")
    add("arguments", nargs="*", metavar="FILE [ARGUMENT ...]", help="the program's file ('-': standard input), $1 ...")


def run(namespace: argparse.Namespace) -> int:
    """Carry out `invivo run`; returns the exit status: that of exit(), or 0.

    Raises:
        InvivoError: With what to tell the user.
    """
    table = None
    if (namespace.command is not None or namespace.pid is not None) and is_process_engine(namespace.engine):
        from invivo.cli import companion
        from invivo.linux.guardian import PatchTable

        table = PatchTable()
        if (status := companion.divide(table)) is not None:
            return status
    name, text, arguments = _program(namespace)
    _check_files(namespace)
    options = dict(_option(item) for item in namespace.options)
    if namespace.quiet:
        options["quiet"] = None
    if namespace.destructive:
        options["destructive"] = None
    with OpenOutput(namespace.output) as stream:
        session = Session(
            Request(text, name, arguments, options, namespace.types),
            command=namespace.command,
            pid=namespace.pid,
            duration=namespace.duration,
            output=_output_maker(namespace.format, stream.fileno(), name),
            isolate=True,
            use_cache=namespace.use_cache,
            engine=namespace.engine,
            tell=tell,
            has_filter=namespace.has_filter,
            is_pinned=namespace.is_pinned,
            patches=table,
            is_consistent=namespace.consistent,
        )
        restore = stop_on_signals(session)
        try:
            with session:
                status = session.wait()
                if namespace.flame is not None:
                    _draw(session, namespace.flame, name)
                return status
        finally:
            if table is None:
                restore()
            else:
                companion.look_after(session.mind)


def _check_files(namespace: argparse.Namespace) -> None:
    """Say at once what is wrong with files that are looked at later, if at all."""
    for path in namespace.types:
        check_readable(path)
    if namespace.flame not in (None, "-"):
        from invivo.flame.files import format_of_name

        format_of_name(namespace.flame)
        check_writable(namespace.flame)


def _draw(session: Session, path: str, name: str) -> None:
    """Write the picture of --flame."""
    from invivo.flame.files import write_profile
    from invivo.tools.flame.collect import profile_of_aggregations

    profile = profile_of_aggregations(session.aggregations)
    profile.title = name
    if not profile.total:
        raise InvivoError(
            "--flame: no aggregation has a stack in its keys and a number as its answer",
            "such as @[ustack()] = count(); what trunc() and clear() removed is not there",
        )
    write_profile(profile, path)


def _program(namespace: argparse.Namespace) -> tuple[str, bytes, list[str]]:
    """(name, text, macro arguments) of the program."""
    arguments: list[str] = namespace.arguments
    if namespace.program is not None:
        return "<-e>", namespace.program.encode("utf-8", "surrogateescape"), arguments
    if not arguments:
        raise OptionError("no program was given", "invivo run -e 'PROGRAM', or invivo run FILE.d")
    path = arguments[0]
    try:
        if path == "-":
            return "<stdin>", sys.stdin.buffer.read(), arguments[1:]
        with open(path, "rb") as stream:
            return path, stream.read(), arguments[1:]
    except OSError as error:
        hint = "a program given on the command line goes after -e" if any(char in path for char in "{:;") else ""
        raise InvivoError(f"cannot read the program '{path}': {error.strerror}", hint) from None


def _option(item: str) -> tuple[str, str | None]:
    name, equals, value = item.partition("=")
    return name, value if equals else None


def _pid(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a process id")


_IN_SECONDS = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    digits = text.rstrip("msh")
    try:
        number = float(digits) * _IN_SECONDS[text[len(digits) :]]
    except (ValueError, KeyError):
        number = -1.0
    if 0 < number < 1e9:
        return number
    raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds, nor a time such as 500ms, 10s, 5m")


def _output_maker(form: str, fd: int, name: str) -> Callable[[Plan], Output]:
    def make(plan: Plan) -> Output:
        for warning in plan.warnings:
            tell(warning)
        if form == "text" and not plan.options.get("quiet"):
            what = f"description '{plan.text}'" if name.startswith("<") else f"script '{name}'"
            tell(f"invivo: {what} matched {plan.matched} probe{'s' * (plan.matched != 1)}")
        if form == "json":
            from invivo.output.json import JsonOutput

            return JsonOutput(plan, fd)
        from invivo.output.text import TextOutput

        return TextOutput(plan, fd)

    return make
