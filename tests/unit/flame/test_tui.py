"""The tree in the terminal, run by textual's own pilot, without a terminal."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from invivo.flame.profile import Frame, Kind, Profile
from invivo.tools.flame.top import top_lines
from invivo.tools.flame.tui import make_app


def example() -> Profile:
    profile = Profile("samples", "cpu: example")
    main = Frame("main", "prog")
    profile.add(profile.node([main, Frame("read"), Frame("vfs_read", "vmlinux", Kind.KERNEL)]), 70)
    profile.add(profile.node([main, Frame("parse\x1b[2J[red]")]), 30)
    return profile


def labels(branch: Any) -> list[str]:
    return [str(child.label) for child in branch.children]


def test_the_tree_is_folded_unfolded_and_grows() -> None:
    textual = pytest.importorskip("textual.widgets", reason="textual: pip install invivo[tui]")
    profile = example()
    app = make_app(profile, threading.Lock(), "")

    async def drive() -> None:
        async with app.run_test() as pilot:
            tree = app.query_one(textual.Tree)
            assert str(tree.root.label) == "all, 100 samples"
            assert [label.split()[0] for label in labels(tree.root)] == ["100%"]
            await pilot.press("w")
            main = tree.root.children[0]
            assert [label.split()[0] for label in labels(main)] == ["70.0%", "30.0%"]
            assert labels(main.children[0])[0].endswith("vmlinux`vfs_read")
            assert labels(main)[1].endswith("[red]")  # no markup
            profile.add(profile.node([Frame("main", "prog"), Frame("new")]), 100)
            app.refresh_tree()
            await pilot.pause()
            assert str(tree.root.label) == "all, 200 samples"
            assert [label.split()[0] for label in labels(main)] == ["35.0%", "15.0%", "50.0%"]
            await pilot.press("q")

    asyncio.run(drive())


def test_the_hottest_functions_as_lines() -> None:
    lines = top_lines(example(), 2)
    assert lines[0] == "cpu: example: 100 samples"
    assert [line.split() for line in lines[2:]] == [["70.0%", "70.0%", "vmlinux`vfs_read"],
                                                    ["30.0%", "30.0%", "parse\\x1b[2J[red]"]]  # fmt: skip
