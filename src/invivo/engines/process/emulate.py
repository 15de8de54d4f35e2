"""Instructions that breakpoints stand on, carried out by the tracer: no single step, and the breakpoint stays.

    carry_out = emulator(b"\\x55")               push %rbp
    carry_out(registers, write)                 registers[RSP] -= 8, write(address, data), registers[RIP] += 1

`registers` are the 27 words of struct user_regs_struct, changed in place; `write` and `read` are of the process's
memory. What begins functions and what USDT probes stand on is here; None is for an instruction that must be stepped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["RIP", "RSP", "Emulator", "Registers", "emulator", "length_of"]

# struct user_regs_struct, <sys/user.h>
_NAMES = (
    "R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX", "RSI", "RDI", "ORIG_RAX",
    "RIP", "CS", "EFLAGS", "RSP",
)  # fmt: skip
_INDEX = {name: index for index, name in enumerate(_NAMES)}
RIP, RSP, _FLAGS = _INDEX["RIP"], _INDEX["RSP"], _INDEX["EFLAGS"]

_MASK = (1 << 64) - 1
_CF, _PF, _AF, _ZF, _SF, _OF = 1, 4, 0x10, 0x40, 0x80, 0x800
_ARITHMETIC = _CF | _PF | _AF | _ZF | _SF | _OF


class Registers(Protocol):
    """The words of struct user_regs_struct, in place."""

    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


_Write = Callable[[int, bytes], bool]
_Read = Callable[[int, int], bytes]
# Changes the registers; False if memory could not be read or written, and nothing was changed.
Emulator = Callable[[Registers, _Write, _Read], bool]


def length_of(code: bytes) -> int:
    """The length of the first instruction; 0 if it is none."""
    instruction = _decode(code, 0)
    return 0 if instruction is None else instruction.len


def _decode(code: bytes, address: int) -> Any:
    from iced_x86 import Decoder

    for instruction in Decoder(64, code[:16], ip=address):
        return None if instruction.is_invalid else instruction
    return None


def emulator(code: bytes, address: int) -> Emulator | None:
    """What carries out the first instruction of `code`, which lies at an address; None if it has to be stepped."""
    instruction = _decode(code, address)
    if instruction is None:
        return None
    from iced_x86 import Mnemonic

    then = instruction.next_ip & _MASK
    match instruction.mnemonic:
        case Mnemonic.NOP | Mnemonic.ENDBR64:
            return _goto(then)
        case Mnemonic.PUSH:
            register = _register(instruction, 0, 64)
            return None if register is None else _push(register, then)
        case Mnemonic.MOV if _kinds().MEMORY in (instruction.op0_kind, instruction.op1_kind):
            return _move(instruction, then)
        case Mnemonic.LEA:
            return _lea(instruction, then)
        case (
            Mnemonic.MOV | Mnemonic.XOR | Mnemonic.TEST | Mnemonic.SUB | Mnemonic.CMP | Mnemonic.ADD | Mnemonic.AND
            | Mnemonic.OR
        ):  # fmt: skip
            return _data(instruction, then)
        case Mnemonic.JMP if instruction.op0_kind == _kinds().NEAR_BRANCH64:
            return _goto(instruction.near_branch_target)
        case Mnemonic.CALL if instruction.op0_kind == _kinds().NEAR_BRANCH64:
            return _call(instruction.near_branch_target, then)
        case Mnemonic.RET if instruction.op_count == 0:
            return _return
    return None


def _kinds() -> Any:
    from iced_x86 import OpKind

    return OpKind


def _register(instruction: Any, operand: int, bits: int) -> int | None:
    """The index of a register operand of that width; None if it is none."""
    from iced_x86 import RegisterInfo

    if instruction.op_kind(operand) != _kinds().REGISTER:
        return None
    info = RegisterInfo(instruction.op_register(operand))
    return _full(info.full_register) if info.size * 8 == bits else None


def _full(register: int) -> int | None:
    from iced_x86 import Register

    for name in _NAMES:
        if getattr(Register, name, None) == register:
            return _INDEX[name]
    return None


# --- instructions -----------------------------------------------------------------------------------------------------


def _goto(target: int) -> Emulator:
    def carry_out(r: Registers, write: _Write, read: _Read) -> bool:
        r[RIP] = target
        return True

    return carry_out


def _push(register: int, then: int) -> Emulator:
    def carry_out(r: Registers, write: _Write, read: _Read) -> bool:
        if not write(r[RSP] - 8 & _MASK, r[register].to_bytes(8, "little")):
            return False
        r[RSP] = r[RSP] - 8 & _MASK
        r[RIP] = then
        return True

    return carry_out


def _call(target: int, then: int) -> Emulator:
    def carry_out(r: Registers, write: _Write, read: _Read) -> bool:
        if not write(r[RSP] - 8 & _MASK, then.to_bytes(8, "little")):
            return False
        r[RSP] = r[RSP] - 8 & _MASK
        r[RIP] = target
        return True

    return carry_out


def _return(r: Registers, write: _Write, read: _Read) -> bool:
    data = read(r[RSP], 8)
    if len(data) != 8:
        return False
    r[RIP] = int.from_bytes(data, "little")
    r[RSP] = r[RSP] + 8 & _MASK
    return True


def _data(instruction: Any, then: int) -> Emulator | None:
    """mov, xor, and, or, test, add, sub and cmp between registers and constants."""
    from iced_x86 import Mnemonic

    place, bits = _wide_register(instruction, 0)
    if place is None:
        return None
    mask = (1 << bits) - 1
    right = _register(instruction, 1, bits)
    constant = 0
    if right is None:
        if not _is_constant(instruction):
            return None
        constant = instruction.immediate(1) & mask
    kind = instruction.mnemonic
    combine = _COMBINE[
        {
            Mnemonic.MOV: "mov", Mnemonic.XOR: "xor", Mnemonic.TEST: "and", Mnemonic.AND: "and", Mnemonic.OR: "or",
            Mnemonic.SUB: "sub", Mnemonic.CMP: "sub", Mnemonic.ADD: "add",
        }[kind]
    ]  # fmt: skip
    has_result, has_flags = kind not in (Mnemonic.TEST, Mnemonic.CMP), kind != Mnemonic.MOV
    subtracts, adds = kind in (Mnemonic.SUB, Mnemonic.CMP), kind == Mnemonic.ADD

    def carry_out(r: Registers, write: _Write, read: _Read) -> bool:
        a, b = r[place] & mask, constant if right is None else r[right] & mask
        value = combine(a, b) & mask
        if has_flags:
            flags = _flags_of(value, bits)
            if subtracts:
                flags |= (a < b) * _CF | ((a ^ b ^ value) & _AF) | (((a ^ b) & (a ^ value)) >> (bits - 1)) * _OF
            elif adds:
                flags |= (a + b > mask) * _CF | ((a ^ b ^ value) & _AF)
                flags |= (((a ^ value) & (b ^ value)) >> (bits - 1)) * _OF
            r[_FLAGS] = r[_FLAGS] & ~_ARITHMETIC | flags
        if has_result:
            r[place] = value  # 32 bits clear the upper half
        r[RIP] = then
        return True

    return carry_out


def _wide_register(instruction: Any, operand: int) -> tuple[int | None, int]:
    """(index, bits) of a register operand of 64 or 32 bits; None for any other operand."""
    found = _register(instruction, operand, 64)
    return (found, 64) if found is not None else (_register(instruction, operand, 32), 32)


_COMBINE: dict[str, Callable[[int, int], int]] = {
    "mov": lambda a, b: b,
    "xor": lambda a, b: a ^ b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "sub": lambda a, b: a - b,
    "add": lambda a, b: a + b,
}


def _flags_of(value: int, bits: int) -> int:
    parity = (value & 0xFF).bit_count() % 2 == 0
    return parity * _PF | (value == 0) * _ZF | (value >> (bits - 1)) * _SF


def _is_constant(instruction: Any) -> bool:
    kinds = _kinds()
    return bool(instruction.op_count > 1) and instruction.op_kind(1) in (
        kinds.IMMEDIATE8, kinds.IMMEDIATE32, kinds.IMMEDIATE64, kinds.IMMEDIATE8TO32, kinds.IMMEDIATE8TO64,
        kinds.IMMEDIATE32TO64,
    )  # fmt: skip


def _address(instruction: Any) -> Callable[[Registers], int] | None:
    """What computes the address of a memory operand; None for one that is relative to a segment or a vector."""
    from iced_x86 import Register

    if instruction.segment_prefix != Register.NONE:
        return None
    if instruction.is_ip_rel_memory_operand:
        fixed = instruction.ip_rel_memory_address
        return lambda r: fixed
    base, index = _full(instruction.memory_base), _full(instruction.memory_index)
    for register, found in ((instruction.memory_base, base), (instruction.memory_index, index)):
        if register != Register.NONE and found is None:
            return None
    displacement, scale = instruction.memory_displacement, instruction.memory_index_scale

    def compute(r: Registers) -> int:
        value = displacement + (0 if base is None else r[base]) + (0 if index is None else r[index] * scale)
        return int(value & _MASK)

    return compute


def _lea(instruction: Any, then: int) -> Emulator | None:
    target, bits = _wide_register(instruction, 0)
    address = _address(instruction)
    if target is None or address is None:
        return None
    mask = (1 << bits) - 1

    def carry_out(r: Registers, write: _Write, read: _Read) -> bool:
        r[target] = address(r) & mask
        r[RIP] = then
        return True

    return carry_out


def _move(instruction: Any, then: int) -> Emulator | None:
    """mov between a register and memory."""
    is_load = instruction.op1_kind == _kinds().MEMORY
    register, bits = _wide_register(instruction, 0 if is_load else 1)
    address = _address(instruction)
    if register is None or address is None:
        return None
    size = bits // 8

    def load(r: Registers, write: _Write, read: _Read) -> bool:
        data = read(address(r), size)
        if len(data) != size:
            return False
        r[register] = int.from_bytes(data, "little")
        r[RIP] = then
        return True

    def store(r: Registers, write: _Write, read: _Read) -> bool:
        if not write(address(r), (r[register] & (1 << bits) - 1).to_bytes(size, "little")):
            return False
        r[RIP] = then
        return True

    return load if is_load else store
