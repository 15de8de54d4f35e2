"""Options of a program, from the least to the most particular: defaults, environment, pragmas, command line.

DTRACE_OPT_BUFSIZE=8m     INVIVO_OPT_BUFSIZE=8m     #pragma D option bufsize=8m     -x bufsize=8m
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from invivo.diagnostics import Diagnostics
from invivo.errors import OptionError
from invivo.lang.d import syntax
from invivo.program.options import defaults, parse_option

__all__ = ["ENVIRONMENT", "options_of"]

ENVIRONMENT = ("DTRACE_OPT_", "INVIVO_OPT_")  # the later counts where both are set
Options = dict[str, int | str | bool]


def options_of(
    pragmas: Iterable[syntax.Pragma], given: Mapping[str, str | None], diagnostics: Diagnostics
) -> Options:
    """All options with their values; pragmas that set one wrongly are reported.

    Raises:
        OptionError: The environment or the command line names or gives one that cannot be.
    """
    chosen: Options = {}
    for prefix in ENVIRONMENT:
        for variable, text in os.environ.items():
            if variable.startswith(prefix):
                name = variable.removeprefix(prefix).lower()
                try:
                    chosen[name] = parse_option(name, text or None)
                except OptionError as error:
                    raise OptionError(f"environment variable {variable}: {error.message}", error.hint) from None
    for pragma in pragmas:
        if pragma.words[:1] == ("option",):
            _apply(pragma, chosen, diagnostics)
    for name, value in given.items():
        chosen[name] = parse_option(name, value)
    return {**defaults(str(chosen.get("defaults", ""))), **chosen}


def _apply(pragma: syntax.Pragma, chosen: Options, diagnostics: Diagnostics) -> None:
    _, *rest = pragma.words
    if len(rest) != 1:
        diagnostics.error("D_PRAGMA_MALFORM", pragma.span, "a pragma sets one option", "#pragma D option NAME=VALUE")
        return
    name, equals, text = rest[0].strip('"').partition("=")
    try:
        chosen[name] = parse_option(name, text if equals else None)
    except OptionError as error:
        diagnostics.error("D_PRAGMA_OPTSET", pragma.span, error.message, error.hint)
