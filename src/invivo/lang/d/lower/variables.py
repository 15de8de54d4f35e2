"""Variables: what assigns them makes them, what reads them must find them.

x = 1              a new global int
self->t[fd] = 1    a new thread-local array with an integer key
this->p            an error, if nothing above in the text assigns it
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from invivo.builtins import BUILTINS
from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.ctypes import declared_type, resolve
from invivo.lang.d.lower.state import Abandoned, ProgramState, VariableState, same_shape, shape
from invivo.lang.d.lower.symbols import declare_extern, is_prototype
from invivo.program.nodes import (
    Element,
    EntryAddress,
    Expr,
    Load,
    Memory,
    ReadString,
    Scope,
    Variable,
    VariableAddress,
    VarRef,
)
from invivo.program.types import (
    INT64,
    ULONG,
    Array,
    Enum,
    Int,
    Pointer,
    Space,
    Stack,
    String,
    Struct,
    Symbol,
    Type,
    Void,
    a_type,
    is_scalar,
    is_structured,
    size_of,
    type_name,
)
from invivo.source import Span

__all__ = ["declare", "declare_local", "element", "guarded", "is_declared", "read", "target", "value_of"]

T = TypeVar("T")

SCOPES = {"": Scope.GLOBAL, "self": Scope.THREAD, "this": Scope.CLAUSE}
OWN_SPACES = (Space.SCRATCH, Space.GLOBAL, Space.ENTRY)  # memory that a program may write
_MAX_KEYS = 16
_MOST_BYTES = 16 << 20  # of a global structure or array
_MOST_OWN_BYTES = 16384  # of those of a firing, a thread, an element

Target = VarRef | Element | Load | Memory | ReadString


# --- declarations -----------------------------------------------------------------------------------------------------


def declare(state: ProgramState, declaration: syntax.Declaration) -> None:
    """`int x;`, `self string s;`, `int a[string, int];` outside of clauses."""
    storage = declaration.storage
    for declarator in declaration.declarators:
        if "`" in declarator.name:
            state.error("D_DECL_SCOPE", declarator.span, "a variable of the program belongs to no module")
        if storage == "extern" or (storage in ("", "static") and is_prototype(declarator)):
            declare_extern(state, declaration.base, declarator)
            continue
        if storage in ("static", "auto", "register"):
            state.error("D_DECL_BADCLASS", declaration.span, f"'{storage}' has no meaning for variables of D")
        if declaration.storage not in ("self", "this") and declarator.name in BUILTINS:
            state.error("D_DECL_IDRED", declarator.span, f"'{declarator.name}' is D's own", "take another name")
        keys, type_ = _declared(state, declaration.base, declarator)
        scope = SCOPES[declaration.storage if declaration.storage in ("self", "this") else ""]
        if scope is Scope.CLAUSE:
            type_ = coerce.leading_as_told(state, type_, (declarator.name, -1))
        known = state.variables.get((scope, declarator.name))
        if known is not None:
            if known.node is not None and (known.node.type, known.node.keys is None) != (type_, keys is None):
                state.error(
                    "D_DECL_IDRED", declarator.span, f"'{declarator.name}' is declared twice, with different types"
                )
            continue
        if keys is not None and scope is Scope.CLAUSE:
            state.error("D_DECL_LOCASSC", declarator.span, "a clause-local variable cannot be an associative array")
        _storable(state, type_, scope if keys is None else Scope.THREAD, declarator.span)
        node = Variable(declarator.name, scope, type_, keys)
        state.variables[scope, declarator.name] = VariableState(
            node, declarator.span, True, [state.strsize for key in keys or () if isinstance(key, String)]
        )


def _declared(
    state: ProgramState, base: syntax.TypeName, declarator: syntax.Declarator
) -> tuple[tuple[Type, ...] | None, Type]:
    """The key types (of an array) and the type of one declared name."""
    if declarator.parts and declarator.parts[0][0] == "tuple":
        keys = declarator.parts[0][1]
        assert isinstance(keys, tuple)
        for key in keys:
            if isinstance(resolve(state, key), Void):
                state.error("D_DECL_PROTO_TYPE", key.span, "a key of an array cannot be void")
        rest = syntax.Declarator(declarator.name, declarator.parts[1:], declarator.span)
        return tuple(_key_type(resolve(state, key)) for key in keys), declared_type(state, base, rest)
    return None, declared_type(state, base, declarator)


def _key_type(type_: Type) -> Type:
    return INT64 if is_scalar(type_) else type_


def declare_local(
    c: ClauseState, base: syntax.TypeName, declarator: syntax.Declarator, given: Type | None = None
) -> Variable:
    """A variable of a block or a function; `given` is the type of its first value."""
    type_ = declared_type(c.program, base, declarator)
    if given is not None:
        type_ = coerce.leading_like(type_, given)
    type_ = coerce.leading_as_told(c.program, type_, (declarator.name, c.index))
    _storable(c.program, type_, Scope.LOCAL, declarator.span)
    # Outside of a function a local lives as long as the firing does.
    scope = Scope.LOCAL if c.functions else Scope.CLAUSE
    variable = Variable(declarator.name, scope, type_)
    c.scopes[-1][declarator.name] = variable
    c.locals.append(variable)
    return variable


def _storable(state: ProgramState, type_: Type, scope: Scope, span: Span) -> None:
    """Report a type of which there can be no variable."""
    match type_:
        case Int() | Enum() | Pointer() | String():
            return
        case Void():
            state.error("D_DECL_VOIDOBJ", span, "a variable cannot be void")
        case Array(_, 0):
            state.error("D_DECL_ARRNULL", span, "the array needs a size: a[3], or the types of its keys: a[string]")
        case Struct() | Array():
            bytes_ = size_of(type_)
            if bytes_ is None:
                state.error("D_DECL_INCOMPLETE", span, f"the members of {type_name(type_)} are not known")
            most = _MOST_BYTES if scope is Scope.GLOBAL else _MOST_OWN_BYTES
            if bytes_ > most:
                hint = "a global variable may be larger" if bytes_ <= _MOST_BYTES else ""
                message = f"{a_type(type_)} has {bytes_} bytes, {most} are possible here"
                state.error("D_DECL_ARRBIG", span, message, hint)
        case _:
            state.error(
                "D_DECL_DYNOBJ", span, f"a variable of type {type_name(type_)} is not supported", "keep a pointer to it"
            )


def is_declared(c: ClauseState, variable: Variable) -> bool:
    """Whether a declaration, and not the first assignment, gave the type."""
    known = c.program.variables.get((variable.scope, variable.name))
    return known is None or known.node is not variable or known.is_declared


# --- reading ----------------------------------------------------------------------------------------------------------


def value_of(variable: Variable, span: Span) -> VarRef | Memory:
    """A variable that is no associative array; a structure or array is where it lies."""
    reference = VarRef(variable, variable.type, span)
    if not is_structured(variable.type):
        return reference
    if variable.scope is Scope.THREAD:
        return Memory(EntryAddress(reference, ULONG, span), Space.ENTRY, variable.type, span)
    space = Space.GLOBAL if variable.scope is Scope.GLOBAL else Space.SCRATCH
    return Memory(VariableAddress(variable, ULONG, span), space, variable.type, span)


def read(c: ClauseState, name: syntax.Name) -> VarRef | Memory | None:
    """A variable that is no associative array, or None if none is called so."""
    known = c.program.variables.get((SCOPES[name.scope], name.name))
    if known is None:
        return None
    variable = _node(known)
    if variable.keys is not None:
        c.program.error(
            "D_ARR_BADREF", name.span, f"{name.span.text} is an array: it needs {shape(variable.keys)}", "in brackets"
        )
    return value_of(variable, name.span)


def element(c: ClauseState, expression: syntax.IndexOp) -> Element | Memory | None:
    """`array[keys]`, or None if the operand is no associative array."""
    operand = expression.operand
    if not isinstance(operand, syntax.Name) or (not operand.scope and c.find(operand.name) is not None):
        return None
    known = c.program.variables.get((SCOPES[operand.scope], operand.name))
    if known is None:
        return None
    variable = _node(known)
    if variable.keys is None:
        return None
    found = _element(c, known, variable, expression)
    if not is_structured(variable.type):
        return found
    return Memory(EntryAddress(found, ULONG, found.span), Space.ENTRY, variable.type, found.span)


def _element(c: ClauseState, known: VariableState, variable: Variable, expression: syntax.IndexOp) -> Element:
    keys = _keys(c, expression)
    wanted = variable.keys or ()
    name = expression.operand.span.text
    if len(keys) != len(wanted):
        c.program.error(
            "D_PROTO_LEN",
            expression.span,
            f"{name} has {len(wanted)} key{'s' * (len(wanted) != 1)} {shape(wanted)}; given: {len(keys)}",
            f"the first use is at {known.where}",
        )
    sizes = iter(range(len(known.key_sizes)))
    fitting = []
    for key, type_ in zip(keys, wanted, strict=True):
        if not same_shape(key.type, type_):
            c.program.error(
                "D_PROTO_ARG",
                key.span,
                f"this key of {name} is {a_type(type_)}, not {a_type(key.type)}",
                f"the first use is at {known.where}",
            )
        if isinstance(key.type, String):
            i = next(sizes)
            known.key_sizes[i] = max(known.key_sizes[i], min(key.type.size, c.program.strsize))
            fitting.append(key)
        else:
            fitting.append(coerce.convert(key, type_))
    return Element(variable, tuple(fitting), variable.type, expression.span)


def _keys(c: ClauseState, expression: syntax.IndexOp) -> list[Expr]:
    from invivo.lang.d.lower.expressions import lower_key

    keys = [lower_key(c, index) for index in expression.indexes]
    for key in keys:
        if not isinstance(key.type, Int | Enum | Pointer | String):
            is_for_aggregations = isinstance(key.type, Stack | Struct | Symbol)
            hint = "aggregations take stacks and structures as keys" if is_for_aggregations else ""
            message = f"a key of an associative array cannot be {a_type(key.type)}"
            c.program.error("D_KEY_TYPE", key.span, message, hint)
    if len(keys) > _MAX_KEYS:
        c.program.error("D_KEY_TYPE", expression.span, f"{len(keys)} keys are too many: at most {_MAX_KEYS}")
    return keys


def _node(known: VariableState) -> Variable:
    if known.node is None:  # its assignment was wrong, and that was reported
        raise Abandoned
    return known.node


# --- assigning --------------------------------------------------------------------------------------------------------


def guarded(c: ClauseState, target_: syntax.Expression, make: Callable[[], T]) -> T:
    """What `make` yields; if it gives up, the variable that it was for counts as known, so that one error is one."""
    try:
        return make()
    except Abandoned:
        operand = target_.operand if isinstance(target_, syntax.IndexOp) else target_
        if isinstance(operand, syntax.Name) and c.find(operand.name) is None:
            key = (SCOPES[operand.scope], operand.name)
            c.program.variables.setdefault(key, VariableState(None, operand.span))
        raise


def target(
    c: ClauseState, expression: syntax.Expression, op: str, value: Expr | None = None, default: Type = INT64
) -> Target:
    """What an assignment writes to. A new variable gets the type of `value`, or `default`."""
    if isinstance(expression, syntax.Name) and expression.module is None:
        found = c.find(expression.name) if not expression.scope else None
        if isinstance(found, Variable):
            return _whole(c, value_of(found, expression.span), op)
        if found is None:
            known = c.program.variables.get((SCOPES[expression.scope], expression.name))
            if known is None:
                _check_new_name(c, expression)
                known = _make(c, expression, None, value, default)
            variable = _node(known)
            if variable.keys is not None:
                c.program.error(
                    "D_ARR_BADREF", expression.span, f"{expression.span.text} is an array, assign to its elements"
                )
            return _whole(c, value_of(variable, expression.span), op)
    if isinstance(expression, syntax.IndexOp) and isinstance(expression.operand, syntax.Name):
        operand = expression.operand
        is_new = (SCOPES[operand.scope], operand.name) not in c.program.variables
        if is_new and (operand.scope or (c.find(operand.name) is None and _is_free(c, operand))):
            keys = _keys(c, expression)
            _make(c, operand, keys, value, default)
        if (found_element := element(c, expression)) is not None:
            return _whole(c, found_element, op)
    return _place(c, expression, op)


def _whole(c: ClauseState, target_: VarRef | Element | Memory, op: str) -> VarRef | Element | Memory:
    """The same, if it can be assigned as a whole."""
    if isinstance(target_.type, Array):
        c.program.error("D_OP_LVAL", target_.span, f"{op} cannot change an array as a whole",
                        f"assign to its elements: {target_.span.text}[0] = ...")  # fmt: skip
    if isinstance(target_, Memory) and op != "=":
        c.program.error("D_OP_SCALAR", target_.span, f"{op} does not take {a_type(target_.type)}")
    return target_


def _place(c: ClauseState, expression: syntax.Expression, op: str) -> Load | Memory | ReadString:
    """Memory that is assigned to: only that of the program itself."""
    from invivo.lang.d.lower.expressions import lower_any

    place = lower_any(c, expression)
    # A string that is read from an address, as stringof() does, is no place.
    has_place = isinstance(expression, syntax.MemberOp | syntax.IndexOp | syntax.Deref)
    if isinstance(place, Load | Memory) or (isinstance(place, ReadString) and has_place):
        if place.space in OWN_SPACES:
            if isinstance(place, Memory):
                _whole(c, place, op)
            return place
        where = "the process's" if place.space is Space.USER else "the kernel's"
        c.program.error(
            "D_OP_WRITE", expression.span, f"{op} would change {where} memory, which tracing never does",
            "copy what you need into a variable, or into memory from alloca()",
        )  # fmt: skip
    what = "a translated member" if isinstance(place, Translated) else f"'{expression.span.text}'"
    c.program.error("D_OP_LVAL", expression.span, f"{what} cannot be assigned to", "assign to a variable")


def _is_free(c: ClauseState, name: syntax.Name) -> bool:
    from invivo.builtins import BUILTINS

    return name.name not in BUILTINS and name.name not in c.program.inlines and name.name != "args"


def _check_new_name(c: ClauseState, name: syntax.Name) -> None:
    if name.scope:
        return
    if not _is_free(c, name) or name.name in c.program.constants:
        c.program.error(
            "D_OP_WRITE", name.span, f"'{name.name}' is built in, it cannot be assigned to", "take another name"
        )


def _make(
    c: ClauseState, name: syntax.Name, keys: Sequence[Expr] | None, value: Expr | None, default: Type
) -> VariableState:
    """A variable at its first assignment."""
    scope = SCOPES[name.scope]
    state = VariableState(None, name.span)
    c.program.variables[scope, name.name] = state
    type_ = default if value is None else _type_of(c, value, name.span.text)
    if scope is Scope.CLAUSE:
        type_ = coerce.leading_as_told(c.program, type_, (name.name, -1))
    key_types: tuple[Type, ...] | None = None
    if keys is not None:
        if scope is Scope.CLAUSE:
            c.program.error(
                "D_ARR_LOCAL",
                name.span,
                "a clause-local variable cannot be an associative array",
                "use self-> or a global one",
            )
        key_types = tuple(_implicit_key(key.type, c.program.strsize) for key in keys)
        state.key_sizes = [0 for key in keys if isinstance(key.type, String)]
    state.node = Variable(name.name, scope, type_, key_types)
    return state


def _implicit_key(type_: Type, strsize: int) -> Type:
    if isinstance(type_, String):
        return String(strsize)
    return ULONG if isinstance(type_, Pointer) else INT64


def _type_of(c: ClauseState, value: Expr, name: str) -> Type:
    if coerce.is_textual(value.type) and isinstance(value.type, String | Array):
        return String(c.program.strsize)
    type_ = coerce.kept_type(value.type)
    if isinstance(type_, Int | Enum | Pointer | Stack):
        return type_
    if isinstance(type_, Struct):
        _storable(c.program, type_, Scope.CLAUSE, value.span)
        return type_
    hint = "keep its address: &" if isinstance(type_, Array) else ""
    what = "a value without a type" if isinstance(type_, Void) else f"{a_type(type_)}"
    c.program.error("D_OP_INCOMPAT", value.span, f"{name} cannot hold {what}", hint)
