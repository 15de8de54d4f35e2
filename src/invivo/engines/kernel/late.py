"""Libraries that the traced process loads while it is traced, which a pattern like `lib*` means and cannot probe.

    late = LateLibraries(4711, plan)     before the process goes on
    late.take()                          now and then: what perf's records say
    late.messages()                      ["invivo: process 4711 has loaded /opt/libp.so since tracing began, ..."]

What their probes would need is not known (a clause reads args[], or the verifier refuses the program for late probes).
So that this is no silence, it is told at the end.
"""

from __future__ import annotations

from contextlib import suppress

from invivo.errors import KernelError, RightsError
from invivo.linux.maps import read_maps
from invivo.linux.perf_records import Mapped, PerfRecords
from invivo.program.attach import Uprobe
from invivo.program.plan import Plan

__all__ = ["LateLibraries"]


class LateLibraries:
    """See the module's text; `close()` stops the records, what is known stays."""

    def __init__(self, pid: int, plan: Plan) -> None:
        self._pid = pid
        self._globs = plan.globs
        points = (item.point for unit in plan.units for item in unit.attachments)
        self._known = {point.path for point in points if isinstance(point, Uprobe)}
        self._known.update(mapping.path for mapping in read_maps(pid) or ())
        self._found: dict[str, None] = {}
        self._lost = 0
        self._records: PerfRecords | None = None
        with suppress(RightsError, KernelError):  # where they are refused, nothing can be told
            self._records = PerfRecords()

    @property
    def fds(self) -> list[int]:
        """Descriptors that become readable when half of the records' room is used."""
        return self._records.fds if self._records is not None else []

    def take(self) -> None:
        """Note what has been mapped since the last call."""
        if self._records is None:
            return
        for record in self._records.read():
            if isinstance(record, Mapped) and record.pid == self._pid:
                path = record.mapping.path
                if record.mapping.inode and path.startswith("/") and path not in self._known:
                    self._found[path] = None
        self._lost = self._records.lost

    def messages(self) -> list[str]:
        """A sentence for each library with functions that a pattern means."""
        if not self._found:
            return self._losses()
        from invivo.engines.late_files import unprobed
        from invivo.symbols.objects import file_object

        found = [unprobed(file_object(path), self._pid, self._globs) for path in self._found]
        return [f"invivo: {text}" for text in found if text] + self._losses()

    def _losses(self) -> list[str]:
        if not self._lost:
            return []
        return [f"invivo: {self._lost} records of what processes map were lost: libraries may have come without a word"]

    def close(self) -> None:
        """May be called twice."""
        if self._records is not None:
            self.take()
            self._records.close()
            self._records = None
