"""Names as they were written, of C++ and of Rust's older scheme.

    demangle("_ZN4deep4downEi.cold")                      -> "deep::down(int) [cold]"
    demangle("_ZN4core3fmt5write17h0123456789abcdefE")    -> "core::fmt::write"
    demangle("main")                                      -> "main"

The C++ library of the system does it, where there is one; else names stay as they are. Names in Go need none.
Source: the Itanium C++ ABI, 5.1 and its __cxa_demangle.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["demangle"]

_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_RUST_ESCAPES = {"$SP$": "@", "$BP$": "*", "$RF$": "&", "$LT$": "<", "$GT$": ">", "$LP$": "(", "$RP$": ")", "$C$": ","}
_LONGEST = 1 << 14  # bytes of a mangled name; the traced file is not ours

_functions: tuple[Any, Any] | None = None
_is_tried = False


def demangle(name: str) -> str:
    """The name as its programmer wrote it; the same where that is not known."""
    if not name.startswith(("_Z", "__Z")) or len(name) > _LONGEST:
        return name
    base, dot, suffix = name.partition(".")  # compilers add .cold, .isra.0, .part.1 to clones
    found = _by_library(base)
    if found is None:
        return name
    if (shorter := _RUST_HASH.sub("", found)) != found:
        for escape, char in _RUST_ESCAPES.items():
            shorter = shorter.replace(escape, char)
        found = shorter.replace("..", "::")
    return f"{found} [{suffix}]" if dot else found


def _by_library(name: str) -> str | None:
    global _functions, _is_tried
    if not _is_tried:
        _is_tried = True
        _functions = _load()
    if _functions is None:
        return None
    import ctypes

    function, free = _functions
    status = ctypes.c_int(1)
    pointer = function(name.encode("utf-8", "surrogateescape"), None, None, ctypes.byref(status))
    if not pointer:
        return None
    try:
        value = ctypes.cast(pointer, ctypes.c_char_p).value or b""
        return value.decode("utf-8", "surrogateescape")
    finally:
        free(pointer)


def _load() -> tuple[Any, Any] | None:
    """__cxa_demangle and free."""
    import ctypes

    for library in ("libstdc++.so.6", "libc++abi.so.1"):
        try:
            function = ctypes.CDLL(library).__cxa_demangle
        except (OSError, AttributeError):
            continue
        free = ctypes.CDLL(None).free
        function.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        function.restype = ctypes.c_void_p
        free.argtypes = [ctypes.c_void_p]
        free.restype = None
        return function, free
    return None
