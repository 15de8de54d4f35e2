"""One lowering for each primitive of program.primitives: the only code of the generator that knows an operation.

SCALARS["pid_tgid"](e, call)             the result as an i64
STRINGS["strjoin"](e, call, place, 256)  the result in a buffer; its length with the NUL, if known
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

from invivo.codegen import destructive, memory, namespace, numerals, speculations, stacks, strings, text
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.attach import PerfClock
from invivo.program.nodes import Call
from invivo.program.types import Space

__all__ = ["SCALARS", "STRINGS", "scalar_call", "string_call"]

_Scalar = Callable[[Emitter, Call], Value]
_String = Callable[[Emitter, Call, Value, int], Value | None]


def scalar_call(e: Emitter, call: Call) -> Value:
    """A primitive with an integer, pointer or scratch memory as result."""
    return e.canonical(SCALARS[call.primitive](e, call), call.type)


def string_call(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    """A primitive with a string as result, which goes to a buffer of `capacity` bytes."""
    return STRINGS[call.primitive](e, call, place, capacity)


# --- facts of the moment ----------------------------------------------------------------------------------------------


def _helper(helper: Helper) -> _Scalar:
    return lambda e, call: e.out.call(helper, pure=True)


def _comm(e: Emitter, call: Call, place: Value, capacity: int) -> None:
    if capacity >= 16:
        if offset := e.module.traits.task_comm:
            _read_comm(e, place, offset)
        else:
            e.out.call(Helper.COMM, place, const(16))
        return
    name = e.slot(16)
    e.out.call(Helper.COMM, name, const(16))
    e.out.call(Helper.READ_KERNEL_STRING, place, const(capacity), name)


def _read_comm(e: Emitter, place: Value, offset: int) -> None:
    """What bpf_get_current_comm does, in a dozen instructions: two words, zero from the first NUL on."""
    out = e.out
    task = out.call(Helper.CURRENT_TASK_BTF, pure=True)
    is_over: Value | None = None
    for word in (0, 8):
        text = out.load(out.to_pointer(out.add(task, const(offset + word))))
        # The lowest bit of `nul` is in the first byte that is zero (Warren, Hacker's Delight, 6-1).
        low = out.sub(text, const(0x0101010101010101))
        nul = out.binary("and", out.binary("and", low, out.binary("xor", text, const(-1))), const(0x8080808080808080))
        before = out.sub(out.binary("and", nul, out.sub(ZERO, nul)), const(1))  # all ones where there is no NUL
        kept = out.binary("and", text, before)
        if is_over is not None:
            kept = out.select(is_over, ZERO, kept)
        is_over = out.compare("ne", nul, ZERO)
        out.store(kept, out.offset(place, word))


def _timestamp(e: Emitter, call: Call) -> Value:
    """Read when first needed in a firing, and kept."""
    if e.timestamp is None:
        e.timestamp = e.out.alloca(8, is_zero=True)
    if not e.has_timestamp:
        e.has_timestamp = True
        with e.in_block(e.firing_init):
            e.out.store(ZERO, e.timestamp)
    with e.when(e.out.compare("eq", e.out.load(e.timestamp), ZERO)):
        e.out.store(e.out.call(Helper.KTIME), e.timestamp)
    return e.out.load(e.timestamp)


def _random(e: Emitter, call: Call) -> Value:
    return e.out.binary("and", e.out.call(Helper.RANDOM), const(0xFFFFFFFF))


# Where the interrupted pc lies in struct pt_regs, and how user mode is told: (pc, mode word, mask, the kernel's value).
_REGISTERS = {
    "x86_64": (128, 136, 3, 0),  # rip, cs: the low bits are the privilege level
    "aarch64": (256, 264, 15, None),  # pc, pstate: the mode is 0 in user space
}


def _pc(is_user: bool) -> _Scalar:
    def lower(e: Emitter, call: Call) -> Value:
        registers = _REGISTERS.get(os.uname().machine)
        if not isinstance(e.point, PerfClock) or registers is None:
            return ZERO
        pc, mode, mask, kernel = registers
        bits = e.out.binary("and", e.out.load(e.out.offset(e.out.context, mode)), const(mask))
        is_zero = e.out.compare("eq", bits, ZERO)
        value = e.out.load(e.out.offset(e.out.context, pc))
        zero_is_user = kernel is None
        if zero_is_user == is_user:
            return e.out.select(is_zero, value, ZERO)
        return e.out.select(is_zero, ZERO, value)

    return lower


def _stack(is_user: bool) -> _Scalar:
    return lambda e, call: stacks.identity(e, call.type, is_user)


def _caller(is_user: bool) -> _Scalar:
    return lambda e, call: stacks.caller(e, is_user)


def _user_registers(e: Emitter, call: Call) -> Value:
    if not e.module.traits.has_user_registers:
        return ZERO
    task = e.out.to_pointer(e.out.call(Helper.CURRENT_TASK_BTF))
    return e.scalar_of_pointer(e.out.call(Helper.TASK_PT_REGS, task))


def _topology(is_chip: bool) -> _Scalar:
    """From a table by CPU."""

    def lower(e: Emitter, call: Call) -> Value:
        traits = e.module.traits
        numbers = traits.chips if is_chip else traits.lgrps
        cpu = e.scalar(call.arguments[0])
        size = 1 << max(len(numbers) - 1, 1).bit_length()
        table = e.module.constant(struct.pack(f"<{size}I", *numbers, *[0] * (size - len(numbers))))
        index = e.out.binary("shl", e.opaque_mask(cpu, size - 1), const(2))
        return e.out.extend(e.out.load(e.out.offset(table, index), "i32"), False)

    return lower


def _depth(is_user: bool) -> _Scalar:
    return lambda e, call: stacks.depth(e, is_user)


# --- the firing's own memory ------------------------------------------------------------------------------------------


def _alloca(e: Emitter, call: Call) -> Value:
    size = e.scalar(call.arguments[0])
    start = memory.allocate(e, size, call.span)
    place = memory.scratch_address(e, start, size, call.span)
    e.clear(place, e.at_most(size, memory.scratch_bytes(e)))
    return start


def _copyin(e: Emitter, call: Call) -> Value:
    address, size = e.scalar(call.arguments[0]), e.scalar(call.arguments[1])
    start = memory.allocate(e, size, call.span)
    place = memory.scratch_address(e, start, size, call.span)
    bounded = e.at_most(size, memory.scratch_bytes(e))
    memory.read_into(e, place, bounded, address, Space.USER, call.span)
    return start


def _copyinto(e: Emitter, call: Call) -> Value:
    source, size, target = map(e.scalar, call.arguments)
    place = memory.scratch_address(e, target, size, call.span)
    memory.read_into(e, place, e.at_most(size, memory.scratch_bytes(e)), source, Space.USER, call.span)
    return ZERO


def _bcopy(e: Emitter, call: Call) -> Value:
    source, target, size = map(e.scalar, call.arguments)
    place = memory.scratch_address(e, target, size, call.span)
    memory.read_into(e, place, e.at_most(size, memory.scratch_bytes(e)), source, Space.KERNEL, call.span)
    return ZERO


def _scopy(e: Emitter, call: Call) -> Value:
    source, target, size = map(e.scalar, call.arguments)
    origin = memory.scratch_address(e, source, size, call.span)
    place = memory.scratch_address(e, target, size, call.span)
    e.out.call(Helper.READ_KERNEL, place, e.at_most(size, memory.scratch_bytes(e)), origin)
    return ZERO


def _copy_string(e: Emitter, call: Call) -> Value:
    source = strings.operand(e, *call.arguments)
    target = e.scalar(call.arguments[1])
    length = e.out.add(text.length(e, source), ONE)
    place = memory.scratch_address(e, target, length, call.span)
    size = e.at_most(length, memory.scratch_bytes(e))
    e.out.call(Helper.READ_KERNEL_STRING, place, size, source.address)
    return ZERO


# --- strings ----------------------------------------------------------------------------------------------------------


def _strlen(e: Emitter, call: Call) -> Value:
    return text.length(e, e.string(call.arguments[0]))


def _position(is_last: bool) -> _Scalar:
    def lower(e: Emitter, call: Call) -> Value:
        whole = strings.operand(e, *call.arguments)
        part = strings.operand(e, *call.arguments[1:])
        start = e.scalar(call.arguments[2])
        return text.last_position(e, whole, part, start) if is_last else text.position(e, whole, part, start)

    return lower


def _strjoin(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    first, second = strings.operand(e, *call.arguments), e.string(call.arguments[1])
    return text.join(e, first, second, place, capacity)


def _substr(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    whole = strings.operand(e, *call.arguments)
    return text.substring(e, whole, e.scalar(call.arguments[1]), e.scalar(call.arguments[2]), place, capacity)


def _strstr(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    whole, part = strings.operand(e, *call.arguments), e.string(call.arguments[1])
    return text.tail(e, whole, text.position(e, whole, part, ZERO), place, capacity)


def _strchr(is_last: bool) -> _String:
    def lower(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
        whole, byte = strings.operand(e, *call.arguments), e.scalar(call.arguments[1])
        return text.tail(e, whole, text.byte_position(e, whole, byte, is_last), place, capacity)

    return lower


def _basename(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    return text.basename(e, e.string(call.arguments[0]), place, capacity)


def _dirname(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    return text.dirname(e, e.string(call.arguments[0]), place, capacity)


def _lltostr(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    return text.decimal(e, e.scalar(call.arguments[0]), place, capacity)


def _lltostr_base(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
    number, base = map(e.scalar, call.arguments)
    return numerals.based(e, number, base, place, capacity, call.span)


def _strtoll(e: Emitter, call: Call) -> Value:
    value = strings.operand(e, *call.arguments)
    return numerals.parsed(e, value, e.scalar(call.arguments[1]), call.span)


def _span(is_in: bool) -> _Scalar:
    def lower(e: Emitter, call: Call) -> Value:
        value, chosen = strings.operand(e, *call.arguments), e.string(call.arguments[1])
        return numerals.span(e, value, chosen, is_in=is_in)

    return lower


def _case(first: str, last: str) -> _String:
    def lower(e: Emitter, call: Call, place: Value, capacity: int) -> Value | None:
        return text.swap_case(e, e.string(call.arguments[0]), ord(first), ord(last), place, capacity)

    return lower


SCALARS: dict[str, _Scalar] = {
    "pid_tgid": lambda e, call: namespace.pid_tgid(e),
    "kernel_pid_tgid": _helper(Helper.PID_TGID),
    "pid_number": lambda e, call: namespace.number(e, e.scalar(call.arguments[0])),
    "uid_gid": _helper(Helper.UID_GID),
    "cpu": _helper(Helper.CPU),
    "timestamp": _timestamp,
    "current_task": _helper(Helper.CURRENT_TASK),
    "current_cgroup": _helper(Helper.CGROUP_ID),
    "random": _random,
    "kernel_pc": _pc(False),
    "user_pc": _pc(True),
    "kstack": _stack(False),
    "ustack": _stack(True),
    "caller": _caller(False),
    "ucaller": _caller(True),
    "user_registers": _user_registers,
    "cpu_chip": _topology(True),
    "cpu_lgrp": _topology(False),
    "kstack_depth": _depth(False),
    "ustack_depth": _depth(True),
    "strlen": _strlen,
    "index": _position(False),
    "rindex": _position(True),
    "speculation": speculations.start,
    "speculation_state": speculations.state,
    "speculation_end": speculations.end,
    "strtoll": _strtoll,
    "strspn": _span(True),
    "strcspn": _span(False),
    "alloca": _alloca,
    "copyinto": _copyinto,
    "copyin": _copyin,
    "bcopy": _bcopy,
    "scopy": _scopy,
    "kcopy_string": _copy_string,
    "send_signal": destructive.send_signal,
    "copyout": destructive.copyout,
    "copyout_kernel": destructive.copyout_kernel,
    "copyout_string": destructive.copyout_string,
    "chill": destructive.chill,
}

STRINGS: dict[str, _String] = {
    "comm": _comm,
    "strjoin": _strjoin,
    "substr": _substr,
    "strstr": _strstr,
    "strchr": _strchr(False),
    "strrchr": _strchr(True),
    "basename": _basename,
    "dirname": _dirname,
    "lltostr": _lltostr,
    "lltostr_base": _lltostr_base,
    "toupper": _case("a", "z"),
    "tolower": _case("A", "Z"),
}
