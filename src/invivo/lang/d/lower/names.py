"""What a name means: a local, a variable, a builtin, an inline, a constant; and what $1 and $target stand for.

pid         builtins.process: Call("pid_tgid") >> 32
SIGKILL     IntLit(9)
$target     RuntimeConstant(Globals.TARGET)
"""

from __future__ import annotations

from typing import NoReturn

from invivo.builtins import BUILTINS, Kind
from invivo.builtins.absent import ABSENT
from invivo.builtins.foreign import FOREIGN
from invivo.errors import InvivoError
from invivo.lang.d import syntax
from invivo.lang.d.constants import constants
from invivo.lang.d.lower import coerce, symbols, variables
from invivo.lang.d.lower.builtin_call import BuiltinCall
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.ctypes import declared_type, resolve
from invivo.program.nodes import Expr, IntLit, RuntimeConstant, Variable
from invivo.program.shared import Globals
from invivo.program.types import INT, INT64
from invivo.source import Span

__all__ = ["inline_value", "macro", "name"]

_RUNTIME = {"target": Globals.TARGET, "pid": Globals.TRACER_PID}


def name(c: ClauseState, node: syntax.Name) -> Expr | Translated:
    """The value of a name."""
    if node.module is not None:
        return symbols.symbol(c, node, node.module)
    if node.scope:
        found = variables.read(c, node)
        if found is None:
            _undefined_scoped(c, node)
        return found
    bound = c.find(node.name)
    if isinstance(bound, Variable):
        return variables.value_of(bound, node.span)
    if bound is not None:
        return bound
    return _global(c, node)


def _global(c: ClauseState, node: syntax.Name) -> Expr | Translated:
    text, span = node.name, node.span
    if text in c.program.constants:
        value, type_ = c.program.constants[text]
        return IntLit(value, type_, span)
    if text in c.program.inlines:
        return inline_value(c, c.program.inlines[text], (), span)
    variable = variables.read(c, node)
    if variable is not None:
        return variable
    builtin = BUILTINS.get(text)
    if builtin is not None:
        if builtin.variable is not None:
            try:
                return builtin.variable(BuiltinCall(c, span))
            except InvivoError as error:  # an argument that cannot be read
                c.program.error("D_ARGS_TYPE", span, error.message, error.hint)
        _not_a_value(c, node, builtin.kind)
    if text == "args":
        message = "args is an array of the probe's arguments"
        c.program.error("D_IDENT_BADREF", span, message, "write args[0] or args.NAME")
    if text == "NULL":
        return IntLit(0, INT64, span)
    if (number := constants().get(text)) is not None:
        return IntLit(number, INT, span)
    if c.program.library(text):
        return _global(c, node)
    if (enumerator := c.program.look_up(lambda types: types.enumerator(text), span)) is not None:
        return IntLit(*enumerator[0], span)
    if text in c.program.externs:
        return symbols.symbol(c, node, "")
    _undefined(c, node)


def _not_a_value(c: ClauseState, node: syntax.Name, kind: Kind) -> NoReturn:
    hint = f"@a = {node.name}()" if kind is Kind.AGGREGATING else f"write {node.name}(...)"
    article = "a" if kind is Kind.SUBROUTINE else "an"
    c.program.error("D_IDENT_BADREF", node.span, f"{node.name} is {article} {kind.value}, not a variable", hint)


def inline_value(
    c: ClauseState, declaration: syntax.InlineDecl, arguments: tuple[Expr, ...], span: Span
) -> Expr | Translated:
    """The value of an inline with its parameters bound."""
    from invivo.lang.d.lower.expressions import lower_any

    text = declaration.declarator.name
    if text in c.inlines:
        c.program.error("D_IDENT_BADREF", span, f"the inline '{text}' is defined by itself")
    if len(declaration.parameters) != len(arguments):
        message = f"{text} takes {len(declaration.parameters)} keys; given: {len(arguments)}"
        c.program.error("D_PROTO_LEN", span, message, f"{text}[...]")
    bindings: dict[str, Expr] = {}
    for parameter, argument in zip(declaration.parameters, arguments, strict=True):
        if not parameter.name:
            c.program.error("D_DECL_PROTO_NAME", parameter.span, f"this key of the inline '{text}' has no name")
        type_ = resolve(c.program, parameter.type)
        bindings[parameter.name] = coerce.assignable(c, argument, type_, f"the key '{parameter.name}'", argument.span)
    c.inlines.append(text)
    try:
        with c.apart(dict(bindings)):
            value = lower_any(c, declaration.value)
    finally:
        c.inlines.pop()
    if isinstance(value, Translated):
        return value
    simple = syntax.Declarator(
        text, tuple(p for p in declaration.declarator.parts if p[0] != "tuple"), declaration.span
    )
    type_ = declared_type(c.program, declaration.type, simple)
    return coerce.assignable(c, value, type_, text, span)


# --- errors -----------------------------------------------------------------------------------------------------------


def _undefined_scoped(c: ClauseState, node: syntax.Name) -> NoReturn:
    names = [n for scope, n in c.program.variables if scope is variables.SCOPES[node.scope]]
    close = _close(node.name, names)
    hint = (
        f"did you mean {node.scope}->{close}?"
        if close
        else "a clause above in the text must assign it, or a declaration"
    )
    c.program.error("D_VAR_UNDEF", node.span, f"{node.scope}->{node.name} has not been declared or assigned", hint)


def _undefined(c: ClauseState, node: syntax.Name) -> NoReturn:
    mine = [n for scope, n in c.program.variables if scope is variables.SCOPES[""]]
    local = [n for scope in c.scopes for n in scope]
    builtin = [b.name for b in BUILTINS.values() if b.variable is not None]
    close = _close(node.name, [*local, *mine, *c.program.constants, *c.program.inlines, *builtin])
    hint = f"did you mean {close}?" if close else "variables are made by assigning them, above in the text"
    hint = ABSENT.get(node.name) or FOREIGN.get(node.name, hint)
    for scope in ("self", "this"):
        if (variables.SCOPES[scope], node.name) in c.program.variables:
            hint = f"did you mean {scope}->{node.name}?"
    c.program.error("D_IDENT_UNDEF", node.span, f"unknown variable '{node.name}'", hint)


def _close(text: str, names: list[str]) -> str:
    import difflib

    found = difflib.get_close_matches(text, names, 1, 0.6)
    return found[0] if found else ""


# --- macros -----------------------------------------------------------------------------------------------------------


def macro(c: ClauseState, node: syntax.MacroArg) -> Expr | Translated:
    """`$1`, `$$1`, `$target`, `$uid` ..."""
    from invivo.lang.d.lower.expressions import lower_any

    if node.name in _RUNTIME and not node.is_string:
        return RuntimeConstant(_RUNTIME[node.name], INT, node.span)
    macros = c.program.macros
    expression = macros.expression(node.name, node.span, node.is_string)
    if expression is not None:
        return lower_any(c, expression)
    flaw = macros.flaw(node.name, node.is_string)
    assert flaw is not None
    c.program.error(flaw.code, node.span, flaw.message, flaw.hint)
