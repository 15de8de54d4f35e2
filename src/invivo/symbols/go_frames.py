"""What the unwind rules of the Go compiler do not tell: where rbp is kept, and where a stack begins.

    with_go_frames(elf, table)      table, and in runtime.mstart1, after
                                    sub $0x20,%rsp; mov %rbp,0x18(%rsp): Rule(SP, 40, bp=2)
                                    in runtime.mcall, but for its first byte: Rule(END)

Go's rules are of rsp alone. A walk needs rbp all the same where one stack ends and leads on to another, or to code
without rules: without this it would have the rbp of the innermost frame there, and go up the same frames again.
A function that has a frame keeps rbp just below its return address: Go 1.21 and later by a push, those before when the
frame is made. Whether it does, its code says where its first rule with a frame begins.
Some functions of the runtime go on with a stack that nobody called them on.
In: a file, and the rules made of its .debug_frame. Source: Go's src/cmd/internal/obj/x86/obj6.go (preprocess);
topofstack() in src/runtime/traceback.go.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from invivo.symbols import gopclntab
from invivo.symbols.elf_format import ElfError
from invivo.symbols.rules import Kind, Rule, RuleTable, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.symbols.elf import ElfFile
    from invivo.symbols.elf_format import Function

__all__ = ["with_go_frames"]

_PUSH_BP = 0x55
# mov %rbp,N(%rsp) with an N of so many bytes, and what N must be below
_SAVES = ((b"\x48\x89\x2c\x24", 0, 1), (b"\x48\x89\x6c\x24", 1, 1 << 7), (b"\x48\x89\xac\x24", 4, 1 << 31))
_SLOT = 16  # bytes below the CFA
_OUTERMOST = frozenset(("runtime.mstart", "runtime.mcall", "runtime.morestack", "runtime.rt0_go"))
_AT_SLOT = pack(Rule(Kind.NONE, bp=_SLOT // 8))


def with_go_frames(elf: ElfFile, table: RuleTable) -> RuleTable:
    """The same table, if the Go compiler did not make the file; else one that tells more."""
    if not table.pcs or gopclntab.table_section(elf) is None:
        return table
    try:
        functions = gopclntab.functions(elf)
    except ElfError:
        return table
    table = _with_saved_pointers(elf, table, functions)
    rows = dict(zip(table.pcs, table.rules, strict=True))
    for function in functions:
        if function.name in _OUTERMOST and function.address >= table.base:
            _end(table, rows, function.address - table.base, function.size)
    pcs = sorted(rows)
    return RuleTable(table.base, array("I", pcs), array("I", map(rows.__getitem__, pcs)))


def _end(table: RuleTable, rows: dict[int, int], start: int, size: int) -> None:
    """No caller within a function, but where it was just called."""
    first, after = bisect_right(table.pcs, start), bisect_left(table.pcs, start + size)
    if size < 2 or not first:
        return
    rows.setdefault(start + size, table.rules[after - 1])
    for pc in table.pcs[first:after]:
        del rows[pc]
    rows[start + 1] = pack(Rule(Kind.END))


def _with_saved_pointers(elf: ElfFile, table: RuleTable, functions: list[Function]) -> RuleTable:
    text = elf.section(".text")
    if text is None:
        return table
    starts = [function.address for function in functions]
    code = elf.contents(text)
    pcs, rules = array("I"), array("I")
    seen, is_saved = -1, False  # of the function whose frame was looked at last: its place, and what was found
    for pc, rule in zip(table.pcs, table.rules, strict=True):
        offset = rule >> 16 << 3
        if rule & 0xFFFF == Kind.SP and offset >= _SLOT:  # nothing is told of rbp
            address = table.base + pc
            function = bisect_right(starts, address) - 1
            if function != seen:
                seen = function
                length = _saving(code, address - text.address, offset)
                is_saved = length is not None
                if length:  # bytes of the instruction that saves it
                    pcs.append(pc)
                    rules.append(rule)
                    pc += length
            rule |= _AT_SLOT if is_saved else 0
        pcs.append(pc)
        rules.append(rule)
    return RuleTable(table.base, pcs, rules)


def _saving(code: bytes, at: int, offset: int) -> int | None:
    """How long the instruction at a place is that saves rbp in a frame whose CFA is rsp + offset; 0 if the one before
    has; None if neither does."""
    if offset == _SLOT and at > 0 and code[at - 1] == _PUSH_BP:
        return 0
    for instruction, size, most in _SAVES:
        place = offset - _SLOT
        if place < most and code[at : at + len(instruction) + size] == instruction + place.to_bytes(size, "little"):
            return len(instruction) + size
    return None
