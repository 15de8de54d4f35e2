"""A process of its own that makes and holds uprobes, so that they are taken away in good order whatever happens to us.

    keeper = Keeper()                                        before anything is mapped or loaded that it should not hold
    keeper.attach(program_fd, "/usr/lib/libc.so.6", sites)   -> the sites that the kernel refuses
    keeper.release()                                         all of them are gone (those of one group: see attach)
    keeper.close()

To remove a breakpoint the kernel changes a page of the traced program. It cannot do that for a task that SIGKILL has
hit: uprobe_unregister_nosync() in kernel/events/uprobes.c says "leaking uprobe" and leaves the breakpoint in the code.
So somebody else must close the last descriptor: a child, forked early (it shares this process's memory), in a session
of its own and deaf to signals. It gets programs by SCM_RIGHTS, and ends when this process does, in whatever way.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import struct
import sys

from invivo.bpf.link import uprobe
from invivo.bpf.link.base import Link, close_all
from invivo.errors import InvivoError, KernelError, RightsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from typing import Any, NoReturn

    _Message = tuple[Any, ...]

__all__ = ["Keeper"]

_LENGTH = struct.Struct("<Q")
_NAME = b"invivo-keeper"  # as ps shows it


class Keeper:
    """See the module's text. Closing it removes what it still holds."""

    def __init__(self) -> None:
        """Fork.

        Raises:
            KernelError: No process can be made.
        """
        import socket

        self._groups: set[str] = set()
        self._ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        owner = -1
        try:
            owner = os.pidfd_open(os.getpid())
            self.pid = os.fork()
            if self.pid == 0:
                _live(theirs, owner)
        except OSError as error:
            self._ours.close()
            raise KernelError(error.errno or 0, "fork", "a process that holds probes") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
            if owner >= 0:
                os.close(owner)

    @property
    def fd(self) -> int:
        """Becomes readable when the keeper has ended, which it does not by itself; -1 when closed."""
        return self._ours.fileno()

    def attach(
        self, program_fd: int, path: str, sites: Sequence[uprobe.Site], *, is_return: bool = False, pid: int = 0,
        group: str = "",
    ) -> list[uprobe.Refusal]:  # fmt: skip
        """What `uprobe.attach` does, and raises; the links are the keeper's, until `group` is released.

        Raises:
            InvivoError: The keeper was killed.
        """
        self._groups.add(group)
        places = [tuple(site) for site in sites]
        outcome = self._ask((group, path, places, is_return, pid, uprobe.has_multi()), program_fd)
        match outcome:
            case ("refused", refused):
                return [uprobe.Refusal(uprobe.Site(*site), code) for site, code in refused]
            case ("kernel", code, call, what, hint):
                raise KernelError(code, call, what, hint)
            case ("rights", message, hint):
                raise RightsError(message, hint)
            case _:
                raise self.loss()

    def release(self, group: str = "") -> bool:
        """Remove the probes of a group, and wait until that is done; False if there were none. Without a word if the
        keeper is gone, and the probes with it."""
        if group not in self._groups:
            return False
        self._groups.remove(group)
        self._ask((group,))
        return True

    def loss(self) -> InvivoError:
        """What to raise when the keeper has ended, which was somebody else's doing."""
        how = "has ended"
        who = f"the process that holds the probes of programs ({self.pid}, {_NAME.decode()})"
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(self.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            how = f"was killed by signal {-code}" if code < 0 else f"has ended with status {code}"
        return InvivoError(f"{who} {how}: none of them fires any more", "start anew; it ends when invivo does")

    def close(self) -> None:
        """Remove what is held, and let the process end; may be called twice."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):
                _send(self._ours, None)  # not the end of the stream alone: a child of this process may have a copy
            self._ours.close()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)

    def _ask(self, request: _Message, program_fd: int = -1) -> _Message | None:
        """The answer, or None if the keeper is gone."""
        try:
            _send(self._ours, request, program_fd)
            answer, _ = _receive(self._ours)
        except OSError:
            return None
        return answer


# --- what goes over the socket: a length, and marshalled tuples; with a request to attach comes the program -----------


def _send(to: socket.socket, message: _Message | None, fd: int = -1) -> None:
    import socket

    data = marshal.dumps(message)
    header = _LENGTH.pack(len(data))
    if fd >= 0:
        socket.send_fds(to, [header], [fd])
    else:
        to.sendall(header)
    to.sendall(data)


def _receive(source: socket.socket) -> tuple[_Message | None, int]:
    """The next message, and the descriptor that came with it or -1; (None, -1) at the end."""
    import socket

    header, fds, _, _ = socket.recv_fds(source, _LENGTH.size, 1)
    if len(header) < _LENGTH.size:
        return None, -1
    data = bytearray()
    (length,) = _LENGTH.unpack(header)
    while len(data) < length:
        part = source.recv(length - len(data))
        if not part:
            return None, -1
        data += part
    return marshal.loads(data), fds[0] if fds else -1


# --- the keeper's side ----------------------------------------------------------------------------------------------


def _live(requests: socket.socket, owner: int) -> NoReturn:
    """All of the new process's life; signals stay blocked."""
    groups: dict[str, list[Link]] = {}
    try:
        os.setsid()
        _let_go({requests.fileno(), owner})
        _serve(requests, owner, groups)
    except OSError:
        pass  # the owner is gone
    finally:
        close_all([link for links in groups.values() for link in links])
        os._exit(0)


def _let_go(kept: set[int]) -> None:
    """Close everything that this process inherited, so that nobody waits for its end."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "wb") as stream:
        stream.write(_NAME)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        if fd not in kept:
            os.dup2(nowhere, fd)
    for name in os.listdir("/proc/self/fd"):
        if (fd := int(name)) > 2 and fd not in kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(fd)


def _serve(requests: socket.socket, owner: int, groups: dict[str, list[Link]]) -> None:
    """Carry out requests until there can be no more."""
    from select import POLLIN, poll

    poller = poll()
    poller.register(requests, POLLIN)
    poller.register(owner, POLLIN)
    while True:
        ready = {fd for fd, _ in poller.poll()}
        if owner in ready:
            return
        request, program_fd = _receive(requests)
        match request:
            case None:
                return
            case (group,):
                close_all(groups.pop(group, []))
                _send(requests, ("released",))
            case (group, path, sites, is_return, pid, multi):
                links = groups.setdefault(group, [])
                try:
                    _send(requests, _attach(program_fd, path, sites, is_return, pid, multi, links))
                finally:
                    os.close(program_fd)


def _attach(
    program_fd: int, path: str, places: list[tuple[int, ...]], is_return: bool, pid: int, multi: bool, links: list[Link]
) -> _Message:
    sites = [uprobe.Site(*place) for place in places]
    try:
        attached = uprobe.attach(program_fd, path, sites, is_return=is_return, pid=pid, multi=multi)
    except KernelError as error:
        return "kernel", error.errno, error.call, error.what, error.hint
    except RightsError as error:
        return "rights", error.message, error.hint
    links += attached.links
    return "refused", [(tuple(refusal.site), refusal.errno) for refusal in attached.refused]
