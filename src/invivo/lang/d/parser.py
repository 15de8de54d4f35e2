"""The parser of D: from text to syntax tree.

In: a SourceFile. Out: a Script; errors go to Diagnostics, many in a run, and what has one is left out of the Script.

    BEGIN, tick-1s /x > 0/ { x++; }     ClauseDecl([BEGIN, tick-1s], x > 0, [x++])
    inline int LIMIT = 5;               InlineDecl(LIMIT, int, 5)
    self int depth;                     Declaration("self", int, [depth])

Between clauses a text is read as a probe description if it has a colon, or if what follows is `,`, `/`, `{` or the end.
"""

from __future__ import annotations

import re

from invivo.diagnostics import Diagnostics
from invivo.lang.d.cursor import Failure, TooManyErrors
from invivo.lang.d.lexer import Lexer, TokenKind
from invivo.lang.d.names import DECLARATION_WORDS, RESERVED
from invivo.lang.d.statements import NextClause, StatementParser
from invivo.lang.d.syntax import (
    AssignOp,
    ClauseDecl,
    Declarator,
    Expression,
    FunctionDecl,
    InlineDecl,
    Parameter,
    ProbeSpec,
    Script,
    Statement,
    TopLevel,
    TranslatorDecl,
    TypeName,
)
from invivo.source import SourceFile

__all__ = ["parse"]

_IDENTIFIER = re.compile(r"[A-Za-z_`][A-Za-z_0-9`]*\Z")
_NAME = re.compile(r"[A-Za-z_`][A-Za-z_0-9`]*")
_FIXED_PROBES = frozenset(("BEGIN", "END", "ERROR"))


def parse(source: SourceFile, diagnostics: Diagnostics) -> Script:
    """The syntax tree of a text. It is complete only if no error was recorded."""
    return _ScriptParser(Lexer(source, diagnostics)).script()


class _ScriptParser(StatementParser):
    """See the module."""

    def script(self) -> Script:
        found: list[TopLevel] = []
        try:
            self._script(found)
        except TooManyErrors:
            self.lexer.is_muted = True
        if self.lexer.pragmas:
            found.extend(self.lexer.pragmas.values())
            found.sort(key=lambda declaration: declaration.span.start)
        return Script(tuple(found))

    def _script(self, found: list[TopLevel]) -> None:
        text = self.lexer.text
        while True:
            start = self.lexer.skip(self.last_end)
            if start >= len(text):
                return
            self.seek(start)
            self.nesting, self.in_predicate = 0, False
            try:
                if text[start] == ";":
                    self.advance()
                elif text[start] == "}":
                    self.advance()
                    hint = "a '{' is missing before it, or this is one too many"
                    self.error(self.span_from(start), "this '}' closes nothing", hint)
                elif self._is_clause(start):
                    found.append(self._clause())
                else:
                    found.append(self._declaration())
            except NextClause:
                pass
            except Failure:
                self.skip_statement(start)
                if self.last_end == start:
                    self._skip_character()

    def _skip_character(self) -> None:
        """Go on behind a `}` that ended what could not be read."""
        self.lexer.is_muted = True
        self.advance()
        self.lexer.is_muted = False
        self.seek(self.last_end)

    # --- clauses ---

    def _is_clause(self, start: int) -> bool:
        """Whether a probe description begins here, and not a declaration."""
        text = self.lexer.text
        end = self.lexer.probe_description(start)
        if end is None:
            return False
        lexeme = text[start:end]
        if ":" in lexeme or lexeme in _FIXED_PROBES or not _IDENTIFIER.match(lexeme):
            return True
        following = self.lexer.skip(end, is_predicate_possible=True)
        if lexeme in DECLARATION_WORDS or lexeme in RESERVED:
            return False
        if following >= len(text) or text[following] in ",/{":
            return True
        return not (text[following] == "*" or _NAME.match(text, following))

    def _clause(self) -> ClauseDecl:
        start = self.last_end
        probes = [self._probe()]
        text = self.lexer.text
        while True:
            offset = self.lexer.skip(self.last_end, is_predicate_possible=True)
            if not text.startswith(",", offset):
                break
            self.seek(self.lexer.skip(offset + 1))
            probes.append(self._probe())
        predicate: Expression | None = None
        body: tuple[Statement, ...] | None = None
        if text.startswith("/", offset):
            self.seek(offset)
            try:
                predicate = self._predicate(offset)
            except Failure:
                # What is wrong in the predicate does not keep the body from being read.
                self._skip_to_body(offset)
            offset = self.lexer.skip(self.last_end)
        if text.startswith("{", offset):
            self.seek(offset)
            body = self.body()
        elif predicate is not None:
            hint = "write { } after it; empty braces only record that the probe fired"
            raise self.failure("'{'", hint, "after the predicate")
        elif offset < len(text):
            self._no_body(offset)
        elif not self.lexer.file.name_at(start).startswith("<"):
            # Only a text of the command line may end so.
            message = "the text ends where a predicate or '{' was expected after the probe description"
            raise self.error(self.span_from(start), message, "write { } to record that the probe fired")
        return ClauseDecl(tuple(probes), predicate, body, self.span_from(start))

    def _skip_to_body(self, start: int) -> None:
        """After an error in a predicate: up to the next '{', or fail if none belongs to this clause."""
        self.nesting, self.in_predicate = 0, False
        self.lexer.is_muted = True
        try:
            while not self.at("{"):
                token = self.token
                is_next = self.lexer.is_first_on_line(token.start) and bool(self.clause_at(token.start))
                if self.at(";", "}") or token.kind is TokenKind.END or (token.start > start and is_next):
                    raise Failure
                self.advance()
        finally:
            self.lexer.is_muted = False
            self.seek(self.last_end)

    def _probe(self) -> ProbeSpec:
        """The probe description at `last_end`."""
        start = self.last_end
        end = self.lexer.probe_description(start)
        if end is None:
            raise self.failure("a probe description", "it is written provider:module:function:name")
        self.seek(end)
        return ProbeSpec(self.lexer.text[start:end], self.lexer.span(start, end))

    def _no_body(self, offset: int) -> None:
        """After probe descriptions comes what they do not end with."""
        self.seek(offset)
        hint = "actions are put in braces, and a predicate before them between slashes: PROBE /PREDICATE/ { ACTIONS }"
        if self.lexer.text.startswith("//", offset):
            hint = "a comment is written /* ... */ here"
            raise self.error(self.lexer.span(offset, offset + 2), "'//' would be an empty predicate", hint)
        end = self.lexer.probe_description(offset)
        is_next = end is not None and (":" in self.lexer.text[offset:end] or bool(self.clause_at(offset)))
        if is_next and end is not None:
            # The next description is read as a clause of its own.
            span = self.lexer.span(offset, end)
            message = f"found '{span.text}' where ',', '/' or '{{' was expected after a probe description"
            self.error(span, message, "a ',' separates probe descriptions that share a clause")
            self.seek(offset)
            return
        raise self.failure("',', '/' or '{'", hint, "after the probe description")

    def _predicate(self, start: int) -> Expression:
        if self.lexer.text.startswith("//", start) and not self.lexer.text.startswith("//*", start):
            self._no_body(start)
        self.in_predicate = True
        self.seek(start + 1)
        if self.at("/"):
            self.advance()
            hint = "a clause without a predicate runs at each firing"
            raise self.error(self.span_from(start), "the predicate is empty", hint)
        predicate = self.expression()
        if not self.at("/"):
            if self.at("{"):
                line, _ = self.lexer.file.position(start)
                hint = f"the predicate that begins in line {line} is not closed"
                raise self.failure("'/'", hint, "after the predicate")
            raise self.failure("an operator, or '/' after the predicate,", _predicate_hint(self.token.text))
        is_enclosed = self.lexer.text.startswith("(", self.lexer.skip(start + 1))
        if isinstance(predicate, AssignOp) and predicate.op == "=" and not is_enclosed:
            self.lexer.diagnostics.warning(
                "D_SYNTAX", predicate.span, "this predicate assigns a value", "'==' compares; (a = b) if this is meant"
            )
        self.in_predicate = False
        self.seek(self.token.end)
        return predicate

    # --- declarations ---

    def _declaration(self) -> TopLevel:
        match self.token.text if self.token.kind is TokenKind.NAME else "":
            case "inline":
                return self._inline()
            case "translator":
                return self._translator()
            case "provider":
                raise self._provider()
            case "function":
                return self._function()
            case _:
                if self.token.kind is not TokenKind.NAME:
                    raise self.failure("a probe description or a declaration")
                return self.declaration(is_outside=True)

    def _inline(self) -> InlineDecl:
        """`inline TYPE NAME = EXPRESSION;`, with `[TYPE KEY, ...]` after the name for what is used like an array."""
        start = self.advance().start
        base = self.specifiers("a type after 'inline'")
        first = self.token.start
        pointers = self._pointers()
        name = self.identifier("the name of the inline").text
        declarator = Declarator(name, pointers, self.span_from(first))
        parameters: tuple[Parameter, ...] = self.parameters("[", "]") if self.at("[") else ()
        self.expect("=", "after the name of the inline", "an inline is a name for an expression: inline int limit = 5;")
        value = self.assignment()
        self.expect(";", "after the inline")
        return InlineDecl(declarator, base, parameters, value, self.span_from(start))

    def _translator(self) -> TranslatorDecl:
        start = self.advance().start
        output = self.type_name()
        self.expect("<", "after the translator's type", "translator OUTPUT < INPUT *NAME > { MEMBER = EXPRESSION; };")
        taken = self.parameter()
        if not taken.name:
            raise self.failure("the name of the translator's input")
        self.expect(">", "after the translator's input")
        opening = self.expect("{", "after the translator's input")
        members: list[tuple[str, Expression]] = []
        while not self.at("}"):
            if self.token.kind is TokenKind.END:
                raise self.unclosed(opening.start, "the translator")
            name = self._member_name()
            self.expect("=", "after the name of a member")
            members.append((name, self.assignment()))
            if not self.at("}"):
                self.expect(";", "after the member")
        self.advance()
        offset = self.lexer.skip(self.last_end)
        if self.lexer.text.startswith(";", offset):
            self.seek(offset + 1)
        return TranslatorDecl(output, taken.type, taken.name, tuple(members), self.span_from(start))

    def _provider(self) -> Failure:
        span = self.token_span(self.token)
        message = "a program that traces cannot define a provider"
        return self.error(span, message, "a provider's probes are built into the program that is traced")

    def _function(self) -> FunctionDecl:
        start = self.advance().start
        base = self.specifiers("the type of the function's result")
        first = self.token.start
        pointers = self._pointers()
        span = self.span_from(first) if pointers else self.lexer.span(first, first)
        result = TypeName(base.words, base.tagged, Declarator("", pointers, span), base.span.to(span), base.is_user)
        name = self.identifier("the name of the function").text
        if not self.at("("):
            raise self.failure("'('", "function TYPE NAME(TYPE NAME, ...) { ... }", "after the function's name")
        parameters = self.parameters()
        unnamed = next((parameter for parameter in parameters if not parameter.name), None)
        if unnamed is not None:
            raise self.error(unnamed.span, "this parameter has no name")
        if not self.at("{"):
            raise self.failure("'{'", where="after the function's parameters")
        return FunctionDecl(name, result, parameters, self.body(), self.span_from(start))


def _predicate_hint(found: str) -> str:
    if found == "=":
        return "'==' compares, '=' assigns"
    return ""
