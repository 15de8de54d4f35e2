"""BPF instructions as text, for people who read what was generated, and for tests that count it.

    0: r6 = r1
    1: r0 = call get_current_pid_tgid
    2: if r0 == 0 goto 5

Source: Documentation/bpf/standardization/instruction-set.rst.
"""

from __future__ import annotations

from invivo.bpf.instructions import Instruction, decode
from invivo.codegen.emitter import Helper
from invivo.codegen.objects import COOKIE, MAY_GOTO
from invivo.program.plan import Relocation, UnitPlan

__all__ = ["disassemble", "instructions"]

_ALU = {
    0: "+=", 1: "-=", 2: "*=", 3: "/=", 4: "|=", 5: "&=", 6: "<<=", 7: ">>=", 9: "%=", 10: "^=", 11: "=", 12: "s>>=",
}  # fmt: skip
_JUMP = {
    1: "==", 2: ">", 3: ">=", 4: "&", 5: "!=", 6: "s>", 7: "s>=", 10: "<", 11: "<=", 12: "s<", 13: "s<=",
}  # fmt: skip
_SIZE = {0: "u32", 1: "u16", 2: "u8", 3: "u64"}
_CALLS = {MAY_GOTO: "may_goto", COOKIE: "cookie", **{helper.value: helper.name.lower() for helper in Helper}}


def instructions(code: bytes) -> list[tuple[int, Instruction]]:
    """(index, instruction) of each; the second half of a 64-bit load is left out."""
    found = []
    index = 0
    while index < len(code) // 8:
        found.append((index, decode(code, index)))
        index += 2 if found[-1][1].opcode == 0x18 else 1
    return found


def disassemble(unit: UnitPlan) -> str:
    """The program as text, a line an instruction."""
    patches = {relocation.at: relocation for relocation in unit.relocations}
    return "\n".join(
        f"{index:4}: {_text(index, one, patches.get(index), unit.code)}" for index, one in instructions(unit.code)
    )


def _text(index: int, one: Instruction, patch: Relocation | None, code: bytes) -> str:
    opcode, dst, src, offset, immediate = one
    kind, operation = opcode & 7, opcode >> 4
    other = f"r{src}" if opcode & 8 else str(immediate)
    match kind:
        case 0 if opcode == 0x18:
            if patch is not None:
                return f"r{dst} = {patch.kind} {patch.value}+{patch.offset}"
            high = decode(code, index + 1).immediate
            return f"r{dst} = {(high << 32 | immediate & 0xFFFFFFFF):#x} ll"
        case 1:
            sign = "s" if opcode >> 5 == 4 else ""
            return f"r{dst} = {sign}*({_SIZE[opcode >> 3 & 3]})(r{src} {offset:+})"
        case 2 | 3:
            place = f"*({_SIZE[opcode >> 3 & 3]})(r{dst} {offset:+})"
            if opcode >> 5 == 6:
                return f"atomic {immediate:#x} {place} r{src}"
            return f"{place} = {f'r{src}' if kind == 3 else immediate}"
        case 4 | 7:
            letter = "w" if kind == 4 else "r"
            other = f"{letter}{src}" if opcode & 8 else str(immediate)
            if operation == 8:
                return f"{letter}{dst} = -{letter}{dst}"
            if operation == 13:
                return f"{letter}{dst} = swap{immediate} {letter}{dst}"
            return f"{letter}{dst} {_ALU[operation]} {other}"
        case 5 | 6:
            if operation == 0:
                return f"goto {index + 1 + offset}"
            if operation == 8:
                return f"r0 = call {_CALLS.get(immediate, immediate)}"
            if operation == 9:
                return "exit"
            letter = "r" if kind == 5 else "w"
            other = f"{letter}{src}" if opcode & 8 else str(immediate)
            return f"if {letter}{dst} {_JUMP[operation]} {other} goto {index + 1 + offset}"
    return str(one)
