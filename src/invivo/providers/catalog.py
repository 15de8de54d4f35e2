"""All probes of all providers: answers probe descriptions, and says what was meant where nothing matches.

In: `ProbePattern`s. Out: `Probe`s in listing order, or a sentence. Only the providers that a description can name are
asked, or even imported: `syscall:::entry` reads one directory of tracefs and never hears of block devices.

    catalog = Catalog(kernel_types, traits)
    catalog.match(ProbePattern("syscall", "", "read", "entry"))    -> [syscall:vmlinux:read:entry]
    catalog.suggest(ProbePattern("syscall", "", "raed", "entry"))  -> "did you mean syscall::read:entry?"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from invivo.errors import InvivoError
from invivo.program.clauses import Probe
from invivo.program.plan import Traits
from invivo.program.sources import ProbePattern
from invivo.providers.base import KernelTypeSource, Matcher, Provider

if TYPE_CHECKING:
    from invivo.providers.user_types import UserTypes

__all__ = ["PROVIDERS", "USER_PROVIDERS", "Catalog"]

_UNLISTED = 100_000  # more than any kernel lists

# In listing order. Each is the module of this package with that name.
PROVIDERS = ("dtrace", "profile", "syscall", "proc", "sched", "io", "sdt", "rawtp")
# Those of user space, which come after: of one process each (pid4711), or of every process that runs a file.
USER_PROVIDERS = ("pid", "uprobe", "usdt", "dump")
# usdt answers for python4711 too: the provider of that name among the USDT probes of a process.
_OF_A_PROCESS = re.compile(r"([A-Za-z_][0-9A-Za-z_]*?)([0-9]{1,10})")


class Catalog:
    """`program.sources.ProbeCatalog` over this kernel. Keeps what it has read: make a new one to look again."""

    def __init__(
        self, types: KernelTypeSource, traits: Traits, target_pid: int = 0, programs: UserTypes | None = None
    ) -> None:
        """`target_pid` is the process that `$target` stands for, 0 if there is none; `programs` are its types."""
        self._types = types
        self._traits = traits
        self.target_pid = target_pid
        self._programs = programs
        self.is_following = False
        self._providers: dict[str, Provider] = {}
        self.refusals: dict[str, InvivoError] = {}  # providers that could not be asked, and why
        self._listed: dict[str, dict[Probe, int]] = {}  # by provider: its listed probes and their numbers
        self._unlisted: dict[Probe, int] = {}

    @property
    def is_namespaced(self) -> bool:
        return self._traits.pid_numbers is not None

    def provider(self, name: str) -> Provider:
        """The provider called `name`: one of PROVIDERS, `pid4711`, `uprobe`, `usdt`, `python4711`."""
        found = self._providers.get(name)
        if found is None:
            family, pid = self.family(name)
            module = import_module(f"invivo.providers.{family}")
            if family in USER_PROVIDERS:
                found = module.provider(name, pid, self._user_types())
                if self.is_following and family == "pid":
                    found.follow(self._types, self.is_namespaced)
            else:
                found = module.provider(self._types, self._traits)
            self._providers[name] = found
        return found

    def family(self, name: str) -> tuple[str, int]:
        """The module that answers for a provider's name, and the process that it means (0: none)."""
        match = None if name in PROVIDERS else _OF_A_PROCESS.fullmatch(name)
        if match is None:
            return name, 0
        if match[1] == "pid":
            return "pid", int(match[2])
        from invivo.providers.suggestions import NO_USDT

        is_usdt = match[1] not in NO_USDT and match[1] not in (*PROVIDERS, "uprobe")
        return ("usdt", int(match[2])) if is_usdt else (name, 0)

    def _user_types(self) -> UserTypes:
        if self._programs is None:
            from invivo.providers.user_types import UserTypes

            self._programs = UserTypes(self.target_pid)
        return self._programs

    def has(self, name: str) -> bool:
        """Whether `name` is a provider's."""
        family, pid = self.family(name)
        return name in PROVIDERS or (family in USER_PROVIDERS and (pid > 0 or family != "pid"))

    def match(self, pattern: ProbePattern) -> Sequence[Probe]:
        """The probes that match, in listing order; the same Probe object for the same probe each time.

        Raises:
            InvivoError: The provider that the pattern names cannot be asked (no tracefs, no BTF); the message says why.
                Where the pattern leaves the provider open, those that cannot be asked count only if no other matches.
        """
        matcher = Matcher(pattern)
        if matcher.provider.literal is not None:
            name = matcher.provider.literal
            return self.provider(name).match(matcher) if self.has(name) else ()
        found: list[Probe] = []
        refused: InvivoError | None = None
        for name in _candidates(matcher):
            try:
                found += self.provider(name).match(matcher)
            except InvivoError as error:
                self.refusals[name] = error
                refused = refused or error
        if refused is not None and not found:
            raise refused
        return found

    def late(self, pattern: ProbePattern) -> Sequence[Probe]:
        """What stands for probes in files that a process maps later; see `providers.late`."""
        name = pattern.provider
        if self.family(name)[0] != "pid" or not self.has(name):
            return ()
        late: Sequence[Probe] = self.provider(name).late(Matcher(pattern))  # type: ignore[attr-defined]
        return late

    def known_files(self) -> tuple[str, ...]:
        """The files, as this process opens them, of which pid providers have been asked."""
        return tuple(place for each in self._providers.values() for place in getattr(each, "known_files", tuple)())

    def all(self) -> Iterator[Probe]:
        """Every listed probe, in listing order; providers that cannot be asked are left out."""
        for name in PROVIDERS:
            yield from self._numbers(name)

    def number(self, probe: Probe) -> int:
        """The probe's place in `all`, from 1; one that exists only when asked for (tick-7s) is numbered after all."""
        found = self._numbers(probe.provider).get(probe) if probe.provider in PROVIDERS else None
        return self._unlisted.setdefault(probe, _UNLISTED + len(self._unlisted) + 1) if found is None else found

    def numbered(self, number: int) -> Probe | None:
        """The listed probe with that number, or None."""
        for name in PROVIDERS:
            numbers = self._numbers(name)
            first = next(iter(numbers.values()), 0)
            if first <= number < first + len(numbers):
                return list(numbers)[number - first]
        return None

    def _numbers(self, name: str) -> dict[Probe, int]:
        """The numbers of a provider's listed probes; those of the providers before it are counted for that."""
        found = self._listed.get(name)
        if found is None:
            before = sum(len(self._numbers(other)) for other in PROVIDERS[: PROVIDERS.index(name)])
            try:
                probes = self.provider(name).match(Matcher(ProbePattern("", "", "", "")))
            except InvivoError:
                probes = ()
            found = self._listed[name] = {probe: number for number, probe in enumerate(probes, before + 1)}
        return found

    def position(self, probe: Probe) -> tuple[int, ...]:
        """Sorts probes into listing order: by provider, and where a provider's probes share places, by its rows."""
        family, pid = self.family(probe.provider)
        if family in USER_PROVIDERS:
            return (len(PROVIDERS) + USER_PROVIDERS.index(family), pid)
        rows = getattr(self.provider(probe.provider), "names", ())
        return (PROVIDERS.index(probe.provider), rows.index(probe.name) if probe.name in rows else 0)

    def places(self, probe: Probe) -> tuple[str, ...]:
        """Where a probe of user space lies, each place as text; nothing of the kernel's."""
        describe = getattr(self.provider(probe.provider), "places", None)
        return tuple(describe(probe)) if describe is not None else ()

    def globs(self) -> tuple[str, ...]:
        """MODULE:FUNCTION of descriptions that named files of processes by a pattern."""
        return tuple(dict.fromkeys(glob for each in self._providers.values() for glob in getattr(each, "globs", ())))

    def notes(self) -> list[str]:
        """What providers left out of their answers so far, and why."""
        return [note for provider in self._providers.values() for note in getattr(provider, "notes", list)()]

    def suggest(self, pattern: ProbePattern) -> str:
        """Why nothing matched and what might have been meant, or ""."""
        from invivo.providers.suggestions import suggest

        return suggest(self, pattern)


def _candidates(matcher: Matcher) -> Sequence[str]:
    """The providers that a description can mean: a bare BEGIN or tick-1s is not worth a look at all events. Those of
    user space must be named."""
    name = matcher.name.literal
    if name is None:
        chosen: Sequence[str] = PROVIDERS
    elif name in ("BEGIN", "END", "ERROR"):
        chosen = ("dtrace",)
    elif name.startswith(("profile-", "tick-")):
        chosen = ("profile",)
    elif name == "dump":
        chosen = ("dump",)
    else:
        # Names of kernel events are C identifiers.
        chosen = [p for p in PROVIDERS if name.isidentifier() or p not in ("sdt", "rawtp")]
    return [provider for provider in chosen if matcher.provider(provider)]
