"""The parser's place in the text: the token at hand, those after it, and the errors.

In: a Lexer. Out: methods that the parser is made of; `Failure` leaves the rule that cannot go on, and whoever catches
it (a statement, a declaration, a clause) recovers.

    if cursor.accept(";"): ...            take the token if it is this one
    cursor.expect(")", "after the arguments of f")
    raise cursor.failure("an expression")     -> error[D_SYNTAX]: found ';' where an expression was expected
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from invivo.lang.d.lexer import Lexer, Token, TokenKind
from invivo.lang.d.names import KEYWORDS, RESERVED
from invivo.source import Span

__all__ = ["MAX_CHAIN", "MAX_NESTING", "Cursor", "Failure", "TooManyErrors"]

# Each level of nesting costs this parser, and each pass over the tree, some calls of Python, whose own limit is 1000.
MAX_NESTING = 64
# Operators, suffixes or else-ifs in a row; the tree of `a + b + c` is as deep as the row is long.
MAX_CHAIN = 200
_MAX_ERRORS = 50
# What no expression looks like: two colons without a question mark, a number that ends with a unit of time.
_SURE_DESCRIPTION = re.compile(r"[^:?]*:[^:?]*:[^?]*\Z|(?:tick|profile)-[0-9]+[a-zA-Z]+\Z")
_LIKELY_DESCRIPTION = re.compile(r"(?:BEGIN|END|ERROR|(?:tick|profile)-[0-9]+)\Z")


class Failure(Exception):
    """The text does not follow the grammar; the error is recorded."""


class TooManyErrors(Exception):
    """The rest of the text is not looked at."""


class Cursor:
    """See the module."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.in_predicate = False
        self.nesting = 0
        # Where the last taken token ended: a missing ';' is reported there.
        self.last_end = 0
        self._ahead: list[Token] = []

    # --- tokens ---

    @property
    def token(self) -> Token:
        """The token at hand. It is read only when asked for: after a clause's `}` comes what is no token."""
        if not self._ahead:
            self._ahead.append(self.lexer.token(self.last_end, self.in_predicate))
        return self._ahead[0]

    def peek(self, distance: int = 1) -> Token:
        """A later token; 0 is the token at hand."""
        self.token  # noqa: B018
        while len(self._ahead) <= distance:
            last = self._ahead[-1]
            if last.kind is TokenKind.END:
                return last
            self._ahead.append(self.lexer.token(last.end, self.in_predicate))
        return self._ahead[distance]

    def advance(self) -> Token:
        token = self.token
        self._ahead.pop(0)
        self.last_end = token.end
        return token

    def seek(self, offset: int) -> None:
        """Go on at an offset of the text."""
        self._ahead.clear()
        self.last_end = offset

    def at(self, *texts: str) -> bool:
        """Whether the token at hand is one of these signs or keywords."""
        token = self.token
        return token.text in texts and token.kind in (TokenKind.SIGN, TokenKind.NAME)

    def accept(self, text: str) -> bool:
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, where: str = "", hint: str = "") -> Token:
        """Take the sign `text`, or fail; `where` is added to what was expected ("after the condition")."""
        if self.at(text):
            return self.advance()
        raise self.failure(f"'{text}'", hint, where)

    def identifier(self, what: str) -> Token:
        """Take a name that is no keyword; `what` it names is for the message."""
        token = self.token
        if token.kind is TokenKind.NAME and token.text not in KEYWORDS:
            return self.advance()
        if token.kind is TokenKind.NAME:
            raise self.failure(what, RESERVED.get(token.text, f"{token.text} is a word of the language"))
        raise self.failure(what)

    def at_identifier(self, distance: int = 0) -> bool:
        token = self.peek(distance)
        return token.kind is TokenKind.NAME and token.text not in KEYWORDS

    # --- places ---

    def clause_at(self, offset: int) -> str:
        """The probe description at `offset` if it is surely one, even inside of braces; else empty."""
        end = self.lexer.probe_description(offset)
        if end is None:
            return ""
        text = self.lexer.text[offset:end]
        if _SURE_DESCRIPTION.match(text):
            return text
        if _LIKELY_DESCRIPTION.match(text):
            following = self.lexer.skip(end, is_predicate_possible=True)
            enders = "{" if "-" in text else "{/"
            return text if self.lexer.text[following : following + 1] in tuple(enders) else ""
        return ""

    def span_from(self, start: int) -> Span:
        """From `start` to the end of the last token taken."""
        return self.lexer.span(start, max(start, self.last_end))

    def token_span(self, token: Token) -> Span:
        return self.lexer.span(token.start, max(token.end, token.start))

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper in the text."""
        if self.nesting >= MAX_NESTING:
            raise self.error(self.token_span(self.token), f"this is nested more than {MAX_NESTING} levels deep")
        self.nesting += 1
        try:
            yield
        finally:
            self.nesting -= 1

    def check_chain(self, length: int) -> None:
        """Fail if more than MAX_CHAIN operators stand in a row."""
        if length > MAX_CHAIN:
            span = self.token_span(self.token)
            raise self.error(span, f"there are more than {MAX_CHAIN} operators in a row", "split it with a variable")

    # --- errors ---

    def failure(self, expected: str, hint: str = "", where: str = "") -> Failure:
        """Record that the token at hand is not what was expected."""
        token = self.token
        if token.kind is TokenKind.NAME and token.text in RESERVED:
            return self.error(self.token_span(token), f"'{token.text}' is not available in D", RESERVED[token.text])
        message = f"found {describe(token)} where {expected} was expected"
        return self.error(self.token_span(token), f"{message} {where}" if where else message, hint)

    def error(self, span: Span, message: str, hint: str = "", code: str = "D_SYNTAX") -> Failure:
        is_known = span.start in self.lexer.reported or self.lexer.broken_end in (self.last_end, self.token.start)
        if is_known:
            return Failure(message)
        self.lexer.diagnostics.error(code, span, message, hint)
        if len(self.lexer.diagnostics.found) >= _MAX_ERRORS:
            raise TooManyErrors
        return Failure(message)


def describe(token: Token) -> str:
    """A token as messages name it."""
    match token.kind:
        case TokenKind.END:
            return "the end of the program"
        case TokenKind.STRING:
            return "a string"
        case TokenKind.AGGREGATION:
            return f"'@{_short(token.text)}'"
        case TokenKind.MACRO:
            return f"'${_short(token.text)}'"
        case _:
            return f"'{_short(token.text)}'"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
