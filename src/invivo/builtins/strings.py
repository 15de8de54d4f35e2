"""Subroutines on strings. Results are cut to the option strsize.

strjoin(a, b)     Call("strjoin", (a, b), String(256))
index(s, t)       Call("index", (s, t, 0), int)
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Call, Expr, IntLit
from invivo.program.primitives import PRIMITIVES
from invivo.program.types import INT, INT64, Int, String

__all__: list[str] = []

_INT64_MAX = (1 << 63) - 1
_ANY_BASE_BYTES = 72  # 64 digits of base 2, a sign, the NUL
_DECIMAL_BYTES = 24  # of a 64-bit number with its sign, and the NUL
_SIZE = Int("size_t", 8, False)

_Rewrite = Callable[[Builder, list[Expr]], Expr]


def _text(primitive: str, *defaults: int) -> _Rewrite:
    """A primitive that yields a string; arguments that were left out take the last of `defaults`."""

    def rewrite(b: Builder, args: list[Expr]) -> Expr:
        return Call(primitive, _filled(b, primitive, args, defaults), String(b.strsize), b.span)

    return rewrite


def _number(primitive: str, type_: Int, *defaults: int) -> _Rewrite:
    return lambda b, args: Call(primitive, _filled(b, primitive, args, defaults), type_, b.span)


def _filled(b: Builder, primitive: str, args: list[Expr], defaults: tuple[int, ...]) -> tuple[Expr, ...]:
    """All arguments that the primitive takes; the last ones, where left out, from the end of `defaults`."""
    missing = len(PRIMITIVES[primitive].parameters) - len(args)
    return (*args, *(IntLit(value, INT64, b.span) for value in defaults[len(defaults) - missing :]))


def _lltostr(b: Builder, args: list[Expr]) -> Expr:
    if len(args) > 1:
        return Call("lltostr_base", tuple(args), String(_ANY_BASE_BYTES), b.span)
    return Call("lltostr", tuple(args), String(_DECIMAL_BYTES), b.span)


def _strtok(b: Builder, args: list[Expr]) -> Expr:
    text, delimiters = args
    if isinstance(text.type, String):
        return b.library("__strtok_first", [text, delimiters])
    return b.library("__strtok_next", [delimiters])


def _row(prototype: str, doc: str, rewrite: _Rewrite) -> Builtin:
    name = prototype.partition("(")[0].split()[-1]
    return Builtin(name, Kind.SUBROUTINE, prototype, doc, subroutine=rewrite)


register(
    _row("size_t strlen(string s)", "number of bytes of a string", _number("strlen", _SIZE)),
    _row("string strjoin(string a, string b)", "the two strings one after the other", _text("strjoin")),
    _row(
        "string substr(string s, int64_t start [, int64_t length])",
        "part of a string; a negative start counts from the end",
        _text("substr", _INT64_MAX),
    ),
    _row(
        "int index(string s, string part [, int64_t start])",
        "position of the first occurrence at or after start, or -1",
        _number("index", INT, 0),
    ),
    _row(
        "int rindex(string s, string part [, int64_t start])",
        "position of the last occurrence at or before start, or -1",
        _number("rindex", INT, _INT64_MAX),
    ),
    _row("string strstr(string s, string part)", "the rest of s from the first occurrence of part on", _text("strstr")),
    _row("string strchr(string s, char c)", "the rest of s from the first such character on", _text("strchr")),
    _row("string strrchr(string s, char c)", "the rest of s from the last such character on", _text("strrchr")),
    _row("string basename(string path)", "the last component of a path", _text("basename")),
    _row("string dirname(string path)", "a path without its last component", _text("dirname")),
    _row(
        "string lltostr(int64_t number [, int base])",
        "a number in decimal, or in another base (with 0x before base 16, 0 before base 8)",
        _lltostr,
    ),
    _row(
        "int64_t strtoll(string s [, int base])",
        "the number that a string begins with, 0 if it begins with none",
        _number("strtoll", INT64, 10),
    ),
    _row(
        "string strtok(char *s, string delimiters)",
        "the first part of s between delimiters; with NULL the next one of the same firing, at last the empty string",
        _strtok,
    ),
    _row(
        "size_t strspn(string s, string set)", "how many bytes s begins with that are in set",
        _number("strspn", _SIZE),
    ),
    _row(
        "size_t strcspn(string s, string set)", "how many bytes s begins with that are not in set",
        _number("strcspn", _SIZE),
    ),
    _row("string toupper(string s)", "a string in upper case (ASCII)", _text("toupper")),
    _row("string tolower(string s)", "a string in lower case (ASCII)", _text("tolower")),
)
