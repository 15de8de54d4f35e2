"""SVG pictures and differences, checked by an XML parser and by hand-counted shares."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest

from invivo.errors import InvivoError
from invivo.flame.diff import difference
from invivo.flame.formats.folded import read_folded, write_folded
from invivo.flame.profile import Frame, Profile
from invivo.flame.svg import write_svg
from invivo.flame.units import amount, share

_SVG = "{http://www.w3.org/2000/svg}"


def read(text: bytes) -> Profile:
    return read_folded(io.BytesIO(text), "input")


def boxes(profile: Profile) -> dict[str, tuple[float, float, float, str]]:
    """Name: x, y, width and title of each box."""
    root = ElementTree.fromstring(b"".join(write_svg(profile)))
    found = {}
    for group in root.iter(f"{_SVG}g"):
        title, rect = group.find(f"{_SVG}title"), group.find(f"{_SVG}rect")
        assert title is not None
        assert rect is not None
        name, _, rest = (title.text or "").rpartition(": ")
        found[name] = (float(rect.attrib["x"]), float(rect.attrib["y"]), float(rect.attrib["width"]), rest)
    return found


def test_widths_are_shares_and_callees_stand_on_their_callers() -> None:
    found = boxes(read(b"main;read;vfs_read 3\nmain;write 1\n"))
    assert {name: row[3] for name, row in found.items()} == {
        "all": "4 samples, 100%", "main": "4 samples, 100%", "read": "3 samples, 75.0%",
        "vfs_read": "3 samples, 75.0%", "write": "1 sample, 25.0%",
    }  # fmt: skip
    whole = 1180  # 1200 less two margins
    assert found["read"][2] == pytest.approx(0.75 * whole, abs=2)
    assert found["write"][0] == pytest.approx(10 + 0.75 * whole, abs=1)
    assert found["all"][1] > found["main"][1] > found["read"][1] > found["vfs_read"][1]


def test_hostile_names_stay_text() -> None:
    profile = Profile(title='<script>alert("1")</script>')
    profile.add(profile.node([Frame("<b onclick='x'>&\x01\ufffe" + "y" * 10000)]), 1)
    text = b"".join(write_svg(profile))
    assert b"<script" not in text
    assert ElementTree.fromstring(text) is not None
    assert len(text) < 4000


def test_frames_too_narrow_to_see_are_told() -> None:
    profile = read(b"main;wide 1000000\n" + b"".join(b"main;f%d 1\n" % i for i in range(1000)))
    text = b"".join(write_svg(profile)).decode()
    assert "too narrow to be seen are left out, 0.10% of the innermost" in text
    assert len(boxes(profile)) == 3


def test_a_difference_holds_the_stacks_of_both() -> None:
    joined = difference(read(b"main;read 30\nmain;write 10\n"), read(b"main;read 10\nmain;parse 10\n"))
    assert sorted(write_folded(joined)) == [b"main;parse 0 10\n", b"main;read 30 10\n", b"main;write 10 0\n"]
    assert {name: row[3] for name, row in boxes(joined).items()} == {
        "all": "before 100.00%, after 100.00%", "main": "before 100.00%, after 100.00%",
        "read": "before 75.00%, after 50.00%", "write": "before 25.00%, after 0.00%",
        "parse": "before 0.00%, after 50.00%",
    }  # fmt: skip


def test_a_difference_with_an_empty_side_or_other_units_is_refused() -> None:
    with pytest.raises(InvivoError, match="the profile before is empty"):
        difference(Profile(), read(b"main 1\n"))
    other = Profile("ns")
    other.add(other.node([Frame("main")]), 1)
    with pytest.raises(InvivoError, match="samples before and ns after"):
        difference(read(b"main 1\n"), other)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(0, "ns", "0 ns"), (999, "ns", "999 ns"), (1234567, "ns", "1.23 ms"), (12_345_678_900, "ns", "12.3 s"),
     (1, "samples", "1 sample"), (1234567, "samples", "1,234,567 samples"), (5 << 20, "bytes", "5.00 MiB"),
     (1536, "bytes", "1.50 KiB"), (2, "events", "2 events")],
)  # fmt: skip
def test_amounts(value: int, unit: str, expected: str) -> None:
    assert amount(value, unit) == expected


def test_shares() -> None:
    assert (share(1, 8), share(1, 1), share(1, 1000), share(0, 0)) == ("12.5%", "100%", "0.10%", "0.00%")


def test_the_manual_names_every_kind_and_format() -> None:
    from pathlib import Path

    from invivo.flame.files import FORMATS
    from invivo.tools.flame.kinds import KINDS

    page = (Path(__file__).parents[3] / "docs" / "guide" / "flame-graphs.md").read_text()
    assert [name for name in KINDS if f"| `{name}` |" not in page] == []
    endings = [row.endings[0] for row in FORMATS.values() if row.writer]
    assert [ending for ending in endings if f"`{ending}`" not in page] == []
