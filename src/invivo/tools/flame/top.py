"""The hottest functions, in the terminal, anew each second; where the output is no terminal, once at the end.

      SELF   TOTAL  FUNCTION
     70.2%   70.2%  spin`seventy
     19.8%   19.8%  spin`twenty
"""

from __future__ import annotations

import shutil
import time

from invivo.flame.units import amount, share
from invivo.output.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from invivo.flame.profile import Frame, Profile
    from invivo.tools.flame.collect import Collecting

__all__ = ["run_top", "top_lines"]

_EVERY = 1.0


def run_top(collecting: Collecting, stream: TextIO) -> Profile:
    """Run a collection and print its functions to `stream`."""
    last = 0.0

    def show() -> None:
        nonlocal last
        if stream.isatty() and time.monotonic() - last > _EVERY:
            last = time.monotonic()
            size = shutil.get_terminal_size()
            lines = top_lines(collecting.profile, size.lines - 3, size.columns)
            stream.write("\x1b[H\x1b[2J" + "\n".join(lines) + "\n")
            stream.flush()

    collecting.on_change(show)
    profile = collecting.run()
    rows = shutil.get_terminal_size().lines - 3 if stream.isatty() else 50
    if stream.isatty():
        stream.write("\x1b[H\x1b[2J")
    stream.write("\n".join(top_lines(profile, rows)) + "\n")
    stream.flush()
    return profile


def top_lines(profile: Profile, count: int, width: int = 200) -> list[str]:
    """A line of title, one of headings, and one for each of the `count` hottest functions."""
    total = profile.total
    rows = sorted(profile.by_function().items(), key=lambda row: (-row[1][0], -row[1][1]))[: max(1, count)]
    lines = [f"{profile.title}: {amount(total, profile.unit)}", "   SELF   TOTAL  FUNCTION"]
    for frame, (own, all_) in rows:
        lines.append(f"{share(own, total):>7} {share(all_, total):>7}  {shown(profile.frames[frame])}"[:width])
    return [escape(line.encode("utf-8", "replace")).decode() for line in lines]


def shown(frame: Frame) -> str:
    """A frame as dtrace writes it."""
    return f"{frame.module}`{frame.name}" if frame.module and not frame.name.startswith("[") else frame.name
