"""Reads of memory and of the context, each in the way its address space asks for.

Load(KERNEL)    bpf_probe_read_kernel(slot, size, address), a fault where it fails, then a load of the slot
Load(TRUSTED)   a plain load, where the address is a context word of a BTF tracepoint plus a constant
Load(SCRATCH)   the address is an offset into the firing's own memory: checked, then a plain load
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invivo.codegen import structures
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import NULL, ZERO, Value, const
from invivo.codegen.storage import Lifetime
from invivo.program.attach import RawTracepoint
from invivo.program.nodes import Binary, ContextBytes, ContextWord, Convert, Expr, IntLit, Load
from invivo.program.plan import FaultKind
from invivo.program.tables import FIRST_ADDRESS
from invivo.program.types import Enum, Int, Pointer, Space, Type, size_of
from invivo.source import Span

__all__ = [
    "allocate",
    "context_address",
    "context_bytes",
    "context_word",
    "copy_bytes",
    "load",
    "own_place",
    "read_into",
    "retried",
    "scratch_address",
    "scratch_bytes",
]

def _scalar_size(type_: Type) -> int:
    return type_.size if isinstance(type_, Int | Enum) else 8


def load(e: Emitter, expr: Load) -> Value:
    """A scalar, or a bit-field, in memory."""
    if expr.space in structures.OWN_SPACES:
        return structures.load(e, expr)
    if expr.bits is not None:
        return _bit_field(e, expr, *expr.bits)
    size = _scalar_size(expr.type)
    if expr.space is Space.TRUSTED and (trusted := _trusted_address(e, expr.address)) is not None:
        word, offset = trusted
        pointer = e.out.load(e.out.offset(e.out.context, word.index * 8), "ptr")
        # Kernels from 6.14 on know which of these may be NULL, and insist on a test.
        e.fault_if(e.out.compare("eq", pointer, NULL), FaultKind.BADADDR, ZERO, expr.span)
        value = e.out.load(e.out.offset(pointer, offset), f"i{size * 8}")
        result = _extend(e, value, expr.type)
        return e.scalar_of_pointer(result) if isinstance(expr.type, Pointer) else result
    read_into(e, e.word, const(size), e.scalar(expr.address), expr.space, expr.span)
    return _extend(e, e.out.load(e.word, f"i{size * 8}"), expr.type)


def _extend(e: Emitter, value: Value, type_: Type) -> Value:
    return e.out.extend(value, isinstance(type_, Int | Enum) and type_.signed)


def _bit_field(e: Emitter, expr: Load, offset: int, width: int) -> Value:
    first = offset // 8
    shift = offset - first * 8
    size = (shift + width + 7) // 8
    address = e.out.add(e.scalar(expr.address), const(first))
    e.out.store(ZERO, e.word)
    read_into(e, e.word, const(size), address, expr.space, expr.span)
    value = e.out.binary("shl", e.out.load(e.word), const(64 - shift - width))
    signed = isinstance(expr.type, Int | Enum) and expr.type.signed
    return e.out.binary("ashr" if signed else "lshr", value, const(64 - width))


def _trusted_address(e: Emitter, address: Expr) -> tuple[ContextWord, int] | None:
    """The context word and the constant distance that make up an address, if that is all there is to it."""
    if not e.has_typed_pointers:
        return None
    match address:
        case ContextWord():
            return address, 0
        case Convert(operand, type_) if size_of(type_) == 8:
            return _trusted_address(e, operand)
        case Binary("+", left, IntLit(distance)):
            inner = _trusted_address(e, left)
            return None if inner is None else (inner[0], inner[1] + distance)
        case _:
            return None


def read_into(e: Emitter, target: Value, size: Value, address: Value, space: Space, span: Span) -> None:
    """Copy `size` bytes (bounded for the verifier) of kernel or user memory; a fault where that fails."""
    helper = Helper.READ_USER if space is Space.USER else Helper.READ_KERNEL
    status = e.out.call(helper, target, size, address)
    if space is Space.USER and e.may_sleep:
        with retried(e, e.out.compare("ne", status, ZERO), status) as again:
            again.append(e.out.call(Helper.COPY_FROM_USER, target, size, address))
        status = again[0]
    e.fault_if(e.out.compare("ne", status, ZERO), FaultKind.BADADDR, address, span)


@contextmanager
def retried(e: Emitter, has_failed: Value, result: Value) -> Iterator[list[Value]]:
    """Code that tries again where `has_failed` (an i1) holds, and puts its result into the list; afterwards the list
    holds the one that counts."""
    here = e.out.block
    failed, after = e.out.new_block("absent"), e.out.new_block("read")
    e.out.branch_if(has_failed, failed, after, (0, 1))
    e.out.enter(failed)
    again: list[Value] = []
    yield again
    last = e.out.block
    e.out.branch(after)
    e.out.enter(after)
    again[:] = [e.out.phi([(result, here), (again[0], last)])]


def copy_bytes(e: Emitter, target: Value, source: Value, size: int, align: int = 8) -> None:
    """Copy a constant number of bytes between memories that the verifier knows."""
    position = 0
    while position < size:
        part = align
        while part > size - position:
            part //= 2
        type_ = f"i{part * 8}"
        value = e.out.load(e.out.offset(source, position), type_, part)
        e.out.store(value, e.out.offset(target, position), min(part, 8))
        position += part


# --- the firing's own memory ------------------------------------------------------------------------------------------


def scratch_bytes(e: Emitter) -> int:
    """Size of the firing's own memory: what alloca() and copyin() share."""
    return e.module.scratch_bytes


def _scratch_base(e: Emitter) -> Value:
    if e.own_memory is None:
        # Twice the size: an offset and a length below it are all that the verifier has to know of an access.
        e.own_memory = e.storage.reserve_scratch(2 * (1 << (scratch_bytes(e) - 1).bit_length()), Lifetime.UNIT)
    return e.storage.at(e.own_memory)


def scratch_address(e: Emitter, offset: Value, size: int | Value, span: Span) -> Value:
    """The address of `size` bytes at an offset in the firing's own memory; a fault where they are not all in it."""
    out = e.out
    length = const(size) if isinstance(size, int) else size
    end = out.add(offset, length)
    total = scratch_bytes(e)
    is_outside = out.binary(
        "or", out.compare("ult", offset, const(FIRST_ADDRESS)), out.compare("ugt", end, const(total))
    )
    is_outside = out.binary("or", is_outside, out.compare("ult", end, offset))
    e.fault_if(is_outside, FaultKind.BADADDR, offset, span)
    mask = (1 << (total - 1).bit_length()) - 1
    return out.offset(_scratch_base(e), e.opaque_mask(offset, mask))


def own_place(e: Emitter, offset: int) -> Value:
    """The address of a place in the firing's own memory that is known to lie in it."""
    return e.out.offset(_scratch_base(e), offset)


def allocate(e: Emitter, size: Value, span: Span) -> Value:
    """The offset of `size` fresh bytes of the firing's own memory; a fault (NOSCRATCH) where there are not so many."""
    if e.own_used is None:
        e.own_used = e.out.alloca(8, is_zero=True)
    if not e.own_is_fresh:
        e.own_is_fresh = True
        with e.in_block(e.firing_init):
            e.out.store(const(e.module.own_end), e.own_used)
    start = e.out.load(e.own_used)
    rounded = e.out.binary("and", e.out.add(size, const(7)), const(-8))
    total = scratch_bytes(e)
    end = e.out.add(start, rounded)
    is_short = e.out.binary("or", e.out.compare("ugt", size, const(total)), e.out.compare("ugt", end, const(total)))
    e.fault_if(is_short, FaultKind.NOSCRATCH, size, span)
    e.out.store(end, e.own_used)
    return start


# --- the context ------------------------------------------------------------------------------------------------------


def context_word(e: Emitter, expr: ContextWord, *, is_number: bool = False) -> Value:
    """Word `index` of the context. `is_number`: it is known to be no pointer."""
    value = e.out.load(e.out.offset(e.out.context, expr.index * 8))
    if e.has_typed_pointers and not is_number:
        value = e.scalar_of_pointer(value)
    return e.canonical(value, expr.type)


def context_bytes(e: Emitter, expr: ContextBytes) -> Value:
    """A scalar in the context structure."""
    size = _scalar_size(expr.type)
    is_direct = expr.offset % size == 0 and not isinstance(e.point, RawTracepoint)
    if is_direct:
        value = e.out.load(e.out.offset(e.out.context, expr.offset), f"i{size * 8}")
    else:  # the verifier wants reads of the context aligned
        read_into(e, e.word, const(size), context_address(e, expr.offset), Space.KERNEL, expr.span)
        value = e.out.load(e.word, f"i{size * 8}")
    return _extend(e, value, expr.type)


def context_address(e: Emitter, offset: int) -> Value:
    """The address of a byte of the context structure, as a number."""
    # Added last: LLVM would make `-offset - context` of a negated sum, and that the verifier refuses.
    return e.out.add(e.scalar_of_pointer(e.out.to_integer(e.out.context)), const(offset))
