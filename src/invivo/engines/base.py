"""What every engine offers, however it gets its events, and what it could not keep.

    engine.begin(); engine.enable()                     BEGIN's clauses, then all other probes may fire
    engine.read(consumer.feed)                          as often as it likes
    engine.disable(); engine.end(); engine.close()      END runs after the last probe
"""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from invivo.program.plan import Plan

    # (aggregation id, key with its header, words of one CPU or of several in a row)
    Merge = Callable[[int, bytes, Sequence[int]], None]

__all__ = ["Engine", "Losses"]


class Losses:
    """What could not be kept so far, by kind; all counts only grow."""

    __slots__ = (
        "aggregations", "aggregations_refused", "faults", "files_without_rules", "mappings", "records_by_cpu",
        "returns", "speculations", "stack_ends", "stacks", "stacks_refused", "variables", "variables_refused",
    )  # fmt: skip

    def __init__(self) -> None:
        self.records_by_cpu: dict[int, int] = {}
        self.aggregations: dict[int, int] = {}  # by aggregation id
        # What there was room for, but the kernel could make no entry for at that moment, is `refused`.
        self.aggregations_refused: dict[int, int] = {}
        self.variables = 0
        self.variables_refused = 0
        self.stacks = 0
        self.stacks_refused = 0
        self.mappings = 0  # records of mappings that there was no room for
        self.files_without_rules = 0
        self.stack_ends: dict[str, int] = {}  # user stacks that are not whole, by reason
        self.faults = 0
        self.speculations = 0
        self.returns = 0


class Engine(Protocol):
    """Runs one plan, once. A context manager whose end is `close`."""

    plan: Plan

    @property
    def exit_code(self) -> int | None:
        """What exit() was given, or None if none was called."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def begin(self) -> None:
        """Run BEGIN's clauses."""
        ...

    def enable(self) -> None:
        """Let all other probes fire."""
        ...

    def disable(self) -> None:
        """No probe fires after this."""
        ...

    def end(self) -> None:
        """Run END's clauses."""
        ...

    def read(self, sink: Callable[[memoryview], int]) -> int:
        """Hand all records so far to `sink` as runs of ring-buffer frames; returns the bytes read."""
        ...

    def refresh(self) -> None:
        """Merge all aggregations as they stand."""
        ...

    def stack(self, identity: int) -> Sequence[int]:
        """Addresses of a stack, innermost first; empty if it was not kept."""
        ...

    def losses(self) -> Losses:
        """All losses since load()."""
        ...

    def close(self) -> None:
        """Undo everything; may be called at any time, and twice."""
        ...
