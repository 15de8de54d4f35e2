"""dtrace and profile: probes that exist everywhere."""

from __future__ import annotations

import pytest

from invivo.program.attach import Moment, Once, PerfClock, Timer
from invivo.program.plan import Traits
from invivo.program.sources import ProbePattern
from invivo.providers import dtrace, profile
from invivo.providers.base import Matcher
from invivo.providers.profile import parse_period
from tests.unit.providers.fakes import FakeTypes


def matcher(name: str, provider: str = "", module: str = "", function: str = "") -> Matcher:
    return Matcher(ProbePattern(provider, module, function, name))


def test_dtrace_has_begin_end_and_error_in_this_order() -> None:
    provider = dtrace.provider(FakeTypes(), Traits())
    probes = provider.match(matcher(""))
    assert [str(probe) for probe in probes] == ["dtrace:::BEGIN", "dtrace:::END", "dtrace:::ERROR"]
    assert [probe.attach for probe in probes] == [Once(Moment.BEGIN), Once(Moment.END), Once(Moment.ERROR)]
    assert [probe.context.is_error for probe in probes] == [False, False, True]
    assert provider.match(matcher("END")) == [probes[1]]
    assert provider.match(matcher("", module="vmlinux")) == []


@pytest.mark.parametrize(
    ("name", "period_ns"),
    [
        ("profile-997", 1_003_009),  # 10**9 / 997 = 1003009.03
        ("profile-97hz", 10_309_278),
        ("tick-1s", 1_000_000_000),
        ("tick-1sec", 1_000_000_000),
        ("tick-5", 200_000_000),
        ("tick-10ms", 10_000_000),
        ("tick-250us", 250_000),
        ("tick-20000ns", 20_000),
        ("tick-2m", 120_000_000_000),
        ("tick-1h", 3_600_000_000_000),
        ("tick-1d", 86_400_000_000_000),
        ("profile-100000", 10_000),  # the fastest
    ],
)
def test_rates_and_intervals(name: str, period_ns: int) -> None:
    probe = profile.provider(FakeTypes(), Traits()).match(matcher(name))[0]
    expected = PerfClock(period_ns) if name.startswith("profile") else Timer(period_ns)
    assert (probe.name, probe.attach) == (name, expected)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("profile-0", "a rate of 0 never fires"),
        ("tick-0ms", "an interval of 0"),
        ("profile-100001", "too fast: at most 100000 times a second"),
        ("tick-9us", "too fast"),
        ("tick-1parsec", "unknown unit 'parsec'; units are hz"),
        ("profile-", "after 'profile-' comes a number"),
        ("tick-1.5s", "after 'tick-' comes a number"),
        ("tick-99999999d", "longer than 292 years"),
    ],
)
def test_what_cannot_be_kept_says_why(name: str, reason: str) -> None:
    provider = profile.provider(FakeTypes(), Traits())
    assert provider.match(matcher(name)) == []
    assert reason in provider.explain(matcher(name))


def test_other_names_are_none_of_its_business() -> None:
    assert parse_period("sched_switch") == ""


def test_globs_match_the_listed_rates_only() -> None:
    provider = profile.provider(FakeTypes(), Traits())
    provider.match(matcher("tick-7s"))
    names = [probe.name for probe in provider.match(matcher("tick-*"))]
    assert names == ["tick-1", "tick-10", "tick-100", "tick-500", "tick-1000", "tick-5000"]
    assert len(provider.match(matcher(""))) == 13


def test_a_probe_is_the_same_object_each_time() -> None:
    provider = profile.provider(FakeTypes(), Traits())
    assert provider.match(matcher("tick-3s"))[0] is provider.match(matcher("tick-3s"))[0]
    assert provider.match(matcher("profile-97"))[0].context is provider.match(matcher("profile-199"))[0].context


def test_profile_tells_where_it_interrupted_and_tick_interrupts_nothing() -> None:
    provider = profile.provider(FakeTypes(), Traits())
    clock, tick = provider.match(matcher("profile-97"))[0], provider.match(matcher("tick-1s"))[0]
    assert [arg.name for arg in clock.context.args] == ["kernel_pc", "user_pc"]
    assert len(tick.context.words) == 0
