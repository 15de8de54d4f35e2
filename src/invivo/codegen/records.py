"""Records: built in a buffer of their own, sent through the ring buffer.

    StoreField(layout, 0, x)    into the layout's buffer
    Emit(layout)                header word: layout, CPU, probe id; bpf_ringbuf_output without a wake-up

The consumer looks each switchrate; it is woken early where it waits while the ring is a quarter full, and by exit().
A wake-up is an interrupt, paid by the traced program: there is at most one for each time that the consumer waits.
A record that finds no room is counted for its CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invivo.codegen import fields
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ZERO, Value, const
from invivo.program.records import LAYOUT_FAULT, RECORD_HEADER, FieldKind, RecordLayout
from invivo.program.shared import Globals
from invivo.program.statements import StoreField

__all__ = ["emit", "emit_exit", "emit_fault", "store"]

_NO_WAKEUP, _FORCE_WAKEUP = 1, 2  # BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP
_AVAILABLE = ZERO  # BPF_RB_AVAIL_DATA
_SMALL_STRING = 16  # sent whole
_FRAME = 8  # the ring's own header of a record
_LOOK_PERIOD = 64


def _open_string(layout: RecordLayout) -> int | None:
    """The index of the field that may be sent cut after its NUL: the last, where it is a long string."""
    if not layout.fields:
        return None
    last = max(range(len(layout.fields)), key=lambda i: layout.fields[i].offset)
    type_ = layout.fields[last].type
    return last if type_.kind is FieldKind.STRING and type_.size > _SMALL_STRING else None


def store(e: Emitter, stmt: StoreField) -> None:
    """Put one field into the record under construction."""
    layout = stmt.layout
    field = layout.fields[stmt.index]
    length = fields.store_field(e, e.record(layout), field, stmt.value)
    if stmt.index == _open_string(layout):
        if layout.id not in e.record_sizes:
            e.record_sizes[layout.id] = e.out.alloca(8)
        size = const(layout.size) if length is None else e.out.add(length, const(field.offset))
        e.out.store(size, e.record_sizes[layout.id])


def emit(e: Emitter, layout: RecordLayout) -> None:
    """Send the record."""
    record = e.record(layout)
    size: Value = const(max(layout.size, RECORD_HEADER))
    if layout.id in e.record_sizes:
        size = e.at_most(e.out.load(e.record_sizes[layout.id]), layout.size)
    e.out.store(_header(e, layout.id), record)
    _send(e, record, size, _wakeup_flags(e), Globals.RING_DROPS)


def emit_exit(e: Emitter, layout_id: int) -> None:
    """Tell the consumer, at once, that exit() was called; it looks at the globals, so a full ring loses nothing."""
    e.out.store(_header(e, layout_id), e.word)
    e.out.call(Helper.RINGBUF_OUTPUT, e.module.ring(), e.word, const(RECORD_HEADER), const(_FORCE_WAKEUP))


def emit_fault(e: Emitter, site: Value, kind: Value, value: Value) -> None:
    """Report a fault; i32, i32, i64."""
    record = e.slot(RECORD_HEADER + 16)
    e.out.store(_header(e, LAYOUT_FAULT), record)
    e.out.store(site, e.out.offset(record, 8))
    e.out.store(kind, e.out.offset(record, 12))
    e.out.store(value, e.out.offset(record, 16))
    _send(e, record, const(RECORD_HEADER + 16), const(_NO_WAKEUP), Globals.FAULT_DROPS)


def _header(e: Emitter, layout_id: int) -> Value:
    cpu = e.out.binary("shl", e.out.binary("and", e.cpu(), const(0xFFFF)), const(16))
    probe = e.out.binary("shl", e.probe_id, const(32))
    return e.out.binary("or", e.out.binary("or", cpu, probe), const(layout_id))


def _send(e: Emitter, record: Value, size: Value, flags: Value, drops: int) -> None:
    status = e.out.call(Helper.RINGBUF_OUTPUT, e.module.ring(), record, size, flags)
    with e.when(e.is_true(status), (0, 1)):
        if drops == Globals.RING_DROPS:
            e.count_drop()
        else:
            e.count(drops)


def _wakeup_flags(e: Emitter) -> Value:
    """No wake-up, but one where the consumer waits while the ring is a quarter full; then it waits no more."""
    flags = e.out.alloca(8)
    e.out.store(const(_NO_WAKEUP), flags)
    waits = e.module.global_address(Globals.WAITING)
    with _now_and_then(e), e.when(e.is_true(e.out.load(waits, volatile=True))):
        filled = e.out.call(Helper.RINGBUF_QUERY, e.module.ring(), _AVAILABLE)
        with e.when(e.out.compare("ugt", filled, const(e.module.ring_size // 4)), (0, 1)):
            e.out.store(ZERO, waits, volatile=True)
            e.out.store(const(_FORCE_WAKEUP), flags)
    return e.out.load(flags)


@contextmanager
def _now_and_then(e: Emitter) -> Iterator[None]:
    """Code that one record in some runs: so few that no more than a sixteenth of the ring fills between two looks.

    CPUs count without a lock, for a look that comes a little later is as good.
    """
    longest = max((layout.size for layout in e.module.program.records), default=RECORD_HEADER) + _FRAME
    period = min(max(e.module.ring_size // (16 * longest), 1), _LOOK_PERIOD)
    if period == 1:
        yield
        return
    place = e.module.global_address(Globals.RECORDS)
    number = e.out.load(place)
    e.out.store(e.out.add(number, const(1)), place)
    mask = (1 << (period.bit_length() - 1)) - 1
    with e.when(e.out.compare("eq", e.out.binary("and", number, const(mask)), ZERO), (0, 1)):
        yield
