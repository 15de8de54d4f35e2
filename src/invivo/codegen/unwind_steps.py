"""From a frame of a user stack to its caller: what codegen/unwind does in each round of its loop.

    by_rule(e, words, pair, registers, index, pointers, stepped, after)     words["ip"], ["sp"], ["bp"] are the caller's
    by_frame_pointer(e, words, pair, is_exact, stepped, after)              likewise, where there is no rule

In: `words`, places in memory by name, of which "rule" holds the frame's; blocks to go on at: `pointers` where there is
no rule after all, `stepped` with the caller's registers, `after` where the walk ends, with the reason in words["end"].
The rules are those of symbols/rules.
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ZERO, Block, Value, const
from invivo.program.shared import Unwind, UnwindEnd

__all__ = ["by_frame_pointer", "by_rule", "stop_unless"]

_KINDS = {name: number for number, name in enumerate(Unwind.KINDS)}
_AT_BP = 255
_ENDBR64, _PUSH_BP, _INT3 = 0xFA1E0FF3, 0x55, 0xCC
_LARGEST_FRAME = 1 << 24  # bytes, of a frame found by its frame pointer
# Where DWARF's registers 0 to 15 lie in struct pt_regs of x86-64, in eights of bytes, a byte each.
_PLACES = bytes((10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0))
_BX = 40
# Where a signal's ucontext has them: uc_mcontext.gregs of <sys/ucontext.h>.
_CONTEXT_BP, _CONTEXT_SP = 120, 160  # rip follows rsp

_Words = dict[str, Value]


def stop_unless(e: Emitter, words: _Words, end: UnwindEnd, condition: Value, after: Block) -> None:
    """Leave the loop with a reason where the condition does not hold."""
    out = e.out
    stop, on = out.new_block("stop"), out.new_block("on")
    out.branch_if(condition, on, stop, (1, 0))
    out.enter(stop)
    out.store(const(end), words["end"])
    out.branch(after)
    out.enter(on)


def by_rule(
    e: Emitter,
    words: _Words,
    pair: Value,
    registers: Value,
    index: Value,
    pointers: Block,
    stepped: Block,
    after: Block,
) -> None:
    out = e.out
    rule = out.load(words["rule"])
    kind = out.binary("and", rule, const(15))
    flags = out.binary("and", out.binary("lshr", rule, const(4)), const(15))
    # The offset: the upper 16 of 32 bits, signed, in eights.
    offset = out.binary("ashr", out.binary("shl", rule, const(32)), const(45))
    offset = out.binary("and", offset, const(-8))
    cfa = e.storage.scratch(8)
    blocks = {name: out.new_block(name) for name in Unwind.KINDS}
    common = out.new_block("cfa")
    cases = [(_KINDS[name], blocks[name]) for name in Unwind.KINDS if name not in ("none", "unknown")]
    ordinary = [case for case in cases if case[0] in (_KINDS["sp"], _KINDS["bp"])]
    for number, block in ordinary:  # nearly all are of these kinds
        following = out.new_block("kind")
        out.branch_if(out.compare("eq", kind, const(number)), block, following)
        out.enter(following)
    others = [case for case in cases if case not in ordinary]
    out.switch(kind, blocks["unknown"], [*others, (_KINDS["none"], pointers)])
    for name, base in (("sp", "sp"), ("bp", "bp")):
        out.enter(blocks[name])
        out.store(out.add(out.load(words[base]), offset), cfa)
        out.branch(common)
    for name, base in (("sp_deref", "sp"), ("bp_deref", "bp")):
        out.enter(blocks[name])
        _read(e, words, cfa, 8, out.add(out.load(words[base]), offset), after)
        out.store(out.add(out.load(cfa), out.binary("shl", flags, const(3))), cfa)
        out.branch(common)
    out.enter(blocks["plt"])
    position = out.binary("and", out.load(words["ip"]), const(15))
    more = out.select(out.compare("uge", position, flags), const(8), ZERO)
    out.store(out.add(out.add(out.load(words["sp"]), offset), more), cfa)
    out.branch(common)
    out.enter(blocks["kept"])
    place = out.add(out.load(words["sp"]), offset)
    on_stack, live, found = (out.new_block(name) for name in ("on_stack", "live", "kept"))
    out.branch_if(out.compare("uge", place, out.load(words["top"])), on_stack, live, (1, 0))
    out.enter(on_stack)
    _read(e, words, cfa, 8, place, after)
    out.branch(found)
    out.enter(live)
    out.call(Helper.READ_KERNEL, cfa, const(8), out.add(registers, const(_BX)))
    out.branch(found)
    out.enter(found)
    out.store(out.add(out.load(cfa), out.binary("shl", flags, const(3))), cfa)
    out.branch(common)
    in_register = out.new_block("in_register")
    for name in ("register", "popped"):
        out.enter(blocks[name])
        out.branch(in_register)
    out.enter(in_register)
    stop_unless(e, words, UnwindEnd.UNKNOWN_RULE, out.compare("eq", index, ZERO), after)
    low, high = (int.from_bytes(_PLACES[start : start + 8], "little") for start in (0, 8))
    places = out.select(out.compare("ult", flags, const(8)), const(low), const(high))
    shift = out.binary("shl", out.binary("and", flags, const(7)), const(3))
    place = out.binary("shl", out.binary("and", out.binary("lshr", places, shift), const(31)), const(3))
    out.call(Helper.READ_KERNEL, cfa, const(8), out.add(registers, place))
    popped, register = out.new_block("return"), out.new_block("cfa")
    out.branch_if(out.compare("eq", kind, const(_KINDS["popped"])), popped, register, (0, 1))
    out.enter(popped)  # it has left its frame, and goes where the register says: that is no address behind a call
    out.store(ZERO, words["back"])
    out.store(out.load(cfa), words["ip"])
    out.store(out.add(out.load(words["sp"]), offset), words["sp"])
    out.branch(stepped)
    out.enter(register)
    out.store(out.add(out.load(cfa), offset), cfa)
    out.branch(common)
    out.enter(blocks["end"])
    out.store(ZERO, words["end"])
    out.branch(after)
    out.enter(blocks["unknown"])
    out.store(const(UnwindEnd.UNKNOWN_RULE), words["end"])
    out.branch(after)
    out.enter(blocks["signal"])
    context = out.add(out.load(words["sp"]), offset)
    _read(e, words, words["bp"], 8, out.add(context, const(_CONTEXT_BP)), after)
    _read(e, words, pair, 16, out.add(context, const(_CONTEXT_SP)), after)
    out.store(out.load(pair), words["sp"])
    out.store(out.load(out.offset(pair, 8)), words["ip"])
    out.store(ZERO, words["back"])  # it was interrupted there, and calls nothing
    out.branch(stepped)
    out.enter(common)
    _to_caller(e, words, pair, cfa, after)
    out.branch(stepped)


def _to_caller(e: Emitter, words: _Words, pair: Value, cfa: Value, after: Block) -> None:
    """The caller's registers, with the CFA known."""
    out = e.out
    frame = out.load(cfa)
    stop_unless(e, words, UnwindEnd.BROKEN, out.compare("ugt", frame, out.load(words["sp"])), after)
    bp = out.binary("and", out.binary("lshr", out.load(words["rule"]), const(8)), const(255))
    adjacent, apart, done = (out.new_block(name) for name in ("adjacent", "apart", "caller"))
    out.branch_if(out.compare("eq", bp, const(2)), adjacent, apart)
    out.enter(adjacent)  # pushed first, as functions with a frame pointer do: one read for both
    _read(e, words, pair, 16, out.sub(frame, const(16)), after)
    out.store(out.load(pair), words["bp"])
    out.store(out.load(out.offset(pair, 8)), words["ip"])
    out.branch(done)
    out.enter(apart)
    _read(e, words, words["ip"], 8, out.sub(frame, const(8)), after)
    with e.when(out.compare("ne", bp, ZERO)):
        slot = out.sub(frame, out.binary("shl", bp, const(3)))
        place = out.select(out.compare("eq", bp, const(_AT_BP)), out.load(words["bp"]), slot)
        _read(e, words, words["bp"], 8, place, after)
    out.branch(done)
    out.enter(done)
    out.store(out.load(cfa), words["sp"])


def by_frame_pointer(e: Emitter, words: _Words, pair: Value, is_exact: Value, stepped: Block, after: Block) -> None:
    """Code without rules (a JIT's, hand-written): its frame pointer, if it looks like one. 0 ends the chain.

    Args:
        is_exact: The frame's address is that of its next instruction, not one behind a call. If that is a function's
            first (endbr64, push %rbp, or a probe's breakpoint), no frame is made yet.
    """
    out = e.out
    exact, first, framed = (out.new_block(name) for name in ("exact", "first", "framed"))
    out.branch_if(is_exact, exact, framed, (0, 1))
    out.enter(exact)
    out.store(ZERO, pair)
    out.call(Helper.READ_USER, pair, const(8), out.load(words["ip"]))
    code = out.load(pair)
    is_first = out.compare("eq", out.binary("and", code, const(0xFFFF_FFFF)), const(_ENDBR64))
    for opcode in (_PUSH_BP, _INT3):
        is_opcode = out.compare("eq", out.binary("and", code, const(0xFF)), const(opcode))
        is_first = out.binary("or", is_first, is_opcode)
    out.branch_if(is_first, first, framed)
    out.enter(first)
    _read(e, words, words["ip"], 8, out.load(words["sp"]), after)
    out.store(out.add(out.load(words["sp"]), const(8)), words["sp"])
    out.branch(stepped)
    out.enter(framed)
    bp = out.load(words["bp"])
    stop_unless(e, words, UnwindEnd.WHOLE, out.compare("ne", bp, ZERO), after)
    is_near = out.compare("ult", out.sub(bp, out.load(words["sp"])), const(_LARGEST_FRAME))
    is_aligned = out.compare("eq", out.binary("and", bp, const(7)), ZERO)
    stop_unless(e, words, UnwindEnd.NO_RULES, is_aligned, after)
    status = out.call(Helper.READ_USER, pair, const(16), bp)
    stop_unless(e, words, UnwindEnd.NO_RULES, out.compare("eq", status, ZERO), after)
    # A Go program goes to another stack for some of its work, with the frame pointer of the old one: the caller is in
    # the same file then.
    start = out.load(words["start"])
    returns = out.sub(out.load(out.offset(pair, 8)), start)
    is_same_file = out.compare("ult", returns, out.sub(out.load(words["stop"]), start))
    is_caller = out.binary("or", is_near, is_same_file)
    stop_unless(e, words, UnwindEnd.NO_RULES, is_caller, after)
    out.store(out.add(bp, const(16)), words["sp"])
    out.store(out.load(pair), words["bp"])
    out.store(out.load(out.offset(pair, 8)), words["ip"])
    out.branch(stepped)


def _read(e: Emitter, words: _Words, place: Value, size: int, address: Value, after: Block) -> None:
    """Memory of the process, or the end of the walk."""
    status = e.out.call(Helper.READ_USER, place, const(size), address)
    stop_unless(e, words, UnwindEnd.UNREADABLE, e.out.compare("eq", status, ZERO), after)
