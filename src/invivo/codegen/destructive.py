"""What changes the traced process: signals, writes into its memory, time.

send_signal(e, call)       bpf_send_signal, a fault (ILLOP, the errno) where the kernel refuses
copyout(e, call)           bpf_probe_write_user from the firing's own memory, a fault where nothing is at the address
chill(e, call)             a loop on bpf_ktime_get_ns
"""

from __future__ import annotations

from invivo.codegen import memory, strings, text
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.errors import UnsupportedError
from invivo.program.nodes import Call
from invivo.program.plan import FaultKind
from invivo.program.types import Space

__all__ = ["CHILL_MAX_NS", "chill", "copyout", "copyout_kernel", "copyout_string", "send_signal"]

CHILL_MAX_NS = 100_000_000  # the kernel ends loops after 250 ms


def send_signal(e: Emitter, call: Call) -> Value:
    """To the running process."""
    status = e.out.call(Helper.SEND_SIGNAL, e.scalar(call.arguments[0]))
    # The helper's result is a long whose upper half some kernels leave as it was.
    status = e.out.extend(e.out.truncate(status, "i32"), True)
    e.fault_if(e.out.compare("ne", status, ZERO), FaultKind.ILLOP, status, call.span)
    return ZERO


def _write(e: Emitter, call: Call, target: Value, source: Value, size: Value, most: int) -> None:
    """`size` bytes (at least 1, at most `most`) to user memory."""
    reason = e.module.traits.no_user_writes
    if reason:
        file = call.span.file
        line, column = file.position(call.span.start)
        raise UnsupportedError(f"{file.name}:{line}:{column}: '{call.span.text}' cannot be done here: {reason}")
    # The verifier must see that it is not 0.
    bounded = e.out.add(e.at_most(e.out.sub(size, ONE), most - 1), ONE)
    status = e.out.call(Helper.WRITE_USER, target, source, bounded)
    e.fault_if(e.out.compare("ne", status, ZERO), FaultKind.BADADDR, target, call.span)


def copyout(e: Emitter, call: Call) -> Value:
    """From the firing's own memory."""
    source, target, size = map(e.scalar, call.arguments)
    origin = memory.scratch_address(e, source, size, call.span)
    with e.when(e.is_true(size)):
        _write(e, call, target, origin, size, memory.scratch_bytes(e))
    return ZERO


def copyout_kernel(e: Emitter, call: Call) -> Value:
    """From kernel memory, through the firing's own."""
    source, target, size = map(e.scalar, call.arguments)
    start = memory.allocate(e, size, call.span)
    place = memory.scratch_address(e, start, size, call.span)
    memory.read_into(e, place, e.at_most(size, memory.scratch_bytes(e)), source, Space.KERNEL, call.span)
    with e.when(e.is_true(size)):
        _write(e, call, target, place, size, memory.scratch_bytes(e))
    return ZERO


def copyout_string(e: Emitter, call: Call) -> Value:
    """A string with its NUL, or as much of it as the limit allows."""
    value = strings.operand(e, *call.arguments)
    target, limit = map(e.scalar, call.arguments[1:])
    length = e.out.add(text.length(e, value), ONE)
    size = e.out.select(e.out.compare("ult", limit, length), limit, length)
    with e.when(e.is_true(size)):
        _write(e, call, target, value.address, size, value.capacity)
    return ZERO


def chill(e: Emitter, call: Call) -> Value:
    """Look at the clock until the time is over."""
    out = e.out
    wanted = e.scalar(call.arguments[0])
    if not e.module.traits.has_may_goto:
        raise UnsupportedError("chill() cannot be done here: this kernel has no loops bounded by time (may_goto)")
    e.fault_if(out.compare("ugt", wanted, const(CHILL_MAX_NS)), FaultKind.ILLOP, wanted, call.span)
    begin = e.loop_word()
    out.store(out.call(Helper.KTIME), begin, volatile=True)
    head, after = out.new_block("chill"), out.new_block("chilled")
    out.enter(head)
    e.may_go_on(after)
    spent = out.sub(out.call(Helper.KTIME), out.load(begin, volatile=True))
    out.branch_if(out.compare("ult", spent, wanted), head, after)
    out.enter(after)
    return ZERO
