"""Scalar expressions: nodes to i64 values, by the rules of program/nodes.py.

Binary("+", x, IntLit(1)) of int      %v3 = add i64 %v2, 1; trunc to i32; sext to i64
Binary("/", x, y) signed              a fault where y is 0; udiv of the magnitudes, and the sign put back
"""

from __future__ import annotations

from typing import assert_never

from invivo.codegen import memory, names, primitives, strings, structures, variables
from invivo.codegen.emitter import Emitter, Str, Target
from invivo.codegen.ir import ONE, ZERO, Value, const
from invivo.program.nodes import (
    Assign,
    Binary,
    Call,
    Checked,
    Comma,
    Compare,
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
    Scope,
    StrCompare,
    StrLit,
    Unary,
    Update,
    VariableAddress,
    VarRef,
)
from invivo.program.plan import FaultKind
from invivo.program.types import BOOL, Enum, Int, String, Type

__all__ = ["arithmetic", "convert", "inline_call", "is_signed", "scalar"]


def scalar(e: Emitter, expr: Expr) -> Value:
    """The value of an integer or pointer expression, as an i64 extended from its type."""
    match expr:
        case IntLit(number):
            return const(number)
        case VarRef() | Element():
            return variables.read(e, expr)
        case Unary(op, operand, type_):
            value = e.scalar(operand)
            return e.canonical(e.out.sub(ZERO, value) if op == "-" else e.out.binary("xor", value, const(-1)), type_)
        case Binary():
            left = e.scalar(expr.left)
            return arithmetic(e, expr.op, left, e.scalar(expr.right), expr.type, expr)
        case Compare():
            return _compare(e, expr)
        case StrCompare():
            return strings.compare(e, expr)
        case Logical():
            return _logical(e, expr)
        case Conditional():
            return _conditional(e, expr)
        case Convert(operand, type_):
            return convert(e, e.scalar(operand), operand.type, type_)
        case VariableAddress():
            return structures.address(e, expr)
        case Checked(operand, count, _, span):
            index = e.scalar(operand)
            e.fault_if(e.out.compare("uge", index, const(count)), FaultKind.BADINDEX, index, span)
            return index
        case Load():
            return memory.load(e, expr)
        case Assign():
            return variables.assign(e, expr)
        case Update():
            return variables.update(e, expr)
        case Call():
            return primitives.scalar_call(e, expr)
        case InlineCall():
            slot = e.out.alloca(8)
            e.out.store(ZERO, slot)
            inline_call(e, expr, slot)
            return e.out.load(slot)
        case Comma(first, second):
            evaluate(e, first)
            return e.scalar(second)
        case ProbeId():
            return names.listed_id(e)
        case RuntimeConstant(offset, type_):
            return e.canonical(e.read_global(offset), type_)
        case FaultInfo(index):
            assert e.fault_info is not None
            return e.fault_info.get(index, ZERO)
        case ContextWord():
            return memory.context_word(e, expr)
        case ContextBytes():
            return memory.context_bytes(e, expr)
        case ContextAddress(offset):
            return memory.context_address(e, offset)
        case EntryAddress() | Memory() | StrLit() | ReadString() | ProbeName():
            raise TypeError(f"{type(expr).__name__} is not a scalar")
    assert_never(expr)


def evaluate(e: Emitter, expr: Expr) -> None:
    """Evaluate for the effects."""
    if isinstance(expr, Memory):
        structures.evaluate(e, expr)
    elif isinstance(expr.type, String):
        e.string(expr)
    else:
        e.scalar(expr)


def is_signed(type_: Type) -> bool:
    return isinstance(type_, Int | Enum) and type_.signed


def convert(e: Emitter, value: Value, source: Type, target: Type) -> Value:
    """C's conversion between scalar types."""
    if target == BOOL and source != BOOL:
        return e.truth(e.is_true(value))
    if isinstance(target, Int | Enum) and isinstance(source, Int | Enum):
        is_wider = target.size > source.size and (target.signed or not source.signed)
        if is_wider or target.size == 8 or (target.size == source.size and target.signed == source.signed):
            return value
    return e.canonical(value, target)


_PLAIN = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}


def arithmetic(e: Emitter, op: str, left: Value, right: Value, type_: Type, expr: Binary | Update) -> Value:
    """A binary operation on canonical values of one type; its result is wrapped to the type."""
    if op in _PLAIN:
        result = e.out.binary(_PLAIN[op], left, right)
        return result if op in "&|^" else e.canonical(result, type_)
    if op in ("<<", ">>"):
        width = type_.size * 8 if isinstance(type_, Int | Enum) else 64
        count = e.out.binary("and", right, const(width - 1))
        if op == "<<":
            return e.canonical(e.out.binary("shl", left, count), type_)
        return e.out.binary("ashr" if is_signed(type_) else "lshr", left, count)
    e.fault_if(e.out.compare("eq", right, ZERO), FaultKind.DIVZERO, ZERO, expr.span)
    if right.text.startswith("%"):
        # Of a divisor that it knows to be a power of two LLVM looks up the logarithm, in a table that cannot be loaded.
        right = e.opaque(right)
    instruction = "udiv" if op == "/" else "urem"
    if not is_signed(type_):
        return e.out.binary(instruction, left, right)
    is_negative = e.out.compare("slt", left, ZERO)
    quotient = e.out.binary(instruction, _magnitude(e, left), _magnitude(e, right))
    if op == "/":  # the remainder has the dividend's sign, the quotient that of both
        is_negative = e.out.compare("slt", e.out.binary("xor", left, right), ZERO)
    result = e.out.select(is_negative, e.out.sub(ZERO, quotient), quotient)
    return e.canonical(result, type_)


def _magnitude(e: Emitter, value: Value) -> Value:
    return e.out.select(e.out.compare("slt", value, ZERO), e.out.sub(ZERO, value), value)


_PREDICATES = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _compare(e: Emitter, expr: Compare) -> Value:
    left, right = e.scalar(expr.left), e.scalar(expr.right)
    match expr.op:
        case "==":
            predicate = "eq"
        case "!=":
            predicate = "ne"
        case op:
            predicate = ("s" if is_signed(expr.left.type) else "u") + _PREDICATES[op]
    return e.truth(e.out.compare(predicate, left, right))


def _logical(e: Emitter, expr: Logical) -> Value:
    left = e.is_true(e.scalar(expr.left))
    if expr.op == "^^":
        return e.truth(e.out.binary("xor", left, e.is_true(e.scalar(expr.right))))
    more, done = e.out.new_block("right"), e.out.new_block("logical")
    source = e.out.block
    if expr.op == "&&":
        e.out.branch_if(left, more, done)
    else:
        e.out.branch_if(left, done, more)
    e.out.enter(more)
    right = e.truth(e.is_true(e.scalar(expr.right)))
    last = e.out.block
    e.out.enter(done)
    return e.out.phi([(ZERO if expr.op == "&&" else ONE, source), (right, last)])


def _conditional(e: Emitter, expr: Conditional) -> Value:
    condition = e.is_true(e.scalar(expr.condition))
    then, other, done = e.out.new_block("then"), e.out.new_block("else"), e.out.new_block("chosen")
    e.out.branch_if(condition, then, other)
    e.out.enter(then)
    first, first_end = e.scalar(expr.then), e.out.block
    e.out.branch(done)
    e.out.enter(other)
    second, second_end = e.scalar(expr.other), e.out.block
    e.out.enter(done)
    return e.out.phi([(first, first_end), (second, second_end)])


def inline_call(e: Emitter, expr: InlineCall, result: Value) -> None:
    """A local function's body; what it returns goes to `result`: an i64's slot, or a string's buffer."""
    values = [value for _, value in expr.parameters]
    given = [
        (variable, variables.temporary(e, value, *values[number + 1 :]))
        for number, (variable, value) in enumerate(expr.parameters)
    ]
    for variable, value in given:
        variables.store_local(e, variable, value)
    for variable in variables.locals_of(expr.body):
        if all(variable is not parameter for parameter, _ in expr.parameters):
            variables.clear_local(e, variable)
    done = e.out.new_block("returned")
    place = Str(result, expr.type.size) if isinstance(expr.type, String) else result
    e.returns.append(Target(done, place))
    loops, e.loops = e.loops, []
    e.statement(expr.body)
    e.loops = loops
    e.returns.pop()
    e.out.enter(done)


def is_local(expr: Expr) -> bool:
    """Whether the expression is a variable that only this firing sees."""
    return isinstance(expr, VarRef) and expr.variable.scope in (Scope.LOCAL, Scope.CLAUSE)
