"""The words that the consumer and the programs share lie apart."""

from __future__ import annotations

from invivo.program.shared import Globals

_WORDS = {"SPECULATIONS": Globals.SPECULATIONS_MAX, "RING_DROPS": Globals.RING_DROPS_CPUS}
_SIZES = {"SPECULATIONS_MAX", "RING_DROPS_CPUS", "USER"}


def test_no_two_lie_in_one_place() -> None:
    names = [name for name in vars(Globals) if name.isupper() and name not in _SIZES]
    assert len(names) > 10
    places = [(getattr(Globals, name) + 8 * word, name) for name in names for word in range(_WORDS.get(name, 1))]
    assert len({offset for offset, _ in places}) == len(places)
    assert all(offset % 8 == 0 and offset < Globals.USER for offset, _ in places)
