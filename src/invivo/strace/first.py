"""The command's own execve(2), which was over when tracing began: its arguments are known all the same.

    words, memory = first_execve(["ls", "-l"], stack)       as if captured at the call

In: the command, and where the new program's stack begins (the number of its arguments, the arguments, NULL, the
environment). Out: six arguments, and the memory that they lead to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from invivo.strace.frame import Captured

__all__ = ["first_execve"]

_POINTER = 8


def first_execve(command: Sequence[str], stack: int) -> tuple[tuple[int, ...], Captured]:
    """See the module's text."""
    words = [os.fsencode(word) for word in command]
    path = os.fsencode(shutil.which(command[0]) or command[0])
    places = [stack + _POINTER * index for index in range(1, len(words) + 2)]
    data = {1: path}
    for index, (place, word) in enumerate(zip(places, words, strict=False), start=2):
        data[place] = index.to_bytes(_POINTER, "little")
        data[index] = word
    data[places[-1]] = bytes(_POINTER)
    environment = places[-1] + _POINTER
    data[environment] = (b"\1" + bytes(7)) * len(os.environ) + bytes(_POINTER)
    return (1, places[0], environment, 0, 0, 0), Captured(data)
