"""The walk up a user stack, by unwind rules where there are some, and by frame pointers where there are not.

    walk(e, buffer, 127)    buffer: rip, then the return addresses; yields their number

For each frame: which mapping (those of the process, by address), which rule (those of the file, by address), and from
rip, rsp, rbp of this frame those of the caller. It begins with the thread's registers in user space. All that changes
from frame to frame lies in the scratch area, where the verifier does not follow it; see Emitter.loop_word.
The tables are program.plan.Unwind's, the rules symbols.rules'.
"""

from __future__ import annotations

from invivo.codegen import hidden_returns, processes
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import NULL, ZERO, Block, Value, const
from invivo.codegen.unwind_steps import by_frame_pointer, by_rule, stop_unless
from invivo.program.shared import Globals, Unwind, UnwindEnd

__all__ = ["is_possible", "walk"]

_MASK = Unwind.CHUNK - 4  # offsets in a chunk: within it, and aligned
_USER_START, _USER_END = 1 << 16, 1 << 47  # below is nothing but by vm.mmap_min_addr
_UNKNOWN = 2  # beside Unwind.AWAITED
_USER_64 = 0x33  # cs of a 64-bit program

# Offsets in struct pt_regs of x86-64.
_BP, _IP, _CS, _SP = 32, 128, 136, 152

_Words = dict[str, Value]


def is_possible(e: Emitter) -> bool:
    """Whether this kernel lets programs see the registers of user space."""
    return e.module.traits.has_user_registers


def walk(e: Emitter, buffer: Value, frames: int, is_limited: bool) -> Value:
    """Fill the buffer, which is zero, with at most `frames` addresses; yields their number.

    Args:
        is_limited: The program asked for so many, and more are no loss.
    """
    out = e.out
    frame = ("ip", "sp", "bp", "top", "back", "count", "end", "awaited", "rule")
    mapping = ("start", "stop", "base", "first", "rows", "chunk", "flags")
    words = {name: e.storage.scratch(8) for name in (*frame, *mapping, *hidden_returns.WORDS)}
    pair = e.storage.scratch(16)  # rip and rsp, or whatever is read from the stack
    for name in ("count", "start", "stop", "back", "awaited"):
        out.store(ZERO, words[name])
    done = out.new_block("walked")
    registers = _registers(e, words, done)
    entry = processes.meet(e)
    own = {name: out.offset(entry, 4 + 4 * index) for index, name in enumerate(("mappings", "chunk", "table"))}
    ready, by_pointers = out.new_block("ready"), out.new_block("pointers")
    out.store(const(UnwindEnd.NEW_PROCESS), words["end"])
    out.branch_if(out.compare("ne", _u32(e, own["mappings"]), ZERO), ready, by_pointers, (1, 0))
    out.enter(ready)
    out.store(const(UnwindEnd.DEPTH), words["end"])
    hidden_returns.begin(e, words)
    _frames(e, words, own, pair, registers, buffer, frames)
    _tell_of_awaited(e, words)
    if is_limited:
        with e.when(out.compare("eq", out.load(words["end"]), const(UnwindEnd.DEPTH))):
            out.store(ZERO, words["end"])
    out.branch(done)
    out.enter(by_pointers)
    length = out.call(Helper.GET_STACK, out.context, buffer, const(8 * frames), const(1 << 8))
    length = out.select(out.compare("slt", length, ZERO), ZERO, length)
    out.store(out.binary("lshr", length, const(3)), words["count"])
    out.branch(done)
    out.enter(done)
    _count_end(e, words["end"])
    return out.load(words["count"])


def _tell_of_awaited(e: Emitter, words: _Words) -> None:
    """A stack through code whose rules were not there, or one that ended in code that nothing is known of yet."""
    out = e.out
    awaited = out.load(words["awaited"])
    with e.when(out.compare("ne", awaited, ZERO), (0, 1)):
        is_awaited = out.compare("ne", out.binary("and", awaited, const(Unwind.AWAITED)), ZERO)
        is_cut = out.compare("eq", out.load(words["end"]), const(UnwindEnd.NO_RULES))
        with e.when(out.binary("or", is_awaited, is_cut)):
            out.store(const(UnwindEnd.NEW_PROCESS), words["end"])


def _count_end(e: Emitter, end: Value) -> None:
    out = e.out
    reason = out.load(end)
    with e.when(out.compare("ne", reason, ZERO), (0, 1)):
        offset = e.opaque_mask(out.binary("shl", reason, const(3)), 0x78)
        out.atomic_add(out.offset(e.module.global_address(Globals.STACK_ENDS), offset), const(1))


def _registers(e: Emitter, words: _Words, done: Block) -> Value:
    """Where the thread's user registers lie, as a number; a thread that has none is done."""
    out = e.out
    out.store(ZERO, words["end"])
    task = out.to_pointer(out.call(Helper.CURRENT_TASK_BTF))
    registers = e.scalar_of_pointer(out.call(Helper.TASK_PT_REGS, task))
    user, wide, narrow = (out.new_block(name) for name in ("user", "wide", "narrow"))
    place = e.storage.scratch(32)  # rip, cs, flags, rsp
    out.call(Helper.READ_KERNEL, place, const(32), out.add(registers, const(_IP)))
    out.call(Helper.READ_KERNEL, words["bp"], const(8), out.add(registers, const(_BP)))
    segment = out.load(out.offset(place, _CS - _IP))
    out.branch_if(out.compare("eq", out.binary("and", segment, const(3)), const(3)), user, done, (1, 0))
    out.enter(user)
    out.store(out.load(place), words["ip"])
    for name in ("sp", "top"):
        out.store(out.load(out.offset(place, _SP - _IP)), words[name])
    out.branch_if(out.compare("eq", out.binary("and", segment, const(0xFFFF)), const(_USER_64)), wide, narrow, (1, 0))
    out.enter(narrow)
    out.store(const(UnwindEnd.NOT_64_BIT), words["end"])
    out.branch(done)
    out.enter(wide)
    return registers


def _frames(e: Emitter, words: _Words, own: _Words, pair: Value, registers: Value, buffer: Value, frames: int) -> None:
    """The loop: each round stores an address and goes to the caller."""
    out = e.out
    with e.loop(frames) as (index, after):
        address = out.load(words["ip"])
        out.store(address, out.offset(buffer, out.binary("shl", index, const(3))))
        out.store(out.add(index, const(1)), words["count"])
        # A return address may lie behind the function that made the call, if that never returns.
        place = out.sub(address, out.load(words["back"]))
        out.store(const(1), words["back"])
        names = ("pointers", "unknown", "without", "ruled", "stepped")
        pointers, unknown, without, ruled, stepped = (out.new_block(name) for name in names)
        _find_mapping(e, words, own, place, unknown)
        out.branch_if(out.compare("eq", out.load(words["rows"]), ZERO), without, ruled, (0, 1))
        out.enter(without)
        out.store(out.binary("or", out.load(words["awaited"]), out.load(words["flags"])), words["awaited"])
        out.branch(pointers)
        out.enter(unknown)  # mapped just now: the consumer is still to tell of it
        out.store(out.binary("or", out.load(words["awaited"]), const(_UNKNOWN)), words["awaited"])
        out.branch(pointers)
        out.enter(ruled)
        _find_rule(e, words, place, pointers)
        by_rule(e, words, pair, registers, index, pointers, stepped, after)
        out.enter(pointers)
        by_frame_pointer(e, words, pair, out.compare("eq", place, address), stepped, after)
        out.enter(stepped)
        hidden_returns.restore(e, words, after)
        stop_unless(e, words, UnwindEnd.WHOLE, out.compare("ne", out.load(words["ip"]), ZERO), after)
        is_code = out.compare("ult", out.sub(out.load(words["ip"]), const(_USER_START)), const(_USER_END - _USER_START))
        stop_unless(e, words, UnwindEnd.BROKEN, is_code, after)


# --- tables -----------------------------------------------------------------------------------------------------------


def _chunk(e: Emitter, number: Value, missing: Block) -> Value:
    """The memory of a chunk of the tables."""
    out = e.out
    out.store(number, e.word)
    inner = out.to_pointer(out.call(Helper.MAP_LOOKUP, e.module.unwind_rules(), e.word))
    found, there = out.new_block("inner"), out.new_block("chunk")
    out.branch_if(out.compare("ne", inner, NULL), found, missing, (1, 0))
    out.enter(found)
    out.store(ZERO, e.word)
    memory = out.to_pointer(out.call(Helper.MAP_LOOKUP, inner, e.word))
    out.branch_if(out.compare("ne", memory, NULL), there, missing, (1, 0))
    out.enter(there)
    return memory


def _u32(e: Emitter, place: Value) -> Value:
    return e.out.extend(e.out.load(place, "i32"), False)


def _at(e: Emitter, chunk: Value, offset: Value, type_: str = "i32") -> Value:
    """A word of a chunk, at an offset that is kept within it."""
    place = e.out.offset(chunk, e.out.binary("and", offset, const(_MASK)))
    return e.out.extend(e.out.load(place, type_, align=4), False)


def _search(e: Emitter, chunk: Value, first: Value, stride: int, count: Value, wanted: Value, most: int) -> Value:
    """Index of the last row whose first word (u32, or u64 for rows that are longer) is not above `wanted`.

    All steps are written out, halving what is left: the verifier has no loop to follow. It must not know more of the
    index on one path than on another, though, or it follows each of them: so the index begins as a number from
    memory, is masked at each step, and `count` is a place, read each time. Row 0 is taken not to be above.
    """
    out = e.out
    type_ = "i32" if stride == 4 else "i64"
    zero = e.storage.scratch(8)  # what lies on the stack the verifier knows
    out.store(ZERO, zero, volatile=True)
    position = out.load(zero, volatile=True)
    mask = (1 << most.bit_length()) - 1
    step = 1 << (most.bit_length() - 1)
    while step:
        candidate = out.add(position, const(step))
        inside, taken, following = (out.new_block(name) for name in ("inside", "taken", "step"))
        here = out.block
        limit = out.extend(out.load(count, "i32", volatile=True), False)
        out.branch_if(out.compare("ult", candidate, limit), inside, following)
        out.enter(inside)
        offset = out.add(first, out.binary("mul", candidate, const(stride)))
        value = _at(e, chunk, offset, type_)
        out.branch_if(out.compare("ule", value, wanted), taken, following)
        out.enter(taken)
        out.branch(following)
        out.enter(following)
        position = out.phi([(position, here), (position, inside), (candidate, taken)])
        position = out.binary("and", position, const(mask))
        step >>= 1
    return position


def _find_mapping(e: Emitter, words: _Words, own: _Words, address: Value, missing: Block) -> None:
    """The mapping that an address lies in, which is often that of the frame before."""
    out = e.out
    search, found = out.new_block("search"), out.new_block("mapping")
    distance = out.sub(address, out.load(words["start"]))
    size = out.sub(out.load(words["stop"]), out.load(words["start"]))
    out.branch_if(out.compare("ult", distance, size), found, search)
    out.enter(search)
    chunk = _chunk(e, _u32(e, own["chunk"]), missing)
    table = _u32(e, own["table"])
    index = _search(e, chunk, table, Unwind.MAPPING_SIZE, own["mappings"], address, Unwind.MAPPINGS)
    row = out.add(table, out.binary("mul", index, const(Unwind.MAPPING_SIZE)))
    for position, name in enumerate(("start", "stop", "base")):
        out.store(_at(e, chunk, out.add(row, const(8 * position)), "i64"), words[name])
    for position, name in enumerate(("first", "rows", "chunk", "flags")):
        out.store(_at(e, chunk, out.add(row, const(24 + 4 * position))), words[name])
    distance = out.sub(address, out.load(words["start"]))
    size = out.sub(out.load(words["stop"]), out.load(words["start"]))
    out.branch_if(out.compare("ult", distance, size), found, missing)
    out.enter(found)


def _find_rule(e: Emitter, words: _Words, address: Value, missing: Block) -> None:
    """The rule for an address in the mapping that was found."""
    out = e.out
    chunk = _chunk(e, out.load(words["chunk"]), missing)
    first, rows = out.load(words["first"]), out.load(words["rows"])
    wanted = out.sub(address, out.load(words["base"]))
    index = _search(e, chunk, first, 4, words["rows"], wanted, Unwind.ROWS)
    place = out.add(first, out.binary("shl", out.add(rows, index), const(2)))
    out.store(_at(e, chunk, place), words["rule"])
