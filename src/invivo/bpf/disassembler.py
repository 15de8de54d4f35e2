"""BPF instructions as text.

    disassemble(code)                        0: r6 = r1
                                             1: r0 = call 14
                                             2: if r0 == 0 goto 5
    disassemble(code, calls={14: "pid"})     1: r0 = call pid

In: an array of 8-byte instructions, names of helpers by number, and for 64-bit loads that are patched before loading
what to show instead of their value. Source: Documentation/bpf/standardization/instruction-set.rst.
"""

from __future__ import annotations

from invivo.bpf.instructions import Instruction, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["disassemble", "instructions"]

_LD_IMM64 = 0x18
_ALU = {
    0: "+=", 1: "-=", 2: "*=", 3: "/=", 4: "|=", 5: "&=", 6: "<<=", 7: ">>=", 9: "%=", 10: "^=", 11: "=", 12: "s>>=",
}  # fmt: skip
_JUMP = {
    1: "==", 2: ">", 3: ">=", 4: "&", 5: "!=", 6: "s>", 7: "s>=", 10: "<", 11: "<=", 12: "s<", 13: "s<=",
}  # fmt: skip
_SIZE = {0: "u32", 1: "u16", 2: "u8", 3: "u64"}
_SIGNED_OF = {"u32": "s32", "u16": "s16", "u8": "s8", "u64": "s64"}
_ATOMIC = {
    0x00: "+=", 0x40: "|=", 0x50: "&=", 0xA0: "^=", 0x01: "fetch +=", 0x41: "fetch |=", 0x51: "fetch &=",
    0xA1: "fetch ^=", 0xE1: "exchange", 0xF1: "compare and exchange with r0,",
}  # fmt: skip


def instructions(code: bytes) -> list[tuple[int, Instruction]]:
    """(index, instruction) of each; the second half of a 64-bit load is left out."""
    found = []
    index = 0
    while index < len(code) // 8:
        found.append((index, decode(code, index)))
        index += 2 if found[-1][1].opcode == _LD_IMM64 else 1
    return found


def disassemble(
    code: bytes, *, calls: Mapping[int, str] | None = None, loads: Mapping[int, str] | None = None
) -> str:
    """The program as text, a line an instruction. `loads` are by index."""
    lines = [(index, _text(index, one, code, calls or {}, loads or {})) for index, one in instructions(code)]
    return "\n".join(f"{index:4}: {line}" for index, line in lines)


def _text(index: int, one: Instruction, code: bytes, calls: Mapping[int, str], loads: Mapping[int, str]) -> str:
    opcode, dst, src, offset, immediate = one
    kind, operation = opcode & 7, opcode >> 4
    letter = "w" if kind in (4, 6) else "r"
    operand = f"{letter}{src}" if opcode & 8 else str(immediate)
    match kind:
        case 0 if opcode == _LD_IMM64:
            high = decode(code, index + 1).immediate & 0xFFFFFFFF
            return f"r{dst} = " + (loads.get(index) or f"{(high << 32 | immediate & 0xFFFFFFFF):#x} ll")
        case 1:
            size = _SIZE[opcode >> 3 & 3]
            return f"r{dst} = *({_SIGNED_OF[size] if opcode >> 5 == 4 else size} *)(r{src} {offset:+})"
        case 2 | 3:
            place = f"*({_SIZE[opcode >> 3 & 3]} *)(r{dst} {offset:+})"
            if opcode >> 5 == 6:
                return f"lock {place} {_ATOMIC.get(immediate, f'{immediate:#x}')} r{src}"
            return f"{place} = {f'r{src}' if kind == 3 else immediate}"
        case 4 | 7:
            if operation == 8:
                return f"{letter}{dst} = -{letter}{dst}"
            if operation == 13:
                return f"{letter}{dst} = swap{immediate} {letter}{dst}"
            if operation == 11 and offset:
                return f"{letter}{dst} = (s{offset}){operand}"
            sign = "s" if operation in (3, 9) and offset == 1 else ""
            return f"{letter}{dst} {sign}{_ALU.get(operation, '?')} {operand}"
        case 5 | 6:
            return _jump(index, one, operand, letter, calls)
    return str(one)


def _jump(index: int, one: Instruction, operand: str, letter: str, calls: Mapping[int, str]) -> str:
    match one.opcode >> 4:
        case 0:
            return f"goto {index + 1 + (one.offset if letter == 'r' else one.immediate)}"
        case 8:
            return f"r0 = call {calls.get(one.immediate, one.immediate)}"
        case 9:
            return "exit"
        case 14:
            return f"may_goto {index + 1 + one.offset}"
        case operation:
            return f"if {letter}{one.dst} {_JUMP.get(operation, '?')} {operand} goto {index + 1 + one.offset}"
