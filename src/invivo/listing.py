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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.program.clauses import Probe

__all__ = ["Listing", "ListingRow", "describe_probes", "list_probes"]


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


def describe_probes(
    program: bytes, name: str = "<program>", *, arguments: Sequence[str] = (), pid: int = 0, verbose: bool = False
) -> tuple[list[ListingRow], list[str]]:
    """The probes that the clauses of a program match, each once, and the descriptions that match none with the reason.

    Args:
        program: A D text; only its descriptions are looked at.
        name: What messages call it.
        arguments: `$1` to `$n`.
        pid: `$target`.
        verbose: With the probes' arguments.

    Raises:
        CompileError: The text cannot be parsed.
    """
    from invivo.diagnostics import Diagnostics
    from invivo.engines.traits import kernel_traits
    from invivo.lang.d.decode import read_source
    from invivo.lang.d.lower import probes
    from invivo.lang.d.lower.state import Abandoned, ProgramState
    from invivo.lang.d.macros import MacroValues
    from invivo.lang.d.parser import parse
    from invivo.lang.d.syntax import ClauseDecl
    from invivo.program.options import defaults
    from invivo.providers.listing import rows_of

    found = Diagnostics()
    script = parse(read_source(name, program), found)
    found.check()
    types = KernelTypes()
    catalog = Catalog(types, kernel_traits(types), pid)
    state = ProgramState(found, types, catalog, MacroValues(arguments, name, target_pid=pid), defaults())
    matched: dict[Probe, None] = {}
    for clause in script.declarations:
        for spec in clause.probes if isinstance(clause, ClauseDecl) else ():
            try:
                matched.update(dict.fromkeys(probes.match(state, [spec])))
            except Abandoned:
                continue
    missing = [f"{one.span.text}: {one.message}{f' ({one.hint})' if one.hint else ''}" for one in found.found]
    return rows_of(catalog, list(matched), has_arguments=verbose), missing
