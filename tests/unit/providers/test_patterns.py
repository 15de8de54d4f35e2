"""Fields of probe descriptions, and C declarations as tracefs writes them."""

from __future__ import annotations

import pytest

from invivo.program.types import CHAR, INT, UINT, ULONG, USHORT, VOID, Int, Pointer, Space, Type
from invivo.providers.base import Glob, Lazy
from invivo.providers.ctype import parse_c_type
from tests.unit.providers.fakes import TASK, FakeTypes


@pytest.mark.parametrize(
    ("glob", "matching", "failing"),
    [
        ("", ["", "read"], []),
        ("*", ["", "read"], []),
        ("read", ["read"], ["readv", "pread", "", "Read"]),
        ("read*", ["read", "readv"], ["pread64"]),
        ("?read", ["pread"], ["read", "xxread"]),
        ("*a*", ["a", "read"], ["write"]),
        ("[pr]*", ["pread", "read"], ["write"]),
        ("[!pr]*", ["write"], ["pread", "read", ""]),
        ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
        ("[]]x", ["]x"], ["x"]),
        ("[z-a]", [], ["z", "a", "[z-a]"]),
        ("a[b", ["a[b"], ["ab"]),
        (r"a\*", ["a*"], ["ab", "a"]),
        (r"a\?\[", ["a?["], ["ab["]),
        ("on-cpu", ["on-cpu"], ["on_cpu"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a.b*", ["a.bc"], ["axbc"]),
    ],
)
def test_globs_match_as_the_shell_does(glob: str, matching: list[str], failing: list[str]) -> None:
    compiled = Glob(glob)
    assert [name for name in matching if not compiled(name)] == []
    assert [name for name in failing if compiled(name)] == []


def test_a_field_without_glob_characters_is_literal() -> None:
    assert Glob("read").literal == "read"
    assert Glob("").literal is None
    assert Glob("rea?").literal is None


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("int", INT),
        ("unsigned", UINT),
        ("unsigned int", UINT),
        ("unsigned long", ULONG),
        ("long unsigned int", ULONG),
        ("short unsigned int", USHORT),
        ("unsigned long long", Int("unsigned long long", 8, False)),
        ("const char *", Pointer(CHAR, Space.USER)),
        ("const char *const *", Pointer(Pointer(CHAR, Space.USER), Space.USER)),
        ("char *", Pointer(CHAR, Space.USER)),
        ("void *", Pointer(VOID, Space.USER)),
        ("umode_t", Int("umode_t", 2, False)),
        ("struct task_struct *", Pointer(TASK, Space.USER)),
        ("const struct nothing_known *", Pointer(VOID, Space.USER)),
        ("nothing_known_t", None),
        ("unsigned nothing", None),
        ("void (*)(int)", None),
        ("", None),
    ],
)
def test_c_declarations(text: str, type_: Type | None) -> None:
    assert parse_c_type(text, FakeTypes(), Space.USER) == type_


def test_lazy_sequences_are_made_once_and_only_when_looked_at() -> None:
    calls: list[int] = []

    def make() -> list[int]:
        calls.append(1)
        return [10, 20, 30]

    lazy = Lazy(make)
    assert calls == []
    assert (len(lazy), lazy[1], lazy[1:], list(lazy)) == (3, 20, (20, 30), [10, 20, 30])
    assert calls == [1]
