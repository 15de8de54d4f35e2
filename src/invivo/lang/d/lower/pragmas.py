"""Pragmas other than options: whether each is written as it should be, and what it gives the program.

    #pragma D attributes Evolving/Evolving/Common f     state.attributes["f"]
    #pragma D binding "2.1" f                           state.bindings["f"] = (2, 1)
    #pragma D depends_on library io.d                   D_PRAGMA_DEPEND in a program; in a library, see lower.library

In: the script's pragmas, and its clauses for where they stand. Out: diagnostics, attributes, versions.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.diagnostics import Diagnostics
from invivo.lang.d import syntax
from invivo.lang.d.pragmas import PRAGMAS
from invivo.program.stability import Attributes, Class, Level, parse

__all__ = ["check_pragmas", "version_of"]

_FIELDS = ("provider", "module", "function", "name", "args")


def check_pragmas(
    script: syntax.Script,
    diagnostics: Diagnostics,
    attributes: dict[str, Attributes],
    bindings: dict[str, tuple[int, ...]],
) -> None:
    """Report pragmas that are wrong, and put what those of kind attributes and binding give into the two dictionaries,
    by identifier."""
    clauses = [d.span for d in script.declarations if isinstance(d, syntax.ClauseDecl)]
    for pragma in script.declarations:
        if not isinstance(pragma, syntax.Pragma):
            continue
        word, *rest = pragma.words or ("",)
        known = PRAGMAS.get(word)
        if known is None:
            names = ", ".join(name for name, row in PRAGMAS.items() if row.form.startswith("#pragma D"))
            diagnostics.error("D_PRAGMA_INVAL", pragma.span, f"unknown pragma '{word}'", f"there are {names}")
        elif known.is_outside and any(span.start < pragma.span.start < span.end for span in clauses):
            message = f"the pragma {word} stands outside of clauses"
            diagnostics.error("D_PRAGMA_SCOPE", pragma.span, message, "move it above the clause")
        else:
            _check(word, rest, pragma, diagnostics, attributes, bindings)


def _check(
    word: str,
    rest: Sequence[str],
    pragma: syntax.Pragma,
    diagnostics: Diagnostics,
    attributes: dict[str, Attributes],
    bindings: dict[str, tuple[int, ...]],
) -> None:
    def malformed(message: str) -> None:
        diagnostics.error("D_PRAGMA_MALFORM", pragma.span, message, PRAGMAS[word].form)

    match word:
        case "error":
            diagnostics.error("D_PRAGERR", pragma.span, f"#error: {' '.join(rest)}")
        case "attributes":
            given = parse(rest[0]) if rest else None
            if given is None:
                levels, classes = (", ".join(m.capitalize() for m in of.__members__) for of in (Level, Class))
                hint = f"NAME and DATA are of {levels}; CLASS of {classes}"
                diagnostics.error("D_PRAGMA_MALFORM", pragma.span, "a pragma of attributes begins with "
                                                                   "NAME/DATA/CLASS", hint)
            elif len(rest) == 2:
                attributes[rest[1]] = given
            elif not (len(rest) == 4 and rest[1] == "provider" and rest[3] in _FIELDS):
                malformed("attributes are those of one identifier, or of a field of a provider")
        case "binding":
            if len(rest) != 2 or not _is_version(rest[0]):
                malformed("a binding is a version and an identifier")
            else:
                bindings[rest[1]] = version_of(rest[0].strip('"'))
        case "depends_on":
            if len(rest) != 2 or rest[0] not in ("provider", "module", "library"):
                malformed("a dependency is on one provider, module or library")
            elif rest[0] == "library":
                message = f"a program cannot depend on a library: '{rest[1]}' is read if it is asked for"
                diagnostics.error("D_PRAGMA_DEPEND", pragma.span, message, "-x libdir=FOLDER reads the files of a "
                                                                           "folder")


def version_of(text: str) -> tuple[int, ...]:
    """A version of D as numbers: "1.6" is (1, 6, 0)."""
    numbers = [int(part) for part in text.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _is_version(text: str) -> bool:
    parts = text.strip('"').split(".")
    return text.startswith('"') and 2 <= len(parts) <= 3 and all(part.isdecimal() for part in parts)
