"""C declarations as the kernel's tracing files write them, turned into types.

In: the text of a field's type (`const char *`, `struct stat *`, `umode_t`), and the space that its pointers lead into.
Out: a Type, or None where the text names something that this kernel's BTF does not know.

    parse_c_type("const char *", types, Space.USER)   -> Pointer(CHAR, Space.USER)
    parse_c_type("umode_t", types, Space.USER)        -> Int("umode_t", 2, False)
"""

from __future__ import annotations

import re

from invivo.program.sources import TypeSource
from invivo.program.types import (
    BOOL,
    CHAR,
    INT,
    LONG,
    SHORT,
    UCHAR,
    UINT,
    ULONG,
    USHORT,
    VOID,
    Int,
    Pointer,
    Space,
    Type,
)

__all__ = ["parse_c_type"]

_TOKEN = re.compile(r"\w+|\*|\S")
_QUALIFIERS = frozenset(
    {"const", "volatile", "restrict", "__user", "__kernel", "__rcu", "__iomem", "__percpu", "__force"}
)
_LONG_LONG = Int("long long", 8, True)
_UNSIGNED_LONG_LONG = Int("unsigned long long", 8, False)

# By the words in alphabetical order, "int" left out where another word is there.
_BASIC: dict[tuple[str, ...], Type] = {
    ("void",): VOID, ("_Bool",): BOOL, ("bool",): BOOL,
    ("char",): CHAR, ("char", "signed"): Int("signed char", 1, True), ("char", "unsigned"): UCHAR,
    ("short",): SHORT, ("short", "signed"): SHORT, ("short", "unsigned"): USHORT,
    ("int",): INT, ("signed",): INT, ("unsigned",): UINT,
    ("long",): LONG, ("long", "signed"): LONG, ("long", "unsigned"): ULONG,
    ("long", "long"): _LONG_LONG, ("long", "long", "signed"): _LONG_LONG,
    ("long", "long", "unsigned"): _UNSIGNED_LONG_LONG,
}  # fmt: skip


def parse_c_type(text: str, types: TypeSource, space: Space) -> Type | None:
    """The type that `text` declares; every pointer in it leads into `space`.

    A pointer to something unknown is a `void *`; anything else unknown (or not understood, a function pointer for
    instance) is None.
    """
    words = [word for word in _TOKEN.findall(text) if word not in _QUALIFIERS]
    stars = 0
    while words and words[-1] == "*":
        words.pop()
        stars += 1
    base = _base(words, types)
    if stars == 0:
        return base
    result: Type = base if base is not None else VOID
    for _ in range(stars):
        result = Pointer(result, space)
    return result


def _base(words: list[str], types: TypeSource) -> Type | None:
    if len(words) == 2 and words[0] in ("struct", "union"):
        return types.struct(words[0], words[1])
    if len(words) == 2 and words[0] == "enum":
        return types.enum(words[1])
    basic = tuple(sorted(words if len(words) == 1 else [word for word in words if word != "int"]))
    found = _BASIC.get(basic)
    if found is None and len(words) == 1 and words[0].isidentifier():
        found = types.typedef(words[0])
    return found
