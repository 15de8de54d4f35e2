"""The dump provider: one look into a process, with its own types and variables, from outside.

    dump { this->c = (struct conn *)`conns; while (this->c != NULL) { @[this->c->state] = count(); ... } }
    dump:::thread { ustack(); }            once for each thread of the process

In: the process's files with their debug information. Out: two probes without a place in the system: engines/dump
carries them out itself, by process_vm_readv(2). They exist only where they are asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from invivo.errors import TargetError
from invivo.program.attach import Moment, Once
from invivo.program.clauses import Context, Probe
from invivo.program.types import Space, Type
from invivo.providers.base import Description, Matcher
from invivo.providers.expressions import Maker
from invivo.providers.type_chain import TypeChain
from invivo.providers.user_types import FileTypes, UserTypes

__all__ = ["DumpProvider", "provider", "types_inside"]

_MOMENTS = (Moment.DUMP, Moment.THREAD)


class DumpProvider:
    """dump:::dump and dump:::thread of the process that is given by -p."""

    name = "dump"

    def __init__(self, programs: UserTypes) -> None:
        self._programs = programs
        context = Context("dump", types=_ProcessTypes(programs), space=Space.USER)
        self._probes = tuple(Probe("dump", "", "", moment.value, Once(moment), context) for moment in _MOMENTS)

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        if not self._programs.pid:
            raise TargetError("a dump looks into one process, and none is given", "give its number: -p PID")
        wanted = matcher.name.literal
        return [probe for probe in self._probes if probe.name == wanted and matcher("", "", probe.name)]

    def explain(self, matcher: Matcher) -> str:
        return "dump, for the process, and dump:::thread, for each of its threads, are all that this provider has"

    def descriptions(self) -> Iterable[Description]:
        return [("", "", probe.name) for probe in self._probes]


class _ProcessTypes(TypeChain):
    """All that a process's files tell: the program's first, then --types, then its libraries'."""

    def __init__(self, programs: UserTypes) -> None:
        self._programs = programs

    def _sources(self) -> Iterator[FileTypes]:
        objects = self._programs.objects(self._programs.pid)
        for object_ in sorted(objects, key=lambda item: not item.is_program):
            yield self._programs.of(object_)

    @property
    def missing(self) -> str:
        """Why the program's own types cannot be had, or ""."""
        return next((source.missing for source in self._sources()), "")

    def symbol(self, module: str, name: str) -> tuple[int | Maker, Type] | None:
        return next((t for s in self._sources() if (t := s.symbol(module, name)) is not None), None)


def types_inside(programs: UserTypes) -> _ProcessTypes:
    """What a dump's text may name: the types and variables of all files of the process."""
    return _ProcessTypes(programs)


def provider(name: str, pid: int, programs: UserTypes) -> DumpProvider:
    return DumpProvider(programs)


