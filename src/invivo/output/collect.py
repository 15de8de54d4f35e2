"""Output kept instead of printed: what `for record in session` iterates over.

    output = CollectOutput(plan)
    ...
    output.take_records()   ->  [Record(ProbeInfo(...), cpu=0, clause=0, values=("bash", 3), text="bash 3\\n")]

Losses and errors at run time go to the logger "invivo" as warnings, which Python shows on standard error by default.
"""

from __future__ import annotations

from invivo.consumer.decode import to_value
from invivo.consumer.records import Record
from invivo.output.aggregation import Order, default_text, formatted_text
from invivo.output.display import displays
from invivo.output.printf import Style
from invivo.output.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.drops import Drop
    from invivo.consumer.faults import Fault
    from invivo.consumer.output import Display, NativeSink, Packet
    from invivo.consumer.records import Raw, Value
    from invivo.consumer.resolve import Resolver
    from invivo.program.actions import Printa
    from invivo.program.plan import Plan
    from invivo.program.records import RecordLayout

__all__ = ["CollectOutput", "shown_values"]


class CollectOutput:
    """Keeps a Record for every firing of a clause that recorded something."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._order = Order(plan.options)
        self._records: list[Record] = []
        self._style: Style

    def bind(self, resolver: Resolver) -> None:
        self._style = Style(resolver, stack_indent=int(self._plan.options.get("stackindent", 14)))

    def displays(self, layout: RecordLayout) -> tuple[Display | None, ...]:
        return displays(layout, self._style, is_quiet=True)

    def printa(self, action: Printa, totals: Sequence[Totals]) -> bytes:
        if action.format is None:
            return b"\n" + default_text(totals, self._order, self._style)
        return formatted_text(action.format, totals, self._order, self._style)

    def record(self, layout: RecordLayout, probe: int, cpu: int, values: tuple[Raw, ...], text: bytes) -> None:
        shown = shown_values(layout, values, self._style.resolver)
        name = self._plan.probes[probe - 1]
        self._records.append(Record(name, cpu, layout.clause, shown, text.decode("utf-8", "surrogateescape")))

    def part(self, layout: RecordLayout, probe: int, cpu: int, text: bytes) -> bytes:
        return text

    def packet(self, packet: Packet) -> bytes:
        from invivo.output.hexdump import hexdump

        return hexdump(packet.data)

    def system(self, command: bytes) -> None:
        Stream(1, _warn).system(command)

    def reopen(self, path: bytes) -> None:
        _warn("freopen() does nothing where records are kept: nothing is written")

    def truncate(self) -> None:
        _warn("ftruncate() does nothing where records are kept: nothing is written")

    def set_option(self, name: str, value: int | str | bool) -> None:
        self._order = Order(self._plan.options)

    def tell(self, message: str) -> None:
        _warn(message)

    def fault(self, fault: Fault) -> None:
        _warn(str(fault))

    def drop(self, drop: Drop) -> None:
        _warn(drop)

    def finish(self, unprinted: Sequence[Totals]) -> None:
        """Nothing: aggregations are read from the session."""

    def flush(self) -> None:
        """Nothing is written."""

    def take_records(self) -> list[Record]:
        taken, self._records = self._records, []
        return taken

    def native_sink(self) -> NativeSink | None:
        return None


def shown_values(layout: RecordLayout, values: tuple[Raw, ...], resolver: Resolver) -> tuple[Value, ...]:
    """A record's values as the public API shows them."""
    return tuple(to_value(value, field.type, resolver) for value, field in zip(values, layout.fields, strict=True))


def _warn(message: object) -> None:
    """A warning of the library's logger, with the text or the Drop itself as its argument."""
    import logging

    logging.getLogger("invivo").warning("%s", message)
