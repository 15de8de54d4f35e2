"""The string functions, as code: helpers of the kernel where there are any, loops over bytes where there are not.

length(e, s)                    bpf_probe_read_kernel_str into a spare buffer, less the NUL
position(e, "abcb", "b", 2)     3, by two nested loops
substring(e, "abc", -2, 1, ..)  "b": DTrace's rules, which are Perl's
"""

from __future__ import annotations

from invivo.codegen import strings
from invivo.codegen.emitter import Emitter, Helper, Str
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.layout import round_up

__all__ = [
    "basename", "byte_position", "decimal", "dirname", "join", "last_position", "length", "position", "substring",
    "swap_case", "tail",
]  # fmt: skip

_SLASH = const(ord("/"))
_NONE = const(-1)


def length(e: Emitter, value: Str) -> Value:
    """Bytes before the NUL."""
    if value.literal is not None:
        return const(len(value.literal))
    spare = e.slot(value.capacity)
    result = e.out.call(Helper.READ_KERNEL_STRING, spare, const(value.capacity), value.address)
    return e.out.sub(result, ONE)


def _byte(e: Emitter, value: Str, index: Value) -> Value:
    return e.out.extend(e.out.load(e.out.offset(value.address, index), "i8"), False)


def _piece(e: Emitter, whole: Str, start: Value, count: Value, place: Value, capacity: int) -> Value:
    """Copy `count` bytes from `start` on (both bounded here), and a NUL; yields the length with it."""
    source = e.out.offset(whole.address, e.at_most(start, whole.capacity - 1))
    size = e.out.add(e.at_most(count, capacity - 1), ONE)
    return e.out.call(Helper.READ_KERNEL_STRING, place, size, source)


def join(e: Emitter, first: Str, second: Str, place: Value, capacity: int) -> Value:
    """first + second, cut to fit."""
    # The verifier knows of the middle only that it is within the first; so the buffer has room for both in full.
    buffer = e.storage.scratch(first.capacity + second.capacity)
    used = strings.copy(e, first, buffer, first.capacity)
    middle = e.out.offset(buffer, e.at_most(e.out.sub(used, ONE), first.capacity - 1))
    e.out.call(Helper.READ_KERNEL_STRING, middle, const(second.capacity), second.address)
    return strings.copy(e, Str(buffer, first.capacity + second.capacity), place, capacity)


def tail(e: Emitter, whole: Str, start: Value, place: Value, capacity: int) -> Value:
    """From `start` on, or empty where that is -1."""
    count = e.out.select(e.out.compare("slt", start, ZERO), ZERO, const(capacity))
    return _piece(e, whole, start, count, place, capacity)


def substring(e: Emitter, whole: Str, index: Value, count: Value, place: Value, capacity: int) -> Value:
    """substr(): a negative index counts from the end, a negative count leaves so many bytes at the end."""
    out = e.out
    size = length(e, whole)
    # An index before the start: what the count reaches of the string remains.
    from_end = out.add(index, size)
    is_before = out.binary("and", out.compare("slt", index, ZERO), out.compare("slt", from_end, ZERO))
    reach = out.add(count, from_end)
    reaches = out.binary("and", is_before, out.compare("sgt", reach, ZERO))
    start = out.select(out.compare("slt", index, ZERO), from_end, index)
    start = out.select(reaches, ZERO, start)
    count = out.select(reaches, reach, count)
    is_outside = out.binary("or", out.compare("slt", start, ZERO), out.compare("sge", start, size))
    count = out.select(out.compare("slt", count, ZERO), out.add(count, out.sub(size, start)), count)
    is_nothing = out.binary("or", is_outside, out.compare("slt", count, ZERO))
    return _piece(e, whole, start, out.select(is_nothing, ZERO, count), place, capacity)


def byte_position(e: Emitter, whole: Str, byte: Value, is_last: bool) -> Value:
    """Index of the first or last such byte, -1 if there is none (the NUL is none)."""
    out = e.out
    wanted = out.binary("and", byte, const(0xFF))
    result = e.carried()
    out.store(_NONE, result)
    with e.loop(whole.capacity) as (index, after):
        found = _byte(e, whole, index)
        more = out.new_block("more")
        out.branch_if(out.compare("eq", found, ZERO), after, more)
        out.enter(more)
        hit, go_on = out.new_block("hit"), out.new_block("on")
        out.branch_if(out.compare("eq", found, wanted), hit, go_on)
        out.enter(hit)
        out.store(index, result)
        out.branch(go_on if is_last else after)
        out.enter(go_on)
    return out.load(result)


def position(e: Emitter, whole: Str, part: Str, start: Value) -> Value:
    """index(): the first position at or after `start`, or -1; an empty part is found even at the end."""
    out = e.out
    size = length(e, whole)
    start = out.select(out.compare("slt", start, ZERO), ZERO, start)
    is_beyond = out.compare("sge", start, size)
    result = e.carried()
    at_end = out.select(out.compare("eq", length(e, part), ZERO), size, _NONE)
    out.store(out.select(is_beyond, at_end, _NONE), result)
    with e.when(out.binary("xor", is_beyond, const(1, "i1"))):
        _search(e, whole, part, start, size, result, is_last=False)
    return out.load(result)


def last_position(e: Emitter, whole: Str, part: Str, start: Value) -> Value:
    """rindex(): the last position at or before `start`, or -1; an empty part is found even before the start."""
    out = e.out
    size = length(e, whole)
    is_before = out.compare("slt", start, ZERO)
    result = e.carried()
    out.store(out.select(out.compare("eq", length(e, part), ZERO), ZERO, _NONE), result)
    with e.when(out.binary("xor", is_before, const(1, "i1"))):
        out.store(_NONE, result)
        last = out.select(out.compare("sgt", start, size), size, start)
        _search(e, whole, part, ZERO, out.add(last, ONE), result, is_last=True)
    return out.load(result)


def _search(e: Emitter, whole: Str, part: Str, start: Value, end: Value, result: Value, *, is_last: bool) -> None:
    """Put the first (or last) position in start <= p < end at which `part` lies into `result`, if there is any."""
    out = e.out
    first_byte = out.extend(out.load(part.address, "i8"), False)
    with e.loop(whole.capacity) as (index, after):
        inside, next_ = out.new_block("inside"), out.new_block("next")
        more = out.new_block("more")
        out.branch_if(out.compare("ult", index, end), more, after)
        out.enter(more)
        # Most positions are refused by their first byte, without the inner loop.
        is_candidate = out.binary(
            "or", out.compare("eq", first_byte, ZERO), out.compare("eq", first_byte, _byte(e, whole, index))
        )
        is_candidate = out.binary("and", is_candidate, out.compare("uge", index, start))
        out.branch_if(is_candidate, inside, next_)
        out.enter(inside)
        matches = e.carried()
        out.store(ZERO, matches)
        with e.loop(part.capacity) as (offset, compared):
            expected = _byte(e, part, offset)
            is_end = out.compare("eq", expected, ZERO)
            end_block, go_on = out.new_block("end"), out.new_block("byte")
            out.branch_if(is_end, end_block, go_on)
            out.enter(end_block)
            out.store(ONE, matches)
            out.branch(compared)
            out.enter(go_on)
            there = e.at_most(out.add(index, offset), whole.capacity - 1)
            same = out.new_block("same")
            out.branch_if(out.compare("eq", expected, _byte(e, whole, there)), same, compared)
            out.enter(same)
        hit = out.new_block("hit")
        out.branch_if(e.is_true(out.load(matches)), hit, next_)
        out.enter(hit)
        out.store(index, result)
        out.branch(next_ if is_last else after)
        out.enter(next_)


def _components(e: Emitter, path: Str) -> tuple[Value, Value, Value]:
    """Start and end of a path's last component, and the end of the one before: (0, 0, 0) if there is none."""
    out = e.out
    start, end, before, previous = (e.carried() for _ in range(4))
    for place in (start, end, before):
        out.store(ZERO, place)
    out.store(_SLASH, previous)
    with e.loop(path.capacity) as (index, after):
        byte = _byte(e, path, index)
        more, next_ = out.new_block("more"), out.new_block("next")
        out.branch_if(out.compare("eq", byte, ZERO), after, more)
        out.enter(more)
        with e.when(out.compare("ne", byte, _SLASH)):
            with e.when(out.compare("eq", out.load(previous), _SLASH)):
                out.store(out.load(end), before)
                out.store(index, start)
            out.store(out.add(index, ONE), end)
        out.store(byte, previous)
        out.enter(next_)
    return out.load(start), out.load(end), out.load(before)


def _first_byte(e: Emitter, value: Str) -> Value:
    return e.out.extend(e.out.load(value.address, "i8"), False)


def basename(e: Emitter, path: Str, place: Value, capacity: int) -> Value:
    """basename(3): "." of nothing, "/" of slashes alone."""
    out = e.out
    start, end, _ = _components(e, path)
    return _path_part(e, path, start, out.sub(end, start), out.compare("eq", end, ZERO), place, capacity)


def dirname(e: Emitter, path: Str, place: Value, capacity: int) -> Value:
    """dirname(3): "." of a name alone, "/" of what lies in the root."""
    _, _, before = _components(e, path)
    return _path_part(e, path, ZERO, before, e.out.compare("eq", before, ZERO), place, capacity)


def _path_part(
    e: Emitter, path: Str, start: Value, count: Value, is_special: Value, place: Value, capacity: int
) -> Value:
    """A piece of the path; where it `is_special`: "/" if the path begins with one, else "."."""
    out = e.out
    size = out.alloca(8)
    special, plain, done = (out.new_block(name) for name in ("special", "plain", "part"))
    out.branch_if(is_special, special, plain)
    out.enter(special)
    is_root = out.compare("eq", _first_byte(e, path), _SLASH)
    byte = out.select(is_root, _SLASH, const(ord(".")))
    out.store(out.truncate(byte, "i8"), place)
    if capacity > 1:
        out.store(const(0, "i8"), out.offset(place, 1))
    out.store(const(2), size)
    out.branch(done)
    out.enter(plain)
    out.store(_piece(e, path, start, count, place, capacity), size)
    out.enter(done)
    return out.load(size)


def decimal(e: Emitter, number: Value, place: Value, capacity: int) -> Value:
    """A signed number in decimal, by bpf_snprintf."""
    out = e.out
    out.store(number, e.word)
    format_ = e.module.constant(b"%lld\0")
    return out.call(Helper.SNPRINTF, place, const(capacity), format_, e.word, const(8))


def swap_case(e: Emitter, value: Str, first: int, last: int, place: Value, capacity: int) -> Value:
    """Bytes from `first` to `last` get the other ASCII case; eight bytes at a time, after a copy."""
    out = e.out
    size = round_up(capacity, 8)
    buffer = e.slot(size)
    strings.copy(e, value, buffer, capacity)
    ones = 0x0101010101010101
    with e.loop(size // 8) as (index, _):
        at = out.offset(buffer, out.binary("shl", index, const(3)))
        word = out.load(at)
        # Per byte, in the top bit of its seven-bit part: reaches `first`, and exceeds `last`.
        low = out.binary("and", word, const(0x7F * ones))
        reaches = out.add(low, const((0x80 - first) * ones))
        exceeds = out.add(low, const((0x7F - last) * ones))
        chosen = out.binary("and", out.binary("xor", reaches, exceeds), const(0x80 * ones))
        ascii_ = out.binary("and", chosen, out.binary("xor", word, const(-1)))
        out.store(out.binary("xor", word, out.binary("lshr", ascii_, const(2))), at)
    return strings.copy(e, Str(buffer, capacity), place, capacity)
