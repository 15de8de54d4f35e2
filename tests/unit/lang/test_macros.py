"""Macro arguments: what they stand for, and what is said where they stand for nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invivo.lang.d.macros import MacroValues
from invivo.program.consumer_ids import consumer_ids
from invivo.source import SourceFile, Span
from tests.unit.lang.trees import dump

SPAN = Span(SourceFile("t.d", "$1"), 0, 2)


def shown(argument: str, is_string: bool = False) -> str:
    values = MacroValues([argument], "t.d")
    found = values.expression("1", SPAN, is_string)
    if found is None:
        flaw = values.flaw("1", is_string)
        assert flaw is not None
        return flaw.code
    assert values.flaw("1", is_string) is None
    assert found.span is SPAN
    return dump(found)


@pytest.mark.parametrize(
    ("argument", "tree"),
    [
        ("12", "12"),
        ("0x10", "16"),
        ("010", "8"),
        ("+5", "5"),
        ("-5", "(- 5)"),
        ("7ull", "7"),
        ("execname", "execname"),
        ("vmlinux`jiffies", "vmlinux`jiffies"),
        ('"a\\tb"', '"a\\tb"'),
        ("99999999999999999999", "D_MACRO_OFLOW"),
        ("08", "D_INT_DIGIT"),
        ("12abc", "D_INT_DIGIT"),
        ("/bin/ls", "D_SYNTAX"),
        ("", "D_SYNTAX"),
        ("a b", "D_SYNTAX"),
        ("1\n2", "D_SYNTAX"),
    ],
)
def test_an_argument_is_an_integer_a_name_or_a_quoted_string(argument: str, tree: str) -> None:
    assert shown(argument) == tree


@pytest.mark.parametrize("argument", ["12", "/bin/ls", "", 'a "b"', "é", "\udcff"])
def test_two_dollars_make_any_argument_a_string(argument: str) -> None:
    assert shown(argument, is_string=True) == repr(os.fsencode(argument))[1:].replace("'", '"')


def test_the_script_and_the_ids_of_the_consumer() -> None:
    values = MacroValues([], "a/b.d")
    assert values.text("0") == "a/b.d"
    # /proc/self/status is the second source.
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    real, effective = fields["Uid"].split()[:2]
    assert (values.text("uid"), values.text("euid")) == (real, effective)
    assert values.text("ppid") == fields["PPid"].strip()
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert (values.text("pgid"), values.text("sid")) == (stat[2], stat[3])


def test_the_ids_may_be_those_of_another_process() -> None:
    values = MacroValues([], "t.d", consumer={**consumer_ids(), "ppid": 1})
    assert values.text("ppid") == "1"


def test_target_and_pid_are_known_only_at_run_time() -> None:
    values = MacroValues([], "t.d")
    assert [name for name in ("target", "pid", "ppid", "1") if values.is_runtime(name)] == ["target", "pid"]
    assert values.text("target") is None
    assert values.expression("target", SPAN, is_string=True) is None


@pytest.mark.parametrize("name", ["2", "99999999999999999999999", "nothing"])
def test_what_is_not_defined(name: str) -> None:
    values = MacroValues(["a"], "t.d")
    assert values.text(name) is None
    assert values.expression(name, SPAN, is_string=False) is None
    flaw = values.flaw(name, is_string=False)
    assert flaw is not None
    assert flaw.code == "D_MACRO_UNDEF"
    assert f"${name}" in flaw.message


def test_arguments_that_no_one_asks_for_are_told() -> None:
    values = MacroValues(["a", "b", "c", "d"], "t.d")
    values.text("2")
    values.expand("pid$4:::")
    assert values.unused_arguments() == ["1", "3"]


def test_with_defaults_missing_arguments_are_zero_and_extra_ones_are_fine() -> None:
    values = MacroValues(["a"], "t.d", has_defaults=True)
    assert values.unused_arguments() == []
    for is_string, tree in ((False, "0"), (True, '""')):
        found = values.expression("2", SPAN, is_string)
        assert found is not None
        assert dump(found) == tree


@pytest.mark.parametrize(
    ("text", "expanded", "undefined"),
    [
        ("pid$1:a.out:$2:entry", "pid12:a.out:main:entry", []),
        ("pid$target::$$2:", "pid$target::main:", []),
        ("profile-$1hz", "profile-12hz", []),
        ("pid$pid:$3:$x:", "pid$pid:$3:$x:", ["3", "x"]),
        ("$:a$", "$:a$", []),
    ],
)
def test_macros_in_probe_descriptions(text: str, expanded: str, undefined: list[str]) -> None:
    assert MacroValues(["12", "main"], "t.d").expand(text) == (expanded, undefined)
