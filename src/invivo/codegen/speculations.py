"""Speculations: numbers handed out and taken back. What is held back waits in the consumer, by number and state.

speculation(2)            word 0: even? compare and exchange it with one more; else word 1; else 0, and a drop
speculation_end(1)        word 0: odd? compare and exchange it with one more
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.nodes import Call
from invivo.program.shared import Globals

__all__ = ["end", "start", "state"]


def start(e: Emitter, call: Call) -> Value:
    """The number of a speculation that was free, from 1, or 0."""
    result = e.out.alloca(8)
    e.out.store(ZERO, result)
    count = min(e.module.number("nspec"), Globals.SPECULATIONS_MAX)
    done = e.out.new_block("taken")
    for number in range(count):
        word = e.module.global_address(Globals.SPECULATIONS + 8 * number)
        old = e.out.load(word, volatile=True)
        is_free, following = e.out.new_block("free"), e.out.new_block("next")
        e.out.branch_if(_is_odd(e, old), following, is_free)
        e.out.enter(is_free)
        seen = e.out.compare_exchange(word, old, e.out.add(old, ONE))
        is_mine = e.out.new_block("mine")
        e.out.branch_if(e.out.compare("eq", seen, old), is_mine, following)
        e.out.enter(is_mine)
        e.out.store(const(number + 1), result)
        e.out.branch(done)
        e.out.enter(following)
    e.count(Globals.SPECULATION_DROPS)
    e.out.branch(done)
    e.out.enter(done)
    return e.out.load(result)


def state(e: Emitter, call: Call) -> Value:
    """The state of the speculation with this number."""
    result = e.out.alloca(8)
    e.out.store(ZERO, result)
    number = e.scalar(call.arguments[0])
    with e.when(_exists(e, number)):
        e.out.store(e.out.load(_word(e, number), volatile=True), result)
    return e.out.load(result)


def end(e: Emitter, call: Call) -> Value:
    """Free the speculation with this number; the record that tells the consumer has been sent."""
    number = e.scalar(call.arguments[0])
    with e.when(_exists(e, number)):
        word = _word(e, number)
        old = e.out.load(word, volatile=True)
        with e.when(_is_odd(e, old)):
            e.out.compare_exchange(word, old, e.out.add(old, ONE))
    return ZERO


def _exists(e: Emitter, number: Value) -> Value:
    count = min(e.module.number("nspec"), Globals.SPECULATIONS_MAX)
    return e.out.compare("ult", e.out.sub(number, ONE), const(count))


def _word(e: Emitter, number: Value) -> Value:
    index = e.opaque_mask(e.out.sub(number, ONE), Globals.SPECULATIONS_MAX - 1)
    offset = e.out.binary("shl", index, const(3))
    return e.out.offset(e.module.global_address(Globals.SPECULATIONS), offset)


def _is_odd(e: Emitter, value: Value) -> Value:
    return e.out.compare("ne", e.out.binary("and", value, ONE), ZERO)
