"""The pragmas of D: what each says, and how it is written.

    #pragma D option quiet                                 PRAGMAS["option"]
    #pragma D depends_on provider sched                    PRAGMAS["depends_on"]
    #pragma D attributes Evolving/Evolving/Common f        PRAGMAS["attributes"]
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PRAGMAS", "Pragma"]


class Pragma(NamedTuple):
    """One pragma. `is_outside`: it stands outside of clauses only."""

    name: str
    form: str
    meaning: str
    is_outside: bool = True


_ROWS = (
    Pragma("attributes", "#pragma D attributes NAME/DATA/CLASS [provider NAME FIELD | IDENTIFIER]",
           "gives what the program declares its stability, which -v shows"),
    Pragma("binding", '#pragma D binding "VERSION" IDENTIFIER', "says from which version of D on a name is there"),
    Pragma("depends_on", "#pragma D depends_on provider|module|library NAME",
           "a file of a library is left out where that is missing; in a program it is an error", is_outside=False),
    Pragma("error", "#pragma error TEXT", "ends the compilation with a message", is_outside=False),
    Pragma("ident", "#pragma ident TEXT", "is a note, and changes nothing", is_outside=False),
    Pragma("line", '#pragma line NUMBER "FILE"', "says which file and line the text is from, as #line does",
           is_outside=False),
    Pragma("option", "#pragma D option NAME[=VALUE]", "sets an option of the whole program, as -x does",
           is_outside=False),
)  # fmt: skip

PRAGMAS: dict[str, Pragma] = {row.name: row for row in _ROWS}
