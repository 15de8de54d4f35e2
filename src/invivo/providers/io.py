"""The io provider: requests to block devices begin and end.

In: the block layer's raw tracepoints. Out: DTrace's probes with DTrace's arguments, made from one `struct bio`.

    io:::start { @[args[1]->dev_statname] = sum(args[0]->b_bcount); }     block_bio_queue
    io:::done { @[args[0]->b_flags & B_READ ? "read" : "write"] = count(); }   block_bio_complete
"""

from __future__ import annotations

from invivo.errors import UnsupportedError
from invivo.program.nodes import Context, Probe
from invivo.program.plan import Traits
from invivo.program.types import Pointer, Struct
from invivo.providers.base import KernelTypeSource
from invivo.providers.table import MODULE, Kernel, Row, TableProvider, absent, context

__all__ = ["provider"]

_NO_WAIT = "no tracepoint tells of waiting for a request; it needs a kprobe on submit_bio_wait"


class _Rows:
    def __init__(self, types: KernelTypeSource) -> None:
        self._kernel = Kernel(types)
        self._contexts: dict[int, Context] = {}

    def rows(self) -> list[Row]:
        return [
            Row("start", lambda: self._request("start", "block_bio_queue")),
            Row("done", lambda: self._request("done", "block_bio_complete")),
            Row("wait-start", absent(_NO_WAIT)),
            Row("wait-done", absent(_NO_WAIT)),
            Row("journal-start", absent("Linux has no such journal")),
            Row("journal-done", absent("Linux has no such journal")),
        ]

    def _request(self, name: str, tracepoint: str) -> Probe:
        attach, prototype = self._kernel.raw_tracepoint(tracepoint)
        # block_bio_complete has the queue before the bio (so had block_bio_queue until 5.11): found by its type.
        index = next((i for i, (_, type_) in enumerate(prototype) if _points_to(type_, "bio")), None)
        if index is None:
            raise UnsupportedError(f"its tracepoint '{tracepoint}' has no 'struct bio *'")
        seen = self._contexts.get(index)
        if seen is None:
            bio = self._kernel.pointer(index, "bio")
            seen = self._contexts[index] = context(
                f"io:::{name}",
                self._kernel.translated("buffer", "bufinfo_t", bio, "bio"),
                self._kernel.translated("device", "devinfo_t", bio, "bio"),
                self._kernel.translated("file", "fileinfo_t", bio, "bio"),
            )
        return Probe("io", MODULE, "", name, attach, seen)


def _points_to(type_: object, struct: str) -> bool:
    return isinstance(type_, Pointer) and isinstance(type_.target, Struct) and type_.target.name == struct


def provider(types: KernelTypeSource, traits: Traits) -> TableProvider:
    return TableProvider("io", _Rows(types).rows())
