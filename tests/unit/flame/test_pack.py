"""A profile as bytes and as a page comes back as it was; what is damaged is refused in words."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invivo.errors import InvivoError
from invivo.flame.pack import pack, unpack
from invivo.flame.page import MARK, read_page, scripts, write_page
from invivo.flame.profile import Frame, Kind, Profile, Thread

_NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
_FRAMES = st.builds(Frame, _NAMES, _NAMES | st.just(""), st.sampled_from(Kind), _NAMES | st.just(""),
                    st.integers(0, 100000))  # fmt: skip


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    profile = Profile(draw(st.sampled_from(["samples", "ns", "bytes"])), draw(_NAMES))
    frames = draw(st.lists(_FRAMES, min_size=1, max_size=8))
    has_threads, has_times = draw(st.booleans()), draw(st.booleans())
    threads = [profile.thread(Thread(n, n + 1, f"t{n}")) for n in range(draw(st.integers(1, 3)))] if has_threads else []
    for _ in range(draw(st.integers(0, 30))):
        node = profile.node(draw(st.lists(st.sampled_from(frames), max_size=6)))
        weight = draw(st.integers(0, 1 << 50))
        thread = draw(st.sampled_from(threads)) if threads else -1
        profile.add(node, weight, thread, draw(st.integers(0, 10**12)) if has_times else -1)
    return profile


def samples(profile: Profile, tick: int = 1) -> list[object]:
    """What was sampled, in an order of its own, times in whole ticks."""
    count = len(profile.nodes)
    threads = [profile.threads[number] for number in profile.sample_threads] or [None] * count
    times = [time // tick for time in profile.times] or [0] * count
    rows = zip(times, map(profile.stack, profile.nodes), profile.weights, map(str, threads), strict=True)
    return sorted(rows, key=repr)


@given(profiles())
def test_what_is_packed_is_unpacked(profile: Profile) -> None:
    tick = max(1000, profile.duration_ns // ((1 << 32) - 1) + 1)
    back = unpack(pack(profile), "x")
    assert samples(back, tick) == samples(profile, tick)
    assert (back.unit, back.title, back.frames) == (profile.unit, profile.title, profile.frames)


def example() -> Profile:
    profile = Profile(title="</title><script>alert(1)</script>{{profile}}{{script}}")
    profile.add(profile.node([Frame("</script><script>alert(2)</script>"), Frame("{{script}}")]), 3)
    return profile


def test_a_page_gives_its_profile_back() -> None:
    page = b"".join(write_page(example()))
    assert samples(read_page(page, "x")) == samples(example())


def test_no_traced_name_stands_in_a_page_as_markup() -> None:
    page = b"".join(write_page(example())).decode()
    assert page.count("<script") == 2  # the data, the viewer
    assert page.count("</script>") == 2
    assert "alert(" not in re.sub(r"&lt;script&gt;alert\(1\)", "", page)


def test_a_page_fetches_nothing() -> None:
    page = b"".join(write_page(example())).decode()
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)""", page)
    assert not re.findall(r"https?://", page)
    assert "connect-src 'none'" in page


def test_the_policy_names_the_scripts_that_are_there() -> None:
    import hashlib

    page = b"".join(write_page(example())).decode()
    digest = base64.b64encode(hashlib.sha256(scripts().encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert scripts() in page


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_cut_page_is_refused_in_words(kept: int) -> None:
    page = b"".join(write_page(example()))
    end = page.index(MARK) + len(MARK) + kept
    with pytest.raises(InvivoError, match="is cut before its end"):
        read_page(page[:end], "x.html")


def test_a_damaged_profile_is_refused_in_words() -> None:
    data = bytearray(pack(example()))
    data[len(data) // 2] ^= 0x55
    with pytest.raises(InvivoError, match="x: the profile inside is damaged"):
        unpack(bytes(data), "x")
