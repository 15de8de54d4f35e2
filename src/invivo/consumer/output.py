"""What the consumer asks of those around it: an `Output` that shows, and `Services` that know the system.

The consumer decodes records and carries out their actions in order. Everything that makes text is behind `Output`:
`output.text`, `output.json`, `output.collect`.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.drops import Drop
    from invivo.consumer.faults import Fault
    from invivo.consumer.records import Raw, Record
    from invivo.consumer.resolve import Resolver
    from invivo.program.actions import Printa
    from invivo.program.records import RecordLayout

    Display = Callable[[tuple[Raw, ...]], bytes]  # a record's values in, the text of one action out

__all__ = ["Losses", "NativeSink", "Output", "Services"]


class Packet(NamedTuple):
    """`time_ns` since 1970; `length` on the wire in bytes, of which `data` may be the first; `link`: see
    pcap-linktype(7)."""

    time_ns: int
    length: int
    link: int
    data: bytes


class NativeSink(NamedTuple):
    """`write` takes finished text; `is_escaped`: strings with anything but printing ASCII are to be left to Python."""

    write: Callable[[memoryview], None]
    is_escaped: bool


class Services(Protocol):
    """What only the engine and the system know."""

    def refresh(self) -> None:
        """Merge what the kernel has counted so far into the consumer's aggregations."""
        ...

    def stack(self, identity: int) -> Sequence[int]:
        """The addresses of a stack, innermost first; empty if it was not kept."""
        ...

    def kernel_symbol(self, address: int) -> str:
        """``module`symbol+0xoffset`` of a kernel address; its hexadecimal digits where it has no name."""
        ...

    def user_symbol(self, pid: int, address: int, generation: int = 0, *, is_return: bool = False) -> str:
        """The same of a process's address; where it has no name, digits and the reason in brackets.

        `generation` says which program the process ran when the address was taken; 0 is the one that it runs now. With
        `is_return` it is a return address, which belongs to the call before it.
        """
        ...

    def user_frames(
        self, pid: int, address: int, generation: int = 0, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        """The functions inlined at an address, innermost first, then the one that has the code: name, ``file:line`` or
        "", and whether it is inlined."""
        ...


class Losses(Protocol):
    """What an engine could not keep so far; all counts only grow."""

    records_by_cpu: dict[int, int]
    aggregations: dict[int, int]  # by aggregation id
    aggregations_refused: dict[int, int]  # there was room, but the kernel could make no entry at that moment
    variables: int
    variables_refused: int
    stacks: int
    stacks_refused: int
    mappings: int
    files_without_rules: int
    stack_ends: dict[str, int]  # by the reason why the stack is not whole
    faults: int
    speculations: int
    returns: int


class Output(Protocol):
    """Shows what happens, in order. Text may be held back until `flush`."""

    def bind(self, resolver: Resolver) -> None:
        """Called once, before anything else: names come from here."""
        ...

    def displays(self, layout: RecordLayout) -> tuple[Display | None, ...]:
        """For each action of the layout what makes its text; None for an action that records no data."""
        ...

    def printa(self, action: Printa, totals: Sequence[Totals]) -> bytes:
        """The text of a printa() as the aggregations stand now, to be part of the record's text."""
        ...

    def record(self, layout: RecordLayout, probe: int, cpu: int, values: tuple[Raw, ...], text: bytes) -> None:
        """One firing of one clause; `probe` is the probe's id."""
        ...

    def part(self, layout: RecordLayout, probe: int, cpu: int, text: bytes) -> bytes:
        """Show the first part of a record's text now; what is returned is shown with the rest by `record`."""
        ...

    def packet(self, packet: Packet) -> bytes:
        """A packet goes to the file that freopen() opened; else what is returned is part of the record's text."""
        ...

    def system(self, command: bytes) -> None:
        """Run a command with the shell, after what was shown before."""
        ...

    def reopen(self, path: bytes) -> None:
        """Go on in a file, at its end; with an empty path where the output went at first."""
        ...

    def truncate(self) -> None:
        """Forget what the file that the output goes to holds."""
        ...

    def set_option(self, name: str, value: int | str | bool) -> None:
        """An option has changed: what follows is shown by it. `displays` is asked anew afterwards."""
        ...

    def tell(self, message: str) -> None:
        """A message for the user, beside the output."""
        ...

    def fault(self, fault: Fault) -> None:
        """A clause was ended by an error."""
        ...

    def drop(self, drop: Drop) -> None:
        """Something was lost since this kind of loss was last told."""
        ...

    def finish(self, unprinted: Sequence[Totals]) -> None:
        """Tracing has ended; these aggregations were never printed by printa()."""
        ...

    def flush(self) -> None:
        """Write out everything held back."""
        ...

    def take_records(self) -> list[Record]:
        """The records kept since the last call, where this output keeps records."""
        ...

    def native_sink(self) -> NativeSink | None:
        """Where compiled code may put the finished text of whole batches; None where text is not all that is wanted."""
        ...
