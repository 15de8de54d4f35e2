"""The profile provider: profile-N fires on every CPU, tick-N on one, N times a second or each N of a unit.

    profile-997      997 times a second, on every CPU:  PerfClock(period_ns=1003009)
    tick-500ms       twice a second, on one CPU:        Timer(interval_ns=500000000)
    profile-0        nothing, and explain() says why
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from invivo.program.attach import PerfClock, Timer
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.nodes import Call, Expr
from invivo.program.plan import Traits
from invivo.program.types import ULONG
from invivo.providers.base import Description, KernelTypeSource, Matcher
from invivo.source import Span

__all__ = ["ProfileProvider", "parse_period", "provider"]

_LISTED = (
    *(f"profile-{rate}" for rate in (97, 199, 499, 997, 1999, 4001, 4999)),
    *(f"tick-{rate}" for rate in (1, 10, 100, 500, 1000, 5000)),
)

_UNITS_NS = {
    "ns": 1, "nsec": 1, "us": 10**3, "usec": 10**3, "ms": 10**6, "msec": 10**6, "s": 10**9, "sec": 10**9,
    "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "hour": 3600 * 10**9, "d": 86400 * 10**9,
    "day": 86400 * 10**9,
}  # fmt: skip

# perf's software clock takes a shorter period for this one: kernel/events/core.c, perf_swevent_start_hrtimer().
_SHORTEST_NS = 10_000
_LONGEST_NS = 2**63 - 1

_NAME = re.compile(r"(profile|tick)-([0-9]+)([a-z]*)")


def parse_period(name: str) -> int | str:
    """The period in ns of `profile-997` or `tick-10ms`, or why there is none ("": the name has another form)."""
    match = _NAME.fullmatch(name.lower())
    if match is None:
        return "" if not name.startswith(("profile-", "tick-")) else _form(name)
    number, unit = int(match[2]), match[3] or "hz"
    if unit != "hz" and unit not in _UNITS_NS:
        return f"{name}: unknown unit '{match[3]}'; units are hz (or none), ns, us, ms, s, m, h, d"
    if number == 0:
        return f"{name}: a rate of 0 never fires" if unit == "hz" else f"{name}: an interval of 0 is none"
    period = 10**9 // number if unit == "hz" else number * _UNITS_NS[unit]
    if period < _SHORTEST_NS:
        return f"{name} is too fast: at most 100000 times a second (each 10us)"
    if period > _LONGEST_NS:
        return f"{name}: the interval is longer than 292 years"
    return period


def _form(name: str) -> str:
    kind = name.partition("-")[0]
    return f"{name}: after '{kind}-' comes a number and perhaps a unit, for instance {kind}-97 or {kind}-10ms"


def _pc(primitive: str) -> ProbeArg:
    def value(span: Span) -> Expr:
        return Call(primitive, (), ULONG, span)

    return ProbeArg(primitive, ULONG, value)


class ProfileProvider:
    """profile-N and tick-N for any N that the clocks can keep; the traditional ones are listed."""

    name = "profile"

    def __init__(self) -> None:
        pcs = (_pc("kernel_pc"), _pc("user_pc"))
        self._profile = Context("profile", tuple(arg.value for arg in pcs), pcs)
        # A tick is run by the consumer's timer and interrupts nothing: arg0 and arg1 read 0.
        self._tick = Context("tick")
        self._probes: dict[str, Probe] = {}

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        wanted = matcher.name.literal
        if wanted is None:
            found = [self._probe(name) for name in _LISTED if matcher("", "", name)]
            return [probe for probe in found if probe is not None]
        probe = self._probe(wanted) if matcher("", "", wanted) else None
        return [] if probe is None else [probe]

    def _probe(self, name: str) -> Probe | None:
        probe = self._probes.get(name)
        if probe is None:
            period = parse_period(name)
            if isinstance(period, str):
                return None
            probe = self._probes[name] = (
                Probe("profile", "", "", name, PerfClock(period), self._profile)
                if name.lower().startswith("profile-")
                else Probe("profile", "", "", name, Timer(period), self._tick)
            )
        return probe

    def explain(self, matcher: Matcher) -> str:
        name = matcher.name.literal or ""
        reason = parse_period(name)
        if isinstance(reason, str):
            return reason
        return f"{name} has no module and no function: write profile:::{name}"

    def descriptions(self) -> Iterable[Description]:
        return [("", "", name) for name in _LISTED]


def provider(types: KernelTypeSource, traits: Traits) -> ProfileProvider:
    return ProfileProvider()
