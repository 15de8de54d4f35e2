"""Expressions of D: C's operators with ^^, aggregations, macro arguments, stringof, offsetof and xlate added.

In: a Cursor. Out: expression nodes. From loosest to tightest:

    ,   = += ...   ?:   ||   ^^   &&   |   ^   &   == !=   < <= > >=   << >>   + -   * / %   unary   postfix

In a predicate, `/` divides only where an operand can follow it; before `{`, `;`, another `/` or the end it closes.
"""

from __future__ import annotations

from typing import cast

from invivo.lang.d.cursor import Failure
from invivo.lang.d.declarations import DeclarationParser
from invivo.lang.d.lexer import Token, TokenKind
from invivo.lang.d.names import KEYWORDS
from invivo.lang.d.syntax import (
    AddressOf,
    AggRef,
    AssignOp,
    BinaryOp,
    CallOp,
    CastOp,
    CommaOp,
    ConditionalOp,
    Deref,
    Expression,
    IndexOp,
    MacroArg,
    MemberOp,
    Name,
    OffsetOf,
    PostfixOp,
    PrefixOp,
    SizeOfExpr,
    SizeOfType,
    StringOf,
    UnaryOp,
    XlateOp,
)

__all__ = ["ExpressionParser"]

_LEVELS = ("||", "^^", "&&", "|", "^", "&", "== !=", "< <= > >=", "<< >>", "+ -", "* / %")
_STRENGTH = {operator: level for level, operators in enumerate(_LEVELS, 1) for operator in operators.split()}
_ASSIGNMENTS = frozenset("= += -= *= /= %= &= ^= |= <<= >>=".split())
_OPERAND_SIGNS = frozenset("( ! ~ + - * & ++ --".split())
_OPERAND_WORDS = frozenset(("self", "this", "sizeof", "offsetof", "stringof", "xlate"))


class ExpressionParser(DeclarationParser):
    """See the module."""

    def expression(self) -> Expression:
        """With comma operators."""
        start = self.token.start
        left = self.assignment()
        length = 0
        while self.accept(","):
            length += 1
            self.check_chain(length)
            left = CommaOp(left, self.assignment(), self.span_from(start))
        return left

    def assignment(self) -> Expression:
        with self.nested():
            start = self.token.start
            target = self._conditional()
            token = self.token
            if token.kind is not TokenKind.SIGN or token.text not in _ASSIGNMENTS:
                return target
            self.advance()
            return AssignOp(token.text, target, self.assignment(), self.span_from(start))

    def _conditional(self) -> Expression:
        """`a ? b : c ? d : e`, read as a row so that a long one is not deep."""
        row: list[tuple[int, Expression, Expression]] = []
        while True:
            start = self.token.start
            condition = self._binary()
            if not self.accept("?"):
                break
            then = self._without_predicate_end()
            self.expect(":", "between the two values of '?'")
            row.append((start, condition, then))
            self.check_chain(len(row))
        result = condition
        for start, asked, then in reversed(row):
            result = ConditionalOp(asked, then, result, self.span_from(start))
        return result

    def _without_predicate_end(self) -> Expression:
        """An expression that something encloses, in which `/` can only divide."""
        outer, self.in_predicate = self.in_predicate, False
        try:
            return self.expression()
        finally:
            self.in_predicate = outer

    def _binary(self) -> Expression:
        """Operands with binary operators between them; those that wait for their right side are kept in a stack."""
        waiting: list[tuple[int, str, Expression, int]] = []
        length = 0
        while True:
            start = self.token.start
            operand = self._unary()
            token = self.token
            strength = _STRENGTH.get(token.text, 0) if token.kind is TokenKind.SIGN else 0
            if token.text == "/" and self.in_predicate and not self._can_divide():
                strength = 0
            while waiting and waiting[-1][0] >= strength:
                _, operator, left, start = waiting.pop()
                operand = BinaryOp(operator, left, operand, self.span_from(start))
            if not strength:
                return operand
            self.advance()
            length += 1
            self.check_chain(length)
            waiting.append((strength, token.text, operand, start))

    def _can_divide(self) -> bool:
        """At a `/` in a predicate: whether what follows can be an operand."""
        following = self.peek()
        if self.lexer.is_first_on_line(following.start) and self.clause_at(following.start):
            return False
        return self._can_be_operand(following)

    @staticmethod
    def _can_be_operand(token: Token) -> bool:
        match token.kind:
            case TokenKind.END:
                return False
            case TokenKind.SIGN:
                return token.text in _OPERAND_SIGNS
            case TokenKind.NAME:
                return token.text not in KEYWORDS or token.text in _OPERAND_WORDS
            case _:
                return True

    # --- unary ---

    def _unary(self) -> Expression:
        token = self.token
        if token.kind is TokenKind.NAME and token.text in ("sizeof", "stringof", "xlate", "offsetof"):
            with self.nested():
                return self._word_operator(token)
        if token.kind is TokenKind.SIGN:
            if token.text in _OPERAND_SIGNS and token.text != "(":
                with self.nested():
                    return self._prefix(token)
            if token.text == "(" and self._is_cast():
                with self.nested():
                    self.advance()
                    type_ = self.type_name()
                    self.expect(")", "after the type of the cast")
                    return CastOp(type_, self._unary(), self.span_from(token.start))
        return self._postfix()

    def _prefix(self, token: Token) -> Expression:
        self.advance()
        operand = self._unary()
        span = self.span_from(token.start)
        match token.text:
            case "++" | "--":
                return PrefixOp(token.text, operand, span)
            case "*":
                return Deref(operand, span)
            case "&":
                return AddressOf(operand, span)
            case _:
                return UnaryOp(token.text, operand, span)

    def _word_operator(self, token: Token) -> Expression:
        self.advance()
        match token.text:
            case "sizeof":
                if self.at("(") and self._encloses_type():
                    self.advance()
                    type_ = self.type_name()
                    self.expect(")", "after the type")
                    return SizeOfType(type_, self.span_from(token.start))
                return SizeOfExpr(self._unary(), self.span_from(token.start))
            case "stringof":
                return StringOf(self._unary(), self.span_from(token.start))
            case "offsetof":
                self.expect("(", "after 'offsetof'")
                type_ = self.type_name()
                self.expect(",", "between the type and the member")
                member = self._member_name()
                self.expect(")", "after the member")
                return OffsetOf(type_, member, self.span_from(token.start))
            case _:
                self.expect("<", "after 'xlate'", "it is written xlate <TYPE> (EXPRESSION)")
                type_ = self.type_name()
                self.expect(">", "after the type of 'xlate'")
                if not self.accept("("):
                    return XlateOp(type_, self._unary(), self.span_from(token.start))
                # What follows the parentheses belongs to the translated value: xlate <T *>(f)->member.
                operand = self._without_predicate_end()
                self.expect(")", "after what 'xlate' translates")
                return self._postfixed(XlateOp(type_, operand, self.span_from(token.start)), token.start)

    def _encloses_type(self) -> bool:
        """At `(`: whether a type follows, as far as can be told without knowing every name."""
        if self.starts_type(1):
            return True
        if not self.at_identifier(1):
            return False
        # (name *) and (name **) are types; (name * other) is a product.
        distance = 2
        while self.peek(distance).text == "*" and distance < 6:
            distance += 1
        return distance > 2 and self.peek(distance).text == ")"

    def _is_cast(self) -> bool:
        """At `(`: whether it begins a cast. `(name)` does if an operand follows that cannot continue an expression."""
        following = self.peek()
        if following.kind is not TokenKind.NAME:
            return False
        is_single = self.peek(2).text == ")" and self.peek(2).kind is TokenKind.SIGN
        if is_single and self.at_identifier(1):
            after = self.peek(3)
            if self.is_type_name(following.text):
                return self._can_be_operand(after)
            # Only names are called, so `(name)(x)` is no call.
            is_operand = self._can_be_operand(after) and after.kind is not TokenKind.SIGN
            return is_operand or (after.kind is TokenKind.SIGN and after.text in ("!", "~", "("))
        return self._encloses_type()

    # --- postfix ---

    def _postfix(self) -> Expression:
        start = self.token.start
        return self._postfixed(self._primary(), start)

    def _postfixed(self, operand: Expression, start: int) -> Expression:
        length = 0
        while self.token.kind is TokenKind.SIGN:
            token = self.token
            match token.text:
                case "[":
                    operand = IndexOp(operand, self._indexes(), self.span_from(start))
                case "(":
                    operand = self._call(operand)
                case "." | "->":
                    self.advance()
                    name = self._member_name()
                    operand = MemberOp(operand, name, token.text == "->", self.span_from(start))
                case "++" | "--":
                    self.advance()
                    operand = PostfixOp(token.text, operand, self.span_from(start))
                case _:
                    break
            length += 1
            self.check_chain(length)
        return operand

    def _member_name(self) -> str:
        """A member's name; the words of D are no exception, for the kernel's structures know nothing of them."""
        if self.token.kind is TokenKind.NAME:
            return self.advance().text
        raise self.failure("the name of a member")

    def _indexes(self) -> tuple[Expression, ...]:
        self.expect("[")
        outer, self.in_predicate = self.in_predicate, False
        try:
            if self.at("]"):
                raise self.failure("an index")
            return self._list("]", "after the index")
        finally:
            self.in_predicate = outer

    def _list(self, closing: str, where: str) -> tuple[Expression, ...]:
        """Expressions with commas between them, up to and with the closing sign."""
        if self.accept(closing):
            return ()
        found = [self.assignment()]
        while self.accept(","):
            found.append(self.assignment())
        self.expect(closing, where)
        return tuple(found)

    def _call(self, callee: Expression) -> CallOp:
        if not isinstance(callee, Name) or callee.scope or callee.module is not None:
            raise self.error(callee.span, "only a function's name can be called", code="D_FUNC_IDENT")
        self.expect("(")
        outer, self.in_predicate = self.in_predicate, False
        try:
            arguments = self._list(")", f"after the arguments of {callee.name}")
        finally:
            self.in_predicate = outer
        return CallOp(callee.name, arguments, self.span_from(callee.span.start), callee.span)

    # --- primary ---

    def _primary(self) -> Expression:
        token = self.token
        match token.kind:
            case TokenKind.NUMBER | TokenKind.STRING:
                self.advance()
                if token.kind is TokenKind.STRING and self.token.kind is TokenKind.STRING:
                    raise self.failure("an operator", "D does not join strings that stand side by side; use strjoin()")
                return cast("Expression", token.literal)
            case TokenKind.AGGREGATION:
                self.advance()
                keys = self._indexes() if self.at("[") else None
                return AggRef(token.text, keys, self.span_from(token.start))
            case TokenKind.MACRO:
                self.advance()
                return MacroArg(token.text.removeprefix("$"), token.text.startswith("$"), self.token_span(token))
            case TokenKind.NAME:
                return self._name()
            case TokenKind.SIGN if token.text == "(":
                self.advance()
                inside = self._without_predicate_end()
                self.expect(")", "", "a '(' is not closed")
                return inside
            case _:
                raise self._no_operand()

    def _name(self) -> Expression:
        token = self.token
        if token.text in ("self", "this"):
            self.advance()
            if not self.at("->"):
                raise self.failure("'->'", f"a variable of it is written {token.text}->name", f"after '{token.text}'")
            self.advance()
            name = self._member_name()
            return Name(name, self.span_from(token.start), scope=token.text)
        if token.text in KEYWORDS:
            raise self._no_operand()
        self.advance()
        module, quote, name = token.text.rpartition("`")
        if quote and not name:
            raise self.error(self.token_span(token), "the name of a symbol is missing after '`'")
        return Name(name, self.token_span(token), module=module if quote else None)

    def _no_operand(self) -> Failure:
        token = self.token
        hint = ""
        if token.text == "=" and token.kind is TokenKind.SIGN:
            hint = "'==' compares, '=' assigns"
        elif token.kind is TokenKind.NAME and token.text in KEYWORDS:
            hint = f"'{token.text}' is a word of the language"
        return self.failure("an expression", hint)
