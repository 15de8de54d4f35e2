"""Calls: subroutines of D, and local functions, which are put in place.

strlen(execname)     Call("strlen", ...)
f(1)                 InlineCall with the parameter assigned and the body lowered here
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from invivo.builtins import BUILTINS, Builtin, Kind
from invivo.builtins.absent import ABSENT
from invivo.builtins.foreign import FOREIGN
from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce
from invivo.lang.d.lower.builtin_call import BuiltinCall
from invivo.lang.d.lower.clause import ClauseState, Function, Translated
from invivo.lang.d.lower.constants import constant
from invivo.lang.d.lower.ctypes import resolve
from invivo.lang.d.lower.expressions import lower
from invivo.program.nodes import Expr, InlineCall, Scope, Variable
from invivo.program.types import INT64, ULONG, Pointer, Type, Void, a_type, is_scalar, type_name
from invivo.source import Span

__all__ = ["action", "call", "check_length", "inline", "returned"]

_DEPTH = 32  # of functions that call functions


def call(c: ClauseState, expression: syntax.CallOp) -> Expr | Translated:
    """The value of a call."""
    function = c.program.functions.get(expression.name)
    builtin = BUILTINS.get(expression.name)
    if function is None and builtin is None and c.program.library(expression.name):
        function = c.program.functions.get(expression.name)
    if function is not None:
        return _inline(c, function, expression)
    if builtin is None:
        _unknown(c, expression)
    if builtin.subroutine is None:
        _no_value(c, expression, builtin)
    check_length(c, builtin, expression)
    arguments = [
        _argument(c, parameter.type, operand, expression.name, i)
        for i, (parameter, operand) in enumerate(
            zip(builtin.signature.parameters, expression.arguments, strict=False), start=1
        )
    ]
    return builtin.subroutine(BuiltinCall(c, expression.span), arguments)


# Where DTrace has a tag of its own for a wrong number of arguments.
_LENGTH_CODES = {
    "clear": "D_CLEAR_PROTO", "normalize": "D_NORMALIZE_PROTO", "denormalize": "D_NORMALIZE_PROTO",
    "pcap": "D_PCAP_PROTO", "stack": "D_STACK_PROTO", "ustack": "D_USTACK_PROTO",
}  # fmt: skip


def check_length(c: ClauseState, builtin: Builtin, expression: syntax.CallOp) -> None:
    """Report a wrong number of arguments."""
    signature, given = builtin.signature, len(expression.arguments)
    most = len(signature.parameters)
    if given < signature.minimum or (given > most and not signature.is_open):
        wanted = str(signature.minimum) if signature.minimum == most else f"{signature.minimum} to {most}"
        if signature.is_open:
            wanted = f"at least {signature.minimum}"
        plural = "" if wanted == "1" else "s"
        c.program.error(
            _LENGTH_CODES.get(builtin.name, "D_PROTO_LEN"),
            expression.span,
            f"{builtin.name}() takes {wanted} argument{plural}, {given} given",
            f"its prototype is: {builtin.prototype}",
        )


def _argument(c: ClauseState, wanted: str, operand: syntax.Expression, name: str, position: int) -> Expr:
    """An argument as its parameter's type."""
    value = lower(c, operand)
    what = f"argument {position} of {name}()"
    if wanted == "string":
        return coerce.string(c, value, what, "D_PROTO_ARG")
    if wanted == "char *":  # a string, or NULL
        return value if constant(value) == 0 else coerce.string(c, value, what, "D_PROTO_ARG")
    if wanted in ("uintptr_t", "void *"):
        value = coerce.scalar(c, value, what, "D_PROTO_ARG")
        if wanted == "void *" and isinstance(value.type, Pointer):
            return coerce.convert(value, coerce.kept_type(value.type))
        return coerce.bits(value)
    return coerce.convert(coerce.integer(c, value, what, "D_PROTO_ARG"), INT64 if wanted != "size_t" else ULONG)


# --- what cannot be called --------------------------------------------------------------------------------------------


def _no_value(c: ClauseState, expression: syntax.CallOp, builtin: Builtin) -> NoReturn:
    name = builtin.name
    match builtin.kind:
        case Kind.AGGREGATING:
            c.program.error(
                "D_CG_EXPR", expression.span, f"{name}() is an aggregating function, it has no value of its own",
                f"assign it to an aggregation: @ = {name}(...)",
            )  # fmt: skip
        case Kind.VARIABLE:
            message = f"{name} is a variable, it is not called"
            c.program.error("D_FUNC_IDKIND", expression.span, message, f"write {name}")
        case _:
            message = f"{name}() is an action, it has no value"
            c.program.error("D_OP_ACT", expression.span, message, "it is a statement of its own")


def _unknown(c: ClauseState, expression: syntax.CallOp) -> NoReturn:
    import difflib

    if hint := ABSENT.get(expression.name, ""):
        c.program.error("D_FUNC_UNDEF", expression.name_span, f"invivo has no {expression.name}()", hint)
    if (Scope.GLOBAL, expression.name) in c.program.variables:
        message = f"{expression.name} is a variable, it is not called"
        c.program.error("D_FUNC_IDKIND", expression.span, message, f"write {expression.name}")
    names = [b.name for b in BUILTINS.values() if b.kind is not Kind.VARIABLE] + list(c.program.functions)
    close = difflib.get_close_matches(expression.name, names, 1, 0.6)
    hint = f"did you mean {close[0]}()?" if close else "invivo help builtins lists them all"
    hint = FOREIGN.get(f"{expression.name}()", hint)
    c.program.error("D_FUNC_UNDEF", expression.name_span, f"no function is called '{expression.name}'", hint)


# --- actions ----------------------------------------------------------------------------------------------------------


def action(c: ClauseState, expression: syntax.CallOp) -> Callable[[], None] | None:
    """What does an action, if the call is one."""
    builtin = BUILTINS.get(expression.name)
    if expression.name in c.program.functions or builtin is None or builtin.action is None:
        return None
    do = builtin.action

    def run() -> None:
        check_length(c, builtin, expression)
        _note_destructive(c, builtin, expression)
        do(BuiltinCall(c, expression.span), expression.arguments)

    return run


def _note_destructive(c: ClauseState, builtin: Builtin, expression: syntax.CallOp) -> None:
    if not builtin.is_destructive:
        return
    if c.speculation is not None:
        message = f"{builtin.name}() may not follow speculate(): what it does cannot be taken back"
        c.program.error("D_ACT_SPEC", expression.span, message, "use another clause for it")
    c.program.destructive.append((f"{builtin.name}()", expression.span))


# --- local functions --------------------------------------------------------------------------------------------------


def _inline(c: ClauseState, function: syntax.FunctionDecl, expression: syntax.CallOp) -> Expr:
    """The function's body in place of the call."""
    from invivo.lang.d.lower.statements import has_actions

    name = function.name
    if any(running.name == name for running in c.functions):
        c.program.error("D_FUNC_IDENT", expression.span, f"the function {name}() calls itself", "use a loop")
    if len(c.functions) >= _DEPTH:
        c.program.error("D_FUNC_IDENT", expression.span, f"functions call functions more than {_DEPTH} deep")
    if len(expression.arguments) != len(function.parameters):
        wanted = len(function.parameters)
        plural = "" if wanted == 1 else "s"
        message = f"{name}() takes {wanted} argument{plural}, {len(expression.arguments)} given"
        c.program.error("D_PROTO_LEN", expression.span, message, f"it is defined at {function.span}")
    if has_actions(c, function.body) and not c.may_act:
        c.program.error(
            "D_FUNC_IDKIND", expression.span, f"{name}() prints, so it cannot be part of an expression",
            "call it in a statement of its own",
        )  # fmt: skip
    c.may_act = False
    return inline(c, function, [lower(c, operand) for operand in expression.arguments], expression.span)


def inline(c: ClauseState, function: syntax.FunctionDecl, values: Sequence[Expr], span: Span) -> Expr:
    """The function's body with these values for its parameters, which are as many."""
    from invivo.lang.d.lower.statements import statements

    name = function.name
    result = resolve(c.program, function.result)
    _check_result(c, result, function)
    # A local variable's type cannot tell where a pointer leads: a parameter takes that from its argument.
    given = []
    bindings: dict[str, Variable] = {}
    for parameter, value in zip(function.parameters, values, strict=True):
        type_ = coerce.leading_like(resolve(c.program, parameter.type), coerce.decayed(value).type)
        variable = Variable(parameter.name, Scope.LOCAL, type_)
        bindings[parameter.name] = variable
        what = f"{name}()'s {parameter.name}"
        given.append((variable, coerce.assignable(c, value, type_, what, value.span, "D_PROTO_ARG")))
    c.functions.append(Function(name, result))
    try:
        with c.apart(dict(bindings)), c.block() as made:
            statements(c, function.body)
    finally:
        c.functions.pop()
    return InlineCall(tuple(given), made[0], result, span)


def _check_result(c: ClauseState, result: Type, function: syntax.FunctionDecl) -> None:
    if not (is_scalar(result) or isinstance(result, Void) or type_name(result) == "string"):
        message = f"a function cannot return {a_type(result)}"
        c.program.error("D_DECL_DYNOBJ", function.result.span, message, "return a pointer to it")


def returned(c: ClauseState, value: syntax.Expression | None, statement: syntax.ReturnStmt) -> Expr | None:
    """The value of a return statement, as the running function's type."""
    if not c.functions:
        if value is not None:
            c.program.error("D_SYNTAX", statement.span, "a clause returns no value", "write return;")
        return None
    function = c.functions[-1]
    if isinstance(function.result, Void):
        if value is not None:
            c.program.error("D_SYNTAX", statement.span, f"{function.name}() is void, it returns no value")
        return None
    if value is None:
        message = f"{function.name}() must return {a_type(function.result)}"
        c.program.error("D_SYNTAX", statement.span, message)
    return coerce.assignable(c, lower(c, value), function.result, f"{function.name}()'s result", statement.span)
