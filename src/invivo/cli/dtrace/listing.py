"""-l: the probes that programs describe, as a table; with -v their arguments too.

   ID   PROVIDER            MODULE                          FUNCTION NAME
    1     dtrace                                                     BEGIN
"""

from __future__ import annotations

import sys

from invivo.cli.dtrace.programs import Assembly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.listing import ListingRow

__all__ = ["print_all", "print_described"]


def print_all(is_verbose: bool) -> None:
    """List every probe.

    Raises:
        InvivoError: The probes cannot be listed here.
    """
    from invivo.listing import list_probes

    listing = list_probes(":::", verbose=is_verbose)
    for provider, refusal in listing.refusals.items():
        print(f"dtrace: not listed: {provider}: {refusal}", file=sys.stderr)
    _print(listing.rows, is_verbose)


def print_described(assembly: Assembly, words: list[str], is_verbose: bool, pid: int = 0) -> None:
    """List the probes that the clauses' descriptions match; what matches none is told, and no error.

    Raises:
        CompileError: The text cannot be read.
    """
    from invivo.listing import describe_probes

    rows, missing = describe_probes(assembly.text, assembly.name, arguments=words, pid=pid, verbose=is_verbose)
    for description in missing:
        print(f"dtrace: failed to match {description}", file=sys.stderr)
    _print(rows, is_verbose)


def _print(rows: list[ListingRow], is_verbose: bool) -> None:
    out = sys.stdout
    out.write(f"{'ID':>5} {'PROVIDER':>10} {'MODULE':>17} {'FUNCTION':>33} NAME\n")
    for row in rows:
        out.write(f"{row.id:>5} {row.provider:>10} {row.module:>17} {row.function:>33} {row.name}\n")
        if is_verbose:
            out.write(_details(row))


def _details(row: ListingRow) -> str:
    from invivo.program.stability import class_name, provider_attributes

    attributes = provider_attributes(row.provider)
    lines = [""]
    for title, shown in (("Probe Description", attributes.name), ("Argument", attributes.arguments)):
        lines += [f"\t{title} Attributes",
                  f"\t\tIdentifier Names: {shown.name.name.capitalize()}",
                  f"\t\tData Semantics:   {shown.data.name.capitalize()}",
                  f"\t\tDependency Class: {class_name(shown.class_)}", ""]  # fmt: skip
    lines.append("\tArgument Types")
    lines += [f"\t\targs[{index}]: {argument.type_name}" for index, argument in enumerate(row.arguments)]
    if not row.arguments:
        lines.append("\t\tNone")
    return "\n".join(lines) + "\n\n"


