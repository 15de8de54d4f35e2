"""-C: the C preprocessor over a D text, by the package pcpp (in Python alone: no compiler is needed).

    preprocess(b'#define LIMIT 10\\nBEGIN { exit(LIMIT); }', "x.d", Macros(["DDEBUG=1"], ["/usr/local/include"], "t"))
    b'#line 2 "x.d"\\nBEGIN { exit(10); }\\n'

The `#line`s that it leaves keep places in messages right; `#pragma` and a `#!` line pass through or go. Predefined are
DTrace's own names, and those of a C compiler for this machine. Source: dtrace(8), -C.
"""

from __future__ import annotations

import io
import os
import re
import sys
from typing import NamedTuple

from invivo.errors import InvivoError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["Macros", "preprocess"]

_VERSION = (2, 0, 0)  # of D
_SYSTEM = ("/usr/local/include", "/usr/include")


class Macros(NamedTuple):
    """`items` are "DNAME=VALUE" and "UNAME" in order; `folders` come before the system's; `standard` is that of -X."""

    items: Sequence[str] = ()
    folders: Sequence[str] = ()
    standard: str = "t"


def preprocess(text: bytes, name: str, macros: Macros, included: Callable[[str], None] | None = None) -> bytes:
    """The text as the preprocessor leaves it; `included` is told each file that is included.

    Raises:
        UnsupportedError: pcpp is not installed.
        InvivoError: The preprocessor found errors; the message has them all.
    """
    engine = _engine(included)
    for macro in _predefined(macros.standard):
        engine.define(macro)
    for item in macros.items:
        if item.startswith("U"):
            engine.undef(item[1:])
        else:
            macro, _, value = item[1:].partition("=")
            engine.define(f"{macro} {value or '1' if '=' not in item else value}")
    for folder in (*macros.folders, *_system_folders()):
        engine.add_path(folder)
    # Places in messages name the file as it was given, included ones by their whole path.
    engine.rewrite_paths = [(re.escape(os.path.abspath(name)) + r"\Z", name.replace("\\", r"\\"))]
    source = text.decode("utf-8", "surrogateescape")
    if source.startswith("#!"):
        source = source[source.find("\n") :] if "\n" in source else ""
    out = io.StringIO()
    engine.parse(source, name)
    engine.write(out)
    if engine.errors:
        raise InvivoError("; ".join(engine.errors), "the C preprocessor (-C) says so")
    return out.getvalue().encode("utf-8", "surrogateescape")


def _engine(included: Callable[[str], None] | None) -> Any:
    """pcpp's preprocessor, which keeps its complaints instead of printing them."""
    try:
        from pcpp import OutputDirective, Preprocessor
    except ImportError:
        raise UnsupportedError("-C needs the Python package pcpp", "pip install 'invivo[cpp]'") from None

    class Engine(Preprocessor):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.line_directive = "#line"
            self.errors: list[str] = []

        def on_error(self, file: str, line: int, message: str) -> None:
            self.errors.append(f'"{file}", line {line}: {message}')

        def on_include_not_found(
            self, is_malformed: bool, is_system: bool, current: str, path: str, *rest: object
        ) -> None:
            shown = f"<{path}>" if is_system else f'"{path}"'
            why = "is no name of a file" if is_malformed else "no such file in the folders of -I or the system's"
            place = self.lastdirective
            self.errors.append(f'"{place.source}", line {place.lineno}: #include {shown}: {why}')
            raise OutputDirective(_action("IgnoreAndRemove"))

        def on_file_open(self, is_system: bool, path: str) -> Any:
            opened = open(path, encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
            if included is not None:
                included(path)
            return opened

        def on_directive_handle(self, directive: Any, tokens: Any, *rest: Any) -> Any:
            if directive.value == "pragma":
                raise OutputDirective(_action("IgnoreAndPassThrough"))
            return super().on_directive_handle(directive, tokens, *rest)

        def on_directive_unknown(self, directive: Any, tokens: Any, *rest: Any) -> Any:
            words = "".join(token.value for token in tokens).strip()
            if directive.value == "error":
                self.errors.append(f'"{directive.source}", line {directive.lineno}: #error {words}')
                return True
            return super().on_directive_unknown(directive, tokens, *rest)

    return Engine()


def _action(name: str) -> Any:
    from pcpp import Action

    return getattr(Action, name)


def _predefined(standard: str) -> list[str]:
    """Definitions as after #define. `standard` is of -X: what __STDC__ is."""
    machine = os.uname().machine
    major, minor, micro = _VERSION
    names = ["__linux 1", "__linux__ 1", "__unix 1", "__unix__ 1", "__SVR4 1", f"__{os.uname().sysname} 1"]
    names += [f"__{machine} 1", f"__{machine}__ 1", "__SUNW_D 1"]
    names.append(f"__SUNW_D_VERSION {major << 24 | minor << 12 | micro:#x}")
    if sys.maxsize > 1 << 32:
        names += ["__SUNW_D_64 1", "_LP64 1", "__LP64__ 1"]
    return [*names, f"__STDC__ {int(standard in ('c', 's'))}"]


def _system_folders() -> list[str]:
    multiarch = f"/usr/include/{os.uname().machine}-linux-gnu"  # Debian's
    return [folder for folder in (*_SYSTEM, multiarch) if os.path.isdir(folder)]
