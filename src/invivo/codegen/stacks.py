"""Stacks: taken by the kernel, kept once each in the stacks map, named by a hash of their frames.

    kstack, depth 20     bpf_get_stack(ctx, buffer, 160, 0); id = hash of the frames; map[id] = frames

Two stacks with the same frames have one id; 0 says that there is no stack (or no room, which is counted).
"""

from __future__ import annotations

from invivo.codegen import unwind
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.attach import BtfTracepoint, RawTracepoint
from invivo.program.shared import Globals
from invivo.program.types import Stack, Type

__all__ = ["caller", "depth", "identity"]

_USER_STACK = 1 << 8  # BPF_F_USER_STACK
# At raw tracepoints the stack begins in the program itself, called by bpf_trace_runN: low bits of the flags skip those.
_OWN_FRAMES = 2
_NOEXIST = ONE
_STORED, _EEXIST = const(0, "i32"), const(-17, "i32")
_SEED, _PRIME = 0xCBF29CE484222325, 0x9E3779B97F4A7C15  # FNV's offset, and 2^64 / golden ratio (odd)


def _take(e: Emitter, is_user: bool, frames: int) -> tuple[Value, Value]:
    """The buffer with the frames, zero after the last, and their size in bytes (0 where there are none)."""
    size = 8 * e.module.stack_frames
    buffer = e.storage.scratch(size)
    e.clear(buffer, const(size))
    if is_user and unwind.is_possible(e):
        count = unwind.walk(e, buffer, frames, frames < e.module.stack_frames)
        return buffer, e.out.binary("shl", count, const(3))
    is_called = isinstance(e.point, RawTracepoint | BtfTracepoint)
    flags = const(_USER_STACK if is_user else _OWN_FRAMES if is_called else 0)
    length = e.out.call(Helper.GET_STACK, e.out.context, buffer, const(8 * frames), flags)
    return buffer, e.out.select(e.out.compare("slt", length, ZERO), ZERO, length)


def _frames(e: Emitter, wanted: int) -> int:
    return max(1, min(wanted, e.module.stack_frames)) if wanted else e.module.stack_frames


def depth(e: Emitter, is_user: bool) -> Value:
    """Number of frames."""
    _, length = _take(e, is_user, e.module.stack_frames)
    return e.out.binary("lshr", length, const(3))


def caller(e: Emitter, is_user: bool) -> Value:
    """The second frame, 0 where there is none: the buffer is zero behind the last."""
    buffer, _ = _take(e, is_user, min(2, e.module.stack_frames))
    return e.out.load(e.out.offset(buffer, 8)) if e.module.stack_frames > 1 else ZERO


def identity(e: Emitter, type_: Type, is_user: bool) -> Value:
    """Keep the stack; yields its id."""
    out = e.out
    frames = _frames(e, type_.depth if isinstance(type_, Stack) else 0)
    buffer, length = _take(e, is_user, frames)
    result = out.alloca(8)
    out.store(ZERO, result)
    with e.when(out.compare("ne", length, ZERO)):
        hashed = _hash(e, buffer, length, frames)
        key = e.slot(8)
        out.store(hashed, key)
        # An int before Linux 6.4 (d7ba4cc900bf), whose upper half is anything.
        status = out.truncate(out.call(Helper.MAP_UPDATE, e.module.stacks(), key, buffer, _NOEXIST), "i32")
        kept, lost, done = (out.new_block(name) for name in ("kept", "lost", "stack"))
        is_kept = out.binary("or", out.compare("eq", status, _STORED), out.compare("eq", status, _EEXIST))
        out.branch_if(is_kept, kept, lost, (1, 0))
        out.enter(kept)
        out.store(hashed, result)
        out.branch(done)
        out.enter(lost)
        e.count_lost(status, Globals.STACK_DROPS, Globals.STACKS_REFUSED)
        out.enter(done)
    return out.load(result)


def _hash(e: Emitter, buffer: Value, length: Value, frames: int) -> Value:
    out = e.out
    result = out.alloca(8)
    out.store(const(_SEED), result)
    count = out.binary("lshr", length, const(3))
    with e.loop(frames) as (index, after):
        more = out.new_block("frame")
        out.branch_if(out.compare("ult", index, count), more, after)
        out.enter(more)
        frame = out.load(out.offset(buffer, out.binary("shl", index, const(3))))
        mixed = out.binary("mul", out.binary("xor", out.load(result), frame), const(_PRIME))
        out.store(out.binary("xor", mixed, out.binary("lshr", mixed, const(32))), result)
    final = out.load(result)
    return out.select(out.compare("eq", final, ZERO), ONE, final)
