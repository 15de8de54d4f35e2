"""Return addresses that return probes have replaced: the kernel keeps them in a list of the thread, innermost first.

    begin(e, words)               once for a walk: words["returns"], words["trampoline"], both mostly 0
    restore(e, words, after)      for each frame: words["ip"] is where it returns to, whatever the stack says

While a function runs whose return is probed, its return address on the stack is that of a trampoline (the mapping
[uprobes]). Where the kernel's BTF does not tell of the list, a stack ends there.
Source: kernel/events/uprobes.c, prepare_uretprobe(); include/linux/uprobes.h, struct return_instance.
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ZERO, Block, Value, const
from invivo.program.shared import UnwindEnd

__all__ = ["WORDS", "begin", "restore"]

WORDS = ("returns", "trampoline")
# Instances looked at for a frame: of a function that several probes wait for, and of frames that longjmp(3) has left.
_LOOKED_AT = 8


def begin(e: Emitter, words: dict[str, Value]) -> None:
    """Find the thread's list, and if it has one its process's trampoline."""
    out = e.out
    for name in WORDS:
        out.store(ZERO, words[name])
    if (places := e.module.traits.hidden_returns) is None:
        return
    task = out.call(Helper.CURRENT_TASK, pure=True)
    _follow(e, words["returns"], out.add(task, const(places.utask)))
    with e.when(out.compare("ne", out.load(words["returns"]), ZERO), (0, 1)):
        _follow(e, words["returns"], out.add(out.load(words["returns"]), const(places.list)))
        with e.when(out.compare("ne", out.load(words["returns"]), ZERO)):
            _follow(e, words["trampoline"], out.add(task, const(places.mm)))
            for offset in (places.area, places.address):
                _follow(e, words["trampoline"], out.add(out.load(words["trampoline"]), const(offset)))


def _follow(e: Emitter, word: Value, address: Value) -> None:
    """The pointer at an address of the kernel; 0 where there is none, from which on reads fail and leave 0."""
    e.out.store(ZERO, word)
    e.out.call(Helper.READ_KERNEL, word, const(8), address)


def restore(e: Emitter, words: dict[str, Value], after: Block) -> None:
    """If the frame returns to the trampoline, find out where that goes on; words["sp"] is the caller's. Where it is not
    in the list, leave the walk with the reason."""
    out = e.out
    places = e.module.traits.hidden_returns
    if places is None:
        return
    low = min(places.stack, places.returns_to, places.next)
    instance = e.storage.scratch(max(places.stack, places.returns_to, places.next) + 8 - low)
    hidden, plain, lost = (out.new_block(name) for name in ("hidden", "plain", "lost"))
    trampoline = out.load(words["trampoline"])
    out.branch_if(out.compare("eq", trampoline, ZERO), plain, hidden, (1, 0))
    out.enter(hidden)
    found = out.new_block("trampoline")
    out.branch_if(out.compare("eq", out.load(words["ip"]), trampoline), found, plain, (0, 1))
    out.enter(found)
    slot = out.sub(out.load(words["sp"]), const(8))  # where the return address was
    for _ in range(_LOOKED_AT):
        read, other = out.new_block("instance"), out.new_block("other")
        size = const(max(places.stack, places.returns_to, places.next) + 8 - low)
        status = out.call(Helper.READ_KERNEL, instance, size, out.add(out.load(words["returns"]), const(low)))
        out.branch_if(out.compare("eq", status, ZERO), read, lost)
        out.enter(read)
        out.store(out.load(out.offset(instance, places.next - low)), words["returns"])
        is_mine = out.compare("eq", out.load(out.offset(instance, places.stack - low)), slot)
        mine = out.new_block("mine")
        out.branch_if(is_mine, mine, other)
        out.enter(mine)
        out.store(out.load(out.offset(instance, places.returns_to - low)), words["ip"])
        out.branch(plain)
        out.enter(other)
    out.branch(lost)
    out.enter(lost)
    out.store(const(UnwindEnd.HIDDEN_RETURN), words["end"])
    out.branch(after)
    out.enter(plain)
