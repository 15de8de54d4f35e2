"""What every engine of a program numbers and measures alike: interned strings, fault sites, probes, sizes from options.

tables = Tables(program)
tables.intern(b"read")           index in Plan.strings, the program's own strings first
tables.site(span, 0)             index in Plan.faults of a place in the text of clause 0
tables.scratch_bytes             4096, from option scratchsize
"""

from __future__ import annotations

import functools

from invivo.program.layout import round_up, variable_size
from invivo.program.nodes import Component, Scope, Variable
from invivo.program.options import defaults
from invivo.program.plan import FaultSite, ProbeInfo
from invivo.program.types import is_structured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.clauses import Program
    from invivo.source import Span

__all__ = ["FIRST_ADDRESS", "Tables", "probe_name"]

FIRST_ADDRESS = 8  # in the spaces of a program's own: 0 is NULL

_FRAMES = 127  # what the kernel keeps of a stack at most, unless its settings say otherwise
_SCRATCH_LEAST, _SCRATCH_MOST = 64, 1 << 20


class Tables:
    """The tables of one program, as they grow while it is compiled."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.options: dict[str, int | str | bool] = defaults()
        self.options.update({k: v for k, v in program.options.items() if isinstance(v, int | str | bool)})
        self.probes = [  # more may follow while the program runs
            ProbeInfo(p.provider, p.module, p.function, p.name, program.listed_ids.get(p, number))
            for p, number in program.probe_ids.items()
        ]
        self.strings = list(program.strings)
        self.faults: list[FaultSite] = []
        self._laid_out: dict[tuple[Scope, ...], tuple[dict[Variable, int], int]] = {}
        self._interned = {string: i for i, string in enumerate(self.strings)}
        self._sites: dict[tuple[str, int, int, int], int] = {}

    def number(self, option: str) -> int:
        """A numeric option."""
        return int(self.options[option])

    @property
    def stack_frames(self) -> int:
        """Frames kept of a stack: as many as any stack() or ustack() may print."""
        wanted = max(self.number("stackframes"), self.number("ustackframes"))
        return max(1, min(wanted, self.number("maxframes"), _FRAMES))

    @functools.cached_property
    def scratch_bytes(self) -> int:
        """Size of a firing's own memory: its structures and arrays, and what alloca() and copyin() share."""
        shared = max(_SCRATCH_LEAST, min(round_up(self.number("scratchsize"), 8), _SCRATCH_MOST))
        return self.own_end - FIRST_ADDRESS + shared

    @property
    def global_places(self) -> dict[Variable, int]:
        """Addresses in Space.GLOBAL of structures and arrays of GLOBAL scope."""
        return self._places(Scope.GLOBAL)

    @property
    def own_places(self) -> dict[Variable, int]:
        """Addresses in Space.SCRATCH of those of CLAUSE and LOCAL scope."""
        return self._places(Scope.CLAUSE, Scope.LOCAL)

    def _places(self, *scopes: Scope) -> dict[Variable, int]:
        if scopes not in self._laid_out:
            places: dict[Variable, int] = {}
            end = FIRST_ADDRESS
            for variable in self.program.variables:
                if variable.scope in scopes and variable.keys is None and is_structured(variable.type):
                    places[variable] = end
                    end += variable_size(variable.type)
            self._laid_out[scopes] = places, end
        return self._laid_out[scopes][0]

    @functools.cached_property
    def global_end(self) -> int:
        """The first address behind them; the same for `own_end`, where alloca() begins."""
        self._places(Scope.GLOBAL)
        return self._laid_out[Scope.GLOBAL,][1]

    @functools.cached_property
    def own_end(self) -> int:
        self._places(Scope.CLAUSE, Scope.LOCAL)
        return self._laid_out[Scope.CLAUSE, Scope.LOCAL][1]

    def intern(self, string: bytes) -> int:
        """Index of a string in Plan.strings."""
        if string not in self._interned:
            self._interned[string] = len(self.strings)
            self.strings.append(string)
        return self._interned[string]

    def site(self, span: Span, clause: int) -> int:
        """Index of the place in the text where a fault may happen."""
        file = span.file
        key = (file.name, span.start, span.end, clause)
        if key not in self._sites:
            line, column = file.position(span.start)
            self._sites[key] = len(self.faults)
            self.faults.append(FaultSite(file.name_at(span.start), line, column, span.text, clause))
        return self._sites[key]


def probe_name(probe: ProbeInfo, component: Component) -> bytes:
    """A component of a probe's name, as D's string."""
    match component:
        case Component.PROVIDER:
            name = probe.provider
        case Component.MODULE:
            name = probe.module
        case Component.FUNCTION:
            name = probe.function
        case Component.NAME:
            name = probe.name
    return name.encode("utf-8", "surrogateescape")
