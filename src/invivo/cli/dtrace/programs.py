"""The programs of a command line (-P -m -f -n -i -s), put together as one text: they share variables and aggregations.

    -n 'BEGIN { x = 1; }' -s y.d      # 1 "<-n>"
                                      BEGIN { x = 1; }
                                      # 1 "y.d"
                                      ...                and where each part begins, for messages

A description after -P, -m or -f gets the fields that it lacks: -P syscall means syscall:::.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from invivo.cli.dtrace.preprocess import Macros, preprocess
from invivo.errors import InvivoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invivo.cli.dtrace.arguments import Program

__all__ = ["Assembly", "Part", "assemble"]

_FIELDS_AFTER = {"P": ":::", "m": "::", "f": ":", "n": "", "i": ""}


class Part(NamedTuple):
    """One program: `text` is what followed -n and its kin, or the file's name; in the whole text it begins at character
    `start`."""

    kind: str
    text: str
    start: int

    @property
    def is_script(self) -> bool:
        return self.kind == "s"

    @property
    def name(self) -> str:
        """As messages name it: the script's path, or the description up to its predicate or actions."""
        if self.is_script:
            return "/dev/stdin" if self.text == "-" else self.text
        ends = [self.text.find(char) for char in "{/;"]
        return self.text[: min((end for end in ends if end >= 0), default=len(self.text))]


class Assembly(NamedTuple):
    """All programs as one text, which is called `name` where no line control says otherwise."""

    text: bytes
    name: str
    parts: tuple[Part, ...]

    def part_at(self, offset: int) -> Part:
        """The part to which a character offset belongs."""
        found = self.parts[0]
        for part in self.parts:
            if part.start <= offset:
                found = part
        return found


def assemble(
    programs: Sequence[Program], macros: Macros | None = None, included: Callable[[str], None] | None = None
) -> Assembly:
    """Read and join the programs; with `macros`, scripts go through the preprocessor first.

    Raises:
        InvivoError: A file cannot be read, or the preprocessor fails.
    """
    parts: list[Part] = []
    joined = bytearray()
    characters = 0
    for program in programs:
        name, body = _body(program)
        if macros is not None and program.kind == "s":
            body = preprocess(body, name, macros, included)
        if len(programs) > 1:
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            body = f'# 1 "{quoted}"\n'.encode("utf-8", "surrogateescape") + body.rstrip(b"\n") + b"\n"
        parts.append(Part(program.kind, program.text, characters))
        joined += body
        characters += len(body.decode("utf-8", "replace"))
    name = f"<-{programs[0].kind}>" if programs[0].kind != "s" else parts[0].name
    return Assembly(bytes(joined), name, tuple(parts))


def _body(program: Program) -> tuple[str, bytes]:
    """(name, text) of a program."""
    if program.kind != "s":
        return f"<-{program.kind}>", _completed(program).encode("utf-8", "surrogateescape")
    try:
        if program.text == "-":
            return "/dev/stdin", sys.stdin.buffer.read()
        with open(program.text, "rb") as stream:
            return program.text, stream.read()
    except OSError as error:
        raise InvivoError(f"failed to open {program.text}: {error.strerror}") from None


def _completed(program: Program) -> str:
    """The text with the first clause's descriptions given all fields that the letter implies, and a body."""
    ends = [program.text.find(char) for char in "{/"]
    end = min((position for position in ends if position >= 0), default=len(program.text))
    head, rest = program.text[:end], program.text[end:]
    after = _FIELDS_AFTER[program.kind]
    described = ",".join(_with_fields(item, after) for item in head.split(",")) if after else head
    return described + rest if rest else described + " {}"


def _with_fields(item: str, after: str) -> str:
    stripped = item.rstrip()
    return stripped + after + item[len(stripped) :] if stripped else item
