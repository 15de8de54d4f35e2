"""Which process an address belongs to: its number, and the generation that says what it had mapped.

    ustack(), usym(x)    field: id or address u64 | pid u32 | generation u32

The first time that a program sees a process (or sees that it runs another program), it gives it the next generation and
tells the consumer, who then finds out what is mapped; see shared.Process.
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import NULL, ONE, ZERO, Value, const
from invivo.codegen.namespace import pid_tgid
from invivo.program.nodes import Expr
from invivo.program.shared import Globals, Process
from invivo.program.threads import exec_id, process_id
from invivo.source import SourceFile, Span

__all__ = ["identity", "meet"]

_NOEXIST = ONE
_NOWHERE = Span(SourceFile("", ""), 0, 0)


def meet(e: Emitter, task: Expr | None = None) -> Value:
    """The entry of the running process (or of another's task), copied: Process.FORM, 16 bytes in the scratch area."""
    out = e.out
    copy = e.storage.scratch(Process.VALUE)
    with e.temporaries():
        key = e.slot(Process.KEY)
        if task is None:
            out.store(out.binary("lshr", pid_tgid(e), const(32)), key)
        else:
            out.store(e.scalar(process_id(task)), key)
        if task is not None and e.module.traits.task_exec_id:
            out.store(out.truncate(e.scalar(exec_id(task)), "i32"), out.offset(key, 4))
        elif offset := e.module.traits.task_exec_id:
            place = out.add(out.call(Helper.CURRENT_TASK, pure=True), const(offset))
            out.call(Helper.READ_KERNEL, out.offset(key, 4), const(4), place)
        entry = _lookup(e, key)
        known, unknown, done = (out.new_block(name) for name in ("known", "unknown", "process"))
        out.branch_if(out.compare("ne", entry, NULL), known, unknown, (1, 0))
        out.enter(known)
        _copy(e, entry, copy)
        out.branch(done)
        out.enter(unknown)
        _introduce(e, key, copy)
        out.branch(done)
        out.enter(done)
    return copy


def identity(e: Emitter) -> Value:
    """Pid and generation as they stand in fields: the generation in the upper half. They are those of the thread that
    the probe is about: stacks that a variable kept for it are its own."""
    out = e.out
    context = e.clause.context if e.clause is not None else None
    task = context.current(_NOWHERE) if context is not None and context.current is not None else None
    generation = out.extend(out.load(meet(e, task), "i32"), False)
    if task is None:
        pid = out.binary("lshr", pid_tgid(e), const(32))
    else:
        pid = e.scalar(process_id(task))
    return out.binary("or", out.binary("shl", generation, const(32)), pid)


def _lookup(e: Emitter, key: Value) -> Value:
    return e.out.to_pointer(e.out.call(Helper.MAP_LOOKUP, e.module.processes(), key))


def _copy(e: Emitter, entry: Value, copy: Value) -> None:
    for offset in range(0, Process.VALUE, 8):
        e.out.store(e.out.load(e.out.offset(entry, offset)), e.out.offset(copy, offset))


def _introduce(e: Emitter, key: Value, copy: Value) -> None:
    """Give the process a generation, with the mappings that were prepared for it, and tell the consumer. Where that
    fails it is not kept, and asked for again the next time."""
    out = e.out
    for offset in range(0, Process.VALUE, 8):
        out.store(ZERO, out.offset(copy, offset))
    prepared = e.slot(Process.KEY)
    out.store(out.load(key, "i32"), prepared)
    out.store(const(Process.ANY, "i32"), out.offset(prepared, 4))
    entry = _lookup(e, prepared)
    with e.when(out.compare("ne", entry, NULL)):
        wanted = out.extend(out.load(entry, "i32"), False)
        own = out.extend(out.load(out.offset(key, 4), "i32"), False)
        is_any = out.compare("eq", wanted, ZERO)
        is_own = out.compare("eq", wanted, out.add(own, ONE))
        with e.when(out.binary("or", is_any, is_own)):
            _copy(e, entry, copy)
    generation = out.add(out.fetch_add(e.module.global_address(Globals.PROCESSES), ONE), ONE)
    out.store(out.truncate(generation, "i32"), copy)
    request = e.slot(Process.REQUEST_SIZE)
    out.store(out.truncate(generation, "i32"), request)
    out.store(out.load(key, "i32"), out.offset(request, 4))
    out.store(out.extend(out.load(out.offset(key, 4), "i32"), False), out.offset(request, 8))
    out.store(out.call(Helper.KTIME), out.offset(request, 16))
    status = out.call(Helper.RINGBUF_OUTPUT, e.module.requests(), request, const(Process.REQUEST_SIZE), ZERO)
    with e.when(out.compare("eq", status, ZERO)):
        out.call(Helper.MAP_UPDATE, e.module.processes(), key, copy, _NOEXIST)
        out.call(Helper.MAP_DELETE, e.module.processes(), prepared)
