"""`invivo flame`: flame graphs, collected, converted and compared.

    invivo flame convert perf.txt -o perf.html
    invivo flame diff before.folded after.folded -o change.html
"""

from __future__ import annotations

import argparse
import sys

from invivo.errors import InvivoError, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.flame.profile import Profile

__all__ = ["add_arguments", "run"]

_EPILOG = (
    "convert FILE -o OUT reads one profile and writes another; diff BEFORE AFTER -o OUT shows what changed, red for "
    "more and blue for less. '-' is standard input or output. Formats are told by content when reading, and by the "
    "name's ending when writing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo flame`."""
    from invivo.flame.files import FORMATS

    add = parser.add_argument
    add("kind", metavar="KIND", help="convert or diff")
    add("arguments", nargs="*", metavar="ARGUMENT", help="files of convert and diff")
    add("-o", dest="output", metavar="FILE", help="where the picture goes; its ending chooses the format")
    readable = [row.name for row in FORMATS.values() if row.reader]
    writable = [row.name for row in FORMATS.values() if row.writer]
    add("--from", dest="source", metavar="FORMAT", choices=readable, help=f"what is read: {', '.join(readable)}")
    add("--to", dest="target", metavar="FORMAT", choices=writable, help=f"what to write: {', '.join(writable)}")
    add("--title", metavar="TEXT", help="the picture's title")
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
    raise OptionError(f"there is no kind of flame graph '{namespace.kind}'", "see: invivo flame --help")


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


def _write(profile: Profile, namespace: argparse.Namespace) -> int:
    from invivo.flame.files import write_profile
    from invivo.flame.naming import clean

    if namespace.title is not None:
        profile.title = clean(namespace.title)
    if namespace.output is None and namespace.target is None:
        raise OptionError("where to is not said", "-o FILE, or --to FORMAT for standard output")
    for note in profile.notes:
        sys.stderr.write(f"invivo: {note}\n")
    write_profile(profile, namespace.output or "-", namespace.target or "")
    return 0
