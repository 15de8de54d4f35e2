"""What a front end must be told about the system, as protocols: it asks, and imports nothing of Linux.

`TypeSource` is answered by the kernel's BTF (`bpf.btf`), by a program's debug information or, in tests, by a
dictionary; `ProbeCatalog` by `providers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from invivo.program.clauses import Probe
from invivo.program.nodes import Expr
from invivo.program.types import Type
from invivo.source import Span
from invivo.value import value

__all__ = ["ProbeCatalog", "ProbePattern", "TypeSource"]


class TypeSource(Protocol):
    """C types and constants by name."""

    def struct(self, keyword: str, name: str) -> Type | None:
        """`struct NAME` or `union NAME` (keyword says which), or None."""
        ...

    def enum(self, name: str) -> Type | None:
        """`enum NAME`, or None."""
        ...

    def typedef(self, name: str) -> Type | None:
        """What the typedef NAME stands for, with its name kept where the type has one, or None."""
        ...

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        """The value and type of an enumeration constant, or None."""
        ...

    def address(self, module: str, name: str) -> int | None:
        """Where a data symbol or function of the kernel is, even if its type is not known; None elsewhere."""
        ...

    def symbol(self, module: str, name: str) -> tuple[int | Callable[[Span], Expr], Type] | None:
        """Address and type of a data symbol (``vmlinux`jiffies``, ``a.out`ngx_cycle``), or None; `module` may be empty.

        The address is an expression where it differs from process to process.

        Raises:
            InvivoError: There is such a symbol, but it cannot be read here; the message says why.
        """
        ...


@value
class ProbePattern:
    """A probe description as four glob patterns (`*`, `?`, `[..]`, `[!..]`); an empty field matches all."""

    provider: str
    module: str
    function: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"


class ProbeCatalog(Protocol):
    """All probes of all providers. `is_following`, set before the first question: probes of a process fire in its
    descendants too. `is_namespaced`: invivo does not run in the initial pid namespace."""

    is_following: bool

    @property
    def is_namespaced(self) -> bool: ...

    def match(self, pattern: ProbePattern) -> Sequence[Probe]:
        """The probes that match, in listing order; the same Probe object for the same probe each time.

        Raises:
            InvivoError: The pattern names a probe that exists but cannot be used here; the message says why.
        """
        ...

    def late(self, pattern: ProbePattern) -> Sequence[Probe]:
        """What stands for the probes in files that a process maps later, one for `entry` and one for `return`: their
        module and function are the description's."""
        ...

    def position(self, probe: Probe) -> tuple[int, ...]:
        """Sorts probes into listing order, where it matters: between providers, and at one attach point."""
        ...

    def number(self, probe: Probe) -> int:
        """The probe's number in the list of all probes, from 1: what `id` yields."""
        ...

    def numbered(self, number: int) -> Probe | None:
        """The probe with that number, or None."""
        ...

    def suggest(self, pattern: ProbePattern) -> str:
        """Why nothing matched and what might have been meant ("did you mean syscall::read:entry?"), or empty."""
        ...
