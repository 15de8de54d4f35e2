"""The syntax tree of D, as the parser leaves it: names unresolved, types unknown, every node with its span.

    syscall::read:entry /pid == 1/ { @[execname] = count(); }

    ClauseDecl([ProbeSpec("syscall::read:entry")], predicate=BinaryOp("==", Name("pid"), Number(1)),
               body=[ExpressionStmt(AssignOp("=", AggRef("", [Name("execname")]), CallOp("count", [])))])
"""

from __future__ import annotations

from invivo.source import Span
from invivo.value import node

__all__ = [
    "AddressOf",
    "AggRef",
    "AssignOp",
    "BinaryOp",
    "BlockStmt",
    "BreakStmt",
    "CallOp",
    "CastOp",
    "ClauseDecl",
    "CommaOp",
    "ConditionalOp",
    "ContinueStmt",
    "DeclStmt",
    "Declaration",
    "Declarator",
    "Deref",
    "EnumDecl",
    "Expression",
    "ExpressionStmt",
    "ForStmt",
    "FunctionDecl",
    "IfStmt",
    "IndexOp",
    "InlineDecl",
    "MacroArg",
    "MemberOp",
    "Name",
    "Number",
    "OffsetOf",
    "Parameter",
    "PostfixOp",
    "Pragma",
    "PrefixOp",
    "ProbeSpec",
    "ReturnStmt",
    "Script",
    "SizeOfExpr",
    "SizeOfType",
    "Statement",
    "StringLiteral",
    "StringOf",
    "StructDecl",
    "TopLevel",
    "TranslatorDecl",
    "TypeName",
    "UnaryOp",
    "WhileStmt",
    "XlateOp",
]  # fmt: skip

# --- types as written -----------------------------------------------------------------------------------------------


@node
class StructDecl:
    """`struct NAME { ... }`; members None is only a reference to the type."""

    keyword: str  # "struct" "union"
    name: str
    members: tuple[Declaration, ...] | None
    span: Span


@node
class EnumDecl:
    name: str
    members: tuple[tuple[str, Expression | None], ...] | None
    span: Span


@node
class Declarator:
    """One declarated name with what surrounds it, applied from the name outwards, as C reads:

    `*a[3]` is ("a", [("array", 3), ("pointer", None)]); `(*f)(int)` is ("f", [("pointer", None), ("func", params)]).
    Array sizes: an Expression, None for [], or (for D's associative arrays, `a[int, string]`) "tuple" with TypeNames.
    """

    name: str  # empty for an abstract declarator
    # ("pointer", None), ("array", Expression | None), ("tuple", tuple[TypeName, ...]), ("func", tuple[Parameter, ...])
    parts: tuple[tuple[str, object], ...]
    span: Span
    bits: Expression | None = None  # a bit-field's width


@node
class TypeName:
    """A type as in a cast or sizeof: specifiers and an abstract declarator.

    `words` are the specifiers that are plain words ("unsigned", "long", "task_t", "string"), in order, qualifiers left
    out; `tagged` is set instead for struct, union and enum. `is_user` is invivo's `__user` qualifier.
    """

    words: tuple[str, ...]
    tagged: StructDecl | EnumDecl | None
    declarator: Declarator
    span: Span
    is_user: bool = False


@node
class Parameter:
    type: TypeName
    name: str
    span: Span


@node
class Declaration:
    """`int a, *b[2];` also members of structures. `storage`: "" "self" "this" "typedef" "extern" "static"."""

    storage: str
    base: TypeName  # its declarator is empty
    declarators: tuple[Declarator, ...]
    initializers: tuple[Expression | None, ...]
    span: Span


# --- expressions ----------------------------------------------------------------------------------------------------


@node
class Number:
    """`suffix` is the lower-case suffix without digits: "", "u", "l", "ul", "ll", "ull". `is_char`: 'a'."""

    value: int
    suffix: str
    span: Span
    is_decimal: bool = True
    is_char: bool = False


@node
class StringLiteral:
    value: bytes
    span: Span


@node
class Name:
    """An identifier; `scope`: "" "self" "this"; `module` is set for ``module`symbol`` ("" for a bare backquote)."""

    name: str
    span: Span
    scope: str = ""
    module: str | None = None


@node
class MacroArg:
    """`$1`, `$target`, `$pid` ... by `name` without the dollar; `is_string` for `$$1`."""

    name: str
    is_string: bool
    span: Span


@node
class AggRef:
    """`@name[keys]`; keys is None without brackets; name is "" for `@`."""

    name: str
    keys: tuple[Expression, ...] | None
    span: Span


@node
class UnaryOp:
    op: str  # + - ! ~
    operand: Expression
    span: Span


@node
class PrefixOp:
    op: str  # ++ --
    operand: Expression
    span: Span


@node
class PostfixOp:
    op: str  # ++ --
    operand: Expression
    span: Span


@node
class BinaryOp:
    """All of C's, and `^^`. `&& || ^^` too."""

    op: str
    left: Expression
    right: Expression
    span: Span


@node
class AssignOp:
    op: str  # = += -= *= /= %= &= ^= |= <<= >>=
    target: Expression
    value: Expression
    span: Span


@node
class ConditionalOp:
    condition: Expression
    then: Expression
    other: Expression
    span: Span


@node
class CommaOp:
    first: Expression
    second: Expression
    span: Span


@node
class CallOp:
    """`name(arguments)`; only names can be called in D. `name_span` is the name's own."""

    name: str
    arguments: tuple[Expression, ...]
    span: Span
    name_span: Span


@node
class IndexOp:
    """`operand[indexes]`; more than one index only for associative arrays (and args has one)."""

    operand: Expression
    indexes: tuple[Expression, ...]
    span: Span


@node
class MemberOp:
    """`operand.name` or `operand->name` (is_arrow)."""

    operand: Expression
    name: str
    is_arrow: bool
    span: Span


@node
class Deref:
    operand: Expression
    span: Span


@node
class AddressOf:
    operand: Expression
    span: Span


@node
class CastOp:
    type: TypeName
    operand: Expression
    span: Span


@node
class SizeOfType:
    type: TypeName
    span: Span


@node
class SizeOfExpr:
    operand: Expression
    span: Span


@node
class OffsetOf:
    type: TypeName
    member: str
    span: Span


@node
class StringOf:
    operand: Expression
    span: Span


@node
class XlateOp:
    type: TypeName
    operand: Expression
    span: Span


Expression = (
    Number | StringLiteral | Name | MacroArg | AggRef | UnaryOp | PrefixOp | PostfixOp | BinaryOp | AssignOp
    | ConditionalOp | CommaOp | CallOp | IndexOp | MemberOp | Deref | AddressOf | CastOp | SizeOfType | SizeOfExpr
    | OffsetOf | StringOf | XlateOp
)  # fmt: skip

# --- statements -----------------------------------------------------------------------------------------------------


@node
class ExpressionStmt:
    expression: Expression
    span: Span


@node
class DeclStmt:
    """A declaration inside a body (invivo allows it): `int i = 0;` or `this int x;`."""

    declaration: Declaration
    span: Span


@node
class BlockStmt:
    statements: tuple[Statement, ...]
    span: Span


@node
class IfStmt:
    condition: Expression
    then: Statement
    other: Statement | None
    span: Span


@node
class WhileStmt:
    condition: Expression
    body: Statement
    span: Span


@node
class ForStmt:
    init: Expression | Declaration | None
    condition: Expression | None
    step: Expression | None
    body: Statement
    span: Span


@node
class BreakStmt:
    span: Span


@node
class ContinueStmt:
    span: Span


@node
class ReturnStmt:
    value: Expression | None
    span: Span


Statement = (
    ExpressionStmt | DeclStmt | BlockStmt | IfStmt | WhileStmt | ForStmt | BreakStmt | ContinueStmt | ReturnStmt
)  # fmt: skip

# --- top level ------------------------------------------------------------------------------------------------------


@node
class ProbeSpec:
    """A probe description as written, macros included: `pid$target::malloc:entry`."""

    text: str
    span: Span


@node
class ClauseDecl:
    """`body` is None if there were no braces (the default action)."""

    probes: tuple[ProbeSpec, ...]
    predicate: Expression | None
    body: tuple[Statement, ...] | None
    span: Span


@node
class FunctionDecl:
    """invivo's `function TYPE NAME(PARAMETERS) { ... }`."""

    name: str
    result: TypeName
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span


@node
class InlineDecl:
    """`inline TYPE NAME = EXPR;` and `inline TYPE NAME[TYPE KEY, ...] = EXPR;`."""

    declarator: Declarator
    type: TypeName
    parameters: tuple[Parameter, ...]
    value: Expression
    span: Span


@node
class TranslatorDecl:
    """`translator OUTPUT < INPUT NAME > { member = expr; ... };`."""

    output: TypeName
    input: TypeName
    name: str
    members: tuple[tuple[str, Expression], ...]
    span: Span


@node
class Pragma:
    """`#pragma D WORDS...` as its words, quotes kept."""

    words: tuple[str, ...]
    span: Span


TopLevel = ClauseDecl | FunctionDecl | InlineDecl | TranslatorDecl | Declaration | Pragma


@node
class Script:
    declarations: tuple[TopLevel, ...]
