"""What a builtin's rewrite is given: `builtins.Builder`, over the clause being lowered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, cast

from invivo.builtins import BUILTINS
from invivo.builtins.registry import Operand
from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, speculation
from invivo.lang.d.lower.clause import ClauseState, Translated
from invivo.lang.d.lower.state import AggregationState
from invivo.program.actions import Action
from invivo.program.clauses import Context, ProbeArg
from invivo.program.nodes import Call, Convert, Expr, Scope, Variable, VariableAddress
from invivo.program.statements import Stmt
from invivo.program.types import INT64, UCHAR, ULONG, Array, Pointer, Space, Struct, type_name
from invivo.source import Span
from invivo.value import mutable

__all__ = ["BuiltinCall"]


@mutable
class BuiltinCall:
    """One use of a builtin. See `builtins.registry.Builder` for the methods."""

    clause: ClauseState
    span: Span

    @property
    def context(self) -> Context:
        return self.clause.context

    @property
    def clause_index(self) -> int:
        return self.clause.index

    @property
    def is_namespaced(self) -> bool:
        return self.clause.program.catalog.is_namespaced

    @property
    def strsize(self) -> int:
        return self.clause.program.strsize

    def option(self, name: str) -> int:
        return int(self.clause.program.options[name])

    def error(self, code: str, span: Span, message: str, hint: str = "") -> NoReturn:
        self.clause.program.error(code, span, message, hint)

    def value(self, operand: Operand) -> Expr:
        return coerce.data(self.clause, self._lower(operand), "this")

    def dynamic(self, operand: Operand) -> str:
        from invivo.lang.d.lower.expressions import lower_any

        if isinstance(operand, syntax.AggRef):
            return f"the aggregation @{operand.name}"
        if isinstance(operand, syntax.Name | syntax.IndexOp | syntax.XlateOp):
            made = lower_any(self.clause, operand)
            if isinstance(made, Translated):
                return f"a translated {made.translator.output.span.text} as a whole"
        return ""

    def is_action(self, operand: Operand) -> bool:
        if not isinstance(operand, syntax.CallOp) or operand.name in self.clause.program.functions:
            return False
        builtin = BUILTINS.get(operand.name)
        return builtin is not None and builtin.action is not None and builtin.subroutine is None

    def raw(self, operand: Operand) -> Expr:
        expr = coerce.decayed(self._lower(operand))
        return coerce.convert(expr, coerce.kept_type(expr.type)) if isinstance(expr.type, Pointer) else expr

    def integer(self, operand: Operand, code: str = "D_PROTO_ARG") -> Expr:
        expr = coerce.integer(self.clause, self._lower(operand), "this argument", code)
        return coerce.convert(expr, INT64)

    def integer_or_pointer(self, operand: Operand) -> Expr:
        return coerce.bits(coerce.scalar(self.clause, self._lower(operand), "this argument", "D_PROTO_ARG"))

    def string(self, operand: Operand) -> Expr:
        return coerce.string(self.clause, self._lower(operand), "this argument", "D_PROTO_ARG")

    def constant(self, operand: Operand, code: str, what: str) -> int:
        from invivo.lang.d.lower.constants import constant

        number = constant(self._lower(operand))
        if number is None:
            self.error(code, operand.span, f"{what} must be an integer constant")
        return number

    def literal(self, operand: Operand) -> str | None:
        if isinstance(operand, syntax.StringLiteral):
            return operand.value.decode("utf-8", "surrogateescape")
        return None

    def arguments(self, operand: Operand) -> Sequence[ProbeArg] | None:
        from invivo.lang.d.lower.memory import all_arguments

        return all_arguments(self.clause, operand)  # type: ignore[arg-type]

    def aggregation(self, operand: Operand, code: str = "D_AGG_NULL") -> AggregationState | None:
        if isinstance(operand, syntax.AggRef) and operand.keys is None:
            return self.clause.program.aggregation(operand.name, operand.span, code)
        return None

    def later(self, check: Callable[[], None]) -> None:
        self.clause.program.checks.append(check)

    def field(self, value: Expr) -> int:
        return self.clause.put(value)

    def act(self, action: Action) -> None:
        speculation.check(self.clause, action, self.span)
        self.clause.act(action)

    def speculate(self, number: Expr) -> None:
        speculation.begin(self.clause, number, self.span)

    def flush(self) -> None:
        self.clause.flush(self.span)

    def add(self, statement: Stmt) -> None:
        self.clause.add(statement)

    def buffer(self, size: int) -> Expr:
        variable = Variable("", Scope.CLAUSE, Array(UCHAR, size))
        self.clause.locals.append(variable)
        return Convert(VariableAddress(variable, ULONG, self.span), Pointer(UCHAR, Space.SCRATCH), self.span)

    def library(self, name: str, arguments: list[Expr]) -> Expr:
        from invivo.lang.d.lower.calls import inline

        program = self.clause.program
        if name not in program.functions and not program.library(name):
            raise KeyError(name)
        return inline(self.clause, program.functions[name], arguments, self.span)

    def struct(self, name: str) -> Struct:
        found = self.clause.program.types.struct("struct", name)
        if not isinstance(found, Struct):
            self.error("D_TYPE_ERR", self.span, f"the kernel's BTF has no 'struct {name}'")
        return found

    def task(self) -> Expr:
        if self.context.current is not None:
            return self.context.current(self.span)
        return Call("current_task", (), Pointer(self.struct("task_struct"), Space.KERNEL), self.span)

    def member(self, base: Expr, path: str) -> Expr:
        from invivo.lang.d.lower.memory import member_of
        from invivo.program.nodes import Memory

        for name in path.split("."):
            if isinstance(base, Memory) and isinstance(base.type, Struct):
                base = member_of(self.clause, base.type, base.address, base.space, name, self.span)
            elif isinstance(base.type, Pointer) and isinstance(base.type.target, Struct):
                base = member_of(self.clause, base.type.target, base, base.type.space, name, self.span)
            else:
                self.error("D_TYPE_MEMBER", self.span, f"the kernel's {type_name(base.type)} has no member '{name}'")
        return base

    def _lower(self, operand: Operand) -> Expr:
        from invivo.lang.d.lower.expressions import lower

        return lower(self.clause, cast(syntax.Expression, operand))
