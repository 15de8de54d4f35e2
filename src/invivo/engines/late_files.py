"""Files that traced processes map while they are traced, and the probes that a program means in them: for each engine.

    files = LateFiles(units, ["/usr/bin/ls", ...])     units: plan.LateUnit; what is known has been looked at
    files.new(4711)                                     what that process has mapped, each once
    probes_of(units, item, 4711)                        [LateProbe(unit, probe, 0b1, (Uprobe(...),)), ...]
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from invivo.errors import InvivoError, UnsupportedError
from invivo.program.attach import Uprobe
from invivo.program.clauses import Probe, Reads
from invivo.program.plan import LateUnit
from invivo.symbols.objects import MappedObject, mapped_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.providers.functions import FunctionProbes

__all__ = ["LateFiles", "LateProbe", "identity", "probes_of", "unprobed"]


class LateProbe(NamedTuple):
    """A probe that is made now: bit i of `clauses` says whether clause i of its unit fires, at each of `points`."""

    unit: LateUnit
    probe: Probe
    clauses: int
    points: tuple[Uprobe, ...]


class LateFiles:
    """See the module's text. `globs` are further descriptions, MODULE:FUNCTION, that have no unit."""

    def __init__(self, units: Sequence[LateUnit], known: Iterable[str], globs: Iterable[str] = ()) -> None:
        from invivo.providers.base import Glob

        self._known = set(filter(None, map(identity, known)))
        modules = {module for unit in units for clause in unit.clauses for module, _ in clause}
        self._modules = [Glob(module) for module in modules | {glob.partition(":")[0] for glob in globs}]

    def new(self, pid: int) -> list[MappedObject]:
        """The files that a process has mapped, were not looked at yet, and have names that descriptions mean; none of a
        process that has ended."""
        try:
            objects = mapped_objects(pid)
        except InvivoError:
            return []
        found = []
        for item in objects:
            own = identity(item.place)
            if own is not None and own not in self._known:
                self._known.add(own)
                if any(glob(name) for glob in self._modules for name in item.names):
                    found.append(item)
        return found


def unprobed(item: MappedObject, pid: int, globs: Iterable[str]) -> str:
    """What to tell of a file with functions that one of these descriptions means; "" if there is none, or the file is
    gone or no ELF file."""
    from invivo.providers.base import Glob
    from invivo.symbols.elf_format import ElfError
    from invivo.symbols.functions import functions_of

    for module, _, function in (glob.partition(":") for glob in globs):
        try:
            if any(map(Glob(module), item.names)) and any(map(Glob(function), functions_of(item).by_name)):
                told = f"process {pid} has loaded {item.path} since tracing began, where '{module}:{function}'"
                return f"{told} has no probes for all of its clauses: name the library to have them"
        except ElfError:
            break
    return ""


def identity(path: str) -> tuple[int, int] | None:
    """Device and inode of a file; None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def probes_of(units: Iterable[LateUnit], item: MappedObject, pid: int) -> tuple[list[LateProbe], list[str]]:
    """The probes of a file that process `pid` runs, and sentences about what was left out.

    Raises:
        InvivoError: It has none; the message says why.
    """
    from invivo.providers.functions import FunctionProbes
    from invivo.providers.user_types import UserTypes

    functions = FunctionProbes("", pid, UserTypes(pid))
    found = []
    for unit in units:
        reads = None if unit.offsets is None else Reads(unit.offsets, unit.has_memory)
        meant = _meant(unit, item, functions)
        if meant and functions.table(item).is_go and (reads is None or reads.offsets):
            raise UnsupportedError("it is a Go program, whose functions have their arguments elsewhere")
        found += [LateProbe(unit, probe, clauses, _points(unit, probe, reads)) for probe, clauses in meant.items()]
    return found, functions.notes()


def _meant(unit: LateUnit, item: MappedObject, functions: FunctionProbes) -> dict[Probe, int]:
    """The probes of a file that a unit is for, and which of its clauses each fires."""
    from invivo.program.sources import ProbePattern
    from invivo.providers.base import Glob, Matcher

    found: dict[Probe, int] = {}
    for number, clause in enumerate(unit.clauses):
        for module, function in clause:
            if any(map(Glob(module), item.names)):
                matcher = Matcher(ProbePattern(unit.provider, module, function, unit.name))
                for probe in functions.match([item], matcher):
                    found[probe] = found.get(probe, 0) | 1 << number
    return found


def _points(unit: LateUnit, probe: Probe, reads: Reads | None) -> tuple[Uprobe, ...]:
    """Where a probe lies, for clauses that read so much."""
    first = probe.attach if probe.placed is None or reads is None else probe.placed(reads)
    points = []
    for point in (first, *probe.others):
        assert isinstance(point, Uprobe)
        points.append(point._replace(pid=unit.pid))
    return tuple(points)
