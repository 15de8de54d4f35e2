"""Integer types and constants by C's rules: literals, promotion, conversion of operands, folding.

literal(4294967296)          long
promote(char)                int
usual(int, unsigned long)    unsigned long
"""

from __future__ import annotations

from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.program.nodes import Binary, Compare, Conditional, Convert, Expr, IntLit, Logical, Unary
from invivo.program.types import INT, LONG, UINT, ULONG, Enum, Int, Type

__all__ = ["constant", "constant_of_syntax", "literal_type", "promote", "usual", "wrap"]


def wrap(value: int, type_: Type) -> int:
    """The value cut to an integer type; pointers take 64 bits, unsigned."""
    size, signed = (type_.size, type_.signed) if isinstance(type_, Int | Enum) else (8, False)
    if isinstance(type_, Int) and type_.name == "_Bool":
        return int(value != 0)
    value &= (1 << size * 8) - 1
    return value - (1 << size * 8) if signed and value >> (size * 8 - 1) else value


def literal_type(number: syntax.Number) -> Int | None:
    """The type of an integer literal (C11 6.4.4.1), or None if it fits in none."""
    if number.is_char:
        return INT if number.value < 1 << 32 else LONG
    is_unsigned, is_long = "u" in number.suffix, "l" in number.suffix
    candidates: list[Int] = []
    if not is_long:
        candidates += [] if is_unsigned else [INT]
        candidates += [UINT] if is_unsigned or not number.is_decimal else []
    candidates += [] if is_unsigned else [LONG]
    candidates += [ULONG]
    for type_ in candidates:
        if number.value < 1 << (type_.size * 8 - type_.signed):
            return type_
    return None


def promote(type_: Type) -> Int:
    """C's integer promotion."""
    assert isinstance(type_, Int | Enum)
    if type_.size < 4:
        return INT
    if isinstance(type_, Enum):
        return {(4, True): INT, (4, False): UINT, (8, True): LONG}.get((type_.size, type_.signed), ULONG)
    return type_


def usual(left: Type, right: Type) -> Int:
    """The type of an operation on two integers (C11 6.3.1.8)."""
    a, b = promote(left), promote(right)
    if a.size != b.size:
        return a if a.size > b.size else b
    return a if not a.signed or b.signed else b


def constant(expr: Expr) -> int | None:
    """The value of a constant integer expression, or None."""
    match expr:
        case IntLit(value):
            return value
        case Convert(operand, type_) if isinstance(type_, Int | Enum):
            inner = constant(operand)
            return None if inner is None else wrap(inner, type_)
        case Unary(op, operand, type_):
            inner = constant(operand)
            return None if inner is None else wrap(-inner if op == "-" else ~inner, type_)
        case Binary(op, left, right, type_):
            a, b = constant(left), constant(right)
            return None if a is None or b is None else _binary(op, a, b, type_)
        case Compare(op, left, right):
            a, b = constant(left), constant(right)
            return None if a is None or b is None else int(_COMPARE[op](a, b))
        case Logical(op, left, right):
            a, b = constant(left), constant(right)
            if a is None or b is None:
                return None
            return int({"&&": bool(a and b), "||": bool(a or b), "^^": bool(a) != bool(b)}[op])
        case Conditional(condition, then, other):
            chosen = constant(condition)
            return None if chosen is None else constant(then if chosen else other)
        case _:
            return None


_COMPARE = {
    "==": int.__eq__, "!=": int.__ne__, "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__,
}  # fmt: skip


def _binary(op: str, a: int, b: int, type_: Type) -> int | None:
    bits = type_.size * 8 if isinstance(type_, Int | Enum) else 64
    match op:
        case "/" | "%":
            if b == 0:
                return None
            quotient = abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)
            result = quotient if op == "/" else a - quotient * b
        case "<<":
            result = a << (b & (bits - 1))
        case ">>":
            result = a >> (b & (bits - 1))
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case "&":
            result = a & b
        case "|":
            result = a | b
        case _:
            result = a ^ b
    return wrap(result, type_)


def constant_of_syntax(state: ProgramState, expression: syntax.Expression) -> int | None:
    """The value of a constant expression outside of clauses (array sizes, enumerators), or None."""
    from invivo.lang.d.lower.clause import outside
    from invivo.lang.d.lower.expressions import lower

    return constant(lower(outside(state, expression.span), expression))
