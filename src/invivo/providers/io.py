"""The io provider: requests to block devices begin and end.

In: the block layer's raw tracepoints. Out: DTrace's probes with DTrace's arguments, made from one `struct bio`.

    io:::start { @[args[1]->dev_statname] = sum(args[0]->b_bcount); }     block_bio_queue
    io:::done { @[args[0]->b_flags & B_READ ? "read" : "write"] = count(); }   block_rq_complete, block_bio_complete

A disk's driver completes requests, which the block layer has made of one or more neighbouring bios; drivers without
requests of their own (device mapper, RAID, RAM disks) complete bios. Each kind passes one of two tracepoints, so done
is two probes; of a request it tells of its first bio.
"""

from __future__ import annotations

from invivo.errors import UnsupportedError
from invivo.program.attach import RawTracepoint
from invivo.program.clauses import Context, Probe
from invivo.program.plan import Traits
from invivo.program.types import ULONG, Pointer, Struct
from invivo.providers.base import KernelTypeSource
from invivo.providers.expressions import Maker, compare, convert, member
from invivo.providers.table import MODULE, Kernel, Row, TableProvider, absent, context

__all__ = ["provider"]

_NO_WAIT = "no tracepoint tells of waiting for a request; it needs a kprobe on submit_bio_wait"


class _Rows:
    def __init__(self, types: KernelTypeSource) -> None:
        self._kernel = Kernel(types)
        self._contexts: dict[int, Context] = {}

    def rows(self) -> list[Row]:
        return [
            Row("start", lambda: self._of_bio("start", "block_bio_queue")),
            Row("done", self._done),
            Row("wait-start", absent(_NO_WAIT)),
            Row("wait-done", absent(_NO_WAIT)),
            Row("journal-start", absent("Linux has no such journal")),
            Row("journal-done", absent("Linux has no such journal")),
        ]

    def _of_bio(self, name: str, tracepoint: str) -> Probe:
        """Where a tracepoint has a bio."""
        attach, index = self._pointer_to("bio", tracepoint)
        seen = self._contexts.get(index)
        if seen is None:
            seen = self._contexts[index] = self._context(name, self._kernel.pointer(index, "bio"))
        return Probe("io", MODULE, "", name, attach, seen)

    def _of_request(self, name: str, tracepoint: str) -> Probe:
        """Where a tracepoint has a request, which must have a bio: the kernel's own flushes have none."""
        attach, index = self._pointer_to("request", tracepoint)
        request = self._kernel.struct("request")
        bio, _ = member(self._kernel.pointer(index, "request"), request, "bio")
        has_bio = compare("!=", convert(bio, ULONG), ULONG, 0)
        return Probe("io", MODULE, "", name, attach, self._context(name, bio), None, has_bio)

    def _done(self) -> tuple[Probe, ...]:
        found: list[Probe] = []
        reasons: list[str] = []
        for make, tracepoint in ((self._of_request, "block_rq_complete"), (self._of_bio, "block_bio_complete")):
            try:
                found.append(make("done", tracepoint))
            except UnsupportedError as error:
                reasons.append(error.message)
        if not found:
            raise UnsupportedError(", and ".join(reasons))
        return tuple(found)

    def _pointer_to(self, struct: str, tracepoint: str) -> tuple[RawTracepoint, int]:
        """A tracepoint, and which of its words is a pointer to `struct`.

        The queue stands before the bio or request in some (in block_bio_queue until 5.11): found by its type.
        """
        attach, prototype = self._kernel.raw_tracepoint(tracepoint)
        index = next((i for i, (_, type_) in enumerate(prototype) if _points_to(type_, struct)), None)
        if index is None:
            raise UnsupportedError(f"its tracepoint '{tracepoint}' has no 'struct {struct} *'")
        return attach, index

    def _context(self, name: str, bio: Maker) -> Context:
        return context(
            f"io:::{name}",
            self._kernel.translated("buffer", "bufinfo_t", bio, "bio"),
            self._kernel.translated("device", "devinfo_t", bio, "bio"),
            self._kernel.translated("file", "fileinfo_t", bio, "bio"),
        )


def _points_to(type_: object, struct: str) -> bool:
    return isinstance(type_, Pointer) and isinstance(type_.target, Struct) and type_.target.name == struct


def provider(types: KernelTypeSource, traits: Traits) -> TableProvider:
    return TableProvider("io", _Rows(types).rows())
