"""Aggregating functions: one value in a per-CPU map, added to in place. The arithmetic is program/aggregates.py's.

    @[execname] = count()     key: generation, 16 bytes; lookup; add 1
    first time for a key      insert zeros (NOEXIST), count it, look up again; what found no room is counted too

Where only one unit updates an aggregation, nothing can come between on the same CPU (a BPF program does not
interrupt itself), and plain additions do; else they are atomic.
"""

from __future__ import annotations

from invivo.codegen import fields
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import NULL, ONE, ZERO, Value, const
from invivo.program.aggregates import levels, magnitudes
from invivo.program.nodes import Aggregation
from invivo.program.records import AggFunction, AggregationPlan
from invivo.program.shared import Globals
from invivo.program.statements import AggUpdate

__all__ = ["update"]

_NOEXIST = ONE
_SIGN = const(-(1 << 63))
_TRIES = 8  # of a compare-and-exchange, each lost to an interrupt
_ZERO_BUCKET = 63


def update(e: Emitter, stmt: AggUpdate) -> None:
    """One more sample."""
    aggregation = stmt.aggregation
    plan = e.module.aggregation(aggregation)
    sample = e.scalar(stmt.value) if stmt.value is not None else ZERO
    increment = e.scalar(stmt.increment) if stmt.increment is not None else ONE
    done = e.out.new_block("aggregated")
    key = fields.build_key(e, plan.keys, plan.key_size, stmt.keys, has_header=True) if plan.keys else NULL
    # Read last: a key's reading may sleep, and a snapshot waits for no program that does.
    generation = e.out.load(e.module.global_address(Globals.GENERATION), volatile=True)
    if plan.keys:
        e.out.store(generation, key)
        value = _find_or_insert(e, plan, key)
    else:
        e.out.store(e.out.truncate(e.out.binary("and", generation, ONE), "i32"), e.word)
        value = e.out.to_pointer(e.out.call(Helper.MAP_LOOKUP, e.module.map_address(plan.map), e.word))
    there = e.out.new_block("there")
    e.out.branch_if(e.out.compare("ne", value, NULL), there, done, (1, 0))
    e.out.enter(there)
    if not plan.keys:
        _mark_used(e, plan)
    _add_sample(e, aggregation, value, sample, increment)
    e.out.enter(done)


def _mark_used(e: Emitter, plan: AggregationPlan) -> None:
    """Unkeyed aggregations count one insertion: that they were used at all."""
    place = e.module.global_address(plan.inserted)
    with e.when(e.out.compare("eq", e.out.load(place), ZERO), (0, 1)):
        e.out.store(ONE, place)


def _find_or_insert(e: Emitter, plan: AggregationPlan, key: Value) -> Value:
    """The value's address, or NULL where there is none and none could be made, which is counted."""
    out, map_ = e.out, e.module.map_address(plan.map)
    first = out.to_pointer(out.call(Helper.MAP_LOOKUP, map_, key))
    source = out.block
    missing, done = out.new_block("missing"), out.new_block("found")
    out.branch_if(out.compare("eq", first, NULL), missing, done, (0, 1))
    out.enter(missing)
    status = out.call(Helper.MAP_UPDATE, map_, key, e.module.zeros(plan.words * 8), _NOEXIST)
    with e.when(out.compare("eq", status, ZERO)):
        e.count(plan.inserted)
    second = out.to_pointer(out.call(Helper.MAP_LOOKUP, map_, key))
    with e.when(out.compare("eq", second, NULL), (0, 1)):
        e.count_lost(status, plan.drops, plan.refused)
    last = out.block
    out.enter(done)
    return out.phi([(first, source), (second, last)])


def _add_sample(e: Emitter, aggregation: Aggregation, value: Value, sample: Value, increment: Value) -> None:
    atomic = e.module.is_shared(aggregation)
    match aggregation.function:
        case AggFunction.COUNT:
            _add(e, value, ONE, atomic)
        case AggFunction.SUM:
            _add(e, value, sample, atomic)
        case AggFunction.AVG:
            _add(e, value, ONE, atomic)
            _add(e, e.out.offset(value, 8), sample, atomic)
        case AggFunction.STDDEV:
            _add(e, value, ONE, atomic)
            _add(e, e.out.offset(value, 8), sample, atomic)
            _add_square(e, e.out.offset(value, 16), sample, atomic)
        case AggFunction.MAX:
            _raise(e, value, e.out.binary("xor", sample, _SIGN), atomic)
        case AggFunction.MIN:
            _raise(e, value, e.out.binary("xor", sample, const((1 << 63) - 1)), atomic)
        case AggFunction.QUANTIZE | AggFunction.LQUANTIZE | AggFunction.LLQUANTIZE:
            index = _bucket(e, aggregation, sample)
            # A bound that LLVM cannot see to be kept already: the verifier cannot see it either.
            last = e.module.aggregation(aggregation).words - 1
            distance = e.out.binary("shl", e.at_most(index, last), const(3))
            _add(e, e.out.offset(value, distance), increment, atomic)


def _add(e: Emitter, place: Value, amount: Value, atomic: bool) -> None:
    if atomic:
        e.out.atomic_add(place, amount)
    else:
        e.out.store(e.out.add(e.out.load(place), amount), place)


def _raise(e: Emitter, place: Value, candidate: Value, atomic: bool) -> None:
    """Keep the greater of what is there and the candidate, unsigned."""
    out = e.out
    if not atomic:
        with e.when(out.compare("ugt", candidate, out.load(place))):
            out.store(candidate, place)
        return
    done = out.new_block("raised")
    current = out.load(place)
    for _ in range(_TRIES):
        try_, check = out.new_block("raise"), out.new_block("check")
        out.branch_if(out.compare("ugt", candidate, current), try_, done)
        out.enter(try_)
        seen = out.compare_exchange(place, current, candidate)
        out.branch_if(out.compare("eq", seen, current), done, check)
        out.enter(check)
        current = seen
    out.enter(done)


def _add_square(e: Emitter, place: Value, sample: Value, atomic: bool) -> None:
    """Add the 128-bit square of the sample to the words at `place` (low) and after it (high)."""
    out = e.out
    size = out.select(out.compare("slt", sample, ZERO), out.sub(ZERO, sample), sample)
    high, low = out.binary("lshr", size, const(32)), out.binary("and", size, const(0xFFFFFFFF))
    # (h*2^32 + l)^2 = h^2*2^64 + h*l*2^33 + l^2
    middle = out.binary("mul", high, low)
    square = out.binary("mul", size, size)
    squared_low = out.binary("mul", low, low)
    carry = out.compare("ult", square, squared_low)
    top = out.add(out.binary("mul", high, high), out.binary("lshr", middle, const(31)))
    top = out.add(top, e.truth(carry))
    if atomic:
        before = out.fetch_add(place, square)
    else:
        before = out.load(place)
        out.store(out.add(before, square), place)
    carried = e.truth(out.compare("ult", out.add(before, square), square))
    _add(e, out.offset(place, 8), out.add(top, carried), atomic)


# --- buckets ----------------------------------------------------------------------------------------------------------


def _bucket(e: Emitter, aggregation: Aggregation, sample: Value) -> Value:
    out = e.out
    is_negative = out.compare("slt", sample, ZERO)
    size = out.select(is_negative, out.sub(ZERO, sample), sample)
    match aggregation.function:
        case AggFunction.QUANTIZE:
            distance = _bit_length(e, size)
            # -2^63 alone has 64 bits; it is counted with its neighbours.
            distance = out.select(out.compare("ugt", distance, const(63)), const(63), distance)
            middle = const(_ZERO_BUCKET)
        case AggFunction.LQUANTIZE:
            return _linear(e, aggregation.parameters, sample)
        case _:
            distance, middle_index = _log_linear(e, aggregation.parameters, size)
            middle = const(middle_index)
    return out.select(is_negative, out.sub(middle, distance), out.add(middle, distance))


def _bit_length(e: Emitter, value: Value) -> Value:
    """Bits up to the highest that is set, without a branch: all below it are set too, then counted."""
    out = e.out
    for shift in (1, 2, 4, 8, 16, 32):
        value = out.binary("or", value, out.binary("lshr", value, const(shift)))

    def masked(number: Value, shift: int, mask: int) -> Value:
        return out.binary("and", out.binary("lshr", number, const(shift)) if shift else number, const(mask))

    pairs = out.sub(value, masked(value, 1, 0x5555555555555555))
    nibbles = out.add(masked(pairs, 0, 0x3333333333333333), masked(pairs, 2, 0x3333333333333333))
    sums = out.binary("and", out.add(nibbles, out.binary("lshr", nibbles, const(4))), const(0x0F0F0F0F0F0F0F0F))
    return out.binary("lshr", out.binary("mul", sums, const(0x0101010101010101)), const(56))


def _linear(e: Emitter, parameters: tuple[int, ...], sample: Value) -> Value:
    out = e.out
    base, _, step = parameters
    count = levels(parameters)
    index = out.binary("udiv", out.sub(sample, const(base)), const(step))
    index = out.select(out.compare("ugt", index, const(count)), const(count), index)
    return out.select(out.compare("slt", sample, const(base)), ZERO, out.add(index, ONE))


def _log_linear(e: Emitter, parameters: tuple[int, ...], size: Value) -> tuple[Value, int]:
    """Buckets from the middle for a magnitude (unsigned), and the middle's index."""
    out = e.out
    table = magnitudes(parameters)
    beyond = table[-1][4] + table[-1][3]
    result: Value = const(beyond)
    for start, end, width, _, first in reversed(table):
        index = out.add(out.binary("udiv", size, const(width)), const(first - start // width))
        result = out.select(out.compare("ult", size, const(end)), index, result)
    below = out.compare("ult", size, const(table[0][0]))
    return out.select(below, ZERO, result), beyond
