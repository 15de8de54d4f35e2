"""Numbers as text in any base and back, and spans of bytes, as loops over bytes.

based(e, 255, 16, place, 72, span)      "0xff": digits from the end of a buffer to its start
parsed(e, "-12x", 10, span)             -12
span(e, "aab", "a", is_in=True)         2, by a table of 256 bits
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper, Str
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.plan import FaultKind
from invivo.source import Span

__all__ = ["based", "parsed", "span"]

_BUFFER = 128  # a power of two above the 67 bytes that the longest number takes
_MASK = _BUFFER - 1


def _check_base(e: Emitter, base: Value, where: Span) -> None:
    is_wrong = e.out.compare("ugt", e.out.sub(base, const(2)), const(34))
    e.fault_if(is_wrong, FaultKind.ILLOP, base, where)


def _put(e: Emitter, buffer: Value, position: Value, byte: Value) -> None:
    """One byte before the others."""
    at = e.out.sub(e.out.load(position, volatile=True), ONE)
    e.out.store(at, position, volatile=True)
    e.out.store(e.out.truncate(byte, "i8"), e.out.offset(buffer, e.opaque_mask(at, _MASK)))


def based(e: Emitter, number: Value, base: Value, place: Value, capacity: int, where: Span) -> Value:
    """lltostr(number, base)."""
    out = e.out
    _check_base(e, base, where)
    buffer = e.storage.scratch(2 * _BUFFER)
    position, rest = e.loop_word(), e.loop_word()
    out.store(const(0, "i8"), out.offset(buffer, _MASK))
    out.store(const(_MASK), position, volatile=True)
    is_ten = out.compare("eq", base, const(10))
    is_negative = out.binary("and", is_ten, out.compare("slt", number, ZERO))
    out.store(out.select(is_negative, out.sub(ZERO, number), number), rest, volatile=True)
    with e.loop(64) as (_, after):
        word = out.load(rest, volatile=True)
        divisor = e.opaque(base)
        quotient = out.binary("udiv", word, divisor)
        digit = out.sub(word, out.binary("mul", quotient, divisor))
        is_letter = out.compare("ugt", digit, const(9))
        _put(e, buffer, position, out.add(digit, out.select(is_letter, const(ord("a") - 10), const(ord("0")))))
        out.store(quotient, rest, volatile=True)
        more = out.new_block("more")
        out.branch_if(out.compare("eq", quotient, ZERO), after, more)
        out.enter(more)
    with e.when(is_negative):
        _put(e, buffer, position, const(ord("-")))
    with e.when(out.compare("eq", base, const(16))):
        _put(e, buffer, position, const(ord("x")))
    is_prefixed = out.binary("or", out.compare("eq", base, const(16)), out.compare("eq", base, const(8)))
    with e.when(is_prefixed):
        _put(e, buffer, position, const(ord("0")))
    start = out.offset(buffer, e.opaque_mask(out.load(position, volatile=True), _MASK))
    return out.call(Helper.READ_KERNEL_STRING, place, const(min(capacity, _BUFFER)), start)


def parsed(e: Emitter, text: Str, base: Value, where: Span) -> Value:
    """strtoll(): blanks, a sign, digits."""
    out = e.out
    _check_base(e, base, where)
    number, state = e.loop_word(), e.loop_word()  # state: 0 blanks may come, 1 digits; and bit 1 if negative
    out.store(ZERO, number, volatile=True)
    out.store(ZERO, state, volatile=True)
    with e.loop(text.capacity) as (index, after):
        byte = out.extend(out.load(out.offset(text.address, index), "i8"), False)
        now = out.load(state, volatile=True)
        begin, sign, digits, next_ = (out.new_block(name) for name in ("begin", "sign", "digits", "next"))
        out.branch_if(out.compare("eq", now, ZERO), begin, digits)
        out.enter(begin)
        is_blank = out.compare("ult", out.sub(byte, const(9)), const(5))
        is_blank = out.binary("or", is_blank, out.compare("eq", byte, const(ord(" "))))
        out.branch_if(is_blank, next_, sign)
        out.enter(sign)
        is_minus, is_plus = out.compare("eq", byte, const(ord("-"))), out.compare("eq", byte, const(ord("+")))
        out.store(out.select(is_minus, const(3), ONE), state, volatile=True)
        out.branch_if(out.binary("or", is_minus, is_plus), next_, digits)
        out.enter(digits)
        lower = out.binary("or", byte, const(0x20))
        is_letter = out.compare("ult", out.sub(lower, const(ord("a"))), const(26))
        is_decimal = out.compare("ult", out.sub(byte, const(ord("0"))), const(10))
        digit = out.select(is_letter, out.sub(lower, const(ord("a") - 10)), const(99))
        digit = out.select(is_decimal, out.sub(byte, const(ord("0"))), digit)
        fits = out.new_block("fits")
        out.branch_if(out.compare("ult", digit, base), fits, after)
        out.enter(fits)
        grown = out.add(out.binary("mul", out.load(number, volatile=True), base), digit)
        out.store(grown, number, volatile=True)
        out.enter(next_)
    value = out.load(number, volatile=True)
    is_negative = out.compare("eq", out.load(state, volatile=True), const(3))
    return out.select(is_negative, out.sub(ZERO, value), value)


def span(e: Emitter, text: Str, chosen: Str, *, is_in: bool) -> Value:
    """How many bytes the text begins with that are, or are not, among the chosen ones."""
    out = e.out
    table = e.storage.scratch(32)
    for word in range(4):
        out.store(ZERO, out.offset(table, 8 * word))
    with e.loop(chosen.capacity) as (index, after):
        byte = out.extend(out.load(out.offset(chosen.address, index), "i8"), False)
        more = out.new_block("more")
        out.branch_if(out.compare("eq", byte, ZERO), after, more)
        out.enter(more)
        at, bit = _bit(e, table, byte)
        out.store(out.binary("or", out.load(at), bit), at)
    result = e.loop_word()
    out.store(ZERO, result, volatile=True)
    with e.loop(text.capacity) as (index, after):
        byte = out.extend(out.load(out.offset(text.address, index), "i8"), False)
        more, further = out.new_block("more"), out.new_block("further")
        out.store(index, result, volatile=True)
        out.branch_if(out.compare("eq", byte, ZERO), after, more)
        out.enter(more)
        at, bit = _bit(e, table, byte)
        is_chosen = out.compare("ne", out.binary("and", out.load(at), bit), ZERO)
        out.branch_if(is_chosen, *((further, after) if is_in else (after, further)))
        out.enter(further)
    return out.load(result, volatile=True)


def _bit(e: Emitter, table: Value, byte: Value) -> tuple[Value, Value]:
    """The word of the table that tells of a byte, and the bit in it."""
    word = e.opaque_mask(e.out.binary("lshr", byte, const(6)), 3)
    at = e.out.offset(table, e.out.binary("shl", word, const(3)))
    return at, e.out.binary("shl", ONE, e.out.binary("and", byte, const(63)))
