"""Where in a unit the verifier stopped is told by the unit's own count of instructions."""

from __future__ import annotations

import errno

import pytest

from invivo.bpf.link import uprobe
from invivo.bpf.program import Program, ProgramSpec
from invivo.engines.kernel.loader import load_unit
from invivo.errors import VerifierError
from invivo.program.attach import AttachPoint, Moment, Once, Uprobe
from invivo.program.plan import Attachment, UnitPlan

_CODE = bytes(8 * 7)


@pytest.mark.parametrize(
    ("point", "added"), [(Once(Moment.BEGIN), 0), (Uprobe("/bin/true", 0), 3)], ids=["raw tracepoint", "uprobe"]
)
@pytest.mark.parametrize("where", [0, 5])
def test_instructions_put_before_a_unit_do_not_count(
    point: AttachPoint, added: int, where: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(spec: ProgramSpec) -> Program:
        assert spec.code[-len(_CODE) :] == _CODE
        assert len(spec.code) == len(_CODE) + 8 * added
        raise VerifierError(errno.EACCES, "the program", "no", "", where + added)

    monkeypatch.setattr(uprobe, "expected_attach_type", lambda: 0)  # it would try, by loading a program
    monkeypatch.setattr(Program, "load", refuse)
    with pytest.raises(VerifierError) as raised:
        load_unit(UnitPlan("unit", _CODE, (), (Attachment(point, 0),)), [])
    assert (raised.value.unit, raised.value.instruction) == ("unit", where)
