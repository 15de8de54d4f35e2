"""Translators: values of made-up structures, whose members are expressions over a kernel structure.

args[0]->pr_pid       of a psinfo_t made from a task: ((struct task_struct *)args[0])->tgid
xlate <psinfo_t *> (curthread)
"""

from __future__ import annotations

from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, ctypes
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.ctypes import resolve
from invivo.lang.d.lower.expressions import lower, lower_any
from invivo.lang.d.lower.state import ProgramState
from invivo.program.nodes import Assign, Comma, Expr, IntLit, Load, Memory, ReadString
from invivo.program.types import INT, ULONG, Array, Int, Pointer, Space, String, Struct, Type, a_type, type_name
from invivo.source import Span
from invivo.value import replaced

__all__ = ["assign_members", "check", "member", "output_name", "translated", "xlate"]


def output_name(type_: syntax.TypeName) -> str:
    """The name under which a translator is found: "psinfo_t" or "struct x"."""
    if isinstance(type_.tagged, syntax.StructDecl):
        return f"{type_.tagged.keyword} {type_.tagged.name}"
    return " ".join(type_.words)


def xlate(c: ClauseState, expression: syntax.XlateOp) -> Expr | Translated:
    """`xlate <type> (value)`."""
    name = output_name(expression.type)
    value = lower(c, expression.operand)
    return translated(c, name, value, bool(expression.type.declarator.parts), expression.span)


def translated(c: ClauseState, name: str, value: Expr, is_pointer: bool, span: Span) -> Translated:
    """A value of the translated type `name`, made from `value`."""
    if name not in c.program.translators:
        c.program.library(name)
    candidates = c.program.translators.get(name, [])
    if not candidates:
        c.program.error("D_XLATE_NONE", span, f"no translator makes a {name}")
    for translator in candidates:
        if _takes(resolve(c.program, translator.input), value.type):
            return Translated(translator, value, is_pointer, span)
    inputs = " or ".join(t.input.span.text.strip() for t in candidates)
    c.program.error("D_XLATE_NOCONV", span, f"no translator makes a {name} of {a_type(value.type)}, only of {inputs}")


def _takes(wanted: Type, given: Type) -> bool:
    match wanted, given:
        case Pointer(a), Pointer(b):
            return a == b or (
                isinstance(a, Struct) and isinstance(b, Struct) and a.name == b.name and a.keyword == b.keyword
            )
        case Int(), Int():
            return True
        case _:
            return wanted == given


def member(c: ClauseState, base: Translated, expression: syntax.MemberOp) -> Expr | Translated:
    """A member of a translated value."""
    span, name = expression.span, expression.name
    if base.is_pointer != expression.is_arrow:
        right, wrong = ("->", ".") if base.is_pointer else (".", "->")
        c.program.error("D_OP_SOU", span, f"{wrong} does not fit here", f"write {right} instead")
    declaration = base.translator
    for member_name, value in declaration.members:
        if member_name == name:
            bindings = {declaration.name: base.input}
            with c.apart(dict(bindings)):
                result = lower_any(c, value)
            return result if isinstance(result, Translated) else _typed(c, declaration, name, result, span)
    import difflib

    close = difflib.get_close_matches(name, [n for n, _ in declaration.members], 1, 0.6)
    output = output_name(declaration.output)
    c.program.error(
        "D_TYPE_MEMBER", span, f"{output} has no member '{name}'", f"did you mean {close[0]}?" if close else ""
    )


def _typed(c: ClauseState, declaration: syntax.TranslatorDecl, name: str, value: Expr, span: Span) -> Expr:
    """The value as the member's declared type, where the structure is declared."""
    output = resolve(c.program, declaration.output)
    found = output.find(name) if isinstance(output, Struct) else None
    if found is None or coerce.is_textual(found.type):
        return coerce.string(c, value, f"the member {name}", "D_XLATE_INCOMPAT") if found is not None else value
    return coerce.assignable(c, value, found.type, name, span, "D_XLATE_INCOMPAT")


def assign_members(c: ClauseState, expression: syntax.AssignOp, value: Translated) -> Expr:
    """`variable = xlate <type> (value)`: each member in turn; those that the translator does not define become 0."""
    from invivo.lang.d.lower import variables

    span, output = expression.span, resolve(c.program, value.translator.output)
    name = output_name(value.translator.output)
    if value.is_pointer or not isinstance(output, Struct) or not output.size:
        hint = f"write xlate <{name}>, without *" if value.is_pointer else ""
        c.program.error("D_XLATE_INCOMPAT", span, f"a translated {name} cannot be kept here", hint)
    zeros = Memory(IntLit(0, ULONG, span), Space.KERNEL, output, span)
    target = variables.target(c, expression.target, "=", value=zeros)
    if not isinstance(target, Memory) or target.type != output:
        message = f"{expression.target.span.text} is {a_type(target.type)}, not {a_type(output)}"
        c.program.error("D_OP_INCOMPAT", span, message)
    address = target.address
    for step in reversed([Assign(target, IntLit(0, INT, span), output, span), *_steps(c, target, output, value, span)]):
        address = Comma(step, address, ULONG, span)
    return replaced(target, address=address)


def _steps(c: ClauseState, target: Memory, output: Struct, value: Translated, span: Span) -> list[Expr]:
    from invivo.lang.d.lower.memory import member_of

    steps: list[Expr] = []
    for name, definition in value.translator.members:
        with c.apart({value.translator.name: value.input}):
            given = lower_any(c, definition)
        place = member_of(c, output, target.address, target.space, name, span)
        if isinstance(given, Translated):
            if not isinstance(place, Memory) or not isinstance(place.type, Struct) or given.is_pointer:
                c.program.error("D_XLATE_INCOMPAT", span, f"the member {name} is translated itself and cannot be kept")
            steps += _steps(c, place, place.type, given, span)
            continue
        if isinstance(place, Memory) and isinstance(place.type, Array) and coerce.is_textual(place.type):
            place = ReadString(place.address, place.space, String(place.type.count), span)
        assert isinstance(place, Load | Memory | ReadString)
        fitting = coerce.assignable(c, given, place.type, name, span, "D_XLATE_INCOMPAT")
        steps.append(Assign(place, fitting, place.type, span))
    return steps


def check(state: ProgramState, declaration: syntax.TranslatorDecl) -> None:
    """Report a translator that makes no structure, or members that it does not have, or that there is already."""
    name = output_name(declaration.output)
    made = ctypes.declared_type(state, declaration.output, declaration.output.declarator)
    if not isinstance(made, Struct):
        state.error("D_XLATE_SOU", declaration.output.span, f"a translator makes a structure, not {a_type(made)}")
    members = {member.name for member in made.members}
    for member, value in declaration.members:
        if member not in members:
            state.error("D_XLATE_MEMB", value.span, f"{type_name(made)} has no member '{member}'")
    taken = declaration.input.span.text
    if any(known.input.span.text == taken for known in state.translators.get(name, ())):
        state.error("D_XLATE_REDECL", declaration.span, f"how '{taken}' becomes {name} is defined twice")
