"""Arguments and results as text.

    values = Values(memory, pid, limit=32, shows_paths=False)
    values.argument(call, 1, words)              '"/etc/passwd"'; None if it is known when the call has returned
    values.late_argument(call, 1, words, 512)    '"root:x:0:0:"...'
    values.result(call, -2)                      "-1 ENOENT (No such file or directory)"
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from invivo.linux.ptrace import ProcessMemory
from invivo.strace.calls import Call, Kind
from invivo.strace.flags import names_of
from invivo.strace.structures import quoted, structure, wait_status

__all__ = ["Values", "error_name", "is_error"]

_AT_FDCWD = -100
_WORD = 1 << 64
_LATE = (Kind.OUT_DATA, Kind.OUT_STRUCT)
# What a call answers to the kernel alone, include/linux/errno.h.
_RESTARTS = {
    512: ("ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    513: ("ERESTARTNOINTR", "To be restarted"),
    514: ("ERESTARTNOHAND", "To be restarted if no handler"),
    516: ("ERESTART_RESTARTBLOCK", "Interrupted by signal"),
}
_ADDRESSES = {"mmap", "brk", "mremap", "shmat", "arch_prctl"}
_DESCRIPTORS = {
    "open", "openat", "openat2", "creat", "dup", "dup2", "dup3", "socket", "accept", "accept4", "epoll_create",
    "epoll_create1", "eventfd", "eventfd2", "timerfd_create", "signalfd4", "inotify_init1", "memfd_create",
    "pidfd_open", "perf_event_open", "fanotify_init", "userfaultfd", "pidfd_getfd",
}  # fmt: skip
_NO_RESULT = {"exit", "exit_group"}


def is_error(result: int) -> bool:
    """Whether a result (signed) is a negative error number."""
    return -4096 < result < 0


def error_name(result: int) -> str:
    """ENOENT of -2."""
    return errno.errorcode.get(-result, _RESTARTS.get(-result, (f"ERRNO_{-result}", ""))[0])


def _signed(word: int, bits: int = 64) -> int:
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word


class Values:
    """Reads the memory of one process. `limit` bounds strings, in bytes; `shows_paths` follows descriptors (-y)."""

    __slots__ = ("_memory", "_pid", "limit", "shows_paths")

    def __init__(self, memory: ProcessMemory, pid: int, limit: int, shows_paths: bool) -> None:
        self._memory = memory
        self._pid = pid
        self.limit = limit
        self.shows_paths = shows_paths

    def read(self, address: int, size: int) -> bytes:
        """Memory, for structures."""
        return self._memory.read(address, size)

    def argument(self, call: Call, index: int, words: Sequence[int]) -> str | None:
        """An argument when the call begins; `words` are all of them as 64-bit numbers."""
        _, type_, kind = call.parameters[index]
        word = words[index]
        match kind:
            case Kind.SIGNED:
                return str(_signed(word, 64 if "long" in type_ or "off_t" in type_ or "ssize" in type_ else 32))
            case Kind.UNSIGNED:
                return str(word if "long" in type_ or type_ in ("size_t", "u64", "__u64") else word & 0xFFFFFFFF)
            case Kind.HEX:
                is_address = "*" in type_ or call.parameters[index].name in ("addr", "brk")
                return f"{word:#x}" if word else "NULL" if is_address else "0"
            case Kind.FLAGS:
                names = names_of(call.kernel, call.parameters[index].name)
                value = word if "long" in type_ else word & 0xFFFFFFFF
                return names.text(value) if names is not None else f"{value:#x}"
            case Kind.MODE:
                return f"{word & 0xFFFF:04o}" if word & 0xFFFF else "000"
            case Kind.FD:
                return self._descriptor(_signed(word, 32))
            case Kind.PATH:
                return self._string(word)
            case Kind.DATA:
                return self._bytes(word, words[index + 1])
            case Kind.STRINGS:
                return self._strings(word)
            case Kind.ENVIRONMENT:
                return self._environment(word)
            case Kind.STRUCT:
                return self._structure(type_, word, self._count(words, index))
            case Kind.OUT_DATA | Kind.OUT_STRUCT:
                return None if word else "NULL"

    def late_argument(self, call: Call, index: int, words: Sequence[int], result: int) -> str:
        """An argument that the call filled, when it has returned `result` (signed)."""
        parameter = call.parameters[index]
        word = words[index]
        if is_error(result):
            return f"{word:#x}"
        if parameter.kind is Kind.OUT_DATA:
            return self._bytes(word, min(result, words[index + 1])) if result > 0 else '""'
        if parameter.name == "stat_addr":
            return self._number(word, wait_status) if result > 0 else f"{word:#x}"
        if parameter.name in ("fildes", "usockvec"):
            data = self.read(word, 8)
            pair = [str(int.from_bytes(data[at : at + 4], "little")) for at in (0, 4)]
            return f"[{', '.join(pair)}]" if len(data) == 8 else f"{word:#x}"
        count = self._count(words, index)
        if parameter.type == "struct epoll_event *":
            count = result
        elif parameter.type == "struct sockaddr *" and index + 1 < len(words):
            count = int.from_bytes(self.read(words[index + 1], 4), "little")  # it is told by address here
        return self._structure(parameter.type, word, count)

    def result(self, call: Call, result: int) -> str:
        """What the call answered."""
        if call.name in _NO_RESULT:
            return "?"
        if is_error(result):
            if -result in _RESTARTS:
                name, meaning = _RESTARTS[-result]
                return f"? {name} ({meaning})"
            return f"-1 {error_name(result)} ({os.strerror(-result)})"
        if call.name in _ADDRESSES and result:
            return f"{result % _WORD:#x}"
        if call.name in _DESCRIPTORS:
            return self._descriptor(result)
        return str(result)

    # --- kinds ------------------------------------------------------------------------------------------------------

    def _descriptor(self, fd: int) -> str:
        if fd == _AT_FDCWD:
            return f"AT_FDCWD<{self._link('cwd')}>" if self.shows_paths else "AT_FDCWD"
        if self.shows_paths and fd >= 0 and (path := self._link(f"fd/{fd}")):
            return f"{fd}<{path}>"
        return str(fd)

    def _link(self, name: str) -> str:
        try:
            target = os.readlink(f"/proc/{self._pid}/{name}")
        except OSError:
            return ""
        return quoted(os.fsencode(target), 4096)[1:-1]

    def _string(self, address: int, limit: int | None = None) -> str:
        if not address:
            return "NULL"
        text = self._memory.read_string(address, 4096)
        # A path is shown whole, as far as the kernel would read it.
        return quoted(text, limit or max(self.limit, 4096)) if text is not None else f"{address:#x}"

    def _bytes(self, address: int, size: int) -> str:
        if not address:
            return "NULL"
        data = self.read(address, min(size, self.limit + 1))
        return quoted(data, self.limit) if data or not size else f"{address:#x}"

    def _pointers(self, address: int, most: int) -> list[int]:
        found: list[int] = []
        while len(found) < most:
            word = self.read(address + 8 * len(found), 8)
            if len(word) < 8 or not any(word):
                break
            found.append(int.from_bytes(word, "little"))
        return found

    def _strings(self, address: int) -> str:
        if not address:
            return "NULL"
        pointers = self._pointers(address, self.limit + 1)
        items = [self._string(pointer, self.limit) for pointer in pointers[: self.limit]]
        return f"[{', '.join(items)}{', ...' if len(pointers) > self.limit else ''}]"

    def _environment(self, address: int) -> str:
        if not address:
            return "NULL"
        count = len(self._pointers(address, 4096))
        return f"{address:#x} /* {count} var{'s' * (count != 1)} */"

    def _structure(self, type_: str, address: int, count: int) -> str:
        if not address:
            return "NULL"
        return structure(type_, address, self, count) or f"{address:#x}"

    def _number(self, address: int, text: object) -> str:
        data = self.read(address, 4)
        assert callable(text)
        return str(text(int.from_bytes(data, "little"))) if len(data) == 4 else f"{address:#x}"

    @staticmethod
    def _count(words: Sequence[int], index: int) -> int:
        return _signed(words[index + 1], 32) if index + 1 < len(words) else 1
