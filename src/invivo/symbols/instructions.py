"""x86-64 machine code, as far as probes need it: where instructions begin, and which of them are cheap to probe.

    place(code)          f3 0f 1e fa | 55 | 48 89 e5 ...   ->  Placement(4, True)    endbr64 is stepped, push emulated
    boundaries(code)     {0, 4, 5, 8, ...}                 offsets at which an instruction begins
    returns(code)        [37, 52]                          offsets of its ret instructions

The kernel carries out some instructions itself when a probe on them was hit; the others it copies aside and
single-steps, which takes ten to twenty times as long. A function's probe may therefore lie a little behind its first
instruction, as long as nobody can tell: the registers that it reads, and memory if it reads that, are as they were, and
no way leads there but through the function's beginning.
Source: arch/x86/kernel/uprobes.c (branch_setup_xol_ops, push_setup_xol_ops).
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

__all__ = [
    "GENERAL", "KEPT", "Placement", "boundaries", "is_emulated", "is_misread", "is_refused", "place", "place_in_go",
    "returns", "ways_out",
]  # fmt: skip

# One-byte opcodes that the kernel does not probe in 64-bit programs (good_insns_64): port input and output, interrupts,
# far calls and jumps, hlt, cli, sti, and what does not exist there. It looks VEX and EVEX opcodes up in the same table.
_REFUSED = frozenset((
    0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37, 0x3F, 0x60, 0x61, 0x62, 0x6C, 0x6D, 0x6E, 0x6F, 0x82,
    0x9A, 0xC4, 0xC5, 0xCC, 0xCD, 0xCE, 0xD4, 0xD5, 0xD6, 0xE4, 0xE5, 0xE6, 0xE7, 0xEA, 0xEC, 0xED, 0xEE, 0xEF, 0xF1,
    0xF4, 0xFA, 0xFB,
))  # fmt: skip
# Opcodes that it takes for other instructions when they stand behind a VEX or EVEX prefix, which it does not mind: for
# pushes, jumps, calls, nops and popf that it carries out or mends itself (branch_setup_xol_ops, push_setup_xol_ops,
# arch_uprobe_analyze_insn). vpbroadcastb %esi,%ymm16 (EVEX 7a), with which memset begins, would be a jump on parity.
_MISREAD = frozenset((
    *range(0x50, 0x60), *range(0x70, 0x80), 0x0F, 0x90, 0x9A, 0x9D, 0xC2, 0xC3, 0xCA, 0xCB, *range(0xE0, 0xEC), 0xFF,
))  # fmt: skip
_OPCODE_BEHIND = {0xC5: 2, 0xC4: 3, 0x62: 4}  # VEX of two and of three bytes, EVEX: where the opcode stands
_PREFIXES_REFUSED = frozenset((0xF0, 0x26, 0x2E, 0x36, 0x3E))  # lock, and segments that mean nothing
_PREFIXES = _PREFIXES_REFUSED | {0x64, 0x65, 0x66, 0x67, 0xF2, 0xF3}
_FURTHEST = 96  # bytes of a prologue that are looked at
GENERAL = frozenset("ax bx cx dx si di bp sp r8 r9 r10 r11 r12 r13 r14 r15".split())
KEPT = frozenset(("di", "si", "dx", "cx", "r8", "r9", "sp"))  # arguments, and where those on the stack are
# arch/x86/include/asm/nops.h: the one form of each length that is taken for a nop, except the 66-prefixed of 2 and 6.
_NOPS = frozenset(
    bytes.fromhex(text)
    for text in ("90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000", "0f1f840000000000")
)
# Where a jump back to the beginning might stand: a short one with a negative distance, a near one likewise.
_SHORT_BACK = re.compile(rb"(?=[\x70-\x7f\xe0-\xe3\xeb]([\x80-\xff]))", re.DOTALL)
_NEAR_BACK = re.compile(rb"(?=(\xe9|\x0f[\x80-\x8f])(...\xff))", re.DOTALL)
_INDIRECT = re.compile(rb"\xff[\x20-\x27\x60-\x67\xa0-\xa7\xe0-\xe7]", re.DOTALL)


_TO_THE_FRAME_S_END = tuple(
    bytes.fromhex(text) for text in ("4c8da424", "4c8d6424", "4989e4", "4981ec", "4983ec", "0f82", "72")
)


class Placement(NamedTuple):
    """A probe's distance from the function's first byte; `is_emulated`: the kernel need not single-step there;
    `is_possible`: it is not known to refuse the place."""

    offset: int
    is_emulated: bool
    is_possible: bool = True


def is_emulated(instruction: bytes) -> bool:
    """Whether the kernel carries out this one instruction itself."""
    first = instruction[0]
    match len(instruction):
        case 1:
            return first == 0x90 or 0x50 <= first <= 0x57
        case 2:
            return (
                first == 0xEB
                or 0x70 <= first <= 0x7F
                or (first == 0x41 and 0x50 <= instruction[1] <= 0x57)
                or instruction in _NOPS
            )
        case 5:
            return first in (0xE8, 0xE9) or instruction in _NOPS
        case 6:
            return (first == 0x0F and 0x80 <= instruction[1] <= 0x8F) or instruction in _NOPS
        case _:
            return instruction in _NOPS


def is_refused(instruction: bytes) -> bool:
    """Whether the kernel is known not to put a probe on an instruction, or to misread it there. What it refuses
    besides, it says itself."""
    at = 0
    while at < len(instruction) and instruction[at] in _PREFIXES:
        if instruction[at] in _PREFIXES_REFUSED:
            return True
        at += 1
    vex = _OPCODE_BEHIND.get(instruction[at], 0) if at < len(instruction) else 0
    if vex:
        return is_misread(instruction) or (at + vex < len(instruction) and instruction[at + vex] in _REFUSED)
    if at < len(instruction) and 0x40 <= instruction[at] <= 0x4F:
        at += 1
    return at < len(instruction) and instruction[at] in _REFUSED


def is_misread(instruction: bytes) -> bool:
    """Whether the kernel would put a probe there and then do something else than the instruction."""
    vex = _OPCODE_BEHIND.get(instruction[0], 0)
    return bool(vex) and vex < len(instruction) and instruction[vex] in _MISREAD


def place(
    code: bytes, first_other: int = 0, *, kept: frozenset[str] = KEPT, has_memory: bool = True
) -> Placement:
    """Where to put a probe on the entry of the function whose bytes are `code`.

    Args:
        code: All of the function; more than its first bytes are needed to see that nothing jumps back there.
        first_other: The distance of the nearest other symbol's address, or 0 if there is none in the function: code at
            and behind it is reached without the beginning.
        kept: The registers, by the names in `arch.Registers`, that must be as they were, as the probe reads them.
        has_memory: Memory must be, too.
    """
    starts: list[int] = []
    end = min(len(code), _FURTHEST)
    if first_other:
        end = min(end, first_other)
    if not code:
        return Placement(0, False)
    if is_emulated_at(code, 0):
        return Placement(0, True)
    iced = _iced()
    decoder = iced.module.Decoder(64, code[:end])
    fallback: Placement | None = None  # the first place that can be had at all
    for instruction in decoder:
        at = instruction.ip & 0xFFFFFFFF
        if instruction.is_invalid or at + instruction.len > end:
            break
        starts.append(at)
        if is_emulated(code[at : at + instruction.len]):
            is_push = 0x50 <= code[at + instruction.len - 1] <= 0x57 and instruction.len <= 2
            if _is_only_way(code, starts[1:], is_push):
                return Placement(at, True)
            break
        if fallback is None and not is_refused(code[at : at + instruction.len]):
            if at and not _is_only_way(code, starts[1:], False):
                break
            fallback = Placement(at, False)
        if not iced.keeps(instruction, kept, has_memory):
            break
    first = code[: starts[1]] if starts[1:] else code[:end]
    return fallback or Placement(0, False, not is_refused(first) if starts else not is_misread(code))


def place_in_go(code: bytes) -> Placement:
    """Where to put a probe on the entry of a function that the Go compiler has made: behind the stack check.

    A function whose stack is too small has it grown, and begins again: at its first instruction a probe would fire
    twice for one call. What is compared is the stack's guard in the structure that r14 points to, at 16. Source: Go's
    internal ABI (src/cmd/compile/abi-internal.md), cmd/internal/obj/x86/obj6.go (stacksplit).
    """
    has_compared = False
    for at, instruction in _decode(code[:_FURTHEST]):
        length = instruction.len
        text = code[at : at + length]
        if has_compared:
            if text[0] == 0x76 or text[:2] == b"\x0f\x86":  # jbe
                after = at + length
                return _placement(code, after) if after < len(code) else Placement(0, False)
            break
        # cmp rsp, [r14+16]; or lea r12, [rsp-N] and cmp r12, [r14+16]; or, where the frame takes pages, mov r12, rsp,
        # sub r12, N, jb (it is less than nothing) and that cmp
        has_compared = text in (b"\x49\x3b\x66\x10", b"\x4d\x3b\x66\x10")
        if not has_compared and not text.startswith(_TO_THE_FRAME_S_END):
            break
    return _placement(code, 0) if code else Placement(0, False)


def _placement(code: bytes, at: int) -> Placement:
    return Placement(at, is_emulated_at(code, at), not is_misread(code[at : at + 15]))


def is_emulated_at(code: bytes, at: int) -> bool:
    """The same for the instruction that begins at `code[at]`."""
    first = code[at]
    if 0x50 <= first <= 0x57 or first == 0x90:
        return True
    instruction = next(iter(_iced().module.Decoder(64, code[at : at + 15])), None)
    return instruction is not None and not instruction.is_invalid and is_emulated(code[at : at + instruction.len])


def _is_only_way(code: bytes, places: list[int], is_push: bool) -> bool:
    """Whether no jump in the function leads to one of `places`, all of them near its beginning.

    Bytes that look like such a jump are found first; only then is the function decoded to see whether they are one. A
    jump through a register or table could lead anywhere, though hardly before a push, which would unbalance the stack.
    """
    if not is_push and len(places) > 1 and _INDIRECT.search(code):
        return False
    wanted = set(places)
    window = code[: places[-1] + 130] if places else b""
    for match in _SHORT_BACK.finditer(window):
        if match.start() + 2 + match[1][0] - 256 in wanted:
            return not _jumps_to(code, wanted)
    for match in _NEAR_BACK.finditer(code):
        at = match.start() + len(match[1]) + 4
        if at + int.from_bytes(match[2], "little", signed=True) in wanted:
            return not _jumps_to(code, wanted)
    return True


def _jumps_to(code: bytes, wanted: set[int]) -> bool:
    iced = _iced()
    for instruction in iced.module.Decoder(64, code):
        if instruction.flow_control in iced.branches and instruction.near_branch_target in wanted:
            return True
    return False


def boundaries(code: bytes, upto: int | None = None) -> set[int]:
    """Offsets at which instructions begin, by decoding from the first byte to `upto` (or the end)."""
    found = set()
    for at, _ in _decode(code):
        found.add(at)
        if upto is not None and at >= upto:
            break
    return found


def returns(code: bytes) -> list[int]:
    """Offsets of the instructions that return from a function."""
    kind = _iced().module.FlowControl.RETURN
    return [at for at, instruction in _decode(code) if instruction.flow_control == kind]


class Ways(NamedTuple):
    """Addresses of the instructions by which a function is left: of its `ret`s, and of jumps into other functions."""

    returns: list[int]
    jumps: list[int]


def ways_out(pieces: Sequence[tuple[int, bytes]]) -> Ways | None:
    """How a function is left that consists of some pieces of code, each with its address.

    None if its code does not tell: what is no instruction, or a conditional jump into another function. A jump to where
    a register says stays inside if it is that of a `switch`, whose target is read from a table: compilers add the
    table's address to what stands there, or jump by a table of addresses, in steps of eight bytes.
    """
    iced = _iced()
    flow, found = iced.module.FlowControl, Ways([], [])
    for address, code in pieces:
        before: list[Any] = []
        for instruction in iced.module.Decoder(64, code, ip=address):
            kind = instruction.flow_control
            if instruction.is_invalid:
                return None
            if kind == flow.RETURN:
                found.returns.append(instruction.ip)
            elif kind == flow.INDIRECT_BRANCH:
                if not iced.is_switch(instruction, before):
                    found.jumps.append(instruction.ip)
            elif kind in iced.branches:
                target = instruction.near_branch_target
                if not any(start <= target < start + len(inside) for start, inside in pieces):
                    if kind != flow.UNCONDITIONAL_BRANCH:
                        return None
                    found.jumps.append(instruction.ip)
            before = [instruction, *before[:3]]
    return found


def _decode(code: bytes) -> Iterator[tuple[int, Any]]:
    for instruction in _iced().module.Decoder(64, code):
        if instruction.is_invalid:
            return
        yield instruction.ip, instruction


class _Iced:
    """iced-x86 with the numbers that are asked of it again and again."""

    def __init__(self) -> None:
        import iced_x86

        self.module: Any = iced_x86
        # Names of registers as struct pt_regs has them.
        self._names = {
            getattr(iced_x86.Register, f"R{name.removeprefix('r').upper()}"): name for name in GENERAL
        }
        access = iced_x86.OpAccess
        self._writes = {access.WRITE, access.COND_WRITE, access.READ_WRITE, access.READ_COND_WRITE}
        self._full = iced_x86.RegisterExt.full_register
        self._factory = iced_x86.InstructionInfoFactory()
        self._next = iced_x86.FlowControl.NEXT
        flow = iced_x86.FlowControl
        self.branches = {flow.UNCONDITIONAL_BRANCH, flow.CONDITIONAL_BRANCH}

    def is_switch(self, jump: Any, before: Sequence[Any]) -> bool:
        """Whether an indirect jump goes by a table; `before` are the last few instructions, the latest first."""
        module = self.module
        if jump.op0_kind == module.OpKind.MEMORY:
            return bool(jump.memory_index != module.Register.NONE and jump.memory_index_scale == 8)
        if jump.segment_prefix == module.Register.DS:  # notrack: what a compiler writes for a table of its own alone
            return True
        for instruction in before:
            writes = instruction.op_count and instruction.op0_kind == module.OpKind.REGISTER
            if writes and instruction.op0_register == jump.op0_register:
                return bool(instruction.mnemonic == module.Mnemonic.ADD)
        return False

    def keeps(self, instruction: Any, kept: frozenset[str], has_memory: bool) -> bool:
        """Whether the next instruction is always the one behind it, at once, and finds these registers and, if wanted,
        memory as they were."""
        if instruction.flow_control != self._next or instruction.has_rep_prefix or instruction.has_repne_prefix:
            return False
        info = self._factory.info(instruction)
        if has_memory and any(used.access in self._writes for used in info.used_memory()):
            return False
        return not any(
            used.access in self._writes and self._names.get(self._full(used.register)) in kept
            for used in info.used_registers()
        )


@functools.cache
def _iced() -> _Iced:
    return _Iced()
