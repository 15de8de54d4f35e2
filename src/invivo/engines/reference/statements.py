"""Statements: control flow, and the actions that leave the program.

Loop(i < 5, {...}, i++)    while condition: count, body, step; too many rounds are a fault
Emit(layout)               the record's bytes, cut after the NUL of a long string at its end, to the ring
"""

from __future__ import annotations

import struct
from typing import assert_never

from invivo.engines.reference import fields
from invivo.engines.reference.compiler import Compiler, Signal, Statement
from invivo.engines.reference.firing import Effect, Firing, Raised
from invivo.engines.reference.values import signed
from invivo.program import aggregates
from invivo.program.layout import layout_keys
from invivo.program.plan import FaultKind
from invivo.program.records import LAYOUT_EXIT, RECORD_HEADER, FieldKind, RecordLayout
from invivo.program.statements import (
    AggUpdate,
    Block,
    Break,
    Continue,
    Emit,
    Exit,
    ExprStmt,
    If,
    Loop,
    Return,
    Stmt,
    StoreField,
)

__all__ = ["header", "statement"]

_HEADER = struct.Struct("<HHI")
_SMALL_STRING = 16  # sent whole
_PAUSE_EVERY = 256  # rounds of a loop without a limit


def statement(c: Compiler, stmt: Stmt) -> Statement:
    """A closure that carries out one statement."""
    match stmt:
        case Block():
            return _block(c, stmt)
        case ExprStmt(expr):
            value = c.value(expr)

            def evaluate(f: Firing) -> None:
                value(f)

            return evaluate
        case If():
            return _if(c, stmt)
        case Loop():
            return _loop(c, stmt)
        case Break():
            return lambda f: Signal.BREAK
        case Continue():
            return lambda f: Signal.CONTINUE
        case Return():
            return _return(c, stmt)
        case StoreField():
            return _store_field(c, stmt)
        case Emit(layout):
            return _emit(c, layout)
        case AggUpdate():
            return _aggregate(c, stmt)
        case Exit():
            return _exit(c, stmt)
    assert_never(stmt)


def _block(c: Compiler, stmt: Block) -> Statement:
    inner = [c.statement(each) for each in stmt.statements]
    if len(inner) == 1:
        return inner[0]

    def block(f: Firing) -> Signal | None:
        for carry_out in inner:
            if (signal := carry_out(f)) is not None:
                return signal
        return None

    return block


def _if(c: Compiler, stmt: If) -> Statement:
    condition, then = c.scalar(stmt.condition), c.statement(stmt.then)
    if stmt.other is None:
        return lambda f: then(f) if condition(f) else None
    other = c.statement(stmt.other)
    return lambda f: then(f) if condition(f) else other(f)


def _loop(c: Compiler, stmt: Loop) -> Statement:
    condition = c.scalar(stmt.condition) if stmt.condition is not None else None
    body = c.statement(stmt.body)
    step = c.value(stmt.step) if stmt.step is not None else None
    pause, site = c.pause, c.site(stmt.span)
    most = c.tables.number("maxloop") if pause is None else _PAUSE_EVERY

    def loop(f: Firing) -> Signal | None:
        rounds, limit = 0, most
        while condition is None or condition(f):
            rounds += 1
            if rounds > limit:
                if pause is None:
                    raise Raised(FaultKind.LOOP, rounds, site)
                pause()
                limit += most
            signal = body(f)
            if signal is Signal.BREAK:
                break
            if signal is Signal.RETURN:
                return signal
            if step is not None:
                step(f)
        return None

    return loop


def _return(c: Compiler, stmt: Return) -> Statement:
    if stmt.value is None:
        return lambda f: Signal.RETURN
    value = c.value(stmt.value)

    def return_(f: Firing) -> Signal:
        f.result = value(f)
        return Signal.RETURN

    return return_


# --- records ----------------------------------------------------------------------------------------------------------


def header(f: Firing, layout: int) -> bytes:
    """What every record begins with."""
    return _HEADER.pack(layout, f.world.cpu & 0xFFFF, f.probe_id)


def _store_field(c: Compiler, stmt: StoreField) -> Statement:
    layout = stmt.layout
    store = fields.storer(c, layout.fields[stmt.index], stmt.value)
    identity, size = layout.id, max(layout.size, RECORD_HEADER)

    def store_field(f: Firing) -> None:
        store(f, f.records.setdefault(identity, bytearray(size)))

    return store_field


def _emit(c: Compiler, layout: RecordLayout) -> Statement:
    send, identity, size = c.send, layout.id, max(layout.size, RECORD_HEADER)
    open_at = _open_string(layout)

    def emit(f: Firing) -> None:
        record = f.records.get(identity) or bytearray(size)
        record[:RECORD_HEADER] = header(f, identity)
        send(bytes(record if open_at is None else record[: record.index(0, open_at) + 1]))

    return emit


def _open_string(layout: RecordLayout) -> int | None:
    """Where the string begins that may be sent cut after its NUL: the last field, if it is a long string."""
    if not layout.fields:
        return None
    last = max(layout.fields, key=lambda field: field.offset)
    return last.offset if last.type.kind is FieldKind.STRING and last.type.size > _SMALL_STRING else None


def _exit(c: Compiler, stmt: Exit) -> Statement:
    code, send, stop = c.scalar(stmt.code), c.send, c.stop

    def exit_(f: Firing) -> None:
        stop(code(f))
        send(header(f, LAYOUT_EXIT))

    return exit_


# --- aggregations -----------------------------------------------------------------------------------------------------


def _aggregate(c: Compiler, stmt: AggUpdate) -> Statement:
    """The value and the increment are evaluated before the keys."""
    aggregation = stmt.aggregation
    function, parameters = aggregation.function, aggregation.parameters
    sample = c.scalar(stmt.value) if stmt.value is not None else None
    increment = c.scalar(stmt.increment) if stmt.increment is not None else None
    layout, key_size = layout_keys(aggregation.keys)
    key = fields.build_key(c, layout, key_size, stmt.keys)
    counts = c.counts_of(aggregation)
    nothing = [0] * aggregates.words(function, parameters)

    def aggregate(f: Firing) -> None:
        value = 0 if sample is None else signed(sample(f))
        times = 1 if increment is None else signed(increment(f))
        place = key(f)
        counts[place] = aggregates.update(function, parameters, counts.get(place, nothing), value, times)
        if f.effects is not None:
            f.effects.append(Effect(counts, place, lambda old: again(old, value, times)))

    def again(old: list[int] | None, value: int, times: int) -> list[int]:
        return aggregates.update(function, parameters, nothing if old is None else old, value, times)

    return aggregate
