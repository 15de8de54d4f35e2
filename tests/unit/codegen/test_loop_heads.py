"""Jumps put before loop heads, for old verifiers: by hand, and by a walk as the kernel does it."""

from __future__ import annotations

import pytest

from invivo.bpf.instructions import Instruction, decode, encode
from invivo.codegen import compile_program, generate
from invivo.codegen.loop_heads import jump_into_loops
from invivo.codegen.objects import Code
from invivo.program.plan import Relocation, Traits
from tests.cases.run import compiled

MOVE, ADD, JUMP, IF_NOT, EXIT = (
    Instruction(0xB7), Instruction(0x07, immediate=1), Instruction(0x05, offset=2), Instruction(0x55, offset=-3),
    Instruction(0x95),
)  # fmt: skip


def code_of(*instructions: Instruction, relocations: tuple[Relocation, ...] = ()) -> Code:
    return Code(b"".join(map(encode, instructions)), relocations)


def decoded(code: Code) -> list[Instruction]:
    return [decode(code.code, index) for index in range(len(code.code) // 8)]


def test_a_body_before_its_head_is_left_by_a_jump() -> None:
    """0 move, 1 goto 4, 2 add, 3 add, 4 if goto 2, 5 exit: the jump comes between 3 and 4."""
    before = code_of(MOVE, JUMP, ADD, ADD, IF_NOT, EXIT, relocations=(Relocation(0, "map"), Relocation(5, "cookie")))
    after = jump_into_loops(before)
    assert decoded(after) == [
        MOVE, Instruction(0x05, offset=3), ADD, ADD, Instruction(0x05), Instruction(0x55, offset=-4), EXIT,
    ]  # fmt: skip
    assert [relocation.at for relocation in after.relocations] == [0, 6]


def test_a_loop_that_is_entered_from_above_stays_as_it_is() -> None:
    before = code_of(MOVE, ADD, Instruction(0x55, offset=-2), EXIT)
    assert jump_into_loops(before) == before


def back_edges_without_a_jump(code: Code) -> list[int]:
    """check_cfg() of Linux 6.1: instructions that run on into one that the walk is still inside of."""
    instructions = decoded(code)
    found: list[int] = []
    state: dict[int, int] = {}
    stack = [(0, iter(_edges(instructions, 0)))]
    state[0] = 1
    while stack:
        at, edges = stack[-1]
        for target, is_jump in edges:
            if target not in state:
                state[target] = 1
                stack.append((target, iter(_edges(instructions, target))))
                break
            if state[target] == 1 and not is_jump:
                found.append(at)
        else:
            state[at] = 2
            stack.pop()
    return found


def _edges(instructions: list[Instruction], at: int) -> list[tuple[int, bool]]:
    instruction = instructions[at]
    if instruction.opcode == 0x95:
        return []
    if instruction.opcode & 7 in (5, 6) and instruction.opcode != 0x85:
        target = (at + 1 + instruction.offset, True)
        return [target] if instruction.opcode == 0x05 else [(at + 1, True), target]
    return [(at + (2 if instruction.opcode == 0x18 else 1), False)]


BODIES = [
    'printf("%s", strjoin("a", basename(execname)));',
    "for (this->i = 0; this->i < 10; this->i++) { this->n += this->i; } trace(this->n);",
    'trace(index(execname, "b")); trace(dirname(execname)); trace(strstr(execname, "c"));',
    "this->i = 0; this->k = 0; while (this->i < 5) { this->i++; if (this->i == 3) continue; "
    "while (this->k < 3) this->k++; } trace(this->k);",
]


@pytest.mark.parametrize("body", BODIES)
def test_no_program_runs_on_into_a_loop(body: str) -> None:
    program = compiled(b"BEGIN { %s exit(0); }" % body.encode(), "x.d")
    plan = compile_program(program, Traits(has_may_goto=False))
    for unit in plan.units:
        assert back_edges_without_a_jump(Code(unit.code, unit.relocations)) == []


def test_without_that_some_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "jump_into_loops", lambda code: code)
    program = compiled(b"BEGIN { %s exit(0); }" % BODIES[0].encode(), "x.d")
    [unit] = compile_program(program, Traits(has_may_goto=False)).units
    assert back_edges_without_a_jump(Code(unit.code, unit.relocations))
