"""Calls that are made to fail, to answer otherwise, or to be late, and signals that they bring (-e inject=).

    injection = Injection.of("openat:error=ENOENT:when=2+")
    injection.applies(257, 2)           True: at the second call of that kind of a thread

Source: strace(1). The value of `error` or `retval` is what the call answers without being carried out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from invivo.errors import OptionError
from invivo.strace import selection

__all__ = ["Injection"]

_KEYS = ("error", "retval", "signal", "delay_enter", "delay_exit", "when")
_UNITS = {"": 1_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


class Injection(NamedTuple):
    """See the module's text. `answer` is the result, negative for an error, None where the call is carried out;
    `calls` None: all. `signal` 0: none. Times in ns; `last` 0: without end; `step` 0: only the first."""

    calls: frozenset[int] | None
    answer: int | None = None
    signal: int = 0
    enter_ns: int = 0
    exit_ns: int = 0
    first: int = 1
    last: int = 0
    step: int = 1

    def applies(self, number: int, count: int) -> bool:
        """Whether it is for this call, the count-th of those in `calls` that its thread makes, from 1."""
        if self.calls is not None and number not in self.calls:
            return False
        if count < self.first or (self.last and count > self.last):
            return False
        return count == self.first if not self.step else (count - self.first) % self.step == 0

    @classmethod
    def of(cls, text: str, is_fault: bool = False) -> Injection:
        """From the text after `inject=`, or after `fault=`, where the error is ENOSYS unless it says another.

        Raises:
            OptionError: It is not as strace(1) has it, or asks for what is not there.
        """
        names, *rest = text.split(":")
        found = cls(selection.calls(names))
        has_answer = False
        for part in rest:
            key, _, value = part.partition("=")
            if key not in _KEYS or (is_fault and key not in ("error", "when")):
                hint = "there are " + ", ".join(_KEYS[::5] if is_fault else _KEYS)
                raise OptionError(f"inject={text}: there is no '{key}' here", hint)
            if key in ("error", "retval") and has_answer:
                raise OptionError(f"inject={text}: a call has one answer", "give error=... or retval=...")
            found = cls(**{**found._asdict(), **_values(key, value, text)})
            has_answer |= key in ("error", "retval")
        if is_fault and not has_answer:
            found = found._replace(answer=-38)  # ENOSYS
        if found.answer is None and not (found.signal or found.enter_ns or found.exit_ns):
            raise OptionError(f"inject={text}: nothing is said of what to do", "add :error=ENOSPC, :retval=0 ...")
        return found


def _values(key: str, value: str, text: str) -> dict[str, int]:
    match key:
        case "error":
            return {"answer": -selection.error_number(value)}
        case "retval":
            if not re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", value):
                raise OptionError(f"inject={text}: retval is a number from 0 on, not '{value}'", "retval=42")
            return {"answer": int(value, 0 if value.lower().startswith("0x") else 10)}
        case "signal":
            return {"signal": selection.signal_number(value)}
        case "delay_enter" | "delay_exit":
            return {key.removeprefix("delay_") + "_ns": _duration(value, text)}
        case _:
            return _when(value, text)


def _duration(value: str, text: str) -> int:
    match = re.fullmatch(r"(\d+)(s|ms|us|ns)?", value)
    if match is None:
        raise OptionError(f"inject={text}: '{value}' is no time", "a number of microseconds, or with s, ms, us, ns")
    return int(match[1]) * _UNITS[match[2] or ""]


def _when(value: str, text: str) -> dict[str, int]:
    match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?(\+(\d+)?)?", value)
    if match is None or int(match[1]) < 1 or (match[2] and int(match[2]) < int(match[1])) or match[4] == "0":
        raise OptionError(f"inject={text}: when={value} is not FIRST[..LAST][+[STEP]]", "when=3, when=2+, when=1..9+2")
    step = 0
    if match[2] or match[3]:
        step = int(match[4] or 1)
    return {"first": int(match[1]), "last": int(match[2] or 0), "step": step}
