"""The types of D values: C's, plus strings, stacks and symbols.

Typedefs are resolved where a type is made, and live on in the `name` of what they name:
`pid_t` is `Int("pid_t", 4, True)`. A type is a value; two `Int`s with the same fields are one type.

    unsigned char       Int("unsigned char", 1, False)
    struct task_struct* Pointer(Struct("struct", "task_struct", ...), Space.KERNEL)
    string              String(256)
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from invivo.value import fresh, value

__all__ = [
    "BOOL", "CHAR", "INT", "INT8", "INT16", "INT32", "INT64", "LONG", "SHORT", "UCHAR", "UINT", "UINT8", "UINT16",
    "UINT32", "UINT64", "ULONG", "USHORT", "VOID",
    "Array", "Enum", "Float", "Func", "Int", "Member", "Pointer", "Space", "Stack", "String", "Struct", "Symbol",
    "Type", "Void", "a_type", "is_integral", "is_scalar", "is_structured", "size_of", "type_name",
]  # fmt: skip


class Space(enum.Enum):
    """Where the memory behind a pointer lies, that is: how it is read."""

    KERNEL = "kernel"  # read with a fault-safe helper
    USER = "user"  # of the current process; read with a fault-safe helper
    SCRATCH = "scratch"  # the firing's own memory (alloca, copyin); the pointer is an offset into it, 0 is NULL
    GLOBAL = "global variables"  # structures and arrays of GLOBAL scope; the pointer is an offset into them, 0 is NULL
    ENTRY = "hashed variables"  # an entry of an array or of a thread's variables; no pointer to there is ever kept
    TRUSTED = "trusted"  # kernel memory which the verifier knows to be good: a direct load (BTF-typed context)


@value
class Int:
    """A C integer: `size` in bytes (1, 2, 4, 8)."""

    name: str
    size: int
    signed: bool


@value
class Float:
    """Never computed with: read as it lies in memory, printed, or made an integer by shifting its bits."""

    name: str
    size: int


@value
class Void:
    name: str = "void"


@value
class Enum:
    """A C enumeration; computes as an integer of its size, prints by name where asked."""

    name: str
    size: int
    signed: bool
    members: tuple[tuple[str, int], ...] = ()


@value
class Pointer:
    target: Type
    space: Space = Space.KERNEL


@value
class Array:
    """`count` elements; 0 where C leaves it open (a flexible array)."""

    element: Type
    count: int


@value
class String:
    """D's string, by value: at most `size` - 1 bytes and a NUL."""

    size: int = 256


@value
class Member:
    """A member at `bit_offset` from the structure's start; `bit_size` is 0 unless it is a bit-field."""

    name: str  # empty for an anonymous structure or union
    type: Type
    bit_offset: int
    bit_size: int = 0


@value
class Struct:
    """A structure or union; members are resolved on first use, so that a pointer to one costs nothing.

    `size` is None for an incomplete (only forward-declared) type.
    """

    keyword: str  # "struct" or "union"
    name: str
    size: int | None
    resolve: Callable[[], tuple[Member, ...]] = tuple
    _cache: list[tuple[Member, ...]] = fresh(factory=list)

    def __eq__(self, other: object) -> bool:
        """Two structures of one name and size are one type, wherever their members are read from."""
        if not isinstance(other, Struct):
            return NotImplemented
        return (self.keyword, self.name, self.size) == (other.keyword, other.name, other.size)

    def __hash__(self) -> int:
        return hash((self.keyword, self.name, self.size))

    @property
    def members(self) -> tuple[Member, ...]:
        if not self._cache:
            self._cache.append(self.resolve())
        return self._cache[0]

    def find(self, name: str) -> Member | None:
        """The member called `name`, looked for in anonymous members too, its offset from this structure's start."""
        for member in self.members:
            if member.name == name:
                return member
            if not member.name and isinstance(member.type, Struct):
                inner = member.type.find(name)
                if inner is not None:
                    return Member(name, inner.type, member.bit_offset + inner.bit_offset, inner.bit_size)
        return None


@value
class Func:
    """A function type: pointers to it can be compared and printed."""

    result: Type
    parameters: tuple[Type, ...] = ()


@value
class Stack:
    """A stack by its 64-bit identity; `is_user` tells ustack() from stack(); `depth` frames are printed."""

    is_user: bool
    depth: int


@value
class Symbol:
    """An address that prints as a name: sym(), func(), mod() and their user-space kin. `form` is that name."""

    form: str  # "sym" "func" "mod" "usym" "ufunc" "umod" "uaddr"


Type = Int | Float | Void | Enum | Pointer | Array | String | Struct | Func | Stack | Symbol

VOID = Void()
BOOL = Int("_Bool", 1, False)
CHAR = Int("char", 1, True)
UCHAR = Int("unsigned char", 1, False)
SHORT = Int("short", 2, True)
USHORT = Int("unsigned short", 2, False)
INT = Int("int", 4, True)
UINT = Int("unsigned int", 4, False)
LONG = Int("long", 8, True)
ULONG = Int("unsigned long", 8, False)
INT8 = Int("int8_t", 1, True)
UINT8 = Int("uint8_t", 1, False)
INT16 = Int("int16_t", 2, True)
UINT16 = Int("uint16_t", 2, False)
INT32 = Int("int32_t", 4, True)
UINT32 = Int("uint32_t", 4, False)
INT64 = Int("int64_t", 8, True)
UINT64 = Int("uint64_t", 8, False)


def is_integral(type_: Type) -> bool:
    """Whether the type computes as an integer."""
    return isinstance(type_, Int | Enum)


def is_scalar(type_: Type) -> bool:
    """Whether the type is an integer or a pointer: what a predicate or `!` takes."""
    return isinstance(type_, Int | Enum | Pointer)


def is_structured(type_: Type) -> bool:
    """Whether a variable of the type is memory that is read and written by part."""
    return isinstance(type_, Struct | Array)


def size_of(type_: Type) -> int | None:
    """Size in bytes, None where C has none (void, functions, incomplete structures)."""
    match type_:
        case Int() | Float() | Enum() | String() | Struct():
            return type_.size
        case Pointer() | Stack() | Symbol():
            return 8
        case Array(element, count):
            inner = size_of(element)
            return None if inner is None else inner * count
        case Void() | Func():
            return None


def a_type(type_: Type) -> str:
    """The type's name with its article, for messages: "an int", "a string"."""
    name = type_name(type_)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def type_name(type_: Type) -> str:
    """The type as C or D writes it: `struct task_struct *`, `char [16]`, `string`."""
    match type_:
        case Int() | Float() | Void():
            return type_.name
        case Enum(name):
            return f"enum {name}"
        case Struct(keyword, name):
            return f"{keyword} {name}" if name else f"{keyword} {{...}}"
        case Pointer(Func(result, parameters)):
            return f"{type_name(result)} (*)({', '.join(map(type_name, parameters))})"
        case Pointer(target):
            inner = type_name(target)
            return f"{inner}*" if inner.endswith("*") else f"{inner} *"
        case Array(element, count):
            return f"{type_name(element)} [{count or ''}]"
        case String():
            return "string"
        case Func(result, parameters):
            return f"{type_name(result)} ({', '.join(map(type_name, parameters))})"
        case Stack(is_user):
            return "ustack" if is_user else "stack"
        case Symbol():
            return "_usymaddr" if type_.form.startswith("u") else "_symaddr"
