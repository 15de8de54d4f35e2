"""Names as they were written, of C++, Rust (both schemes) and Swift. Names in Go, and in C, need none.

    demangle("_ZN4deep4downEi.cold")                      -> "deep::down(int) [cold]"
    demangle("_RNvCs1234_7mycrate3foo")                   -> "mycrate::foo"
    demangle("_ZN4core3fmt5write17h0123456789abcdefE")    -> "core::fmt::write"
    demangle("main")                                      -> "main"

LLVM's demanglers do it, by way of pydemumble. Source: the Itanium C++ ABI, 5.1; Rust's RFC 2603.
"""

from __future__ import annotations

import re

__all__ = ["demangle"]

_HEADS = ("_Z", "__Z", "_R", "$s", "$S")
_LONGEST = 1 << 14  # bytes of a mangled name; the traced file is not ours
_RUST_HASH = re.compile(r"17h[0-9a-f]{16}E")
_RUST_ESCAPES = {"$SP$": "@", "$BP$": "*", "$RF$": "&", "$LT$": "<", "$GT$": ">", "$LP$": "(", "$RP$": ")", "$C$": ","}
_RUST_START = re.compile(r"(^|::)_\$")
_RUST_CODE = re.compile(r"\$u([0-9a-f]{1,6})\$")
# Compilers mark clones: .cold, .isra.0, .part.1. With .llvm.NUMBER, LLVM only tells names of several files apart.
_CLONE = re.compile(r" \(\.(.*)\)$")
_SAME = re.compile(r"^llvm\.\d+$")


def demangle(name: str) -> str:
    """The name as its programmer wrote it; the same where that is not known."""
    if not name.startswith(_HEADS) or len(name) > _LONGEST:
        return name
    import pydemumble

    try:
        found = pydemumble.demangle(name)
    except (UnicodeError, TypeError):  # bytes that are no text, in a damaged file
        return name
    if not found:
        return name
    clone = _CLONE.search(found)
    if clone is not None:
        found = found[: clone.start()]
    if _RUST_HASH.search(name):
        found = _older_rust(found)
    return f"{found} [{clone[1]}]" if clone is not None and not _SAME.match(clone[1]) else found


def _older_rust(name: str) -> str:
    """What Rust's older scheme, which passes for C++, writes in names in place of signs."""
    name = _RUST_START.sub(r"\1$", name)
    for escape, char in _RUST_ESCAPES.items():
        name = name.replace(escape, char)
    name = _RUST_CODE.sub(lambda match: chr(int(match[1], 16)) if int(match[1], 16) < 0x110000 else match[0], name)
    return name.replace("..", "::")
