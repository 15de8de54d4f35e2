"""The lexer of D: tokens, read from any offset of the text, and the second way of reading that probe descriptions need.

In: a SourceFile; errors go to Diagnostics, once each. Out: tokens with their place; comments and `#` lines are passed
over, and the `#pragma` lines among them kept.

    lexer.token(0)                "@a[pid] = count();"   -> Token(AGGREGATION, "a", 0, 2)
    lexer.probe_description(0)    "tick-1s, END { }"     -> 7, its end
    lexer.pragmas                 {offset: Pragma(("option", "quiet"))}

Reading is by offset because only the parser knows which way of reading applies: `a-b` is three tokens in an expression
and one probe description between clauses.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from invivo.diagnostics import Diagnostics
from invivo.lang.d.literals import Flaw, character, number, unescape
from invivo.lang.d.syntax import Number, Pragma, StringLiteral
from invivo.source import SourceFile, Span

__all__ = ["Lexer", "Token", "TokenKind"]


class TokenKind(enum.Enum):
    NAME = "name"  # keywords too
    NUMBER = "number"
    STRING = "string"
    AGGREGATION = "aggregation"  # text is the name without @
    MACRO = "macro"  # text is the name without $; $$ is kept as one leading $
    SIGN = "sign"  # operators and punctuation
    END = "end"


class Token(NamedTuple):
    kind: TokenKind
    text: str
    start: int
    end: int
    literal: Number | StringLiteral | None = None


_SPACE = re.compile(r"(?:[ \t\r\n\v\f]|\\\r?\n)+")
_WORD = re.compile(r"[A-Za-z_`][A-Za-z_0-9`]*|[0-9]+[A-Za-z_0-9]*`[A-Za-z_0-9`]*")
_NUMBER = re.compile(r"(?:0[xX][0-9A-Za-z_]*)|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[0-9A-Za-z_]*")
_AGGREGATION = re.compile(r"@([A-Za-z_][A-Za-z_0-9]*)?")
_MACRO = re.compile(r"\$(\$?(?:[0-9]+|[A-Za-z_][A-Za-z_0-9]*))")
_SIGN = re.compile(r"<<=|>>=|\.\.\.|->|\+\+|--|&&|\|\||\^\^|<<|>>|[=!<>+\-*/%&^|]=|[-+*/%&|^!~<>=?:;,.(){}\[\]]")
_STRING = re.compile(r'"((?:[^"\\\n]|\\(?:.|\n|\Z))*)', re.DOTALL)
_CHARACTER = re.compile(r"'((?:[^'\\\n]|\\(?:.|\n|\Z))*)", re.DOTALL)
# DTrace's lexeme, and the characters of C++ libraries' and versioned symbols' names.
_PROBE = re.compile(r"[-$:a-zA-Z_.?*\\\[\]!][-$:0-9a-zA-Z_.`?*\\\[\]!+~@]*|[0-9]+(?![0-9a-zA-Z_`])")
# uprobe:PATH:..., usdt:PATH:... and pidN:PATH:..., the descriptions with slashes; they do not begin a predicate.
_PROBE_PATH = re.compile(r"(?:uprobe|usdt|pid(?:[0-9]+|\$[0-9A-Za-z_]+)):(?:\.{0,2}/[-$0-9a-zA-Z_.+@/]+)(?=:)")
_PRAGMA_WORD = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^\s"])+')
_LINE_CONTROL = re.compile(r'(?:(?:line\b)?[ \t]*([0-9]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?|line\b|\Z)')


class Lexer:
    """Reads tokens of one text. See the module."""

    def __init__(self, file: SourceFile, diagnostics: Diagnostics) -> None:
        self.file = file
        self.text = file.text
        self.diagnostics = diagnostics
        self.pragmas: dict[int, Pragma] = {}
        # Set while the parser looks for a place to go on: what it passes over is not judged.
        self.is_muted = False
        # Where the last string, character constant or comment that is not closed ends: what is said of the text right
        # after it would only repeat that.
        self.broken_end = -1
        self.reported: set[int] = set()

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, start, end)

    def skip(self, offset: int, *, is_predicate_possible: bool = False, in_predicate: bool = False) -> int:
        """The offset of what comes next after blanks, comments and control lines.

        Where a predicate may begin, `//` is not a comment but two slashes. In a predicate, `//*` is the slash that ends
        it, and a comment.
        """
        text, size = self.text, len(self.text)
        while offset < size:
            char = text[offset]
            if char in " \t\r\n\v\f\\":
                space = _SPACE.match(text, offset)
                if space is None:
                    break
                offset = space.end()
            elif char == "/" and text.startswith("/*", offset):
                offset = self._comment(offset)
            elif char == "/" and text.startswith("//", offset):
                if is_predicate_possible or (in_predicate and text.startswith("//*", offset)):
                    break
                end = text.find("\n", offset)
                offset = size if end < 0 else end
            elif char == "#" and self.is_first_on_line(offset):
                offset = self._control_line(offset)
            else:
                break
        return offset

    def token(self, offset: int, in_predicate: bool = False) -> Token:
        """The token at or after `offset`. Characters that belong nowhere are reported and passed over."""
        text = self.text
        while True:
            offset = self.skip(offset, in_predicate=in_predicate)
            if offset >= len(text):
                return Token(TokenKind.END, "", len(text), len(text))
            if (token := self._token_at(offset)) is not None:
                return token
            end = offset + 1
            while end < len(text) and not (text[end].isascii() or text[end].isspace()):
                end += 1
            message = f"{_shown(text[offset:end])} has no meaning in D"
            self._report("D_SYNTAX", offset, end, message, _hint(text[offset]))
            offset = end

    def probe_description(self, offset: int) -> int | None:
        """Where the probe description that begins at `offset` ends, or None if none does."""
        if path := _PROBE_PATH.match(self.text, offset):
            offset = path.end()
        match = _PROBE.match(self.text, offset)
        return None if match is None else match.end()

    # --- tokens ---

    def _token_at(self, offset: int) -> Token | None:
        text = self.text
        if word := _WORD.match(text, offset):
            return Token(TokenKind.NAME, word[0], offset, word.end())
        char = text[offset]
        if char.isascii() and (char.isdigit() or (char == "." and text[offset + 1 : offset + 2].isdecimal())):
            return self._number(offset)
        if sign := _SIGN.match(text, offset):
            return Token(TokenKind.SIGN, sign[0], offset, sign.end())
        if char == '"':
            return self._string(offset)
        if char == "'":
            return self._character(offset)
        if aggregation := _AGGREGATION.match(text, offset):
            return Token(TokenKind.AGGREGATION, aggregation[1] or "", offset, aggregation.end())
        if macro := _MACRO.match(text, offset):
            return Token(TokenKind.MACRO, macro[1], offset, macro.end())
        return None

    def _number(self, start: int) -> Token | None:
        match = _NUMBER.match(self.text, start)
        if match is None:
            return None
        end = match.end()
        value = number(match[0])
        span = self.span(start, end)
        if isinstance(value, Flaw):
            self._flaw(value, start, end)
            return Token(TokenKind.NUMBER, match[0], start, end, Number(0, "", span))
        literal = Number(value.value, value.suffix, span, value.is_decimal)
        return Token(TokenKind.NUMBER, match[0], start, end, literal)

    def _string(self, start: int) -> Token:
        match = _STRING.match(self.text, start)
        assert match is not None
        end = match.end()
        if self.text.startswith('"', end):
            end += 1
        else:
            self.broken_end = end
            hint = 'a string ends with " on the line where it begins; \\n stands for a newline'
            self._report("D_STR_NL", start, end, "the string is not closed", hint)
        literal = StringLiteral(unescape(match[1]), self.span(start, end))
        return Token(TokenKind.STRING, self.text[start:end], start, end, literal)

    def _character(self, start: int) -> Token:
        match = _CHARACTER.match(self.text, start)
        assert match is not None
        end = match.end()
        value: int | Flaw = 0
        if self.text.startswith("'", end):
            end += 1
            value = character(match[1])
        else:
            self.broken_end = end
            hint = "it ends with ' on the line where it begins"
            self._report("D_CHR_NL", start, end, "the character constant is not closed", hint)
        if isinstance(value, Flaw):
            self._flaw(value, start, end)
            value = 0
        literal = Number(value, "", self.span(start, end), is_char=True)
        return Token(TokenKind.NUMBER, self.text[start:end], start, end, literal)

    # --- what is passed over ---

    def _comment(self, start: int) -> int:
        end = self.text.find("*/", start + 2)
        if end < 0:
            self._report("D_SYNTAX", start, start + 2, "the comment is not closed", "it ends with */")
            self.broken_end = len(self.text)
            return self.broken_end
        return end + 2

    def is_first_on_line(self, offset: int) -> bool:
        before = self.text.rfind("\n", 0, offset) + 1
        return not self.text[before:offset].strip(" \t\r")

    def _control_line(self, start: int) -> int:
        """Take the line that `#` begins; a backslash at its end joins the next line to it."""
        text = self.text
        end = start
        while True:
            end = text.find("\n", end)
            if end < 0:
                end = len(text)
            elif text[end - 1] == "\\":
                end += 1
                continue
            break
        line = text[start + 1 : end].replace("\\\n", " ").strip()
        if line.startswith("!"):
            return end
        if control := _LINE_CONTROL.match(line):
            if control[1]:
                self.file.note_control(start, int(control[1][:9]), re.sub(r"\\(.)", r"\1", control[2] or ""))
            return end
        words = _PRAGMA_WORD.findall(line)
        if words[0] == "pragma":
            control = _LINE_CONTROL.match(line.removeprefix("pragma").lstrip())
            if words[1:2] == ["line"] and control and control[1]:
                self.file.note_control(start, int(control[1][:9]), re.sub(r"\\(.)", r"\1", control[2] or ""))
            self._pragma(tuple(words[1:]), start, end)
        else:
            name = words[0]
            self._report(
                "D_PRAGCTL_INVAL",
                start,
                start + len(text[start:end].rstrip()),
                f"#{name} is a directive of the C preprocessor",
                "-C runs the preprocessor first",
            )
        return end

    def _pragma(self, words: tuple[str, ...], start: int, end: int) -> None:
        """Keep `#pragma D ...`, and the three that DTrace knows without D; others are for other programs."""
        span = self.span(start, start + len(self.text[start:end].rstrip()))
        if words[:1] == ("D",):
            self.pragmas[start] = Pragma(words[1:], span)
        elif words and words[0] in ("error", "ident", "line"):
            self.pragmas[start] = Pragma(words, span)

    # --- errors ---

    def _flaw(self, flaw: Flaw, start: int, end: int) -> None:
        self._report(flaw.code, start, end, flaw.message, flaw.hint)

    def _report(self, code: str, start: int, end: int, message: str, hint: str) -> None:
        if start not in self.reported and not self.is_muted:
            self.reported.add(start)
            self.diagnostics.error(code, self.span(start, end), message, hint)


def _shown(text: str) -> str:
    """A piece of text as a message shows it: printable, and not long."""
    if len(text) == 1 and not text.isprintable():
        return f"the character U+{ord(text):04X}"
    return "'" + "".join(char if char.isprintable() else "?" for char in text[:20]) + "'"


def _hint(char: str) -> str:
    match char:
        case "“" | "”" | "„" | "«" | "»":
            return 'strings are quoted with "'
        case "‘" | "’":
            return "character constants are quoted with '"
        case "#":
            return "a # line has nothing before the #"
        case "$":
            return "macro arguments are $1, $$1, $target ..."
        case "\N{NO-BREAK SPACE}":
            return "this is a no-break space; write a plain one"
        case _:
            return ""
