"""USDT arguments: an operand of the note, as an expression over the registers at the probe.

    Operand(4, True, False, "memory", "rsp", displacement=112)
    ->  Load(ContextBytes(152) + 112, USER, int32_t)

A symbol's address is reckoned from the program counter, so that it holds wherever the file is mapped.
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.errors import UnsupportedError
from invivo.linux.arch import registers
from invivo.linux.arch.x86_64_parts import PARTS
from invivo.program.clauses import ProbeArg
from invivo.program.nodes import Binary, ContextAddress, ContextBytes, Convert, Expr, IntLit, Load, Memory
from invivo.program.types import INT64, ULONG, Float, Int, Pointer, Space, Type
from invivo.providers.expressions import Maker
from invivo.source import Span
from invivo.symbols.stapsdt import Operand

__all__ = ["argument", "operand_type"]

_MASK = (1 << 64) - 1


def operand_type(operand: Operand) -> Type:
    """`int32_t`, `uint8_t` ... by the operand's size and sign; `double` or `float`."""
    if operand.is_float:
        return Float("float" if operand.size == 4 else "double", operand.size)
    return Int(f"{'' if operand.is_signed else 'u'}int{8 * operand.size}_t", operand.size, operand.is_signed)


def argument(index: int, operand: Operand, probe: str, address_of: Callable[[str], int | None], site: int) -> ProbeArg:
    """Argument `index` of `probe`, whose site is at link-time address `site`. `address_of` gives that of a symbol."""
    name = f"arg{index}"
    type_ = operand_type(operand)
    reason = _reason(operand, address_of)
    if reason:

        def refuse(span: Span) -> Expr:
            raise UnsupportedError(f"{name} of {probe} cannot be read: {reason}")

        return ProbeArg(name, type_, refuse)
    return ProbeArg(name, type_, _value(operand, type_, address_of, site))


def _reason(operand: Operand, address_of: Callable[[str], int | None]) -> str:
    if operand.kind == "unreadable":
        return operand.symbol
    for register in (operand.base, operand.index_register):
        if register and register not in PARTS:
            return f"'{register}' is no register that the kernel hands to probes"
    if operand.kind == "memory" and operand.symbol and address_of(operand.symbol) is None:
        return f"it lies at the symbol '{operand.symbol}', of which the file does not tell the address (it is stripped)"
    return ""


def _value(operand: Operand, type_: Type, address_of: Callable[[str], int | None], site: int) -> Maker:
    if operand.kind == "constant":
        return lambda span: _constant(operand, type_, span)
    if operand.kind == "register":
        part = PARTS[operand.base]
        if isinstance(type_, Float):
            pointer = Pointer(type_, Space.KERNEL)
            return lambda span: Memory(ContextAddress(part.offset, pointer, span), Space.KERNEL, type_, span)
        if operand.size <= part.size:
            return lambda span: ContextBytes(part.offset, type_, span)
        return lambda span: Convert(ContextBytes(part.offset, Int("", part.size, False), span), type_, span)

    def make(span: Span) -> Expr:
        place = _address(operand, address_of, site, span)
        if isinstance(type_, Float):
            return Memory(place, Space.USER, type_, span)
        return Load(place, Space.USER, type_, span)

    return make


def _constant(operand: Operand, type_: Type, span: Span) -> Expr:
    value = operand.displacement & (1 << 8 * operand.size) - 1
    if isinstance(type_, Int) and type_.signed and value >> 8 * operand.size - 1:
        value -= 1 << 8 * operand.size
    shown = type_ if isinstance(type_, Int) else INT64
    return IntLit(value, shown, span)


def _address(operand: Operand, address_of: Callable[[str], int | None], site: int, span: Span) -> Expr:
    """base + index * scale + displacement; for a symbol, its distance from the site is added to the program counter."""
    total: Expr | None = None
    displacement = operand.displacement
    if operand.symbol:
        target = address_of(operand.symbol)
        assert target is not None, "asked before"
        displacement += target - site
        total = ContextBytes(registers().offsets["ip"], ULONG, span)
    if operand.base:
        total = _sum(total, _register(operand.base, span), span)
    if operand.index_register:
        index = _register(operand.index_register, span)
        total = _sum(total, Binary("*", index, IntLit(operand.scale, ULONG, span), ULONG, span), span)
    constant = IntLit(displacement & _MASK, ULONG, span)
    return constant if total is None else _sum(total, constant, span) if displacement else total


def _sum(left: Expr | None, right: Expr, span: Span) -> Expr:
    return right if left is None else Binary("+", left, right, ULONG, span)


def _register(name: str, span: Span) -> Expr:
    part = PARTS[name]
    if part.size == 8:
        return ContextBytes(part.offset, ULONG, span)
    return Convert(ContextBytes(part.offset, Int("", part.size, False), span), ULONG, span)
