"""Which process an address belongs to: its number, and the generation that says what it had mapped.

    ustack(), usym(x)    field: id or address u64 | pid u32 | generation u32

The first time that a program sees a process (or sees that it runs another program), it gives it the next generation and
tells the consumer, who then finds out what is mapped; see plan.Process.
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import NULL, ONE, ZERO, Value, const
from invivo.program.plan import Globals, Process

__all__ = ["find", "identity"]

_NOEXIST = ONE


def find(e: Emitter) -> tuple[Value, Value]:
    """(key, entry) of the running process in the map of processes; the entry may be NULL."""
    out = e.out
    key = e.slot(Process.KEY)
    tgid = out.binary("lshr", out.call(Helper.PID_TGID, pure=True), const(32))
    out.store(tgid, key)
    if offset := e.module.traits.task_exec_id:
        place = out.add(out.call(Helper.CURRENT_TASK, pure=True), const(offset))
        out.call(Helper.READ_KERNEL, out.offset(key, 4), const(4), place)
    return key, out.to_pointer(out.call(Helper.MAP_LOOKUP, e.module.processes(), key))


def identity(e: Emitter) -> Value:
    """Pid and generation as they stand in memory: the generation in the upper half."""
    out = e.out
    with e.temporaries():
        key, entry = find(e)
        result = out.alloca(8)
        known, unknown, done = (out.new_block(name) for name in ("known", "unknown", "process"))
        out.branch_if(out.compare("ne", entry, NULL), known, unknown, (1, 0))
        out.enter(known)
        out.store(out.extend(out.load(entry, "i32"), False), result)
        out.branch(done)
        out.enter(unknown)
        _introduce(e, key, result)
        out.enter(done)
        generation = out.binary("shl", out.load(result), const(32))
        pid = out.binary("lshr", out.call(Helper.PID_TGID, pure=True), const(32))
        return out.binary("or", generation, pid)


def _introduce(e: Emitter, key: Value, result: Value) -> None:
    """Give the process a generation, and tell the consumer. Where that fails, the generation is 0: the process as it
    is when the consumer looks."""
    out = e.out
    generation = out.add(out.fetch_add(e.module.global_address(Globals.PROCESSES), ONE), ONE)
    request = e.slot(Process.REQUEST_SIZE)
    out.store(generation, result)
    out.store(out.truncate(generation, "i32"), request)
    out.store(out.load(key, "i32"), out.offset(request, 4))
    out.store(out.extend(out.load(out.offset(key, 4), "i32"), False), out.offset(request, 8))
    out.store(out.call(Helper.KTIME), out.offset(request, 16))
    status = out.call(Helper.RINGBUF_OUTPUT, e.module.requests(), request, const(Process.REQUEST_SIZE), ZERO)
    value = e.slot(Process.VALUE)
    out.store(generation, value)
    with e.when(out.compare("eq", status, ZERO)):
        status = out.call(Helper.MAP_UPDATE, e.module.processes(), key, value, _NOEXIST)
