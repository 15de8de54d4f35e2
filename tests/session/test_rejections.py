"""What the kernel's verifier refuses is told with the line of D that it was made of. The generator is broken for it."""

from __future__ import annotations

import re

import pytest

import invivo
from invivo.codegen import primitives
from invivo.codegen.emitter import Emitter
from invivo.codegen.ir import Value, const
from invivo.errors import VerifierError
from invivo.program.nodes import Call

pytestmark = pytest.mark.kernel

PROGRAM = """BEGIN
{
	x = 1;
}

BEGIN
/x == 1/
{
	y = x +
		rand();
	trace(y);
	exit(0);
}
"""


@pytest.fixture(autouse=True)
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """rand() reads the memory at address 64, which no program may."""

    def broken(e: Emitter, call: Call) -> Value:
        return e.out.load(e.out.to_pointer(const(64)), volatile=True)

    monkeypatch.setitem(primitives.SCALARS, "random", broken)


def refused(**options: str | None) -> VerifierError:
    with pytest.raises(VerifierError) as caught, invivo.trace(PROGRAM, name="x.d", options=options):
        pass
    return caught.value


def test_a_rejection_names_the_line() -> None:
    """Line 10 of the text, where rand() stands, underlined; one line of the verifier's; no instruction of its log."""
    error = refused()
    head, line, marks = error.message.splitlines()
    assert head.startswith("x.d:10:3: error[VERIFIER]: the kernel's verifier refuses what was made of this: ")
    assert head.endswith("invalid mem access 'scalar'")
    assert line == "\t\trand();"
    assert marks.strip() == "~~~~~~"
    assert "-x bpflog" in error.hint


def test_the_log_is_shown_on_request() -> None:
    error = refused(bpflog=None)
    assert re.search(r"^\d+: \([0-9a-f]{2}\) ", error.message, re.MULTILINE), "an instruction of the log"
    assert "x.d:10:3: error" in error.message
    assert "bpflog" not in error.hint


def test_no_more_of_the_log_than_asked_for() -> None:
    whole = refused(bpflog=None).message
    part = refused(bpflog=None, bpflogsize="200").message
    assert len(part) < len(whole)
    assert "processed " in part, "the log's end"
