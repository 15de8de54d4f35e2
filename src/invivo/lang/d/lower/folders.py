"""Libraries of the user's: the *.d files of the folders that option libdir names, read before the program.

    -x libdir=/usr/share/mine:lib       mine/net.d, lib/a.d ... in the order of their names,
    those that others need first

A file has declarations, inlines and translators,
and no clauses. With `#pragma D depends_on provider NAME` (or module) it is
left out where that is not to be had; `depends_on library FILE` puts another file before it.
"""

from __future__ import annotations

from pathlib import Path

from invivo.errors import OptionError
from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.program.sources import ProbePattern

__all__ = ["folder_declarations"]


def folder_declarations(state: ProgramState) -> list[syntax.TopLevel]:
    """All declarations of the files, in order; errors in them are reported.

    Raises:
        OptionError: A folder or file cannot be read.
    """
    files: dict[str, syntax.Script] = {}
    for folder in filter(None, str(state.options["libdir"]).split(":")):
        if not Path(folder).is_dir():
            raise OptionError(f"option libdir: '{folder}' is not a folder")
        for path in sorted(Path(folder).glob("*.d")):
            files[path.name] = _script(state, path)
    found: list[syntax.TopLevel] = []
    done: set[str] = set()
    for name in files:
        _add(state, name, files, done, found)
    return found


def _script(state: ProgramState, path: Path) -> syntax.Script:
    from invivo.lang.d.decode import read_source
    from invivo.lang.d.parser import parse

    try:
        text = path.read_bytes()
    except OSError as error:
        raise OptionError(f"option libdir: cannot read '{path}': {error.strerror}") from None
    script = parse(read_source(str(path), text), state.diagnostics)
    for each in script.declarations:
        if isinstance(each, syntax.ClauseDecl):
            state.report("D_SYNTAX", each.probes[0].span, "a file of a library has no clauses", "run it as a program")
    return script


def _add(
    state: ProgramState, name: str, files: dict[str, syntax.Script], done: set[str], found: list[syntax.TopLevel]
) -> bool:
    """Add a file's declarations, after those of the files that it needs; whether all of that is to be had."""
    if name in done:
        return True
    if name not in files:
        return False
    done.add(name)
    script = files[name]
    for pragma in script.declarations:
        if isinstance(pragma, syntax.Pragma) and pragma.words[:1] == ("depends_on",) and len(pragma.words) == 3:
            _, kind, needed = pragma.words
            if kind == "library":
                if not _add(state, needed, files, done, found):
                    message = f"the library {name} needs {needed}, which no folder of libdir has"
                    state.report("D_PRAGMA_DEPEND", pragma.span, message)
            elif not _is_there(state, kind, needed):
                return True
    found += [each for each in script.declarations if not isinstance(each, syntax.ClauseDecl | syntax.Pragma)]
    return True


def _is_there(state: ProgramState, kind: str, name: str) -> bool:
    pattern = ProbePattern(name, "", "", "") if kind == "provider" else ProbePattern("", name, "", "")
    return name == "vmlinux" or bool(state.catalog.match(pattern))
