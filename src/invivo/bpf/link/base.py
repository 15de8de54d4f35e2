"""What every attach function returns."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Link"]


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
