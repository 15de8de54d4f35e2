"""BPF instructions as bytes: eight each, or sixteen for a 64-bit immediate; and the patches made before loading.

    | opcode u8 | dst:4 src:4 | offset s16 | immediate s32 |

Source: Documentation/bpf/standardization/instruction-set.rst.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from invivo.bpf import uapi

__all__ = [
    "Instruction", "decode", "encode", "patch_call", "patch_constant", "patch_map_fd", "patch_map_value",
    "rewrite_may_goto",
]  # fmt: skip

_FORM = struct.Struct("<BBhi")

_LD_IMM64 = 0x18
_JA = 0x05
_JEQ_IMM, _JNE_IMM = 0x15, 0x55
_JEQ32_IMM, _JNE32_IMM = 0x16, 0x56
_CALL = 0x85
_MOV_IMM = 0xB7
_JCOND = 0xE5  # Linux 6.9 (011832b97b31): may_goto is its only kind


class Instruction(NamedTuple):
    opcode: int
    dst: int = 0
    src: int = 0
    offset: int = 0
    immediate: int = 0


def encode(instruction: Instruction) -> bytes:
    """The eight bytes of an instruction."""
    opcode, dst, src, offset, immediate = instruction
    return _FORM.pack(opcode, src << 4 | dst, offset, immediate)


def decode(code: bytes | bytearray, index: int) -> Instruction:
    """The instruction at `index` (counted in eights of bytes)."""
    opcode, registers, offset, immediate = _FORM.unpack_from(code, index * 8)
    return Instruction(opcode, registers & 15, registers >> 4, offset, immediate)


def patch_map_fd(code: bytearray, index: int, fd: int) -> None:
    """Make the 64-bit load at `index` one of a map."""
    _patch_load(code, index, uapi.BPF_PSEUDO_MAP_FD, fd, 0)


def patch_map_value(code: bytearray, index: int, fd: int, offset: int) -> None:
    """Make the 64-bit load at `index` one of the address of a single-entry map's value, plus `offset` bytes."""
    _patch_load(code, index, uapi.BPF_PSEUDO_MAP_VALUE, fd, offset)


def patch_call(code: bytearray, index: int, helper: int) -> None:
    """Make the call at `index` one of a helper by number."""
    _expect_call(code, index)
    code[index * 8 : index * 8 + 8] = encode(Instruction(_CALL, immediate=helper))


def patch_constant(code: bytearray, index: int, value: int) -> None:
    """Make the call at `index` yield a constant instead."""
    _expect_call(code, index)
    code[index * 8 : index * 8 + 8] = encode(Instruction(_MOV_IMM, immediate=value))


def rewrite_may_goto(code: bytearray, index: int) -> None:
    """Make the made-up call at `index`, and the jump on its result (r0 == 0: leave the loop), one may_goto.

    The generator cannot emit may_goto itself. A call clobbers r0 to r5 and may_goto nothing, so the code around stays
    right. Instructions between call and jump are moved up by one.
    """
    _expect_call(code, index)
    jump = index + 1
    while (found := decode(code, jump)).opcode not in (_JEQ_IMM, _JNE_IMM, _JEQ32_IMM, _JNE32_IMM) or found.dst != 0:
        if found.opcode & 7 in (5, 6):
            raise ValueError(f"no jump on the result of the call at {index}")
        jump += 1
    if found.immediate != 0:
        raise ValueError(f"the jump at {jump} does not compare with 0")
    code[index * 8 : (jump - 1) * 8] = code[(index + 1) * 8 : jump * 8]
    if found.opcode in (_JEQ_IMM, _JEQ32_IMM):
        pair = Instruction(_JCOND, offset=found.offset + 1), Instruction(_JA)
    else:
        pair = Instruction(_JCOND, offset=1), Instruction(_JA, offset=found.offset)
    code[(jump - 1) * 8 : (jump + 1) * 8] = encode(pair[0]) + encode(pair[1])


def _patch_load(code: bytearray, index: int, pseudo: int, low: int, high: int) -> None:
    load = decode(code, index)
    if load.opcode != _LD_IMM64:
        raise ValueError(f"instruction {index} is not a 64-bit load (opcode {load.opcode:#x})")
    code[index * 8 : index * 8 + 8] = encode(load._replace(src=pseudo, immediate=low))
    code[index * 8 + 8 : index * 8 + 16] = encode(Instruction(0, immediate=high))


def _expect_call(code: bytearray, index: int) -> None:
    if decode(code, index).opcode != _CALL:
        raise ValueError(f"instruction {index} is not a call (opcode {decode(code, index).opcode:#x})")
