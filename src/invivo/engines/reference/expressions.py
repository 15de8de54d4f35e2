"""Expressions: nodes to closures that yield values, by the rules of program/nodes.py.

Binary("+", x, IntLit(1)) of int      f -> wrap(x(f) + 1)
Binary("/", x, y)                     a fault where y(f) is 0
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, assert_never

from invivo.engines.reference import memory, primitives, structures, variables
from invivo.engines.reference.compiler import Compiler, Scalar, Text, Value
from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.values import converter, operation, wrapper
from invivo.program.nodes import (
    Assign,
    Binary,
    Call,
    Checked,
    Comma,
    Compare,
    Component,
    Conditional,
    ContextAddress,
    ContextBytes,
    ContextWord,
    Convert,
    Element,
    EntryAddress,
    Expr,
    FaultInfo,
    InlineCall,
    IntLit,
    Load,
    Logical,
    Memory,
    ProbeId,
    ProbeName,
    ReadString,
    RuntimeConstant,
    StrCompare,
    StrLit,
    Unary,
    Update,
    VariableAddress,
    VarRef,
)
from invivo.program.plan import FaultKind
from invivo.program.tables import probe_name
from invivo.program.types import Space, String

__all__ = ["scalar", "string", "truncated"]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def scalar(c: Compiler, expr: Expr) -> Scalar:
    """The value of an integer or pointer expression."""
    match expr:
        case IntLit(number, type_):
            constant = wrapper(type_)(number)
            return lambda f: constant
        case VarRef() | Element():
            return variables.read_scalar(c, expr)
        case Unary():
            return _unary(c, expr)
        case Binary():
            return _binary(c, expr)
        case Compare() | StrCompare():
            return _compare(c, expr)
        case Logical():
            return _logical(c, expr)
        case Conditional(condition, then, other):
            test, yes, no = c.scalar(condition), c.scalar(then), c.scalar(other)
            return lambda f: yes(f) if test(f) else no(f)
        case Convert(operand, type_):
            value, convert = c.scalar(operand), converter(operand.type, type_)
            return value if convert is None else lambda f: convert(value(f))
        case VariableAddress():
            return structures.address(c, expr)
        case Checked(operand, count, _, span):
            return _checked(c, c.scalar(operand), count, c.site(span))
        case Load():
            return memory.load(c, expr)
        case Assign():
            return variables.assign_scalar(c, expr)
        case Update():
            return variables.update(c, expr)
        case Call():
            return primitives.scalar_call(c, expr)
        case InlineCall():
            inline = _inline_call(c, expr)
            return lambda f: inline(f)  # type: ignore[return-value]
        case Comma(first, second):
            effect, last = c.value(first), c.scalar(second)
            return lambda f: (effect(f), last(f))[1]
        case ProbeId():
            probes = c.tables.probes
            return lambda f: probes[f.probe_id - 1].id
        case RuntimeConstant(offset, type_):
            wrap = wrapper(type_)
            return lambda f: wrap(f.world.constant(offset))
        case FaultInfo(index, type_):
            wrap = wrapper(type_)
            return lambda f: wrap(f.fault_info.get(index, 0))
        case ContextWord(index, type_):
            wrap = wrapper(type_)
            return lambda f: wrap(f.world.context_word(index))
        case ContextBytes():
            return memory.context_bytes(c, expr)
        case ContextAddress(offset):
            return lambda f: f.world.context_address() + offset
        case Memory():  # evaluated for its effects only
            block = memory.read_bytes(c, expr, 1) if expr.space is Space.ENTRY else c.scalar(expr.address)
            return lambda f: int(bool(block(f)))
        case EntryAddress() | StrLit() | ReadString() | ProbeName():
            raise TypeError(f"{type(expr).__name__} is not a scalar")
    assert_never(expr)


def _checked(c: Compiler, index: Scalar, count: int, site: int) -> Scalar:
    def check(f: Firing) -> int:
        number = index(f)
        if not 0 <= number < count:
            raise Raised(FaultKind.BADINDEX, number, site)
        return number

    return check


def _unary(c: Compiler, expr: Unary) -> Scalar:
    value, wrap = c.scalar(expr.operand), wrapper(expr.type)
    if expr.op == "-":
        return lambda f: wrap(-value(f))
    return lambda f: wrap(~value(f))


def _binary(c: Compiler, expr: Binary) -> Scalar:
    left, right = c.scalar(expr.left), c.scalar(expr.right)
    operate = operation(expr.op, expr.type)
    if expr.op not in ("/", "%"):
        return lambda f: operate(left(f), right(f))
    site = c.site(expr.span)

    def divide(f: Firing) -> int:
        dividend, divisor = left(f), right(f)
        if divisor == 0:
            raise Raised(FaultKind.DIVZERO, 0, site)
        return operate(dividend, divisor)

    return divide


def _compare(c: Compiler, expr: Compare | StrCompare) -> Scalar:
    # Values lie in their types' ranges, so Python's order is that of the type's signedness; bytes compare unsigned.
    left, right, holds = c.value(expr.left), c.value(expr.right), _COMPARISONS[expr.op]
    return lambda f: int(holds(left(f), right(f)))


def _logical(c: Compiler, expr: Logical) -> Scalar:
    left, right = c.scalar(expr.left), c.scalar(expr.right)
    match expr.op:
        case "&&":
            return lambda f: int(bool(left(f)) and bool(right(f)))
        case "||":
            return lambda f: int(bool(left(f)) or bool(right(f)))
        case _:
            return lambda f: int(bool(left(f)) != bool(right(f)))


# --- strings ----------------------------------------------------------------------------------------------------------


def string(c: Compiler, expr: Expr) -> Text:
    """The value of a string expression."""
    match expr:
        case StrLit(literal):
            return lambda f: literal
        case VarRef() | Element():
            return variables.read_string(c, expr)
        case ReadString():
            return memory.read_string(c, expr)
        case Call():
            return primitives.string_call(c, expr)
        case Conditional(condition, then, other):
            test, yes, no = c.scalar(condition), c.string(then), c.string(other)
            return truncated(lambda f: yes(f) if test(f) else no(f), expr)
        case Assign():
            return variables.assign_string(c, expr)
        case Comma(first, second):
            effect, last = c.value(first), c.string(second)
            return lambda f: (effect(f), last(f))[1]
        case ProbeName(component):
            return probe_names(c, component)
        case InlineCall():
            inline = _inline_call(c, expr)
            return truncated(lambda f: inline(f), expr)  # type: ignore[arg-type, return-value]
        case _:
            raise TypeError(f"{type(expr).__name__} is not a string")


def truncated(text: Text, expr: Expr) -> Text:
    """The string cut to its type's size, less the NUL."""
    assert isinstance(expr.type, String)
    most = max(expr.type.size - 1, 0)
    return lambda f: text(f)[:most]


def probe_names(c: Compiler, component: Component) -> Text:
    """A component of the firing probe's name, by its id."""
    probes = c.tables.probes
    names = [b""]

    def name(f: Firing) -> bytes:
        while len(names) <= f.probe_id:  # probes may be made while the program runs
            names.append(probe_name(probes[len(names) - 1], component))
        return names[f.probe_id]

    return name


# --- functions --------------------------------------------------------------------------------------------------------


def _inline_call(c: Compiler, expr: InlineCall) -> Callable[[Firing], Value]:
    """All arguments are evaluated before any parameter is set; without a Return the value is 0 or empty."""
    given = [
        (c.local_slot(variable), c.value(value), variables.fitting(variable, value))
        for variable, value in expr.parameters
    ]
    fresh = [(c.local_slot(variable), variables.zero(variable)) for variable in variables.locals_of(expr.body)]
    nothing: Value = b"" if isinstance(expr.type, String) else 0
    body = c.statement(expr.body)

    def call(f: Firing) -> Value:
        values = [value(f) for _, value, _ in given]
        for slot, start in fresh:
            f.locals[slot] = start
        for (slot, _, fit), value in zip(given, values, strict=True):
            f.locals[slot] = fit(value)
        f.result = nothing
        body(f)
        return f.result

    return call
