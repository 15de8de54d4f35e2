"""Variables: where each scope keeps them, and how they are read, assigned and updated.

global x            in the globals map's value, addressed directly; += and ++ are atomic
self->x             a hash by thread; 0 where there is no entry
this->x, locals     registers and stack (strings: a slot), zero at the firing's start
a[k1, k2]           a hash by the keys; assigning 0 deletes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from invivo.codegen import expressions, fields, strings, structures
from invivo.codegen.emitter import Emitter, Helper, Str
from invivo.codegen.ir import NULL, ONE, ZERO, Value, const
from invivo.codegen.storage import Lifetime, Place
from invivo.program.clauses import Clause
from invivo.program.layout import variable_size
from invivo.program.nodes import Assign, Element, Expr, Load, Memory, ReadString, Scope, Update, Variable, VarRef
from invivo.program.shared import Globals
from invivo.program.statements import Block, Loop
from invivo.program.threads import thread_id
from invivo.program.types import BOOL, Enum, Int, String, Type, size_of
from invivo.program.walk import walk
from invivo.source import SourceFile, Span

__all__ = [
    "assign",
    "assign_string",
    "changed_in_loops",
    "clear_local",
    "find",
    "locals_of",
    "read",
    "read_string",
    "store_local",
    "temporary",
    "thread_key",
    "update",
]

_ANY, _NOEXIST = ZERO, ONE  # flags of bpf_map_update_elem
_REGISTERS = 8  # so many variables are left to LLVM; more would not fit on the stack that it spills them to

Reference = VarRef | Element


def _is_hashed(variable: Variable) -> bool:
    return variable.keys is not None or variable.scope is Scope.THREAD


def _deletes_zero(variable: Variable) -> bool:
    # A thread's scalar is set to 0 in place, which costs less than deleting it and making it again at the next event;
    # there are no more entries than threads, and they go when their thread exits.
    return variable.keys is not None


# --- integers and pointers --------------------------------------------------------------------------------------------


def read(e: Emitter, reference: Reference) -> Value:
    """The value of a scalar variable or element."""
    variable = reference.variable
    if _is_hashed(variable):
        _, entry = find(e, reference)
        return e.canonical(_or_zero(e, entry), variable.type)
    if variable.scope is Scope.GLOBAL:
        place, type_ = _global(e, variable)
        return e.out.extend(e.out.load(place, type_), expressions.is_signed(variable.type))
    return e.out.load(_local(e, variable))


def assign(e: Emitter, expr: Assign) -> Value:
    """Store a scalar, or a structure; yields the scalar."""
    if isinstance(expr.target, Load | Memory):
        return structures.assign(e, expr)
    assert isinstance(expr.target, VarRef | Element)
    value = e.scalar(expr.value)
    _write(e, expr.target, value)
    return value


def _write(e: Emitter, target: Reference, value: Value) -> None:
    variable = target.variable
    if _is_hashed(variable):
        key, entry = find(e, target)
        _put(e, variable, key, entry, value)
    elif variable.scope is Scope.GLOBAL:
        place, type_ = _global(e, variable)
        e.out.store(e.out.truncate(value, type_), place)
    else:
        e.out.store(value, _local(e, variable))


def update(e: Emitter, expr: Update) -> Value:
    """`target op= value`; yields the new value, or the old one of a postfix operator."""
    target, type_ = expr.target, expr.target.type
    if isinstance(target, Load):
        return structures.update(e, expr)
    if expr.op in "+-" and _is_atomic(expr, target.variable):
        amount = e.scalar(expr.value)
        if expr.op == "-":
            amount = e.out.sub(ZERO, amount)
        old = _add(e, target, amount)
        return e.canonical(old if expr.is_postfix else e.out.add(old, amount), type_)
    common = expr.value.type
    amount = e.scalar(expr.value)
    # The place is found once, for keys and addresses may have effects of their own.
    write: Callable[[Value], None]
    if _is_hashed(target.variable):
        key, entry = find(e, target)
        old = e.canonical(_or_zero(e, entry), type_)
        write = partial(_put, e, target.variable, key, entry)
    else:
        old = read(e, target)
        write = partial(_write, e, target)
    left = expressions.convert(e, old, type_, common)
    result = expressions.arithmetic(e, expr.op, left, amount, common, expr)
    new = expressions.convert(e, result, common, type_)
    write(new)
    return old if expr.is_postfix else new


def _is_atomic(expr: Update, variable: Variable) -> bool:
    """Whether adding is one atomic addition: of 4 or 8 bytes, in a type that is at least as wide."""
    if variable.type == BOOL:  # a sum becomes 0 or 1
        return False
    size, wide = size_of(variable.type), size_of(expr.value.type)
    shared = variable.scope is Scope.GLOBAL
    return shared and size is not None and wide is not None and wide >= size and (size >= 4 or _is_hashed(variable))


def _add(e: Emitter, target: Reference, amount: Value) -> Value:
    """Add atomically; yields the old value."""
    variable = target.variable
    if not _is_hashed(variable):
        place, type_ = _global(e, variable)
        old = e.out.fetch_add(place, e.out.truncate(amount, type_))
        return e.out.extend(old, expressions.is_signed(variable.type))
    key, entry = find(e, target)
    result = e.out.alloca(8)
    e.out.store(ZERO, result)
    found, missing, done = (e.out.new_block(name) for name in ("found", "missing", "added"))
    e.out.branch_if(e.out.compare("ne", entry, NULL), found, missing)
    e.out.enter(found)
    old = e.out.fetch_add(entry, amount)
    e.out.store(old, result)
    new = e.canonical(e.out.add(old, amount), variable.type)
    with e.when(e.out.compare("eq", new, ZERO), (0, 1)):
        e.out.call(Helper.MAP_DELETE, _map(e, variable), key)
    e.out.branch(done)
    e.out.enter(missing)
    with e.when(e.is_true(amount)):
        _insert(e, variable, key, amount, _NOEXIST, lambda again: e.out.store(e.out.fetch_add(again, amount), result))
    e.out.enter(done)
    return e.out.load(result)


# --- strings ----------------------------------------------------------------------------------------------------------


def read_string(e: Emitter, reference: Reference) -> Str:
    """The value of a string variable or element, where it lies."""
    variable = reference.variable
    assert isinstance(variable.type, String)
    capacity = variable_size(variable.type)
    if _is_hashed(variable):
        _, entry = find(e, reference)
        found, done = e.out.new_block("found"), e.out.new_block("read")
        source = e.out.block
        e.out.branch_if(e.out.compare("ne", entry, NULL), found, done)
        e.out.enter(found)
        e.out.enter(done)
        return Str(e.out.phi([(e.module.zeros(capacity), source), (entry, found)]), capacity)
    if variable.scope is Scope.GLOBAL:
        offset = e.module.variable_offset(variable)
        return Str(e.module.global_address(offset), capacity)
    return Str(_local(e, variable), capacity)


def assign_string(e: Emitter, expr: Assign) -> Str:
    """Store a string; yields it."""
    if isinstance(expr.target, ReadString):
        return structures.assign_string(e, expr)
    assert isinstance(expr.target, VarRef | Element)
    variable = expr.target.variable
    assert isinstance(variable.type, String)
    # By way of a buffer of its own: the value may be made from the variable, and may fault halfway.
    value = e.string(expr.value)
    if value.literal == b"" and _deletes_zero(variable):
        e.out.call(Helper.MAP_DELETE, _map(e, variable), _entry_key(e, expr.target))
        return value
    if _is_hashed(variable):
        buffer = e.slot(variable_size(variable.type))
        strings.copy(e, value, buffer, variable.type.size)
        key, entry = find(e, expr.target)
        found, missing, done = (e.out.new_block(name) for name in ("found", "missing", "stored"))
        e.out.branch_if(e.out.compare("ne", entry, NULL), found, missing)
        e.out.enter(found)
        strings.copy(e, Str(buffer, variable.type.size), entry, variable.type.size)
        e.out.branch(done)
        e.out.enter(missing)
        _update(e, variable, key, buffer, _ANY)
        e.out.enter(done)
        return Str(buffer, variable.type.size)
    place = read_string(e, expr.target).address
    strings.copy(e, value, place, variable.type.size)
    literal = value.literal[: variable.type.size - 1] if value.literal is not None else None
    return Str(place, variable.type.size, literal)


# --- places -----------------------------------------------------------------------------------------------------------


def _global(e: Emitter, variable: Variable) -> tuple[Value, str]:
    """Address and LLVM type of a global scalar."""
    size = _scalar_size(variable.type)
    return e.module.global_address(e.module.variable_offset(variable)), f"i{size * 8}"


def _scalar_size(type_: Type) -> int:
    return type_.size if isinstance(type_, Int | Enum) else 8


def _local(e: Emitter, variable: Variable) -> Value:
    """The place of a clause-local variable or a local of a function, zero at the start of each firing."""
    place = e.variables.get(variable)
    if place is None:
        is_string = isinstance(variable.type, String)
        size = variable_size(variable.type)
        if variable in e.changed_in_loops and e.module.traits.has_may_goto:
            place = e.storage.reserve_scratch(size, Lifetime.UNIT)  # see Emitter.loop_word
        elif is_string or len(e.variables) >= _REGISTERS:
            place = e.storage.reserve(size, Lifetime.UNIT)
        else:
            place = Place(e.out.alloca(8, is_zero=True), 0)
        e.variables[variable] = place
    if variable not in e.firing_zeroed:
        e.firing_zeroed.add(variable)
        with e.in_block(e.firing_init):
            clear_local(e, variable)
    return e.storage.at(place)


def clear_local(e: Emitter, variable: Variable) -> None:
    """Zero a local variable."""
    e.firing_zeroed.add(variable)
    is_string = isinstance(variable.type, String)
    e.out.store(const(0, "i8") if is_string else ZERO, _local(e, variable))


def store_local(e: Emitter, variable: Variable, value: Value | Str) -> None:
    """Give a function's parameter its value."""
    e.firing_zeroed.add(variable)
    place = _local(e, variable)
    if isinstance(value, Str):
        assert isinstance(variable.type, String)
        strings.copy(e, value, place, variable.type.size)
    else:
        e.out.store(value, place)


def temporary(e: Emitter, expr: Expr, *later: Expr) -> Value | Str:
    """The value of an argument, before those that come later are evaluated."""
    return strings.operand(e, expr, *later) if isinstance(expr.type, String) else e.scalar(expr)


def changed_in_loops(clauses: Iterable[Clause]) -> set[Variable]:
    """The variables that some loop assigns to."""
    found = set()
    for clause in clauses:
        for node in walk(clause):
            if isinstance(node, Loop):
                for inner in walk(node):
                    if isinstance(inner, Assign | Update) and isinstance(inner.target, VarRef):
                        found.add(inner.target.variable)
    return found


def locals_of(body: Block) -> list[Variable]:
    """The variables of a function's body, each once."""
    found: dict[Variable, None] = {}
    for node in walk(body):
        if isinstance(node, VarRef) and node.variable.scope is Scope.LOCAL:
            found[node.variable] = None
    return list(found)


# --- hashes -----------------------------------------------------------------------------------------------------------


def _map(e: Emitter, variable: Variable) -> Value:
    return e.module.map_address(e.module.variable_map(variable))


def find(e: Emitter, reference: Reference) -> tuple[Value, Value]:
    """The key's address, and the entry's or NULL."""
    key = _entry_key(e, reference)
    return key, e.out.to_pointer(e.out.call(Helper.MAP_LOOKUP, _map(e, reference.variable), key))


def _entry_key(e: Emitter, reference: Reference) -> Value:
    variable = reference.variable
    header = thread_key(e) if variable.scope is Scope.THREAD else None
    keys = reference.keys if isinstance(reference, Element) else ()
    layout, size = e.module.variable_keys(variable)
    return fields.build_key(e, layout, size, keys, header)


def _or_zero(e: Emitter, entry: Value) -> Value:
    found, done = e.out.new_block("found"), e.out.new_block("read")
    source = e.out.block
    e.out.branch_if(e.out.compare("ne", entry, NULL), found, done)
    e.out.enter(found)
    value = e.out.load(entry)
    e.out.enter(done)
    return e.out.phi([(ZERO, source), (value, found)])


def _put(e: Emitter, variable: Variable, key: Value, entry: Value, value: Value) -> None:
    found, missing, done = (e.out.new_block(name) for name in ("found", "missing", "stored"))
    e.out.branch_if(e.out.compare("ne", entry, NULL), found, missing)
    e.out.enter(found)
    if _deletes_zero(variable):
        keep, delete = e.out.new_block("keep"), e.out.new_block("delete")
        e.out.branch_if(e.is_true(value), keep, delete)
        e.out.enter(delete)
        e.out.call(Helper.MAP_DELETE, _map(e, variable), key)
        e.out.branch(done)
        e.out.enter(keep)
    e.out.store(value, entry)
    e.out.branch(done)
    e.out.enter(missing)
    with e.when(e.is_true(value)):
        _insert(e, variable, key, value, _ANY, None)
    e.out.enter(done)


def _insert(
    e: Emitter, variable: Variable, key: Value, value: Value, flags: Value, other: Callable[[Value], None] | None
) -> None:
    """Make an entry; where another CPU was first (`flags` say NOEXIST), `other` gets that entry."""
    buffer = e.word
    e.out.store(value, buffer)
    status = e.out.call(Helper.MAP_UPDATE, _map(e, variable), key, buffer, flags)
    with e.when(e.is_true(status), (0, 1)):
        if other is None:
            e.count_lost(status, Globals.VARIABLE_DROPS, Globals.VARIABLES_REFUSED)
            return
        again = e.out.to_pointer(e.out.call(Helper.MAP_LOOKUP, _map(e, variable), key))
        found, lost, done = (e.out.new_block(name) for name in ("found", "lost", "inserted"))
        e.out.branch_if(e.out.compare("ne", again, NULL), found, lost)
        e.out.enter(found)
        other(again)
        e.out.branch(done)
        e.out.enter(lost)
        e.count_lost(status, Globals.VARIABLE_DROPS, Globals.VARIABLES_REFUSED)
        e.out.enter(done)


def _update(e: Emitter, variable: Variable, key: Value, buffer: Value, flags: Value) -> None:
    status = e.out.call(Helper.MAP_UPDATE, _map(e, variable), key, buffer, flags)
    with e.when(e.is_true(status), (0, 1)):
        e.count_lost(status, Globals.VARIABLE_DROPS, Globals.VARIABLES_REFUSED)


_NOWHERE = Span(SourceFile("", ""), 0, 0)


def thread_key(e: Emitter) -> Value:
    """What tells threads apart: the thread id; the idle threads, which all have 0, by their CPU."""
    context = e.clause.context if e.clause is not None else None
    if context is not None and context.current is not None:
        thread = e.scalar(thread_id(context.current(_NOWHERE)))
    else:
        thread = e.out.binary("and", e.out.call(Helper.PID_TGID, pure=True), const(0xFFFFFFFF))
    idle = e.out.binary("shl", e.out.add(e.cpu(), ONE), const(32))
    return e.out.select(e.out.compare("eq", thread, ZERO), idle, thread)
