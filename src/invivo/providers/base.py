"""What a provider is: a family of probes, that answers descriptions with Probe values.

In: a compiled probe description (`Matcher`). Out: `Probe`s, made when first asked for and the same objects ever after.
A provider reads of the system only what the description forces it to.

    provider = dtrace.provider(types, traits)
    provider.match(Matcher(ProbePattern("dtrace", "", "", "BEGIN")))    -> [dtrace:::BEGIN]
    provider.explain(Matcher(ProbePattern("profile", "", "", "profile-0")))  -> "profile-0: a rate of 0 never fires"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, overload

from invivo.program.clauses import Probe
from invivo.program.sources import ProbePattern, TypeSource
from invivo.program.types import Type

__all__ = ["Description", "Glob", "KernelTypeSource", "Lazy", "Matcher", "Provider"]

T = TypeVar("T", covariant=True)
Description = tuple[str, str, str]  # module, function, name


class KernelTypeSource(TypeSource, Protocol):
    """The kernel's types, and what only a kernel has: the prototypes of its tracepoints."""

    def prototype(self, name: str) -> Sequence[tuple[str, Type]] | None:
        """Parameters (name or "", type) of the function type behind a typedef such as `btf_trace_sched_switch`, without
        the leading `void *__data`; None if there is no such typedef."""
        ...

    def btf_id(self, name: str) -> int | None:
        """The BTF type id of a typedef, or None."""
        ...

    def typedef_names(self, prefix: str) -> Iterable[str]:
        """The names of all typedefs that begin with `prefix`."""
        ...

    def function_names(self, prefix: str) -> Iterable[str]:
        """The names of all functions that begin with `prefix`."""
        ...


class Glob:
    """One field of a probe description: `*`, `?`, `[..]`, `[!..]`, and `\\` before a character that means itself.

    `literal` is the text where the field is no pattern, else None; an empty field matches everything.
    """

    __slots__ = ("_match", "literal", "matches_all", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.matches_all = text in ("", "*")
        self._match: Callable[[str], object] | None = None
        self.literal: str | None = None
        if not self.matches_all:
            if any(char in text for char in "*?[\\"):
                self._match = re.compile(_regex(text), re.DOTALL).fullmatch
            else:
                self.literal = text

    def __call__(self, name: str) -> bool:
        if self.matches_all:
            return True
        if self._match is None:
            return name == self.literal
        return self._match(name) is not None


def _regex(text: str) -> str:
    out: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        i += 1
        if char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "\\" and i < len(text):
            out.append(re.escape(text[i]))
            i += 1
        elif char == "[" and (end := text.find("]", i + 2 if text[i : i + 1] == "!" else i + 1)) > 0:
            inside = text[i:end]
            is_negated = inside.startswith("!")
            inside = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[is_negated:])
            out.append(f"[{'^' if is_negated else ''}{inside}]" if _is_class(inside) else r"(?!)")
            i = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _is_class(inside: str) -> bool:
    """Whether a bracket's inside is a valid set; `[z-a]` is empty, as it is for the shell."""
    try:
        re.compile(f"[{inside}]")
    except re.error:
        return False
    return True


class Matcher:
    """A probe description with its four fields compiled."""

    __slots__ = ("function", "module", "name", "pattern", "provider")

    def __init__(self, pattern: ProbePattern) -> None:
        self.pattern = pattern
        self.provider = Glob(pattern.provider)
        self.module = Glob(pattern.module)
        self.function = Glob(pattern.function)
        self.name = Glob(pattern.name)

    def __call__(self, module: str, function: str, name: str) -> bool:
        """Whether a probe with these names (of a provider that matches) is meant."""
        return self.name(name) and self.function(function) and self.module(module)


class Provider(Protocol):
    """One family of probes. Each module of this package that is one has `provider(types, traits) -> Provider`."""

    name: str

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        """The probes that match, in listing order (the provider's own name is already known to match)."""
        ...

    def explain(self, matcher: Matcher) -> str:
        """Why a description that matches nothing cannot be had here, or "" where nothing better than "no such probe"
        can be said."""
        ...

    def descriptions(self) -> Iterable[Description]:
        """Names of all listed probes, for "did you mean"."""
        ...


class Lazy(Sequence[T]):
    """The words or args[] of a Context, made when first looked at: they cost a file of tracefs or a walk of BTF."""

    __slots__ = ("_items", "_make")

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make
        self._items: tuple[T, ...] | None = None

    def _get(self) -> tuple[T, ...]:
        if self._items is None:
            self._items = tuple(self._make())
        return self._items

    def __len__(self) -> int:
        return len(self._get())

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._get()[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self._get())
