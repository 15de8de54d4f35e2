"""C types looked up in several sources, one after the other: a file's own debug information, then files of --types.

In: sources of types, best first. Out: what the first that knows a name says of it.

    class FileTypes(TypeChain):
        def _sources(self): yield from (self.own, *self.given)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from invivo.program.sources import TypeSource
from invivo.program.types import Type

__all__ = ["TypeChain"]


class TypeChain(ABC):
    """The part of `program.sources.TypeSource` that is about types; variables are the subclass's business."""

    @abstractmethod
    def _sources(self) -> Iterator[TypeSource]: ...

    def struct(self, keyword: str, name: str) -> Type | None:
        """As TypeSource.struct; a type of which only the name is known gives way to one whose members are."""
        found: Type | None = None
        for source in self._sources():
            made = source.struct(keyword, name)
            if made is not None and getattr(made, "size", None) is not None:
                return made
            found = found or made
        return found

    def enum(self, name: str) -> Type | None:
        return next((t for s in self._sources() if (t := s.enum(name)) is not None), None)

    def typedef(self, name: str) -> Type | None:
        return next((t for s in self._sources() if (t := s.typedef(name)) is not None), None)

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        return next((t for s in self._sources() if (t := s.enumerator(name)) is not None), None)

    def address(self, module: str, name: str) -> None:
        """None: only the kernel's symbols have a type by declaration."""
        return
