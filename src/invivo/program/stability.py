"""How stable the names are that a program uses: what `-v` shows, and what the option amin asks for at least.

    least([STABLE, PROVIDERS["syscall"].arguments])     Attributes(PRIVATE, PRIVATE, ISA)
    parse("Evolving/Evolving/Common")                   Attributes(EVOLVING, EVOLVING, COMMON)

Each name has three attributes: how stable the name itself is, how stable what its data mean, and on what kind of
machine it can be used. Those of a program are the least of all names in it. Source: "Stability" in the manual of
DTrace, and what DTrace 2.0.7 shows (-e -v).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["DATA_PRIVATE", "PROVIDERS", "STABLE", "UNSTABLE", "Attributes", "Class", "ClauseStability", "Level",
           "ProviderAttributes", "attributes_of_builtin", "description_attributes", "least", "parse",
           "provider_attributes"]  # fmt: skip


class Level(enum.IntEnum):
    """From what may change at any time to what a standard fixes."""

    INTERNAL = 0
    PRIVATE = 1
    OBSOLETE = 2
    EXTERNAL = 3
    UNSTABLE = 4
    EVOLVING = 5
    STABLE = 6
    STANDARD = 7


class Class(enum.IntEnum):
    """The machines on which a name means the same, from none that is known to all."""

    UNKNOWN = 0
    CPU = 1
    PLATFORM = 2
    GROUP = 3
    ISA = 4
    COMMON = 5


class Attributes(NamedTuple):
    name: Level
    data: Level
    class_: Class

    def __str__(self) -> str:
        return f"{self.name.name.capitalize()}/{self.data.name.capitalize()}/{class_name(self.class_)}"


class ClauseStability(NamedTuple):
    """Of one clause: of its descriptions, of the names in its statements; and each description, with all four fields,
    and how many probes it matches."""

    description: Attributes
    statement: Attributes
    described: tuple[tuple[str, int], ...]


class ProviderAttributes(NamedTuple):
    """Of the fields of a provider's probe descriptions, and of its probes' arguments."""

    provider: Attributes
    module: Attributes
    function: Attributes
    name: Attributes
    arguments: Attributes


STABLE = Attributes(Level.STABLE, Level.STABLE, Class.COMMON)  # of nearly all that D itself has
UNSTABLE = Attributes(Level.PRIVATE, Level.PRIVATE, Class.UNKNOWN)
DATA_PRIVATE = Attributes(Level.STABLE, Level.PRIVATE, Class.COMMON)  # curthread: the name stays, the structure may not
_EVOLVING = Attributes(Level.EVOLVING, Level.EVOLVING, Class.COMMON)
_EVOLVING_ISA = Attributes(Level.EVOLVING, Level.EVOLVING, Class.ISA)
_PRIVATE_ISA = Attributes(Level.PRIVATE, Level.PRIVATE, Class.ISA)
# Of a description whose provider is not said, or which matches several probes.
_ANY_PROBE = Attributes(Level.UNSTABLE, Level.UNSTABLE, Class.COMMON)

_RAW = ProviderAttributes(_EVOLVING, UNSTABLE, _PRIVATE_ISA, _EVOLVING, _PRIVATE_ISA)
_EVENT = ProviderAttributes(_EVOLVING_ISA, UNSTABLE, _PRIVATE_ISA, _PRIVATE_ISA, _PRIVATE_ISA)
_TRANSLATED = ProviderAttributes(_EVOLVING_ISA, UNSTABLE, UNSTABLE, _EVOLVING_ISA, _EVOLVING_ISA)
_TIMED = ProviderAttributes(_EVOLVING, UNSTABLE, UNSTABLE, _EVOLVING, _EVOLVING)
_PROCESS = ProviderAttributes(_EVOLVING_ISA, UNSTABLE, UNSTABLE, _EVOLVING_ISA, UNSTABLE)

PROVIDERS: dict[str, ProviderAttributes] = {
    "dtrace": ProviderAttributes(STABLE, UNSTABLE, UNSTABLE, STABLE, STABLE),
    "profile": _TIMED, "cpc": _TIMED,
    "syscall": _RAW, "fbt": _RAW, "rawfbt": _RAW,
    "sdt": _EVENT, "rawtp": _EVENT,
    "proc": _TRANSLATED, "sched": _TRANSLATED, "io": _TRANSLATED, "ip": _TRANSLATED, "tcp": _TRANSLATED,
    "udp": _TRANSLATED, "lockstat": _TRANSLATED,
    "pid": _PROCESS,
}  # fmt: skip

# Builtin names that are not as stable as D's others; what depends on the probe is found there.
_BUILTINS = {"curthread": DATA_PRIVATE, "ipl": UNSTABLE}


def attributes_of_builtin(name: str) -> Attributes:
    """Of a builtin variable, action or subroutine."""
    return _BUILTINS.get(name, STABLE)


def provider_attributes(provider: str) -> ProviderAttributes:
    """Of a provider's probes: those of processes (pid123, and what programs define) are all alike."""
    return PROVIDERS.get(provider, _PROCESS)


def description_attributes(fields: Sequence[str], matched: int) -> Attributes:
    """Of a probe description with four fields that matches `matched` probes: the least of what it says of the one."""
    own = PROVIDERS.get(fields[0]) if matched == 1 and fields[0] else None
    if matched == 1 and own is None and fields[0] and not _is_pattern(fields[0]):
        own = _PROCESS
    if own is None:
        return _ANY_PROBE
    return least(each for text, each in zip(fields, own[:4], strict=True) if text and not _is_pattern(text))


def _is_pattern(text: str) -> bool:
    return any(char in text for char in "*?[")


def least(attributes: Iterable[Attributes]) -> Attributes:
    """The least of each; STABLE for none."""
    name, data, class_ = STABLE
    for each in attributes:
        name, data, class_ = min(name, each.name), min(data, each.data), min(class_, each.class_)
    return Attributes(name, data, class_)


def class_name(class_: Class) -> str:
    """As it is written: "Common", "ISA", "CPU"."""
    return class_.name if class_ in (Class.ISA, Class.CPU) else class_.name.capitalize()


def parse(text: str) -> Attributes | None:
    """Attributes as a pragma or amin writes them, NAME/DATA/CLASS in any case; None if they are not."""
    parts = text.upper().split("/")
    if len(parts) != 3 or parts[0] not in Level.__members__ or parts[1] not in Level.__members__:
        return None
    return Attributes(Level[parts[0]], Level[parts[1]], Class[parts[2]]) if parts[2] in Class.__members__ else None
