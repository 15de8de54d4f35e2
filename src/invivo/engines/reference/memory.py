"""Reads of memory and of the context; the firing's own memory is also written.

Load(KERNEL or USER)    the world reads, or it is a fault with the address
Load(SCRATCH)           the address is an offset into the firing's own memory: checked
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.engines.reference.compiler import Compiler, Scalar, Text
from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.values import MASK, wrapper
from invivo.program.nodes import ContextBytes, Load, Memory, ReadString
from invivo.program.plan import FaultKind
from invivo.program.types import Enum, Int, Space, String, Type

__all__ = ["context_bytes", "load", "read", "read_bytes", "read_string"]


def read(f: Firing, space: Space, address: int, size: int, site: int) -> bytes:
    """Memory of any space.

    Raises:
        Raised: BADADDR, with the address, where it cannot all be read.
    """
    address &= MASK
    if space is Space.SCRATCH:
        try:
            start = f.own(address, size)
        except Raised as fault:
            fault.site = site
            raise
        return bytes(f.memory[start : start + size])
    data = f.world.read(Space.USER if space is Space.USER else Space.KERNEL, address, size)
    if data is None:
        raise Raised(FaultKind.BADADDR, address, site)
    return data


def _scalar_size(type_: Type) -> int:
    return type_.size if isinstance(type_, Int | Enum) else 8


def load(c: Compiler, expr: Load) -> Scalar:
    """A scalar, or a bit-field, in memory."""
    wrap = wrapper(expr.type)
    if expr.bits is None:
        scalar = _reader(c, expr, _scalar_size(expr.type))
        return lambda f: wrap(int.from_bytes(scalar(f), "little"))
    offset, width = expr.bits
    first, shift = divmod(offset, 8)
    size = (shift + width + 7) // 8
    field = _reader(c, expr, size, first)
    is_signed = isinstance(expr.type, Int | Enum) and expr.type.signed
    mask, sign = (1 << width) - 1, 1 << width - 1

    def load_bits(f: Firing) -> int:
        value = int.from_bytes(field(f), "little") >> shift & mask
        return (value ^ sign) - sign if is_signed else value

    return load_bits


def read_bytes(c: Compiler, expr: Memory, size: int) -> Callable[[Firing], bytes]:
    """A structure or array by value."""
    return _reader(c, expr, size)


def _reader(c: Compiler, expr: Load | Memory, size: int, first: int = 0) -> Callable[[Firing], bytes]:
    """`size` bytes that begin `first` bytes behind an address; that is 0 in the program's own memory."""
    from invivo.engines.reference import structures

    if expr.space in structures.OWN_SPACES:
        return structures.reader(c, expr, size)
    address, space, site = c.scalar(expr.address), expr.space, c.site(expr.span)
    return lambda f: read(f, space, address(f) + first, size, site)


def read_string(c: Compiler, expr: ReadString) -> Text:
    """The string at an address, cut to its type's size and to `limit`."""
    from invivo.engines.reference import structures

    assert isinstance(expr.type, String)
    most = max(expr.type.size - 1, 0)
    limit = c.scalar(expr.limit) if expr.limit is not None else None
    if expr.space in structures.OWN_SPACES:
        rest = structures.reader_to_end(c, expr)
        return lambda f: rest(f)[: most if limit is None else min(limit(f) & MASK, most)].partition(b"\0")[0]
    address, space, site = c.scalar(expr.address), expr.space, c.site(expr.span)

    def text(f: Firing) -> bytes:
        start = address(f) & MASK
        wanted = most if limit is None else min(limit(f) & MASK, most)
        data = f.world.read_string(Space.USER if space is Space.USER else Space.KERNEL, start, wanted)
        if data is None:
            raise Raised(FaultKind.BADADDR, start, site)
        return data

    return text


def context_bytes(c: Compiler, expr: ContextBytes) -> Scalar:
    """A scalar in the context structure."""
    offset, size, site, wrap = expr.offset, _scalar_size(expr.type), c.site(expr.span), wrapper(expr.type)
    return lambda f: wrap(
        int.from_bytes(read(f, Space.KERNEL, f.world.context_address() + offset, size, site), "little")
    )
