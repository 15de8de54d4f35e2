"""One function for each primitive of program/primitives.py: the firing and the Call's node first, then the arguments.

    REFERENCE["strjoin"](f, call, b"ab", b"c")      b"abc"
    REFERENCE["substr"](f, call, b"abc", -2, 1)     b"b"

Integers come within their types' ranges; results are wrapped, and strings cut, to the Call's type by the caller here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invivo.engines.reference.compiler import Compiler, Scalar, Text
from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.strings import STRING_FUNCTIONS
from invivo.engines.reference.values import MASK, wrapper
from invivo.program.nodes import Call
from invivo.program.plan import FaultKind
from invivo.program.primitives import PRIMITIVES
from invivo.program.shared import Globals
from invivo.program.types import Space, Stack, String

__all__ = ["REFERENCE", "scalar_call", "string_call"]

_CHILL_MAX_NS = 100_000_000  # as in codegen/destructive.py

_Function = Callable[..., int | bytes]


def scalar_call(c: Compiler, expr: Call) -> Scalar:
    """A primitive with an integer, pointer or scratch memory as result."""
    call, wrap = _call(c, expr), wrapper(expr.type)
    return lambda f: wrap(call(f))  # type: ignore[arg-type]


def string_call(c: Compiler, expr: Call) -> Text:
    """A primitive with a string as result."""
    assert isinstance(expr.type, String)
    call, most = _call(c, expr), max(expr.type.size - 1, 0)
    return lambda f: call(f)[:most]  # type: ignore[index]


def _call(c: Compiler, expr: Call) -> Callable[[Firing], int | bytes]:
    if expr.primitive in _STACKS:
        return _stack_call(c, expr)
    function, site = REFERENCE[expr.primitive], c.site(expr.span)
    given = [c.value(argument) for argument in expr.arguments]
    if PRIMITIVES[expr.primitive].is_pure and not given:
        return lambda f: function(f, expr)

    def call(f: Firing) -> int | bytes:
        arguments = [argument(f) for argument in given]
        try:
            return function(f, expr, *arguments)
        except Raised as fault:
            fault.site = site
            raise

    return call


# --- facts of the moment ----------------------------------------------------------------------------------------------


def pid_tgid(f: Firing, call: Call) -> int:
    return f.world.pid_tgid


def kernel_pid_tgid(f: Firing, call: Call) -> int:
    return f.world.pid_tgid


def pid_number(f: Firing, call: Call, pid: int) -> int:
    return f.world.pid_number(pid)


def uid_gid(f: Firing, call: Call) -> int:
    return f.world.uid_gid


def comm(f: Firing, call: Call) -> bytes:
    return f.world.comm.partition(b"\0")[0][:15]


def cpu(f: Firing, call: Call) -> int:
    return f.world.cpu


def timestamp(f: Firing, call: Call) -> int:
    return f.timestamp()


def current_task(f: Firing, call: Call) -> int:
    return f.world.current_task


def current_cgroup(f: Firing, call: Call) -> int:
    return f.world.current_cgroup


def random(f: Firing, call: Call) -> int:
    return f.world.random() & 0xFFFFFFFF


def kernel_pc(f: Firing, call: Call) -> int:
    return f.world.kernel_pc


def user_pc(f: Firing, call: Call) -> int:
    return f.world.user_pc


# --- stacks -----------------------------------------------------------------------------------------------------------

_SEED, _PRIME = 0xCBF29CE484222325, 0x9E3779B97F4A7C15  # as codegen/stacks.py has them


def _identity(frames: tuple[int, ...]) -> int:
    """A hash of the frames, never 0."""
    word = _SEED
    for frame in frames:
        mixed = (word ^ frame & MASK) * _PRIME & MASK
        word = mixed ^ mixed >> 32
    return word or 1


def kstack(f: Firing, call: Call, kept: dict[int, tuple[int, ...]], most: int) -> int:
    return _keep(f, call, False, kept, most)


def ustack(f: Firing, call: Call, kept: dict[int, tuple[int, ...]], most: int) -> int:
    return _keep(f, call, True, kept, most)


def _keep(f: Firing, call: Call, is_user: bool, kept: dict[int, tuple[int, ...]], most: int) -> int:
    wanted = call.type.depth if isinstance(call.type, Stack) else 0
    frames = tuple(f.world.stack(is_user, max(1, min(wanted, most)) if wanted else most))
    if not frames:
        return 0
    identity = _identity(frames)
    kept[identity] = frames
    return identity


def kstack_depth(f: Firing, call: Call, kept: dict[int, tuple[int, ...]], most: int) -> int:
    return len(f.world.stack(False, most))


def ustack_depth(f: Firing, call: Call, kept: dict[int, tuple[int, ...]], most: int) -> int:
    return len(f.world.stack(True, most))


def caller(f: Firing, call: Call) -> int:
    return _second(f.world.stack(False, 2))


def ucaller(f: Firing, call: Call) -> int:
    return _second(f.world.stack(True, 2))


def _second(frames: Sequence[int]) -> int:
    return frames[1] if len(frames) > 1 else 0


def user_registers(f: Firing, call: Call) -> int:
    return f.world.user_registers


def cpu_chip(f: Firing, call: Call, cpu: int) -> int:
    return f.world.cpu_chip(cpu)


def cpu_lgrp(f: Firing, call: Call, cpu: int) -> int:
    return f.world.cpu_lgrp(cpu)


_STACKS = ("kstack", "ustack", "kstack_depth", "ustack_depth")


def _stack_call(c: Compiler, expr: Call) -> Callable[[Firing], int | bytes]:
    """These also need where stacks are kept, and how many frames of each."""
    function, kept, most = REFERENCE[expr.primitive], c.stacks, c.tables.stack_frames
    return lambda f: function(f, expr, kept, most)


# --- the firing's own memory ------------------------------------------------------------------------------------------


def alloca(f: Firing, call: Call, size: int) -> int:
    return f.allocate(size)


def copyin(f: Firing, call: Call, address: int, size: int) -> int:
    start = f.allocate(size)
    _fill(f, start, size, Space.USER, address)
    return start


def copyinto(f: Firing, call: Call, address: int, size: int, target: int) -> int:
    f.own(target, size)
    _fill(f, target, size, Space.USER, address)
    return 0


def bcopy(f: Firing, call: Call, source: int, target: int, size: int) -> int:
    f.own(target, size)
    _fill(f, target, size, Space.KERNEL, source)
    return 0


def _fill(f: Firing, target: int, size: int, space: Space, source: int) -> None:
    data = f.world.read(space, source & MASK, size)
    if data is None:
        raise Raised(FaultKind.BADADDR, source)
    f.memory[target : target + size] = data


def scopy(f: Firing, call: Call, source: int, target: int, size: int) -> int:
    start, end = f.own(source, size), f.own(target, size)
    f.memory[end : end + size] = f.memory[start : start + size]
    return 0


def kcopy_string(f: Firing, call: Call, string: bytes, target: int) -> int:
    place = f.own(target, len(string) + 1)
    f.memory[place : place + len(string) + 1] = string + b"\0"
    return 0


# --- what changes the traced process ----------------------------------------------------------------------------------


def send_signal(f: Firing, call: Call, signal: int) -> int:
    if error := f.world.send_signal(signal):
        raise Raised(FaultKind.ILLOP, -error)
    return 0


def copyout(f: Firing, call: Call, source: int, target: int, size: int) -> int:
    start = f.own(source, size)
    return _write(f, target, bytes(f.memory[start : start + size]))


def copyout_kernel(f: Firing, call: Call, source: int, target: int, size: int) -> int:
    start = f.allocate(size)
    _fill(f, start, size, Space.KERNEL, source)
    return _write(f, target, bytes(f.memory[start : start + size]))


def copyout_string(f: Firing, call: Call, string: bytes, target: int, limit: int) -> int:
    return _write(f, target, (string + b"\0")[: limit & MASK])


def _write(f: Firing, target: int, data: bytes) -> int:
    if data and not f.world.write(target & MASK, data):
        raise Raised(FaultKind.BADADDR, target)
    return 0


def chill(f: Firing, call: Call, nanoseconds: int) -> int:
    if not 0 <= nanoseconds <= _CHILL_MAX_NS:
        raise Raised(FaultKind.ILLOP, nanoseconds)
    f.world.pass_time(nanoseconds)
    return 0


# --- speculations -----------------------------------------------------------------------------------------------------


def speculation(f: Firing, call: Call, count: int) -> int:
    states = f.speculations.states
    for number in range(1, min(count, Globals.SPECULATIONS_MAX) + 1):
        if states.get(number, 0) % 2 == 0:
            states[number] = states.get(number, 0) + 1
            return number
    f.speculations.failed += 1
    return 0


def speculation_state(f: Firing, call: Call, number: int) -> int:
    return f.speculations.states.get(number, 0)


def speculation_end(f: Firing, call: Call, number: int) -> int:
    states = f.speculations.states
    if states.get(number, 0) % 2:
        states[number] += 1
    return 0


_FUNCTIONS: tuple[_Function, ...] = (
    pid_tgid, kernel_pid_tgid, pid_number, uid_gid, comm, cpu, timestamp, current_task, current_cgroup, random,
    kernel_pc, user_pc,
    kstack, ustack, kstack_depth, ustack_depth,
    caller, ucaller, user_registers, cpu_chip, cpu_lgrp,
    *STRING_FUNCTIONS,
    alloca, copyin, copyinto, bcopy, scopy, kcopy_string, speculation, speculation_state, speculation_end,
    send_signal, copyout, copyout_kernel, copyout_string, chill,
)  # fmt: skip

REFERENCE: dict[str, _Function] = {function.__name__: function for function in _FUNCTIONS}
