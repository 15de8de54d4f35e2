"""From stacks as the public API gives them to frames of a profile.

    Stack((...), ("libc.so.6`read+0x10", "redis`main+0x2a"), True)   Frame("main", "redis"), Frame("read", "libc.so.6")
    Stack((...), ("vmlinux`vfs_read+0x1c",), False)                  Frame("vfs_read", "vmlinux", KERNEL)
    ... "redis`lookup (db.c:60) [inlined]" (option srcline)          Frame("lookup", "redis", INLINED)
"""

from __future__ import annotations

import re

from invivo.flame.naming import clean, frame_of
from invivo.flame.profile import Frame, Kind, Profile
from invivo.tools.flame.containers import Containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from invivo.consumer.records import Stack

__all__ = ["Stacks", "untraced"]

_NAMELESS = re.compile(r"^(?:(?P<module>[^`]+)`)?0x[0-9a-f]+(?: \[(?P<why>[^\]]*)\])?$")


_NOT_LOOKED_UP = re.compile(r" \(no line: (?P<why>[^()]+)\)$")
_SOURCE = re.compile(r" \([^() ]+:\d+\)(?P<inlined> \[inlined\])?$")


class Stacks:
    """Finds the node of stacks, remembering each text's frame and each stack's node."""

    def __init__(self, profile: Profile, containers: Containers | None = None) -> None:
        self._profile = profile
        self._frames: dict[tuple[str, Kind], int] = {}
        self._nodes: dict[tuple[Stack | str, ...], int] = {}
        self._containers = containers or Containers()

    def node(self, *parts: Stack | str) -> int:
        """The node of stacks from the outermost on. A text is a frame: behind a stack one of the kernel's, a system
        call; before them a thread's or container's name."""
        node = self._nodes.get(parts)
        if node is None:
            node = 0
            for place, part in enumerate(parts):
                if isinstance(part, str):
                    is_first = all(isinstance(before, str) for before in parts[:place])
                    kind = Kind.USER if is_first else Kind.KERNEL
                    node = self._profile.child(node, self._number(part, kind))
                else:
                    kind = Kind.USER if part.is_user else Kind.KERNEL
                    node = self.under(node, reversed(part.names if part.is_user else untraced(part.names)), kind)
            self._nodes[parts] = node
        return node

    def of(self, pid: int, *parts: Stack | str) -> int:
        """The node of a process's stacks: what runs in a container has its name as the outermost frame."""
        container = self._containers.of(pid)
        return self.node(f"[container {container}]", *parts) if container else self.node(*parts)

    def under(self, node: int, names: Iterable[str], kind: Kind) -> int:
        """The node of more frames below a node."""
        for name in names:
            node = self._profile.child(node, self._number(name, kind))
        return node

    def _number(self, name: str, kind: Kind) -> int:
        number = self._frames.get((name, kind))
        if number is None:
            if match := _NOT_LOOKED_UP.search(name):
                note = f"inlined functions are missing from some stacks: {match['why']}"
                if note not in self._profile.notes:
                    self._profile.notes.append(note)
                return self._number(name[: match.start()], kind)
            number = self._frames[name, kind] = self._profile.frame(_frame(name, kind))
        return number


def untraced(names: tuple[str, ...]) -> tuple[str, ...]:
    """A kernel's stack without its innermost function where that only calls the programs at a tracepoint: it is there
    while several are, and one wait would be two."""
    return names[1:] if names and "`__traceiter_" in names[0] else names


def _frame(name: str, kind: Kind) -> Frame:
    if match := _SOURCE.search(name):  # one function is one frame, whichever line of it
        name, kind = name[: match.start()], Kind.INLINED if match["inlined"] else kind
    elif name.endswith(" [inlined]"):
        name, kind = name.removesuffix(" [inlined]"), Kind.INLINED
    if match := _NAMELESS.match(name):  # an address tells nobody anything: all of one file are one frame
        module = match["module"] or ""
        why = match["why"] or "no name"
        return Frame(f"[{module}: {why}]" if module else f"[{why}]", clean(module), kind)
    found = frame_of(clean(name), kind=kind)
    return found if found.module else found._replace(name=found.name.partition("+0x")[0] or found.name)
