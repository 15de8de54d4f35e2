"""Statements of clauses and functions: actions, expressions, control flow.

{ trace(pid); x++; trace(x); }     one record of two fields; the Emit comes at the end
if (x) { trace(1); }               a record of its own within
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from invivo.builtins import BUILTINS
from invivo.lang.d import syntax
from invivo.lang.d.lower import aggregate, calls, coerce, variables
from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.expressions import lower
from invivo.lang.d.lower.reads import walk
from invivo.lang.d.lower.state import Abandoned
from invivo.program.nodes import Assign, Expr, IntLit, StrLit, Variable
from invivo.program.statements import Block, Break, Continue, ExprStmt, If, Loop, Return
from invivo.program.types import INT, Array, String, is_structured
from invivo.source import Span

__all__ = ["has_actions", "statement", "statements"]


def statements(c: ClauseState, body: Sequence[syntax.Statement]) -> None:
    """Lower them all; one that is wrong is reported and left out."""
    for entry in body:
        try:
            statement(c, entry)
        except Abandoned:
            continue


def statement(c: ClauseState, node: syntax.Statement) -> None:
    """Lower one statement into the current block."""
    match node:
        case syntax.ExpressionStmt(expression):
            _expression(c, expression)
        case syntax.DeclStmt(declaration):
            _declare(c, declaration)
        case syntax.BlockStmt(body):
            with c.scope():
                statements(c, body)
        case syntax.IfStmt(condition, then, other):
            _flush_before(c, node)
            test = coerce.scalar(c, lower(c, condition), "the condition of if")
            c.add(If(test, _block(c, then), None if other is None else _block(c, other)))
        case syntax.WhileStmt(condition, body, span):
            _flush_before(c, node)
            test = coerce.scalar(c, lower(c, condition), "the condition of while")
            c.add(Loop(test, _loop_body(c, body), None, span))
        case syntax.ForStmt():
            _for(c, node)
        case syntax.BreakStmt(span) | syntax.ContinueStmt(span):
            is_break = isinstance(node, syntax.BreakStmt)
            if not c.loops:
                c.program.error("D_SYNTAX", span, f"{'break' if is_break else 'continue'} is only for loops")
            c.flush()
            c.add(Break(span) if is_break else Continue(span))
        case syntax.ReturnStmt(value, span):
            result = calls.returned(c, value, node)
            c.flush()
            c.add(Return(result, span))
        case _:
            assert_never(node)


def _expression(c: ClauseState, expression: syntax.Expression) -> None:
    if isinstance(expression, syntax.AssignOp) and isinstance(expression.target, syntax.AggRef):
        aggregate.update(c, expression)
        return
    if isinstance(expression, syntax.CallOp):
        run = calls.action(c, expression)
        if run is not None:
            run()
            return
        if expression.name in c.program.functions and has_actions(c, c.program.functions[expression.name].body):
            c.flush()
            c.may_act = True
            try:
                c.add(ExprStmt(lower(c, expression)))
            finally:
                c.may_act = False
            return
    c.add(ExprStmt(lower(c, expression)))


def _declare(c: ClauseState, declaration: syntax.Declaration) -> None:
    """`int i = 0;` in a body; `self int x;` and `this int x;` declare as they do outside."""
    if declaration.storage in ("self", "this"):
        variables.declare(c.program, declaration)
        _initialize_scoped(c, declaration)
        return
    if declaration.storage:
        c.program.error("D_DECL_CLASS", declaration.span, f"'{declaration.storage}' has no place in a clause")
    for declarator, initial in zip(declaration.declarators, declaration.initializers, strict=True):
        value = None if initial is None else lower(c, initial)
        given = None if value is None else coerce.decayed(value).type
        variable = variables.declare_local(c, declaration.base, declarator, given)
        if value is None:
            fitting = _zero(variable, declarator.span)
        elif isinstance(variable.type, Array):
            c.program.error("D_OP_LVAL", declarator.span, "an array has no value as a whole", "assign to its elements")
        else:
            fitting = coerce.assignable(c, value, variable.type, declarator.name, declarator.span)
        reference = variables.value_of(variable, declarator.span)
        c.add(ExprStmt(Assign(reference, fitting, variable.type, declarator.span)))


def _initialize_scoped(c: ClauseState, declaration: syntax.Declaration) -> None:
    for declarator, initial in zip(declaration.declarators, declaration.initializers, strict=True):
        if initial is None:
            continue
        name = syntax.Name(declarator.name, declarator.span, declaration.storage)
        c.add(ExprStmt(lower(c, syntax.AssignOp("=", name, initial, declaration.span))))


def _zero(variable: Variable, span: Span) -> Expr:
    if isinstance(variable.type, String):
        return StrLit(b"", String(1), span)
    if is_structured(variable.type):
        return IntLit(0, INT, span)
    return coerce.convert(IntLit(0, INT, span), variable.type)


def _for(c: ClauseState, node: syntax.ForStmt) -> None:
    _flush_before(c, node)
    with c.scope():
        if isinstance(node.init, syntax.Declaration):
            _declare(c, node.init)
        elif node.init is not None:
            c.add(ExprStmt(lower(c, node.init)))
        test = None
        if node.condition is not None:
            test = coerce.scalar(c, lower(c, node.condition), "the condition of for")
        step = None if node.step is None else lower(c, node.step)
        c.add(Loop(test, _loop_body(c, node.body), step, node.span))


def _loop_body(c: ClauseState, body: syntax.Statement) -> Block:
    c.loops += 1
    try:
        return _block(c, body)
    finally:
        c.loops -= 1


def _block(c: ClauseState, body: syntax.Statement) -> Block:
    with c.scope(), c.block() as made:
        statements(c, body.statements if isinstance(body, syntax.BlockStmt) else (body,))
    return made[0]


def _flush_before(c: ClauseState, node: syntax.Statement) -> None:
    """End the record before control flow that makes records of its own, or may leave before the record is sent. In a
    dump a loop may also be long: what was printed before it is to be seen."""
    leaving = syntax.ReturnStmt | syntax.BreakStmt | syntax.ContinueStmt
    if (
        c.program.looks_inside
        or _any(node, lambda found: isinstance(found, leaving))
        or has_actions(c, (node,))
    ):
        c.flush()


def has_actions(c: ClauseState, body: Sequence[object]) -> bool:
    """Whether statements put anything into a record, be it through functions that they call."""
    seen: set[str] = set()

    def acts(found: object) -> bool:
        if not isinstance(found, syntax.CallOp):
            return False
        function = c.program.functions.get(found.name)
        if function is not None:
            if found.name in seen:
                return False
            seen.add(found.name)
            return any(_any(entry, acts) for entry in function.body)
        builtin = BUILTINS.get(found.name)
        return builtin is not None and builtin.action is not None and builtin.subroutine is None

    def acts_as_statement(found: object) -> bool:
        # stack() is a value in an expression, and an action as a statement.
        if isinstance(found, syntax.ExpressionStmt) and isinstance(found.expression, syntax.CallOp):
            builtin = BUILTINS.get(found.expression.name)
            if builtin is not None and builtin.action is not None:
                return True
        return acts(found)

    return any(_any(entry, acts_as_statement) for entry in body)


def _any(node: object, test: Callable[[object], bool]) -> bool:
    return any(test(found) for found in walk(node))
