"""The typed program: what a front end produces, engines run, passes rewrite. Its expressions, and the rules for all.

Nodes are immutable and compared by identity. Every expression has a `type` and a `span`. Rules that all rely on:

- An integer value is held in 64 bits, sign- or zero-extended from its C type; every operation's result is wrapped to
  its `type`. Operands of `Binary` and `Compare` already have one common type (the front end inserts `Convert`);
  shifts keep the left operand's promoted type, and their count is taken modulo the width. INT_MIN / -1 wraps.
- A `String` value is a NUL-terminated byte string of at most `type.size` - 1 bytes. Strings are bytes, not text.
- A read that fails, a division by zero, a bad index, a loop without end: a *fault*. It ends the running clause, is
  reported through ERROR, and tracing goes on. Faults are attributed to the expression's span.
- A structure, array or floating-point number has no value of its own: the expression is a `Memory` (where it lies), to
  be copied or indexed.

    x = arg0 + 1      Assign(VarRef(x), Binary("+", Arg0Expr, IntLit(1)))

Statements are in `statements`, probes, clauses and the whole program in `clauses`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from invivo.program.records import AggFunction, FieldType
from invivo.program.types import Space, Type
from invivo.source import Span
from invivo.value import node

if TYPE_CHECKING:
    from invivo.program.statements import Block

# --- variables and aggregations -------------------------------------------------------------------------------------


class Scope(enum.Enum):
    GLOBAL = "global"
    # self->x; zero until assigned, gone when assigned 0 or when the thread exits (elements of arrays may stay).
    THREAD = "thread"
    CLAUSE = "clause"  # this->x; lives for one firing of one probe, shared by that firing's clauses; zero at first
    LOCAL = "local"  # a parameter or variable of an inlined function; made new at each InlineCall


@node
class Variable:
    """A scalar, structure or array, or with `keys` an associative array of them. All is 0 (or "") until assigned."""

    name: str
    scope: Scope
    type: Type
    keys: tuple[Type, ...] | None = None


@node
class Aggregation:
    """`name` without the `@` ("" for the anonymous one, shown as `@`). `id` counts from 1 in order of appearance.

    `parameters` are the constants of lquantize (base, limit, step) and llquantize (factor, low, high, steps).
    `keys` say how each key is stored: INTERNED only if every use of the aggregation has a ProbeName or StrLit there.
    """

    id: int
    name: str
    function: AggFunction
    parameters: tuple[int, ...]
    keys: tuple[FieldType, ...]


# --- expressions ----------------------------------------------------------------------------------------------------


@node
class IntLit:
    value: int  # already wrapped to its type
    type: Type
    span: Span


@node
class StrLit:
    value: bytes  # without the NUL; no NUL inside
    type: Type  # String(len + 1)
    span: Span


@node
class VarRef:
    variable: Variable
    type: Type
    span: Span


@node
class Element:
    """`array[keys]`; keys have the variable's key types."""

    variable: Variable
    keys: tuple[Expr, ...]
    type: Type
    span: Span


@node
class VariableAddress:
    """Where a structure or array variable that is no Element and of no thread lies, as an address of its space:
    Space.GLOBAL for GLOBAL scope, Space.SCRATCH for CLAUSE and LOCAL."""

    variable: Variable
    type: Type  # ULONG
    span: Span


@node
class EntryAddress:
    """Where an Element or a thread's variable that is a structure or array lies: an address of Space.ENTRY.

    It is always the leftmost operand of the sum that is the address of a Load, Memory or ReadString of that space.
    Where there is no entry, reads yield zeros and writes make one of zeros. Nothing but the thread's end deletes it.
    """

    reference: VarRef | Element
    type: Type  # ULONG
    span: Span


@node
class Checked:
    """An index below `count`; others are a fault (BADINDEX)."""

    operand: Expr  # 64 bits, unsigned
    count: int
    type: Type  # ULONG
    span: Span


@node
class Unary:
    """`-` and `~` on integers. (`!` is a Compare with 0, unary `+` a Convert.)"""

    op: str
    operand: Expr
    type: Type
    span: Span


@node
class Binary:
    """`+ - * / % & | ^ << >>` on integers; pointer arithmetic becomes these on 64-bit integers, converted back."""

    op: str
    left: Expr
    right: Expr
    type: Type
    span: Span


@node
class Compare:
    """`== != < <= > >=` of two scalars of one type (whose signedness decides); the result is an int, 0 or 1."""

    op: str
    left: Expr
    right: Expr
    type: Type
    span: Span


@node
class StrCompare:
    """The same of two strings, byte by byte as strcmp(3) does with unsigned bytes."""

    op: str
    left: Expr
    right: Expr
    type: Type
    span: Span


@node
class Logical:
    """`&&` and `||`, which evaluate the right side only if needed, and `^^`, which needs both; scalars in, int out."""

    op: str
    left: Expr
    right: Expr
    type: Type
    span: Span


@node
class Conditional:
    """`condition ? then : other`; both branches have `type` (strings: the larger size)."""

    condition: Expr
    then: Expr
    other: Expr
    type: Type
    span: Span


@node
class Convert:
    """To another scalar type, by C's rules for the bits; spaces of pointers may change only from integers."""

    operand: Expr
    type: Type
    span: Span


@node
class Load:
    """A scalar read from memory at `address` (a 64-bit integer or pointer expression).

    For a bit-field, `bits` is (offset from the address in bits, width), and `type` its declared type.
    """

    address: Expr
    space: Space
    type: Type
    span: Span
    bits: tuple[int, int] | None = None


@node
class Memory:
    """A structure, array or float by value, at `address`; only stored into fields, keys and variables, or converted."""

    address: Expr
    space: Space
    type: Type  # Struct, Array or Float
    span: Span


@node
class ReadString:
    """The NUL-terminated string at `address`, cut at `type.size` - 1 bytes; a bad address faults.

    `limit`, where given, bounds the bytes read at run time (copyinstr's second argument).
    """

    address: Expr
    space: Space
    type: Type  # String
    span: Span
    limit: Expr | None = None


@node
class Assign:
    """Stores and yields the value. Assigning 0 to an Element or a THREAD variable deletes it.

    A Load, Memory (of a structure) or ReadString as target is a store through an address of SCRATCH, GLOBAL or ENTRY.
    That of a structure copies all of it from another Memory, and is evaluated for its effect only.
    """

    target: VarRef | Element | Load | Memory | ReadString
    value: Expr
    type: Type
    span: Span


@node
class Update:
    """`target op= value`, and ++/-- with value 1; yields the new value, or the old one if `is_postfix`.

    The operation is done in `value`'s type (both sides converted), the result converted to the target's type.
    On global integers `+=`, `-=`, ++ and -- are atomic.
    """

    op: str  # as in Binary
    target: VarRef | Element | Load
    value: Expr
    is_postfix: bool
    type: Type
    span: Span


@node
class Call:
    """A primitive (a name in `program.primitives`) applied to arguments that fit its declared parameters."""

    primitive: str
    arguments: tuple[Expr, ...]
    type: Type
    span: Span


@node
class InlineCall:
    """A local function's body in place: parameters are assigned, body runs, `Return` yields the value."""

    parameters: tuple[tuple[Variable, Expr], ...]
    body: Block
    type: Type
    span: Span


@node
class Comma:
    first: Expr
    second: Expr
    type: Type
    span: Span


class Component(enum.Enum):
    PROVIDER = "probeprov"
    MODULE = "probemod"
    FUNCTION = "probefunc"
    NAME = "probename"


@node
class ProbeName:
    """probeprov, probemod, probefunc, probename of the probe that fired."""

    component: Component
    type: Type
    span: Span


@node
class ProbeId:
    """The id of the probe that fired (`id`)."""

    type: Type
    span: Span


@node
class RuntimeConstant:
    """A number that the session sets just before tracing starts: see `shared.Globals` for the offsets ($target ...)."""

    offset: int
    type: Type
    span: Span


@node
class FaultInfo:
    """In ERROR clauses: arg1..arg5 by `index`: 1 epid, 2 action (site) index, 3 pc (0), 4 FaultKind value, 5 value."""

    index: int
    type: Type
    span: Span


# Reads of the firing's context; which of them are valid depends on the attach point (see providers).


@node
class ContextWord:
    """Word `index` of the context's array of 64-bit words (raw and BTF tracepoints: the arguments)."""

    index: int
    type: Type
    span: Span


@node
class ContextBytes:
    """`size` bytes at `offset` of the context structure (perf tracepoints; perf_event programs), as `type`."""

    offset: int
    type: Type
    span: Span


@node
class ContextAddress:
    """The address of byte `offset` of the context structure, as a pointer in KERNEL space."""

    offset: int
    type: Type
    span: Span


Expr = (
    IntLit | StrLit | VarRef | Element | VariableAddress | EntryAddress | Checked | Unary | Binary | Compare
    | StrCompare | Logical | Conditional | Convert | Load | Memory | ReadString | Assign | Update | Call | InlineCall
    | Comma | ProbeName | ProbeId | RuntimeConstant | FaultInfo | ContextWord | ContextBytes | ContextAddress
)  # fmt: skip
