"""LLVM IR in which members of the structures of layout.py have names.

    %left = get c.budget             a load of a member; c, s, q and r are the control block, slot, recipe, record
    put c.budget, %fewer             a store
    %at = at c.registers.ax          its address, as i64; `.ax` and `+8` go on from there

expanded(text)                       plain IR
"""

from __future__ import annotations

import re

from invivo.engines.process.native.layout import CONTROL, RECIPE, RECORD, REGISTER, SLOT, Layout

__all__ = ["expanded"]

_BASES: dict[str, Layout] = {"c": CONTROL, "s": SLOT, "q": RECIPE, "r": RECORD}

_GET = re.compile(r"^  (%\w+) = get (\w)\.(\S+)$")
_PUT = re.compile(r"^  put (\w)\.(\S+), (\S+)$")
_AT = re.compile(r"^  (%\w+) = at (\w)\.(\S+)$")


def expanded(text: str) -> str:
    """The IR of a text with names."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines()):
        name = f"%p{number}"
        if found := _GET.match(line):
            result, base, member = found.groups()
            offset, type_ = _member(base, member)
            lines += [_pointer(name, base, offset), f"  {result} = load {type_}, ptr {name}, align 1"]
        elif found := _PUT.match(line):
            base, member, value = found.groups()
            offset, type_ = _member(base, member)
            lines += [_pointer(name, base, offset), f"  store {type_} {value}, ptr {name}, align 1"]
        elif found := _AT.match(line):
            result, base, member = found.groups()
            offset, _ = _member(base, member)
            lines += [_pointer(name, base, offset), f"  {result} = ptrtoint ptr {name} to i64"]
        else:
            lines.append(line)
    return "\n".join(lines)


def _pointer(name: str, base: str, offset: int) -> str:
    return f"  {name} = getelementptr i8, ptr %{base}, i64 {offset}"


def _member(base: str, path: str) -> tuple[int, str]:
    """(offset, type) of `name`, `name+8` (bytes on) or `registers.ax`."""
    name, _, further = path.partition("+")
    name, _, register = name.partition(".")
    offset, type_ = _BASES[base][name]
    return offset + int(further or 0) + (8 * REGISTER[register] if register else 0), type_
