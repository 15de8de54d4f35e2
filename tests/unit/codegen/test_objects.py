"""LLVM IR as text to instructions: the target, the object's sections, made-up calls, the stack's depth."""

from __future__ import annotations

import pytest

from invivo.bpf.instructions import Instruction, encode
from invivo.codegen.objects import COOKIE, MAY_GOTO, Code, read_object, stack_depth
from invivo.codegen.target import compile_text
from invivo.errors import UnsupportedError
from invivo.program.plan import Relocation
from tests.engines.disassemble import instructions


def function(name: str, *lines: str) -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f'define i64 @u_{name}(ptr %ctx) nounwind section "unit.{name}" {{\n{body}\n}}'


def compiled(*functions: str, maps: int = 0, data: frozenset[int] = frozenset()) -> dict[str, Code]:
    return read_object(compile_text([f"map_{i}" for i in range(maps)], functions), data)


def test_a_constant_is_two_instructions() -> None:
    code = compiled(function("one", "ret i64 7"))["one"]
    assert code == Code(encode(Instruction(0xB7, 0, 0, 0, 7)) + encode(Instruction(0x95)), ())


def test_each_function_is_found_under_its_name() -> None:
    found = compiled(function("one", "ret i64 1"), function("two", "ret i64 2"))
    assert [(name, len(code.code)) for name, code in sorted(found.items())] == [("one", 16), ("two", 16)]


def test_maps_are_relocations_and_contents_keep_their_offset() -> None:
    found = compiled(
        function(
            "one",
            "%v = load i64, ptr getelementptr (i8, ptr @map_1, i64 24), align 8",
            "%r = call i64 inttoptr (i64 2 to ptr)(ptr @map_0, i64 %v) #0",
            "ret i64 %r",
        ),
        maps=2,
        data=frozenset({1}),
    )["one"]
    kinds = {(r.kind, r.value, r.offset) for r in found.relocations}
    # LLVM may put the offset into the load instead of the address.
    assert ("map", 0, 0) in kinds
    assert {(kind, value) for kind, value, _ in kinds} == {("map", 0), ("map_value", 1)}


def test_made_up_calls_are_found() -> None:
    code = compiled(
        function(
            "one",
            f"%c = call i64 inttoptr (i64 {COOKIE} to ptr)(ptr %ctx) #1",
            "br label %head",
            f"head:\n  %g = call i64 inttoptr (i64 {MAY_GOTO} to ptr)() #2",
            "%z = icmp eq i64 %g, 0",
            "br i1 %z, label %out, label %head",
            "out:\n  ret i64 %c",
        )
    )["one"]
    by_index = dict(instructions(code.code))
    found = {r.kind: by_index[r.at].immediate for r in code.relocations}
    assert found == {"cookie": COOKIE, "may_goto": MAY_GOTO}


def test_a_loops_condition_must_be_jumped_on() -> None:
    text = function("one", f"%g = call i64 inttoptr (i64 {MAY_GOTO} to ptr)() #2", "ret i64 %g")
    with pytest.raises(ValueError, match="no jump follows the loop's condition at instruction 0"):
        compiled(text)


def test_wrong_ir_is_an_error_and_not_the_end_of_the_process() -> None:
    with pytest.raises(RuntimeError):
        compiled(function("one", "ret i64 %nothing"))
    body = "br i1 poison, label %a, label %b", "a:\n  %x = add i64 1, 2\n  br label %b", "b:\n  ret i64 %x"
    with pytest.raises(RuntimeError, match="does not dominate"):
        compiled(function("one", *body))


def test_more_stack_than_the_kernel_has_is_seen() -> None:
    deep = function(
        "one",
        "%a = alloca [2048 x i8], align 8",
        "store volatile i64 1, ptr %a, align 8",
        "%r = call i64 inttoptr (i64 4 to ptr)(ptr %a) #0",
        "ret i64 %r",
    )
    assert stack_depth(compiled(deep)["one"].code) == 2048
    assert stack_depth(compiled(function("two", "ret i64 0"))["two"].code) == 0


def test_what_is_too_large_for_old_jumps_is_said_before_llvm_ends_the_process() -> None:
    lines = [f"store volatile i64 {i}, ptr %ctx, align 8" for i in range(30_000)]
    with pytest.raises(UnsupportedError, match="too many clauses on one probe"):
        compile_text([], [function("one", *lines, "ret i64 0")], has_long_jumps=False)


def test_many_cases_make_no_jump_table() -> None:
    cases = " ".join(f"i64 {i}, label %b{i}" for i in range(40))
    blocks = [f"b{i}:\n  store volatile i64 {i * 7}, ptr %ctx, align 8\n  ret i64 {i}" for i in range(40)]
    switch = f"switch i64 %v, label %d [ {cases} ]"
    text = function("one", "%v = load i64, ptr %ctx, align 8", switch, *blocks, "d: ret i64 9")
    assert all(one.opcode != 0x0D for _, one in instructions(compiled(text)["one"].code))  # gotox


def test_other_relocations_are_refused() -> None:
    with pytest.raises(ValueError, match="unexpected relocation"):
        read_object(compile_text(["other"], [function("one", "%v = load i64, ptr @other, align 8", "ret i64 %v")]),
                    frozenset())  # fmt: skip
    with pytest.raises(ValueError, match="no little-endian ELF64"):
        read_object(b"MZ", frozenset())


def test_a_relocation_is_a_plain_value() -> None:
    assert Relocation(3, "map", 2) == (3, "map", 2, 0)


@pytest.mark.parametrize("kind", ["smax", "smin"])
def test_a_minimum_is_compared_as_one_value_in_a_loop(kind: str) -> None:
    """Taken apart, an unsigned x < smax(a, b) would be two comparisons, and wrong."""
    code = compiled(
        function(
            "one",
            "%a = load volatile i64, ptr %ctx, align 8",
            "%b = load volatile i64, ptr %ctx, align 8",
            f"%m = call i64 @llvm.{kind}.i64(i64 %a, i64 %b)",
            "br label %head",
            f"head:\n  %g = call i64 inttoptr (i64 {MAY_GOTO} to ptr)() #2",
            "%z = icmp eq i64 %g, 0",
            "br i1 %z, label %out, label %body",
            "body:\n  %i = load volatile i64, ptr %ctx, align 8",
            "%c = icmp ult i64 %i, %m",
            "br i1 %c, label %head, label %out",
            "out:\n  ret i64 0",
        )
        + f"\ndeclare i64 @llvm.{kind}.i64(i64, i64)"
    )["one"]
    found = instructions(code.code)
    call = next(index for index, one in found if one.immediate == MAY_GOTO)
    after = [one.opcode for index, one in found if index > call and one.opcode & 7 in (5, 6)]
    conditional = [opcode for opcode in after if opcode >> 4 not in (0, 8, 9)]  # no goto, call or exit
    assert len(conditional) == 2  # on may_goto's result, and the comparison
