"""Code blocks of Markdown pages, and what the comment before a block says of it.

    <!-- not run: it installs packages -->        ->  Block("console", "$ pip install .", 12, {"not run": "it ..."})
    ```console
    $ pip install .
    ```
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT

__all__ = ["Block", "Command", "blocks", "commands", "pages"]

_MARK = r"(?:<!-- (?P<mark>[\w ]+): (?P<value>.*?) -->\n)?"
_BLOCK = re.compile(rf"^{_MARK}```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    page: str
    line: int
    kind: str  # console, d, python
    text: str
    mark: str  # "" or "not run", "output", "status", "error"
    value: str


class Command(NamedTuple):
    """A shell command of a console block with the output that the page shows below it."""

    line: str
    shown: str


def pages() -> list[Path]:
    """README.md and the hand-written pages of the manual."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md")), ROOT / "docs" / "language" / "d.md"]
    assert len(found) > 5
    return found


def blocks(kind: str) -> list[Block]:
    """All blocks of one kind."""
    found = []
    for page in pages():
        text = page.read_text()
        for match in _BLOCK.finditer(text):
            if match["kind"] == kind:
                line = text.count("\n", 0, match.start("text"))
                name = str(page.relative_to(ROOT))
                found.append(Block(name, line, kind, match["text"], match["mark"] or "", match["value"] or ""))
    return found


def commands(block: Block) -> list[Command]:
    """The commands after `$ `: each goes on while a quote is open; what follows is its output."""
    found: list[Command] = []
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        lines = part.split("\n")
        count = 1
        while "\n".join(lines[:count]).count("'") % 2:
            count += 1
        found.append(Command("\n".join(lines[:count]), "\n".join(lines[count:])))
    return found
