"""All that one session traces: the first target, which `$target` is, and others beside it.

    targets = Targets()
    targets.first = spawn.attach_pid(4711)
    targets.hold([["ls", "-l"], 4712], arm)     # ls is held until arm() has returned
    targets.have_ended({fds that poll() found readable})
"""

from __future__ import annotations

from invivo.linux import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Targets"]


class Targets:
    """Targets of which each is a command (as words) or the pid of a process."""

    __slots__ = ("_ended", "_others", "first")

    def __init__(self) -> None:
        self.first: spawn.Target | None = None
        self._others: list[spawn.Target] = []
        self._ended: set[int] = set()  # by pidfd

    def hold(self, others: Sequence[Sequence[str] | int], then: Callable[[], None]) -> None:
        """Take further targets, and call `then` while the commands among them are held."""
        if not others:
            then()
            return
        one, *rest = others
        if isinstance(one, int):
            self._others.append(spawn.attach_pid(one))
            self.hold(rest, then)
        else:
            self._others.append(spawn.spawn(one, lambda pid: self.hold(rest, then)))

    def running(self) -> list[spawn.Target]:
        """Those that have not ended."""
        targets = [self.first, *self._others]
        return [target for target in targets if target is not None and target.pidfd not in self._ended]

    def have_ended(self, ready: set[int]) -> bool:
        """Whether there were targets, and none of them runs any more; `ready` are descriptors that can be read."""
        running = self.running()
        self._ended.update(target.pidfd for target in running if target.pidfd in ready)
        return bool(self._ended) and not self.running()

    def close(self) -> None:
        """Let go of all of them."""
        for target in (self.first, *self._others):
            if target is not None:
                target.close()
        self.first = None
        self._others.clear()
