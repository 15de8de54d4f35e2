"""`invivo flame`: flame graphs, collected, converted and compared.

    invivo flame cpu -p 1234 -d 10                       flame-cpu.html
    invivo flame --top                                   of the whole machine's processors
    invivo flame offcpu -c 'git fetch' -o fetch.svg
    invivo flame convert perf.txt -o perf.html
    invivo flame diff before.folded after.folded -o change.html
"""

from __future__ import annotations

import argparse
import sys

from invivo.errors import InvivoError, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.flame.profile import Profile
    from invivo.tools.flame.collect import Collecting

__all__ = ["add_arguments", "run"]

_EPILOG = (
    "A picture is one HTML file that needs nothing else, or what the ending of -o says. convert FILE -o OUT reads one "
    "profile and writes another; diff BEFORE AFTER -o OUT shows what changed, red for more and blue for less. '-' is "
    "standard input or output. Formats are told by content when reading, and by the name's ending when writing."
)
# Options that say something to some kinds only, by what of Wanted they set.
_OF_SOME_KINDS = {
    "min_ns": "--min", "state": "--state", "value": "--value", "allocators": "--allocator",
    "deallocators": "--deallocator",
}  # fmt: skip
_TIMES_NS = {"ns": 1, "us": 1000, "ms": 10**6, "s": 10**9}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo flame`."""
    from invivo.cli.run import _pid, _seconds
    from invivo.flame.files import FORMATS
    from invivo.tools.flame.kinds import KINDS

    readable = [row.name for row in FORMATS.values() if row.reader]
    writable = [row.name for row in FORMATS.values() if row.writer]
    add = parser.add_argument
    target = parser.add_mutually_exclusive_group().add_argument
    show = parser.add_mutually_exclusive_group().add_argument
    kinds = "; ".join(f"{kind.name}: {kind.doc}" for kind in KINDS.values())
    add("kind", metavar="KIND", nargs="?", default="",
        help=f"{kinds}; cpu if it is not said; convert: from one format to another; diff: two profiles compared")
    add("arguments", nargs="*", metavar="ARGUMENT", help="the probe of kind probe; files of convert and diff")
    target("-p", dest="pid", type=_pid, metavar="PID", help="this process, until it ends")
    target("-c", dest="command", metavar="CMD", help="run a command, until it ends; not what it starts")
    target("-a", dest="is_all", action="store_true", help="the whole machine; --top, --tui and --live without a target")
    add("-d", "--duration", type=_seconds, metavar="SECONDS", help="end after so many seconds, or 5m (or by Ctrl-C)")
    add("-F", dest="hz", type=_rate, default=99, metavar="HZ", help="samples a second on each processor (99)")
    add("-o", dest="output", metavar="FILE", help="where to (flame-KIND.html); the ending says the format")
    add("--by", metavar="WAY", default="", help="what widths are: time, count, bytes or latency, as the kind can")
    add("--state", default="", metavar="STATES", help="time blocked: S asleep, D in the kernel, R ready to run (SD)")
    add("--min", dest="min_ns", type=_time, default=0, metavar="TIME",
        help="time blocked: waits at least so long: 10us, 1ms")  # fmt: skip
    add("--idle", choices=("show", "hide"), default="show",
        help="time blocked: hide waits that are only for work to come")  # fmt: skip
    add("--value", default="", metavar="EXPR", help="probe: a D expression to add up, such as arg2")
    add("--allocator", action="append", default=[], metavar="FUNCTION[:ARGUMENT]",
        help="alloc, leak: an allocator, and which argument (0) is its size")  # fmt: skip
    add("--deallocator", action="append", default=[], metavar="FUNCTION[:ARGUMENT]",
        help="leak: what gives memory back, and which argument (0) is its address")  # fmt: skip
    add("--inlined", action="store_true",
        help="inlined functions as frames of their own, by debug information (-x srcline)")  # fmt: skip
    add("-x", dest="options", action="append", default=[], metavar="OPTION[=VALUE]",
        help="an option of the D program that measures, such as dynvarsize=64m; see: invivo help options")  # fmt: skip
    show("--live", action="store_true", help="show the picture in a browser while it grows: prints its address")
    show("--tui", action="store_true", help="show the tree in the terminal while it grows (pip install invivo[tui])")
    show("--top", action="store_true", help="show the hottest functions in the terminal while it runs")
    add("--title", metavar="TEXT", help="the picture's title")
    add("--from", dest="source", metavar="FORMAT", choices=readable, help=f"what is read: {', '.join(readable)}")
    add("--to", dest="target", metavar="FORMAT", choices=writable, help=f"what to write: {', '.join(writable)}")
    parser.epilog = _EPILOG


def run(namespace: argparse.Namespace) -> int:
    """Carry out `invivo flame`; returns the exit status.

    Raises:
        InvivoError: With what to tell the user.
    """
    match namespace.kind:
        case "convert":
            return _convert(namespace)
        case "diff":
            return _diff(namespace)
    if not (namespace.pid or namespace.command is not None):
        namespace.is_all |= namespace.top or namespace.tui or namespace.live
    if not namespace.kind and (namespace.is_all or namespace.pid or namespace.command is not None):
        namespace.kind = "cpu"
    return _collect(namespace)


# --- collecting -----------------------------------------------------------------------------------------------------


def _collect(namespace: argparse.Namespace) -> int:
    from invivo.tools.flame.kinds import KINDS

    kind = KINDS.get(namespace.kind)
    if kind is None:
        import difflib

        known = [*KINDS, "convert", "diff"]
        if not namespace.kind:
            raise OptionError("a flame graph of what kind?", f"there are: {', '.join(known)}; see: invivo flame --help")
        close = difflib.get_close_matches(namespace.kind, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
        raise OptionError(f"there is no kind of flame graph '{namespace.kind}'", hint)
    if not (namespace.pid or namespace.command is not None or namespace.is_all):
        raise OptionError(f"flame {kind.name}: of what?", "-p PID, -c CMD, or -a for the whole machine")
    if namespace.output is None and namespace.target is None and not (namespace.tui or namespace.top):
        namespace.output = f"flame-{kind.name}.html"
    _check_output(namespace)
    profile = _shown(namespace, _collecting(namespace))
    if (namespace.tui or namespace.top) and namespace.output is None and namespace.target is None:
        return 0
    if not profile.total:
        notes = "".join(f"\ninvivo: {note}" for note in profile.notes)
        raise InvivoError(f"flame {kind.name}: nothing was seen{notes}", kind.empty)
    return _write(profile, namespace, is_collected=True)


def _collecting(namespace: argparse.Namespace) -> Collecting:
    from invivo.cli.run import _option
    from invivo.tools.flame.collect import Collecting
    from invivo.tools.flame.kinds import KINDS, Wanted

    arguments: list[str] = namespace.arguments
    takes = KINDS[namespace.kind].takes
    most = 1 if "probe" in takes else 0
    if len(arguments) > most:
        raise OptionError(f"flame {namespace.kind}: what is '{arguments[most]}'?", "a command goes after -c")
    wanted = Wanted(
        has_target=not namespace.is_all,
        hz=namespace.hz,
        by=namespace.by,
        state=namespace.state,
        min_ns=namespace.min_ns,
        probe=arguments[0] if arguments else "",
        value=namespace.value,
        allocators=tuple(namespace.allocator),
        deallocators=tuple(namespace.deallocator),
    )
    for name, option in _OF_SOME_KINDS.items():
        if getattr(wanted, name) and name not in takes:
            others = ", ".join(kind.name for kind in KINDS.values() if name in kind.takes)
            raise OptionError(f"flame {namespace.kind} takes no {option}", f"that is for {others}")
    options = dict(_option(item) for item in namespace.options)
    if namespace.inlined:
        options["srcline"] = None
    return Collecting(
        namespace.kind,
        wanted,
        command=namespace.command,
        pid=namespace.pid,
        duration=namespace.duration,
        hide_idle=namespace.idle == "hide",
        options=options,
    )


def _shown(namespace: argparse.Namespace, collecting: Collecting) -> Profile:
    """Run it in the way that was asked for."""
    if namespace.tui:
        from invivo.tools.flame.tui import run_in_terminal

        return run_in_terminal(collecting)
    restore = _stop_on_signals(collecting)
    try:
        if namespace.live:
            from invivo.tools.flame.live import run_live

            return run_live(collecting, lambda address: _tell(f"the picture as it grows: {address}"))
        if namespace.top:
            from invivo.tools.flame.top import run_top

            return run_top(collecting, sys.stdout)
        return collecting.run()
    finally:
        restore()


def _stop_on_signals(collecting: Collecting) -> Callable[[], None]:
    """SIGINT, SIGTERM and SIGHUP end tracing in good order, and the picture is written; returns what undoes that."""
    import signal

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: collecting.stop()) for number in numbers]

    def restore() -> None:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

    return restore


def _check_output(namespace: argparse.Namespace) -> None:
    """Say now, not after an hour of tracing, that the picture cannot be written there."""
    from invivo.cli.streams import check_writable
    from invivo.flame.files import format_of_name

    path = namespace.output
    if path is None or path == "-":
        if path == "-" and namespace.target is None:
            raise OptionError("which format to write is not said", "--to html, svg, folded, speedscope ...")
        return
    if namespace.target is None:
        format_of_name(path)
    check_writable(path)


# --- files ----------------------------------------------------------------------------------------------------------


def _convert(namespace: argparse.Namespace) -> int:
    from invivo.flame.files import read_profile

    path = _files(namespace, 1, "invivo flame convert FILE -o OUT")[0]
    profile = read_profile(path, namespace.source or "")
    if not profile.total:
        raise InvivoError(f"'{path}' holds no samples", "did what was traced run at all? If it slept: flame offcpu")
    return _write(profile, namespace)


def _diff(namespace: argparse.Namespace) -> int:
    from invivo.flame.diff import difference
    from invivo.flame.files import read_profile

    before, after = _files(namespace, 2, "invivo flame diff BEFORE AFTER -o OUT")
    profile = difference(read_profile(before, namespace.source or ""), read_profile(after, namespace.source or ""))
    profile.title = f"{before} -> {after}"
    return _write(profile, namespace)


def _files(namespace: argparse.Namespace, count: int, usage: str) -> list[str]:
    files: list[str] = namespace.arguments
    if len(files) != count:
        raise OptionError(f"{namespace.kind} takes {count} file{'s' * (count > 1)}, not {len(files)}", usage)
    return files


def _write(profile: Profile, namespace: argparse.Namespace, *, is_collected: bool = False) -> int:
    from invivo.flame.files import keep, write_profile
    from invivo.flame.naming import clean
    from invivo.flame.units import amount

    if namespace.title is not None:
        profile.title = clean(namespace.title)
    if namespace.output is None and namespace.target is None:
        raise OptionError("where to is not said", "-o FILE, or --to FORMAT for standard output")
    for note in profile.notes:
        _tell(note)
    try:
        write_profile(profile, namespace.output or "-", namespace.target or "")
    except BrokenPipeError:
        raise
    except InvivoError as error:
        kept = keep(profile) if is_collected else ""
        raise InvivoError(error.message, f"what was collected is kept in {kept}" if kept else error.hint) from None
    if is_collected and namespace.output not in (None, "-"):
        _tell(f"{amount(profile.total, profile.unit)} in {namespace.output}")
    return 0


def _tell(message: str) -> None:
    from invivo.output.escape import escape

    sys.stderr.write("invivo: " + escape(message.encode("utf-8", "surrogateescape")).decode("utf-8", "replace") + "\n")
    sys.stderr.flush()


def _rate(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= 10000:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 10000")


def _time(text: str) -> int:
    number = text.rstrip("nums")
    try:
        return round(float(number) * _TIMES_NS[text[len(number) :] or "ns"])
    except (ValueError, KeyError, OverflowError):
        raise argparse.ArgumentTypeError(f"'{text}' is not a time such as 500ns, 10us, 1ms or 2s") from None
