"""Where text goes: a file descriptor, which freopen() may change for a while, and from which system() is run.

    stream = Stream(1)
    stream.write(b"one\\n"); stream.reopen(b"/tmp/log"); stream.write(b"two\\n"); stream.reopen(b"")

`script` makes a printf() format a shell script in which what was traced is never shell text: a value is a variable of
the shell, and stands in the command as a reference to it, by the quotes around it.

    script("ls -l %s", (0,), types, style)((b"a; reboot",))    invivo_0='a; reboot'   ls -l "${invivo_0}"
"""

from __future__ import annotations

import contextlib
import os

from invivo.output.printf import format_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invivo.consumer.output import Packet
    from invivo.consumer.records import Raw
    from invivo.output.printf import Style
    from invivo.program.records import FieldType

__all__ = ["Stream", "script", "write_all"]


class Stream:
    """`problem` is called with what went wrong; the output then goes on where it was."""

    __slots__ = ("_first", "_link", "_own", "_path", "fd", "problem")

    def __init__(self, fd: int, problem: Callable[[str], None]) -> None:
        self.fd = fd
        self.problem = problem
        self._first = fd
        self._own = -1  # that of a file opened here
        self._path = b""
        self._link: int | None = None  # of the packets in that file, once there are any

    def write(self, data: bytes | memoryview) -> None:
        """All of it; see write_all. Between packets is no place for it: it goes where the output went at first."""
        write_all(self.fd if self._link is None else self._first, data)

    def capture(self, packet: Packet) -> bool:
        """Add a packet to the file that freopen() opened, if there is one. A file that cannot take it, since it holds
        something else, is left as it is, and that is told."""
        from invivo.output.capture import HEADER_BYTES, header, link_of, packet_bytes

        if self._own < 0:
            return False
        data = packet_bytes(packet)
        if self._link is None:
            begun = b""
            if os.fstat(self._own).st_size:
                with open(self._path, "rb") as stream:
                    begun = stream.read(HEADER_BYTES)
            self._link = link_of(begun) if begun else packet.link
            if self._link is None:
                self.problem(f"pcap(): '{os.fsdecode(self._path)}' holds something else than packets: none is added")
                self._link = -1
            elif not begun:
                data = header(packet.link) + data
        if self._link == packet.link:
            write_all(self._own, data)
        elif self._link >= 0:
            what = f"'{os.fsdecode(self._path)}' holds packets of the link type {self._link}"
            self.problem(f"pcap(): {what}, one of {packet.link} is left out")
        return True

    def reopen(self, path: bytes) -> None:
        """Append to a file from here on; "": go back to where the output went at first."""
        if path:
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY, 0o666)
            except OSError as error:
                self.problem(f"freopen(): cannot write to '{os.fsdecode(path)}': {error.strerror}")
                return
            self.close()
            self.fd = self._own = fd
            self._path = path
        else:
            self.close()

    def truncate(self) -> None:
        """Empty the file; what is no file (a terminal, a pipe) keeps what it has shown."""
        try:
            os.ftruncate(self.fd, 0)
            os.lseek(self.fd, 0, os.SEEK_SET)
        except OSError:
            return

    def system(self, command: bytes) -> None:
        """Run a command with sh(1) and wait for it; its output goes where ours goes without freopen()."""
        import subprocess

        try:
            subprocess.run([b"/bin/sh", b"-c", command], stdout=self._first, check=False)
        except (OSError, ValueError) as error:
            self.problem(f"system(): cannot run '{os.fsdecode(command)}': {error}")

    def close(self) -> None:
        """Give back a file that freopen() opened."""
        if self._own >= 0:
            os.close(self._own)
        self._own = -1
        self._link = None
        self.fd = self._first


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write everything, however little the descriptor takes at once.

    Raises:
        OSError: Writing failed (BrokenPipeError where the reader has gone); `filename` is where it was written to.
    """
    rest = memoryview(data)
    while len(rest):
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            import select

            select.select([], [fd], [])
        except OSError as error:
            with contextlib.suppress(OSError):
                error.filename = os.readlink(f"/proc/self/fd/{fd}")
            raise


def script(
    format_: str, fields: Sequence[int], types: Sequence[FieldType], style: Style
) -> Callable[[tuple[Raw, ...]], bytes]:
    """See the module."""
    pieces = format_pieces(format_, fields, types, style)

    def text(values: tuple[Raw, ...]) -> bytes:
        head, body, state = [], [], b""
        for number, piece in enumerate(pieces):
            if isinstance(piece, bytes):
                body.append(piece)
                state = _quotes(state, piece)
                continue
            shown, is_number = piece(values)
            if is_number:
                body.append(shown)
                continue
            name = b"invivo_%d" % number
            head.append(b"%s='%s'\n" % (name, shown.replace(b"'", b"'\\''")))
            body.append({b"": b'"${%s}"', b'"': b"${%s}", b"'": b"'\"${%s}\"'"}[state] % name)
        return b"".join(head + body)

    return text


def _quotes(state: bytes, text: bytes) -> bytes:
    """In which quotes of the shell the text ends, if it begins within `state`."""
    escaped = False
    for number in text:
        char = bytes((number,))
        if escaped:
            escaped = False
        elif char == b"\\" and state != b"'":
            escaped = True
        elif state:
            state = b"" if char == state else state
        elif char in b"'\"":
            state = char
    return state
