"""Strings: where they lie, how they are copied and compared.

A string value is a `Str`: the address of a NUL-terminated buffer and its capacity. Values made here get a slot of
their own; variables and literals are used where they lie. Copies go through the kernel's own string copy,
bpf_probe_read_kernel_str, which stops at the NUL and is faster than any loop of instructions.

    copyinstr(arg1)             bpf_probe_read_user_str(slot, 256, address), a fault where it fails
    execname == "dd"            three bytes of the slot against constants
    strjoin(a, b) < c           a loop over bytes
"""

from __future__ import annotations

import struct

from invivo.codegen import expressions, memory, names, primitives, structures, variables
from invivo.codegen.emitter import Emitter, Helper, Str
from invivo.codegen.ir import ONE, ZERO, Block, Value, const
from invivo.program.layout import round_up
from invivo.program.nodes import (
    Assign,
    Call,
    Comma,
    Conditional,
    Element,
    Expr,
    InlineCall,
    ProbeName,
    ReadString,
    StrCompare,
    StrLit,
    VarRef,
)
from invivo.program.plan import FaultKind
from invivo.program.types import Space, String
from invivo.program.walk import walk

__all__ = ["capacity_of", "compare", "copy", "operand", "string", "string_into", "zero_before"]

_PAGE = 4096  # or larger: what is brought in then is only less than could be
_INLINE_LITERAL = 32  # longer literals are copied from the read-only data
_INLINE_COMPARISON = 40  # longer ones are compared in a loop


def capacity_of(expr: Expr) -> int:
    """Bytes that a string expression's value takes at most, its NUL included."""
    if not isinstance(expr.type, String):
        raise TypeError(f"{type(expr).__name__} is not a string")
    return max(expr.type.size, 1)


def string(e: Emitter, expr: Expr) -> Str:
    """The value of a string expression, by reference: to be used before anything may change it."""
    match expr:
        case StrLit(value):
            # Padded to words, so that it may be read as words.
            size = round_up(len(value) + 1, 8)
            return Str(e.module.constant(value.ljust(size, b"\0")), size, value)
        case VarRef() | Element():
            return variables.read_string(e, expr)
        case ReadString() | Call() | Conditional():
            capacity = capacity_of(expr)
            slot = e.slot(capacity)
            string_into(e, expr, slot, capacity)
            return Str(slot, capacity)
        case Assign():
            return variables.assign_string(e, expr)
        case Comma(first, second):
            expressions.evaluate(e, first)
            return e.string(second)
        case ProbeName(component):
            return names.name_string(e, component)
        case InlineCall():
            capacity = capacity_of(expr)
            slot = e.slot(capacity)
            e.out.store(const(0, "i8"), slot)
            expressions.inline_call(e, expr, slot)
            return Str(slot, capacity)
        case _:
            raise TypeError(f"{type(expr).__name__} is not a string")


def operand(e: Emitter, expr: Expr, *later: Expr) -> Str:
    """A string that is used when `later` have been evaluated: what they may change is copied before."""
    value = e.string(expr)
    if not _lies_in_variable(expr) or not any(_assigns_string(node) for other in later for node in walk(other)):
        return value
    slot = e.slot(value.capacity)
    copy(e, value, slot, value.capacity)
    return Str(slot, value.capacity, value.literal)


def _lies_in_variable(expr: Expr) -> bool:
    return isinstance(expr, VarRef | Element | Assign) or (isinstance(expr, Comma) and _lies_in_variable(expr.second))


def _assigns_string(node: object) -> bool:
    return isinstance(node, Assign) and isinstance(node.type, String)


def string_into(e: Emitter, expr: Expr, place: Value, capacity: int) -> Value | None:
    """Put a string, cut to fit, into a buffer; yields its length with the NUL, where that comes for free.

    The buffer must not be one that the expression reads.
    """
    match expr:
        case ReadString():
            return _read(e, expr, place, min(capacity, capacity_of(expr)))
        case Call():
            with e.temporaries():
                return primitives.string_call(e, expr, place, min(capacity, capacity_of(expr)))
        case Conditional(condition, then, other):
            is_true = e.is_true(e.scalar(condition))
            yes, no, done = e.out.new_block("then"), e.out.new_block("else"), e.out.new_block("chosen")
            e.out.branch_if(is_true, yes, no)
            e.out.enter(yes)
            string_into(e, then, place, capacity)
            e.out.branch(done)
            e.out.enter(no)
            string_into(e, other, place, capacity)
            e.out.enter(done)
            return None
        case _:
            return copy(e, e.string(expr), place, capacity)


def copy(e: Emitter, source: Str, place: Value, capacity: int) -> Value:
    """Copy a string, cut to fit; yields its length with the NUL."""
    if source.literal is not None:
        data = source.literal[: capacity - 1] + b"\0"
        if len(data) <= _INLINE_LITERAL:
            _store_bytes(e, data, place)
        else:
            e.out.call(Helper.READ_KERNEL, place, const(len(data)), e.module.constant(data))
        return const(len(data))
    return e.out.call(Helper.READ_KERNEL_STRING, place, const(min(capacity, source.capacity)), source.address)


def _store_bytes(e: Emitter, data: bytes, place: Value) -> None:
    """Constant bytes; `place` may have any alignment, which the verifier allows where the machine does."""
    position = 0
    for size in (8, 4, 2, 1):
        while len(data) - position >= size:
            number = int.from_bytes(data[position : position + size], "little")
            e.out.store(const(number, f"i{size * 8}"), e.out.offset(place, position), size)
            position += size


def zero_before(e: Emitter, expr: Expr, base: Value, offset: int, size: int) -> None:
    """Zero a key's string field before it is written, as far as the writing itself will not."""
    if isinstance(expr, Call) and expr.primitive == "comm" and size <= 16:
        return  # bpf_get_current_comm pads with zeros
    e.fill_zero(base, offset, offset + size)


def _read(e: Emitter, expr: ReadString, place: Value, capacity: int) -> Value:
    is_own = expr.space in structures.OWN_SPACES
    address = ZERO if is_own else e.scalar(expr.address)
    size = const(capacity)
    if expr.limit is not None:  # so many bytes, and the NUL
        size = e.at_most(e.out.add(e.at_most(e.scalar(expr.limit), capacity - 1), ONE), capacity)
    if is_own:
        address = e.out.to_integer(structures.pointer(e, expr, 1).value)
    helper = Helper.READ_USER_STRING if expr.space is Space.USER else Helper.READ_KERNEL_STRING
    length = e.out.call(helper, place, size, address)
    if expr.space is Space.USER and e.may_sleep:
        # The page of its beginning is brought in, then the one behind, into which it may run.
        for page in (address, e.out.add(e.out.binary("or", address, const(_PAGE - 1)), ONE)):
            with memory.retried(e, e.out.compare("slt", length, ZERO), length) as again:
                e.out.call(Helper.COPY_FROM_USER, e.word, ONE, page)
                again.append(e.out.call(helper, place, size, address))
            length = again[0]
    e.fault_if(e.out.compare("slt", length, ZERO), FaultKind.BADADDR, address, expr.span)
    return length


# --- comparison -------------------------------------------------------------------------------------------------------

_PREDICATES = {"==": "eq", "!=": "ne", "<": "slt", "<=": "sle", ">": "sgt", ">=": "sge"}


def compare(e: Emitter, expr: StrCompare) -> Value:
    """0 or 1: two strings compared as strcmp(3) does, by unsigned bytes."""
    if expr.op in ("==", "!="):
        pairs = ((expr.left, expr.right), (expr.right, expr.left))
        for one, other in pairs:
            if isinstance(one, ProbeName) and isinstance(other, StrLit):
                return _truth_of(e, expr.op, names.is_name(e, one.component, other.value))
        for one, other in pairs:
            if isinstance(other, StrLit):
                return _truth_of(e, expr.op, _equals_literal(e, e.string(one), other.value))
    left = operand(e, expr.left, expr.right)
    right = e.string(expr.right)
    return e.truth(e.out.compare(_PREDICATES[expr.op], _difference(e, left, right), ZERO))


def _truth_of(e: Emitter, op: str, is_equal: Value) -> Value:
    result = e.truth(is_equal)
    return result if op == "==" else e.out.binary("xor", result, ONE)


def _equals_literal(e: Emitter, value: Str, literal: bytes) -> Value:
    """An i1: the bytes up to and with the literal's NUL, compared by words; equal ones differ in no bit."""
    data = literal + b"\0"
    if value.literal is not None:
        return const(int(value.literal == literal), "i1")
    if len(data) > value.capacity:
        return const(0, "i1")
    mismatch, done = e.out.new_block("differs"), e.out.new_block("compared")
    position = 0
    if len(data) > _INLINE_COMPARISON:
        position = len(data) & -8
        _compare_words(e, value.address, data[:position], mismatch)
    return _words_equal(e, value.address, data, position, mismatch, done)


def _compare_words(e: Emitter, address: Value, data: bytes, mismatch: Block) -> None:
    """Go to `mismatch` where the words of `data` are not at the address."""
    constant = e.module.constant(data)
    with e.loop(len(data) // 8) as (index, _):
        distance = e.out.binary("shl", index, const(3))
        found, wanted = (e.out.load(e.out.offset(base, distance)) for base in (address, constant))
        same = e.out.new_block("same")
        e.out.branch_if(e.out.compare("eq", found, wanted), same, mismatch)
        e.out.enter(same)


def _words_equal(e: Emitter, address: Value, data: bytes, position: int, mismatch: Block, done: Block) -> Value:
    for size in (8, 4, 2, 1):
        while len(data) - position >= size:
            (number,) = struct.unpack_from({8: "<Q", 4: "<I", 2: "<H", 1: "<B"}[size], data, position)
            loaded = e.out.load(e.out.offset(address, position), f"i{size * 8}")
            following = e.out.new_block("next")
            is_same = e.out.compare("eq", loaded, const(number, f"i{size * 8}"))
            e.out.branch_if(is_same, following, mismatch)
            e.out.enter(following)
            position += size
    same = e.out.block
    e.out.branch(done)
    e.out.enter(mismatch)
    e.out.enter(done)
    return e.out.phi([(const(1, "i1"), same), (const(0, "i1"), mismatch)])


def _difference(e: Emitter, left: Str, right: Str) -> Value:
    """Below, at or above 0, as left is to right."""
    result = e.out.alloca(8)
    e.out.store(ZERO, result)
    with e.loop(min(left.capacity, right.capacity)) as (index, after):
        a = e.out.extend(e.out.load(e.out.offset(left.address, index), "i8"), False)
        b = e.out.extend(e.out.load(e.out.offset(right.address, index), "i8"), False)
        difference = e.out.sub(a, b)
        e.out.store(difference, result)
        ends = e.out.binary("or", e.out.compare("ne", difference, ZERO), e.out.compare("eq", a, ZERO))
        more = e.out.new_block("more")
        e.out.branch_if(ends, after, more)
        e.out.enter(more)
    return e.out.load(result)
