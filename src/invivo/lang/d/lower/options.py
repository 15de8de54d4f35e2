"""Options of a program, from the least to the most particular: defaults, environment, pragmas, command line.

INVIVO_OPT_BUFSIZE=8m     #pragma D option bufsize=8m     -x bufsize=8m
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from invivo.diagnostics import Diagnostics
from invivo.errors import OptionError
from invivo.lang.d import syntax
from invivo.program.options import defaults, parse_option

__all__ = ["options_of"]

_PREFIX = "INVIVO_OPT_"
_SILENT = ("attributes", "binding", "depends_on", "ident", "line")  # pragmas that change nothing here


def options_of(
    pragmas: Iterable[syntax.Pragma], given: Mapping[str, str | None], diagnostics: Diagnostics
) -> dict[str, int | str | bool]:
    """All options with their values; pragmas that are wrong are reported.

    Raises:
        OptionError: The environment or the command line names or gives one that cannot be.
    """
    options = defaults()
    for variable, text in os.environ.items():
        if variable.startswith(_PREFIX):
            name = variable.removeprefix(_PREFIX).lower()
            try:
                options[name] = parse_option(name, text)
            except OptionError as error:
                raise OptionError(f"environment variable {variable}: {error.message}", error.hint) from None
    for pragma in pragmas:
        _apply(pragma, options, diagnostics)
    for name, value in given.items():
        options[name] = parse_option(name, value)
    return options


def _apply(pragma: syntax.Pragma, options: dict[str, int | str | bool], diagnostics: Diagnostics) -> None:
    word, *rest = pragma.words or ("",)
    if word in _SILENT:
        return
    if word == "error":
        diagnostics.error("D_PRAGERR", pragma.span, f"#error: {' '.join(rest)}")
        return
    if word != "option":
        diagnostics.error("D_PRAGMA_INVAL", pragma.span, f"unknown pragma '{word}'", "#pragma D option NAME=VALUE")
        return
    if len(rest) != 1:
        diagnostics.error("D_PRAGMA_MALFORM", pragma.span, "a pragma sets one option", "#pragma D option NAME=VALUE")
        return
    name, equals, text = rest[0].partition("=")
    try:
        options[name] = parse_option(name, text if equals else None)
    except OptionError as error:
        diagnostics.error("D_PRAGMA_OPTSET", pragma.span, error.message, error.hint)
