"""Providers with a fixed list of probes, each made of some tracepoint: proc, sched, io.

In: rows of (name, function that makes the probe). Out: a Provider. A row whose function raises UnsupportedError (this
kernel lacks what the probe is made of) is not listed; asking for it by name gives that reason.

    Row("wait-start", absent("needs a kprobe on submit_bio_wait"))     -> not listed, and says why
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from invivo.errors import UnsupportedError
from invivo.program.attach import RawTracepoint
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.types import INT64, Pointer, Space, Struct, Type
from invivo.providers.base import Description, KernelTypeSource, Matcher
from invivo.providers.expressions import Maker, convert, word

__all__ = ["MODULE", "NO_ARGUMENTS", "Kernel", "Row", "TableProvider", "absent", "context"]

MODULE = "vmlinux"


class Row(NamedTuple):
    """`make` returns the probe, or raises UnsupportedError. Where the kernel passes different tracepoints for the same
    event, it returns a Probe for each of them."""

    name: str
    make: Callable[[], Probe | tuple[Probe, ...]]


def absent(reason: str) -> Callable[[], Probe]:
    """The `make` of a probe that no kernel offers without something that invivo does not use, or not yet."""

    def make() -> Probe:
        raise UnsupportedError(reason)

    return make


def context(name: str, *args: ProbeArg, current: Maker | None = None) -> Context:
    """A Context whose argN are the values of args[N]."""
    return Context(name, tuple(convert(arg.value, INT64) for arg in args), args, current)


# Of all probes at raw tracepoints that have no arguments.
NO_ARGUMENTS = Context("no arguments")


class TableProvider:
    """See the module."""

    def __init__(self, name: str, rows: Sequence[Row]) -> None:
        self.name = name
        self._rows = {row.name: row for row in rows}
        self._made: dict[str, tuple[Probe, ...] | str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Of all rows, in listing order: at one place, the probe of the earlier row fires first."""
        return tuple(self._rows)

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        if not (matcher.module(MODULE) and matcher.function("")):
            return []
        wanted = matcher.name.literal
        names = [wanted] if wanted is not None else [name for name in self._rows if matcher.name(name)]
        made = [self._get(name) for name in names if name in self._rows]
        return [probe for probes in made if not isinstance(probes, str) for probe in probes]

    def _get(self, name: str) -> tuple[Probe, ...] | str:
        """The probes of a row, or why there are none."""
        made = self._made.get(name)
        if made is None:
            try:
                probes = self._rows[name].make()
                made = probes if isinstance(probes, tuple) else (probes,)
            except UnsupportedError as error:
                made = str(error)
            self._made[name] = made
        return made

    def explain(self, matcher: Matcher) -> str:
        name = matcher.name.literal
        if name is None or name not in self._rows:
            return ""
        made = self._get(name)
        if isinstance(made, str):
            return f"{self.name}:::{name} cannot be had on this kernel: {made}"
        return f"the module of {self.name}:::{name} is {MODULE} and its function is empty"

    def descriptions(self) -> Iterable[Description]:
        return [(MODULE, "", name) for name in self._rows if not isinstance(self._get(name), str)]


class Kernel:
    """What rows are made from: tracepoints known to exist, and the translated arguments made of their words."""

    def __init__(self, types: KernelTypeSource) -> None:
        self.types = types

    def raw_tracepoint(self, name: str) -> tuple[RawTracepoint, Sequence[tuple[str, Type]]]:
        """The attach point, and the types of its words.

        Raises:
            UnsupportedError: This kernel has no such tracepoint.
        """
        prototype = self.types.prototype(f"btf_trace_{name}")
        if prototype is None:
            raise UnsupportedError(f"it has no tracepoint '{name}'")
        return RawTracepoint(name), prototype

    def struct(self, name: str) -> Struct:
        """`struct NAME`.

        Raises:
            UnsupportedError: BTF has none.
        """
        struct = self.types.struct("struct", name)
        if not isinstance(struct, Struct):
            raise UnsupportedError(f"its BTF has no 'struct {name}'")
        return struct

    def pointer(self, index: int, struct: str) -> Maker:
        """Word `index`, a pointer to `struct NAME`."""
        return word(index, Pointer(self.struct(struct), Space.KERNEL))

    def translated(self, name: str, translator: str, value: Maker, struct: str) -> ProbeArg:
        """args[i] of the translated type `translator`, made from a pointer to `struct NAME`."""
        return ProbeArg(name, Pointer(self.struct(struct), Space.KERNEL), value, translator)

    def thread(self, value: Maker) -> tuple[ProbeArg, ProbeArg]:
        """The usual pair: lwpsinfo_t * and psinfo_t * of one thread."""
        return (
            self.translated("lwp", "lwpsinfo_t", value, "task_struct"),
            self.translated("process", "psinfo_t", value, "task_struct"),
        )

