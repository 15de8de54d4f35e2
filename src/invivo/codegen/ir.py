"""A small writer of LLVM's textual IR: blocks, values, and the few instructions that BPF code needs.

    out = Function("BEGIN")                           define i64 @BEGIN(ptr %ctx) nounwind section "unit.BEGIN" {
    x = out.call(14)                                    %v1 = call i64 inttoptr (i64 14 to ptr)() #0
    out.store(out.binary("add", x, const(1)), slot)     %v2 = add i64 %v1, 1 ...

Text is faster to make than llvmlite's objects, and every attribute can be said. All integers of D are i64; `const` is
an i64. Memory accesses carry their alignment, or LLVM splits them into bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from invivo.codegen.places import Places
from invivo.source import Span

__all__ = ["NULL", "ONE", "ZERO", "Block", "Function", "Value", "const"]


class Value(NamedTuple):
    """An SSA value or constant as LLVM writes it."""

    type: str
    text: str


def const(number: int, type_: str = "i64") -> Value:
    """An integer constant, taken modulo the type's width."""
    width = int(type_[1:])
    number &= (1 << width) - 1
    return Value(type_, str(number - (1 << width) if number >> (width - 1) and width > 1 else number))


ZERO = const(0)
ONE = const(1)
NULL = Value("ptr", "null")


class Block:
    """A basic block under construction."""

    __slots__ = ("is_closed", "label", "lines", "tail")

    def __init__(self, label: str) -> None:
        self.label = label
        self.lines: list[str] = []
        self.tail = ""  # a branch after all lines, of a block that stays open for more
        self.is_closed = False


class Function:
    """One BPF program as an LLVM function `i64 (ptr %ctx)`, in a section of its own.

    `block` is where instructions go. `alloca`s always go to the entry block: LLVM's BPF target takes them nowhere else.
    """

    def __init__(self, name: str, places: Places | None = None) -> None:
        self.name = name
        self._places = places
        self._definition = places.begin(name) if places is not None else ""
        self._mark = places.mark(None) if places is not None else ""  # what each instruction carries
        self.context = Value("ptr", "%ctx")
        self._count = 0
        self._entry = Block("entry")
        self._body = Block("body")
        self._blocks = [self._body]
        self.block = self._body

    @contextmanager
    def at(self, span: Span) -> Iterator[None]:
        """Instructions made within come from a place in the text."""
        before = self._mark
        if self._places is not None:
            self._mark = self._places.mark(span)
        try:
            yield
        finally:
            self._mark = before

    def text(self) -> str:
        """The whole function."""
        head = f'define i64 @u_{self.name}(ptr %ctx) nounwind section "unit.{self.name}"{self._definition} {{'
        lines = [head, "entry:"]
        lines += self._entry.lines
        lines.append("  br label %body")
        for block in self._blocks:
            lines.append(f"{block.label}:")
            lines += block.lines
            if block.tail:
                lines.append(block.tail)
            elif not block.is_closed:
                lines.append("  unreachable")
        lines.append("}")
        return "\n".join(lines)

    # --- blocks -----------------------------------------------------------------------------------------------------

    def new_block(self, name: str) -> Block:
        """A block to branch to; it takes instructions after `enter`."""
        self._count += 1
        return Block(f"{name}.{self._count}")

    def enter(self, block: Block) -> None:
        """Go on in `block`; falls through into it from an open one."""
        if not self.block.is_closed:
            self.branch(block)
        self._blocks.append(block)
        self.block = block

    def enter_after_open(self, block: Block) -> None:
        """Go on in `block`, leaving the current one open; it must have a `tail`."""
        self._blocks.append(block)
        self.block = block

    def branch(self, target: Block) -> None:
        self._close(f"br label %{target.label}")

    def branch_if(self, condition: Value, then: Block, other: Block, weights: tuple[int, int] | None = None) -> None:
        """`condition` is an i1. `weights` tell which way is usual, so that the unusual code is moved away."""
        hint = {None: "", (1, 0): ", !prof !0", (0, 1): ", !prof !1"}[weights]
        self._close(f"br i1 {condition.text}, label %{then.label}, label %{other.label}{hint}")

    def switch(self, value: Value, default: Block, cases: Sequence[tuple[int, Block]]) -> None:
        arms = " ".join(f"{value.type} {number}, label %{block.label}" for number, block in cases)
        self._close(f"switch {value.type} {value.text}, label %{default.label} [ {arms} ]")

    def ret(self, value: Value = ZERO) -> None:
        self._close(f"ret i64 {value.text}")

    def _close(self, line: str) -> None:
        if not self.block.is_closed:  # what follows a jump in the source is dead, and has no block
            self.block.lines.append(f"  {line}{self._mark}")
            self.block.is_closed = True

    # --- values -----------------------------------------------------------------------------------------------------

    def _emit(self, type_: str, line: str) -> Value:
        self._count += 1
        name = f"%v{self._count}"
        if not self.block.is_closed:
            self.block.lines.append(f"  {name} = {line}{self._mark}")
            return Value(type_, name)
        return Value(type_, "poison")

    def _do(self, line: str) -> None:
        if not self.block.is_closed:
            self.block.lines.append(f"  {line}{self._mark}")

    def binary(self, op: str, left: Value, right: Value) -> Value:
        """LLVM's integer operations: add sub mul udiv urem and or xor shl lshr ashr."""
        return self._emit(left.type, f"{op} {left.type} {left.text}, {right.text}")

    def add(self, left: Value, right: Value) -> Value:
        return self.binary("add", left, right)

    def sub(self, left: Value, right: Value) -> Value:
        return self.binary("sub", left, right)

    def compare(self, predicate: str, left: Value, right: Value) -> Value:
        """An i1; predicates are LLVM's: eq ne ult ule ugt uge slt sle sgt sge."""
        return self._emit("i1", f"icmp {predicate} {left.type} {left.text}, {right.text}")

    def select(self, condition: Value, then: Value, other: Value) -> Value:
        return self._emit(then.type, f"select i1 {condition.text}, {then.type} {then.text}, {then.type} {other.text}")

    def truncate(self, value: Value, type_: str) -> Value:
        return value if value.type == type_ else self._emit(type_, f"trunc {value.type} {value.text} to {type_}")

    def extend(self, value: Value, signed: bool) -> Value:
        """To i64."""
        if value.type == "i64":
            return value
        return self._emit("i64", f"{'sext' if signed else 'zext'} {value.type} {value.text} to i64")

    def to_pointer(self, value: Value) -> Value:
        return value if value.type == "ptr" else self._emit("ptr", f"inttoptr i64 {value.text} to ptr")

    def to_integer(self, value: Value) -> Value:
        return self._emit("i64", f"ptrtoint ptr {value.text} to i64") if value.type == "ptr" else value

    def phi(self, incoming: Sequence[tuple[Value, Block]]) -> Value:
        """Must come first in its block."""
        type_ = incoming[0][0].type
        pairs = ", ".join(f"[ {value.text}, %{block.label} ]" for value, block in incoming)
        return self._emit(type_, f"phi {type_} {pairs}")

    # --- memory -----------------------------------------------------------------------------------------------------

    def alloca(self, size: int, *, is_zero: bool = False) -> Value:
        """`size` bytes of stack, aligned to 8; with `is_zero` (for a multiple of 8), zero where the function starts."""
        self._count += 1
        name = f"%a{self._count}"
        type_ = "i64" if size == 8 else f"[{size} x i8]"
        self._entry.lines.append(f"  {name} = alloca {type_}, align 8")
        for offset in range(0, size if is_zero else 0, 8):
            place = f"{name}.{offset}" if offset else name
            if offset:
                self._entry.lines.append(f"  {place} = getelementptr i8, ptr {name}, i64 {offset}")
            self._entry.lines.append(f"  store i64 0, ptr {place}, align 8")
        return Value("ptr", name)

    def offset(self, pointer: Value, distance: int | Value) -> Value:
        """The pointer `distance` bytes farther."""
        if distance == 0:
            return pointer
        index = const(distance) if isinstance(distance, int) else distance
        if pointer.text.startswith("@") and isinstance(distance, int):
            return Value("ptr", f"getelementptr (i8, ptr {pointer.text}, i64 {distance})")
        return self._emit("ptr", f"getelementptr i8, ptr {pointer.text}, i64 {index.text}")

    def load(self, pointer: Value, type_: str = "i64", align: int = 0, *, volatile: bool = False) -> Value:
        size = int(type_[1:]) // 8 if type_ != "ptr" else 8
        word = "volatile " if volatile else ""
        return self._emit(type_, f"load {word}{type_}, ptr {pointer.text}, align {align or size}")

    def store(self, value: Value, pointer: Value, align: int = 0, *, volatile: bool = False) -> None:
        size = int(value.type[1:]) // 8 if value.type != "ptr" else 8
        word = "volatile " if volatile else ""
        self._do(f"store {word}{value.type} {value.text}, ptr {pointer.text}, align {align or size}")

    def atomic_add(self, pointer: Value, value: Value) -> None:
        """Adds a 32- or 64-bit integer."""
        self._atomic_add(pointer, value, "monotonic")

    def fetch_add(self, pointer: Value, value: Value) -> Value:
        """The same; yields the old value."""
        # Of a monotonic addition LLVM's BPF target makes an instruction that yields nothing, used or not.
        return self._atomic_add(pointer, value, "acq_rel")

    def _atomic_add(self, pointer: Value, value: Value, order: str) -> Value:
        size = int(value.type[1:]) // 8
        return self._emit(
            value.type, f"atomicrmw add ptr {pointer.text}, {value.type} {value.text} {order}, align {size}"
        )

    def compare_exchange(self, pointer: Value, expected: Value, new: Value) -> Value:
        """Stores `new` where `expected` was; yields what was there."""
        pair = self._emit(
            "{ i64, i1 }",
            f"cmpxchg ptr {pointer.text}, i64 {expected.text}, i64 {new.text} monotonic monotonic, align 8",
        )
        return self._emit("i64", f"extractvalue {{ i64, i1 }} {pair.text}, 0")

    # --- calls ------------------------------------------------------------------------------------------------------

    def call(self, helper: int, *arguments: Value, pure: bool = False, single: bool = False) -> Value:
        """Call a BPF helper by number.

        Args:
            pure: It yields the same each time in one run, so LLVM may merge calls.
            single: LLVM may not make two calls of it.
        """
        return self._emit("i64", _call("i64", helper, arguments, 1 if pure else 2 if single else 0))

    def lookup_scratch(self, map_: Value, key: Value, bases: Sequence[tuple[str, int]]) -> None:
        """bpf_map_lookup_elem, whose result is called %scratch everywhere, and names for places behind it."""
        self._do("%scratch = " + _call("ptr", 1, (map_, key), 0))
        self._name_places(bases)

    def name_scratch(self, area: Value, bases: Sequence[tuple[str, int]]) -> None:
        """Call `area` %scratch everywhere, and name places behind it."""
        self._do(f"%scratch = getelementptr i8, ptr {area.text}, i64 0")
        self._name_places(bases)

    def _name_places(self, bases: Sequence[tuple[str, int]]) -> None:
        for name, offset in bases:
            self._do(f"{name} = getelementptr i8, ptr %scratch, i64 {offset}")


def _call(type_: str, helper: int, arguments: Sequence[Value], group: int) -> str:
    given = ", ".join(f"{value.type} {value.text}" for value in arguments)
    return f"call {type_} inttoptr (i64 {helper} to ptr)({given}) #{group}"
