"""Variables: how each scope is read, assigned and updated.

global x            a place in one list
self->x, a[k1, k2]  a dictionary by thread and keys; 0 or "" where there is no entry, and 0 deletes it
this->x, locals     a place in the firing's list, 0 at its start
"""

from __future__ import annotations

from collections.abc import Callable

from invivo.engines.reference import memory, structures
from invivo.engines.reference.compiler import Compiler, Scalar, Text, Value, zero
from invivo.engines.reference.firing import Firing, Raised
from invivo.engines.reference.values import converter, operation
from invivo.program.nodes import Assign, Element, Expr, Load, Memory, ReadString, Scope, Update, Variable, VarRef
from invivo.program.plan import FaultKind
from invivo.program.statements import Block
from invivo.program.threads import thread_id
from invivo.program.types import String, size_of
from invivo.program.walk import walk
from invivo.source import SourceFile, Span

__all__ = [
    "assign_scalar", "assign_string", "entry_key", "fitting", "locals_of", "read_scalar", "read_string", "thread_key",
    "update", "zero",
]  # fmt: skip

Reference = VarRef | Element
_Key = Callable[[Firing], tuple[Value, ...]]
_Fit = Callable[[Value], Value]


def _is_hashed(variable: Variable) -> bool:
    return variable.keys is not None or variable.scope is Scope.THREAD


# --- reading ----------------------------------------------------------------------------------------------------------


def read_scalar(c: Compiler, reference: Reference) -> Scalar:
    """The value of a scalar variable or element."""
    return _read(c, reference)  # type: ignore[return-value]


def read_string(c: Compiler, reference: Reference) -> Text:
    """The value of a string variable or element."""
    return _read(c, reference)  # type: ignore[return-value]


def _read(c: Compiler, reference: Reference) -> Callable[[Firing], Value]:
    variable = reference.variable
    if _is_hashed(variable):
        entries, key, missing = c.hash_of(variable), entry_key(c, reference), zero(variable)
        return lambda f: entries.get(key(f), missing)
    if variable.scope is Scope.GLOBAL:
        cells, place = c.globals, c.global_slot(variable)
        return lambda f: cells[place]
    slot = c.local_slot(variable)
    return lambda f: f.locals[slot]


# --- assigning --------------------------------------------------------------------------------------------------------


def assign_scalar(c: Compiler, expr: Assign) -> Scalar:
    """Store a scalar; yields it. The value is evaluated before the target's keys or address."""
    if isinstance(expr.target, Memory):
        return structures.assign_whole(c, expr)
    value = c.scalar(expr.value)
    convert = converter(expr.value.type, expr.target.type)
    if isinstance(expr.target, Load):
        return structures.assign_part(c, expr, value if convert is None else lambda f: convert(value(f)))
    assert isinstance(expr.target, VarRef | Element)
    if convert is not None:
        return _assignment(lambda f: convert(value(f)), _writer(c, expr.target))  # type: ignore[return-value]
    return _assignment(value, _writer(c, expr.target))  # type: ignore[return-value]


def assign_string(c: Compiler, expr: Assign) -> Text:
    """Store a string, cut to the variable's size; yields what was stored."""
    if isinstance(expr.target, ReadString):
        return structures.assign_string(c, expr)
    assert isinstance(expr.target, VarRef | Element)
    value, fit = c.string(expr.value), fitting(expr.target.variable, expr.value)
    return _assignment(lambda f: fit(value(f)), _writer(c, expr.target))  # type: ignore[return-value]


def _assignment(
    value: Callable[[Firing], Value], write: Callable[[Firing, Value], None]
) -> Callable[[Firing], Value]:
    def assign(f: Firing) -> Value:
        new = value(f)
        write(f, new)
        return new

    return assign


def fitting(variable: Variable, value: Expr) -> _Fit:
    """What makes `value` one that the variable can hold: strings are cut, integers are wrapped."""
    if isinstance(variable.type, String):
        most = max(variable.type.size - 1, 0)
        return lambda new: new[:most] if isinstance(new, bytes) else b""
    convert = converter(value.type, variable.type)
    return (lambda new: new) if convert is None else convert  # type: ignore[return-value]


def _writer(c: Compiler, target: Reference) -> Callable[[Firing, Value], None]:
    variable = target.variable
    if _is_hashed(variable):
        key, put = entry_key(c, target), _putter(c, variable)
        return lambda f, value: put(key(f), value)
    if variable.scope is Scope.GLOBAL:
        cells, place_ = c.globals, c.global_slot(variable)

        def write_global(f: Firing, value: Value) -> None:
            cells[place_] = value

        return write_global
    slot = c.local_slot(variable)

    def write_local(f: Firing, value: Value) -> None:
        f.locals[slot] = value

    return write_local


def _putter(c: Compiler, variable: Variable) -> Callable[[tuple[Value, ...], Value], None]:
    entries = c.hash_of(variable)

    def put(key: tuple[Value, ...], value: Value) -> None:
        if value:
            entries[key] = value
        else:
            entries.pop(key, None)

    return put


def update(c: Compiler, expr: Update) -> Scalar:
    """`target op= value`; yields the new value, or the old one of a postfix operator.

    The value is evaluated first; then the place is found, once, for its keys or address may have effects of their own.
    """
    new_of = _new_value(c, expr)
    if isinstance(expr.target, Load):
        return structures.update_part(c, expr, new_of)
    amount = c.scalar(expr.value)
    is_postfix, target = expr.is_postfix, expr.target
    if _is_hashed(target.variable):
        entries, key, put = c.hash_of(target.variable), entry_key(c, target), _putter(c, target.variable)

        def update_hash(f: Firing) -> int:
            by = amount(f)
            at = key(f)
            old = entries.get(at, 0)
            assert isinstance(old, int)
            new = new_of(old, by)
            put(at, new)
            return old if is_postfix else new

        return update_hash
    read, write = read_scalar(c, target), _writer(c, target)

    def update_scalar(f: Firing) -> int:
        by = amount(f)
        old = read(f)
        new = new_of(old, by)
        write(f, new)
        return old if is_postfix else new

    return update_scalar


def _new_value(c: Compiler, expr: Update) -> Callable[[int, int], int]:
    """The new value from the old and the amount: computed in the amount's type, converted back to the target's."""
    common, own = expr.value.type, expr.target.type
    operate = operation(expr.op, common)
    widen, narrow = converter(own, common), converter(common, own)
    divides, site = expr.op in ("/", "%"), c.site(expr.span)

    def new_value(old: int, by: int) -> int:
        if divides and by == 0:
            raise Raised(FaultKind.DIVZERO, 0, site)
        new = operate(old if widen is None else widen(old), by)
        return new if narrow is None else narrow(new)

    return new_value


# --- keys -------------------------------------------------------------------------------------------------------------


def entry_key(c: Compiler, reference: Reference) -> _Key:
    """What tells entries apart: the thread, where that matters, and the keys' values."""
    parts: list[Callable[[Firing], Value]] = []
    if reference.variable.scope is Scope.THREAD:
        parts.append(thread_key(c))
    if isinstance(reference, Element):
        types = reference.variable.keys or ()
        parts += [_key_part(c, expr, type_) for expr, type_ in zip(reference.keys, types, strict=True)]
    if len(parts) == 1:
        only = parts[0]
        return lambda f: (only(f),)
    return lambda f: tuple([part(f) for part in parts])


def _key_part(c: Compiler, expr: Expr, type_: object) -> Callable[[Firing], Value]:
    if isinstance(expr, Memory):
        size = size_of(expr.type)
        assert size is not None
        return memory.read_bytes(c, expr, size)
    if isinstance(type_, String):
        text, most = c.string(expr), max(type_.size - 1, 0)
        return lambda f: text(f)[:most]
    return c.scalar(expr)


_NOWHERE = Span(SourceFile("", ""), 0, 0)


def thread_key(c: Compiler) -> Scalar:
    """What tells threads apart: the thread id; the idle threads, which all have 0, by their CPU."""
    context = c.clause.context if c.clause is not None else None
    running: Scalar = lambda f: f.world.pid_tgid & 0xFFFFFFFF  # noqa: E731
    if context is not None and context.current is not None:
        running = c.scalar(thread_id(context.current(_NOWHERE)))
    return lambda f: running(f) or (f.world.cpu + 1) << 32


def locals_of(body: Block) -> list[Variable]:
    """The variables of a function's body, each once."""
    found: dict[Variable, None] = {}
    for node in walk(body):
        if isinstance(node, VarRef) and node.variable.scope is Scope.LOCAL:
            found[node.variable] = None
    return list(found)
