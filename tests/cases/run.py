"""A D program's text run in this process, on either engine, through the same front end, consumer and text output.

    on_reference(compiled(b'BEGIN { trace(1); exit(3); }', "x.d"))     Outcome("...1\\n", "", 3)
    in_kernel(compiled(...))                                           the same
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple
from unittest import mock

from invivo import compiler, session, starting
from invivo.codegen import compile_program
from invivo.codegen.formatter import compile_formatter
from invivo.compiler import Request, TypedProgram
from invivo.consumer.loop import Consumer
from invivo.engines.reference import ReferenceEngine, SyntheticWorld
from invivo.lang.d import compile_text
from invivo.lang.d.decode import read_source
from invivo.lang.d.macros import MacroValues
from invivo.output.text import TextOutput
from invivo.program.attach import Timer
from invivo.program.clauses import Program
from invivo.program.plan import Plan
from tests.engines.build import catalog, kernel_types, traits

__all__ = ["Outcome", "by_ptrace", "compiled", "in_kernel", "on_reference"]

_MOST_TICKS = 10_000
_PATIENCE_S = 20.0


class Outcome(NamedTuple):
    """Standard output, standard error, and what exit() was given (None: it was not called)."""

    out: str
    err: str
    code: int | None


def compiled(text: bytes, name: str, arguments: Sequence[str] = ()) -> Program:
    """The typed program.

    Raises:
        CompileError: The program is wrong.
    """
    macros = MacroValues(arguments=list(arguments), script=name)
    return compile_text(read_source(name, text), types=kernel_types(), catalog=catalog(), macros=macros, options={})


class Printed:
    """Two files in memory that a program prints to."""

    def __init__(self) -> None:
        self._fds = os.memfd_create("out"), os.memfd_create("err")

    def output(self, plan: Plan) -> TextOutput:
        return TextOutput(plan, *self._fds)

    def outcome(self, code: int | None) -> Outcome:
        out, err = (os.pread(fd, 1 << 24, 0).decode("utf-8", "backslashreplace") for fd in self._fds)
        for fd in self._fds:
            os.close(fd)
        return Outcome(out, err, code)


class _Services:
    def __init__(self, engine: ReferenceEngine) -> None:
        self.refresh = engine.refresh
        self.stack = engine.stack

    def kernel_symbol(self, address: int) -> str:
        return f"{address:#x}"

    def user_symbol(self, pid: int, address: int, generation: int = 0, *, is_return: bool = False) -> str:
        return f"{address:#x}"

    def user_frames(
        self, pid: int, address: int, generation: int = 0, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        return ((self.user_symbol(pid, address, generation), "", False),)


def on_reference(program: Program) -> Outcome:
    """Run on the reference engine; ticks are fired in virtual time, until exit() is called."""
    printed = Printed()
    merge: list[Callable[..., None]] = []
    pid = os.getpid()
    world = SyntheticWorld(pid=pid, tid=pid, uid=os.getuid(), gid=os.getgid(), tracer_pid=pid)
    engine = ReferenceEngine(program, world, lambda *each: merge[0](*each))
    consumer = Consumer(engine.plan, printed.output(engine.plan), _Services(engine))
    merge.append(consumer.aggregations.merge)
    engine.begin()
    engine.enable()
    intervals = [point.interval_ns for point in engine.points if isinstance(point, Timer)]
    due = [(interval, interval) for interval in intervals]
    heapq.heapify(due)
    start = world.now_ns
    for _ in range(_MOST_TICKS):
        engine.read(consumer.feed)
        if engine.exit_code is not None or not due:
            break
        now, interval = heapq.heappop(due)
        world.now_ns = start + now
        engine.fire(Timer(interval))
        heapq.heappush(due, (now + interval, interval))
    engine.disable()
    engine.end()
    engine.read(consumer.feed)
    engine.refresh()
    consumer.finish(engine.losses())
    return printed.outcome(engine.exit_code)


def in_kernel(program: Program) -> Outcome:
    """Run in the kernel, as the command does but for the compilation."""
    def plan_for(request: Request, **_: bool) -> Plan:
        program.options.update({name: int(value or 0) for name, value in request.options.items()})
        plan = compile_program(program, traits())
        return plan._replace(formatter=compile_formatter(plan))

    printed = Printed()
    running = session.Session(Request(b"", ""), output=printed.output, duration=_PATIENCE_S, use_cache=False)
    with mock.patch.object(starting, "plan_for", plan_for), mock.patch.object(compiler, "plan_for", plan_for), running:
        code = running.wait()
        assert running._engine is not None
        has_exited = running._engine.exit_code is not None
    return printed.outcome(code if has_exited else None)


def by_ptrace(program: Program) -> Outcome:
    """Run by the process engine, as the command does but for the compilation."""
    printed = Printed()
    typed = TypedProgram(program, kernel_types(), "", (), ())
    running = session.Session(Request(b"", ""), output=printed.output, duration=_PATIENCE_S, engine="process")
    with mock.patch.object(compiler, "typed_program", return_value=typed), running:
        code = running.wait()
        assert running._engine is not None
        has_exited = running._engine.exit_code is not None
    return printed.outcome(code if has_exited else None)
