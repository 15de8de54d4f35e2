"""What every attach function returns."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Link", "close_all"]

_AT_ONCE = 16


class Link:
    """An attachment, held by one or more descriptors, closed in order."""

    __slots__ = ("fds", "name")

    def __init__(self, name: str, *fds: int) -> None:
        self.name = name
        self.fds = list(fds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Detach; may be called twice."""
        while self.fds:
            os.close(self.fds.pop(0))


def close_all(links: list[Link]) -> None:
    """Close links in order, and empty the list; many at a time where there are many.

    Letting go of one may wait for a grace period of the kernel's, some 10 to 100 ms, which several share.
    """
    if len(links) > 2:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(_AT_ONCE, len(links))) as pool:
            for _ in pool.map(Link.close, links):
                pass
    else:
        for link in links:
            link.close()
    links.clear()
