"""What pointers of system calls lead to, as text.

    structure("struct stat *", address, reader, 1)     "{st_mode=S_IFREG|0644, st_size=1871, ...}"

In: a type of C, an address, a reader of the process's memory. Out: text, or None where the memory cannot be read or
the type is not known. Layouts are those of 64-bit x86: include/uapi/asm-generic/, arch/x86/include/uapi/asm/.
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from collections.abc import Callable
from typing import Protocol

from invivo.strace.flags import Names, signal_name

__all__ = ["Reader", "quoted", "signal_set", "structure", "wait_status"]


class Reader(Protocol):
    """The memory of the thread that made the call, and how much of a string is shown."""

    limit: int

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes."""
        ...


def quoted(data: bytes, limit: int) -> str:
    """Bytes as a C string of at most `limit` of them; "..." follows where there are more."""
    shown = data[:limit]
    parts = []
    for index, byte in enumerate(shown):
        char = chr(byte)
        if char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif 32 <= byte < 127:
            parts.append(char)
        else:
            following = shown[index + 1 : index + 2]
            parts.append(f"\\{byte:03o}" if following.isdigit() else f"\\{byte:o}")
    return f'"{"".join(parts)}"{"..." if len(data) > limit else ""}'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
_FILE_TYPES = {
    0o140000: "S_IFSOCK", 0o120000: "S_IFLNK", 0o100000: "S_IFREG", 0o060000: "S_IFBLK", 0o040000: "S_IFDIR",
    0o020000: "S_IFCHR", 0o010000: "S_IFIFO",
}  # fmt: skip
_SA_FLAGS = Names({
    "SA_NOCLDSTOP": 1, "SA_NOCLDWAIT": 2, "SA_SIGINFO": 4, "SA_RESTORER": 0x04000000, "SA_ONSTACK": 0x08000000,
    "SA_RESTART": 0x10000000, "SA_NODEFER": 0x40000000, "SA_RESETHAND": 0x80000000,
})  # fmt: skip
_INFINITE = (1 << 64) - 1


def structure(type_: str, address: int, reader: Reader, count: int) -> str | None:
    """See the module's text; `count` is the number of elements, or the bytes, that the next argument gives."""
    tag = type_.replace("const ", "").strip()
    found = _READERS.get(tag)
    return found(address, reader, count) if found is not None else None


def _fields(form: str, text: Callable[..., str]) -> Callable[[int, Reader, int], str | None]:
    layout = struct.Struct("<" + form)

    def read(address: int, reader: Reader, count: int) -> str | None:
        data = reader.read(address, layout.size)
        return text(*layout.unpack(data)) if len(data) == layout.size else None

    return read


def _array(
    form: str, text: Callable[..., str], most: int = 32
) -> Callable[[int, Reader, int], str | None]:
    layout = struct.Struct("<" + form)

    def read(address: int, reader: Reader, count: int) -> str | None:
        wanted = min(max(count, 0), most)
        data = reader.read(address, layout.size * wanted)
        if len(data) < layout.size * wanted:
            return None
        items = [text(*row) for row in layout.iter_unpack(data)]
        return f"[{', '.join(items)}{', ...' if count > most else ''}]"

    return read


def _stat(*row: int) -> str:
    mode, device, size = row[3], row[7], row[8]
    kind = _FILE_TYPES.get(mode & 0o170000, f"{mode & 0o170000:#o}")
    what = f"st_size={size}"
    if kind in ("S_IFCHR", "S_IFBLK"):
        major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
        what = f"st_rdev=makedev({major:#x}, {device & 0xFF | device >> 12 & ~0xFF:#x})"
    return f"{{st_mode={kind}|{mode & 0o7777:04o}, {what}, ...}}"


def _statx(*row: int) -> str:
    mode = row[6]
    kind = _FILE_TYPES.get(mode & 0o170000, f"{mode & 0o170000:#o}")
    return f"{{stx_mode={kind}|{mode & 0o7777:04o}, stx_size={row[8]}, ...}}"


def _limits(current: int, maximum: int) -> str:
    return f"{{rlim_cur={_limit(current)}, rlim_max={_limit(maximum)}}}"


def _limit(value: int) -> str:
    if value == _INFINITE:
        return "RLIM64_INFINITY"
    return f"{value >> 10}*1024" if value and value % 1024 == 0 else str(value)


def _sockaddr(address: int, reader: Reader, count: int) -> str | None:
    data = reader.read(address, min(max(count, 0), 128))
    if len(data) < 2:
        return None
    family = int.from_bytes(data[:2], "little")
    if family == 1:
        path = data[2:].split(b"\0", 1)[0] if data[2:3] != b"\0" else data[2:]
        if not path:
            return "{sa_family=AF_UNIX}"
        mark = "@" if path[:1] == b"\0" else ""
        return f"{{sa_family=AF_UNIX, sun_path={mark}{quoted(path[1:] if mark else path, 108)}}}"
    port = int.from_bytes(data[2:4], "big")
    if family == 2 and len(data) >= 8:
        where = ipaddress.IPv4Address(data[4:8])
        return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{where}")}}'
    if family == 10 and len(data) >= 28:
        flow, scope = int.from_bytes(data[4:8], "big"), int.from_bytes(data[24:28], "little")
        where6 = ipaddress.IPv6Address(data[8:24])
        return (
            f"{{sa_family=AF_INET6, sin6_port=htons({port}), sin6_flowinfo=htonl({flow}), "
            f'inet_pton(AF_INET6, "{where6}", &sin6_addr), sin6_scope_id={scope}}}'
        )
    if family == 16 and len(data) >= 12:
        pid, groups = struct.unpack_from("<II", data, 4)
        return f"{{sa_family=AF_NETLINK, nl_pid={pid}, nl_groups={groups:08x}}}"
    return f"{{sa_family={family}, sa_data={quoted(data[2:], reader.limit)}}}"


def _vectors(address: int, reader: Reader, count: int) -> str | None:
    wanted = min(max(count, 0), 16)
    data = reader.read(address, 16 * wanted)
    if len(data) < 16 * wanted:
        return None
    items = []
    for base, length in struct.iter_unpack("<QQ", data):
        content = reader.read(base, min(length, reader.limit + 1))
        shown = quoted(content, reader.limit) if content or not length else f"{base:#x}"
        items.append(f"{{iov_base={shown}, iov_len={length}}}")
    return f"[{', '.join(items)}{', ...' if count > wanted else ''}]"


@functools.cache
def _poll_names() -> Names:
    import select

    return Names({name: value for name, value in vars(select).items() if name.startswith("POLL")})


@functools.cache
def _epoll_names() -> Names:
    import select

    return Names({n: v for n, v in vars(select).items() if n.startswith("EPOLL") and n != "EPOLL_CLOEXEC"})


def _pollfd(fd: int, events: int, revents: int) -> str:
    back = f", revents={_poll_names().text(revents)}" if revents else ""
    return f"{{fd={fd}, events={_poll_names().text(events)}{back}}}"


def _epoll_event(events: int, data: int) -> str:
    return f"{{events={_epoll_names().text(events)}, data=0x{data:x}}}"


def signal_set(mask: int) -> str:
    """The signals of a mask, as strace(1) writes them: [INT QUIT], or ~[] for all."""
    numbers = {number for number in range(1, 65) if mask >> (number - 1) & 1}
    if len(numbers) > 32:
        rest = sorted(set(range(1, 65)) - numbers)
        return "~[" + " ".join(signal_name(n).removeprefix("SIG") for n in rest) + "]"
    return "[" + " ".join(signal_name(number).removeprefix("SIG") for number in sorted(numbers)) + "]"


def _sigaction(handler: int, flags: int, restorer: int, mask: int) -> str:
    who = {0: "SIG_DFL", 1: "SIG_IGN"}.get(handler, f"{handler:#x}")
    back = f", sa_restorer={restorer:#x}" if flags & 0x04000000 else ""
    return f"{{sa_handler={who}, sa_mask={signal_set(mask)}, sa_flags={_SA_FLAGS.text(flags)}{back}}}"


def wait_status(status: int) -> str:
    """A wait status, taken apart by wait(2)'s macros."""
    if status & 0x7F == 0:
        return f"[{{WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8 & 0xFF}}}]"
    if status & 0xFF == 0x7F:
        return f"[{{WIFSTOPPED(s) && WSTOPSIG(s) == {signal_name(status >> 8 & 0xFF)}}}]"
    if status == 0xFFFF:
        return "[{WIFCONTINUED(s)}]"
    core = " && WCOREDUMP(s)" if status & 0x80 else ""
    return f"[{{WIFSIGNALED(s) && WTERMSIG(s) == {signal_name(status & 0x7F)}{core}}}]"


def _utsname(*names: bytes) -> str:
    system, node = (quoted(name.split(b"\0", 1)[0], 64) for name in names[:2])
    return f"{{sysname={system}, nodename={node}, ...}}"


_timespec = _fields("qq", lambda seconds, ns: f"{{tv_sec={seconds}, tv_nsec={ns}}}")
_READERS: dict[str, Callable[[int, Reader, int], str | None]] = {
    "struct stat *": _fields("QQQIIIIQqqqqqqqqq", _stat),
    "struct statx *": _fields("IIQIIIH2xQQ", _statx),
    "struct __kernel_timespec *": _timespec,
    "struct __kernel_old_timeval *": _fields("qq", lambda seconds, us: f"{{tv_sec={seconds}, tv_usec={us}}}"),
    "struct rlimit64 *": _fields("QQ", _limits),
    "struct rlimit *": _fields("QQ", _limits),
    "struct sockaddr *": _sockaddr,
    "struct iovec *": _vectors,
    "struct pollfd *": _array("ihh", _pollfd),
    "struct epoll_event *": _array("IQ", _epoll_event),
    "struct sigaction *": _fields("QQQQ", _sigaction),
    "sigset_t *": _fields("Q", signal_set),
    "struct new_utsname *": _fields("65s65s65s65s65s65s", _utsname),
    "struct timezone *": _fields("ii", lambda west, dst: f"{{tz_minuteswest={west}, tz_dsttime={dst}}}"),
    "uid_t *": _fields("I", lambda value: f"[{value}]"),
    "gid_t *": _array("I", str),
    "int *": _fields("i", lambda value: f"[{value}]"),
    "loff_t *": _fields("q", lambda value: f"[{value}]"),
}
