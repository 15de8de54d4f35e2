"""Classes of plain data: what dataclasses do, for programs that start often.

A start from cold makes some 120 such classes, and `dataclasses` takes half a millisecond for each: a fifth of the time
to compile a short program. These take a tenth of that, and offer only what invivo uses.

    @value                              frozen, slotted, compared by its fields
    class Span: file: SourceFile; start: int; end: int

    @node                               frozen, slotted, compared by identity: for trees
    class Deref: operand: Expression; span: Span

    @mutable                            slotted, compared by identity; `fresh` makes a default for each
    class State: found: list[str] = fresh(factory=list)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform

__all__ = ["fields_of", "fresh", "mutable", "node", "replaced", "value"]

T = TypeVar("T")
R = TypeVar("R")


class _Fresh:
    __slots__ = ("make",)

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


def fresh(*, factory: Callable[[], R]) -> R:
    """The default of a field: `factory()` for each new object."""
    return _Fresh(factory)  # type: ignore[return-value]


def fields_of(instance: object) -> tuple[str, ...] | None:
    """The names of an object's fields in order, or None if its class is none of these."""
    return getattr(type(instance), "__value_fields__", None)


def replaced(instance: T, **changes: object) -> T:
    """A new object with some fields changed."""
    fields = {name: getattr(instance, name) for name in fields_of(instance) or ()}
    return type(instance)(**{**fields, **changes})


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(fresh,))
def node(cls: type[T]) -> type[T]:
    """A frozen class of slots that compares by identity."""
    return _made(cls, is_frozen=True)


@dataclass_transform(frozen_default=True, field_specifiers=(fresh,))
def value(cls: type[T]) -> type[T]:
    """A frozen class of slots that compares, and hashes, by its fields."""
    made = _made(cls, is_frozen=True)
    names = getattr(made, "__value_fields__")  # noqa: B009
    mine = ", ".join(f"a.{name}" for name in names)
    its = ", ".join(f"b.{name}" for name in names)
    scope: dict[str, Any] = {}
    code = (
        f"def equals(a, b):\n if a.__class__ is not b.__class__: return NotImplemented\n return ({mine},) == ({its},)\n"
        f"def hashed(a):\n return hash(({mine},))\n"
    )
    exec(code, scope)
    if "__eq__" not in cls.__dict__:
        made.__eq__ = scope["equals"]  # type: ignore[method-assign]
        made.__hash__ = scope["hashed"]  # type: ignore[method-assign]
    return made


@dataclass_transform(eq_default=False, field_specifiers=(fresh,))
def mutable(cls: type[T]) -> type[T]:
    """A class of slots that compares by identity, whose fields may be assigned."""
    return _made(cls, is_frozen=False)


def _made(cls: type[T], *, is_frozen: bool) -> type[T]:
    """The class again, with slots for its annotated names and an __init__ that fills them."""
    names = tuple(cls.__annotations__)
    body = {name: entry for name, entry in cls.__dict__.items() if name not in ("__dict__", "__weakref__", *names)}
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    body.update(__slots__=names, __match_args__=names, __value_fields__=names, __repr__=_repr)
    body.setdefault("__getstate__", _getstate)
    body.setdefault("__setstate__", _setstate)
    if is_frozen:
        body.update(__setattr__=_refuse, __delattr__=_refuse)
    made: type[T] = type(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    _give_init(made, names, defaults)
    return made


def _give_init(made: type[object], names: tuple[str, ...], defaults: dict[str, object]) -> None:
    scope: dict[str, Any] = {}
    parameters, lines = [], []
    for name in names:
        scope[f"_set_{name}"] = made.__dict__[name].__set__  # the slot's own, which no __setattr__ stands before
        given = name
        if name in defaults:
            scope[f"_default_{name}"] = default = defaults[name]
            parameters.append(f"{name}=_default_{name}")
            if isinstance(default, _Fresh):
                scope[f"_make_{name}"] = default.make
                given = f"_make_{name}() if {name} is _default_{name} else {name}"
        else:
            parameters.append(name)
        lines.append(f" _set_{name}(self, {given})\n")
    exec(f"def __init__(self, {', '.join(parameters)}):\n{''.join(lines) or ' pass'}", scope)
    setattr(made, "__init__", scope["__init__"])  # noqa: B010


def _refuse(self: object, name: str, entry: object = None) -> NoReturn:
    raise AttributeError(f"a {type(self).__name__} does not change: '{name}' cannot be set or deleted")


def _repr(self: object) -> str:
    names = fields_of(self) or ()
    return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _getstate(self: object) -> tuple[object, ...]:
    return tuple(getattr(self, name) for name in fields_of(self) or ())


def _setstate(self: object, state: tuple[object, ...]) -> None:
    for name, entry in zip(fields_of(self) or (), state, strict=True):
        object.__setattr__(self, name, entry)
