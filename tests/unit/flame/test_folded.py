"""Folded stacks, read and written; expected values are counted by hand."""

from __future__ import annotations

import io

import pytest

from invivo.errors import InvivoError
from invivo.flame.formats.folded import looks_folded, read_folded, write_folded
from invivo.flame.profile import Frame, Kind, Profile, Thread


def read(text: bytes) -> Profile:
    return read_folded(io.BytesIO(text), "input")


def stacks(profile: Profile) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for node, weight in zip(profile.nodes, profile.weights, strict=True):
        key = tuple(frame.name for frame in profile.stack(node))
        found[key] = found.get(key, 0) + weight
    return found


def test_equal_stacks_are_added_up() -> None:
    profile = read(b"main;read 3\nmain;write 2\nmain;read 4\nmain 1\n")
    assert stacks(profile) == {("main", "read"): 7, ("main", "write"): 2, ("main",): 1}
    assert profile.total == 10
    assert len(profile.parents) == 4  # the root, main, read, write


def test_totals_of_callers_hold_those_of_callees() -> None:
    profile = read(b"a;b;c 5\na;b 2\na;d 1\ne 4\n")
    totals = profile.totals()
    by_stack = {tuple(frame.name for frame in profile.stack(node)): totals[node] for node in range(len(totals))}
    assert by_stack == {(): 12, ("a",): 8, ("a", "b"): 7, ("a", "b", "c"): 5, ("a", "d"): 1, ("e",): 4}


def test_a_recursive_function_is_counted_once() -> None:
    profile = read(b"main;f;f;f 3\nmain;f;g;f 2\nmain;g 1\n")
    by_name = {profile.frames[frame].name: pair for frame, pair in profile.by_function().items()}
    assert by_name == {"main": (0, 6), "f": (5, 5), "g": (1, 3)}


def test_annotations_tell_the_kind() -> None:
    profile = read(b"main;vfs_read_[k];inner_[i];Loop_[j];waker_[w];vmlinux`f+0x1c;libc.so.6`read+0x10 1\n")
    assert profile.stack(profile.nodes[0]) == [
        Frame("main"), Frame("vfs_read", "", Kind.KERNEL), Frame("inner", "", Kind.INLINED),
        Frame("Loop", "", Kind.JIT), Frame("waker", "", Kind.WAKER), Frame("f", "vmlinux", Kind.KERNEL),
        Frame("read", "libc.so.6", Kind.USER),
    ]  # fmt: skip


def test_texts_of_one_function_at_two_addresses_are_one_frame_and_one_node() -> None:
    profile = read(b"main;vmlinux`f+0x10;g 2\nmain;vmlinux`f+0x18;g 3\n")
    assert len(profile.parents) == 4
    assert stacks(profile) == {("main", "f", "g"): 5}


def test_names_with_blanks_and_signs_are_kept() -> None:
    text = b"std::vector<int, std::allocator<int> >::push_back(int const&);operator() const 12\n"
    profile = read(text)
    assert stacks(profile) == {
        ("std::vector<int, std::allocator<int> >::push_back(int const&)", "operator() const"): 12
    }
    assert b"".join(write_folded(profile)) == text


def test_two_numbers_are_before_and_after() -> None:
    profile = read(b"main;read 30 10\nmain;write 10 0\nmain;parse 0 5\n")
    assert profile.baseline is not None
    assert list(profile.baseline) == [30, 10, 0]
    assert list(profile.weights) == [10, 0, 5]


def test_what_is_written_is_read_back_with_kinds_and_threads() -> None:
    profile = Profile("ns")
    node = profile.node([Frame("main", "prog"), Frame("read", "libc.so.6"), Frame("vfs_read", "vmlinux", Kind.KERNEL)])
    profile.add(node, 5, profile.thread(Thread(7, 8, "worker;1")))
    text = b"".join(write_folded(profile))
    assert text == b"worker:1;prog`main;libc.so.6`read;vmlinux`vfs_read 5\n"
    assert read(text).stack(3)[1:] == profile.stack(node)[:2]


def test_a_cut_last_line_is_left_out_and_told() -> None:
    profile = read(b"main;read 3\nmain;wri")
    assert profile.total == 3
    assert profile.notes == [
        "input: 1 line is no folded stack and left out (the file ends inside its last line): 'main;wri'"
    ]


def test_text_that_is_no_folded_stack_is_refused() -> None:
    with pytest.raises(InvivoError, match="no line is a folded stack; the first is 'hello there'"):
        read(b"hello there\nhow are you\n")


def test_empty_input_is_an_empty_profile() -> None:
    assert read(b"\n# a comment\n").total == 0


def test_hostile_names_lose_their_control_characters_only() -> None:
    profile = read(b"a\x1b[2J;<script>alert(1)</script>;\xff\xfe;\xe2\x80\xaeevil 1\n")
    names = [frame.name for frame in profile.stack(profile.nodes[0])]
    assert names == ["a\\x1b[2J", "<script>alert(1)</script>", "\\xff\\xfe", "\\u202eevil"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [(b"main;a 1\n", True), (b"a b c\nd e f\n", False), (b"# x\nmain 3\n", True), (b"{}", False), (b"", False),
     (b"  vmlinux`read+0x1\n   3\n", False)],
)  # fmt: skip
def test_folded_text_is_recognised(head: bytes, expected: bool) -> None:
    assert looks_folded(head) is expected


def test_chunks_do_not_cut_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    from invivo.flame.formats import folded

    monkeypatch.setattr(folded, "_CHUNK", 7)
    monkeypatch.setattr(folded, "_MANY", 3)
    text = b"".join(b"main;f%d;g 2\n" % (i % 10) for i in range(100))
    assert stacks(read(text)) == {("main", f"f{i}", "g"): 20 for i in range(10)}
