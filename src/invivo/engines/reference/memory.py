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

__all__ = ["context_bytes", "load", "place", "read", "read_bytes", "read_string"]


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
    address, space, site, wrap = c.scalar(expr.address), expr.space, c.site(expr.span), wrapper(expr.type)
    if expr.bits is None:
        size = _scalar_size(expr.type)
        return lambda f: wrap(int.from_bytes(read(f, space, address(f), size, site), "little"))
    offset, width = expr.bits
    first, shift = divmod(offset, 8)
    size = (shift + width + 7) // 8
    is_signed = isinstance(expr.type, Int | Enum) and expr.type.signed
    mask, sign = (1 << width) - 1, 1 << width - 1

    def load_bits(f: Firing) -> int:
        data = read(f, space, address(f) + first, size, site)
        value = int.from_bytes(data, "little") >> shift & mask
        return (value ^ sign) - sign if is_signed else value

    return load_bits


def place(
    c: Compiler, target: Load
) -> tuple[Scalar, Callable[[Firing, int], int], Callable[[Firing, int, int], None]]:
    """A scalar in the firing's own memory: where it is (checked), how it is loaded, how stored."""
    address, site = c.scalar(target.address), c.site(target.span)
    size, wrap = _scalar_size(target.type), wrapper(target.type)
    mask = (1 << 8 * size) - 1

    def where(f: Firing) -> int:
        try:
            return f.own(address(f), size)
        except Raised as fault:
            fault.site = fault.site if fault.site >= 0 else site
            raise

    def load_it(f: Firing, at: int) -> int:
        return wrap(int.from_bytes(f.memory[at : at + size], "little"))

    def store(f: Firing, at: int, value: int) -> None:
        f.memory[at : at + size] = (value & mask).to_bytes(size, "little")

    return where, load_it, store


def read_bytes(c: Compiler, expr: Memory, size: int) -> Callable[[Firing], bytes]:
    """A structure or array by value."""
    address, space, site = c.scalar(expr.address), expr.space, c.site(expr.span)
    return lambda f: read(f, space, address(f), size, site)


def read_string(c: Compiler, expr: ReadString) -> Text:
    """The string at an address, cut to its type's size and to `limit`."""
    assert isinstance(expr.type, String)
    address, space, site = c.scalar(expr.address), expr.space, c.site(expr.span)
    most = max(expr.type.size - 1, 0)
    limit = c.scalar(expr.limit) if expr.limit is not None else None

    def text(f: Firing) -> bytes:
        start = address(f) & MASK
        wanted = most if limit is None else min(limit(f) & MASK, most)
        if space is Space.SCRATCH:
            read(f, space, start, 1, site)
            return bytes(f.memory[start : start + wanted]).partition(b"\0")[0]
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
