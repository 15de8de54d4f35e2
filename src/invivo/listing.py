"""Probes by pattern, for `invivo list` and for programs.

    list_probes("syscall::read:*", verbose=True).rows
    [ListingRow(421, "syscall", "vmlinux", "read", "entry", (ListedArg("fd", "unsigned int"), ...)), ...]
"""

from __future__ import annotations

from typing import NamedTuple

from invivo.errors import InvivoError, OptionError
from invivo.program.sources import ProbePattern
from invivo.providers.catalog import Catalog
from invivo.providers.kernel_types import KernelTypes
from invivo.providers.listing import ListingRow, listing

__all__ = ["Listing", "list_probes"]


class Listing(NamedTuple):
    """The probes found; `suggestion` says what may have been meant if there are none.

    `refusals` are providers that the pattern means and that cannot be asked, each with the reason.
    """

    rows: list[ListingRow]
    suggestion: str
    refusals: dict[str, InvivoError]


def list_probes(pattern: str, *, verbose: bool = False) -> Listing:
    """Probes that match a description; with `verbose`, their arguments too.

    Args:
        pattern: Up to four fields with globs, right-aligned as in D: `read:entry` is function and name.

    Raises:
        OptionError: More than four fields.
        RightsError: The kernel's list cannot be read.
    """
    from invivo.engines.traits import kernel_traits

    fields = pattern.split(":")
    if len(fields) > 4:
        raise OptionError(f"'{pattern}' has {len(fields)} fields", "a probe is provider:module:function:name")
    wanted = ProbePattern(*([""] * (4 - len(fields)) + fields))
    types = KernelTypes()
    catalog = Catalog(types, kernel_traits(types))
    rows = listing(catalog, wanted, has_arguments=verbose)
    return Listing(rows, "" if rows else catalog.suggest(wanted), catalog.refusals)
