"""Statements: control flow, and the actions that leave the program.

Loop(i < 5, {...}, i++)    head: may_goto, count, condition; body; step; back
Exit(0)                    EXIT_CODE, EXITING, and a LAYOUT_EXIT record that wakes the consumer
"""

from __future__ import annotations

from typing import assert_never

from invivo.codegen import aggregations, expressions, records, strings
from invivo.codegen.emitter import Emitter, Str
from invivo.codegen.ir import ONE, ZERO, const
from invivo.program.plan import FaultKind
from invivo.program.records import LAYOUT_EXIT
from invivo.program.shared import Globals
from invivo.program.statements import (
    AggUpdate,
    Block,
    Break,
    Continue,
    Emit,
    Exit,
    ExprStmt,
    If,
    Loop,
    Return,
    Stmt,
    StoreField,
)
from invivo.program.types import String

__all__ = ["statement"]


def statement(e: Emitter, stmt: Stmt) -> None:
    """Code for one statement."""
    match stmt:
        case Block(statements):
            for inner in statements:
                if e.out.block.is_closed:  # after break, continue or return
                    return
                e.statement(inner)
        case ExprStmt(expr):
            expressions.evaluate(e, expr)
        case If():
            _if(e, stmt)
        case Loop():
            _loop(e, stmt)
        case Break():
            e.out.branch(e.loops[-1][0])
        case Continue():
            e.out.branch(e.loops[-1][1])
        case Return():
            _return(e, stmt)
        case StoreField():
            records.store(e, stmt)
        case Emit(layout):
            records.emit(e, layout)
        case AggUpdate():
            aggregations.update(e, stmt)
        case Exit():
            _exit(e, stmt)
        case _:
            assert_never(stmt)


def _if(e: Emitter, stmt: If) -> None:
    condition = e.is_true(e.scalar(stmt.condition))
    then, other, done = (e.out.new_block(name) for name in ("then", "else", "endif"))
    e.out.branch_if(condition, then, other)
    e.out.enter(then)
    e.statement(stmt.then)
    e.out.branch(done)
    e.out.enter(other)
    if stmt.other is not None:
        e.statement(stmt.other)
    e.out.enter(done)


def _loop(e: Emitter, stmt: Loop) -> None:
    out = e.out
    head, step, done = (out.new_block(name) for name in ("loop", "step", "done"))
    mark = e.storage.mark()
    rounds = e.loop_word()
    out.store(ZERO, rounds, volatile=True)
    out.enter(head)
    if stmt.condition is not None:
        going_on = out.new_block("while")
        out.branch_if(e.is_true(e.scalar(stmt.condition)), going_on, done)
        out.enter(going_on)
    # The kernel's own limit, and one that is the same everywhere: either is a fault.
    stopped, counted = out.new_block("stopped"), out.new_block("counted")
    e.may_go_on(stopped)
    count = e.out.add(out.load(rounds, volatile=True), ONE)
    out.store(count, rounds, volatile=True)
    out.branch_if(out.compare("ugt", count, const(e.module.number("maxloop"))), stopped, counted, (0, 1))
    out.enter(stopped)
    e.fault_if(const(1, "i1"), FaultKind.LOOP, out.load(rounds, volatile=True), stmt.span)
    out.branch(done)
    out.enter(counted)
    e.loops.append((done, step))
    e.statement(stmt.body)
    e.loops.pop()
    out.branch(step)
    out.enter(step)
    if stmt.step is not None:
        expressions.evaluate(e, stmt.step)
    out.branch(head)
    out.enter(done)
    e.storage.release(mark)


def _return(e: Emitter, stmt: Return) -> None:
    target = e.returns[-1]
    if stmt.value is not None:
        if isinstance(target.result, Str):
            assert isinstance(stmt.value.type, String)
            value = e.string(stmt.value)
            strings.copy(e, value, target.result.address, target.result.capacity)
        elif target.result is not None:
            e.out.store(e.scalar(stmt.value), target.result)
        else:
            expressions.evaluate(e, stmt.value)
    e.out.branch(target.block)


def _exit(e: Emitter, stmt: Exit) -> None:
    code = e.scalar(stmt.code)
    exiting = e.module.global_address(Globals.EXITING)
    # The first exit() says the code; END, which runs after it, may say another.
    is_first = e.out.compare("eq", e.out.load(exiting, volatile=True), ZERO) if not e.is_end else const(1, "i1")
    with e.when(is_first):
        e.out.store(code, e.module.global_address(Globals.EXIT_CODE), volatile=True)
        e.out.store(ONE, exiting, volatile=True)
    records.emit_exit(e, LAYOUT_EXIT)
