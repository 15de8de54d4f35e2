"""What to say to the person who names a function of C++ or Rust as it is written, not as the file has it.

    'Shop*place*' of {_ZN4Shop5placeERK5Orderi}   names of C++ and Rust are mangled in the file: *Shop*place* matches
                                                  Shop::place(Order const&, int)

In: the field of a description that matched nothing, and the names that there are. Out: a hint.
"""

from __future__ import annotations

from collections.abc import Iterable

from invivo.providers.base import Glob
from invivo.symbols.demangle import demangle

__all__ = ["unmangled"]

_HEADS = ("_Z", "_R")


def unmangled(wanted: str, names: Iterable[str]) -> str:
    """The description that would match mangled names, how many, and one of them as it was written; or ""."""
    core = wanted.strip("*")
    # A name stands in the mangled one behind its length, which tells place from replaced.
    pattern = f"*{core}*" if Glob(wanted).literal is None else f"*{len(core)}{core}*"
    matches = Glob(pattern)
    found = sorted((name for name in names if name.startswith(_HEADS) and matches(name)), key=len) if core else []
    if not found:
        return ""
    number = "" if len(found) == 1 else f"{len(found)} functions, such as "
    return f"names of C++ and Rust are mangled in the file: {pattern} matches {number}{demangle(found[0])}"
