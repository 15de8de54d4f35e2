"""Output for programs: one JSON object a line.

    {"type": "record", "probe": "syscall:vmlinux:read:entry", "cpu": 0, "clause": 0, "values": ["cat", 3],
        "text": "cat 3\\n"}
    {"type": "aggregation", "name": "", "function": "count", "entries": [{"key": ["cat"], "value": 7}]}
    {"type": "aggregation", "name": "q", "function": "quantize", "entries":
        [{"key": [], "buckets": [{"low": 4, "high": 7, "count": 2}], "total": 2}]}
    {"type": "drop", "kind": "principal", "count": 12, "place": "on CPU 0", "message": "12 drops on CPU 0"}
    {"type": "message", "message": "stop() has stopped process 4711 (dd); it goes on by: kill -CONT 4711"}
    {"type": "error", "probe": "dtrace:::BEGIN", "cpu": 0, "file": "x.d", "line": 1, "column": 9, "clause": 0,
        "expression": "1 / x", "reason": "divide-by-zero", "hint": "..."}

A printa() is an aggregation object where it happens; so is, at the end, every aggregation that none showed. Lines are
ASCII. Strings keep their bytes: those that are not UTF-8 are escaped as \\udcXX, so that decoding the string by
surrogateescape gives them back. Structures are strings of hexadecimal digits; a stack is a list of names. A bucket
without a bound on one side has null there.
"""

from __future__ import annotations

from invivo.consumer.answers import Answer
from invivo.consumer.decode import to_value
from invivo.consumer.records import Histogram, Stack
from invivo.output.aggregation import Order, rows
from invivo.output.collect import shown_values
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
    from invivo.consumer.records import Raw, Record, Value
    from invivo.consumer.resolve import Resolver
    from invivo.program.actions import Printa
    from invivo.program.plan import Plan
    from invivo.program.records import RecordLayout

__all__ = ["JsonOutput"]

_ENOUGH = 1 << 16


class JsonOutput:
    """Writes lines of JSON to file descriptor `fd`; errors and drops are lines too."""

    def __init__(self, plan: Plan, fd: int = 1) -> None:
        import json

        self._plan = plan
        self._stream = Stream(fd, self.tell)
        self._encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
        self._held: list[str] = []
        self._held_chars = 0
        self._order = Order(plan.options)
        self._style: Style

    def bind(self, resolver: Resolver) -> None:
        self._style = Style(resolver, stack_indent=int(self._plan.options.get("stackindent", 14)))

    def displays(self, layout: RecordLayout) -> tuple[Display | None, ...]:
        return displays(layout, self._style, is_quiet=True)

    def printa(self, action: Printa, totals: Sequence[Totals]) -> bytes:
        for part in totals:
            self._aggregation(part)
        return b""

    def record(self, layout: RecordLayout, probe: int, cpu: int, values: tuple[Raw, ...], text: bytes) -> None:
        if layout.actions and not layout.fields and not text:
            return  # only printa() and its kin: those have said it
        self._line({
            "type": "record",
            "probe": self._probe(probe),
            "cpu": cpu,
            "clause": layout.clause,
            "values": [_plain(value) for value in shown_values(layout, values, self._style.resolver)],
            "text": text.decode("utf-8", "surrogateescape"),
        })  # fmt: skip

    def part(self, layout: RecordLayout, probe: int, cpu: int, text: bytes) -> bytes:
        return text

    def packet(self, packet: Packet) -> bytes:
        from invivo.output.hexdump import hexdump

        self.flush()
        return b"" if self._stream.capture(packet) else hexdump(packet.data)

    def system(self, command: bytes) -> None:
        self.flush()
        self._stream.system(command)

    def reopen(self, path: bytes) -> None:
        self.flush()
        self._stream.reopen(path)

    def truncate(self) -> None:
        self.flush()
        self._stream.truncate()

    def set_option(self, name: str, value: int | str | bool) -> None:
        if name == "stackindent":
            self._style.stack_indent = int(value)
        self._order = Order(self._plan.options)

    def tell(self, message: str) -> None:
        self._line({"type": "message", "message": message})

    def fault(self, fault: Fault) -> None:
        site = fault.site
        where = {"file": site.file, "line": site.line, "column": site.column, "clause": site.clause} if site else {}
        self._line({
            "type": "error", "probe": self._probe(fault.probe_id), "cpu": fault.cpu, **where,
            "expression": fault.expression, "reason": fault.reason, "hint": fault.hint,
        })  # fmt: skip

    def drop(self, drop: Drop) -> None:
        self._line({
            "type": "drop", "kind": drop.kind, "count": drop.count, "place": drop.place, "message": str(drop),
        })  # fmt: skip

    def finish(self, unprinted: Sequence[Totals]) -> None:
        for totals in unprinted:
            self._aggregation(totals)
        self.flush()
        self._stream.close()

    def flush(self) -> None:
        if self._held:
            text = "".join(self._held)
            self._held.clear()
            self._held_chars = 0
            self._stream.write(text.encode("ascii"))

    def take_records(self) -> list[Record]:
        return []

    def native_sink(self) -> NativeSink | None:
        return None

    def _aggregation(self, totals: Totals) -> None:
        types = [field.type for field in totals.plan.keys]
        entries = []
        for raw, (words,) in rows((totals,), self._order):
            assert words is not None
            values = [to_value(value, kind, self._style.resolver) for value, kind in zip(raw, types, strict=True)]
            entries.append({"key": [_plain(value) for value in values], **_answer(totals.answer(words))})
        name, function = totals.plan.name, totals.plan.function.value
        self._line({"type": "aggregation", "name": name, "function": function, "entries": entries})

    def _probe(self, identity: int) -> str:
        return str(self._plan.probes[identity - 1]) if 0 < identity <= len(self._plan.probes) else "?"

    def _line(self, line: dict[str, object]) -> None:
        text = self._encode(line) + "\n"
        self._held.append(text)
        self._held_chars += len(text)
        if self._held_chars >= _ENOUGH:
            self.flush()


def _plain(value: Value) -> object:
    if isinstance(value, Stack):
        return list(value.names)
    return value.hex() if isinstance(value, bytes) else value


def _answer(answer: Answer) -> dict[str, object]:
    if isinstance(answer, Histogram):
        return {"buckets": [bucket._asdict() for bucket in answer], "total": answer.total}
    return {"value": answer}
