"""Random D programs at system calls of a command: the kernel, ptrace and what the loop writes down print the same.

The clauses are those of test_engines_agree.py; their variables are set when the first of the calls comes.
"""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo import session
from invivo.compiler import Request
from invivo.engines.process.native.capture import Capture
from tests.cases.run import Outcome, Printed
from tests.property.test_engines_agree import STRUCTURES, TYPES, expressions, literal, quickly, values
from tests.support import trigger

pytestmark = [pytest.mark.kernel, pytest.mark.process]

ENTRY, RETURN = "syscall::getppid:entry", "syscall::getppid:return"
OWN = "/pid == $target/"


def _run(text: str, engine: str) -> Outcome:
    """What a program prints of a command that calls getppid(2) three times."""
    printed = Printed()
    request = Request(text.encode(), "random.d")
    command = [trigger("loop"), "3"]
    with session.Session(request, output=printed.output, command=command, duration=20, engine=engine) as running:
        running.wait()
    return printed.outcome(None)


def _program(values: dict[str, int], chosen: list[str]) -> str:
    declared = "".join(f"{type_} {name};\nthis {type_} {name};\n" for name, type_ in TYPES.items())
    declared += "int a[int];\nunsigned char b[int, int];\nint done;\n" + STRUCTURES
    globals_ = "".join(f"\t{name} = {literal(value, 'L')};\n" for name, value in values.items())
    locals_ = "".join(f"\tthis->{name} = {name} ^ 85;\n" for name in values)
    body = "".join(
        f'{(ENTRY, RETURN)[number % 2]}\n{OWN}\n{{\n\tprintf("{number} %d\\n", {each});\n}}\n'
        for number, each in enumerate(chosen)
    )
    return (
        f"#pragma D option quiet\n{declared}{ENTRY}\n/pid == $target && !done/\n"
        f"{{\n{globals_}\ta[1] = 77;\n\tb[3, 1] = 200;\n"
        "\tg.v[1] = l;\n\tg.high = i;\n\tm[1] = g;\n"
        f"\tdone = 1;\n}}\n{ENTRY},{RETURN}\n{OWN}\n{{\n{locals_}}}\n{body}"
    )


@quickly
@given(values, st.lists(expressions, min_size=10, max_size=20))
def test_at_system_calls(values: dict[str, int], chosen: list[str]) -> None:
    text = _program(values, chosen)
    expected = _run(text, "kernel")
    assert len(expected.out.split()) == 2 * 3 * len(chosen) or expected.err
    assert _run(text, "process") == expected, text
    with mock.patch.object(Capture, "is_possible", staticmethod(lambda: False)):
        assert _run(text, "process") == expected, text
