"""What may stand where in a clause that speculates or commits.

speculate(s); trace(x);     begin: the number is kept in a variable of the firing, and every record after it is marked
trace(x); speculate(s);     D_SPEC_DREC
"""

from __future__ import annotations

from invivo.lang.d.lower.clause import ClauseState
from invivo.program.actions import Action, Commit, Discard, ExitAction
from invivo.program.nodes import Assign, Expr, Scope, Variable, VarRef
from invivo.program.statements import ExprStmt
from invivo.program.types import INT64
from invivo.source import Span

__all__ = ["begin", "check", "check_aggregation"]


def begin(c: ClauseState, number: Expr, span: Span) -> None:
    """`speculate(number)`."""
    if c.speculation is not None:
        c.program.error("D_SPEC_SPEC", span, "speculate() may follow no other speculate() in a clause")
    if c.has_commit:
        c.program.error("D_SPEC_COMM", span, "speculate() may not follow commit()")
    if c.has_data:
        c.program.error("D_SPEC_DREC", span, "speculate() may not follow what records data",
                        "make it the first statement of the clause")  # fmt: skip
    variable = Variable("speculation", Scope.CLAUSE, INT64)
    c.locals.append(variable)
    c.add(ExprStmt(Assign(VarRef(variable, INT64, span), number, INT64, span)))
    c.speculation = variable
    c.open_record()


def check(c: ClauseState, action: Action, span: Span) -> None:
    """Report an action that may not stand here; note what the clause has."""
    if isinstance(action, ExitAction):
        if c.speculation is not None:
            c.program.error("D_EXIT_SPEC", span, "exit() may not follow speculate()")
        return
    if isinstance(action, Commit | Discard):
        name = "commit" if isinstance(action, Commit) else "discard"
        if c.speculation is not None:
            message = f"{name}() may not follow speculate()"
            c.program.error("D_COMM_DREC", span, message, "it goes in a clause of its own")
        if isinstance(action, Commit):
            if c.has_data:
                c.program.error("D_COMM_DREC", span, "commit() may not follow what records data",
                                "make it the first statement of the clause")  # fmt: skip
            c.has_commit = True
        return
    if c.has_commit:
        message = "nothing that records data may follow commit()"
        c.program.error("D_DREC_COMM", span, message, "use another clause for it")
    c.has_data = True


def check_aggregation(c: ClauseState, span: Span) -> None:
    """Report an aggregation that may not be updated here."""
    if c.speculation is not None:
        c.program.error("D_AGG_SPEC", span, "an aggregation may not be updated after speculate()",
                        "use another clause for it")  # fmt: skip
    if c.has_commit:
        message = "an aggregation may not be updated after commit()"
        c.program.error("D_AGG_COMM", span, message, "use another clause for it")
