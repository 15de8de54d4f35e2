"""Names that D's library declares: translators, typedefs, inlines. Read when the first unknown name asks for it.

library("psinfo_t")    declares the structure and its translators, and says that it did
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.diagnostics import Diagnostics
from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.program.types import Struct

__all__ = ["attach_library"]


def attach_library(state: ProgramState, declare: Callable[[ProgramState, syntax.TopLevel], None]) -> None:
    """Give the program the library. `declare` puts one declaration into the program."""
    loaded: dict[str, list[syntax.TopLevel]] = {}
    is_loaded = False

    def library(name: str) -> bool:
        nonlocal is_loaded
        if not is_loaded:
            is_loaded = True
            loaded.update(_index(state))
        found = loaded.pop(name, None)
        if found is None:
            return False
        for declaration in found:
            declare(state, declaration)
        return True

    state.library = library


def _index(state: ProgramState) -> dict[str, list[syntax.TopLevel]]:
    """The library's declarations by the names that they declare."""
    from invivo.lang.d.library import library_texts
    from invivo.lang.d.parser import parse

    def has_member(struct: str, member: str) -> bool:
        found = state.types.struct("struct", struct)
        return isinstance(found, Struct) and found.find(member) is not None

    index: dict[str, list[syntax.TopLevel]] = {}
    for source in library_texts(has_member):
        diagnostics = Diagnostics()
        script = parse(source, diagnostics)
        diagnostics.check()
        for declaration in script.declarations:
            for name in _names(declaration):
                index.setdefault(name, []).append(declaration)
    return index


def _names(declaration: syntax.TopLevel) -> list[str]:
    from invivo.lang.d.lower.translators import output_name

    match declaration:
        case syntax.TranslatorDecl(output):
            return [output_name(output)]
        case syntax.InlineDecl(declarator):
            return [declarator.name]
        case syntax.FunctionDecl(name):
            return [name]
        case syntax.Declaration(base=base, declarators=declarators):
            tag = base.tagged
            names = [d.name for d in declarators]
            if isinstance(tag, syntax.StructDecl) and tag.name:
                names.append(f"{tag.keyword} {tag.name}")
            if isinstance(tag, syntax.EnumDecl):
                names += [name for name, _ in tag.members or ()]
            return names
        case _:
            return []
