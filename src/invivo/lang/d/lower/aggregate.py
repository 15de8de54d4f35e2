"""`@name[keys] = function(value)`: the statement that updates an aggregation.

@[execname] = quantize(arg0);     AggUpdate(@, (Call("comm"),), arg0, None)
"""

from __future__ import annotations

from invivo.builtins import BUILTINS, Builtin, Kind
from invivo.builtins.foreign import FOREIGN
from invivo.lang.d import syntax
from invivo.lang.d.lower import speculation
from invivo.lang.d.lower.builtin_call import BuiltinCall
from invivo.lang.d.lower.calls import check_length
from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.expressions import lower_key
from invivo.lang.d.lower.state import Abandoned, AggregationState, same_shape, shape
from invivo.program.nodes import Aggregation, Expr, StrLit
from invivo.program.records import AggFunction
from invivo.program.statements import AggUpdate
from invivo.program.types import a_type

__all__ = ["update"]

_MATCH = {
    AggFunction.LQUANTIZE: ("D_LQUANT_MATCHBASE", "D_LQUANT_MATCHLIM", "D_LQUANT_MATCHSTEP"),
    AggFunction.LLQUANTIZE: (
        "D_LLQUANT_MATCHFACTOR",
        "D_LLQUANT_MATCHLMAG",
        "D_LLQUANT_MATCHHMAG",
        "D_LLQUANT_MATCHSTEPS",
    ),
}


def update(c: ClauseState, expression: syntax.AssignOp) -> None:
    """Lower the statement."""
    target = expression.target
    assert isinstance(target, syntax.AggRef)
    speculation.check_aggregation(c, expression.span)
    aggregation = c.program.aggregation(target.name, target.span)
    try:
        c.add(_update(c, expression, target, aggregation))
    except Abandoned:
        aggregation.is_bad = True
        raise


def _update(
    c: ClauseState, expression: syntax.AssignOp, target: syntax.AggRef, aggregation: AggregationState
) -> AggUpdate:
    name = f"@{aggregation.name}"
    call = expression.value
    if expression.op != "=" or not isinstance(call, syntax.CallOp):
        hint = f"{name} = count();"
        if aggregation.name:
            hint += f" a variable has no @: {aggregation.name}{'[...]' if target.keys else ''} {expression.op} ..."
        c.program.error(
            "D_AGG_FUNC", expression.span, f"{name} is assigned from an aggregating function only", hint
        )
    builtin = _function(c, call, name)
    check_length(c, builtin, call)
    assert builtin.aggregating is not None
    b = BuiltinCall(c, call.span)
    parameters, value, increment = builtin.aggregating.split(b, call.arguments)
    _check_function(c, aggregation, builtin.aggregating.function, parameters, call)
    keys = _keys(c, target, aggregation)
    amount = None if value is None else b.integer(value, "D_AGG_SCALAR")
    times = None if increment is None else b.integer(increment)
    assert aggregation.node is not None
    return AggUpdate(aggregation.node, keys, amount, times, expression.span)


def _function(c: ClauseState, call: syntax.CallOp, name: str) -> Builtin:
    builtin = BUILTINS.get(call.name)
    if builtin is not None and builtin.kind is Kind.AGGREGATING:
        return builtin
    import difflib

    names = [b.name for b in BUILTINS.values() if b.kind is Kind.AGGREGATING]
    close = difflib.get_close_matches(call.name, names, 1, 0.6)
    hint = f"did you mean {close[0]}()?" if close else f"there are {', '.join(names)}"
    hint = FOREIGN.get(f"{call.name}()", hint)
    is_known = call.name in BUILTINS or call.name in c.program.functions
    message = f"{name} needs an aggregating function, {call.name}() is none"
    c.program.error("D_AGG_FUNC" if is_known else "D_FUNC_UNDEF", call.name_span, message, hint)


def _check_function(
    c: ClauseState,
    aggregation: AggregationState,
    function: AggFunction,
    parameters: tuple[int, ...],
    call: syntax.CallOp,
) -> None:
    name = f"@{aggregation.name}"
    if aggregation.function is None:
        aggregation.function, aggregation.parameters, aggregation.assigned = function, parameters, call.span
        aggregation.node = Aggregation(aggregation.id, aggregation.name, function, parameters, ())
        return
    first = f"it is {aggregation.function.value}() at {aggregation.assigned}"
    if aggregation.function is not function:
        message = f"{name} cannot be both {aggregation.function.value}() and {function.value}()"
        c.program.error("D_AGG_REDEF", call.span, message, f"{first}; take another name")
    for code, mine, its in zip(_MATCH.get(function, ()), parameters, aggregation.parameters, strict=False):
        if mine != its:
            c.program.error(code, call.span, f"{name} was first assigned with {its} where here is {mine}", first)


def _keys(c: ClauseState, target: syntax.AggRef, aggregation: AggregationState) -> tuple[Expr, ...]:
    keys = tuple(lower_key(c, key) for key in target.keys or ())
    name = f"@{aggregation.name}"
    if aggregation.key_spans is None:
        aggregation.key_spans = target.span
    elif len(keys) != len(aggregation.key_types):
        wanted = len(aggregation.key_types)
        c.program.error(
            "D_PROTO_LEN", target.span,
            f"{name} has {wanted} key{'s' * (wanted != 1)} {shape(aggregation.key_types)}; given: {len(keys)}",
            f"the first use is at {aggregation.key_spans}",
        )  # fmt: skip
    else:
        for key, type_ in zip(keys, aggregation.key_types, strict=True):
            if not same_shape(key.type, type_):
                message = f"this key of {name} is {a_type(type_)}, not {a_type(key.type)}"
                c.program.error("D_PROTO_ARG", key.span, message, f"the first use is at {aggregation.key_spans}")
    aggregation.use_keys(keys)
    for key in keys:
        if isinstance(key, StrLit):
            c.program.intern(key.value)
    return keys
