"""The pid provider: functions of one process, by the names of its files.

    pid$target:libc:malloc:entry     arg0 is the size      pid4711:a.out:main:return     arg1 is the value
    pid$target:libc:mem*:entry       pid$target:a.out:main:1c       pid$target:a.out:-:4f3a0

The module is a file's name, with or without what follows `.so` or stands before it as a version; `a.out` is the
program, whatever its name. A library that is named (libplug* will do), and not mapped yet, is looked for where
dlopen(3) would find it, and probed before it is loaded, so that no call is missed.

In: the process's mappings and symbols. Out: probes at `Uprobe`s of that process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import chain

from invivo import dependencies
from invivo.errors import TargetError
from invivo.program.clauses import Probe
from invivo.providers.base import Description, KernelTypeSource, Matcher
from invivo.providers.descendants import descends_from
from invivo.providers.functions import FunctionProbes
from invivo.providers.late import LatePatterns
from invivo.providers.user_types import UserTypes
from invivo.symbols.later import find_all, find_for
from invivo.symbols.objects import MappedObject, mapped_objects

__all__ = ["PidProvider", "provider"]

_LEAST_LETTERS = 3  # besides "lib" and wildcards, of a pattern that means libraries which are not loaded yet


class PidProvider:
    """pidPID:MODULE:FUNCTION:NAME of one process."""

    def __init__(self, pid: int, programs: UserTypes) -> None:
        self.name = f"pid{pid}"
        self.pid = pid
        self._functions = FunctionProbes(self.name, pid, programs)
        self._late = LatePatterns(self.name, pid, programs)
        self._is_following = False
        self._objects: list[MappedObject] | None = None
        self._later: dict[str, MappedObject | None] = {}
        self.globs: dict[str, None] = {}  # MODULE:FUNCTION of descriptions whose module is a pattern
        self._globbed: dict[str, list[MappedObject]] = {}  # the same for patterns

    def follow(self, types: KernelTypeSource, is_namespaced: bool) -> None:
        """Let the probes fire in the process's descendants too; before the first of them is made."""
        dependencies.never("the number of the process is in the code")
        guard = descends_from(types, self.pid, is_namespaced)
        self._functions.confine(0, guard)
        self._late.confine(0, guard)
        self._is_following = True

    @property
    def objects(self) -> list[MappedObject]:
        """The files that the process runs, read once.

        Raises:
            TargetError, RightsError: They cannot be read.
        """
        if self._objects is None:
            self._objects = mapped_objects(self.pid)
            if not self._objects:
                raise TargetError(f"process {self.pid} has ended, or maps no file", "see: ps -e")
        return self._objects

    def _meant(self, matcher: Matcher) -> list[MappedObject]:
        """The files that a description can mean; one that is named and not mapped yet may be loaded later."""
        found = [item for item in self.objects if any(map(matcher.module, item.names))]
        wanted = matcher.module.literal
        if not found and wanted is not None:
            if wanted not in self._later:
                self._later[wanted] = find_for(self.pid, wanted, self.objects)
            later = self._later[wanted]
            return [] if later is None else [later]
        if wanted is None:
            self.globs[f"{matcher.module.text}:{matcher.function.text}"] = None
        if wanted is None and _says_which(matcher.module.text):
            if matcher.module.text not in self._globbed:
                self._globbed[matcher.module.text] = find_all(self.pid, matcher.module, self.objects)
            found += self._globbed[matcher.module.text]
        return found

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        return self._functions.match(self._meant(matcher), matcher)

    def late(self, matcher: Matcher) -> Sequence[Probe]:
        """What stands for functions of files that are mapped later: by a pattern of names, or in children."""
        return self._late.of(matcher) if self._is_following or matcher.module.literal is None else ()

    def known_files(self) -> Sequence[str]:
        """Those that are mapped, and those that will be: their probes are made."""
        later = chain(self._later.values(), *self._globbed.values())
        return [item.place for item in (*(self._objects or ()), *later) if item is not None]

    def explain(self, matcher: Matcher) -> str:
        meant = self._meant(matcher)
        if meant:
            return self._functions.explain(meant, matcher)
        import difflib

        names = {name: item.name for item in self.objects for name in item.names if "/" not in name}
        wanted = os.path.basename(matcher.module.text)
        close = [names[name] for name in difflib.get_close_matches(wanted, names, 2, 0.5)]
        if close:
            return f"process {self.pid} has no '{wanted}' mapped; did you mean {' or '.join(dict.fromkeys(close))}?"
        has = ", ".join(item.name for item in self.objects[:12])
        return f"process {self.pid} has no '{wanted}' mapped; it has {has}"

    def places(self, probe: Probe) -> Sequence[str]:
        """Where a probe lies; see `FunctionProbes.places`."""
        return self._functions.places(probe)

    def notes(self) -> Sequence[str]:
        """What was left out of the answers so far, and what they wait for."""
        waiting = [
            f"process {self.pid} has not loaded {item.path} yet: its probes fire from when it does"
            for item in dict.fromkeys((*self._later.values(), *chain.from_iterable(self._globbed.values())))
            if item is not None
        ]
        return [*waiting, *self._functions.notes()]

    def descriptions(self) -> Iterable[Description]:
        return self._functions.descriptions(self.objects)


def _says_which(pattern: str) -> bool:
    """Whether a pattern names some libraries rather than whatever is there: libssl*, not lib* or *."""
    plain = re.sub(r"\[[^]]*\]|\\.|[*?]", "", pattern).removeprefix("lib").removesuffix(".so")
    return len(plain) >= _LEAST_LETTERS


def provider(name: str, pid: int, programs: UserTypes) -> PidProvider:
    return PidProvider(pid, programs)
