"""The letters and words of `invivo strace`: those of strace(1).

    add_arguments(parser)

What strace has and this has not is declared too, with the reason and what to do instead (REFUSED).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from invivo.errors import OptionError

__all__ = ["add_arguments"]


class _Refuse(argparse.Action):
    """An option of strace(1) that is not there."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        reason, hint = _REFUSED[self.dest.removeprefix("refused_")]
        raise OptionError(f"{option}: {reason}", hint)


class _Expression(argparse.Action):
    """A word that is another way to say -e KEY=VALUE."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        key = (option or "").lstrip("-")
        namespace.expressions = [*namespace.expressions, f"{key}={values}"]


_REFUSED = {
    "user": (
        "invivo strace runs a command as the user that it is itself",
        "be that user first, without rights the process engine works: setpriv --reuid=USER --init-groups "
        "invivo strace COMMAND",
    ),
    "daemonize": (
        "invivo strace stays the command's parent, to answer with its exit status",
        "start the command by itself, and look at it: invivo strace -p PID",
    ),
    "detach": (
        "a process is followed until it ends",
        "leave out -f, or end tracing by Ctrl-C: the process goes on (of -p)",
    ),
    "pids": (
        "numbers of processes are shown as they are, without names",
        "-e execve shows what each number runs",
    ),
    "kvm": ("exits of virtual machines are not shown", "invivo run -e 'sdt:kvm::kvm_exit { @ = count(); }'"),
    "debug": (
        "there is no debugging output about strace itself, which -d asks for",
        "to end after some seconds: timeout -s INT SECONDS invivo strace ...",
    ),
    "verbose_set": (
        "structures are shown for all calls or for none", "-e raw=CALL shows a call's arguments as numbers",
    ),
    "all_members": (
        "structures are shown with the members that strace shows without it",
        "invivo run -e 'syscall::CALL:entry { print(args) }' shows all members of a call's structures",
    ),
}  # fmt: skip
_REFUSED_OPTIONS: tuple[tuple[Sequence[str], str, int | str | None], ...] = (
    (("-u", "--user"), "user", None),
    (("-D", "--daemonize"), "daemonize", 0),
    (("-b", "--detach-on"), "detach", None),
    (("-Y", "--decode-pids"), "pids", "?"),
    (("--kvm",), "kvm", None),
    (("-d", "--debug"), "debug", 0),
    (("-v", "--no-abbrev"), "all_members", 0),
    (("--abbrev",), "all_members", None),
    (("--verbose",), "verbose_set", None),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo strace`; they are those of strace(1)."""
    add = parser.add_argument
    add("-f", "--follow-forks", dest="follows", action="count", default=0, help="follow threads and child processes "
        "too; -ff: with -o, each into a file of its own, FILE.PID")  # fmt: skip
    add("--output-separately", dest="is_separate", action="store_true", help="with -f, -o: a file for each, FILE.PID")
    add("-e", dest="expressions", action="append", default=[], metavar="EXPR",
        help="trace=CALL,... a class (%%file %%desc %%network %%process %%signal %%memory ...) or /REGEX, ! before it "
        "for all others, ? before a name that may be missing; signal=, status=, quiet=, raw=, read=, write=, "
        "decode-fds=, inject=, fault=")  # fmt: skip
    add("-p", "--attach", dest="pids", action="append", default=[], metavar="PID",
        help="a process that runs already; several: 1,2")  # fmt: skip
    add("-P", "--trace-path", dest="only_paths", action="append", default=[], metavar="PATH",
        help="only calls that concern this path")  # fmt: skip
    add("-o", "--output", dest="output", metavar="FILE", help="write to a file instead of standard error")
    add("-A", "--output-append-mode", dest="appends", action="store_true", help="with -o: append to the file")
    add("-E", "--env", dest="environment", action="append", default=[], metavar="VAR[=VALUE]",
        help="set, or without a value remove, a variable of the command's environment")  # fmt: skip
    _add_summary(parser)
    _add_format(parser)
    add("-z", "--successful-only", dest="only_successful", action="store_true", help="only calls that succeeded")
    add("-Z", "--failed-only", dest="only_failed", action="store_true", help="only calls that failed")
    add("-I", "--interruptible", dest="interruptible", choices=("1", "2", "3", "4", "anywhere", "waiting", "never",
        "never_tstp"), metavar="WHEN", help="taken for strace's sake: they end tracing in order")  # fmt: skip
    add("--seccomp-bpf", dest="has_filter", action="store_true", help="taken for strace's sake: it is so anyway")
    add("--tips", dest="tips", nargs="?", const="", metavar="FORM", help="taken for strace's sake: see "
        "docs/guide/strace.md")  # fmt: skip
    add("--engine", choices=("kernel", "process"), default="", help="kernel: eBPF, nothing stops; process: ptrace, "
        "needs no rights")  # fmt: skip
    add("--no-pin", dest="is_pinned", action="store_false", help="do not let a command share a CPU with invivo")
    add("-V", "--version", dest="shows_version", action="store_true", help="print the version")
    for key in ("trace", "signal", "status", "raw", "read", "write", "inject", "fault"):
        add(f"--{key}", action=_Expression, metavar="SET", help=argparse.SUPPRESS)
    for names, key, values in _REFUSED_OPTIONS:
        add(*names, dest=f"refused_{key}", action=_Refuse, nargs=values, help=argparse.SUPPRESS)
    add("command", nargs=argparse.REMAINDER, metavar="COMMAND [ARGUMENT ...]", help="a command to run")


def _add_summary(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-c", "--summary-only", dest="counts", action="store_true", help="count calls, errors and time instead")
    add("-C", "--summary", dest="sums", action="store_true", help="both: the lines, and the table at the end")
    add("-S", "--summary-sort-by", dest="order", default="time", metavar="ORDER", help="of the table: time, min-time, "
        "max-time, avg-time, calls, errors, name, nothing")  # fmt: skip
    add("-U", "--summary-columns", dest="columns", metavar="COLUMN,...", help="of the table: time-percent, total-time, "
        "min-time, max-time, avg-time, calls, errors, name")  # fmt: skip
    add("-w", "--summary-wall-clock", dest="is_wall", action="store_true", help="taken for strace's sake: times of "
        "the table are from a call's beginning to its end")  # fmt: skip
    add("-O", "--summary-syscall-overhead", dest="overhead", default="0", metavar="TIME", help="to take off each "
        "call's time in the table: a number of microseconds, or with s, ms, us, ns")  # fmt: skip


def _add_format(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    precision = "s, ms, us or ns"
    add("-T", dest="shows_durations", action="store_true", help="show the time that each call took, in seconds")
    add("--syscall-times", dest="duration_precision", nargs="?", const="us", metavar="PRECISION",
        help=f"the same, in {precision}")  # fmt: skip
    add("-t", dest="stamps", action="count", default=0, help="the time of day before each line; -tt: with "
        "microseconds; -ttt: since 1970")  # fmt: skip
    add("--absolute-timestamps", "--timestamps", dest="stamp_form", nargs="?", const="time", metavar="FORM",
        help=f"none, time or unix, and a precision: {precision}")  # fmt: skip
    add("-r", dest="is_relative", action="store_true", help="the time since the last line before each")
    add("--relative-timestamps", dest="relative_precision", nargs="?", const="us", metavar="PRECISION",
        help=f"the same, in {precision}")  # fmt: skip
    add("-y", dest="paths", action="count", default=0, help="show the paths of descriptors; -yy: the ends of sockets "
        "and numbers of devices too")  # fmt: skip
    add("--decode-fds", dest="descriptor_details", nargs="?", const="path", metavar="SET",
        help="the same: path, or all (dev, socket, pidfd)")  # fmt: skip
    add("-k", "--stack-traces", dest="stacks", action="store_true", help="the stack of each call below it")
    add("-i", "--instruction-pointer", dest="shows_places", action="store_true", help="the instruction's address "
        "before each line")  # fmt: skip
    add("-n", "--syscall-number", dest="shows_numbers", action="store_true", help="the call's number before it")
    add("-s", "--string-limit", dest="limit", type=int, default=32, metavar="BYTES", help="of strings to show (32)")
    add("-a", "--columns", dest="column", type=int, default=40, metavar="COLUMN", help="of results (40)")
    add("-x", dest="hexadecimal", action="count", default=0, help="strings with other bytes than ASCII in "
        "hexadecimal; -xx: all strings")  # fmt: skip
    add("--strings-in-hex", dest="hexadecimal_form", nargs="?", const="all", metavar="WHICH",
        choices=("none", "non-ascii-chars", "non-ascii", "all"), help="one of those four")  # fmt: skip
    add("-X", "--const-print-style", dest="naming", default="abbrev", choices=("raw", "abbrev", "verbose"),
        help="flags by name (abbrev), as numbers (raw) or both (verbose)")  # fmt: skip
    add("-q", dest="quiet", action="count", default=0, help="no messages of who is attached; -qq: nor of who ends")
    add("--quiet", "--silent", "--silence", dest="quiet_set", nargs="?", const="attach,personality", metavar="SET",
        help="without these messages: attach, exit, path-resolution, all")  # fmt: skip
