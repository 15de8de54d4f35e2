"""Syntax trees as short text, for tests.

    expression("a + b * 2")   -> "(+ a (* b 2))"
    dump(parse(...))          -> one line for each declaration
"""

from __future__ import annotations

from invivo.diagnostics import Diagnostics
from invivo.lang.d import syntax
from invivo.lang.d.parser import parse
from invivo.source import SourceFile, Span
from invivo.value import fields_of

__all__ = ["dump", "expression", "messages", "parsed", "script"]


def parsed(text: str, name: str = "t.d") -> tuple[syntax.Script, Diagnostics]:
    diagnostics = Diagnostics()
    return parse(SourceFile(name, text), diagnostics), diagnostics


def messages(text: str) -> list[str]:
    """The findings as `line:column code message`, in the order of the text."""
    _, diagnostics = parsed(text)
    found = sorted(diagnostics.found, key=lambda d: d.span.start)
    return [f"{str(d.span).removeprefix('t.d:')} {d.code} {d.message}" for d in found]


def script(text: str) -> list[str]:
    """The declarations of a text without errors."""
    tree, diagnostics = parsed(text)
    assert not diagnostics.found, diagnostics.found
    return [dump(declaration) for declaration in tree.declarations]


def expression(text: str) -> str:
    tree, diagnostics = parsed("BEGIN { " + text + "; }")
    assert not diagnostics.found, diagnostics.found
    (clause,) = tree.declarations
    assert isinstance(clause, syntax.ClauseDecl)
    assert clause.body is not None
    (statement,) = clause.body
    return dump(statement)


def dump(node: object) -> str:
    """A node as an S-expression; spans are left out."""
    match node:
        case syntax.Number(value):
            return str(value)
        case syntax.StringLiteral(value):
            return repr(value)[1:].replace("'", '"')
        case syntax.Name(name, _, scope, module):
            return (f"{scope}->" if scope else "") + ("" if module is None else f"{module}`") + name
        case syntax.MacroArg(name, is_string):
            return ("$$" if is_string else "$") + name
        case syntax.AggRef(name, keys):
            return "@" + name + ("" if keys is None else _list(keys))
        case syntax.BinaryOp(op, left, right) | syntax.AssignOp(op, left, right):
            return f"({op} {dump(left)} {dump(right)})"
        case syntax.UnaryOp(op, operand) | syntax.PrefixOp(op, operand):
            return f"({op} {dump(operand)})"
        case syntax.PostfixOp(op, operand):
            return f"({dump(operand)} {op})"
        case syntax.MemberOp(operand, name, is_arrow):
            return f"{dump(operand)}{'->' if is_arrow else '.'}{name}"
        case syntax.IndexOp(operand, indexes):
            return dump(operand) + _list(indexes)
        case syntax.CallOp(name, arguments):
            return f"{name}({', '.join(map(dump, arguments))})"
        case syntax.ConditionalOp(condition, then, other):
            return f"(? {dump(condition)} {dump(then)} {dump(other)})"
        case syntax.TypeName(words, tagged, declarator):
            return " ".join(words) + ("" if tagged is None else dump(tagged)) + _parts(declarator)
        case syntax.Declarator(name):
            return name + _parts(node)
        case syntax.ExpressionStmt(value):
            return dump(value)
        case syntax.ProbeSpec(text):
            return text
        case None:
            return "-"
        case tuple():
            return _list(node)
        case str():
            return node
    name = type(node).__name__
    fields = [getattr(node, name) for name in fields_of(node) or ()]
    shown = [dump(value) if value != "" else "-" for value in fields if not isinstance(value, Span | bool)]
    return f"({name} {' '.join(shown)})" if shown else f"({name})"


def _list(nodes: tuple[object, ...]) -> str:
    return "[" + ", ".join(map(dump, nodes)) + "]"


def _parts(declarator: syntax.Declarator) -> str:
    """What surrounds a name, from the name outwards."""
    text = ""
    for kind, value in declarator.parts:
        match kind:
            case "pointer":
                text += " *"
            case "array":
                text += f" [{'' if value is None else dump(value)}]"
            case "tuple":
                text += " tuple" + dump(value)
            case _:
                text += " func" + dump(value)
    return text + (f" :{dump(declarator.bits)}" if declarator.bits is not None else "")
