"""Macro arguments: what `$1`, `$$1`, `$0`, `$uid` stand for in a program text.

In: the arguments of the command line, the script's name, and the consumer's own ids. Out: texts and expressions, and
which arguments no one has asked for.

    values = MacroValues(["/bin/ls", "0x10"], "script.d")
    values.text("1")                               -> "/bin/ls"
    values.expression("2", span, is_string=False)  -> Number(16)
    values.expression("1", span, is_string=True)   -> StringLiteral(b"/bin/ls")
    values.expand("pid$target::f$2:entry")         -> ("pid$target::f0x10:entry", [])
    values.unused_arguments()                      -> []

`$target` and `$pid` are not known when a program is compiled; they are filled in when tracing starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from invivo.lang.d.literals import Flaw, number, unescape
from invivo.lang.d.syntax import Expression, Name, Number, StringLiteral, UnaryOp
from invivo.program.consumer_ids import consumer_ids
from invivo.source import Span

__all__ = ["MacroValues"]

_RUNTIME = frozenset(("target", "pid"))
_MACRO = re.compile(r"\$\$?([0-9]+|[A-Za-z_][A-Za-z_0-9]*)")
_INTEGER = re.compile(r"([+-]?)([0-9][0-9A-Za-z]*)\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_`][A-Za-z_0-9`]*\Z")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\Z', re.DOTALL)


class MacroValues:
    """See the module. With `has_defaults` (-x defaultargs), arguments that are missing are 0 or empty strings."""

    def __init__(
        self,
        arguments: Sequence[str],
        script: str,
        *,
        consumer: Mapping[str, int] | None = None,
        has_defaults: bool = False,
        target_pid: int = 0,
    ) -> None:
        """`consumer` are the ids of the process that traces, where that is not the calling one; `target_pid` is what
        `$target` stands for in probe descriptions, 0 where that is not known yet."""
        self.arguments = tuple(arguments)
        self.script = script
        self.has_defaults = has_defaults
        self.target_pid = target_pid
        self._consumer = consumer_ids() if consumer is None else dict(consumer)
        self._used: set[int] = set()

    def is_runtime(self, name: str) -> bool:
        """Whether `$name` gets its value only when tracing starts."""
        return name in _RUNTIME

    def text(self, name: str) -> str | None:
        """What `$name` stands for, or None if it is not defined, or not yet. An argument asked for counts as used."""
        if not name.isdecimal():
            found = self._consumer.get(name)
            return None if found is None else str(found)
        # More digits than any command line has arguments.
        index = int(name) if len(name) <= 9 else len(self.arguments) + 1
        if index == 0:
            return self.script
        if index <= len(self.arguments):
            self._used.add(index)
            return self.arguments[index - 1]
        return "" if self.has_defaults else None

    def unused_arguments(self) -> list[str]:
        """The numbers ("1", "2") of the arguments that no one has asked for; none with `has_defaults`."""
        if self.has_defaults:
            return []
        return [str(index) for index in range(1, len(self.arguments) + 1) if index not in self._used]

    def expand(self, text: str) -> tuple[str, list[str]]:
        """A probe description with its macros replaced, and the names of those that are not defined."""
        undefined: list[str] = []

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name == "target" and self.target_pid:
                return str(self.target_pid)
            if self.is_runtime(name):
                return match[0]
            value = self.text(name)
            if value is None:
                undefined.append(name)
                return match[0]
            return value

        return _MACRO.sub(replaced, text), undefined

    def expression(self, name: str, span: Span, is_string: bool) -> Expression | None:
        """The expression that `$name`, or `$$name`, stands for; None where there is none, for which see `flaw`."""
        found = self._meaning(name, span, is_string)
        return None if isinstance(found, Flaw) else found

    def flaw(self, name: str, is_string: bool) -> Flaw | None:
        """Why `expression` returns None."""
        found = self._meaning(name, None, is_string)
        return found if isinstance(found, Flaw) else None

    def _meaning(self, name: str, span: Span | None, is_string: bool) -> Expression | Flaw | None:
        shown = f"${name}"
        if self.is_runtime(name):
            message = f"{shown} is not known before tracing starts"
            return Flaw("D_MACRO_UNDEF", message, f"use {shown}, which is a number")
        text = self.text(name)
        if text is None:
            if name.isdecimal():
                count = len(self.arguments)
                hint = f"{count or 'no'} argument{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} given"
                hint += "; with -x defaultargs it is 0"
                return Flaw("D_MACRO_UNDEF", f"macro argument {shown} is not defined", hint)
            hint = "there are $1 and so on, $target, $pid, " + ", ".join(f"${known}" for known in self._consumer)
            if not is_string and name.isidentifier():
                hint += f"; a variable of the clause is this->{name}"
            return Flaw("D_MACRO_UNDEF", f"macro variable {shown} is not defined", hint)
        if is_string:
            return None if span is None else StringLiteral(text.encode("utf-8", "surrogateescape"), span)
        if not text and self.has_defaults:
            return None if span is None else Number(0, "", span)
        if match := _INTEGER.match(text):
            return self._integer(shown, match[1], match[2], span)
        if match := _QUOTED.match(text):
            return None if span is None else StringLiteral(unescape(match[1]), span)
        if _IDENTIFIER.match(text):
            module, quote, symbol = text.rpartition("`")
            return None if span is None else Name(symbol, span, module=module if quote else None)
        message = f"{shown} is {text!r}, which is no integer, name or quoted string"
        return Flaw("D_SYNTAX", message, f"${shown} is its text as a string")

    def _integer(self, shown: str, sign: str, digits: str, span: Span | None) -> Expression | Flaw | None:
        value = number(digits)
        if isinstance(value, Flaw):
            code = "D_MACRO_OFLOW" if value.code == "D_INT_OFLOW" else value.code
            return Flaw(code, f"{shown}: {value.message}", value.hint or f"${shown} is its text as a string")
        if span is None:
            return None
        literal = Number(value.value, value.suffix, span, value.is_decimal)
        return UnaryOp("-", literal, span) if sign == "-" else literal
