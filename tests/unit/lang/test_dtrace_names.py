"""The table of DTrace's names in the manual: none is missing, and what works has a case."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from invivo.diagnostics import Diagnostics
from invivo.errors import InvivoError
from invivo.lang.d import syntax
from invivo.lang.d.decode import read_source
from invivo.lang.d.dtrace_names import NAMES, State, note_of, state_of
from invivo.lang.d.lower.reads import walk
from invivo.lang.d.parser import parse
from invivo.program.options import OPTIONS, Effect

CASES = Path(__file__).parents[2] / "cases"
ALL = [(kind, name) for kind, names in NAMES.items() for name in names]
# Their effect is only seen where something fails that a case cannot make fail: in tests/session, by a patched kernel.
FORCED = {"bufresize": "test_buffers", "quietresize": "test_buffers", "bpflog": "test_rejections",
          "bpflogsize": "test_rejections"}  # fmt: skip


@functools.cache
def used() -> frozenset[tuple[str, str]]:
    """("option", "quiet"), ("name", "curthread"), ("macro variable", "pid") ... of all cases, by parsing them."""
    found: set[tuple[str, str]] = set()
    for path in CASES.rglob("*.d"):
        raw = path.read_text("utf-8", "replace")
        command = "".join(re.findall(r"/\* command:.*", raw))
        found.update(("option", name) for name in re.findall(r" -x ?(\w+)", command))
        text = re.sub(r"/\*.*?\*/", "", raw, flags=re.S)
        found.update(("option", name) for name in re.findall(r"#pragma D option (\w+)", text))
        found.update(("option", name) for name in re.findall(r'setopt\("(\w+)"', text))
        found.update(("pragma", name) for name in re.findall(r"#pragma (?:D )?(\w+)", text))
        found.update(("macro variable", name) for name in re.findall(r"\$\$?([a-z]+)", text))
        if path.name.startswith("err."):
            continue
        try:
            script = parse(read_source(path.name, path.read_bytes()), Diagnostics())
        except InvivoError:
            continue
        for node in walk(tuple(script.declarations)):
            match node:
                case syntax.Name(name=name, scope=scope):
                    found.add(("name", str(name)))
                    found.add(("name", str(scope)))
                case syntax.CallOp(name=name):
                    found.add(("name", str(name)))
    return frozenset(found)


def test_the_lists_have_what_dtrace_has() -> None:
    """As many as DTrace's own tables have; of its 46 subroutines, two are listed as actions here."""
    assert len(NAMES["aggregating function"]) == 9
    assert len(NAMES["subroutine"]) == 44
    assert len(NAMES["pragma"]) == 7
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_name_has_a_state_and_what_is_not_as_in_dtrace_a_reason(kind: str, name: str) -> None:
    assert (note_of(kind, name) == "") is (state_of(kind, name) is State.WORKS)


def test_what_works_has_a_case() -> None:
    """Each variable, action, subroutine, aggregating function, macro variable, option and pragma."""
    without = [
        f"{kind} {name}"
        for kind, name in ALL
        if state_of(kind, name) is not State.CANNOT
        and (kind if kind in ("option", "pragma", "macro variable") else "name", name) not in used()
        and name not in FORCED
    ]
    assert without == []


def test_options_of_our_own_have_a_case_or_are_of_programs_and_stacks() -> None:
    own = [name for name, row in OPTIONS.items() if row.effect is Effect.WORKS and ("option", name) not in used()]
    # The last are shown by tests/session/test_buffers, test_user_stacks, test_pid and their like.
    assert set(own) <= FORCED.keys() | {"defaults", "follow", "maxloop", "srcline", "stacksize", "unwindsize"}


@pytest.mark.parametrize(("option", "file"), FORCED.items())
def test_what_is_forced_is_tested_there(option: str, file: str) -> None:
    assert option in (CASES.parent / "session" / f"{file}.py").read_text()
