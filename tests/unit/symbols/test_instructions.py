"""Where probes go in machine code; the bytes are written out by hand, after the processor's manual."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from invivo.symbols.elf import ElfFile
from invivo.symbols.instructions import (
    Placement,
    Ways,
    boundaries,
    is_emulated,
    is_refused,
    place,
    place_in_go,
    returns,
    ways_out,
)
from tests.support import trigger

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86-64 machine code")

ENDBR64, PUSH_RBP, MOV_RBP_RSP, RET = "f30f1efa", "55", "4889e5", "c3"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"{PUSH_RBP} {MOV_RBP_RSP} {RET}", Placement(0, True)),
        (f"{ENDBR64} {PUSH_RBP} {MOV_RBP_RSP} {RET}", Placement(4, True)),
        (f"{ENDBR64} 4154 {RET}", Placement(4, True)),  # push r12
        ("89f8 85ff 7403 c3", Placement(4, True)),  # mov eax, edi; test edi, edi; je
        (f"89f8 01c0 {RET}", Placement(0, False)),  # a leaf without any
        ("89f7 55 c3", Placement(0, False)),  # mov edi, esi comes before the push
        ("4883ec08 e800000000 4883c408 c3", Placement(0, False)),  # sub rsp comes before the call
        ("c70700000000 55 c3", Placement(0, False)),  # what the argument points to is written before the push
        ("0f05 55 c3", Placement(0, False)),  # syscall
        (f"{ENDBR64} c5f96efe 89f8 {RET}", Placement(0, False)),
        ("c5f96efe 89f8 55 c3", Placement(6, True)),  # vmovd cannot be probed
        ("c5f96efe 89f8 c3", Placement(4, False)),
        ("f0ff0f 750b c3", Placement(0, False, False)),  # lock dec dword [rdi] writes what rdi points to
    ],
)
def test_the_first_place_where_nobody_can_tell(code: str, expected: Placement) -> None:
    assert place(bytes.fromhex(code)) == expected


@pytest.mark.parametrize(
    ("code", "kept", "has_memory", "expected"),
    [
        ("89f7 55 c3", "", False, Placement(2, True)),  # mov edi, esi
        ("89f7 55 c3", "si", True, Placement(2, True)),
        ("89f7 55 c3", "di", True, Placement(0, False)),
        ("4883ec08 e800000000 4883c408 c3", "di si", True, Placement(4, True)),  # sub rsp
        ("4883ec08 e800000000 4883c408 c3", "sp", True, Placement(0, False)),
        ("c70700000000 55 c3", "di", False, Placement(6, True)),  # mov dword [rdi], 0
        ("c70700000000 55 c3", "di", True, Placement(0, False)),
        ("66bf0100 55 c3", "di", True, Placement(0, False)),  # mov di, 1
        ("f3aa 55 c3", "", False, Placement(0, False)),  # rep stosb takes as long as it likes
        ("0f05 55 c3", "", False, Placement(0, False)),  # syscall
        ("31c0 90 ffc0 39f8 7cf9 c3", "", False, Placement(0, False)),  # a loop leads to the nop
    ],
)
def test_further_behind_for_who_reads_less(code: str, kept: str, has_memory: bool, expected: Placement) -> None:
    assert place(bytes.fromhex(code), kept=frozenset(kept.split()), has_memory=has_memory) == expected


def test_not_where_a_loop_leads() -> None:
    """xor eax, eax; loop: nop; inc eax; cmp eax, edi; jl loop: the nop runs more than once a call."""
    assert place(bytes.fromhex("31c0 90 ffc0 39f8 7cf9 c3")) == Placement(0, False)
    near = "31c0 90 ffc0 39f8 0f8cf5ffffff c3"
    assert place(bytes.fromhex(near)) == Placement(0, False)
    forward = "31c0 90 ffc0 39f8 7c01 90 c3"
    assert place(bytes.fromhex(forward)) == Placement(2, True)


def test_not_where_another_function_begins() -> None:
    """A symbol four bytes in: who calls that one has not called this."""
    code = bytes.fromhex(f"{ENDBR64} {PUSH_RBP} {RET}")
    assert place(code, first_other=4) == Placement(0, False)
    assert place(code, first_other=5) == Placement(4, True)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("55", True), ("4157", True), ("90", True), ("eb00", True), ("e900000000", True), ("e800000000", True),
     ("7500", True), ("0f8500000000", True), ("0f1f440000", True), ("c3", False), ("4889e5", False), ("31c0", False),
     ("66e9000000", False), ("f390", False), ("6a00", False)],
)  # fmt: skip
def test_what_the_kernel_carries_out_itself(code: str, expected: bool) -> None:
    assert is_emulated(bytes.fromhex(code)) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("f0ff0f", True), ("cc", True), ("f4", True), ("c5f96efe", True), ("c5f877", True), ("55", False),
     (ENDBR64, False), ("644889042500000000", False), ("62e27d087ac6", True), ("c5f96ec6", True), ("c5fe6f06", True),
     ("c5fdefc0", True), ("c5fd74c1", True), ("62f17c481006", False)],
)  # fmt: skip
def test_what_the_kernel_does_not_probe(code: str, expected: bool) -> None:
    assert is_refused(bytes.fromhex(code)) is expected


@pytest.mark.skipif(shutil.which("objdump") is None, reason="no objdump (apt-get install binutils)")
def test_instructions_begin_where_objdump_says() -> None:
    path = trigger("calls")
    text = subprocess.run(["objdump", "-d", path], capture_output=True, text=True, check=True).stdout
    with ElfFile.open(path) as elf:
        for function in elf.functions():
            if function.name not in ("main", "work", "ten", "nested", "run"):
                continue
            body = re.search(rf"^[0-9a-f]+ <{function.name}>:\n((?: .*\n)+)", text, re.M)
            assert body is not None
            lines = re.findall(r"^ +([0-9a-f]+):\t(?:[0-9a-f]{2} )+ *\t(\S+)", body[1], re.M)
            code = elf.read(function.address, function.size)
            assert boundaries(code) == {int(at, 16) - function.address for at, _ in lines}
            assert returns(code) == [int(at, 16) - function.address for at, name in lines if name.startswith("ret")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("493b6610 7605 55 4889e5 c3", Placement(6, True)),  # cmp rsp, [r14+16]; jbe; push rbp
        ("493b6610 0f8600010000 4883ec20 c3", Placement(10, False)),
        ("4c8da42470feffff 4d3b6610 0f86a9000000 4881ec10020000", Placement(18, False)),
        ("4801d8 c3", Placement(0, False)),  # a leaf without a check
        ("55 c3", Placement(0, True)),
    ],
)
def test_behind_the_stack_check_of_go(code: str, expected: Placement) -> None:
    assert place_in_go(bytes.fromhex(code)) == expected


@pytest.mark.parametrize(
    "code",
    ["c5f877c3", "62e27d087ac6c3", "493b6610760bc5f877c3909090909090909090"],  # the last: behind the stack's check
)
def test_no_go_function_is_probed_where_the_kernel_misreads_it(code: str) -> None:
    assert not place_in_go(bytes.fromhex(code)).is_possible
    assert place_in_go(bytes.fromhex(code.replace("c5f877", "488b07").replace("62e27d087ac6", "488b07"))).is_possible


def test_an_instruction_cut_short_is_not_probed_where_the_kernel_misreads_it() -> None:
    code = bytes.fromhex("62e27d087ac6c3")
    assert not place(code, first_other=5).is_possible


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("7401 c3 c3", Ways([0x1002, 0x1003], [])),  # je to the second ret
        ("ebfe", Ways([], [])),  # jmp to itself: it never returns
        ("c3 e9fa0f0000", Ways([0x1000], [0x1001])),  # ret; jmp 2000, which is elsewhere
        ("0f84fa0f0000 c3", None),  # je 2000
        ("4801d0 ffe0 c3", Ways([0x1005], [])),  # add rax, rdx; jmp rax: a switch
        ("4801d0 4889f7 ffe0 c3", Ways([0x1008], [])),  # the same with something between
        ("488b07 ffe0 c3", Ways([0x1005], [0x1003])),  # mov rax, [rdi]; jmp rax: a method
        ("488b07 3effe0 c3", Ways([0x1006], [])),  # notrack jmp rax
        ("ff6010 c3", Ways([0x1003], [0x1000])),  # jmp [rax+16]: a method
        ("ff24c500204000 c3", Ways([0x1007], [])),  # jmp [rax*8+402000]: a table of addresses
        ("ff25f20f0000 c3", Ways([0x1006], [0x1000])),  # jmp [rip+ff2]: an imported function
        ("c3 06", None),  # no instruction
    ],
)
def test_how_a_function_is_left(code: str, expected: Ways | None) -> None:
    assert ways_out([(0x1000, bytes.fromhex(code))]) == expected


def test_a_jump_to_another_piece_of_the_function_does_not_leave_it() -> None:
    pieces = [(0x1000, bytes.fromhex("0f84fa0f0000 c3")), (0x2000, bytes.fromhex("e9fcefffff"))]  # back to 1001
    assert ways_out(pieces) == Ways([0x1006], [])
