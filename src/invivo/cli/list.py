"""`invivo list`: probes that match a pattern, with their arguments if asked."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `invivo list`."""
    parser.add_argument("pattern", nargs="?", default=":::", help="provider:module:function:name, globs allowed")
    parser.add_argument("-v", dest="verbose", action="store_true", help="show each probe's arguments and their types")


def run(namespace: argparse.Namespace) -> int:
    """Print the matching probes as dtrace -l does; 1 if there is none.

    Raises:
        InvivoError: The probes cannot be listed here.
    """
    from invivo.listing import list_probes
    from invivo.output.escape import escape

    listing = list_probes(namespace.pattern, verbose=namespace.verbose)
    if listing.refusals:
        names = ", ".join(listing.refusals)
        print(f"invivo: not listed: {names}: {next(iter(listing.refusals.values()))}", file=sys.stderr)
    if not listing.rows:
        print(f"invivo: no probe matches '{namespace.pattern}'", file=sys.stderr)
        if listing.suggestion:
            print(f"hint: {listing.suggestion}", file=sys.stderr)
        return 1

    def line(text: str) -> None:  # names come from files that are not ours
        sys.stdout.write(escape(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace") + "\n")

    line(f"{'ID':>5} {'PROVIDER':>10} {'MODULE':>17} {'FUNCTION':>33} NAME")
    for row in listing.rows:
        line(f"{row.id:>5} {row.provider:>10} {row.module:>17} {row.function:>33} {row.name}")
        for index, (name, type_name) in enumerate(row.arguments):
            line(f"{'':>8}args[{index}]: {type_name} {name}".rstrip())
        for place in row.places:
            line(f"{'':>8}{place}")
    return 0
