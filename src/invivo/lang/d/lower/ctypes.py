"""Types as written, resolved: TypeName to Type.

unsigned long            ULONG
struct task_struct *     Pointer(Struct task_struct of the kernel's BTF)
pid_t                    the kernel's typedef, or D's own
char [16]                Array(CHAR, 16)
"""

from __future__ import annotations

from invivo.lang.d import syntax
from invivo.lang.d.lower.state import ProgramState
from invivo.program.types import (
    BOOL,
    CHAR,
    INT,
    INT8,
    INT16,
    INT32,
    INT64,
    LONG,
    SHORT,
    UCHAR,
    UINT,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    ULONG,
    USHORT,
    VOID,
    Array,
    Enum,
    Float,
    Func,
    Int,
    Member,
    Pointer,
    Space,
    String,
    Struct,
    Type,
    Void,
    a_type,
    size_of,
    type_name,
)
from invivo.source import Span

__all__ = ["declare_ahead", "declare_enum", "declared_type", "resolve", "size_type"]

_LONG_LONG = Int("long long", 8, True)
_ULONG_LONG = Int("unsigned long long", 8, False)

# By the words in alphabetical order; "int" and "signed" left out where they say nothing.
_WORDS: dict[tuple[str, ...], Type] = {
    ("void",): VOID, ("_Bool",): BOOL, ("bool",): BOOL, ("char",): CHAR,
    ("char", "signed"): Int("signed char", 1, True),
    ("char", "unsigned"): UCHAR, ("short",): SHORT, ("short", "unsigned"): USHORT, ("int",): INT, (): INT,
    ("unsigned",): UINT, ("long",): LONG, ("long", "unsigned"): ULONG, ("long", "long"): _LONG_LONG,
    ("long", "long", "unsigned"): _ULONG_LONG, ("float",): Float("float", 4), ("double",): Float("double", 8),
    ("double", "long"): Float("long double", 16),
}  # fmt: skip
_MOST_ELEMENTS = 1 << 28
_BASIC = {"void", "_Bool", "bool", "char", "signed", "unsigned", "short", "int", "long", "float", "double", "complex"}

# D has these whatever the kernel's BTF says.
_TYPEDEFS: dict[str, Type] = {
    "int8_t": INT8, "int16_t": INT16, "int32_t": INT32, "int64_t": INT64, "uint8_t": UINT8, "uint16_t": UINT16,
    "uint32_t": UINT32, "uint64_t": UINT64, "intptr_t": Int("intptr_t", 8, True),
    "uintptr_t": Int("uintptr_t", 8, False),
    "size_t": Int("size_t", 8, False), "ssize_t": Int("ssize_t", 8, True), "ptrdiff_t": Int("ptrdiff_t", 8, True),
    "uchar_t": Int("uchar_t", 1, False), "ushort_t": Int("ushort_t", 2, False), "uint_t": Int("uint_t", 4, False),
    "ulong_t": Int("ulong_t", 8, False), "longlong_t": Int("longlong_t", 8, True),
    "u_longlong_t": Int("u_longlong_t", 8, False), "hrtime_t": Int("hrtime_t", 8, True), "id_t": Int("id_t", 4, True),
    "pid_t": Int("pid_t", 4, True), "uid_t": Int("uid_t", 4, False), "gid_t": Int("gid_t", 4, False),
    "zoneid_t": Int("zoneid_t", 4, True), "processorid_t": Int("processorid_t", 4, True),
}  # fmt: skip


def size_type() -> Int:
    """size_t."""
    return Int("size_t", 8, False)


def resolve(state: ProgramState, name: syntax.TypeName) -> Type:
    """The type that a TypeName stands for."""
    return declared_type(state, name, name.declarator)


def declared_type(state: ProgramState, base: syntax.TypeName, declarator: syntax.Declarator) -> Type:
    """The type of one declarator. The parts are applied from the type inwards, that is: last to first."""
    type_, space = _base(state, base)
    if base.is_user:
        space = Space.USER
    for kind, detail in reversed(declarator.parts):
        match kind:
            case "pointer":
                type_ = Pointer(type_, space)
            case "array":
                if isinstance(type_, Void | Func):
                    state.error("D_DECL_VOIDOBJ", declarator.span, f"an array of {type_name(type_)} cannot be")
                type_ = Array(type_, _length(state, detail, declarator.span))
            case "func":
                assert isinstance(detail, tuple)
                type_ = Func(type_, tuple(resolve(state, parameter.type) for parameter in detail))
            case _:
                state.error("D_DECL_COMBO", declarator.span, "an associative array is no part of another type")
    return type_


def _length(state: ProgramState, size: object, span: Span) -> int:
    if size is None:
        return 0
    from invivo.lang.d.lower.constants import constant_of_syntax

    count = constant_of_syntax(state, size)  # type: ignore[arg-type]
    if count is None or count <= 0:
        state.error("D_DECL_ARRSUB", span, "an array's size must be a constant, and greater than 0")
    if count > _MOST_ELEMENTS:
        state.error("D_DECL_ARRBIG", span, f"an array of {count} elements is too large")
    return count


def _base(state: ProgramState, name: syntax.TypeName) -> tuple[Type, Space]:
    """The type that the words name, and where pointers to it lead."""
    if isinstance(name.tagged, syntax.StructDecl):
        return _struct(state, name.tagged)
    if isinstance(name.tagged, syntax.EnumDecl):
        return _enum(state, name.tagged)
    words = name.words
    if all(word in _BASIC for word in words):
        if "signed" in words and "unsigned" in words:
            state.error("D_DECL_SIGNINT", name.span, "an integer is signed or unsigned, not both")
        kept = sorted(word for word in words if word not in ("int", "signed") or len(words) == 1)
        if kept == ["signed"]:
            kept = ["int"]
        if "char" in words and "signed" in words:
            kept = ["char", "signed"]
        found = _WORDS.get(tuple(kept))
        if found is None:
            state.error(_combination_code(words), name.span, f"'{' '.join(words)}' is not a type")
        return found, state.pointer_space(name.span)
    if len(words) != 1:
        state.error("D_DECL_COMBO", name.span, f"'{' '.join(words)}' is not a type")
    return _named(state, words[0], name.span)


def _combination_code(words: tuple[str, ...]) -> str:
    """DTrace's tag of type words that do not go together."""
    if "char" in words and ("short" in words or "long" in words):
        return "D_DECL_CHARATTR"
    if "void" in words:
        return "D_DECL_VOIDATTR"
    if words.count("long") > 2 or ("long" in words and "short" in words):
        return "D_DECL_LONGINT"
    return "D_DECL_COMBO"


def _named(state: ProgramState, word: str, span: Span) -> tuple[Type, Space]:
    if word == "string":
        return String(state.strsize), Space.KERNEL
    own = state.typedefs.get(word) or _TYPEDEFS.get(word)
    if own is None and state.library(word):
        own = state.typedefs.get(word)
    if own is not None:
        return own, state.pointer_space(span)
    found: tuple[Type, Space] | None = state.look_up(lambda types: types.typedef(word), span)
    if found is None:
        is_tag = state.look_up(lambda types: types.struct("struct", word), span) is not None
        hint = f"did you mean struct {word}?" if is_tag else state.untyped
        state.error("D_TYPE_ERR", span, f"no type is called '{word}'", hint)
    return found


def _struct(state: ProgramState, declaration: syntax.StructDecl) -> tuple[Type, Space]:
    keyword, name, span = declaration.keyword, declaration.name, declaration.span
    key = f"{keyword} {name}"
    if declaration.members is not None:
        made = _make_struct(state, declaration)
        if name:
            state.tagged[key] = made
        return made, state.pointer_space(span)
    if (own := state.tagged.get(key)) is not None:
        return own, state.pointer_space(span)
    found: tuple[Type, Space] | None = state.look_up(lambda types: types.struct(keyword, name), span)
    if found is None:
        hint = state.untyped or _similar_struct(state, declaration)
        state.error("D_TYPE_ERR", span, f"neither the program nor the kernel has a '{key}'", hint)
    return found


def _similar_struct(state: ProgramState, declaration: syntax.StructDecl) -> str:
    other = "union" if declaration.keyword == "struct" else "struct"
    name, span = declaration.name, declaration.span
    if state.look_up(lambda types: types.struct(other, name), span) is not None:
        return f"did you mean {other} {name}?"
    if state.look_up(lambda types: types.typedef(name), span) is not None:
        return f"did you mean the typedef {name}?"
    return ""


def _make_struct(state: ProgramState, declaration: syntax.StructDecl) -> Struct:
    """Lay out a structure of the script as the x86-64 and arm64 ABIs do."""
    members: list[Member] = []
    end = 0  # in bits
    align = 1  # in bytes
    names: set[str] = set()
    made = Struct(declaration.keyword, declaration.name, None, lambda: tuple(members))
    if declaration.name:
        key = f"{declaration.keyword} {declaration.name}"
        known = state.tagged.get(key)
        if isinstance(known, Struct) and known.size is None:  # declared before, without its members
            made = known
            object.__setattr__(made, "resolve", lambda: tuple(members))
            made._cache.clear()
        state.tagged[key] = made  # members may point to it
    for entry in declaration.members or ():
        for declarator in entry.declarators or (syntax.Declarator("", (), entry.span),):
            type_ = declared_type(state, entry.base, declarator)
            bytes_ = size_of(type_)
            if bytes_ is None:
                code = "D_DECL_VOIDOBJ" if isinstance(type_, Void) else "D_DECL_INCOMPLETE"
                state.error(code, declarator.span, f"a member of type {type_name(type_)} has no size")
            if declarator.name and declarator.name in names:
                state.error("D_DECL_MNAME", declarator.span, f"two members are called '{declarator.name}'")
            names.add(declarator.name)
            bits = _bit_width(state, declarator, type_)
            unit = _alignment(type_)
            start = 0 if declaration.keyword == "union" else end
            if bits:
                if start // (bytes_ * 8) != (start + bits - 1) // (bytes_ * 8):
                    start = -(-start // (bytes_ * 8)) * bytes_ * 8
            else:
                start = -(-start // (unit * 8)) * unit * 8
            members.append(Member(declarator.name, type_, start, bits))
            end = max(end, start + (bits or bytes_ * 8))
            align = max(align, unit)
    size = -(-end // (align * 8)) * align
    object.__setattr__(made, "size", size)  # it stood without one while its members were read
    return made


def _bit_width(state: ProgramState, declarator: syntax.Declarator, type_: Type) -> int:
    if declarator.bits is None:
        return 0
    from invivo.lang.d.lower.constants import constant_of_syntax

    width = constant_of_syntax(state, declarator.bits)
    if width is None:
        state.error("D_DECL_BFCONST", declarator.span, "a bit-field's width must be a constant")
    if not isinstance(type_, Int | Enum):
        state.error("D_DECL_BFTYPE", declarator.span, f"a bit-field is an integer, not {a_type(type_)}")
    if not 0 < width <= type_.size * 8:
        state.error(
            "D_DECL_BFSIZE", declarator.span, f"a bit-field of {type_name(type_)} has 1 to {type_.size * 8} bits"
        )
    return width


def _alignment(type_: Type) -> int:
    match type_:
        case Array(element, _):
            return _alignment(element)
        case Struct():
            return max((_alignment(member.type) for member in type_.members), default=1)
        case String():
            return 1
        case _:
            return min(size_of(type_) or 1, 8)


def declare_ahead(state: ProgramState, declaration: syntax.StructDecl) -> None:
    """`struct x;`: if none is known, there is one now whose members are not."""
    key = f"{declaration.keyword} {declaration.name}"
    if key in state.tagged:
        return
    if state.look_up(lambda types: types.struct(declaration.keyword, declaration.name), declaration.span) is None:
        state.tagged[key] = Struct(declaration.keyword, declaration.name, None)


def declare_enum(state: ProgramState, declaration: syntax.EnumDecl) -> Type:
    """The type of an enumeration; its constants become names of the program."""
    return _enum(state, declaration)[0]


def _enum(state: ProgramState, declaration: syntax.EnumDecl) -> tuple[Type, Space]:
    key = f"enum {declaration.name}"
    space = state.pointer_space(declaration.span)
    if declaration.members is None:
        if (own := state.tagged.get(key)) is not None:
            return own, space
        known: tuple[Type, Space] | None = state.look_up(lambda types: types.enum(declaration.name), declaration.span)
        if known is None:
            state.error("D_TYPE_ERR", declaration.span, f"neither the program nor the kernel has an '{key}'")
        return known
    from invivo.lang.d.lower.constants import constant_of_syntax

    members: list[tuple[str, int]] = []
    following = 0
    for name, value in declaration.members:
        if value is not None:
            number_given = constant_of_syntax(state, value)
            if number_given is None:
                state.error("D_DECL_ENCONST", value.span, f"the value of '{name}' must be a constant")
            following = number_given
        if any(name == known for known, _ in members):
            state.error("D_DECL_IDRED", declaration.span, f"'{name}' is named twice in this enum")
        if not -(1 << 31) <= following < 1 << 31:
            state.error("D_DECL_ENOFLOW", declaration.span, f"the value of '{name}', {following}, does not fit an int")
        members.append((name, following))
        following += 1
    is_signed = any(number < 0 for _, number in members)
    made = Enum(declaration.name, 4, is_signed, tuple(members))
    if declaration.name:
        state.tagged[key] = made
    for name, number in members:
        state.constants[name] = (number, INT)
    return made, space
