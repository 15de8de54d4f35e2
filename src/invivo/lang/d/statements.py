"""Statements of D: what stands between the braces of a clause or a function.

In: a Cursor at `{`. Out: statement nodes. An error costs one statement: the parser goes on behind its `;`.

    { self->ts = timestamp; if (arg0 > 10) { @big = count(); } else @small = count() }
"""

from __future__ import annotations

from invivo.lang.d.cursor import Failure
from invivo.lang.d.expressions import ExpressionParser
from invivo.lang.d.lexer import TokenKind
from invivo.lang.d.names import C_TYPE_WORDS, QUALIFIERS, TAGS
from invivo.lang.d.syntax import (
    BlockStmt,
    BreakStmt,
    ContinueStmt,
    Declaration,
    DeclStmt,
    Expression,
    ExpressionStmt,
    ForStmt,
    IfStmt,
    ReturnStmt,
    Statement,
    WhileStmt,
)

__all__ = ["NextClause", "StatementParser"]


class NextClause(Exception):
    """Inside of braces, the next clause has begun: a `}` is missing. The error is recorded."""


class StatementParser(ExpressionParser):
    """See the module."""

    def body(self) -> tuple[Statement, ...]:
        """`{ ... }`, which may be empty; the last statement needs no ';'."""
        opening = self.expect("{")
        found: list[Statement] = []
        while not self.at("}"):
            if self.token.kind is TokenKind.END:
                span = self.token_span(opening)
                raise self.error(span, "this '{' is not closed", "a '}' is missing at the end")
            self._check_next_clause(opening.start)
            if self.accept(";"):
                continue
            start = self.token.start
            nesting, in_predicate = self.nesting, self.in_predicate
            try:
                found.append(self.statement())
            except Failure:
                self.nesting, self.in_predicate = nesting, in_predicate
                self.skip_statement(start)
        self.advance()
        return tuple(found)

    # --- going on after an error ---

    def _check_next_clause(self, opening: int) -> None:
        token = self.token
        if text := self.clause_at(token.start):
            line, _ = self.lexer.file.position(opening)
            message = f"found the probe description '{text}' inside of braces"
            hint = f"the '{{' of line {line} is not closed before it"
            self.error(self.lexer.span(token.start, token.start + len(text)), message, hint)
            self.seek(token.start)
            raise NextClause

    def skip_statement(self, start: int) -> None:
        """Pass over the rest of a statement, up to its ';', the end of its block, or what looks like a new clause."""
        depth = 0
        self.lexer.is_muted = True
        try:
            while self.token.kind is not TokenKind.END:
                token = self.token
                if token.start > start and self.lexer.is_first_on_line(token.start) and self.clause_at(token.start):
                    break
                if self.at("}"):
                    if depth == 0:
                        break
                    depth -= 1
                elif self.at("{"):
                    depth += 1
                self.advance()
                if depth == 0 and token.text in (";", "}") and token.kind is TokenKind.SIGN:
                    break
        finally:
            self.lexer.is_muted = False
            # What was looked at muted is read again.
            self.seek(self.last_end)

    # --- statements ---

    def statement(self) -> Statement:
        token = self.token
        start = token.start
        if token.kind is TokenKind.SIGN:
            if token.text == "{":
                with self.nested():
                    return BlockStmt(self.body(), self.span_from(start))
            if token.text == ";":
                self.advance()
                return BlockStmt((), self.span_from(start))
        if token.kind is TokenKind.NAME:
            match token.text:
                case "if":
                    return self._if()
                case "while":
                    return self._while()
                case "for":
                    return self._for()
                case "break":
                    self.advance()
                    self._end("after 'break'")
                    return BreakStmt(self.span_from(start))
                case "continue":
                    self.advance()
                    self._end("after 'continue'")
                    return ContinueStmt(self.span_from(start))
                case "return":
                    self.advance()
                    value = None if self.at(";", "}") else self.expression()
                    self._end("after the value")
                    return ReturnStmt(value, self.span_from(start))
                case "else":
                    hint = "an else follows the one statement, or the block, of an if"
                    raise self.error(self.token_span(token), "this 'else' has no 'if'", hint)
        if self.starts_declaration():
            return DeclStmt(self.declaration(), self.span_from(start))
        expression = self.expression()
        self._end("")
        return ExpressionStmt(expression, self.span_from(start))

    def _end(self, where: str) -> None:
        """The ';' of a statement, or the `}` after it."""
        if self.accept(";") or self.at("}"):
            return
        token = self.token
        if token.kind is TokenKind.END:
            return  # the braces are not closed either, which is what is said
        if self.lexer.is_first_on_line(token.start):
            # A new line begins a new statement: nothing needs to be passed over.
            span = self.lexer.span(max(self.last_end - 1, 0), self.last_end)
            self.error(span, "a ';' is missing after this")
            return
        where = where or "after the statement"
        hint = "a statement in braces is no expression" if token.text == "{" else ""
        raise self.failure("';'", hint, where)

    def starts_declaration(self) -> bool:
        """Whether a declaration begins here, and not an expression."""
        token = self.token
        if token.kind is not TokenKind.NAME:
            return False
        text, following = token.text, self.peek()
        if text in ("self", "this"):
            return following.kind is TokenKind.NAME
        if text in ("typedef", "extern", "static") or text in C_TYPE_WORDS or text in TAGS or text in QUALIFIERS:
            return True
        if not self.at_identifier():
            return False
        if following.kind is TokenKind.NAME:
            if following.text in QUALIFIERS:
                return True
            is_same_line = not self.lexer.is_first_on_line(following.start)
            return self.at_identifier(1) and (is_same_line or self.is_type_name(text))
        # A product whose value is not used is no statement that anyone writes: `a * b;` declares b.
        distance = 1
        while self.peek(distance).text == "*" and distance < 6:
            distance += 1
        return distance > 1 and self.at_identifier(distance) and self.peek(distance + 1).text in ("=", ";", ",", "[")

    def _condition(self, word: str) -> Expression:
        self.advance()
        self.expect("(", f"after '{word}'", f"the condition of '{word}' is put in parentheses")
        condition = self.expression()
        self.expect(")", f"after the condition of '{word}'")
        return condition

    def _if(self) -> Statement:
        """A row of else-ifs is read as a row, so that a long one is not deep."""
        row: list[tuple[int, Expression, Statement]] = []
        other: Statement | None = None
        while True:
            start = self.token.start
            condition = self._condition("if")
            row.append((start, condition, self._inner()))
            self.check_chain(len(row))
            if not self.accept("else"):
                break
            if not self.at("if"):
                other = self._inner()
                break
        for start, condition, then in reversed(row):
            other = IfStmt(condition, then, other, self.span_from(start))
        assert other is not None
        return other

    def _inner(self) -> Statement:
        """The statement of an if or a loop; a block counts its own level."""
        if self.at("{"):
            return self.statement()
        with self.nested():
            return self.statement()

    def _while(self) -> WhileStmt:
        start = self.token.start
        condition = self._condition("while")
        return WhileStmt(condition, self._inner(), self.span_from(start))

    def _for(self) -> ForStmt:
        start = self.advance().start
        self.expect("(", "after 'for'")
        init: Expression | Declaration | None = None
        if self.starts_declaration():
            init = self.declaration()
        else:
            if not self.at(";"):
                init = self.expression()
            self.expect(";", "after the beginning of 'for'")
        condition = None if self.at(";") else self.expression()
        self.expect(";", "after the condition of 'for'")
        step = None if self.at(")") else self.expression()
        self.expect(")", "after the step of 'for'")
        return ForStmt(init, condition, step, self._inner(), self.span_from(start))
