"""The dtrace provider: BEGIN before all other probes, END after them, ERROR at every run-time fault.

    BEGIN { start = timestamp; }   END { printf("%d ns", timestamp - start); }   ERROR { exit(1); }
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from invivo.program.attach import Moment, Once
from invivo.program.clauses import Context, Probe
from invivo.program.plan import Traits
from invivo.providers.base import Description, KernelTypeSource, Matcher

__all__ = ["DtraceProvider", "provider"]


class DtraceProvider:
    """dtrace:::BEGIN, END and ERROR: probes 1, 2 and 3 of every listing."""

    name = "dtrace"

    def __init__(self) -> None:
        once = Context("dtrace")
        error = Context("dtrace:::ERROR", is_error=True)
        self._probes = tuple(
            Probe("dtrace", "", "", moment.value, Once(moment), error if moment is Moment.ERROR else once)
            for moment in (Moment.BEGIN, Moment.END, Moment.ERROR)
        )

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        return [probe for probe in self._probes if matcher("", "", probe.name)]

    def explain(self, matcher: Matcher) -> str:
        return ""

    def descriptions(self) -> Iterable[Description]:
        return [("", "", probe.name) for probe in self._probes]


def provider(types: KernelTypeSource, traits: Traits) -> DtraceProvider:
    return DtraceProvider()
