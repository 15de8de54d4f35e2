"""Which programs may share a plan."""

from __future__ import annotations

import pytest

from invivo.plan_cache import key_of

IDS = {"ppid": 5, "uid": 0}


@pytest.mark.parametrize(
    ("text", "is_shared"),
    [(b"BEGIN { trace(uid); }", True), (b"BEGIN { trace($uid); }", True), (b"BEGIN { trace($$ppid); }", False)],
)
def test_a_plan_is_not_shared_with_a_consumer_whose_ids_the_text_names(text: bytes, is_shared: bool) -> None:
    one = key_of(text, "t.d", (), {}, IDS)
    other = key_of(text, "t.d", (), {}, {**IDS, "ppid": 6})
    assert (one == other) is is_shared


def test_a_key_covers_text_name_arguments_and_options() -> None:
    one = key_of(b"BEGIN", "t.d", ("a",), {"strsize": "64"}, IDS)
    others = [
        key_of(b"END", "t.d", ("a",), {"strsize": "64"}, IDS),
        key_of(b"BEGIN", "u.d", ("a",), {"strsize": "64"}, IDS),
        key_of(b"BEGIN", "t.d", ("b",), {"strsize": "64"}, IDS),
        key_of(b"BEGIN", "t.d", ("a",), {"strsize": "65"}, IDS),
    ]
    assert one not in others
    assert one == key_of(b"BEGIN", "t.d", ("a",), {"strsize": "64"}, IDS)
