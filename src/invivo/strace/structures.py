"""What pointers of system calls lead to, as text.

    structure("struct stat *", address, reader, 1)     "{st_mode=S_IFREG|0644, st_size=1871, ...}"

In: a type of C, an address, a reader of the process's memory. Out: text, or None where the memory cannot be read or
the type is not known. Layouts are those of 64-bit x86: include/uapi/asm-generic/, arch/x86/include/uapi/asm/.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

from invivo.strace.file_structures import flock, stat, statfs, statx
from invivo.strace.flags import Names, signal_name

__all__ = [
    "Quoting", "Reader", "Size", "message", "poll_events", "quoted", "set_quoting", "signal_set", "size_of",
    "structure", "vectors", "wait_status",
]  # fmt: skip


class Reader(Protocol):
    """The memory of the thread that made the call, and how much of a string is shown."""

    limit: int

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes."""
        ...


class Quoting(enum.IntEnum):
    """How bytes that are no characters are shown: in octal; or in hexadecimal those (-x: all of a string that has such;
    -xx: all of every string)."""

    OCTAL = 0
    ODD_BYTES = 1
    ODD_STRINGS = 2
    ALL = 3


class _Style:
    """How strings are shown, in this process: it is the same for all lines."""

    quoting = Quoting.OCTAL


def set_quoting(quoting: Quoting) -> None:
    """How quoted() shows bytes from now on."""
    _Style.quoting = quoting


def quoted(data: bytes, limit: int) -> str:
    """Bytes as a C string of at most `limit` of them; "..." follows where there are more."""
    shown = data[:limit]
    parts = []
    quoting = _Style.quoting
    if quoting and (quoting is Quoting.ALL or (quoting is Quoting.ODD_STRINGS and _is_odd(shown))):
        parts = [f"\\x{byte:02x}" for byte in shown]
        shown = b""
    for index, byte in enumerate(shown):
        char = chr(byte)
        if char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif 32 <= byte < 127:
            parts.append(char)
        elif quoting is Quoting.ODD_BYTES:
            parts.append(f"\\x{byte:02x}")
        else:
            following = shown[index + 1 : index + 2]
            parts.append(f"\\{byte:03o}" if following in _OCTAL else f"\\{byte:o}")
    return f'"{"".join(parts)}"{"..." if len(data) > limit else ""}'


def _is_odd(data: bytes) -> bool:
    return any(not 32 <= byte < 127 and byte not in b"\t\n\v\f\r" for byte in data)


_OCTAL = frozenset(bytes([digit]) for digit in b"01234567")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
_SA_FLAGS = Names({
    "SA_NOCLDSTOP": 1, "SA_NOCLDWAIT": 2, "SA_SIGINFO": 4, "SA_RESTORER": 0x04000000, "SA_ONSTACK": 0x08000000,
    "SA_RESTART": 0x10000000, "SA_NODEFER": 0x40000000, "SA_RESETHAND": 0x80000000,
}, later=("SA_SIGINFO", "SA_NOCLDSTOP", "SA_NOCLDWAIT"))  # fmt: skip
_INFINITE = (1 << 64) - 1


def structure(type_: str, address: int, reader: Reader, count: int) -> str | None:
    """See the module's text; `count` is the number of elements, or the bytes, that the next argument gives."""
    tag = type_.replace("const ", "").strip()
    found = _LAYOUTS.get(tag)
    return found.text(address, reader, count) if found is not None else None


class Size(NamedTuple):
    """What is read of a structure: `bytes`, or of an array at most `most` times so many."""

    bytes: int
    is_array: bool = False
    most: int = 1


class _Layout(NamedTuple):
    """How a structure is shown; `size` is None where it leads to other memory."""

    text: Callable[[int, Reader, int], str | None]
    size: Size | None


def size_of(type_: str) -> Size | None:
    """What structure() reads of a type; None where it follows pointers. A type that is not known reads nothing."""
    found = _LAYOUTS.get(type_.replace("const ", "").strip())
    return Size(0) if found is None else found.size


def _fields(form: str, text: Callable[..., str]) -> _Layout:
    layout = struct.Struct("<" + form)

    def read(address: int, reader: Reader, count: int) -> str | None:
        data = reader.read(address, layout.size)
        return text(*layout.unpack(data)) if len(data) == layout.size else None

    return _Layout(read, Size(layout.size))


def _array(form: str, text: Callable[..., str], most: int = 32) -> _Layout:
    layout = struct.Struct("<" + form)

    def read(address: int, reader: Reader, count: int) -> str | None:
        wanted = min(max(count, 0), most)
        data = reader.read(address, layout.size * wanted)
        if len(data) < layout.size * wanted:
            return None
        items = [text(*row) for row in layout.iter_unpack(data)]
        return f"[{', '.join(items)}{', ...' if count > most else ''}]"

    return _Layout(read, Size(layout.size, True, most))


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


def vectors(address: int, reader: Reader, count: int, filled: int = 1 << 62) -> str | None:
    """An array of struct iovec with what its buffers hold, of which so many bytes are filled."""
    wanted = min(max(count, 0), 1024)
    data = reader.read(address, 16 * wanted)
    if len(data) < 16 * wanted:
        return None
    items = []
    for base, length in struct.iter_unpack("<QQ", data):
        inside = min(length, filled)
        filled -= inside
        content = reader.read(base, min(inside, reader.limit + 1))
        shown = quoted(content, reader.limit) if content or not inside else f"{base:#x}"
        shown = shown if base else "NULL"
        items.append(f"{{iov_base={shown}, iov_len={length}}}")
    return f"[{', '.join(items[: reader.limit])}{', ...' if count > reader.limit else ''}]"


@functools.cache
def _poll_names() -> Names:
    import select

    aliases = ("POLLRDBAND", "POLLMSG")
    names = {n: v for n, v in vars(select).items() if n.startswith("POLL") and n not in aliases}
    return Names({**names, "POLLRDBAND": 0x80, "POLLWRBAND": 0x200})


@functools.cache
def _epoll_names() -> Names:
    import select

    return Names({n: v for n, v in vars(select).items() if n.startswith("EPOLL") and n != "EPOLL_CLOEXEC"})


def poll_events(events: int) -> str:
    """The names of what poll(2) waits for, or found."""
    return _poll_names().text(events & 0xFFFF)


def _pollfd(fd: int, events: int, revents: int) -> str:
    return f"{{fd={fd}, events={poll_events(events)}}}"


def _epoll_event(events: int, data: int) -> str:
    return f"{{events={_epoll_names().text(events)}, data={{u32={data & 0xFFFFFFFF}, u64={data}}}}}"


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


def _time(seconds: int, part: int, unit: str = "nsec") -> str:
    return f"{{tv_sec={seconds}, tv_{unit}={part}}}"


def _interval(a: int, b: int, c: int, d: int) -> str:
    return f"{{it_interval={_time(a, b, 'usec')}, it_value={_time(c, d, 'usec')}}}"


def _interval_ns(a: int, b: int, c: int, d: int) -> str:
    return f"{{it_interval={_time(a, b)}, it_value={_time(c, d)}}}"


def _rusage(a: int, b: int, c: int, d: int) -> str:
    return f"{{ru_utime={_time(a, b, 'usec')}, ru_stime={_time(c, d, 'usec')}, ...}}"


def _sysinfo(*row: int) -> str:
    names = ("uptime", "loads", "totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap", "procs",
             "totalhigh", "freehigh", "mem_unit")  # fmt: skip
    values = [str(row[0]), f"[{row[1]}, {row[2]}, {row[3]}]", *map(str, row[4:])]
    return "{" + ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True)) + "}"


def _tms(*ticks: int) -> str:
    names = ("utime", "stime", "cutime", "cstime")
    shown = (f"{tick} /* {tick / 100:.2f} s */" if tick else "0" for tick in ticks)
    return "{" + ", ".join(f"tms_{name}={tick}" for name, tick in zip(names, shown, strict=True)) + "}"


def _clone_args(*row: int) -> str:
    from invivo.strace.flags import names_of

    names = names_of("clone", "clone_flags")
    assert names is not None
    flags, pidfd, child, parent, exit_signal, stack, size, tls = row
    parts = [f"flags={names.text(flags)}" if flags else "flags=0"]
    if flags & 0x1000:
        parts.append(f"pidfd={pidfd:#x}")
    if flags & 0x1200000:
        parts.append(f"child_tid={child:#x}")
    if flags & 0x100000:
        parts.append(f"parent_tid={parent:#x}")
    parts.append(f"exit_signal={signal_name(exit_signal) if exit_signal else 0}")
    parts.append(f"stack={f'{stack:#x}' if stack else 'NULL'}")
    parts.append(f"stack_size={f'{size:#x}' if size else 0}")
    if flags & 0x80000:
        parts.append(f"tls={tls:#x}")
    return "{" + ", ".join(parts) + "}"


def message(address: int, reader: Reader, filled: int = 1 << 62, name_room: int | None = None) -> str | None:
    """struct user_msghdr: name, its length, vectors, their number, control data, its length, flags. Of one that was
    received, `filled` bytes of the buffers, and the room that there was for the name."""
    data = reader.read(address, 56)
    if len(data) < 56:
        return None
    name, name_length, places, number, control, control_length, flags = struct.unpack("<QI4xQQQQI4x", data)
    who = (_sockaddr(name, reader, name_length) or f"{name:#x}") if name else "NULL"
    length = str(name_length) if name_room in (None, name_length) else f"{name_room} => {name_length}"
    parts = [f"msg_name={who}", f"msg_namelen={length}"]
    what = (vectors(places, reader, number, filled) or f"{places:#x}") if places else "NULL"
    parts += [f"msg_iov={what}", f"msg_iovlen={number}"]
    if control and control_length:
        parts.append(f"msg_control={control:#x}")
    parts.append(f"msg_controllen={control_length}")
    from invivo.strace.flags import names_of

    names = names_of("sendmsg", "flags")
    assert names is not None
    parts.append(f"msg_flags={names.text(flags)}")
    return "{" + ", ".join(parts) + "}"


_timespec = _fields("qq", _time)
_LAYOUTS: dict[str, _Layout] = {
    "struct stat *": _fields("QQQIIIIQqqqqqqqqq", stat),
    "struct statx *": _fields("IIQIIIH2xQQ", statx),
    "struct __kernel_timespec *": _timespec,
    "struct __kernel_old_timeval *": _fields("qq", lambda seconds, us: _time(seconds, us, "usec")),
    "struct __kernel_old_itimerval *": _fields("qqqq", _interval),
    "struct __kernel_itimerspec *": _fields("qqqq", _interval_ns),
    "struct rusage *": _fields("qqqq", _rusage),
    "struct rlimit64 *": _fields("QQ", _limits),
    "struct rlimit *": _fields("QQ", _limits),
    "struct sockaddr *": _Layout(_sockaddr, Size(1, True, 128)),
    "struct iovec *": _Layout(vectors, None),
    "struct user_msghdr *": _Layout(lambda address, reader, count: message(address, reader), None),
    "struct pollfd *": _array("ihh", _pollfd),
    "struct epoll_event *": _array("IQ", _epoll_event),
    "struct sigaction *": _fields("QQQQ", _sigaction),
    "sigset_t *": _fields("Q", signal_set),
    "struct new_utsname *": _fields("65s65s65s65s65s65s", _utsname),
    "struct timezone *": _fields("ii", lambda west, dst: f"{{tz_minuteswest={west}, tz_dsttime={dst}}}"),
    "struct sysinfo *": _fields("qQQQQQQQQQH6xQQI", _sysinfo),
    "struct statfs *": _fields("qqQQQQQIIqqq", statfs),
    "struct flock *": _fields("hh4xqqi", flock),
    "struct tms *": _fields("qqqq", _tms),
    "struct clone_args *": _fields("8Q", _clone_args),
    "struct sched_param *": _fields("i", lambda priority: f"[{priority}]"),
    "uid_t *": _fields("I", lambda value: f"[{value}]"),
    "gid_t *": _array("I", str),
    "int *": _fields("i", lambda value: f"[{value}]"),
    "loff_t *": _fields("q", lambda value: f"[{value}]"),
}
