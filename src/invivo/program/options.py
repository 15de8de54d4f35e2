"""Options of a program: `-x NAME[=VALUE]`, `#pragma D option NAME=VALUE`, and INVIVO_OPT_NAME in the environment.

One row each. Sizes take k, m, g, t; times take ns us ms s m h d (or hz, for rates); numbers are decimal or 0x.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from invivo.errors import OptionError

__all__ = ["OPTIONS", "Option", "OptionKind", "defaults", "parse_option"]


class OptionKind(enum.Enum):
    SIZE = "size"  # bytes
    TIME = "time"  # ns
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"


class Option(NamedTuple):
    name: str
    kind: OptionKind
    default: int | str | bool
    meaning: str


_ROWS = (
    Option("aggsize", OptionKind.SIZE, 4 << 20, "bytes of aggregation keys and values a CPU and aggregation"),
    Option("aggsortkey", OptionKind.FLAG, False, "sort aggregations by key instead of value"),
    Option("aggsortrev", OptionKind.FLAG, False, "sort aggregations in descending order"),
    Option("aggrate", OptionKind.TIME, 1_000_000_000, "how often aggregations are read while tracing"),
    Option("bufsize", OptionKind.SIZE, 64 << 20, "bytes of the ring buffer that carries records"),
    Option("defaultargs", OptionKind.FLAG, False, "macro arguments that are not given read 0 or the empty string"),
    Option("dynvarsize", OptionKind.SIZE, 1 << 20, "bytes of each associative array or thread-local variable"),
    Option("maxloop", OptionKind.NUMBER, 65536, "iterations after which a loop is stopped, where the kernel asks"),
    Option("nspec", OptionKind.NUMBER, 1, "speculations that can be under way at a time"),
    Option("specsize", OptionKind.SIZE, 4 << 20, "bytes that one speculation can hold back"),
    Option("quiet", OptionKind.FLAG, False, "print only what the program prints"),
    Option("scratchsize", OptionKind.SIZE, 4096, "bytes of scratch memory of a firing (alloca, copyin)"),
    Option("stackframes", OptionKind.NUMBER, 127, "frames of a stack"),
    Option("stackindent", OptionKind.NUMBER, 14, "columns before a stack's frames"),
    Option("stacksize", OptionKind.NUMBER, 16384, "distinct stacks that can be kept"),
    Option("strsize", OptionKind.SIZE, 256, "bytes of a string, its NUL included"),
    Option("switchrate", OptionKind.TIME, 100_000_000, "how often records are read while tracing"),
    Option("ustackframes", OptionKind.NUMBER, 127, "frames of a user stack"),
)

OPTIONS: dict[str, Option] = {row.name: row for row in _ROWS}

_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES = {
    "ns": 1, "nsec": 1, "us": 1_000, "usec": 1_000, "ms": 1_000_000, "msec": 1_000_000, "": 1_000_000_000,
    "s": 1_000_000_000, "sec": 1_000_000_000, "m": 60_000_000_000, "min": 60_000_000_000,
    "h": 3_600_000_000_000, "hour": 3_600_000_000_000, "d": 86_400_000_000_000, "day": 86_400_000_000_000,
}  # fmt: skip


def defaults() -> dict[str, int | str | bool]:
    """All options with their default values."""
    return {row.name: row.default for row in _ROWS}


def parse_option(name: str, text: str | None) -> int | str | bool:
    """The value of option `name` from its text (None: given without a value).

    Raises:
        OptionError: No such option, or not a value of its kind.
    """
    row = OPTIONS.get(name)
    if row is None:
        import difflib

        close = difflib.get_close_matches(name, OPTIONS, 1)
        hint = f"did you mean {close[0]}?" if close else "see: invivo help options"
        raise OptionError(f"unknown option '{name}'", hint)
    if row.kind is OptionKind.FLAG:
        if text not in (None, "0", "1", "on", "off", "yes", "no", "true", "false"):
            raise OptionError(f"option '{name}' is a flag: '{text}' is not yes or no")
        return text in (None, "1", "on", "yes", "true")
    if text is None or text == "":
        raise OptionError(f"option '{name}' needs a value: {row.meaning}", f"for instance -x {name}={row.default}")
    if row.kind is OptionKind.TEXT:
        return text
    return _number(row, text)


def _number(row: Option, text: str) -> int:
    digits = text.lower().rstrip("abcdefghijklmnopqrstuvwxyz") if not text.lower().startswith("0x") else text
    unit = text[len(digits) :].lower()
    try:
        number = int(digits, 0)
    except ValueError:
        raise OptionError(f"option '{row.name}': '{text}' is not a number") from None
    if number < 0:
        raise OptionError(f"option '{row.name}': '{text}' is negative")
    if row.kind is OptionKind.TIME and unit == "hz" and number:
        return 1_000_000_000 // number
    units = {OptionKind.SIZE: _SIZES, OptionKind.TIME: _TIMES, OptionKind.NUMBER: {"": 1}}[row.kind]
    if unit not in units:
        hint = f"units: {' '.join(filter(None, units))}"
        raise OptionError(f"option '{row.name}': unknown unit '{unit}' in '{text}'", hint)
    return number * units[unit]
