"""The consumer: ring-buffer frames in; their actions carried out, in order.

    consumer = Consumer(plan, TextOutput(plan, 1), services)
    consumer.feed(frames)            as often as there are some; prints, or keeps records
    consumer.report(engine.losses)   tells new losses, at most once a second
    consumer.finish(losses, missed)  the last losses, the aggregations that printa() never showed

A frame is the kernel's: u32 length (bit 31 still being written, bit 30 discarded), u32 page offset, the payload padded
to 8 bytes. A payload is a record as program/records.py lays it out.
"""

from __future__ import annotations

import struct
import time

from invivo.consumer.aggregate import Aggregations
from invivo.consumer.decode import Malformed, decoder
from invivo.consumer.drops import Drops
from invivo.consumer.faults import Fault
from invivo.consumer.resolve import Resolver
from invivo.consumer.speculations import Speculations
from invivo.consumer.stops import Stops
from invivo.program.actions import (
    Clear,
    Commit,
    Denormalize,
    Discard,
    Freopen,
    Ftruncate,
    Normalize,
    Pcap,
    Printa,
    SetOpt,
    Speculate,
    Stopped,
    System,
    Trunc,
)
from invivo.program.plan import FaultKind
from invivo.program.records import LAYOUT_EXIT, LAYOUT_FAULT, RECORD_HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.consumer.native import NativeFormatter
    from invivo.consumer.output import Display, Losses, Output, Services
    from invivo.consumer.records import Raw, Record
    from invivo.program.actions import Action
    from invivo.program.plan import Plan, ProbeInfo
    from invivo.program.records import RecordLayout

    # (data, start, end, cpu, probe id) of one record
    Handler = Callable[[bytes, int, int, int, int], None]

__all__ = ["Consumer"]

_BUSY = 1 << 31
_DISCARD = 1 << 30
_LENGTH = _DISCARD - 1
_FRAME = struct.Struct("<I")
_RECORD = struct.Struct("<HHI")
_FAULT = struct.Struct("<IIQ")


class Consumer:
    """Decodes records, carries out their actions, keeps the aggregations' totals.

    Args:
        plan: What was compiled.
        output: Shows, or keeps, what comes.
        services: The engine, for stacks, symbols and fresh aggregations.
    """

    def __init__(self, plan: Plan, output: Output, services: Services) -> None:
        self.plan = plan
        self.output = output
        self.resolver = Resolver(
            services, has_names=not plan.options.get("noresolve"), has_lines=bool(plan.options.get("srcline"))
        )
        self.aggregations = Aggregations(plan, self.resolver)
        self._services = services
        self._drops = Drops({row.id: row.name for row in plan.aggregations})
        self._speculations: Speculations[tuple[RecordLayout, int, int, tuple[Raw, ...], bytes]] = Speculations(
            int(plan.options.get("specsize", 4 << 20))
        )
        self._stops = Stops()
        self._reported_at = 0.0
        self._report_every_s = int(plan.options.get("statusrate", 10**9)) / 1e9
        self._handlers: dict[int, Handler] = {LAYOUT_FAULT: self._fault, LAYOUT_EXIT: _nothing}
        output.bind(self.resolver)
        for layout in plan.records:
            self._handlers[layout.id] = self._handler(layout)
        self._native = self._native_formatter()

    def started(self) -> None:
        """The probes are armed: losses are told from now on."""
        self._reported_at = time.monotonic()

    def feed(self, frames: memoryview) -> int:
        """Carry out all complete records of a run of frames, up to one that is still being written; returns their
        bytes. Their text is written before this returns."""
        position, end = 0, len(frames)
        while position < end:
            native = self._native  # which setopt() may end
            if native is None:
                position += self._python(bytes(frames[position:]))
                break
            position = native.run(frames, position)
            if position < end:  # a frame that is not for compiled code
                size = _frame_size(frames, position)
                if size == 0:
                    break
                self._python(bytes(frames[position : position + size]))
                position += size
        self.output.flush()
        return position

    def take_records(self) -> list[Record]:
        """The records since the last call, where the output keeps them."""
        return self.output.take_records()

    def report(self, losses: Callable[[], Losses]) -> None:
        """Tell what was lost since the last report; asks `losses` at most once a statusrate."""
        now = time.monotonic()
        if now - self._reported_at >= self._report_every_s:
            self._reported_at = now
            for drop in self._drops.news(losses(), speculative=self._speculations.dropped):
                self.output.drop(drop)

    def finish(self, losses: Losses | None = None, missed_runs: int = 0) -> None:
        """Tracing has ended, and the aggregations are read for the last time: show what is left."""
        for drop in self._drops.news(losses, missed_runs, self._speculations.dropped):
            self.output.drop(drop)
        self._stops.remind(self.output.tell)
        self.output.finish([totals for totals in self.aggregations.all() if not totals.is_printed])

    # --- records ------------------------------------------------------------------------------------------------

    def _python(self, data: bytes) -> int:
        """Carry out complete frames, one by one; returns their bytes."""
        position, end = 0, len(data)
        length_at, header_at, handlers = _FRAME.unpack_from, _RECORD.unpack_from, self._handlers
        while position + 8 <= end:
            word: int = length_at(data, position)[0]
            if word & _BUSY:
                break
            start = position + 8
            length = word & _LENGTH
            if start + (length + 7 & ~7) > end:
                break
            position = start + (length + 7 & ~7)
            if word & _DISCARD:
                continue
            if length < RECORD_HEADER:
                self._drops.malformed += 1
                continue
            layout, cpu, probe = header_at(data, start)
            handler = handlers.get(layout)
            if handler is None:
                self._drops.malformed += 1
                continue
            try:
                handler(data, start, start + length, cpu, probe)
            except Malformed:
                self._drops.malformed += 1
        return position

    def _handler(self, layout: RecordLayout) -> Handler:
        """What carries out records of a layout; layouts that only print get a short way."""
        decode = decoder(layout.fields, self.plan.strings, self.resolver)
        displays = self.output.displays(layout)
        output_record: Callable[[RecordLayout, int, int, tuple[Raw, ...], bytes], None] = self.output.record
        if layout.actions and isinstance(layout.actions[0], Speculate):
            output_record = self._holder(layout.actions[0])
        elif any(isinstance(action, Commit | Discard) for action in layout.actions):
            return self._ender(layout, decode)
        effects = [action for action in layout.actions if isinstance(action, _EFFECTS)]
        if not effects:
            text = _joined([display for display in displays if display is not None])

            def show(data: bytes, start: int, end: int, cpu: int, probe: int) -> None:
                values = decode(data, start, end)
                output_record(layout, probe, cpu, values, text(values))

            return show

        needs_totals = any(isinstance(action, Printa | Clear | Trunc) for action in effects)

        def carry_out(data: bytes, start: int, end: int, cpu: int, probe: int) -> None:
            values = decode(data, start, end)
            if needs_totals:
                self._services.refresh()
            parts: list[bytes] = []
            for action, display in zip(layout.actions, displays, strict=True):
                if isinstance(action, _BESIDES):
                    parts = [self.output.part(layout, probe, cpu, b"".join(parts))]
                    self._besides(action, values, b"" if display is None else display(values))
                else:
                    parts.append(self._effect(action, values, probe, cpu) if display is None else display(values))
            output_record(layout, probe, cpu, values, b"".join(parts))

        return carry_out

    def _holder(self, speculate: Speculate) -> Callable[[RecordLayout, int, int, tuple[Raw, ...], bytes], None]:
        """What keeps a record of a speculation, without the two fields at its end that say of which."""

        def hold(layout: RecordLayout, probe: int, cpu: int, values: tuple[Raw, ...], text: bytes) -> None:
            shown = layout._replace(fields=layout.fields[:-2], actions=layout.actions[1:])
            entry = (shown, probe, cpu, values[:-2], text)
            number, state = values[speculate.id], values[speculate.state]
            assert isinstance(number, int)
            assert isinstance(state, int)
            self._speculations.hold(number, state, entry, layout.size)

        return hold

    def _ender(self, layout: RecordLayout, decode: Callable[[bytes, int, int], tuple[Raw, ...]]) -> Handler:
        """What shows or forgets the records of a speculation."""
        (action,) = (action for action in layout.actions if isinstance(action, Commit | Discard))

        def end(data: bytes, start: int, end: int, cpu: int, probe: int) -> None:
            values = decode(data, start, end)
            number, state = values[action.id], values[action.state]
            assert isinstance(number, int)
            assert isinstance(state, int)
            held = self._speculations.take(number, state)
            if isinstance(action, Commit):
                for entry in held:
                    self.output.record(*entry)

        return end

    def _effect(self, action: Action, values: tuple[Raw, ...], probe: int, cpu: int) -> bytes:
        """Carry out an action on aggregations; returns what it prints."""
        match action:
            case Printa(identities, _):
                totals = [self.aggregations[identity] for identity in identities]
                for part in totals:
                    part.is_printed = True
                return self.output.printa(action, totals)
            case Clear(identity):
                self.aggregations[identity].clear()
            case Trunc(identity, field):
                self.aggregations[identity].trunc(None if field is None else _signed(values[field]))
            case Normalize(identity, field):
                factor = values[field]
                if isinstance(factor, int) and factor:
                    self.aggregations[identity].factor = factor & 0xFFFF_FFFF_FFFF_FFFF
                else:
                    self.output.fault(Fault(FaultKind.DIVZERO, 0, None, probe, self._probe(probe), cpu))
            case Denormalize(identity):
                self.aggregations[identity].factor = 1
            case Pcap():
                from invivo.consumer.output import Packet

                time, length, copied, link, data = (values[field] for field in action)
                assert isinstance(data, bytes)
                size = max(_signed(copied), 0)
                return self.output.packet(Packet(_signed(time), _signed(length), _signed(link), data[:size]))
        return b""

    def _besides(self, action: Action, values: tuple[Raw, ...], text: bytes) -> None:
        """Carry out an action that is on more than the record's text."""
        match action:
            case System():
                self.output.system(text)
            case Freopen():
                self.output.reopen(text)
            case Ftruncate():
                self.output.truncate()
            case Stopped(field):
                self._stops.note(_signed(values[field]), self.output.tell)
            case SetOpt(name, value):
                self._set_option(_text(values[name]), None if value is None else _text(values[value]))

    def _set_option(self, name: str, text: str | None) -> None:
        """setopt(): for what is shown from here on."""
        from invivo.errors import OptionError
        from invivo.program.options import parse_dynamic

        try:
            value = parse_dynamic(name, text)
        except OptionError as error:
            self.output.tell(f"setopt(): {error}")
            return
        self.plan.options[name] = value
        self.output.set_option(name, value)
        self._native = None
        for layout in self.plan.records:
            self._handlers[layout.id] = self._handler(layout)

    def _fault(self, data: bytes, start: int, end: int, cpu: int, probe: int) -> None:
        if end - start < RECORD_HEADER + _FAULT.size:
            raise Malformed
        number, kind, value = _FAULT.unpack_from(data, start + RECORD_HEADER)
        site = self.plan.faults[number] if number < len(self.plan.faults) else None
        known = FaultKind(kind) if kind in FaultKind._value2member_map_ else kind
        self.output.fault(Fault(known, value, site, probe, self._probe(probe), cpu))

    def _probe(self, identity: int) -> ProbeInfo | None:
        return self.plan.probes[identity - 1] if 0 < identity <= len(self.plan.probes) else None

    def _native_formatter(self) -> NativeFormatter | None:
        """The plan's compiled formatter, where there is one and the output wants nothing but text."""
        if self.plan.formatter is None:
            return None
        sink = self.output.native_sink()
        if sink is None:
            return None
        from invivo.consumer.native import load_formatter

        return load_formatter(self.plan.formatter, sink)


_BESIDES = (System, Freopen, Ftruncate, Stopped, SetOpt)
_EFFECTS = (Pcap, Printa, Clear, Trunc, Normalize, Denormalize, *_BESIDES)


def _joined(displays: list[Display]) -> Display:
    """All texts as one."""
    if not displays:
        return lambda values: b""
    if len(displays) == 1:
        return displays[0]
    return lambda values: b"".join([display(values) for display in displays])


def _nothing(data: bytes, start: int, end: int, cpu: int, probe: int) -> None:
    """exit()'s record only wakes."""


def _frame_size(frames: memoryview, position: int) -> int:
    """Bytes of the complete frame at a position; 0 if it is not complete."""
    if position + 8 > len(frames):
        return 0
    word: int = _FRAME.unpack_from(frames, position)[0]
    size = 8 + ((word & _LENGTH) + 7 & ~7)
    return 0 if word & _BUSY or position + size > len(frames) else size


def _text(value: Raw) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else ""


def _signed(value: Raw) -> int:
    """An integer that may have been recorded unsigned."""
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value >> 63 > 0 else value
