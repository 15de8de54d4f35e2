"""What stands for probes in files that are not there yet: libraries that dlopen(3) loads, programs of children.

    LatePatterns("pid4711", 4711, programs).of(Matcher("pid4711:lib*:foo*:"))
        -> (pid4711:lib*:foo*:entry, pid4711:lib*:foo*:return), whose clauses see arg0 ... arg9, and no args[]

A clause is lowered for these once; the probes themselves are made when the files are mapped (`engines.kernel.late`).
Of structures such a clause sees those of the traced program and of --types, for the file's own are not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.linux.arch import registers
from invivo.program.attach import Uprobe
from invivo.program.clauses import Context, Probe
from invivo.program.types import INT64, LONG, Space
from invivo.providers.base import Matcher
from invivo.providers.expressions import Maker, context_field, literal
from invivo.providers.functions import entry_words
from invivo.providers.lines import is_line
from invivo.providers.user_types import UserTypes

__all__ = ["LatePatterns"]


class LatePatterns:
    """The patterns of one provider, the same objects for the same description."""

    def __init__(self, provider: str, pid: int, programs: UserTypes) -> None:
        self._provider = provider
        self._pid = pid
        self._guard: Maker | None = None
        self._found: dict[tuple[str, str, str], Probe] = {}
        self._programs = programs
        self._contexts: dict[str, Context] = {}

    def confine(self, pid: int, guard: Maker | None) -> None:
        """As FunctionProbes.confine."""
        self._pid, self._guard = pid, guard

    def of(self, matcher: Matcher) -> Sequence[Probe]:
        """For entries and returns, as far as the description's name means them."""
        function = matcher.function.literal
        if function == "-" or is_line(function):
            return ()  # addresses, and lines of source, are of files that are known
        found = []
        for name in ("entry", "return"):
            if matcher.name(name):
                key = matcher.module.text, matcher.function.text, name
                if key not in self._found:
                    point = Uprobe("", 0, name == "return", 0, self._pid)
                    self._found[key] = Probe(self._provider, *key, point, self._context(name), guard=self._guard)
                found.append(self._found[key])
        return found

    def _context(self, name: str) -> Context:
        if name not in self._contexts:
            known = registers()
            if name == "entry":
                words = entry_words(known)
            else:
                words = literal(0, INT64), context_field(known.offsets[known.result], LONG)
            self._contexts[name] = Context(
                f"the {name} of a function of a file that is mapped later", words, types=self._programs,
                space=Space.USER,
            )  # fmt: skip
        return self._contexts[name]
