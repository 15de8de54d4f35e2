"""Memory: members, elements, dereferences, addresses.

curthread->pid         Load(curthread + 2464, KERNEL, int)
p->comm[0]             Load(p + 2824 + 0, KERNEL, char)
&g.count               Convert(the address of g + 8, int *)
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.errors import InvivoError
from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, variables
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.constants import constant
from invivo.lang.d.lower.expressions import lower, lower_any
from invivo.lang.d.lower.operators import scaled
from invivo.program.clauses import ProbeArg
from invivo.program.nodes import (
    Binary,
    Checked,
    Convert,
    Element,
    EntryAddress,
    Expr,
    IntLit,
    Load,
    Memory,
    ReadString,
    VariableAddress,
    VarRef,
)
from invivo.program.types import (
    LONG,
    ULONG,
    Array,
    Float,
    Func,
    Member,
    Pointer,
    Space,
    String,
    Struct,
    Type,
    Void,
    a_type,
    is_integral,
    size_of,
    type_name,
)
from invivo.source import Span

__all__ = ["address_of", "dereference", "index", "member", "member_of", "place"]


def plus(address: Expr, distance: int, span: Span) -> Expr:
    """An address so many bytes further; constants are added up."""
    address = coerce.bits(address)
    if isinstance(address, Binary) and address.op == "+" and isinstance(address.right, IntLit):
        distance += address.right.value
        address = address.left
    if distance == 0:
        return address
    return Binary("+", address, IntLit(distance & (1 << 64) - 1, ULONG, span), ULONG, span)


def place(address: Expr, space: Space, type_: Type, span: Span, bits: tuple[int, int] | None = None) -> Expr:
    """What lies at an address: a value that is loaded, or a structure, array or floating-point number that is not."""
    if isinstance(type_, Struct | Array | Float):
        return Memory(address, space, type_, span)
    if isinstance(type_, String):
        return ReadString(address, space, type_, span)
    if isinstance(type_, Pointer) and space is Space.USER:
        type_ = Pointer(type_.target, Space.USER)  # pointers kept in a process lead into the process
    return Load(address, space, type_, span, bits)


# --- members ----------------------------------------------------------------------------------------------------------


def member(c: ClauseState, expression: syntax.MemberOp) -> Expr | Translated:
    """`p->m` and `s.m`; `args.NAME`."""
    if _is_args(c, expression.operand):
        return _named_argument(c, expression)
    base = lower_any(c, expression.operand)
    if isinstance(base, Translated):
        from invivo.lang.d.lower import translators

        return translators.member(c, base, expression)
    text = expression.operand.span.text
    if expression.is_arrow:
        base = coerce.decayed(base)
        if not isinstance(base.type, Pointer):
            hint = "write . instead of ->" if isinstance(base.type, Struct) else ""
            if is_integral(base.type):
                hint = f"cast it to a pointer: ((struct NAME *){text})->{expression.name}"
            c.program.error(
                "D_OP_PTR", expression.span, f"-> needs a pointer, {text} is {a_type(base.type)}", hint
            )
        struct, space = base.type.target, base.type.space
        address = base
    elif isinstance(base, Memory):
        struct, space, address = base.type, base.space, base.address
    else:
        hint = "write -> instead of ." if isinstance(base.type, Pointer) else ""
        c.program.error("D_OP_SOU", expression.span, f". needs a structure, {text} is {a_type(base.type)}", hint)
    if not isinstance(struct, Struct):
        c.program.error("D_OP_SOU", expression.span, f"{a_type(struct)} has no members")
    return member_of(c, struct, address, space, expression.name, expression.span)


def member_of(c: ClauseState, struct: Struct, address: Expr, space: Space, name: str, span: Span) -> Expr:
    """The member `name` of the structure at `address`."""
    if struct.size is None and not struct.members:
        c.program.error("D_OP_INCOMPLETE", span, f"the members of {type_name(struct)} are not known")
    found = struct.find(name)
    if found is None:
        close = _closest(name, struct)
        hint = f"did you mean {close}?" if close else ""
        c.program.error("D_TYPE_MEMBER", span, f"{type_name(struct)} has no member '{name}'", hint)
    if isinstance(found.type, Func | Void):
        c.program.error("D_OP_INCOMPAT", span, f"D cannot read a member of type {type_name(found.type)}")
    if found.bit_size:
        return _bit_field(found, address, space, span)
    return place(plus(address, found.bit_offset // 8, span), space, found.type, span)


def _bit_field(found: Member, address: Expr, space: Space, span: Span) -> Expr:
    # Counted from the byte in which it begins, for the declared type's own unit may end beyond the structure.
    start = found.bit_offset // 8
    bits = (found.bit_offset - start * 8, found.bit_size)
    return place(plus(address, start, span), space, found.type, span, bits)


def _closest(name: str, struct: Struct) -> str:
    """The member's name that is most like `name`, or ""."""
    import difflib

    found = difflib.get_close_matches(name, _names(struct), 1, 0.6)
    return found[0] if found else ""


def _names(struct: Struct) -> list[str]:
    names = []
    for entry in struct.members:
        if entry.name:
            names.append(entry.name)
        elif isinstance(entry.type, Struct):
            names += _names(entry.type)
    return names


# --- elements and pointers --------------------------------------------------------------------------------------------


def index(c: ClauseState, expression: syntax.IndexOp) -> Expr | Translated:
    """`array[i]`, `pointer[i]`, `associative[k1, k2]`, `args[0]`, an inline with parameters."""
    operand = expression.operand
    if isinstance(operand, syntax.Name) and not operand.scope and operand.module is None:
        if _is_args(c, operand):
            return _argument(c, expression)
        if (found := _inline(c, operand, expression)) is not None:
            return found
    element = variables.element(c, expression)
    if element is not None:
        return element
    if _is_unknown_array(c, operand):
        name = operand.span.text
        c.program.error(
            "D_VAR_UNDEF", operand.span, f"the array {name} has not been declared or assigned",
            "a clause above in the text must assign an element of it, or a declaration",
        )  # fmt: skip
    base = lower(c, operand)
    if len(expression.indexes) != 1:
        c.program.error(
            "D_ARR_BADREF", expression.span, f"{operand.span.text} takes one index; given: {len(expression.indexes)}"
        )
    at = coerce.integer(c, lower(c, expression.indexes[0]), "an index")
    return _at(c, base, at, expression.span)


def _is_unknown_array(c: ClauseState, operand: syntax.Expression) -> bool:
    if not isinstance(operand, syntax.Name) or operand.module is not None:
        return False
    if operand.scope:
        return (variables.SCOPES[operand.scope], operand.name) not in c.program.variables
    return False


def _inline(c: ClauseState, operand: syntax.Name, expression: syntax.IndexOp) -> Expr | Translated | None:
    from invivo.lang.d.lower.names import inline_value

    if c.find(operand.name) is not None:
        return None
    if operand.name not in c.program.inlines and (
        (variables.SCOPES[""], operand.name) in c.program.variables or not c.program.library(operand.name)
    ):
        return None
    declaration = c.program.inlines.get(operand.name)
    if declaration is None or not declaration.parameters:
        return None
    if len(declaration.parameters) != len(expression.indexes):
        message = f"{operand.name} takes {len(declaration.parameters)} keys; given: {len(expression.indexes)}"
        c.program.error("D_PROTO_LEN", expression.span, message)
    return inline_value(c, declaration, tuple(lower(c, i) for i in expression.indexes), expression.span)


def _at(c: ClauseState, base: Expr, at: Expr, span: Span) -> Expr:
    if isinstance(base, Memory) and isinstance(base.type, Array):
        element, space, address = base.type.element, base.space, base.address
        number = constant(at)
        if number is not None and base.type.count and not 0 <= number < base.type.count:
            message = f"index {number} is outside of an array of {base.type.count} elements"
            c.program.error("D_ARR_BOUNDS", at.span, message)
    elif isinstance(base.type, Pointer):
        element, space, address = base.type.target, base.type.space, base
    else:
        hint = "substr(s, i, 1) is a part of a string" if isinstance(base.type, String) else ""
        c.program.error("D_OP_ARRFUN", span, f"[] needs an array or a pointer, this is {a_type(base.type)}", hint)
    bytes_ = size_of(element)
    if not bytes_:
        c.program.error("D_OP_INCOMPLETE", span, f"the size of {a_type(element)} is not known")
    number = constant(at)
    if number is not None:
        return place(plus(address, number * bytes_, span), space, element, span)
    if isinstance(base, Memory) and isinstance(base.type, Array) and base.type.count and space in variables.OWN_SPACES:
        # A negative index becomes a large one.
        wide = coerce.convert(coerce.convert(at, LONG if at.type.signed else ULONG), ULONG)  # type: ignore[union-attr]
        at = Checked(wide, base.type.count, ULONG, at.span)
    moved = Binary("+", coerce.bits(address), scaled(c, at, bytes_, span), ULONG, span)
    return place(moved, space, element, span)


def _is_args(c: ClauseState, operand: syntax.Expression) -> bool:
    """Whether this is the array of the probe's arguments, and not a variable of the program that is called so."""
    return isinstance(operand, syntax.Name) and operand.name == "args" and not operand.scope and c.find("args") is None


def all_arguments(c: ClauseState, operand: syntax.Expression) -> Sequence[ProbeArg] | None:
    """The arguments of the probe where `args` stands without an index; None where something else does."""
    return _arguments(c, operand.span) if _is_args(c, operand) else None


def _named_argument(c: ClauseState, expression: syntax.MemberOp) -> Expr | Translated:
    """`args.NAME`, the argument of that name."""
    args = _arguments(c, expression.span)
    for argument in args:
        if argument.name == expression.name:
            return _value_of(c, argument, expression.span)
    import difflib

    close = difflib.get_close_matches(expression.name, [argument.name for argument in args], 1)
    hint = f"did you mean args.{close[0]}?" if close else f"it has {_known(args)}"
    c.program.error("D_ARGS_IDX", expression.span, f"{c.context.name} has no args.{expression.name}", hint)


def _argument(c: ClauseState, expression: syntax.IndexOp) -> Expr | Translated:
    if len(expression.indexes) != 1:
        c.program.error("D_ARGS_IDX", expression.span, "args takes one index")
    number = constant(lower(c, expression.indexes[0]))
    if number is None:
        coerce.integer(c, lower(c, expression.indexes[0]), "the index of args", "D_PROTO_ARG")
        c.program.error("D_ARGS_IDX", expression.indexes[0].span, "the index of args must be a constant")
    args = _arguments(c, expression.span, "D_ARGS_IDX")
    if not 0 <= number < len(args):
        hint = f"it has {_known(args)}"
        c.program.error("D_ARGS_IDX", expression.span, f"{c.context.name} has no args[{number}]", hint)
    return _value_of(c, args[number], expression.span)


def _arguments(c: ClauseState, span: Span, code: str = "D_ARGS_NONE") -> Sequence[ProbeArg]:
    """args[] of the context that the clause is lowered for."""
    if not c.context.args:
        missing = getattr(c.context.types, "missing", "")
        hint = f"{missing}; arg0 ... are its raw arguments" if missing else "arg0 ... arg9 are its raw arguments"
        c.program.error(code, span, f"{c.context.name} has no typed arguments", hint)
    return c.context.args


def _known(args: Sequence[ProbeArg]) -> str:
    return ", ".join(f"args[{i}] {type_name(arg.type)} {arg.name}".rstrip() for i, arg in enumerate(args))


def _value_of(c: ClauseState, argument: ProbeArg, span: Span) -> Expr | Translated:
    from invivo.lang.d.lower import translators

    try:
        value = argument.value(span)
    except InvivoError as error:
        c.program.error("D_ARGS_TYPE", span, error.message, error.hint)
    if argument.translator:
        return translators.translated(c, argument.translator, value, True, span)
    return value


def dereference(c: ClauseState, expression: syntax.Deref) -> Expr:
    """`*p`."""
    pointer = coerce.decayed(lower(c, expression.operand))
    span = expression.span
    if not isinstance(pointer.type, Pointer):
        hint = f"cast it: *(int *){expression.operand.span.text}" if is_integral(pointer.type) else ""
        c.program.error("D_DEREF_NONPTR", span, f"* needs a pointer, this is {a_type(pointer.type)}", hint)
    match pointer.type.target:
        case Void():
            c.program.error("D_DEREF_VOID", span, "what a void * points to has no type", "cast it to another pointer")
        case Func():
            c.program.error("D_DEREF_FUNC", span, f"D cannot read {a_type(pointer.type.target)}")
        case target:
            return place(coerce.bits(pointer), pointer.type.space, target, span)


def address_of(c: ClauseState, expression: syntax.AddressOf) -> Expr:
    """`&place`."""
    if isinstance(expression.operand, syntax.AggRef):
        c.program.error("D_ADDROF_VAR", expression.span, f"the aggregation @{expression.operand.name} has no address")
    value = lower(c, expression.operand)
    span = expression.span
    match value:
        case Convert(type=Pointer(target=Func())) if isinstance(expression.operand, syntax.Name):
            return value  # a function is its address
        case Load(bits=(_, _)):
            c.program.error("D_ADDROF_BITFIELD", span, "a bit-field has no address")
        case Memory(address=VariableAddress() | EntryAddress()) | VarRef() | Element():
            hint = "a member of a structure, and an element of an array, have one"
            c.program.error("D_ADDROF_VAR", span, f"the variable {expression.operand.span.text} has no address", hint)
        case Load(address, Space.ENTRY) | Memory(address, Space.ENTRY) | ReadString(address, Space.ENTRY):
            message = f"'{expression.operand.span.text}' may be gone at any time, so that its address is not to be had"
            c.program.error("D_ADDROF_VAR", span, message, "copy the structure to a this-> variable")
        case Load(address, space, type_) | Memory(address, space, type_) | ReadString(address, space, type_):
            return Convert(coerce.bits(address), Pointer(type_, space), span)
        case _:
            hint = "variables of D have no address; memory comes from alloca()"
            c.program.error("D_ADDROF_LVAL", span, f"'{expression.operand.span.text}' has no address", hint)
