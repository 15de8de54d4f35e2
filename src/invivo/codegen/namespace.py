"""Numbers of processes as invivo's own pid namespace has them, where that is not the initial one.

    pid_tgid(e)                tgid << 32 | tid of the running thread; 0 if it is not in the namespace
    number(e, pid)             the number that a struct pid of the kernel has there, or 0

bpf_get_ns_current_pid_tgid answers for threads whose innermost namespace is this one; of those in namespaces below it
the numbers are read as the kernel's pid_nr_ns() does: a struct pid has one for each level down to its own.
"""

from __future__ import annotations

from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ZERO, Value, const
from invivo.program.plan import PidNumbers

__all__ = ["number", "pid_tgid"]


def pid_tgid(e: Emitter) -> Value:
    """Asked for when first needed in a firing, and kept."""
    out, numbers = e.out, e.module.traits.pid_numbers
    if numbers is None:
        return out.call(Helper.PID_TGID, pure=True)
    if e.pid_tgid is None:
        e.pid_tgid = out.alloca(8, is_zero=True)
    if not e.has_pid_tgid:
        e.has_pid_tgid = True
        with e.in_block(e.firing_init):
            out.store(ZERO, e.pid_tgid)
    with e.when(out.compare("eq", out.load(e.pid_tgid), ZERO)):
        # struct bpf_pidns_info: u32 pid (the thread's), u32 tgid.
        which = const(numbers.device), const(numbers.inode)
        status = out.call(Helper.NS_PID_TGID, *which, e.pid_tgid, const(8))
        with e.when(out.compare("ne", status, ZERO), (0, 1)):
            out.store(_walked(e, numbers), e.pid_tgid)
    return out.load(e.pid_tgid)


def _walked(e: Emitter, numbers: PidNumbers) -> Value:
    out = e.out
    task = out.call(Helper.CURRENT_TASK)
    thread = number(e, _word(e, task, numbers.thread_pid))
    process = number(e, _word(e, _word(e, task, numbers.signal), numbers.process_pid))
    return out.binary("or", out.binary("shl", process, const(32)), thread)


def number(e: Emitter, pid: Value) -> Value:
    """Of the struct pid at this address, which may be 0."""
    out, numbers = e.out, e.module.traits.pid_numbers
    if numbers is None:
        raise ValueError("in the initial namespace no number of another is asked for")
    result = out.alloca(8)
    out.store(ZERO, result)
    # A read that fails leaves zeros: no namespace below the initial one has level 0.
    level = _word(e, pid, numbers.pid_level, 4)
    with e.when(out.compare("uge", level, const(numbers.level))):
        namespace = _word(e, pid, numbers.namespace)
        inode = _word(e, namespace, numbers.namespace_inode, 4)
        with e.when(out.compare("eq", inode, const(numbers.inode))):
            out.store(_word(e, pid, numbers.number, 4), result)
    return out.load(result)


def _word(e: Emitter, base: Value, offset: int, size: int = 8) -> Value:
    """The word (or, of 4 bytes, the half) that lies there; 0 where nothing does."""
    out = e.out
    with e.temporaries():
        place = e.slot(8)
        out.store(ZERO, place)
        out.call(Helper.READ_KERNEL, place, const(size), out.add(base, const(offset)))
        return out.load(place)
