"""Unwind rules read by a process of their own, so that who traces goes on meanwhile.

    reader = RuleReader()
    reader.ask(7, "/proc/self/fd/12")     have the rules of a file read; begins the process
    reader.fd                             readable when there are answers
    reader.take()                         [(7, RuleTable)]
    reader.close()                        ends the process, whatever it does

It is no thread, which would share the interpreter's lock with the consumer, and no fork, which would hold the tracer's
probes open after a kill of the tracer. It ends when the tracer's end of its pipe is closed, so by a kill too. Its
memory is bounded, and given back when it ends: some seconds after its last answer, and it is begun again for more.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from contextlib import suppress

from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.rule_cache import packed, rules_in, unpacked
from invivo.symbols.rules import EMPTY, RuleTable

__all__ = ["RuleReader"]

_MEMORY = 2 << 30  # bytes of address space of the process
_IDLE_S = 5.0  # after which the process is ended, until the next file
_ANSWER = struct.Struct("<QQ")  # number, bytes that follow
_PIPE = 1 << 20  # bytes


class RuleReader:
    """The tracer's end. `waiting` counts the files asked for and not answered yet."""

    def __init__(self) -> None:
        self._pid = 0
        self._to = self._from = -1
        self._buffer = bytearray()
        self._asked: dict[int, str] = {}
        self._busy_at = 0.0

    @property
    def fd(self) -> int:
        """Readable when there is an answer; -1 while nobody was asked."""
        return self._from

    @property
    def waiting(self) -> int:
        return len(self._asked)

    def ask(self, number: int, path: str) -> None:
        """Have a file read, which is answered under `number`; `path` is one by which this process opens it."""
        self._asked[number] = path
        if self._from < 0:
            self._begin()
        if path.startswith("/proc/self/"):
            path = f"/proc/{os.getpid()}/{path.removeprefix('/proc/self/')}"
        with suppress(OSError):  # it has ended, which take() finds out
            status = os.stat(path)
            line = f"{number} {status.st_dev} {status.st_ino} {status.st_size} {path}\n"
            os.write(self._to, line.encode("utf-8", "surrogateescape"))

    def take(self, timeout_s: float = 0.0) -> list[tuple[int, RuleTable]]:
        """The answers since the last call; waits for one, at most so long, if there is none."""
        import select

        found: list[tuple[int, RuleTable]] = []
        now = time.monotonic()
        if self._asked:
            self._busy_at = now
        elif self._from >= 0 and now - self._busy_at > _IDLE_S:
            self.close()
        end = now + timeout_s
        while self._from >= 0 and self._asked:
            left = 0.0 if found else max(0.0, end - time.monotonic())
            poller = select.poll()
            poller.register(self._from, select.POLLIN)
            if not poller.poll(left * 1e3):
                break
            data = os.read(self._from, _PIPE)
            if not data:  # it was killed, or has run out of memory: what it was asked for has no rules
                found += [(number, EMPTY) for number in self._asked]
                self._asked.clear()
                self.close()
                break
            self._buffer += data
            found += self._answers()
        return found

    def _answers(self) -> list[tuple[int, RuleTable]]:
        found = []
        at = 0
        while at + _ANSWER.size <= len(self._buffer):
            number, size = _ANSWER.unpack_from(self._buffer, at)
            end = at + _ANSWER.size + size
            if end > len(self._buffer):
                break
            self._asked.pop(number, None)
            found.append((number, unpacked(bytes(self._buffer[at + _ANSWER.size : end])) or EMPTY))
            at = end
        del self._buffer[:at]
        return found

    def _begin(self) -> None:
        import fcntl

        its_in, self._to = os.pipe()
        self._from, its_out = os.pipe()
        fcntl.fcntl(its_out, fcntl.F_SETPIPE_SZ, _PIPE)
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        code = f"import sys; sys.path.insert(0, {root!r}); from invivo.symbols.rule_reader import answer; answer()"
        null = "/dev/null"
        actions = [
            (os.POSIX_SPAWN_DUP2, its_in, 0), (os.POSIX_SPAWN_DUP2, its_out, 1),
            (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
        ]  # fmt: skip
        try:
            # In a group of its own: a terminal's Ctrl-C is for the tracer.
            self._pid = os.posix_spawn(
                sys.executable, [sys.executable, "-I", "-S", "-c", code], os.environ, file_actions=actions, setpgroup=0
            )
        except OSError:
            os.close(self._to)
            self._to = -1  # take() finds the other end closed
        finally:
            os.close(its_in)
            os.close(its_out)

    def close(self) -> None:
        """End the process; may be called twice."""
        for fd in (self._to, self._from):
            if fd >= 0:
                os.close(fd)
        self._to = self._from = -1
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0


# --- the process ------------------------------------------------------------------------------------------------------


def answer() -> None:
    """Read lines of `number device inode size path` from standard input, and answer each on standard output, until the
    input ends: small files first, so that most stacks need not wait for the largest."""
    import resource
    import threading

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    lines: list[tuple[int, bytes]] = []
    there = threading.Semaphore(0)

    def read() -> None:
        with os.fdopen(0, "rb", buffering=0) as stream:
            rest = b""
            while data := stream.read(1 << 16):
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    lines.append((int(line.split(b" ", 4)[3]), line))
                    there.release()
        os._exit(0)  # in the midst of a file too

    threading.Thread(target=read, daemon=True).start()
    while True:
        there.acquire()
        smallest = min(lines)
        lines.remove(smallest)
        number, device, inode, _, path = smallest[1].split(b" ", 4)
        data = packed(_table(os.fsdecode(path), (int(device), int(inode))))
        view = memoryview(_ANSWER.pack(int(number), len(data)) + data)
        while view:
            view = view[os.write(1, view) :]


def _table(path: str, identity: tuple[int, int]) -> RuleTable:
    """The rules of a file, if the path still leads to it: the tracer may have closed its descriptor meanwhile."""
    try:
        with ElfFile.open(path) as elf:
            status = os.stat(path)
            return rules_in(elf) if (status.st_dev, status.st_ino) == identity else EMPTY
    except (ElfError, OSError, MemoryError):
        return EMPTY
