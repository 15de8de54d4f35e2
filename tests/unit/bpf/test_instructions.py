"""Instructions as bytes, against the encodings of the kernel's instruction-set document, and the patches."""

from __future__ import annotations

import pytest

from invivo.bpf import uapi
from invivo.bpf.instructions import (
    Instruction,
    decode,
    encode,
    patch_call,
    patch_constant,
    patch_map_fd,
    patch_map_value,
    rewrite_may_goto,
)

# From include/linux/filter.h's macros, written out.
KNOWN = [
    (Instruction(0xB7, 0, 0, 0, 0), "b700000000000000"),  # r0 = 0
    (Instruction(0x95), "9500000000000000"),  # exit
    (Instruction(0xBF, 6, 1), "bf16000000000000"),  # r6 = r1
    (Instruction(0x7B, 10, 1, -8), "7b1af8ff00000000"),  # *(u64 *)(r10 - 8) = r1
    (Instruction(0x79, 2, 1, 16), "7912100000000000"),  # r2 = *(u64 *)(r1 + 16)
    (Instruction(0x85, 0, 0, 0, 14), "850000000e000000"),  # call bpf_get_current_pid_tgid
    (Instruction(0x07, 2, 0, 0, -4), "07020000fcffffff"),  # r2 += -4
    (Instruction(0xDB, 0, 1), "db10000000000000"),  # lock *(u64 *)(r0 + 0) += r1
]

LOAD = bytes.fromhex("1801000000000000") + bytes(8)  # r1 = 0 ll
CALL = bytes.fromhex("85000000f1ff0000")  # call 65521


@pytest.mark.parametrize(("instruction", "code"), KNOWN)
def test_known_encodings(instruction: Instruction, code: str) -> None:
    assert encode(instruction).hex() == code
    assert decode(bytes(8) + bytes.fromhex(code), 1) == instruction


def test_a_map_is_named_by_descriptor() -> None:
    code = bytearray(LOAD)
    patch_map_fd(code, 0, 9)
    assert code.hex() == "1811000009000000" + "00" * 8  # source register 1: BPF_PSEUDO_MAP_FD


def test_a_byte_of_a_map_is_named_by_descriptor_and_offset() -> None:
    code = bytearray(LOAD)
    patch_map_value(code, 0, 9, 48)
    assert code.hex() == "1821000009000000" + "0000000030000000"  # 2: BPF_PSEUDO_MAP_VALUE


def test_only_a_wide_load_can_name_a_map() -> None:
    with pytest.raises(ValueError, match="instruction 0 is not a 64-bit load"):
        patch_map_fd(bytearray(CALL), 0, 3)


def test_a_made_up_call_becomes_a_helper_or_a_constant() -> None:
    code = bytearray(CALL)
    patch_call(code, 0, uapi.BPF_FUNC_get_attach_cookie)
    assert decode(code, 0) == Instruction(0x85, immediate=174)
    patch_constant(code, 0, 7)
    assert decode(code, 0) == Instruction(0xB7, immediate=7)
    with pytest.raises(ValueError, match="is not a call"):
        patch_constant(code, 0, 7)


def test_may_goto_that_leaves_on_zero() -> None:
    code = bytearray(CALL + encode(Instruction(0x15, 0, 0, 5, 0)) + bytes(48))
    rewrite_may_goto(code, 0)
    # It jumps to 7, where the jump on zero went; the instruction after it does nothing.
    assert decode(code, 0) == Instruction(0xE5, offset=6)
    assert decode(code, 1) == Instruction(0x05, offset=0)


def test_may_goto_that_goes_on_on_not_zero() -> None:
    code = bytearray(CALL + encode(Instruction(0x55, 0, 0, -9, 0)) + bytes(16))
    rewrite_may_goto(code, 0)
    assert decode(code, 0) == Instruction(0xE5, offset=1)  # end: over the jump back
    assert decode(code, 1) == Instruction(0x05, offset=-9)


def test_what_stands_between_is_kept() -> None:
    between = encode(Instruction(0xB7, 2, 0, 0, 3))
    code = bytearray(CALL + between + encode(Instruction(0x15, 0, 0, 4, 0)) + bytes(40))
    rewrite_may_goto(code, 0)
    assert code[:8] == between
    assert decode(code, 1) == Instruction(0xE5, offset=5)
    assert decode(code, 2) == Instruction(0x05)


@pytest.mark.parametrize(
    "following",
    [
        encode(Instruction(0x15, 0, 0, 1, 5)),  # compares with 5
        encode(Instruction(0x05, offset=1)),  # jumps always
        encode(Instruction(0x85, immediate=1)),  # another call
    ],
)
def test_a_call_without_its_jump_is_refused(following: bytes) -> None:
    with pytest.raises(ValueError, match="jump"):
        rewrite_may_goto(bytearray(CALL + following + bytes(16)), 0)
