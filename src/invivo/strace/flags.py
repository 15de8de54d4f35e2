"""Names of flags and codes in system calls' arguments.

    names_of("openat", "flags")     Names(bits O_RDONLY ... O_CLOEXEC)
    names.text(0o2000101)           "O_WRONLY|O_CREAT|O_CLOEXEC"

Python's own modules are the source: they have the numbers of the headers that Python was built with. What they lack
is written here with the header that it is from.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping

__all__ = ["Names", "Naming", "at_cwd", "known_names", "names_of", "set_naming", "signal_name", "styled"]


class Naming(enum.Enum):
    """How values that have names are shown: by these, as numbers, or both."""

    NAMES = "abbrev"
    NUMBERS = "raw"
    BOTH = "verbose"


class _Style:
    """How values are shown, in this process: it is the same for all lines."""

    naming = Naming.NAMES


def set_naming(naming: Naming) -> None:
    """How Names shows values from now on."""
    _Style.naming = naming


def styled(number: str, name: str) -> str:
    """A value that has a name, as set_naming() says."""
    if _Style.naming is Naming.NAMES or number == name:
        return name
    return number if _Style.naming is Naming.NUMBERS else f"{number} /* {name} */"


def at_cwd() -> str:
    """AT_FDCWD, as an argument."""
    return styled("-100", "AT_FDCWD")


class Names:
    """Names of the bits, or of the values, of one parameter. `mask` are the bits that are a code, whose names are in
    `codes`. Bits are shown in ascending order; `later` are those that strace(1) shows after the others, and then a
    code, too, where that is named among them ("")."""

    def __init__(
        self,
        bits: Mapping[str, int],
        codes: Mapping[str, int] | None = None,
        mask: int = 0,
        later: tuple[str, ...] = (),
    ) -> None:
        self._bits = [(name, value) for name, value in bits.items() if value]
        self._bits.sort(key=lambda item: (-item[1].bit_count(), item[1]))
        self._codes = {value: name for name, value in reversed([*(codes or {}).items()])}
        self._zero = next((name for name, value in bits.items() if not value), "0")
        self._mask = mask
        self._later = {name: place for place, name in enumerate(later, 1)}

    def text(self, value: int) -> str:
        """The value by its names; what has none is a hexadecimal number among them. As set_naming() says, the number
        itself, or both."""
        if _Style.naming is Naming.NAMES:
            return self._named(value)
        return styled(f"{value:#x}" if value else "0", self._named(value))

    def _named(self, value: int) -> str:
        found: list[tuple[str, int]] = []
        parts: list[str] = []
        if self._codes:
            code = value & self._mask if self._mask else value
            name = self._codes.get(code)
            if not self._bits:
                return name or f"{value:#x} /* unknown */"
            if name is not None:
                parts.append(name)
                value &= ~code
        rest = value
        for name, bit in self._bits:
            if rest & bit == bit:
                found.append((name, bit))
                rest &= ~bit
        later = self._later
        names = [name for name, _ in sorted(found, key=lambda item: (later.get(item[0], 0), item[1]))]
        parts = names + parts if "" in later else parts + names
        if rest:
            parts.append(f"{rest:#x}")
        return "|".join(parts) or self._zero


def _of(module: object, *prefixes: str, without: tuple[str, ...] = ()) -> dict[str, int]:
    return {
        name: int(value)
        for name, value in vars(module).items()
        if name.startswith(prefixes) and isinstance(value, int) and name not in without
    }


@functools.cache
def _tables() -> dict[tuple[str, str], Names]:
    import fcntl
    import mmap
    import os
    import resource
    import select
    import signal
    import socket
    import termios

    requests = _of(termios, "TC", "TIOC", "FIO", without=("TCOOFF", "TCOON", "TCIOFF", "TCION", "TCSANOW", "TCSADRAIN"))
    requests = {name: value for name, value in requests.items() if value > 0x5400}
    # include/uapi/asm-generic/ioctls.h, linux/fs.h: what the termios module lacks
    requests |= {
        "TIOCGPTN": 0x80045430, "TIOCSPTLCK": 0x40045431, "TIOCGPTLCK": 0x80045439, "TIOCGEXCL": 0x80045440,
        "TIOCGPTPEER": 0x5441, "TIOCGDEV": 0x80045432, "TIOCSIG": 0x40045436, "TIOCVHANGUP": 0x5437,
        "TCGETS2": 0x802C542A, "TCSETS2": 0x402C542B, "FIOQSIZE": 0x5460, "FICLONE": 0x40049409,
        "FICLONERANGE": 0x4020940D, "FS_IOC_FIEMAP": 0xC020660B, "FS_IOC_GETFLAGS": 0x80086601,
        "FS_IOC_SETFLAGS": 0x40086602, "BLKGETSIZE64": 0x80081272, "BLKGETSIZE": 0x1260, "BLKSSZGET": 0x1268,
        "BLKFLSBUF": 0x1261, "FIFREEZE": 0xC0045877, "FITHAW": 0xC0045878, "FITRIM": 0xC0185879,
    }  # fmt: skip
    opens = _of(os, "O_", without=("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE", "O_NDELAY", "O_FSYNC", "O_RSYNC"))
    access = {"O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2}
    opens = {**opens, "O_LARGEFILE": 0o100000}  # which the C library hides where it is always set
    flags = Names(opens, access, 3, later=("O_CLOEXEC", "O_PATH", "O_TMPFILE", "O_DIRECTORY"))
    pipes = Names({name: value for name, value in opens.items() if name != "O_LARGEFILE"})
    protection = Names({"PROT_NONE": 0, **_of(mmap, "PROT_")})
    # include/uapi/asm-generic/mman.h: what Python lacks
    maps = {
        "MAP_FIXED": 0x10, "MAP_FIXED_NOREPLACE": 0x100000, "MAP_NORESERVE": 0x4000, "MAP_GROWSDOWN": 0x100,
        "MAP_LOCKED": 0x2000, "MAP_NONBLOCK": 0x10000, "MAP_HUGETLB": 0x40000, "MAP_SYNC": 0x80000, "MAP_32BIT": 0x40,
        **_of(mmap, "MAP_", without=("MAP_ANON", "MAP_TYPE")),
    }  # fmt: skip
    shared: dict[str, int] = {name: maps.pop(name) for name in ("MAP_SHARED", "MAP_PRIVATE") if name in maps}
    # include/uapi/linux/fcntl.h
    at = {
        "AT_SYMLINK_NOFOLLOW": 0x100, "AT_EACCESS": 0x200, "AT_SYMLINK_FOLLOW": 0x400, "AT_NO_AUTOMOUNT": 0x800,
        "AT_EMPTY_PATH": 0x1000,
    }  # fmt: skip
    unlink = {**at, "AT_REMOVEDIR": 0x200}
    unlink.pop("AT_EACCESS")
    stat_at = {name: value for name, value in at.items() if name != "AT_EACCESS"}
    types = {name: value for name, value in _of(socket, "SOCK_").items() if value < 16}
    type_bits = {name: value for name, value in _of(socket, "SOCK_").items() if value >= 16}
    sockets = Names(type_bits, types, 15, later=("SOCK_NONBLOCK",))
    clocks = Names({}, {
        "CLOCK_REALTIME": 0, "CLOCK_MONOTONIC": 1, "CLOCK_PROCESS_CPUTIME_ID": 2, "CLOCK_THREAD_CPUTIME_ID": 3,
        "CLOCK_MONOTONIC_RAW": 4, "CLOCK_REALTIME_COARSE": 5, "CLOCK_MONOTONIC_COARSE": 6, "CLOCK_BOOTTIME": 7,
    })  # include/uapi/linux/time.h  # fmt: skip
    limits = Names({}, {n: v for n, v in _of(resource, "RLIMIT_").items() if n != "RLIMIT_OFILE"})
    poll = _of(select, "EPOLL_CLOEXEC")
    # include/uapi/linux/futex.h
    operations = {
        "FUTEX_WAIT": 0, "FUTEX_WAKE": 1, "FUTEX_FD": 2, "FUTEX_REQUEUE": 3, "FUTEX_CMP_REQUEUE": 4,
        "FUTEX_WAKE_OP": 5, "FUTEX_LOCK_PI": 6, "FUTEX_UNLOCK_PI": 7, "FUTEX_TRYLOCK_PI": 8, "FUTEX_WAIT_BITSET": 9,
        "FUTEX_WAKE_BITSET": 10, "FUTEX_WAIT_REQUEUE_PI": 11, "FUTEX_CMP_REQUEUE_PI": 12, "FUTEX_LOCK_PI2": 13,
    }  # fmt: skip
    private = {f"{name}_PRIVATE": value | 128 for name, value in operations.items()}
    futexes = Names({"FUTEX_CLOCK_REALTIME": 256}, operations | private, 0xFF)
    # include/uapi/linux/sched.h; the lowest byte is the signal that the child's end sends
    clones = Names({
        "CLONE_VM": 0x100, "CLONE_FS": 0x200, "CLONE_FILES": 0x400, "CLONE_SIGHAND": 0x800, "CLONE_PIDFD": 0x1000,
        "CLONE_PTRACE": 0x2000, "CLONE_VFORK": 0x4000, "CLONE_PARENT": 0x8000, "CLONE_THREAD": 0x10000,
        "CLONE_NEWNS": 0x20000, "CLONE_SYSVSEM": 0x40000, "CLONE_SETTLS": 0x80000, "CLONE_PARENT_SETTID": 0x100000,
        "CLONE_CHILD_CLEARTID": 0x200000, "CLONE_CHILD_SETTID": 0x1000000, "CLONE_NEWCGROUP": 0x2000000,
        "CLONE_NEWUTS": 0x4000000, "CLONE_NEWIPC": 0x8000000, "CLONE_NEWUSER": 0x10000000, "CLONE_NEWPID": 0x20000000,
        "CLONE_NEWNET": 0x40000000, "CLONE_IO": 0x80000000,
    }, {entry.name: int(entry) for entry in signal.Signals}, 0xFF, later=("",))  # fmt: skip
    return {
        ("", "prot"): protection,
        ("open", "flags"): flags, ("openat", "flags"): flags,
        ("pipe2", "flags"): pipes, ("dup3", "flags"): pipes,
        ("mmap", "flags"): Names(maps, shared, 3),
        **{(call, "mode"): Names({"F_OK": 0, "X_OK": 1, "W_OK": 2, "R_OK": 4}, later=("W_OK", "X_OK")) for call in (
            "access", "faccessat", "faccessat2",
        )},
        ("faccessat2", "flags"): Names(at),
        ("newfstatat", "flag"): Names(stat_at),
        # Two bits say how to get what another machine has, with a name for neither.
        ("statx", "flags"): Names(stat_at, {
            "AT_STATX_SYNC_AS_STAT": 0, "AT_STATX_FORCE_SYNC": 0x2000, "AT_STATX_DONT_SYNC": 0x4000,
        }, 0x6000),
        ("fchownat", "flag"): Names(stat_at), ("ioctl", "cmd"): Names({}, requests),
        ("linkat", "flags"): Names(stat_at), ("unlinkat", "flag"): Names(unlink),
        ("execveat", "flags"): Names(stat_at), ("utimensat", "flags"): Names(stat_at),
        ("lseek", "whence"): Names({}, _of(os, "SEEK_")),
        ("socket", "family"): Names({}, _of(socket, "AF_")), ("socketpair", "family"): Names({}, _of(socket, "AF_")),
        ("socket", "type"): sockets, ("socketpair", "type"): sockets,
        ("accept4", "flags"): Names(type_bits, later=("SOCK_NONBLOCK",)),
        ("shutdown", "how"): Names({}, _of(socket, "SHUT_")),
        ("sendto", "flags"): Names(_of(socket, "MSG_")), ("recvfrom", "flags"): Names(_of(socket, "MSG_")),
        ("sendmsg", "flags"): Names(_of(socket, "MSG_")), ("recvmsg", "flags"): Names(_of(socket, "MSG_")),
        ("madvise", "behavior"): Names({}, _of(mmap, "MADV_")),
        ("mremap", "flags"): Names({"MREMAP_MAYMOVE": 1, "MREMAP_FIXED": 2, "MREMAP_DONTUNMAP": 4}),
        ("fcntl", "cmd"): Names({}, _of(fcntl, "F_", without=(
            "F_RDLCK", "F_WRLCK", "F_UNLCK", "F_EXLCK", "F_SHLCK", "F_SETLK64", "F_GETLK64", "F_SETLKW64",
        ))),
        ("flock", "cmd"): Names(_of(fcntl, "LOCK_", without=("LOCK_MAND", "LOCK_READ", "LOCK_WRITE", "LOCK_RW"))),
        ("", "which_clock"): clocks, ("timerfd_create", "clockid"): clocks,
        ("", "resource"): limits,
        ("rt_sigprocmask", "how"): Names({}, {"SIG_BLOCK": 0, "SIG_UNBLOCK": 1, "SIG_SETMASK": 2}),
        ("epoll_create1", "flags"): Names(poll),
        ("epoll_ctl", "op"): Names({}, {"EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3}),
        ("futex", "op"): futexes, ("clone", "clone_flags"): clones, ("unshare", "unshare_flags"): clones,
        ("getrandom", "flags"): Names({"GRND_NONBLOCK": 1, "GRND_RANDOM": 2, "GRND_INSECURE": 4}),
        ("wait4", "options"): Names({
            "WNOHANG": 1, "WUNTRACED": 2, "WCONTINUED": 8, "__WNOTHREAD": 1 << 29, "__WALL": 1 << 30,
            "__WCLONE": 1 << 31,
        }),
        ("arch_prctl", "option"): Names({}, {  # arch/x86/include/uapi/asm/prctl.h
            "ARCH_SET_GS": 0x1001, "ARCH_SET_FS": 0x1002, "ARCH_GET_FS": 0x1003, "ARCH_GET_GS": 0x1004,
            "ARCH_CET_STATUS": 0x3001,
        }),
        ("eventfd2", "flags"): Names({"EFD_SEMAPHORE": 1, "EFD_NONBLOCK": 0o4000, "EFD_CLOEXEC": 0o2000000}),
        ("renameat2", "flags"): Names({"RENAME_NOREPLACE": 1, "RENAME_EXCHANGE": 2, "RENAME_WHITEOUT": 4}),
        ("memfd_create", "flags"): Names({"MFD_CLOEXEC": 1, "MFD_ALLOW_SEALING": 2, "MFD_HUGETLB": 4}),
    }  # fmt: skip


def names_of(call: str, parameter: str) -> Names | None:
    """The names of one parameter of a call (the kernel's own names of both), or None if it is a plain number."""
    tables = _tables()
    return tables.get((call, parameter)) or tables.get(("", parameter))


def known_names(call: str, parameter: str) -> Names:
    """The same of a parameter that has names."""
    names = names_of(call, parameter)
    assert names is not None, (call, parameter)
    return names


def signal_name(number: int) -> str:
    """SIGINT; SIGRT_3 for the real-time ones."""
    import signal

    try:
        if number < 32:
            return signal.Signals(number).name
    except ValueError:
        return str(number)
    # The two that the C library keeps for itself come before its SIGRTMIN, and strace(1) counts from them.
    return "SIGRTMIN" if number == 32 else f"SIGRT_{number - 32}" if number > 32 else str(number)
