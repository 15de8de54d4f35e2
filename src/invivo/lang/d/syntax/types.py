"""Types, declarators and declarations as written.

    int *a[3];      Declaration("", TypeName(("int",)), (Declarator("a", (("array", 3), ("pointer", None))),))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invivo.source import Span
from invivo.value import node

if TYPE_CHECKING:
    from invivo.lang.d.syntax.expressions import Expression

__all__ = ["Declaration", "Declarator", "EnumDecl", "Parameter", "StructDecl", "TypeName"]


@node
class StructDecl:
    """`struct NAME { ... }`; members None is only a reference to the type."""

    keyword: str  # "struct" "union"
    name: str
    members: tuple[Declaration, ...] | None
    span: Span


@node
class EnumDecl:
    name: str
    members: tuple[tuple[str, Expression | None], ...] | None
    span: Span


@node
class Declarator:
    """One declarated name with what surrounds it, applied from the name outwards, as C reads:

    `*a[3]` is ("a", [("array", 3), ("pointer", None)]); `(*f)(int)` is ("f", [("pointer", None), ("func", params)]).
    Array sizes: an Expression, None for [], or (for D's associative arrays, `a[int, string]`) "tuple" with TypeNames.
    """

    name: str  # empty for an abstract declarator
    # ("pointer", None), ("array", Expression | None), ("tuple", tuple[TypeName, ...]), ("func", tuple[Parameter, ...])
    parts: tuple[tuple[str, object], ...]
    span: Span
    bits: Expression | None = None  # a bit-field's width


@node
class TypeName:
    """A type as in a cast or sizeof: specifiers and an abstract declarator.

    `words` are the specifiers that are plain words ("unsigned", "long", "task_t", "string"), in order, qualifiers left
    out; `tagged` is set instead for struct, union and enum. `is_user` is invivo's `__user` qualifier.
    """

    words: tuple[str, ...]
    tagged: StructDecl | EnumDecl | None
    declarator: Declarator
    span: Span
    is_user: bool = False


@node
class Parameter:
    type: TypeName
    name: str
    span: Span


@node
class Declaration:
    """`int a, *b[2];` also members of structures. `storage`: "" "self" "this" "typedef" "extern" "static"."""

    storage: str
    base: TypeName  # its declarator is empty
    declarators: tuple[Declarator, ...]
    initializers: tuple[Expression | None, ...]
    span: Span
