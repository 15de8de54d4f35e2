"""Probes in files that traced processes map while they are traced, for breakpoints.

    late = LateBreakpoints(program, known_files, add)
    late(4711)          the places in what that process has mapped since, each once; `add` was told of their probes

They are asked for when a process executes a program, and when its loader has mapped libraries: it stands still then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from invivo.engines.late_files import LateFiles, probes_of, unprobed
from invivo.errors import InvivoError
from invivo.program.attach import Uprobe
from invivo.program.clauses import Clause, Program
from invivo.program.passes.late import late_units
from invivo.program.passes.units import Firing
from invivo.program.plan import ProbeInfo

__all__ = ["LateBreakpoints"]

_UNLISTED = 100_000  # numbers of probes that are in no list are greater
_Add = Callable[[ProbeInfo, Firing, tuple[Uprobe, ...]], None]


class LateBreakpoints:
    """See the module's text. `add` gets a probe's names, what it fires (without an id), and where; of `globs`,
    MODULE:FUNCTION, which cannot be probed in such files, is told what they would have meant."""

    def __init__(self, program: Program, known: Iterable[str], add: _Add, globs: Iterable[str] = ()) -> None:
        self._growing = late_units(program)
        self._units = [each.late for each in self._growing]
        self._globs = tuple(globs)
        self._files = LateFiles(self._units, known, self._globs)
        self._add = add
        self._number = max([_UNLISTED, *program.listed_ids.values()])
        self.told: dict[str, None] = {}

    def __call__(self, pid: int) -> list[Uprobe]:
        found: list[Uprobe] = []
        for item in self._files.new(pid):
            if text := unprobed(item, pid, self._globs):
                self.told[text] = None
            numbers: dict[tuple[str, object], int] = {}
            try:
                probes, left_out = probes_of(self._units, item, pid)
            except InvivoError as error:
                loaded = f"{item.path}, which process {pid} has loaded since tracing began"
                self.told[f"{loaded}, has no probes: {error}"] = None
                continue
            for unit, probe, chosen, points in probes:
                number = numbers.get((unit.provider, probe))
                if number is None:
                    number = numbers[unit.provider, probe] = self._number = self._number + 1
                (firing,) = self._growing[unit.unit].unit.firings
                clauses: tuple[Clause, ...] = tuple(c for i, c in enumerate(firing.clauses) if chosen >> i & 1)
                info = ProbeInfo(unit.provider, probe.module, probe.function, probe.name, number)
                self._add(info, Firing((), clauses, firing.guard), points)
                found += points
            self.told.update(dict.fromkeys(left_out if probes else ()))
        return found
