"""The uprobe provider: functions of a file, in all processes that run it, now or later.

    uprobe:/usr/sbin/nginx:ngx_http_process_request:entry
    uprobe:libc.so.6:malloc:return
    uprobe:bash:readline:return

The module is the file's path, a command of PATH, or a library as the dynamic loader would find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from invivo.program.clauses import Probe
from invivo.providers.base import Description, Matcher
from invivo.providers.functions import FunctionProbes
from invivo.providers.user_types import UserTypes
from invivo.symbols.libraries import find_file
from invivo.symbols.objects import MappedObject, file_object

__all__ = ["UprobeProvider", "provider"]


class UprobeProvider:
    """uprobe:PATH:FUNCTION:NAME."""

    name = "uprobe"

    def __init__(self, programs: UserTypes) -> None:
        self._functions = FunctionProbes(self.name, 0, programs)
        self._objects: dict[str, MappedObject | None] = {}

    def _object(self, matcher: Matcher) -> MappedObject | None:
        """The file that a description names; None if it names none."""
        wanted = matcher.module.literal
        if wanted is None:
            return None
        if wanted not in self._objects:
            path = find_file(wanted)
            self._objects[wanted] = None if path is None else file_object(path)
        return self._objects[wanted]

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        object_ = self._object(matcher)
        return [] if object_ is None else self._functions.match([object_], matcher)

    def explain(self, matcher: Matcher) -> str:
        wanted = matcher.module.literal
        if wanted is None:
            return "uprobe needs a file: uprobe:/usr/bin/NAME:FUNCTION:entry"
        object_ = self._object(matcher)
        if object_ is None:
            what = "no such file" if "/" in wanted else "neither a command in PATH nor a library"
            return f"'{wanted}': {what}"
        return self._functions.explain([object_], matcher)

    def places(self, probe: Probe) -> Sequence[str]:
        """Where a probe lies; see `FunctionProbes.places`."""
        return self._functions.places(probe)

    def notes(self) -> Sequence[str]:
        """What was left out of the answers so far."""
        return self._functions.notes()

    def descriptions(self) -> Iterable[Description]:
        """None: every file of the machine could be one."""
        return ()


def provider(name: str, pid: int, programs: UserTypes) -> UprobeProvider:
    return UprobeProvider(programs)
