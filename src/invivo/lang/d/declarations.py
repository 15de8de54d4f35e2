"""Types and declarations of D, which are C's with associative arrays and storage words added.

In: a Cursor. Out: TypeName, Declaration, Declarator, Parameter.

    int a, *b[2];                 Declaration("", int, [a: (), b: (array 2, pointer)])
    self string last[int, pid_t]; Declaration("self", string, [last: (tuple int pid_t)])
    struct bio *                  TypeName(tagged=struct bio, declarator=(pointer))
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from invivo.lang.d.cursor import Cursor
from invivo.lang.d.lexer import Lexer, TokenKind
from invivo.lang.d.names import C_TYPE_WORDS, KNOWN_TYPES, QUALIFIERS, STORAGE, TAGS
from invivo.lang.d.syntax import Declaration, Declarator, EnumDecl, Expression, Parameter, StructDecl, TypeName
from invivo.source import Span

__all__ = ["DeclarationParser"]

Parts = tuple[tuple[str, object], ...]


class DeclarationParser(Cursor, ABC):
    """See the module."""

    def __init__(self, lexer: Lexer) -> None:
        super().__init__(lexer)
        # Names that typedefs of this text have made types.
        self.typedefs: set[str] = set()

    @abstractmethod
    def assignment(self) -> Expression:
        """An expression without a comma operator."""

    # --- what is a type ---

    def is_type_name(self, text: str) -> bool:
        """Whether an identifier is surely a type: declared here, or named as types are."""
        return text in self.typedefs or text in KNOWN_TYPES or text.endswith("_t")

    def starts_type(self, distance: int = 0) -> bool:
        """Whether the token can only be the beginning of a type."""
        token = self.peek(distance)
        if token.kind is not TokenKind.NAME:
            return False
        text = token.text
        return text in C_TYPE_WORDS or text in TAGS or text in QUALIFIERS or self.is_type_name(text)

    # --- specifiers ---

    def specifiers(self, what: str = "a type") -> TypeName:
        """`const unsigned long`, `struct bio`, `pid_t`; the declarator of the result is empty."""
        start = self.token.start
        words: list[str] = []
        tagged: StructDecl | EnumDecl | None = None
        is_user = False
        while self.token.kind is TokenKind.NAME:
            text = self.token.text
            if text in QUALIFIERS:
                is_user |= text in ("__user", "userland")
                self.advance()
            elif text in C_TYPE_WORDS and tagged is None and not (words and words[-1] not in C_TYPE_WORDS):
                words.append(text)
                self.advance()
            elif text in TAGS and not words and tagged is None:
                tagged = self._enum() if text == "enum" else self._struct()
            elif self.at_identifier() and not words and tagged is None:
                words.append(text)
                self.advance()
            else:
                break
        if not words and tagged is None:
            raise self.failure(what)
        span = self.span_from(start)
        return TypeName(tuple(words), tagged, Declarator("", (), self._here()), span, is_user)

    def _here(self) -> Span:
        return self.lexer.span(self.last_end, self.last_end)

    def _struct(self) -> StructDecl:
        first = self.advance()
        name = self._tag()
        members: list[Declaration] | None = None
        if self.at("{"):
            with self.nested():
                members = []
                opening = self.advance()
                while not self.at("}"):
                    if self.token.kind is TokenKind.END:
                        raise self.unclosed(opening.start, f"'{first.text}'")
                    members.append(self._member())
                self.advance()
        elif not name:
            raise self.failure(f"a name or '{{' after '{first.text}'")
        return StructDecl(first.text, name, None if members is None else tuple(members), self.span_from(first.start))

    def _tag(self) -> str:
        return self.advance().text if self.at_identifier() else ""

    def _member(self) -> Declaration:
        start = self.token.start
        base = self.specifiers("the type of a member")
        declarators: list[Declarator] = []
        if not self.at(";"):
            declarators.append(self._member_declarator())
            while self.accept(","):
                declarators.append(self._member_declarator())
        self.expect(";", "after the member")
        return Declaration("", base, tuple(declarators), (None,) * len(declarators), self.span_from(start))

    def _member_declarator(self) -> Declarator:
        start = self.token.start
        found = Declarator("", (), self._here()) if self.at(":") else self.declarator()
        if not self.accept(":"):
            return found
        bits = self.assignment()
        return Declarator(found.name, found.parts, self.span_from(start), bits)

    def _enum(self) -> EnumDecl:
        first = self.advance()
        name = self._tag()
        members: list[tuple[str, Expression | None]] | None = None
        if self.at("{"):
            members = []
            opening = self.advance()
            while not self.at("}"):
                if self.token.kind is TokenKind.END:
                    raise self.unclosed(opening.start, "'enum'")
                member = self.identifier("the name of an enumeration constant")
                members.append((member.text, self.assignment() if self.accept("=") else None))
                if not self.accept(",") and not self.at("}"):
                    raise self.failure("',' or '}'")
            self.advance()
        elif not name:
            raise self.failure("a name or '{' after 'enum'")
        return EnumDecl(name, None if members is None else tuple(members), self.span_from(first.start))

    def unclosed(self, opening: int, what: str) -> Exception:
        """Record that the text ended inside of the braces that began at `opening`."""
        span = self.lexer.span(opening, opening + 1)
        return self.error(span, f"the braces of {what} are not closed", "a '}' is missing")

    # --- declarators ---

    def declarator(self, is_name_needed: bool = True) -> Declarator:
        """`*a[3]`, `(*f)(int)`; without a name only if `is_name_needed` is false."""
        start = self.token.start
        with self.nested():
            name, parts = self._declarator(is_name_needed)
        return Declarator(name, parts, self.span_from(start) if parts or name else self._here())

    def _declarator(self, is_name_needed: bool) -> tuple[str, Parts]:
        pointers = self._pointers()
        name = ""
        inner: Parts = ()
        if self.at_identifier():
            name = self.advance().text
        elif self.at("(") and (is_name_needed or self._is_inner_declarator()):
            with self.nested():
                self.advance()
                name, inner = self._declarator(is_name_needed)
                self.expect(")", "after the declarator")
        elif is_name_needed:
            self.identifier("a name")
        return name, (*inner, *self._suffixes(), *pointers)

    def _pointers(self) -> Parts:
        parts: list[tuple[str, object]] = []
        while True:
            if self.accept("*"):
                parts.append(("pointer", None))
                self.check_chain(len(parts))
            elif not (self.token.kind is TokenKind.NAME and self.token.text in QUALIFIERS):
                return tuple(parts)
            else:
                self.advance()

    def _is_inner_declarator(self) -> bool:
        """At `(`: whether it encloses a declarator, and not the parameters of a function without a name."""
        following = self.peek()
        if following.kind is TokenKind.NAME:
            return self.at_identifier(1) and not self.starts_type(1)
        return following.text in ("*", "(", "[")

    def _suffixes(self) -> Parts:
        parts: list[tuple[str, object]] = []
        while True:
            if self.at("["):
                parts.append(self._array())
            elif self.at("("):
                parts.append(("func", self.parameters()))
            else:
                return tuple(parts)
            self.check_chain(len(parts))

    def _array(self) -> tuple[str, object]:
        self.expect("[")
        if self.accept("]"):
            return "array", None
        if self.starts_type() or self.at(*STORAGE) or (self.at_identifier() and self.peek().text == ","):
            types = [self._key_type()]
            while self.accept(","):
                types.append(self._key_type())
            self.expect("]", "after the types of the keys")
            return "tuple", tuple(types)
        size = self.assignment()
        self.expect("]", "after the size of the array")
        return "array", size

    def _key_type(self) -> TypeName:
        """The type of a key, which may be written with a name."""
        if self.at("..."):
            message = "the keys of an array are known, '...' cannot stand for more"
            raise self.error(self.token_span(self.token), message, code="D_DECL_PROTO_VARARGS")
        return self.parameter().type

    # --- types and parameters ---

    def type_name(self) -> TypeName:
        """A type with an abstract declarator: `struct bio *`."""
        start = self.token.start
        base = self.specifiers()
        declarator = self.declarator(is_name_needed=False)
        if declarator.name:
            raise self.error(declarator.span, f"found '{declarator.name}' where only a type was expected")
        return TypeName(base.words, base.tagged, declarator, self.span_from(start), base.is_user)

    def parameters(self, opening: str = "(", closing: str = ")") -> tuple[Parameter, ...]:
        """`(int a, char *)`; `(void)` and `()` are empty."""
        self.expect(opening)
        found: list[Parameter] = []
        if self.accept(closing):
            return ()
        if self.at("void") and self.peek().text == closing:
            self.advance()
            self.advance()
            return ()
        while True:
            if self.at("..."):
                dots = self.advance()
                if opening != "(":
                    message = "the keys of an array are known, '...' cannot stand for more"
                    raise self.error(self.token_span(dots), message, code="D_DECL_PROTO_VARARGS")
                break
            found.append(self.parameter())
            if not self.accept(","):
                break
        self.expect(closing, "after the parameters")
        return tuple(found)

    def parameter(self) -> Parameter:
        start = self.token.start
        if self.token.kind is TokenKind.NAME and self.token.text in STORAGE and not self.accept("register"):
            message = f"a parameter cannot be '{self.token.text}'"
            raise self.error(self.token_span(self.token), message, code="D_DECL_PARMCLASS")
        base = self.specifiers("the type of a parameter")
        declarator = self.declarator(is_name_needed=False)
        abstract = Declarator("", declarator.parts, declarator.span)
        type_ = TypeName(base.words, base.tagged, abstract, self.span_from(start), base.is_user)
        return Parameter(type_, declarator.name, self.span_from(start))

    # --- declarations ---

    def declaration(self, is_outside: bool = False) -> Declaration:
        """`self int a, b[string];` with its ';', which only a `}` may replace. `is_outside`: of clauses."""
        start = self.token.start
        storage = ""
        if self.token.kind is TokenKind.NAME and self.token.text in STORAGE:
            storage = self.advance().text
            if self.token.kind is TokenKind.NAME and self.token.text in STORAGE:
                message = f"'{storage}' and '{self.token.text}' do not go together: only one such word is possible"
                raise self.error(self.token_span(self.token), message, code="D_DECL_CLASS")
        base = self.specifiers("a type" + (f" after '{storage}'" if storage else ""))
        declarators: list[Declarator] = []
        values: list[Expression | None] = []
        if not self.at(";"):
            while True:
                declarators.append(self.declarator())
                values.append(self.assignment() if self.accept("=") else None)
                if not self.accept(","):
                    break
        if storage == "typedef":
            self.typedefs.update(declarator.name for declarator in declarators)
        if declarators and is_outside and self.at_identifier():
            message = f"'{self.token.text}' is one name too many in this declaration"
            hint = f"is '{base.span.text}' the type? names are separated by ','"
            raise self.error(self.token_span(self.token), message, hint, "D_DECL_IDENT")
        if not self.at("}"):
            self.expect(";", "after the declaration")
        return Declaration(storage, base, tuple(declarators), tuple(values), self.span_from(start))
