"""Operators: arithmetic, comparison, logic, assignment, ?:.

BinaryOp("+", int, long)      Binary("+", Convert(int), long, long)
BinaryOp("==", string, "x")   StrCompare
AssignOp("=", Name x, 1)      Assign to the variable x, which is made an int if it is new
"""

from __future__ import annotations

from typing import NoReturn

from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, variables
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.constants import constant, promote, usual
from invivo.lang.d.lower.expressions import lower, lower_any
from invivo.program.nodes import (
    Assign,
    Binary,
    Comma,
    Compare,
    Conditional,
    Convert,
    Element,
    Expr,
    IntLit,
    Load,
    Logical,
    Memory,
    ReadString,
    StrCompare,
    StrLit,
    Unary,
    Update,
    Variable,
    VarRef,
)
from invivo.program.types import (
    INT,
    INT64,
    LONG,
    ULONG,
    Func,
    Int,
    Pointer,
    Space,
    String,
    Struct,
    Type,
    Void,
    a_type,
    is_integral,
    size_of,
)
from invivo.source import Span
from invivo.value import replaced

__all__ = ["assign", "binary", "conditional", "no_aggregations", "unary"]

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_LOGICAL = ("&&", "||", "^^")


def unary(c: ClauseState, expression: syntax.UnaryOp | syntax.PrefixOp | syntax.PostfixOp) -> Expr:
    """`+ - ~ !` and `++ --`."""
    op, span = expression.op, expression.span
    if not isinstance(expression, syntax.UnaryOp):
        target = _changed(c, variables.target(c, expression.operand, op, default=INT64), op)
        step = _step(c, target.type, span)
        value = IntLit(step, usual(target.type, INT) if is_integral(target.type) else ULONG, span)
        return Update(op[0], target, value, isinstance(expression, syntax.PostfixOp), target.type, span)
    operand = lower(c, expression.operand)
    if op == "!":
        operand = coerce.scalar(c, operand, "the operand of !")
        return Compare("==", operand, coerce.convert(IntLit(0, INT, span), operand.type), INT, span)
    operand = coerce.integer(c, operand, f"the operand of {op}", "D_OP_INT" if op == "~" else "D_OP_ARITH")
    operand = coerce.convert(operand, promote(operand.type))
    if isinstance(operand, IntLit) and op == "-":
        folded = Unary("-", operand, operand.type, span)
        number = constant(folded)
        return folded if number is None else IntLit(number, operand.type, span)
    return operand if op == "+" else Unary(op, operand, operand.type, span)


def _step(c: ClauseState, type_: Type, span: Span) -> int:
    if isinstance(type_, Pointer):
        if isinstance(type_.target, Void | Func):
            message = f"++ and -- do not take {a_type(type_)}: the size of what it leads to is not known"
            c.program.error("D_OP_VFPTR", span, message, "cast it: (char *)")
        return _element_size(c, type_, span)
    if not is_integral(type_):
        c.program.error("D_OP_SCALAR", span, f"++ and -- take an integer or a pointer, not {a_type(type_)}")
    return 1


def binary(c: ClauseState, expression: syntax.BinaryOp) -> Expr:
    """Two operands."""
    op, span = expression.op, expression.span
    if op in _LOGICAL:
        left = coerce.scalar(c, lower(c, expression.left), f"an operand of {op}")
        right = coerce.scalar(c, lower(c, expression.right), f"an operand of {op}")
        return Logical(op, left, right, INT, span)
    left = coerce.decayed_unless_text(c, lower(c, expression.left))
    right = coerce.decayed_unless_text(c, lower(c, expression.right))
    if op in _COMPARISONS:
        return _compare(c, op, left, right, span)
    return arithmetic(c, op, coerce.decayed(left), coerce.decayed(right), span)


def _compare(c: ClauseState, op: str, left: Expr, right: Expr, span: Span) -> Expr:
    if isinstance(left.type, String) or isinstance(right.type, String):
        left, right = coerce.string_or_null(left), coerce.string_or_null(right)
        if not (coerce.is_textual(left.type) and coerce.is_textual(right.type)):
            _incompatible(c, op, left, right, span)
        return StrCompare(op, coerce.string(c, left), coerce.string(c, right), INT, span)
    left, right = coerce.decayed(left), coerce.decayed(right)
    if is_integral(left.type) and is_integral(right.type):
        common: Type = usual(left.type, right.type)
    elif isinstance(left.type, Pointer | Int) and isinstance(right.type, Pointer | Int):
        common = ULONG
    else:
        _incompatible(c, op, left, right, span)
    return Compare(op, coerce.convert(left, common), coerce.convert(right, common), INT, span)


def arithmetic(c: ClauseState, op: str, left: Expr, right: Expr, span: Span) -> Expr:
    """`+ - * / % & | ^ << >>` of two values."""
    a, b = left.type, right.type
    if is_integral(a) and is_integral(b):
        if op in ("<<", ">>"):
            type_ = promote(a)
            return Binary(op, coerce.convert(left, type_), coerce.convert(right, promote(b)), type_, span)
        common = usual(a, b)
        if op in "/%" and constant(right) == 0:
            c.program.error("D_DIV_ZERO", right.span, "this divides by zero")
        return Binary(op, coerce.convert(left, common), coerce.convert(right, common), common, span)
    if op == "+" and is_integral(a) and isinstance(b, Pointer):
        left, right, a, b = right, left, b, a
    if any(isinstance(t, Pointer) and isinstance(t.target, Void | Func) for t in (a, b)):
        _incompatible(c, op, left, right, span)  # what it leads to has no size to count with
    if op in "+-" and isinstance(a, Pointer) and is_integral(b):
        distance = scaled(c, right, _element_size(c, a, span), span)
        moved = Binary(op, coerce.bits(left), distance, ULONG, span)
        return Convert(moved, coerce.kept_type(a), span)
    if op == "-" and isinstance(a, Pointer) and isinstance(b, Pointer):
        size = _element_size(c, a, span)
        apart = Binary(
            "-", coerce.convert(coerce.bits(left), LONG), coerce.convert(coerce.bits(right), LONG), LONG, span
        )
        return Binary("/", apart, IntLit(size, LONG, span), LONG, span) if size > 1 else apart
    _incompatible(c, op, left, right, span)


def scaled(c: ClauseState, index: Expr, size: int, span: Span) -> Expr:
    """An index times the size of an element, as a 64-bit number."""
    wide = coerce.convert(coerce.convert(index, LONG if index.type.signed else ULONG), ULONG)  # type: ignore[union-attr]
    known = constant(wide)
    if known is not None:
        return IntLit(known * size & (1 << 64) - 1, ULONG, span)
    return Binary("*", wide, IntLit(size, ULONG, span), ULONG, span) if size > 1 else wide


def _element_size(c: ClauseState, pointer: Pointer, span: Span) -> int:
    size = size_of(pointer.target)
    if not size:
        c.program.error("D_OP_INCOMPLETE", span, f"{a_type(pointer.target)} has no known size to count with")
    return size


def _incompatible(c: ClauseState, op: str, left: Expr, right: Expr, span: Span) -> NoReturn:
    hint = ""
    types = (left.type, right.type)
    if any(isinstance(t, String) for t in types) and op == "+":
        hint = "strings are joined by strjoin(a, b)"
    elif any(isinstance(t, Pointer) and isinstance(t.target, Void) for t in types):
        hint = "cast the void *: (char *)"
    elif any(isinstance(t, String) for t in types) and any(is_integral(t) for t in types):
        hint = "lltostr(n) makes a string of a number"
    message = f"{op} does not take {a_type(left.type)} and {a_type(right.type)}"
    bare = op.removesuffix("=")
    code = "D_OP_ARITH" if bare in ("*", "/") else "D_OP_INCOMPAT" if bare in ("+", "-") else "D_OP_INT"
    c.program.error(code if bare in _ARITHMETIC else "D_OP_INCOMPAT", span, message, hint)


# Operators of numbers, which DTrace tells apart by what they need: numbers, integers, or operands that fit each other.
_ARITHMETIC = frozenset("* / % + - << >> & | ^".split())


# --- assignment -------------------------------------------------------------------------------------------------------


def assign(c: ClauseState, expression: syntax.AssignOp) -> Expr:
    if isinstance(expression.target, syntax.IndexOp) and isinstance(expression.target.operand, syntax.AggRef):
        message = f"@{expression.target.operand.name} is no array of arrays"
        c.program.error("D_AGG_MDIM", expression.target.span, message, "several keys stand in one pair: @a[1, 2]")
    """`=` and `op=`."""
    op, span = expression.op, expression.span
    if isinstance(expression.target, syntax.AggRef):
        c.program.error(
            "D_AGG_NULL",
            span,
            "an aggregation is assigned in a statement of its own",
            "for instance @a[pid] = count();",
        )
    if isinstance(expression.target, syntax.IndexOp) and isinstance(expression.target.operand, syntax.AggRef):
        name = expression.target.operand.name
        c.program.error("D_AGG_MDIM", span, f"@{name} has one list of keys", f"write @{name}[a, b], not @{name}[a][b]")
    if op == "=":
        return _assign(c, expression)
    value = coerce.decayed(variables.guarded(c, expression.target, lambda: lower(c, expression.value)))
    default = promote(value.type) if is_integral(value.type) else INT64
    target = variables.target(c, expression.target, op, default=default)
    op = op[:-1]
    if isinstance(target.type, String) or isinstance(value.type, String):
        _incompatible(c, f"{op}=", target, value, span)
    if isinstance(target.type, Pointer) and op in "+-" and is_integral(value.type):
        amount = scaled(c, value, _element_size(c, target.type, span), span)
    elif is_integral(target.type) and is_integral(value.type):
        if op in "/%" and constant(value) == 0:
            c.program.error("D_DIV_ZERO", value.span, "this divides by zero")
        common = promote(target.type) if op in ("<<", ">>") else usual(target.type, value.type)
        amount = coerce.convert(value, common)
    elif op in "+-" and is_integral(target.type) and isinstance(value.type, Pointer):
        message = f"{op}= of a pointer takes a pointer on its left, not {a_type(target.type)}"
        c.program.error("D_OP_VFPTR", span, message, "cast it: (uintptr_t)")
    else:
        _incompatible(c, f"{op}=", target, value, span)
    return Update(op, _changed(c, target, op), amount, False, target.type, span)


def _changed(c: ClauseState, target: variables.Target, op: str) -> VarRef | Element | Load:
    """What an operator changes in place: a number or a pointer."""
    if isinstance(target, Memory | ReadString):
        c.program.error("D_OP_INT", target.span, f"{op} takes an integer or a pointer, not {a_type(target.type)}")
    return target


def _assign(c: ClauseState, expression: syntax.AssignOp) -> Expr:
    span = expression.span
    value = variables.guarded(c, expression.target, lambda: _value(c, expression))
    if isinstance(value, Translated):
        from invivo.lang.d.lower.translators import assign_members

        return assign_members(c, expression, value)
    target = variables.target(c, expression.target, "=", value=value)
    name = expression.target.span.text
    coerce.settle(c, target, value)
    fitting = coerce.assignable(c, value, target.type, name, span)
    _warn_of_narrowing(c, target, value, name, span)
    made = Assign(target, fitting, target.type, span)
    if isinstance(target, Memory):  # as a value it is where it now lies
        return replaced(target, address=Comma(made, target.address, target.address.type, span))
    return made


def _value(c: ClauseState, expression: syntax.AssignOp) -> Expr | Translated:
    """What is assigned; a translated structure stays one where it goes to a variable."""
    if isinstance(expression.value, syntax.XlateOp) or _is_structure(c, expression.target):
        return lower_any(c, expression.value)
    return lower(c, expression.value)


def _is_structure(c: ClauseState, target: syntax.Expression) -> bool:
    if not isinstance(target, syntax.Name) or target.module is not None:
        return False
    found = c.find(target.name) if not target.scope else None
    if found is None and (known := c.program.variables.get((variables.SCOPES[target.scope], target.name))) is not None:
        found = known.node
    return isinstance(found, Variable) and isinstance(found.type, Struct)


def _warn_of_narrowing(c: ClauseState, target: variables.Target, value: Expr, name: str, span: Span) -> None:
    """A variable that got its type from a small constant, and now gets a greater value: a well-known trap of D."""
    if not isinstance(target, VarRef | Element) or not isinstance(target.type, Int) or not isinstance(value.type, Int):
        return
    if value.type.size > target.type.size and constant(value) is None and not variables.is_declared(c, target.variable):
        if any(known.span == span for known in c.program.diagnostics.found):
            return
        c.program.diagnostics.warning(
            "D_NARROW",
            span,
            f"{name} is an {target.type.name} by its first assignment: this {value.type.name} is cut to "
            f"{target.type.size * 8} bits",
            f"declare it: {_declaration(name, value.type)}",
        )


def _declaration(name: str, type_: Int) -> str:
    for prefix in ("self->", "this->"):
        if name.startswith(prefix):
            return f"{prefix[:-2]} {type_.name} {name.removeprefix(prefix)};"
    return f"{type_.name} {name};"


def conditional(c: ClauseState, expression: syntax.ConditionalOp) -> Expr:
    """`condition ? then : other`."""
    span = expression.span
    condition = coerce.scalar(c, lower(c, expression.condition), "the condition of ?:")
    no_aggregations(c, "?:", expression.then, expression.other)
    then = coerce.decayed_unless_text(c, lower(c, expression.then))
    other = coerce.decayed_unless_text(c, lower(c, expression.other))
    if isinstance(then.type, String) or isinstance(other.type, String):
        if not (coerce.is_textual(then.type) and coerce.is_textual(other.type)):
            _incompatible(c, "?:", then, other, span)
        then, other = coerce.string(c, then), coerce.string(c, other)
        size = max(_size(then), _size(other))
        return Conditional(condition, then, other, String(size), span)
    then, other = coerce.decayed(then), coerce.decayed(other)
    if isinstance(then, Memory) and isinstance(other, Memory):
        return _structure_of(c, condition, then, other, span)
    if is_integral(then.type) and is_integral(other.type):
        common: Type = usual(then.type, other.type)
    elif isinstance(then.type, Pointer) and (isinstance(other.type, Pointer) or constant(other) == 0):
        common = coerce.kept_type(then.type)
    elif isinstance(other.type, Pointer) and constant(then) == 0:
        common = coerce.kept_type(other.type)
    elif type(then.type) is type(other.type) and then.type == other.type:
        common = then.type
    else:
        _incompatible(c, "?:", then, other, span)
    return Conditional(condition, coerce.convert(then, common), coerce.convert(other, common), common, span)


def no_aggregations(c: ClauseState, op: str, *operands: syntax.Expression) -> None:
    """Report an aggregation among the operands of an operator that takes almost anything."""
    for operand in operands:
        if isinstance(operand, syntax.AggRef):
            c.program.error("D_OP_DYN", operand.span, f"{op} does not take an aggregation: it has no value")


def _structure_of(c: ClauseState, condition: Expr, then: Memory, other: Memory, span: Span) -> Expr:
    if then.type != other.type or then.space is not other.space or then.space is Space.ENTRY:
        _incompatible(c, "?:", then, other, span)
    address = Conditional(condition, coerce.bits(then.address), coerce.bits(other.address), ULONG, span)
    return Memory(address, then.space, then.type, span)


def _size(expr: Expr) -> int:
    if isinstance(expr, StrLit):
        return len(expr.value) + 1
    assert isinstance(expr.type, String)
    return expr.type.size
