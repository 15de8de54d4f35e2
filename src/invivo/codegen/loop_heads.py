"""Loops for verifiers that take a way back only where it is a jump.

    11: goto 14                     11: goto 15
    12: r1 += 1                     12: r1 += 1
                                    13: goto 14
    13: if r2 != 0 goto 12          14: if r2 != 0 goto 12
                                                                    (before and after)

LLVM may lay a loop's body before its head, so that it runs into the head without a jump. The walk over the control
flow in kernel/bpf/verifier.c refused that ("back-edge from insn 12 to 13") until Linux 6.8, though it knew bounded
loops since 5.3. A jump to the next instruction, put between, is removed again by the verifier.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from invivo.codegen.objects import Code

__all__ = ["jump_into_loops"]

_CALL, _EXIT, _LD_IMM64 = 0x85, 0x95, 0x18
_JUMP_CLASSES = (5, 6)  # BPF_JMP, BPF_JMP32
_JA = 0x05
_FORM = struct.Struct("<BBhi")


class _Instruction(NamedTuple):
    opcode: int
    registers: int = 0
    offset: int = 0
    immediate: int = 0


def jump_into_loops(code: Code) -> Code:
    """The same function with a jump wherever an instruction could run on into a loop's head from inside the loop."""
    instructions = [_Instruction(*row) for row in _FORM.iter_unpack(code.code)]
    jumps = _jumps(instructions)
    places = sorted(_places(instructions, jumps))
    if not places:
        return code
    moved = []  # new index of each old one
    inserted = 0
    for index in range(len(instructions) + 1):
        # A jump to the head itself goes past the inserted one.
        inserted += inserted < len(places) and places[inserted] == index
        moved.append(index + inserted)
    out: list[bytes] = []
    for index, instruction in enumerate(instructions):
        if moved[index] != len(out):
            out.append(_FORM.pack(*_Instruction(_JA)))
        if index in jumps:
            instruction = instruction._replace(offset=moved[jumps[index]] - moved[index] - 1)
        out.append(_FORM.pack(*instruction))
    relocations = tuple(each._replace(at=moved[each.at]) for each in code.relocations)
    return Code(b"".join(out), relocations)


def _jumps(instructions: list[_Instruction]) -> dict[int, int]:
    """Index of each jump, and of where it goes."""
    found = {}
    skip = False
    for index, instruction in enumerate(instructions):
        if not skip and _is_jump(instruction):
            found[index] = index + 1 + instruction.offset
        skip = not skip and instruction.opcode == _LD_IMM64
    return found


def _is_jump(instruction: _Instruction) -> bool:
    return instruction.opcode & 7 in _JUMP_CLASSES and instruction.opcode not in (_CALL, _EXIT)


def _places(instructions: list[_Instruction], jumps: dict[int, int]) -> set[int]:
    """Heads of loops (entered from before the body) that the instruction before them runs into."""
    entered = {target for source, target in jumps.items() if source < target - 1}
    left = [(target, source) for source, target in jumps.items() if target <= source]
    found = set()
    for head in entered:
        before = head - 1
        runs_on = before not in jumps and instructions[before].opcode != _EXIT
        if runs_on and any(target <= before and source >= head for target, source in left):
            found.add(head)
    return found
