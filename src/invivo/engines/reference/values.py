"""C's integers in Python: a value is an int within its type's range, and every operation comes back into it.

    wrapper(INT8)(200)                       -56
    operation("/", INT, ...)                 rounds towards zero; INT_MIN / -1 is INT_MIN
    converter(INT, UINT64)(-1)               2**64 - 1
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.program.types import BOOL, Enum, Int, Type

__all__ = ["MASK", "converter", "operation", "quotient", "remainder", "signed", "wrapper"]

MASK = (1 << 64) - 1
_SIGN = 1 << 63


def signed(value: int) -> int:
    """The low 64 bits as a signed integer."""
    return ((value & MASK) ^ _SIGN) - _SIGN


def wrapper(type_: Type) -> Callable[[int], int]:
    """What brings any integer into a type's range, bits above its width cut off. What is no integer has 64 bits."""
    if not isinstance(type_, Int | Enum):
        return lambda value: value & MASK
    mask = (1 << 8 * type_.size) - 1
    if not type_.signed:
        return lambda value: value & mask
    sign = 1 << 8 * type_.size - 1
    return lambda value: ((value & mask) ^ sign) - sign


def _range(type_: Type) -> tuple[int, int]:
    if not isinstance(type_, Int | Enum):
        return 0, MASK
    bits = 8 * type_.size
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type_.signed else (0, (1 << bits) - 1)


def converter(source: Type, target: Type) -> Callable[[int], int] | None:
    """C's conversion between scalar types; None where it changes no value."""
    if target == BOOL and source != BOOL:
        return lambda value: int(value != 0)
    low, high = _range(source)
    least, most = _range(target)
    return None if least <= low and high <= most else wrapper(target)


def quotient(left: int, right: int) -> int:
    """left / right, rounded towards zero."""
    size = abs(left) // abs(right)
    return -size if (left < 0) != (right < 0) else size


def remainder(left: int, right: int) -> int:
    """left % right, with the sign of left."""
    size = abs(left) % abs(right)
    return -size if left < 0 else size


def operation(op: str, type_: Type) -> Callable[[int, int], int]:
    """`+ - * / % & | ^ << >>` on values of a type; for `/` and `%` the right side is not 0."""
    wrap = wrapper(type_)
    last = (type_.size * 8 if isinstance(type_, Int | Enum) else 64) - 1
    match op:
        case "+":
            return lambda left, right: wrap(left + right)
        case "-":
            return lambda left, right: wrap(left - right)
        case "*":
            return lambda left, right: wrap(left * right)
        case "/":
            return lambda left, right: wrap(quotient(left, right))
        case "%":
            return lambda left, right: wrap(remainder(left, right))
        case "&":
            return lambda left, right: left & right
        case "|":
            return lambda left, right: left | right
        case "^":
            return lambda left, right: left ^ right
        case "<<":
            return lambda left, right: wrap(left << (right & last))
        case ">>":
            return lambda left, right: left >> (right & last)
    raise ValueError(f"'{op}' is no binary operator")
