"""Which clauses can be carried out after the stop, from a record of it, and what such a record has to contain.

    needs = needs_of([clause, guard])          None: something in them has to look at the thread while it is stopped
    needs.recipes                              pieces of its memory at addresses that its registers hold
    needs.has_all_registers                    more is read of the registers than a system call's own

A clause that can asks for nothing but the call's number, arguments and result, who made it and when, and memory that an
argument points to, of a size that stands in the text. Stacks, the kernel's structures, and everything that changes the
process need the stopped thread. The answer is never wrong on the other side: what is not known to be safe is not.
"""

from __future__ import annotations

from collections.abc import Iterable

from invivo.engines.process.native.layout import ARGUMENTS, BRIEF, REGISTER
from invivo.engines.process.native.records import Recipe
from invivo.program import nodes, statements
from invivo.program.nodes import (
    Binary,
    Call,
    ContextAddress,
    ContextWord,
    Convert,
    Expr,
    IntLit,
    Load,
    Memory,
    ReadString,
)
from invivo.program.types import Enum, Int, Pointer, Space, String, size_of
from invivo.program.walk import walk
from invivo.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.clauses import Clause, Program

__all__ = ["Needs", "has_kernel_stacks", "has_stacks", "needs_of"]

_NAMES = {8 * index: name for name, index in REGISTER.items()}
_OF_CALL = frozenset((*ARGUMENTS, *(REGISTER[name] for name in ("ax", "orig_ax", "ip", "sp", "cs", "ss"))))
_PT_REGS_BYTES = 21 * 8
_LARGEST = 1 << 16  # all pieces of a record

# What a primitive asks of the world is in the record, or it asks nothing.
_PRIMITIVES = frozenset((
    "pid_tgid", "comm", "cpu", "timestamp", "random", "kernel_pc", "user_pc", "user_registers", "cpu_chip", "cpu_lgrp",
    "strlen", "strjoin", "substr", "index", "rindex", "strstr", "strchr", "strrchr", "basename", "dirname", "lltostr",
    "lltostr_base", "strtoll", "strspn", "strcspn", "toupper", "tolower", "speculation", "speculation_state",
    "speculation_end", "alloca", "copyin", "scopy", "kcopy_string",
))  # fmt: skip

_PLAIN = (
    nodes.IntLit, nodes.StrLit, nodes.VarRef, nodes.Element, nodes.Unary, nodes.Binary, nodes.Compare, nodes.StrCompare,
    nodes.Logical, nodes.Conditional, nodes.Convert, nodes.Assign, nodes.Update, nodes.InlineCall, nodes.Comma,
    nodes.ProbeName, nodes.ProbeId, nodes.RuntimeConstant, nodes.FaultInfo,
    statements.Block, statements.ExprStmt, statements.If, statements.Loop, statements.Break, statements.Continue,
    statements.Return, statements.StoreField, statements.Emit, statements.AggUpdate, statements.Exit,
)  # fmt: skip

# Of those, what is the same whenever it is asked, and changes nothing.
_REPEATABLE = frozenset((
    "pid_tgid", "comm", "strlen", "strjoin", "substr", "index", "rindex", "strstr", "strchr", "strrchr", "basename",
    "dirname", "lltostr", "lltostr_base", "strtoll", "strspn", "strcspn", "toupper", "tolower",
))  # fmt: skip
_TIMELESS = (
    nodes.IntLit, nodes.StrLit, nodes.Unary, nodes.Binary, nodes.Compare, nodes.StrCompare, nodes.Logical,
    nodes.Conditional, nodes.Convert, nodes.Comma, nodes.ProbeName, nodes.ProbeId, nodes.RuntimeConstant, ContextWord,
    statements.Block, statements.ExprStmt, statements.If, statements.AggUpdate,
)  # fmt: skip


@value
class Needs:
    """What a record has to contain. `has_cpu`: the CPU, which is known only where threads are pinned to one;
    `has_words`: anything at all of its registers, so also its arguments and result."""

    recipes: tuple[Recipe, ...] = ()
    has_all_registers: bool = False
    has_cpu: bool = False
    has_words: bool = False
    registers: frozenset[int] = frozenset()  # those that are read
    is_repeatable: bool = False  # it changes aggregations only, and by what depends on the record without its time

    @property
    def is_constant(self) -> bool:
        """Whether it does the same whenever a thread makes it happen, whatever is in registers and memory."""
        return self.is_repeatable and not (self.recipes or self.has_words or self.registers)

    def part(self, has_registers: bool, is_return: bool) -> slice:
        """Which bytes of a record's registers matter. The first words of the context are the number and the result."""
        used = self.registers | ({REGISTER["ax"]} if is_return and self.has_words else set())
        places = [(index if has_registers else BRIEF.index(index)) for index in used if has_registers or index in BRIEF]
        return slice(8 * min(places), 8 * max(places) + 8) if places else slice(0, 0)


class _Unsafe(Exception):
    """Something has to look at the stopped thread."""


def needs_of(parts: Iterable[Clause | Expr]) -> Needs | None:
    """What records have to contain for these clauses and guards; None if no record would do."""
    recipes: dict[Recipe, None] = {}
    has_all_registers = has_cpu = has_words = False
    registers: set[int] = set()
    is_repeatable = True
    try:
        for part in parts:
            for node in walk(part):
                is_repeatable &= _is_repeatable(node)
                match node:
                    case Load() | Memory() | ReadString():
                        if node.space is Space.USER:
                            recipes[_recipe(node)] = None
                        elif node.space is not Space.SCRATCH:
                            has_words = True
                            registers.add(_register(node))
                            has_all_registers |= _register(node) not in _OF_CALL
                    case Call("comm"):
                        recipes[Recipe.comm()] = None
                    case Call("copyin", (address, size)):
                        recipes[_bytes(address, _constant(size))] = None
                    case Call(primitive):
                        if primitive not in _PRIMITIVES:
                            raise _Unsafe
                        has_all_registers |= primitive == "user_registers"
                        has_words |= primitive in ("user_registers", "user_pc")
                        has_cpu |= primitive == "cpu"
                    case ContextWord(index):
                        has_words = True
                        if index > 1:
                            raise _Unsafe
                    case _ if not isinstance(node, _PLAIN):
                        raise _Unsafe
    except _Unsafe:
        return None
    if len(recipes) > 255 or sum(recipe.room for recipe in recipes) > _LARGEST:
        return None
    is_repeatable &= not has_all_registers
    return Needs(tuple(recipes), has_all_registers, has_cpu, has_words, frozenset(registers), is_repeatable)


def _is_repeatable(node: object) -> bool:
    """Whether the same record, whenever it comes, has the same effect by this node."""
    match node:
        case Load() | Memory() | ReadString():
            return node.space in (Space.USER, Space.KERNEL)
        case Call(primitive):
            return primitive in _REPEATABLE
        case statements.Loop():
            return False
        case _:
            return isinstance(node, _TIMELESS)


def has_stacks(program: Program) -> bool:
    """Whether a clause walks a thread's stack."""
    return _calls(program, "ustack", "ucaller", "ustack_depth")


def has_kernel_stacks(program: Program) -> bool:
    """Whether a clause asks for the kernel's stack, of which a process knows nothing."""
    return _calls(program, "kstack", "caller", "kstack_depth")


def _calls(program: Program, *names: str) -> bool:
    return any(
        isinstance(node, Call) and node.primitive in names for clause in program.clauses for node in walk(clause)
    )


def _recipe(node: Load | Memory | ReadString) -> Recipe:
    """The piece of user memory that a node reads."""
    if isinstance(node, ReadString):
        assert isinstance(node.type, String)
        most = max(node.type.size - 1, 0)
        limit = most if node.limit is None else min(_constant(node.limit), most)
        register, displacement = _address(node.address)
        return Recipe.string(register, limit, displacement)
    size = 8 if isinstance(node, Load) and not isinstance(node.type, Int | Enum) else size_of(node.type)
    if size is None or (isinstance(node, Load) and node.bits is not None):
        raise _Unsafe
    return _bytes(node.address, size)


def _bytes(address: Expr, size: int) -> Recipe:
    if not 0 <= size <= _LARGEST:
        raise _Unsafe
    register, displacement = _address(address)
    return Recipe.bytes(register, size, displacement=displacement)


def _register(node: Load | Memory | ReadString) -> int:
    """Which register a read of the kernel's memory is of; it must be the context's."""
    if not isinstance(node, Load) or node.bits is not None:
        raise _Unsafe
    place = _in_registers(node.address)
    if place is None or place >= _PT_REGS_BYTES:
        raise _Unsafe
    return place // 8


def _in_registers(address: Expr) -> int | None:
    """The offset in struct pt_regs of an address that is the context's first word and a constant."""
    match address:
        case Convert(operand, type_) if size_of(type_) == 8:
            return _in_registers(operand)
        case Binary("+", left, right):
            base, more = _in_registers(left), _constant(right)
            return None if base is None else base + more
        case ContextWord(0) | ContextAddress(0):
            return 0
    return None


def _address(expr: Expr) -> tuple[str, int]:
    """(register, displacement) of an address in user memory."""
    match expr:
        case Convert(operand, Pointer() | Int(size=8)) if size_of(operand.type) == 8:
            return _address(operand)
        case Binary("+", left, right):
            register, displacement = _address(left)
            return register, displacement + _constant(right)
        case ContextWord(1):  # at a return: the result
            return "ax", 0
        case Load(address, space, type_, bits=None) if space is not Space.USER and size_of(type_) == 8:
            place = _in_registers(address)
            if place in _NAMES:
                return _NAMES[place], 0
    raise _Unsafe


def _constant(expr: Expr) -> int:
    match expr:
        case IntLit(number):
            return number
        case Convert(operand, Pointer() | Int(size=8)):
            return _constant(operand)
        case _:
            raise _Unsafe
