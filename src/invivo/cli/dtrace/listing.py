"""-l: the probes that programs describe, as a table; with -v their arguments too.

   ID   PROVIDER            MODULE                          FUNCTION NAME
    1     dtrace                                                     BEGIN
"""

from __future__ import annotations

import sys

from invivo.cli.dtrace.messages import attributes_text
from invivo.cli.dtrace.programs import Assembly
from invivo.output.stream import write_all
from invivo.program.stability import Attributes, description_attributes, provider_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.listing import ListingRow

__all__ = ["details_of", "print_all", "print_described"]


def print_all(is_verbose: bool, fd: int = 1) -> None:
    """List every probe, to a file descriptor.

    Raises:
        InvivoError: The probes cannot be listed here.
    """
    from invivo.listing import list_probes

    listing = list_probes(":::", verbose=is_verbose)
    for provider, refusal in listing.refusals.items():
        print(f"dtrace: not listed: {provider}: {refusal}", file=sys.stderr)
    _print(listing.rows, is_verbose, fd)


def print_described(assembly: Assembly, words: list[str], is_verbose: bool, pid: int = 0, fd: int = 1) -> None:
    """List the probes that the clauses' descriptions match; what matches none is told, and no error.

    Raises:
        CompileError: The text cannot be read.
    """
    from invivo.listing import describe_probes

    rows, missing = describe_probes(assembly.text, assembly.name, arguments=words, pid=pid, verbose=is_verbose)
    for description in missing:
        print(f"dtrace: failed to match {description}", file=sys.stderr)
    _print(rows, is_verbose, fd)


def _print(rows: list[ListingRow], is_verbose: bool, fd: int) -> None:
    lines = [f"{'ID':>5} {'PROVIDER':>10} {'MODULE':>17} {'FUNCTION':>33} NAME\n"]
    for row in rows:
        lines.append(f"{row.id:>5} {row.provider:>10} {row.module:>17} {row.function:>33} {row.name}\n")
        if is_verbose:
            lines.append(_details(row))
    write_all(fd, "".join(lines).encode("utf-8", "surrogateescape"))


def _details(row: ListingRow) -> str:
    fields = (row.provider, row.module, row.function, row.name)
    return details_text(row, description_attributes(fields, 1))


def details_text(row: ListingRow, description: Attributes, arguments: Attributes | None = None) -> str:
    """How stable a probe's description is and its arguments are, and what types these have."""
    shown = arguments or provider_attributes(row.provider).arguments
    lines = [
        "", attributes_text("Probe Description", description), attributes_text("Argument", shown), "\tArgument Types",
    ]  # fmt: skip
    lines += [f"\t\targs[{index}]: {argument.type_name}" for index, argument in enumerate(row.arguments)]
    if not row.arguments:
        lines.append("\t\tNone")
    return "\n".join(lines) + "\n\n"


def details_of(description: str) -> str:
    """The same of the one probe that a description means."""
    from invivo.listing import list_probes

    fields = description.split(":")
    attributes = description_attributes(fields, 1)
    row = list_probes(description, verbose=True).rows[0]
    return details_text(row, attributes, None if fields[0] else attributes)
