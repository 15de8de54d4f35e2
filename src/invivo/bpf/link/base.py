"""What every attach function returns."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from typing import Self

__all__ = ["Link", "close_all"]

_AT_ONCE = 16


class Link:
    """An attachment, held by one or more descriptors, closed in order. Of those at one `place` (empty: not told), the
    last is let go first: a tracepoint whose first program goes makes the kernel wait (kernel/tracepoint.c, 2->1)."""

    __slots__ = ("fds", "name", "place")

    def __init__(self, name: str, *fds: int, place: str = "") -> None:
        self.name = name
        self.fds = list(fds)
        self.place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Detach; may be called twice."""
        while self.fds:
            os.close(self.fds.pop(0))


def close_all(links: list[Link]) -> None:
    """Close links, and empty the list; many at a time where there are many.

    Letting go of one may wait for a grace period of the kernel's, some 10 to 100 ms, which several share.
    """
    if len(links) > 2 and (executor := _executor()) is not None:
        with executor(min(_AT_ONCE, len(links))) as pool:
            for at_once in _rounds(links):
                for _ in pool.map(Link.close, at_once):
                    pass
    else:
        for link in reversed(links):
            link.close()
    links.clear()


def _executor() -> type[ThreadPoolExecutor] | None:
    """None where there is no descriptor left to import it with."""
    try:
        from concurrent.futures import ThreadPoolExecutor
    except OSError:
        return None
    return ThreadPoolExecutor


def _rounds(links: list[Link]) -> list[list[Link]]:
    """The links in the order in which they go: those of a round are of different places."""
    rounds: list[list[Link]] = []
    seen: dict[str, int] = {}
    for link in reversed(links):
        turn = seen.get(link.place, 0) if link.place else 0
        seen[link.place] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(link)
    return rounds
