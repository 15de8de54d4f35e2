"""What `invivo list` shows: rows of probe names, and on request their arguments.

In: a catalog and a pattern. Out: `ListingRow`s, numbered by their place in the list of all probes.

    for row in listing(catalog, ProbePattern("dtrace", "", "", "")): ...
    ListingRow(1, "dtrace", "", "", "BEGIN", ())
    ListingRow(421, "syscall", "vmlinux", "read", "entry", (ListedArg("fd", "unsigned int"), ...))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from invivo.errors import InvivoError
from invivo.program.clauses import Probe, ProbeArg
from invivo.program.sources import ProbePattern
from invivo.program.types import type_name
from invivo.providers.catalog import Catalog

__all__ = ["ListedArg", "ListingRow", "listing", "rows_of"]


class ListedArg(NamedTuple):
    name: str
    type_name: str  # as D writes it


class ListingRow(NamedTuple):
    """`id` is the number that the probe has everywhere; see `Catalog.number`. `places` says where in a file a probe of
    user space lies, each as a line of text."""

    id: int
    provider: str
    module: str
    function: str
    name: str
    arguments: tuple[ListedArg, ...]
    places: tuple[str, ...] = ()


def listing(catalog: Catalog, pattern: ProbePattern, *, has_arguments: bool = False) -> list[ListingRow]:
    """The probes that match, in listing order; with `has_arguments` also what args[] holds and where they lie.

    Raises:
        InvivoError: The named provider cannot be asked; the message says why.
    """
    return rows_of(catalog, catalog.match(pattern), has_arguments=has_arguments)


def rows_of(catalog: Catalog, found: Sequence[Probe], *, has_arguments: bool = False) -> list[ListingRow]:
    """The rows of some probes of the catalog."""
    rows = []
    for probe in found:
        number = catalog.number(probe)
        arguments = _arguments(probe) if has_arguments else ()
        places = catalog.places(probe) if has_arguments else ()
        names = probe.provider, probe.module, probe.function, probe.name
        rows.append(ListingRow(number, *names, arguments, places))
    return rows


def _arguments(probe: Probe) -> tuple[ListedArg, ...]:
    try:
        args: Sequence[ProbeArg] = tuple(probe.context.args)
    except InvivoError as error:
        return (ListedArg(f"({error.message})", "?"),)
    return tuple(ListedArg(arg.name, f"{arg.translator} *" if arg.translator else type_name(arg.type)) for arg in args)
