"""What the expressions of -e choose, from their text.

    calls("%file,!?nosuch,/^get")    numbers of system calls, None for all
    signals("!CHLD")                 numbers of signals
    statuses("failed")               ends of calls
    Numbers.of("3,4")                descriptors: 3 in Numbers.of("!3") is False

Source: strace(1). A name after `?` need not exist. Raises OptionError for what there is not.
"""

from __future__ import annotations

import re
import signal
from typing import NamedTuple

from invivo.errors import OptionError
from invivo.strace.calls import CLASSES, call, numbers

__all__ = ["QUIET", "STATUSES", "Numbers", "calls", "error_number", "quiet", "signal_number", "signals", "statuses"]

STATUSES = ("successful", "failed", "unfinished", "unavailable", "detached")
QUIET = {
    "attach": "attach", "attaching": "attach", "exit": "exit", "exits": "exit", "path-resolution": "path-resolution",
    "path-resolve": "path-resolution", "path": "path-resolution", "paths": "path-resolution",
    "personality": "personality", "personalities": "personality", "thread-execve": "thread-execve",
    "thread-exec": "thread-execve", "superseded": "thread-execve",
}  # fmt: skip


class Numbers(NamedTuple):
    """A set of numbers, or all but those."""

    members: frozenset[int] = frozenset()
    is_negated: bool = False

    def __contains__(self, number: object) -> bool:
        return (number in self.members) != self.is_negated

    def __bool__(self) -> bool:
        return bool(self.members) or self.is_negated

    @classmethod
    def of(cls, text: str) -> Numbers:
        """From `3,4`, `!0`, `all` or `none`."""
        words, is_negated = _words(text)
        members: set[int] = set()
        for word in words:
            if word == "all":
                return cls(frozenset(), not is_negated)
            if word != "none":
                if not word.isdecimal():
                    raise OptionError(f"'{word}' is no number of a descriptor", "give numbers, 'all' or 'none'")
                members.add(int(word))
        return cls(frozenset(members), is_negated)


def _words(text: str) -> tuple[list[str], bool]:
    is_negated = text.startswith("!")
    return [word for word in text.removeprefix("!").split(",") if word], is_negated


def calls(text: str) -> frozenset[int] | None:
    """Numbers of system calls by names, classes (%file) and regular expressions (/^get); None: all."""
    table = numbers()
    words, is_negated = _words(text)
    found: set[int] = set()
    for word in words:
        found |= _called(word, table)
    if is_negated:
        return frozenset(table.values()) - found if found else None
    return None if "all" in words else frozenset(found)


def _called(word: str, table: dict[str, int]) -> set[int]:
    is_optional, word = word.startswith("?"), word.removeprefix("?")
    word, _, machine = word.partition("@")
    if machine in ("32", "x32"):
        return set()  # calls of programs of another kind have no names here
    if word == "all":
        return set(table.values())
    if word == "none":
        return set()
    if word.startswith("%"):
        chosen = CLASSES.get(word[1:])
        if chosen is None and not is_optional:
            classes = ", ".join(f"%{name}" for name in CLASSES)
            raise OptionError(f"there is no class of system calls '{word}'", f"there are {classes}")
        return set() if chosen is None else {number for number in table.values() if chosen(call(number))}
    if word.startswith("/"):
        try:
            pattern = re.compile(word[1:])
        except re.error as error:
            raise OptionError(f"'{word}' is no regular expression: {error}") from None
        found = {number for name, number in table.items() if pattern.search(name)}
        if not found and not is_optional:
            raise OptionError(f"no system call's name has '{word[1:]}'", "see: man 2 syscalls")
        return found
    if word in table:
        return {table[word]}
    # As strace's classes were once called.
    if word in ("file", "desc", "process", "network", "signal", "memory", "ipc"):
        return _called("%" + word, table)
    if is_optional:
        return set()
    import difflib

    close = difflib.get_close_matches(word, table, 1)
    raise OptionError(
        f"there is no system call '{word}'", f"did you mean {close[0]}?" if close else "see: man 2 syscalls"
    )


def signal_number(word: str) -> int:
    """A signal by its name, with SIG or without, or by its number."""
    if word.isdecimal() and 0 < int(word) < 65:
        return int(word)
    name = word.upper() if word.upper().startswith("SIG") else f"SIG{word.upper()}"
    if name not in signal.Signals.__members__:
        raise OptionError(f"there is no signal '{word}'", "see: kill -l")
    return int(signal.Signals[name])


def signals(text: str) -> frozenset[int]:
    """Numbers of signals."""
    words, is_negated = _words(text)
    every = frozenset(range(1, 65))
    found: set[int] = set()
    for word in words:
        if word == "all":
            found |= every
        elif word != "none":
            found.add(signal_number(word))
    return every - found if is_negated else frozenset(found)


def error_number(word: str) -> int:
    """An error by its name or number, from 1 to 4095."""
    import errno

    found = int(word) if word.isdecimal() else getattr(errno, word.upper(), 0)
    if not isinstance(found, int) or not 0 < found < 4096 or not (word.isdecimal() or word.upper().startswith("E")):
        raise OptionError(f"there is no error '{word}'", "give a name, as ENOSPC, or a number; see: man 3 errno")
    return found


def statuses(text: str) -> frozenset[str] | None:
    """Ends of calls; None: all."""
    words, is_negated = _words(text)
    if unknown := {*words} - {*STATUSES, "all", "none"}:
        raise OptionError(f"there is no status '{min(unknown)}'", f"there are {', '.join(STATUSES)}")
    chosen = frozenset(STATUSES) if "all" in words else frozenset(words) - {"none"}
    chosen = frozenset(STATUSES) - chosen if is_negated else chosen
    return None if chosen >= frozenset(STATUSES[:3]) else chosen


def quiet(text: str) -> frozenset[str]:
    """Messages that are left out."""
    words, is_negated = _words(text)
    if unknown := {*words} - {*QUIET, "all", "none"}:
        known = ", ".join(sorted(set(QUIET.values())))
        raise OptionError(f"there is no message '{min(unknown)}'", f"there are {known}")
    chosen = frozenset(QUIET.values()) if "all" in words else frozenset(QUIET[w] for w in words if w != "none")
    return frozenset(QUIET.values()) - chosen if is_negated else chosen
